/**
 * The tracker of 6.16 to 7.0: bitmaps that are noted in as blocks come, and a list of them that is
 * written when somebody finalizes.
 *
 * A bitmap covers a run of blocks of one order and exists from the first block on that was noted in
 * it. The list is chunk pages of one order each, orders ascending, runs ascending; it points to the
 * very bitmaps, so that later notes in a listed bitmap are handed over, too. Where bitmaps are
 * shorter than a page, several of them share one.
 *
 * Source: kernel/kexec_handover.c (kho_preserve_folio, kho_mem_serialize, kho_mem_deserialize).
 */
import { CHUNK, bitmapBits, bitmapBytes, chunkEntries } from '#src/abi/description/chunk-list';
import type { ChunkFormat } from '#src/abi/description/generation';
import { INTENDED } from './decisions.ts';
import type { Decisions } from './decisions.ts';
import { readU64, writeU32, writeU64 } from './physical-memory.ts';
import type { PhysicalMemory } from './physical-memory.ts';
import { KernelPanic } from './radix-tracker.ts';
import type { PageSource } from './radix-tracker.ts';

export class BitmapTracker {
  readonly #memory: PhysicalMemory;
  readonly #bits: number;
  readonly #bytes: number;
  readonly #decisions: Decisions;
  /** Address of each bitmap by its order and the number of its run. */
  readonly #bitmaps = new Map<number, Map<number, number>>();
  /** Pages that bitmaps are cut from, and how many of the last one are in use. */
  readonly #pages: number[] = [];
  #used = 0;
  #chunks: readonly number[] = [];

  constructor(memory: PhysicalMemory, format: ChunkFormat, decisions: Decisions = INTENDED) {
    this.#memory = memory;
    this.#decisions = decisions;
    this.#bits = bitmapBits(format, memory.pageShift);
    this.#bytes = bitmapBytes(format, memory.pageShift);
  }

