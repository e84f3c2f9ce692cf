/**
 * Walks a list of chunks and bitmaps that somebody else wrote (6.16 to 7.0).
 *
 * Invariants: the walk ends whatever the bytes say, because no chunk and no bitmap is entered
 * twice and the bitmaps together are bounded; it reads only through `Frames`; it never throws.
 * Blocks come as the list has them: chunk by chunk, entry by entry, bit by bit.
 *
 * A bitmap is read at the length that the format says. Where a kernel reads with another length
 * than was written, it reads on into whatever follows; `asReader` does the same, and says nothing
 * about bitmaps that lie where this format's writer would not put them.
 */
import { CHUNK, bitmapBytes, chunkEntries } from '../description/chunk-list.ts';
import type { ChunkFormat } from '../description/generation.ts';
import { PHYS_BITS } from '../description/page-size.ts';
import { powerOfTwo, topBit } from '../description/radix-key.ts';
import { hex, u32, u64, words } from './bytes.ts';
import type { Frames } from './frames.ts';
import { readMemory } from './memory.ts';

/** Receives what a walk finds; addresses in bytes. */
export interface ChunkVisitor {
  /** A preserved block of `2^order` pages from frame `pfn`. */
  block(pfn: number, order: number): void;
  /** A chunk (level 1) or a bitmap (level 0); a bitmap may be shorter than a page. */
  page(phys: number, level: number): void;
  /** Something that cannot be part of a list, as two short phrases. */
  damage(where: string, what: string): void;
}

/** How strictly a list is read. */
export interface ChunkWalk {
  readonly format: ChunkFormat;
  /** Read like a kernel of that format would, whatever wrote the list. */
  readonly asReader: boolean;
}

/** One entry of a chunk. */
interface Entry {
  readonly where: string;
  readonly order: number;
  readonly start: number;
  readonly bitmap: number;
}

/** All bitmaps of a list together; a machine of 2 TiB has half of that. */
const MAX_BITMAP_BYTES = 134217728;

/** All bits that are set together: as many order 0 blocks as 64 GiB of 4 KiB pages have. */
const MAX_BITS = 16777216;

const LIMIT = powerOfTwo(PHYS_BITS);

/** Reports every chunk, bitmap, block and fault of the list whose first chunk is at `first`. */
export const walkChunks = (
  frames: Frames,
  { format, asReader }: ChunkWalk,
  first: number,
  visitor: ChunkVisitor,
): void => {
  const seen = new Set<number>();
  const state: BitmapReading = {
    frames,
    bytes: bitmapBytes(format, frames.pageShift),
    align: asReader ? 8 : bitmapBytes(format, frames.pageShift),
    asReader,
    seen: new Set(),
    left: MAX_BITMAP_BYTES,
    bitsLeft: MAX_BITS,
    visitor,
  };
  const chunks: number[] = [];
  let from = 'tracker(root)';
  for (let phys = first; phys !== 0;) {
    const page = enterChunk(frames, phys, from, seen, visitor);
    if (page === undefined) break;
    chunks.push(phys);
    const entries = entriesOf(frames, page, phys, visitor);
    for (const entry of entries) if (!readBitmap(entry, state)) return;
    from = `tracker(chunk ${hex(phys)})`;
    phys = u64(page, CHUNK.next);
  }
  const hit = chunks.find((phys) => state.seen.has(phys));
  if (hit !== undefined) {
    visitor.damage(`tracker(chunk ${hex(hit)})`, 'is a bitmap as well');
  }
};

/** The page of a chunk, or undefined and a word about why not. */
const enterChunk = (
  frames: Frames,
  phys: number,
  from: string,
  seen: Set<number>,
  visitor: ChunkVisitor,
): Uint8Array | undefined => {
  const pfn = phys / powerOfTwo(frames.pageShift);
  let fault = 'a page that is not there';
  let page: Uint8Array | undefined;
  if (phys >= LIMIT) fault = 'beyond what a machine can address';
  else if (!Number.isInteger(pfn)) fault = 'not aligned to a page';
  else if (seen.has(pfn)) fault = 'which closes a cycle';
  else page = frames.page(pfn);
  if (page === undefined) {
    visitor.damage(from, `points to ${hex(phys)}, ${fault}`);
    return undefined;
  }
  seen.add(pfn);
  visitor.page(phys, 1);
  return page;
};

/** The entries of a chunk that its page can hold. */
const entriesOf = (
  frames: Frames,
  page: Uint8Array,
  phys: number,
  visitor: ChunkVisitor,
): readonly Entry[] => {
  const where = `tracker(chunk ${hex(phys)})`;
  const room = chunkEntries(frames.pageShift);
  const order = u32(page, CHUNK.order);
  let count = u32(page, CHUNK.count);
  if (order > PHYS_BITS - frames.pageShift) {
    visitor.damage(where, `its blocks are of order ${order}, which no machine has`);
    return [];
  }
  if (count > room) {
    visitor.damage(where, `says it has ${count} entries, but has room for ${room}`);
    count = room;
  }
  return Array.from({ length: count }, (_, index) => {
    const at = CHUNK.entries + index * CHUNK.entryBytes;
    return {
      where: `${where.slice(0, -1)} entry ${index})`,
      order,
      start: u64(page, at + CHUNK.start),
      bitmap: u64(page, at + CHUNK.bitmap),
    };
  });
};

