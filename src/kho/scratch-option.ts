/**
 * Reading `kho_scratch=` the way a kernel does: character by character, with 64-bit numbers.
 *
 * Kernels differ in a handful of decisions, which `ScratchGrammar` names; the intended one is the
 * default. A value that a kernel refuses changes nothing: it says "Malformed early option" and its
 * default scale stays.
 *
 * Invariants: numbers are taken modulo 2^64 or cut off there, never rounded; a value is accepted
 * as a whole or refused as a whole.
 *
 * Sources: kernel/liveupdate/kexec_handover.c (kho_parse_scratch_size), lib/cmdline.c (memparse),
 * lib/kstrtox.c (kstrtouint); before the merge kernel/kexec_kho_out.c (early_kho_scratch) and
 * kernel/kexec_handover.c (kho_parse_scratch_size) of the series v3 and v4. Recorded:
 * test/fixtures/kho_scratch_options.json (Linux 7.3.4).
 */

import type { ScratchFormat } from '#src/abi/description/generation';

/** A size that the option can name. */
export type SizeName = 'lowmem' | 'global' | 'node';

const ALL_SIZES: readonly SizeName[] = ['lowmem', 'global', 'node'];

/** What kernels decide differently about the option. */
export interface ScratchGrammar {
  /** Sizes that it names, in order. */
  readonly names: readonly SizeName[];
  /**
   * Where a percentage is looked for: as all of the text, as its beginning (in any base of C, of
   * which 32 bits count), or nowhere.
   */
  readonly scale: 'whole' | 'ahead' | 'never';
  /** Take `0%`, which leaves KHO on without any scratch. */
  readonly takesZeroScale: boolean;
  /**
   * When sizes are too little: all of them zero, a sum that is zero modulo 2^64, or one of them
   * zero; or never, and what is no size is zero as well.
   */
  readonly refusesZero: 'all' | 'sum' | 'any' | 'never';
  /** What becomes of a number that does not fit 64 bits. */
  readonly overflow: 'largest' | 'wraps';
  /** Read a unit without digits, such as `K`, as zero. */
  readonly takesBareUnit: boolean;
  /** Ignore what follows the last size. */
  readonly ignoresRest: boolean;
}

/** The grammar of the newest kernel as intended: what `spec/scratch-option.ts` says. */
export const INTENDED_GRAMMAR: ScratchGrammar = {
  names: ALL_SIZES,
  scale: 'whole',
  takesZeroScale: false,
  refusesZero: 'all',
  overflow: 'largest',
  takesBareUnit: false,
  ignoresRest: false,
};

/** The grammar as intended of the kernels that a description is about. */
export const intendedGrammar = (format: ScratchFormat): ScratchGrammar => ({
  ...INTENDED_GRAMMAR,
  names: format.sizes,
  scale: format.percent,
  refusesZero: ({ each: 'any', sum: 'all', none: 'never' } as const)[format.mustNotBeZero],
  overflow: format.numbers === 'limited' ? 'largest' : 'wraps',
  takesBareUnit: format.numbers !== 'limited',
  ignoresRest: !format.wholeText,
});

/** Linux 7.2 and 7.3: `lib: fix memparse() to handle overflow` is in. */
const SHIPPED_7_2: ScratchGrammar = {
  ...INTENDED_GRAMMAR,
  takesZeroScale: true,
  refusesZero: 'sum',
};
/** Linux 6.18 to 7.1. */
const SHIPPED_6_18: ScratchGrammar = { ...SHIPPED_7_2, overflow: 'wraps', takesBareUnit: true };
/** Linux 6.16 and 6.17: no area may be empty, and a fourth size goes unnoticed. */
const SHIPPED_6_16: ScratchGrammar = { ...SHIPPED_6_18, refusesZero: 'any', ignoresRest: true };

