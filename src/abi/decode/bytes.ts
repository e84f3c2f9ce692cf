/**
 * Little-endian reads, and words for what cannot be read.
 *
 * Kernels that use KHO are little endian (x86-64, arm64). Values wider than a safe integer come
 * back as numbers that `Number.isSafeInteger` refuses, never as wrong safe integers.
 */

/** Something that could not be decoded; see `Damage` in spec/handover.ts, which this matches. */
export interface Damage {
  /** A place, beginning with its part: fdt, tracker, scratch, blob or archive. */
  readonly where: string;
  readonly what: string;
}

/** The u32 at `offset`; the caller has checked that four bytes are there. */
export const u32 = (bytes: Uint8Array, offset: number): number =>
  ((bytes[offset] as number) |
    ((bytes[offset + 1] as number) << 8) |
    ((bytes[offset + 2] as number) << 16) |
    ((bytes[offset + 3] as number) << 24)) >>>
  0;

/** The u64 at `offset` (eight bytes are there), exact if it is a safe integer. */
export const u64 = (bytes: Uint8Array, offset: number): number => {
  const high = u32(bytes, offset + 4);
  return high > 0x1fffff ? high * 4294967296 : high * 4294967296 + u32(bytes, offset);
};

/** A big-endian u32, as in a device tree's header; four bytes are there. */
export const u32be = (bytes: Uint8Array, offset: number): number =>
  (((bytes[offset] as number) << 24) |
    ((bytes[offset + 1] as number) << 16) |
    ((bytes[offset + 2] as number) << 8) |
    (bytes[offset + 3] as number)) >>>
  0;

/** Lower-case hexadecimal without padding, as every report of ours writes addresses. */
export const hex = (value: number): string => `0x${value.toString(16)}`;

/** Text up to the first NUL, or undefined when a byte is not printable ASCII. */
export const text = (bytes: Uint8Array): string | undefined => {
  const end = bytes.indexOf(0);
  const used = end < 0 ? bytes : bytes.subarray(0, end);
  if (used.some((byte) => byte < 0x20 || byte > 0x7e)) return undefined;
  return String.fromCharCode(...used);
};

/** The 32-bit words of a page, without copying when the bytes are aligned. */
export const words = (page: Uint8Array): Uint32Array =>
  page.byteOffset % 4 === 0
    ? new Uint32Array(page.buffer, page.byteOffset, page.length >>> 2)
    : new Uint32Array(page.slice().buffer, 0, page.length >>> 2);
