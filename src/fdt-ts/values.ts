/**
 * Property values from text and numbers. The devicetree format is big-endian; KHO stores its 64-bit
 * values in the byte order of the machine, which is why the order can be chosen.
 *
 * Source: Devicetree Specification v0.4, section 2.2.4 (property values).
 */
import { checkName, isU64, writeName, writeU32, writeU64 } from './bytes.ts';
import { BADVALUE, toError } from './error.ts';

export type Endian = 'big' | 'little';

function order(bytes: Uint8Array, endian: Endian): Uint8Array {
  return endian === 'little' ? bytes.reverse() : bytes;
}

/** The characters (each U+0001 to U+00FF) and a NUL; throws BADVALUE for others. */
export function encodeString(text: string): Uint8Array {
  if (checkName(text) < 0) throw toError(BADVALUE, -1);
  const bytes = new Uint8Array(text.length + 1);
  writeName(bytes, 0, text);
  return bytes;
}

/** Four bytes; `value` is 0 to 2^32 - 1, else BADVALUE. */
export function encodeU32(value: number, endian: Endian = 'big'): Uint8Array {
  if (value >>> 0 !== value) throw toError(BADVALUE, -1);
  const bytes = new Uint8Array(4);
  writeU32(bytes, 0, value);
  return order(bytes, endian);
}

/** Eight bytes; `value` is 0 to 2^64 - 1, else BADVALUE. */
export function encodeU64(value: bigint, endian: Endian = 'big'): Uint8Array {
  if (!isU64(value)) throw toError(BADVALUE, -1);
  const bytes = new Uint8Array(8);
  writeU64(bytes, 0, value);
  return order(bytes, endian);
}