/** The series v4: no area of low memory. */
const POSTED_V4: ScratchGrammar = { ...SHIPPED_6_16, names: ['global', 'node'], scale: 'ahead' };
/** The first series: one area, and whatever is said is its size. */
const POSTED_V3: ScratchGrammar = {
  ...POSTED_V4,
  names: ['global'],
  scale: 'never',
  refusesZero: 'never',
};

/**
 * The grammar that the releases of a series have, or a patch series before the merge.
 *
 * @param series such as `7.3`; one that is not known is taken for the newest
 */
export const shippedGrammar = (series: string): ScratchGrammar => {
  if (series === 'v3') return POSTED_V3;
  if (series === 'v4') return POSTED_V4;
  if (/^(?:v5|6\.1[67])$/.test(series)) return SHIPPED_6_16;
  return /^(?:6\.1[89]|7\.[01])$/.test(series) ? SHIPPED_6_18 : SHIPPED_7_2;
};

/** What an option means to a kernel; sizes in bytes, 0 to 2^64 - 1. */
export type ScratchOption =
  | { readonly kind: 'scale'; readonly percent: number }
  | {
      readonly kind: 'sizes';
      readonly lowmem: bigint;
      readonly global: bigint;
      readonly perNode: bigint;
      /** Whether one of the numbers did not fit 64 bits. */
      readonly overflowed: boolean;
      /** What follows the third size, ignored; empty as a rule. */
      readonly rest: string;
    }
  | { readonly kind: 'refused'; readonly why: string };

/** What every kernel does without an option, and after a refused one. */
export const DEFAULT_PERCENT = 200;

const SCALE_BUFFER = 11;
const U32_MAX = 4294967295n;
const U64_MAX = 18446744073709551615n;

const refuse = (why: string): ScratchOption => ({ kind: 'refused', why });

/**
 * Reads the value of `kho_scratch=`.
 *
 * @param value what follows the `=`, without the quotes of the command line
 * @param grammar the decisions of a kernel
 */
export const parseScratchOption = (
  value: string,
  grammar: ScratchGrammar = INTENDED_GRAMMAR,
): ScratchOption => {
  if (grammar.scale === 'ahead') {
    const number = scanNumber(value, 0);
    if (value[number.end] === '%') return scaleOf(number.exact & U32_MAX, grammar);
  }
  if (value === '' && grammar.refusesZero !== 'never') return refuse('it is empty');
  const isScale = grammar.scale === 'whole' && value[value.length - 1] === '%';
  return isScale ? parseScale(value, grammar) : parseSizes(value, grammar);
};

const scaleOf = (percent: bigint, { takesZeroScale }: ScratchGrammar): ScratchOption =>
  percent === 0n && !takesZeroScale
    ? refuse('it asks for no scratch at all')
    : { kind: 'scale', percent: Number(percent) };

const parseScale = (value: string, grammar: ScratchGrammar): ScratchOption => {
  if (value.length > SCALE_BUFFER) {
    return refuse(`a percentage has at most ${SCALE_BUFFER} characters`);
  }
  let at = value[0] === '+' ? 1 : 0;
  const start = at;
  let percent = 0n;
  for (; isDigit(value, at, 10); at++) percent = percent * 10n + BigInt(digitAt(value, at));
  const hasDigits = at > start;
  if (value[at] === '\n') at++;
  if (!hasDigits || at !== value.length - 1) {
    return refuse('a percentage is a plain decimal number and %');
  }
  if (percent > U32_MAX) return refuse(`a percentage is at most ${U32_MAX}`);
  return scaleOf(percent, grammar);
};

