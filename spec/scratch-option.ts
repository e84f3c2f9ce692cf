/**
 * The `kho_scratch=` option: what it may say, and what areas it asks for.
 *
 * The option has two forms. `N%` scales what the kernel itself reserved early; three sizes,
 * `lowmem,global,pernode`, name the areas outright. Anything else is refused, and then the default
 * stays: 200 %. A kernel that revives a handover does not look at the option at all (SCR-04).
 *
 * Before the merge there were other forms. The first series knew one size, of the only area there
 * was, and read whatever it got as one: what is no size, or nothing at all, is zero, and then there
 * is no KHO. The series v4 had no area of low memory and so two sizes, and took a percentage for
 * one as soon as a % stood behind the first number, in whatever base that was written.
 *
 * What counts as a size changed twice (`Grammar`). Up to 7.1 numbers lose what does not fit 64 bits
 * and a letter without digits is zero, everywhere in Linux; from 7.2 on the largest number stands
 * for what does not fit, and a letter alone is no size. Up to 6.17 none of the sizes may be zero,
 * and what follows the third one is not looked at.
 *
 * This is the law as intended. All kernels deviate (see `src/kho/scratch-option.ts`) with `0%`: it
 * asks for nothing, as `0,0,0` does, and the code refuses only the latter. A machine without any
 * scratch has KHO that can never hand over: loading an image fails. So both are refused here.
 *
 * Invariant: no arithmetic leaves the safe integers; a 64-bit size is kept as two halves.
 *
 * Sources: Documentation/admin-guide/kernel-parameters.txt (kho_scratch),
 * Documentation/admin-guide/mm/kho.rst, kernel/liveupdate/kexec_handover.c
 * (kho_parse_scratch_size, scratch_size_update, scratch_size_node), lib/cmdline.c (memparse),
 * lib/kstrtox.c (kstrtouint). Before the merge: kernel/kexec_kho_out.c (early_kho_scratch) of the
 * series v3, kernel/kexec_handover.c (kho_parse_scratch_size, scratch_size) of the series v4.
 */

import { GENERATIONS, appliesTo } from './generations.ts';
import type { Generation } from './generations.ts';

/** A number of bytes from 0 to 2^64 - 1, which is `high * 2^32 + low`. */
export interface Bytes64 {
  readonly high: number;
  readonly low: number;
}

/** What an option asks for. */
export type ScratchRequest =
  | { readonly kind: 'scale'; readonly percent: number }
  | {
      readonly kind: 'sizes';
      readonly lowmem: Bytes64;
      readonly global: Bytes64;
      readonly perNode: Bytes64;
    }
  | { readonly kind: 'refused'; readonly why: string };

/** What an option asks for that is not refused. */
export type AskedScratch = Exclude<ScratchRequest, { kind: 'refused' }>;

const NOTHING: Bytes64 = { high: 0, low: 0 };
const NO_SCRATCH: AskedScratch = {
  kind: 'sizes',
  lowmem: NOTHING,
  global: NOTHING,
  perNode: NOTHING,
};

/** What holds without an option, and with one that is refused. */
export const DEFAULT_REQUEST: AskedScratch = { kind: 'scale', percent: 200 };

/** What holds without an option in kernels of a generation: the first series has no scratch. */
export const requestWithout = (generation: Generation): AskedScratch =>
  generation === 'v3' ? NO_SCRATCH : DEFAULT_REQUEST;

/** Longest `N%` in characters: ten digits, as many as 2^32 - 1 has, and the sign. */
export const SCALE_LENGTH_MAX = 11;
/** Largest N of `N%`. */
export const SCALE_MAX = 2 ** 32 - 1;

/** Decimal digits, after at most one plus; one line end is forgiven, as everywhere in Linux. */
const SCALE = /^\+?(\d+)\n?%$/;
/** Digits as in C (hexadecimal, octal, decimal) and a unit; then whatever follows. */
const SIZE = /^(0[xX][\da-fA-F]+|0[0-7]*|[1-9]\d*|)([KMGTPE]?)(.*)$/is;
const UNITS = 'KMGTPE';

