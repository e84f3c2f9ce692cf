/**
 * How a vmalloc area is described: a descriptor inside its owner's blob and a list of chunk pages.
 *
 * Source: include/linux/kho/abi/kexec_handover.h (struct kho_vmalloc, struct kho_vmalloc_chunk);
 * the same bytes in every kernel from 6.18 on.
 */

/** struct kho_vmalloc. */
export const VMALLOC = {
  bytes: 16,
  /** u64: address of the first chunk. */
  first: 0,
  /** u32: pages of the area. */
  totalPages: 8,
  /** u16: see `VMALLOC_FLAGS`. */
  flags: 12,
  /** u16: every entry covers `2^order` pages. */
  order: 14,
} as const;

/** Values of `flags`; any other bit is refused. */
export const VMALLOC_FLAGS = { alloc: 1, hugeVmap: 2 } as const;

/** struct kho_vmalloc_chunk, one page: u64 address of the next chunk (0 ends), then u64 entries. */
export const VMALLOC_CHUNK = { next: 0, entries: 8, entryBytes: 8 } as const;

/** Entries in one chunk: 511, 2047 or 8191. An entry of 0 ends the chunk early. */
export const vmallocChunkEntries = (pageShift: number): number =>
  2 ** pageShift / VMALLOC_CHUNK.entryBytes - 1;
