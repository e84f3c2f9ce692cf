/**
 * A page archive: the pages of a stopped machine that matter for its handover.
 *
 * u64 count, then `count` u64 frame numbers, then `count` pages in the same order; all little
 * endian; the whole usually packed with zstd. The format does not say its page size: somebody tells
 * it, or it follows from the length.
 *
 * Nothing is allocated by a number that the archive merely claims. Bytes that cannot be an archive
 * throw `InputError`; an archive that is damaged keeps the pages it has, and says what is wrong.
 */
import { PAGE_SHIFTS, type PageShift } from '../description/page-size.ts';
import { hex, u64, type Damage } from './bytes.ts';
import type { Frames } from './frames.ts';
import { InputError } from './input-error.ts';
import { isZstd, unpackZstd } from './zstd.ts';

/** The pages of an archive that could be read. */
export interface Archive extends Frames {
  readonly pageShift: PageShift;
  /** The frames that are there, in the archive's order. */
  readonly pfns: readonly number[];
  /** log2 of the page size that the archive's length implies; undefined if it fits none. */
  readonly measuredShift: PageShift | undefined;
  readonly damage: readonly Damage[];
}

const HEADER_BYTES = 8;
const PFN_BYTES = 8;
const HINT = 'give a page archive (pages.bin.zst), or record the capture again';

/**
 * Reads an archive.
 *
 * @param bytes packed or not
 * @param toldShift log2 of the page size when somebody recorded it; the archive's own length wins
 * @param where names the archive in errors
 * @throws InputError when the bytes cannot be recognised as an archive
 */
export const readArchive = (
  bytes: Uint8Array,
  toldShift: PageShift | undefined,
  where: string,
): Archive => {
  if (bytes.length === 0) throw new InputError(where, 'the file is empty', HINT);
  const damage: Damage[] = [];
  let content = bytes;
  if (isZstd(bytes)) {
    const unpacked = unpackZstd(bytes);
    content = unpacked.bytes;
    if (unpacked.fault !== undefined) damage.push({ where: 'archive', what: unpacked.fault });
    if (content.length < HEADER_BYTES) return nothing(toldShift, damage);
  } else if (!looksLikeArchive(bytes)) {
    throw new InputError(where, 'neither a page archive nor a device tree', HINT);
  }
  return readContent(content, toldShift, damage);
};

/** Whether unpacked bytes begin like an archive: a count, then at least one plausible frame. */
export const looksLikeArchive = (bytes: Uint8Array): boolean => {
  if (bytes.length < HEADER_BYTES + PFN_BYTES) return false;
  const count = u64(bytes, 0);
  return count > 0 && count <= 2 ** 32 && u64(bytes, HEADER_BYTES) < 2 ** 40;
};

const nothing = (toldShift: PageShift | undefined, damage: Damage[]): Archive => {
  if (damage.length === 0) damage.push({ where: 'archive', what: 'it holds nothing' });
  return {
    pageShift: toldShift ?? 12,
    pfns: [],
    measuredShift: undefined,
    damage,
    page: () => undefined,
  };
};

const readContent = (
  content: Uint8Array,
  toldShift: PageShift | undefined,
  damage: Damage[],
): Archive => {
  const count = u64(content, 0);
  const room = Math.floor((content.length - HEADER_BYTES) / PFN_BYTES);
  if (count === 0 || count > room) {
    const what = count === 0 ? 'it says it holds no page' : `it says it holds ${count} pages`;
    damage.push({ where: 'archive(count)', what: `${what}, but has room for ${room} numbers` });
    return nothing(toldShift, damage);
  }
  const body = HEADER_BYTES + count * PFN_BYTES;
  // A packed archive that was cut off may by chance have the length of one with smaller pages.
  const cut = damage.length > 0;
  const measuredShift = PAGE_SHIFTS.find(
    (shift) => !cut && count * 2 ** shift === content.length - body,
  );
  const pageShift = measuredShift ?? toldShift ?? 12;
  const pageBytes = 2 ** pageShift;
  const whole = Math.floor((content.length - body) / pageBytes);
  if (measuredShift === undefined && !cut) {
    const what =
      whole < count
        ? `it ends early: ${whole} of ${count} pages of ${pageBytes} bytes are there`
        : `it is longer than ${count} pages of ${pageBytes} bytes`;
    damage.push({ where: 'archive', what });
  }
  const pages = new Map<number, Uint8Array>();
  const pfns: number[] = [];
  for (let i = 0; i < Math.min(whole, count); i++) {
    const pfn = u64(content, HEADER_BYTES + i * PFN_BYTES);
    const at = body + i * pageBytes;
    if (!Number.isSafeInteger(pfn * pageBytes)) {
      damage.push({ where: `archive(page ${i})`, what: 'its frame number is beyond any machine' });
    } else if (pages.has(pfn)) {
      damage.push({ where: `archive(page ${i})`, what: `frame ${hex(pfn)} is there twice` });
    } else {
      pages.set(pfn, content.subarray(at, at + pageBytes));
      pfns.push(pfn);
    }
  }
  return { pageShift, pfns, measuredShift, damage, page: (pfn) => pages.get(pfn) };
};
