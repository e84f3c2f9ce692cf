/**
 * Error codes, as libfdt numbers them, and the one exception type of this library.
 *
 * Inside the library a result below zero is an error: the negated libfdt number, or `OUTSIDE`.
 * Only the public classes turn it into an `FdtError`, so inner loops build no exception objects.
 */

/** Codes of libfdt.h by number; index 0 is success and has no name. */
const CODES = [
  undefined,
  'NOTFOUND',
  'EXISTS',
  'NOSPACE',
  'BADOFFSET',
  'BADPATH',
  'BADPHANDLE',
  'BADSTATE',
  'TRUNCATED',
  'BADMAGIC',
  'BADVERSION',
  'BADSTRUCTURE',
  'BADLAYOUT',
  'INTERNAL',
  'BADNCELLS',
  'BADVALUE',
  'BADOVERLAY',
  'NOPHANDLES',
  'BADFLAGS',
  'ALIGNMENT',
] as const;

export type FdtErrorCode = Exclude<(typeof CODES)[number], undefined>;

/** Who has to change something: the calling code, whoever made the blob, this library, nobody. */
export type FdtBlame = 'caller' | 'blob' | 'library' | 'none';

/** Negated numbers used inside the library. */
export const NOTFOUND = -1;
export const EXISTS = -2;
export const NOSPACE = -3;
export const BADOFFSET = -4;
export const BADPATH = -5;
export const BADSTATE = -7;
export const TRUNCATED = -8;
export const BADMAGIC = -9;
export const BADVERSION = -10;
export const BADSTRUCTURE = -11;
export const BADLAYOUT = -12;
export const INTERNAL = -13;
export const BADVALUE = -15;
export const BADFLAGS = -18;
export const ALIGNMENT = -19;

/**
 * The header promises bytes that the buffer does not have: libfdt would read past the end of its
 * buffer here. Kept apart from TRUNCATED inside, because libfdt reports some errors as "not found"
 * and this one must never be mistaken for an answer. The caller sees TRUNCATED.
 */
export const OUTSIDE = -100;

const BLAME: Record<FdtErrorCode, FdtBlame> = {
  NOTFOUND: 'none',
  EXISTS: 'none',
  NOSPACE: 'none',
  BADOFFSET: 'caller',
  BADPATH: 'caller',
  BADPHANDLE: 'caller',
  BADSTATE: 'caller',
  TRUNCATED: 'blob',
  BADMAGIC: 'blob',
  BADVERSION: 'blob',
  BADSTRUCTURE: 'blob',
  BADLAYOUT: 'blob',
  INTERNAL: 'library',
  BADNCELLS: 'blob',
  BADVALUE: 'caller',
  BADOVERLAY: 'blob',
  NOPHANDLES: 'blob',
  BADFLAGS: 'caller',
  ALIGNMENT: 'blob',
};

const SENTENCE: Record<FdtErrorCode, string> = {
  NOTFOUND: 'no such node, property or reservation',
  EXISTS: 'a node of that name is already there',
  NOSPACE: 'the buffer, or the present value, has no room for it',
  BADOFFSET: 'the offset is not that of such an item',
  BADPATH: 'the path is neither absolute nor does it start with a known alias',
  BADPHANDLE: 'the phandle is not a usable one',
  BADSTATE: 'the blob is not in the state this call needs',
  TRUNCATED: 'the blob ends before what it announces',
  BADMAGIC: 'the first word is not that of a flattened device tree',
  BADVERSION: 'the version of the blob is too old or too new for this call',
  BADSTRUCTURE: 'the structure block is malformed',
  BADLAYOUT: 'the blocks of the blob are not in the order that editing needs',
  INTERNAL: 'an invariant of this library does not hold; please report it',
  BADNCELLS: 'a #address-cells or #size-cells property is malformed',
  BADVALUE: 'an argument is outside its range',
  BADOVERLAY: 'the overlay cannot be applied',
  NOPHANDLES: 'no phandle is left',
  BADFLAGS: 'unknown flag',
  ALIGNMENT: 'a block of the blob does not start on its alignment',
};

/** The only exception this library throws, whatever the bytes and the arguments are. */
export class FdtError extends Error {
  readonly code: FdtErrorCode;
  /** libfdt's positive number, 1 to 19. */
  readonly number: number;
  /** Byte offset in the blob at which the reason was seen, if there is one. */
  readonly offset: number | undefined;
  readonly blame: FdtBlame;

  constructor(code: FdtErrorCode, offset?: number) {
    const where = offset === undefined ? '' : ` (+0x${offset.toString(16)})`;
    super(`fdt${where}: ${code}: ${SENTENCE[code]}`);
    this.name = 'FdtError';
    this.code = code;
    this.number = CODES.indexOf(code);
    this.offset = offset;
    this.blame = BLAME[code];
  }
}

/** The exception for an inner result below zero; `where` below zero means "no place known". */
export function toError(result: number, where: number): FdtError {
  const code = CODES[result === OUTSIDE ? -TRUNCATED : -result] ?? 'INTERNAL';
  return new FdtError(code, where < 0 ? undefined : where);
}
