/**
 * The page sizes a KHO kernel can be built with.
 *
 * Nothing on the wire names the page size; whoever decodes has to know it or to measure it.
 */

/** log2 of the page sizes in bytes that KHO kernels use: 4, 16 and 64 KiB. */
export const PAGE_SHIFTS = [12, 14, 16] as const;

/** log2 of a page size in bytes. */
export type PageShift = (typeof PAGE_SHIFTS)[number];

/** Whether `shift` is the log2 of a page size that KHO kernels use. */
export const isPageShift = (shift: number): shift is PageShift =>
  shift === 12 || shift === 14 || shift === 16;

/** The shift of a page of `bytes` bytes, or undefined if no KHO kernel has such pages. */
export const pageShiftOf = (bytes: number): PageShift | undefined =>
  PAGE_SHIFTS.find((shift) => 2 ** shift === bytes);

/**
 * Addresses are shorter than this many bits on every machine KHO runs on (x86-64 and arm64 end at
 * 52). A block that ends later is a misread.
 */
export const PHYS_BITS = 52;