/** A number as C has it, with a % behind it; then whatever follows. */
const EARLY_SCALE = /^(0[xX][\da-fA-F]+|0[0-7]*|[1-9]\d*|)%/;

const SIZE_NAMES = ['lowmem', 'global', 'perNode'] as const;
type SizeName = (typeof SIZE_NAMES)[number];

/** What generations make of sizes. */
interface Grammar {
  /** Which sizes there are, in order. */
  readonly names: readonly SizeName[];
  /** Nothing is refused: what is no size is zero. */
  readonly takesAnything: boolean;
  /** A number loses what does not fit 64 bits, and a unit without digits is zero. */
  readonly wraps: boolean;
  /** Each size has to be above zero; else one of them. */
  readonly each: boolean;
  /** What follows the last size is not looked at. */
  readonly ignoresRest: boolean;
}

const COUNTED = { 1: 'one size', 2: 'two sizes', 3: 'three sizes' } as const;

const namesOf = (generation: Generation): readonly SizeName[] =>
  generation === 'v3' ? ['global'] : generation === 'v4' ? ['global', 'perNode'] : SIZE_NAMES;

const grammarOf = (generation: Generation): Grammar => ({
  names: namesOf(generation),
  takesAnything: generation === 'v3',
  wraps: appliesTo(generation, undefined, '7.1'),
  each: appliesTo(generation, 'v4', '6.17'),
  ignoresRest: appliesTo(generation, undefined, '6.17'),
});

const HALF = 2 ** 32;
const LARGEST: Bytes64 = { high: HALF - 1, low: HALF - 1 };

const refused = (why: string): ScratchRequest => ({ kind: 'refused', why });

const isZero = ({ high, low }: Bytes64): boolean => high === 0 && low === 0;

/**
 * Reads the value of `kho_scratch=`.
 *
 * @param text the value, without `kho_scratch=` and without the quotes of the command line
 * @param generation of the kernel that reads it
 * @returns what it asks for; `refused` with a reason where the kernel keeps its default
 */
export const readScratchOption = (
  text: string,
  generation: Generation = GENERATIONS.at(-1)!,
): ScratchRequest => {
  if (generation === 'v4' && EARLY_SCALE.test(text)) return readEarlyScale(text);
  const grammar = grammarOf(generation);
  const { names } = grammar;
  if (names === SIZE_NAMES && text.endsWith('%')) return readScale(text);
  const parts = partsOf(text, grammar);
  if (parts.length !== names.length) {
    return refused(`neither N% nor exactly ${COUNTED[names.length as 1 | 2 | 3]}`);
  }
  const sizes = parts.map((part, at) => readSize(part, grammar, at === names.length - 1));
  const at = sizes.indexOf(undefined);
  if (at >= 0 && !grammar.takesAnything) return refused(`'${parts[at]}' is not a size`);
  const known = sizes.map((size) => size ?? NOTHING);
  const zeros = known.filter(isZero).length;
  if (!grammar.takesAnything && zeros === known.length)
    return refused('asks for no scratch at all');
  if (grammar.each && zeros > 0) return refused('asks for an area of no size');
  const sizeOf = (name: SizeName): Bytes64 => known[names.indexOf(name)] ?? NOTHING;
  const [lowmem, global, perNode] = SIZE_NAMES.map(sizeOf) as [Bytes64, Bytes64, Bytes64];
  return { kind: 'sizes', lowmem, global, perNode };
};

/** What stands between commas; all of the rest is the last part where nobody looks at it. */
const partsOf = (text: string, { names, ignoresRest }: Grammar): readonly string[] => {
  const parts = text.split(',');
  const last = names.length - 1;
  if (!ignoresRest || parts.length <= last) return parts;
  return [...parts.slice(0, last), parts.slice(last).join(',')];
};

/** A percentage as v4 reads it: 32 bits of any number, and nobody looks at what follows. */
const readEarlyScale = (text: string): ScratchRequest => {
  const digits = EARLY_SCALE.exec(text)?.[1] ?? '';
  const percent = numberOf(digits, true).low;
  return percent === 0 ? refused('asks for no scratch at all') : { kind: 'scale', percent };
};

