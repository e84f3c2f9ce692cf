/**
 * The `reserve_mem=` option: `size:align:name`, one region of memory each time it is given.
 *
 * This is the law as intended. Where kernels deviate (see `src/kho/reserve-mem-option.ts`):
 *
 * - An alignment has to be a power of two. Kernels take any number and round with a mask that is
 *   none then.
 * - A name must be one that a device tree finds again, as that is how the next kernel looks for it:
 *   `/` separates nodes there, and looking for `a` also finds `a@1`. Kernels take both.
 * - A number that does not fit 64 bits is as large as can be, which no machine has room for.
 *
 * Names that are taken and more than `REGIONS_MAX` regions are refused too, but that depends on
 * what was reserved before: see RSV-01 and RSV-02.
 *
 * Invariant: numbers are safe integers or Infinity.
 *
 * Sources: Documentation/admin-guide/kernel-parameters.txt (reserve_mem), mm/memblock.c
 * (reserve_mem), lib/cmdline.c (memparse).
 */

/** What an accepted option asks for. */
export interface ReserveMemEntry {
  readonly name: string;
  /** At least 1; Infinity from 2^53 on. */
  readonly bytes: number;
  /** In bytes, a power of two, at least `ALIGN_MIN`; Infinity from 2^53 on. */
  readonly align: number;
}

export type ReserveMemOption =
  | (ReserveMemEntry & { readonly kind: 'region' })
  | { readonly kind: 'refused'; readonly why: string };

/** Smallest alignment in bytes, a cache line (SMP_CACHE_BYTES); smaller ones become it. */
export const ALIGN_MIN = 64;
/** Longest name in bytes. */
export const NAME_BYTES_MAX = 15;
/** Regions that a kernel has room to remember. */
export const REGIONS_MAX = 8;

const OPTION = /^([^:]*):([^:]*):(.*)$/s;
/** Digits as in C (hexadecimal, octal, decimal) and a unit. */
const NUMBER = /^(0x[\da-f]+|0[0-7]*|[1-9]\d*)([KMGTPE]?)$/i;
const UNITS = 'KMGTPE';

const refused = (why: string): ReserveMemOption => ({ kind: 'refused', why });

const isPowerOfTwo = (value: number): boolean => 2 ** Math.round(Math.log2(value)) === value;

/**
 * Reads the value of one `reserve_mem=`.
 *
 * @param text the value, without `reserve_mem=` and without the quotes of the command line
 */
export const readReserveMemOption = (text: string): ReserveMemOption => {
  const [, sizeText, alignText, name] = OPTION.exec(text) ?? [];
  if (sizeText === undefined || alignText === undefined || name === undefined) {
    return refused('not size:align:name');
  }
  const bytes = readNumber(sizeText);
  if (bytes === undefined) return refused(`'${sizeText}' is not a size`);
  if (bytes === 0) return refused('asks for no memory at all');
  const asked = alignText === '' ? 0 : readNumber(alignText);
  if (asked === undefined) return refused(`'${alignText}' is not an alignment`);
  const align = Math.max(asked, ALIGN_MIN);
  if (align !== Infinity && !isPowerOfTwo(align)) return refused(`${align} is no power of two`);
  const problem = nameProblem(name);
  return problem === '' ? { kind: 'region', name, bytes, align } : refused(problem);
};

const nameProblem = (name: string): string => {
  if (name.trim() === '') return 'no name';
  const { length } = new TextEncoder().encode(name);
  if (length > NAME_BYTES_MAX) return `a name of more than ${NAME_BYTES_MAX} bytes`;
  return /[/@]/.test(name) ? `a device tree does not find the name '${name}' again` : '';
};

/** A number with a unit, or undefined when the text is not exactly one. */
const readNumber = (text: string): number | undefined => {
  const [, digits, unit] = NUMBER.exec(text) ?? [];
  if (digits === undefined || unit === undefined) return undefined;
  const isOctal = /^0\d/.test(digits);
  const value = isOctal ? Number(`0o${digits.slice(1)}`) : Number(digits);
  const scaled = unit === '' ? value : value * 1024 ** (UNITS.indexOf(unit.toUpperCase()) + 1);
  return Number.isSafeInteger(scaled) ? scaled : Infinity;
};

/** The accepted options of a command line, in order; spaces stand between their values. */
export const readReserveMemLine = (line: string): readonly ReserveMemEntry[] => {
  const values = line.split(' ').filter((value) => value !== '');
  const options = values.map(readReserveMemOption);
  return options.filter((option) => option.kind === 'region');
};
