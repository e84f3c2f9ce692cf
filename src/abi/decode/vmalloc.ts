/**
 * Reads the chunks that list a vmalloc area.
 *
 * Invariants: reads only through `Frames`, never throws whatever the bytes are, visits no page
 * twice. A list that cannot be read to its end is told up to there.
 *
 * Source: include/linux/kho/abi/kexec_handover.h (struct kho_vmalloc_chunk).
 */
import { PHYS_BITS } from '../description/page-size.ts';
import { VMALLOC, VMALLOC_CHUNK, vmallocChunkEntries } from '../description/vmalloc.ts';
import { hex, u32, u64 } from './bytes.ts';
import type { Frames } from './frames.ts';

/** A descriptor as it stands in its owner's blob. */
export interface VmallocDescriptor {
  /** Address of the first chunk in bytes. */
  readonly first: number;
  readonly totalPages: number;
  readonly flags: number;
  readonly order: number;
}

/** The descriptor at `offset`, or a phrase that says why there is none. */
export const readVmallocDescriptor = (
  bytes: Uint8Array,
  offset: number,
): VmallocDescriptor | string => {
  if (offset + VMALLOC.bytes > bytes.length) return `fewer than ${VMALLOC.bytes} bytes are left`;
  const low = u32(bytes, offset + VMALLOC.flags);
  return {
    first: u64(bytes, offset + VMALLOC.first),
    totalPages: u32(bytes, offset + VMALLOC.totalPages),
    flags: low & 0xffff,
    order: low >>> 16,
  };
};

/** Told what a list consists of, in order. */
export interface VmallocVisitor {
  /** A chunk at frame `pfn` with so many entries in use. */
  chunk(pfn: number, entries: number): void;
  /** An entry: the first frame of a block. */
  block(pfn: number): void;
}

/**
 * Walks the chunks from address `first` (bytes; 0: an empty list) to the last one.
 *
 * @returns a phrase that says why the list could not be read to its end, or undefined
 */
export const walkVmalloc = (
  frames: Frames,
  first: number,
  visitor: VmallocVisitor,
): string | undefined => {
  const pageBytes = 2 ** frames.pageShift;
  const seen = new Set<number>();
  for (let phys = first; phys !== 0;) {
    const pfn = phys / pageBytes;
    if (!Number.isInteger(pfn) || phys >= 2 ** PHYS_BITS) return `${hex(phys)} is no chunk`;
    if (seen.has(pfn)) return `the chunk at ${hex(phys)} is reached twice`;
    seen.add(pfn);
    const page = frames.page(pfn);
    if (page === undefined) return `the chunk at ${hex(phys)} is not there`;
    const bad = readEntries(page, pfn, frames.pageShift, visitor);
    if (bad !== undefined) return `the chunk at ${hex(phys)} names ${hex(bad)}, which is no page`;
    phys = u64(page, VMALLOC_CHUNK.next);
  }
  return undefined;
};

/** Reports a chunk and its entries; an entry that is no page is returned, and not reported. */
const readEntries = (
  page: Uint8Array,
  pfn: number,
  pageShift: number,
  visitor: VmallocVisitor,
): number | undefined => {
  const pageBytes = 2 ** pageShift;
  const entryAt = (index: number): number =>
    u64(page, VMALLOC_CHUNK.entries + index * VMALLOC_CHUNK.entryBytes);
  let used = 0;
  while (used < vmallocChunkEntries(pageShift) && entryAt(used) !== 0) used++;
  visitor.chunk(pfn, used);
  for (let index = 0; index < used; index++) {
    const phys = entryAt(index);
    if (!Number.isInteger(phys / pageBytes) || phys >= 2 ** PHYS_BITS) return phys;
    visitor.block(phys / pageBytes);
  }
  return undefined;
};
