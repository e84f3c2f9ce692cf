/**
 * Big-endian words and one-byte-per-character names in a byte array.
 *
 * Shifts instead of a DataView: no object per read. Positions are checked by the callers. Names are
 * taken as Latin-1, so that the name of any node or property, however malformed, survives a round
 * trip through a string.
 */
import { BADVALUE } from './error.ts';

const WORD = 0x100000000n;

export function readU32(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0
  );
}

/** Stores the low 32 bits of `value`. */
export function writeU32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}

export function readU64(bytes: Uint8Array, at: number): bigint {
  return BigInt(readU32(bytes, at)) * WORD + BigInt(readU32(bytes, at + 4));
}

/** `value` is 0 to 2^64 - 1; see {@link isU64}. */
export function writeU64(bytes: Uint8Array, at: number, value: bigint): void {
  writeU32(bytes, at, Number(value / WORD));
  writeU32(bytes, at + 4, Number(value % WORD));
}

export function writeU64Little(bytes: Uint8Array, at: number, value: bigint): void {
  writeU64(bytes, at, value);
  bytes.subarray(at, at + 8).reverse();
}

export function isU64(value: bigint): boolean {
  return value >= 0n && value < WORD * WORD;
}

export function readName(bytes: Uint8Array, at: number, length: number): string {
  let name = '';
  for (let i = at; i < at + length; i++) name += String.fromCharCode(bytes[i]!);
  return name;
}

/** Does not write the NUL at the end. */
export function writeName(bytes: Uint8Array, at: number, name: string): void {
  for (let i = 0; i < name.length; i++) bytes[at + i] = name.charCodeAt(i);
}

/** 0, or BADVALUE for a name that no C string of bytes can hold. */
export function checkName(name: string): number {
  for (let i = 0; i < name.length; i++) {
    const code = name.charCodeAt(i);
    if (code === 0 || code > 0xff) return BADVALUE;
  }
  return 0;
}

/** Whether `bytes` holds characters `[from, to)` of `name` at `at`. */
export function sameName(
  bytes: Uint8Array,
  at: number,
  name: string,
  from: number,
  to: number,
): boolean {
  for (let i = from; i < to; i++) {
    if (bytes[at + i - from] !== name.charCodeAt(i)) return false;
  }
  return true;
}

/**
 * Where in the table `[start, end)` the bytes of `name` and a NUL are, or -1. The first match wins
 * and may lie inside a longer name: "size" is found in "blob-size" (libfdt fdt.c,
 * fdt_find_string_len_).
 */
export function findName(bytes: Uint8Array, start: number, end: number, name: string): number {
  const last = end - name.length - 1;
  for (let at = start; at <= last; at++) {
    if (sameName(bytes, at, name, 0, name.length) && bytes[at + name.length] === 0) return at;
  }
  return -1;
}

/**
 * memmove between two arrays, which may share memory. Callers see to it that both ranges exist,
 * except that a block that is already in place may have any size.
 */
export function moveBytes(
  target: Uint8Array,
  to: number,
  source: Uint8Array,
  from: number,
  length: number,
): void {
  if (target === source) {
    if (to !== from) target.copyWithin(to, from, from + length);
  } else {
    target.set(source.subarray(from, from + length), to);
  }
}