/** What all bitmaps of one walk share. */
interface BitmapReading {
  readonly frames: Frames;
  readonly bytes: number;
  readonly align: number;
  readonly asReader: boolean;
  readonly seen: Set<number>;
  /** Bytes of bitmaps that may still be read. */
  left: number;
  /** Bits that may still be set. */
  bitsLeft: number;
  readonly visitor: ChunkVisitor;
}

/** Reads one bitmap; false when the walk has to end. */
const readBitmap = (entry: Entry, state: BitmapReading): boolean => {
  const { where, order, start, bitmap } = entry;
  const { frames, bytes, visitor } = state;
  const blockShift = order + frames.pageShift;
  const covers = 8 * bytes * powerOfTwo(Math.min(blockShift, PHYS_BITS));
  const unit = state.asReader ? powerOfTwo(blockShift) : covers;
  let fault: string | undefined;
  if (bitmap >= LIMIT) fault = 'beyond what a machine can address';
  else if (!Number.isInteger(bitmap / state.align)) fault = `not aligned to ${state.align} bytes`;
  else if (state.seen.has(bitmap)) fault = 'which the list already holds elsewhere';
  if (fault !== undefined) {
    visitor.damage(where, `points to ${hex(bitmap)}, ${fault}`);
    return true;
  }
  state.seen.add(bitmap);
  if (!Number.isInteger(start / unit) || start >= LIMIT) {
    visitor.damage(where, `begins at ${hex(start)}, no multiple of ${hex(unit)}`);
    return true;
  }
  state.left -= bytes;
  if (state.left < 0) {
    visitor.damage(where, 'the list has more bitmaps than can be looked at');
    return false;
  }
  const content = readMemory(frames, bitmap, bytes);
  if (content === undefined) {
    visitor.damage(where, `points to ${hex(bitmap)}, ${bytes} bytes that are not there`);
    return true;
  }
  visitor.page(bitmap, 0);
  state.bitsLeft -= readBits(words(content), entry, frames.pageShift, visitor);
  if (state.bitsLeft >= 0) return true;
  visitor.damage(where, 'the list has more blocks than can be looked at');
  return false;
};

/** Reports the block of every bit; answers how many are set. */
const readBits = (
  bits: Uint32Array,
  { where, order, start }: Entry,
  pageShift: number,
  visitor: ChunkVisitor,
): number => {
  const first = start / powerOfTwo(pageShift);
  const size = powerOfTwo(order);
  const limit = powerOfTwo(PHYS_BITS - pageShift);
  let nonsense = 0;
  let set = 0;
  for (let index = 0; index < bits.length; index++) {
    let word = bits[index] as number;
    while (word !== 0) {
      const lowest = word & -word;
      const pfn = first + (index * 32 + topBit(lowest >>> 0)) * size;
      word ^= lowest;
      set++;
      if (pfn + size > limit) nonsense++;
      else visitor.block(pfn, order);
    }
  }
  if (nonsense > 0) visitor.damage(where, `${nonsense} of its bits name memory no machine has`);
  return set;
};

/** What speaks for and against lengths of bitmaps: entries, and how many of them do not fit. */
export interface ChunkFit {
  readonly entries: number;
  /** By format: bitmaps that lie, or begin, where this format's writer would not put them. */
  readonly misfits: ReadonlyMap<ChunkFormat, number>;
}

/** Looks at a list without reading its bitmaps. */
export const fitChunks = (
  frames: Frames,
  first: number,
  formats: readonly ChunkFormat[],
): ChunkFit => {
  const silent: ChunkVisitor = { block: () => {}, page: () => {}, damage: () => {} };
  const misfits = new Map(formats.map((format) => [format, 0]));
  const seen = new Set<number>();
  let entries = 0;
  for (let phys = first; phys !== 0;) {
    const page = enterChunk(frames, phys, '', seen, silent);
    if (page === undefined) break;
    for (const { order, start, bitmap } of entriesOf(frames, page, phys, silent)) {
      entries++;
      for (const format of formats) {
        const bytes = bitmapBytes(format, frames.pageShift);
        const covers = 8 * bytes * powerOfTwo(Math.min(order + frames.pageShift, PHYS_BITS));
        if (Number.isInteger(bitmap / bytes) && Number.isInteger(start / covers)) continue;
        misfits.set(format, (misfits.get(format) ?? 0) + 1);
      }
    }
    phys = u64(page, CHUNK.next);
  }
  return { entries, misfits };
};
