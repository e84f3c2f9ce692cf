/** Reads runs of bytes that may cross pages. */
import type { Frames } from './frames.ts';

/** Nothing larger than this is read as a whole: a device tree before the merge may have 10 MiB. */
const MAX_BYTES = 16777216;

/** The `length` bytes at `phys`, or undefined when they are too many or a page is not there. */
export const readMemory = (
  frames: Frames,
  phys: number,
  length: number,
): Uint8Array | undefined => {
  if (length > MAX_BYTES || !Number.isSafeInteger(phys)) return undefined;
  const pageBytes = 2 ** frames.pageShift;
  const pfn = Math.floor(phys / pageBytes);
  const from = phys - pfn * pageBytes;
  if (from + length <= pageBytes) return frames.page(pfn)?.subarray(from, from + length);
  const out = new Uint8Array(length);
  for (let at = 0; at < length;) {
    const each = Math.floor((phys + at) / pageBytes);
    const offset = phys + at - each * pageBytes;
    const part = frames.page(each)?.subarray(offset, offset + length - at);
    if (part === undefined || part.length === 0) return undefined;
    out.set(part, at);
    at += part.length;
  }
  return out;
};
