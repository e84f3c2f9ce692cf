/**
 * The `kho_scratch=` option: what it may say, and what areas it asks for.
 *
 * The option has two forms. `N%` scales what the kernel itself reserved early; three sizes,
 * `lowmem,global,pernode`, name the areas outright. Anything else is refused, and then the default
 * stays: 200 %. A kernel that revives a handover does not look at the option at all (SCR-04).
 *
 * This is the law as intended. Where kernels deviate (see `src/kho/scratch-option.ts`):
 *
 * - `0%` asks for nothing, as `0,0,0` does. The code refuses only the latter. A machine without
 *   any scratch has KHO that can never hand over: loading an image fails. So both are refused here.
 * - A size that does not fit 64 bits is as large as can be; kernels before 7.2 dropped high bits.
 * - A letter without digits is no size; kernels before 7.2 read it as zero.
 *
 * Invariant: no arithmetic leaves the safe integers; a 64-bit size is kept as two halves.
 *
 * Sources: Documentation/admin-guide/kernel-parameters.txt (kho_scratch),
 * Documentation/admin-guide/mm/kho.rst, kernel/liveupdate/kexec_handover.c
 * (kho_parse_scratch_size, scratch_size_update, scratch_size_node), lib/cmdline.c (memparse),
 * lib/kstrtox.c (kstrtouint).
 */

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

/** What holds without an option, and with one that is refused. */
export const DEFAULT_REQUEST: AskedScratch = { kind: 'scale', percent: 200 };

/** Longest `N%` in characters: ten digits, as many as 2^32 - 1 has, and the sign. */
export const SCALE_LENGTH_MAX = 11;
/** Largest N of `N%`. */
export const SCALE_MAX = 2 ** 32 - 1;

/** Decimal digits, after at most one plus; one line end is forgiven, as everywhere in Linux. */
const SCALE = /^\+?(\d+)\n?%$/;
/** Digits as in C (hexadecimal, octal, decimal) and a unit. Nothing before, between or after. */
const SIZE = /^(0[xX][\da-fA-F]+|0[0-7]*|[1-9]\d*)([KMGTPE]?)$/i;
const UNITS = 'KMGTPE';

const HALF = 2 ** 32;
const LARGEST: Bytes64 = { high: HALF - 1, low: HALF - 1 };

const refused = (why: string): ScratchRequest => ({ kind: 'refused', why });

const isZero = ({ high, low }: Bytes64): boolean => high === 0 && low === 0;

/**
 * Reads the value of `kho_scratch=`.
 *
 * @param text the value, without `kho_scratch=` and without the quotes of the command line
 * @returns what it asks for; `refused` with a reason where the kernel keeps its default
 */
export const readScratchOption = (text: string): ScratchRequest => {
  if (text.endsWith('%')) return readScale(text);
  const parts = text.split(',');
  if (parts.length !== 3) return refused('neither N% nor exactly three sizes');
  const sizes = parts.map(readSize);
  const [lowmem, global, perNode] = sizes;
  if (lowmem === undefined || global === undefined || perNode === undefined) {
    return refused(`'${parts[sizes.indexOf(undefined)]}' is not a size`);
  }
  if ([lowmem, global, perNode].every(isZero)) return refused('asks for no scratch at all');
  return { kind: 'sizes', lowmem, global, perNode };
};

const readScale = (text: string): ScratchRequest => {
  if (text.length > SCALE_LENGTH_MAX) return refused(`longer than ${SCALE_LENGTH_MAX} characters`);
  const digits = SCALE.exec(text)?.[1];
  if (digits === undefined) return refused('no decimal number before the %');
  const percent = Number(digits);
  if (percent > SCALE_MAX) return refused(`more than ${SCALE_MAX} %`);
  return percent === 0 ? refused('asks for no scratch at all') : { kind: 'scale', percent };
};

/** One size, or undefined when the text is not exactly one. */
const readSize = (text: string): Bytes64 | undefined => {
  const [, digits, unit] = SIZE.exec(text) ?? [];
  if (digits === undefined || unit === undefined) return undefined;
  const isHex = /^0x/i.test(digits);
  const base = isHex ? 16 : digits.startsWith('0') ? 8 : 10;
  let size: Bytes64 = { high: 0, low: 0 };
  for (const digit of isHex ? digits.slice(2) : digits) {
    size = timesPlus(size, base, Number.parseInt(digit, base));
  }
  for (let i = 0; i <= UNITS.indexOf(unit.toUpperCase()) && unit !== ''; i++) {
    size = timesPlus(size, 1024, 0);
  }
  return size;
};

/** `size * factor + more`, or the largest number where that does not fit; factor <= 1024. */
const timesPlus = (size: Bytes64, factor: number, more: number): Bytes64 => {
  const low = size.low * factor + more;
  const high = size.high * factor + Math.floor(low / HALF);
  return high >= HALF ? LARGEST : { high, low: low % HALF };
};

/** Bytes that the kernel had reserved for itself when it sizes scratch. */
export interface EarlyBytes {
  /** Below the limit of low memory, whatever the node. */
  readonly low: number;
  /** Everywhere. Boot-time HugeTLB pages are not counted. */
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
 */
export const areaBytes = (
  request: AskedScratch,
  early: EarlyBytes,
  align: number,
): readonly number[] => {
  const up = (bytes: number): number => Math.ceil(bytes / align) * align;
  if (request.kind === 'sizes') {
    const { lowmem, global, perNode } = request;
    const each = early.nodes.map(() => up(asNumber(perNode)));
    return [up(asNumber(lowmem)), up(asNumber(global)), ...each];
  }
  const { percent } = request;
  const lowmem = up(share(early.low, percent));
  const total = share(early.total, percent);
  const rest = total === Infinity ? Infinity : up(Math.max(0, total - lowmem));
  return [lowmem, rest, ...early.nodes.map((bytes) => up(share(bytes, percent)))];
};
