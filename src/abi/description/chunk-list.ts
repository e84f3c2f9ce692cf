/**
 * The tracker of 6.16 to 7.0: a list of chunk pages whose entries point to bitmaps.
 *
 * All entries of a chunk are of one order. A bit of a bitmap is one block of that order: bit b is
 * the block at `start + b * 2^(order + PAGE_SHIFT)`. Only the length of a bitmap differs between
 * generations, and nothing on the wire tells it.
 *
 * Source: kernel/kexec_handover.c of 6.16 to 7.0 (struct khoser_mem_chunk_hdr,
 * struct khoser_mem_bitmap_ptr, kho_mem_serialize, kho_mem_deserialize).
 */
import type { ChunkFormat } from './generation.ts';

/** Header of a chunk and its entries; offsets in bytes, all little endian. */
export const CHUNK = {
  /** u64: address of the next chunk, 0 at the end. */
  next: 0,
  /** u32: order of all blocks of the chunk. */
  order: 8,
  /** u32: entries in use. */
  count: 12,
  entries: 16,
  entryBytes: 16,
  /** Within an entry, u64: address that bit 0 stands for. */
  start: 0,
  /** Within an entry, u64: address of the bitmap. */
  bitmap: 8,
} as const;

/** Entries that fit into a chunk: 255, 1023 or 4095. */
export const chunkEntries = (pageShift: number): number =>
  2 ** pageShift / CHUNK.entryBytes - CHUNK.entries / CHUNK.entryBytes;

/** Bytes of one bitmap on pages of `2^pageShift` bytes. */
export const bitmapBytes = (format: ChunkFormat, pageShift: number): number =>
  format.bitmapBytes === 'page' ? 2 ** pageShift : format.bitmapBytes;

/** Bits of one bitmap: 4096 where it has 512 bytes, otherwise eight times the page. */
export const bitmapBits = (format: ChunkFormat, pageShift: number): number =>
  8 * bitmapBytes(format, pageShift);

/** Bitmaps of 512 bytes whatever the page size: 6.16 and 6.17. */
export const SMALL_BITMAPS: ChunkFormat = { kind: 'chunks', bitmapBytes: 512, memory: 'slab' };

/** Bitmaps of one page: 6.18 to 7.0. */
export const PAGE_BITMAPS: ChunkFormat = { kind: 'chunks', bitmapBytes: 'page', memory: 'pages' };