const parseSizes = (value: string, grammar: ScratchGrammar): ScratchOption => {
  const { names } = grammar;
  const sizes: bigint[] = [];
  let at = 0;
  let overflowed = false;
  while (sizes.length < names.length) {
    if (sizes.length > 0 && value[at++] !== ',') {
      return refuse(`after ${quote(value.slice(0, at - 1))} a comma and another size must follow`);
    }
    const size = scanSize(value, at, grammar);
    if (size.end === at && grammar.refusesZero !== 'never') {
      return refuse(`${quote(value.slice(at))} does not start with a size`);
    }
    sizes.push(size.bytes);
    overflowed ||= size.overflowed;
    at = size.end;
  }
  if (isTooLittle(sizes, grammar)) return refuse('it asks for too little');
  const rest = value.slice(at);
  if (rest !== '' && !grammar.ignoresRest) return refuse(`${quote(rest)} follows the third size`);
  const of = (name: SizeName): bigint => sizes[names.indexOf(name)] ?? 0n;
  const [lowmem, global, perNode] = [of('lowmem'), of('global'), of('node')];
  return { kind: 'sizes', lowmem, global, perNode, overflowed, rest };
};

const isTooLittle = (sizes: readonly bigint[], { refusesZero }: ScratchGrammar): boolean => {
  if (refusesZero === 'never') return false;
  if (refusesZero === 'any') return sizes.includes(0n);
  const sum = sizes.reduce((total, size) => total + size, 0n);
  return (refusesZero === 'sum' ? BigInt.asUintN(64, sum) : sum) === 0n;
};

interface ScannedSize {
  readonly bytes: bigint;
  /** One past the last character that belongs to it; where it began when there is none. */
  readonly end: number;
  readonly overflowed: boolean;
}

/** Reads one number with its unit, as much of it as there is. */
const scanSize = (value: string, start: number, grammar: ScratchGrammar): ScannedSize => {
  let { end: at, exact } = scanNumber(value, start);
  const unit = at > start || grammar.takesBareUnit ? unitShift(letterAt(value, at)) : 0n;
  if (unit > 0n) at++;
  exact <<= unit;
  const overflowed = exact > U64_MAX;
  const kept = grammar.overflow === 'wraps' ? BigInt.asUintN(64, exact) : U64_MAX;
  return { bytes: overflowed ? kept : exact, end: at, overflowed };
};

/** Reads digits in the base that C takes them for; zero where there are none. */
const scanNumber = (value: string, start: number): { exact: bigint; end: number } => {
  const octal = value[start] === '0';
  const hex = octal && letterAt(value, start + 1) === 'x' && isDigit(value, start + 2, 16);
  const base = hex ? 16 : octal ? 8 : 10;
  let at = hex ? start + 2 : start;
  let exact = 0n;
  for (; isDigit(value, at, base); at++) exact = exact * BigInt(base) + BigInt(digitAt(value, at));
  return { exact, end: at };
};

/** The character at `at` with capitals made small; empty past the end. */
const letterAt = (value: string, at: number): string => {
  const char = value[at] ?? '';
  return char >= 'A' && char <= 'Z' ? String.fromCharCode(char.charCodeAt(0) + 32) : char;
};

const unitShift = (letter: string): bigint => {
  switch (letter) {
    case 'k':
      return 10n;
    case 'm':
      return 20n;
    case 'g':
      return 30n;
    case 't':
      return 40n;
    case 'p':
      return 50n;
    case 'e':
      return 60n;
    default:
      return 0n;
  }
};

/** Value of the digit at `at`, up to 15; 16 when there is none. */
const digitAt = (value: string, at: number): number => {
  const letter = letterAt(value, at);
  if (letter >= '0' && letter <= '9') return letter.charCodeAt(0) - 48;
  return letter >= 'a' && letter <= 'f' ? letter.charCodeAt(0) - 87 : 16;
};

const isDigit = (value: string, at: number, base: number): boolean =>
  at < value.length && digitAt(value, at) < base;

const QUOTE_MAX = 24;

/** Text from a command line, fit to be shown: short, and without control characters. */
const quote = (text: string): string => {
  const shown = text.length > QUOTE_MAX ? `${text.slice(0, QUOTE_MAX)}…` : text;
  return `'${shown.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '?')}'`;
};