  get #pageBytes(): number {
    return 2 ** this.#memory.pageShift;
  }

  /** Frame of the first chunk of the list; 0 while there is none. */
  get root(): number {
    return this.#chunks[0] ?? 0;
  }

  add(pfn: number, order: number, source: PageSource): boolean {
    const block = Math.floor(pfn / 2 ** order);
    const bitmap = this.#find(order, block) ?? this.#make(order, block, source);
    if (bitmap === undefined) return false;
    this.#change(bitmap, block % this.#bits, true);
    return true;
  }

  remove(pfn: number, order: number): void {
    const block = Math.floor(pfn / 2 ** order);
    const bitmap = this.#find(order, block);
    if (bitmap !== undefined) this.#change(bitmap, block % this.#bits, false);
    else if (!this.#decisions.stepsOverMisses) throw new KernelPanic('stuck at a block forever');
  }

  #find(order: number, block: number): number | undefined {
    return this.#bitmaps.get(order)?.get(Math.floor(block / this.#bits));
  }

  #make(order: number, block: number, source: PageSource): number | undefined {
    const address = this.#cut(source);
    if (address === undefined) return undefined;
    let runs = this.#bitmaps.get(order);
    if (runs === undefined) this.#bitmaps.set(order, (runs = new Map<number, number>()));
    runs.set(Math.floor(block / this.#bits), address);
    return address;
  }

  /** Address of a bitmap of zeros. */
  #cut(source: PageSource): number | undefined {
    if (this.#pages.length === 0 || (this.#used + 1) * this.#bytes > this.#pageBytes) {
      const page = source.takePage();
      if (page < 0) return undefined;
      this.#memory.zeroPage(page);
      this.#pages.push(page);
      this.#used = 0;
    }
    return this.#pages.at(-1)! * this.#pageBytes + this.#used++ * this.#bytes;
  }

  #change(bitmap: number, bit: number, value: boolean): void {
    const page = this.#memory.pageForWriting(Math.floor(bitmap / this.#pageBytes));
    const at = (bitmap % this.#pageBytes) + (bit >>> 3);
    if (value) page[at]! |= 1 << (bit & 7);
    else page[at]! &= ~(1 << (bit & 7));
  }

  /** Writes a list anew; the old one is given back once the new one stands. */
  write(source: PageSource): boolean {
    const chunks: number[] = [];
    for (const order of ascending(this.#bitmaps)) {
      if (!this.#writeOrder(order, chunks, source)) {
        if (this.#decisions.givesPagesBack) for (const chunk of chunks) source.givePage(chunk);
        return false;
      }
    }
    const isOld = this.#decisions.givenBackList === 'old';
    for (const chunk of isOld ? this.#chunks : chunks) source.givePage(chunk);
    this.#chunks = chunks;
    return true;
  }

  #writeOrder(order: number, chunks: number[], source: PageSource): boolean {
    const runs = this.#bitmaps.get(order)!;
    const most = chunkEntries(this.#memory.pageShift);
    let used = most;
    const listed = ascending(runs).slice(0, this.#decisions.listedRuns(runs.size));
    for (const run of listed) {
      if (used === most) {
        if (!this.#newChunk(order, chunks, source)) return false;
        used = 0;
      }
      const page = this.#memory.pageForWriting(chunks.at(-1)!);
      const entry = CHUNK.entries + used++ * CHUNK.entryBytes;
      const start = run * this.#bits * 2 ** order * this.#pageBytes;
      writeU64(page, entry + CHUNK.start, start);
      writeU64(page, entry + CHUNK.bitmap, runs.get(run)!);
      writeU32(page, CHUNK.count, this.#decisions.countedRuns(used));
    }
    return true;
  }

  #newChunk(order: number, chunks: number[], source: PageSource): boolean {
    const frame = source.takePage();
    if (frame < 0) return false;
    const page = this.#memory.zeroPage(frame);
    writeU32(page, CHUNK.order, order);
    const before = chunks.at(-1);
    if (before !== undefined) {
      const link = frame * this.#pageBytes;
      writeU64(this.#memory.pageForWriting(before), CHUNK.next, link);
    }
    chunks.push(frame);
    return true;
  }

  state(): unknown {
    return [this.#bitmaps, this.#pages, this.#used, this.#chunks];
  }

  save(): () => void {
    const runs = [...this.#bitmaps].map(([order, of]) => [order, [...of]] as const);
    const [pages, used, chunks] = [[...this.#pages], this.#used, this.#chunks];
    return () => {
      this.#bitmaps.clear();
      for (const [order, of] of runs) this.#bitmaps.set(order, new Map(of));
      this.#pages.splice(0, this.#pages.length, ...pages);
      this.#used = used;
      this.#chunks = chunks;
    };
  }

  unlist(source: PageSource): void {
    if (this.#decisions.freesLists) for (const frame of this.#chunks) source.givePage(frame);
    this.#chunks = [];
  }

  forget(source: PageSource): void {
    this.unlist(source);
    if (!this.#decisions.abortForgets) return;
    for (const frame of this.#pages) source.givePage(frame);
    this.#pages.length = 0;
    this.#used = 0;
    this.#bitmaps.clear();
  }
}

const ascending = (map: ReadonlyMap<number, unknown>): number[] =>
  [...map.keys()].sort((a, b) => a - b);

/**
 * Walks the list of the previous kernel as it stands: chunk by chunk, entry by entry.
 *
 * Bitmaps are read at the length that the reader believes in, wherever they lie. A chunk that does
 * not exist, or that is reached twice, ends the kernel.
 *
 * @param first address of the first chunk in bytes
 */
export const walkChunks = (
  memory: PhysicalMemory,
  format: ChunkFormat,
  first: number,
  visit: (pfn: number, order: number) => void,
): void => {
  const pageBytes = 2 ** memory.pageShift;
  const seen = new Set<number>();
  for (let chunk = first; chunk !== 0;) {
    const page = memory.page(chunk / pageBytes);
    if (page === undefined || seen.has(chunk)) {
      throw new KernelPanic(`no chunk at 0x${chunk.toString(16)}`);
    }
    seen.add(chunk);
    const view = new DataView(page.buffer, page.byteOffset, page.length);
    const order = view.getUint32(CHUNK.order, true);
    const entries = Math.min(view.getUint32(CHUNK.count, true), chunkEntries(memory.pageShift));
    for (let i = 0; i < entries; i++) {
      const entry = CHUNK.entries + i * CHUNK.entryBytes;
      const start = readU64(page, entry + CHUNK.start) / pageBytes;
      const bitmap = readU64(page, entry + CHUNK.bitmap);
      eachBit(memory, bitmap, bitmapBytes(format, memory.pageShift), (bit) =>
        visit(start + bit * 2 ** order, order),
      );
    }
    chunk = readU64(page, CHUNK.next);
  }
};

/** Visits the bits that are set in `bytes` bytes from an address on; unwritten memory is zero. */
const eachBit = (
  memory: PhysicalMemory,
  address: number,
  bytes: number,
  visit: (bit: number) => void,
): void => {
  const pageBytes = 2 ** memory.pageShift;
  for (let at = 0; at < bytes;) {
    const offset = (address + at) % pageBytes;
    const length = Math.min(bytes - at, pageBytes - offset);
    const page = memory.page(Math.floor((address + at) / pageBytes));
    for (let i = 0; page !== undefined && i < length; i++) {
      let byte = page[offset + i]!;
      for (let bit = 0; byte !== 0; bit++, byte >>>= 1) {
        if ((byte & 1) !== 0) visit((at + i) * 8 + bit);
      }
    }
    at += length;
  }
};