const readScale = (text: string): ScratchRequest => {
  if (text.length > SCALE_LENGTH_MAX) return refused(`longer than ${SCALE_LENGTH_MAX} characters`);
  const digits = SCALE.exec(text)?.[1];
  if (digits === undefined) return refused('no decimal number before the %');
  const percent = Number(digits);
  if (percent > SCALE_MAX) return refused(`more than ${SCALE_MAX} %`);
  return percent === 0 ? refused('asks for no scratch at all') : { kind: 'scale', percent };
};

/** One size, or undefined when the text is not exactly one, or does not begin with the last one. */
const readSize = (text: string, grammar: Grammar, isLast: boolean): Bytes64 | undefined => {
  const [, digits = '', unit = '', rest = ''] = SIZE.exec(text) ?? [];
  if (digits === '' && (unit === '' || !grammar.wraps)) return undefined;
  if (rest !== '' && !(isLast && grammar.ignoresRest)) return undefined;
  const { wraps } = grammar;
  let size = numberOf(digits, wraps);
  for (let i = 0; i <= UNITS.indexOf(unit.toUpperCase()) && unit !== ''; i++) {
    size = timesPlus(size, 1024, 0, wraps);
  }
  return size;
};

/** Digits as a number, in the base that C takes them for; zero without any. */
const numberOf = (digits: string, wraps: boolean): Bytes64 => {
  const isHex = /^0x/i.test(digits);
  const base = isHex ? 16 : digits.startsWith('0') ? 8 : 10;
  let number = NOTHING;
  for (const digit of isHex ? digits.slice(2) : digits) {
    number = timesPlus(number, base, Number.parseInt(digit, base), wraps);
  }
  return number;
};

/**
 * `size * factor + more`; where that does not fit, modulo 2^64 or the largest number there is.
 *
 * @param factor 1024 at most
 */
const timesPlus = (size: Bytes64, factor: number, more: number, wraps: boolean): Bytes64 => {
  const low = size.low * factor + more;
  const high = size.high * factor + Math.floor(low / HALF);
  if (high >= HALF && !wraps) return LARGEST;
  return { high: high % HALF, low: low % HALF };
};

/** Bytes that the kernel had reserved for itself when it sizes scratch. */
export interface EarlyBytes {
  /** Below the limit of low memory, whatever the node. */
  readonly low: number;
  /** Everywhere. From 7.3 on boot-time HugeTLB pages are not counted. */
  readonly total: number;
  /** On each node with memory; what belongs to no node is in `total` alone. */
  readonly nodes: readonly number[];
}

/** `percent` of `bytes`, rounded down; Infinity from 2^53 on, which is more than machines have. */
const share = (bytes: number, percent: number): number => {
  const whole = Math.floor(bytes / 100) * percent;
  const exact = whole + Math.floor(((bytes % 100) * percent) / 100);
  return Number.isSafeInteger(exact) ? exact : Infinity;
};

const asNumber = ({ high, low }: Bytes64): number => {
  const exact = high * HALF + low;
  return Number.isSafeInteger(exact) ? exact : Infinity;
};

/**
 * Bytes that each area must have: low memory, any node, then each node with memory.
 *
 * Every area is rounded up to `align`. What scaling gives low memory is taken off the area for any
 * node. An area of 0 bytes is legal and lies nowhere. Infinity is more than any machine has.
 *
 * @param hasLowmem whether there is an area of low memory; where there is none, it has 0 bytes
 */
export const areaBytes = (
  request: AskedScratch,
  early: EarlyBytes,
  align: number,
  hasLowmem = true,
): readonly number[] => {
  const up = (bytes: number): number => Math.ceil(bytes / align) * align;
  if (request.kind === 'sizes') {
    const { lowmem, global, perNode } = request;
    const each = early.nodes.map(() => up(asNumber(perNode)));
    return [up(asNumber(lowmem)), up(asNumber(global)), ...each];
  }
  const { percent } = request;
  const lowmem = hasLowmem ? up(share(early.low, percent)) : 0;
  const total = share(early.total, percent);
  const rest = total === Infinity ? Infinity : up(Math.max(0, total - lowmem));
  return [lowmem, rest, ...early.nodes.map((bytes) => up(share(bytes, percent)))];
};
