/**
 * Keys and shape of the radix tracker (Linux 7.1 and later).
 *
 * A key names one preserved block. Its highest set bit says the order, the bits below are the
 * number of the block: key = 2^(64 - PAGE_SHIFT - order) + (pfn >> order). A key of order n on one
 * page size therefore equals the key of the same bytes on another; only the shape of the tree that
 * holds the keys depends on the page size.
 *
 * A key is at most 53 bits wide and so always a safe integer. Nothing here shifts a wide value:
 * multiplying and dividing by powers of two is exact in doubles.
 *
 * Source: include/linux/kho/abi/kexec_handover.h (enum kho_radix_consts),
 * kernel/liveupdate/kexec_handover.c (kho_radix_encode_key, kho_radix_decode_key).
 */
import { isPageShift, type PageShift } from './page-size.ts';

/** Shape of the radix tracker for one page size. */
export interface RadixGeometry {
  /** log2 of the page size in bytes: 12, 14 or 16. */
  readonly pageShift: PageShift;
  /** Width of the widest key in bits: 53, 51 or 49. */
  readonly keyBits: number;
  /** log2 of the number of bits in a leaf page: 15, 17 or 19. */
  readonly leafBits: number;
  /** log2 of the number of slots in a table page: 9, 11 or 13. */
  readonly tableBits: number;
  /** Levels including the leaf: 6, 5 or 4. The root is at level `depth - 1`, leaves at level 0. */
  readonly depth: number;
}

/** Powers of two from 2^0 to 2^63, exact in doubles; a lookup is cheaper than `**`. */
const POWERS = Float64Array.from({ length: 64 }, (_, exponent) => 2 ** exponent);

/** 2^exponent as a number, for exponents from 0 to 63. */
export const powerOfTwo = (exponent: number): number => POWERS[exponent] as number;

const makeGeometry = (pageShift: PageShift): RadixGeometry => {
  const keyBits = 64 - pageShift + 1;
  const leafBits = pageShift + 3;
  const tableBits = pageShift - 3;
  const depth = Math.ceil((keyBits - leafBits) / tableBits) + 1;
  return Object.freeze({ pageShift, keyBits, leafBits, tableBits, depth });
};

const GEOMETRIES = {
  12: makeGeometry(12),
  14: makeGeometry(14),
  16: makeGeometry(16),
} as const satisfies Record<PageShift, RadixGeometry>;

/**
 * The shape of the tracker on pages of `2^pageShift` bytes; always the same object.
 *
 * @throws RangeError when no KHO kernel has such pages
 */
export const radixGeometry = (pageShift: number): RadixGeometry => {
  if (!isPageShift(pageShift)) throw new RangeError(`no KHO kernel has 2^${pageShift}-byte pages`);
  return GEOMETRIES[pageShift];
};

/** Index of the highest set bit of a safe integer above zero. */
export const topBit = (value: number): number => {
  const high = Math.floor(value / 4294967296);
  return high > 0 ? 63 - Math.clz32(high) : 31 - Math.clz32(value);
};

/**
 * The key of the block of `2^order` pages that starts at frame `pfn`.
 *
 * The caller promises that `pfn` is a multiple of `2^order` and that `order` is from 0 to
 * `64 - pageShift`; otherwise the answer means nothing.
 */
export const encodeKey = (geometry: RadixGeometry, pfn: number, order: number): number =>
  powerOfTwo(geometry.keyBits - 1 - order) + pfn / powerOfTwo(order);

/** Order of the block that `key` (a safe integer above zero) names. */
export const keyOrder = (geometry: RadixGeometry, key: number): number =>
  geometry.keyBits - 1 - topBit(key);

/** First frame of the block that `key` names, given the key's own order. */
export const keyPfn = (geometry: RadixGeometry, key: number, order: number): number =>
  (key - powerOfTwo(geometry.keyBits - 1 - order)) * powerOfTwo(order);

/** One decoded key: `2^order` pages from frame `pfn`. */
export interface DecodedKey {
  readonly pfn: number;
  readonly order: number;
}

/**
 * What `key` names, or undefined when it is no key at all: zero, or wider than the geometry's keys.
 * Whether such a block can exist on a machine is a question of its own.
 */
export const decodeKey = (geometry: RadixGeometry, key: number): DecodedKey | undefined => {
  if (!Number.isSafeInteger(key) || key < 1) return undefined;
  if (key >= powerOfTwo(geometry.keyBits)) return undefined;
  const order = keyOrder(geometry, key);
  return { pfn: keyPfn(geometry, key, order), order };
};

/** Slot of `key` in a table page at `level` (1 and above). */
export const tableSlot = (geometry: RadixGeometry, key: number, level: number): number => {
  const below = powerOfTwo((level - 1) * geometry.tableBits + geometry.leafBits);
  // `>>> 0` takes the quotient modulo 2^32, which keeps every bit that the slot is made of.
  return (Math.floor(key / below) >>> 0) & (powerOfTwo(geometry.tableBits) - 1);
};

/** Bit of `key` in its leaf page. */
export const leafBit = (geometry: RadixGeometry, key: number): number =>
  (key >>> 0) & (powerOfTwo(geometry.leafBits) - 1);
