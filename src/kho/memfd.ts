/**
 * memfds that the live update orchestrator preserves: what is written down of one, and how it is
 * made again.
 *
 * A file's pages are order-0 folios; they are pinned while a session has them, so none of them is
 * in scratch. One page holds its state, a vmalloc area lists its folios in the order of the file.
 */
import { CallAnswer, call } from '#model/call';
import { MEMFD_FOLIO } from '#src/abi/description/luo-structs';
import type { MemfdFormat } from '#src/abi/description/luo-structs';
import { VMALLOC, VMALLOC_FLAGS } from '#src/abi/description/vmalloc';
import type { LuoMemory, LuoMemoryHost } from './luo-memory.ts';
import { readU64, writeU32, writeU64 } from './physical-memory.ts';
import { VmallocAreas } from './vmalloc.ts';

/** A file that is preserved. */
export interface KeptMemfd {
  /** Frame of its state. */
  readonly state: number;
  /** Its pages in order. */
  readonly pages: readonly number[];
  /** First page of the list of folios, 0 without pages; and the first chunk that lists that. */
  readonly list: number;
  readonly chunk: number;
}

/** Above the low 32 bits, a frame has 20 more; the rest are flags. */
const FRAME_HIGH = 2 ** 20;
const U32 = 2 ** 32;

export class Memfds {
  readonly #host: LuoMemoryHost;
  readonly #memory: LuoMemory;
  readonly #format: MemfdFormat;
  /** What areas answer is nobody's business but ours. */
  readonly #told = new CallAnswer();
  readonly #areas: VmallocAreas;

  constructor(host: LuoMemoryHost, memory: LuoMemory, format: MemfdFormat) {
    this.#host = host;
    this.#memory = memory;
    this.#format = format;
    this.#areas = new VmallocAreas(host.platform, this.#told, memory);
  }

  /** The lists of folios that exist: what else a file is, whoever has it remembers. */
  state(): unknown {
    return this.#areas.state();
  }

  save(): () => void {
    return this.#areas.save();
  }

  get #pageBytes(): number {
    return this.#host.platform.topology.pageBytes;
  }

  /** Pages for a file that has none yet; undefined when memory is short. */
  makePages(count: number): readonly number[] | undefined {
    const { platform, booted } = this.#host;
    const pages: number[] = [];
    while (pages.length < count) {
      const pfn = this.#takePage();
      if (pfn < 0) {
        for (const page of pages) booted.allocator.free(page, 0);
        return undefined;
      }
      platform.memory.zeroStamps(pfn, 1);
      pages.push(pfn);
    }
    return pages;
  }

  #takePage(): number {
    const { platform, booted, kernel } = this.#host;
    if (platform.decisions.memfdPagesArePinned) return kernel.takeBlock(0);
    return booted.allocator.allocate(0, -1, true, true);
  }

  /** Preserves a file with these pages; undefined when memory is short. */
  preserve(pages: readonly number[]): KeptMemfd | undefined {
    const state = this.#memory.take(0);
    if (state < 0) return undefined;
    if (pages.length === 0) {
      this.#writeState(state, 0, 0);
      return { state, pages, list: 0, chunk: 0 };
    }
    const listed = Math.ceil((pages.length * MEMFD_FOLIO.bytes) / this.#pageBytes);
    this.#told.reset();
    const list = this.#areas.make(call('vmalloc', { count: listed, value: VMALLOC_FLAGS.alloc }));
    if (list < 0) return undefined;
    this.#writeFolios(pages);
    const chunk = this.#keepAll(pages, list, listed);
    if (chunk < 0) {
      this.#areas.free(call('vfree', { pfn: list }));
      return undefined;
    }
    this.#writeState(state, pages.length, chunk);
    return { state, pages, list, chunk };
  }

  /** Preserves the pages, then the list of them; the frame of the first chunk or an error. */
  #keepAll(pages: readonly number[], list: number, listed: number): number {
    const { tracker, kernel } = this.#host;
    for (let i = 0; i < pages.length; i++) {
      if (tracker.add(pages[i]!, 0, kernel)) continue;
      this.#dropAll(pages.slice(0, i));
      return -1;
    }
    const chunk = this.#areas.preserve(call('preserveVmalloc', { pfn: list, count: listed }));
    if (chunk < 0) this.#dropAll(pages);
    return chunk;
  }

  #dropAll(pages: readonly number[]): void {
    for (const page of pages) this.#host.tracker.remove(page, 0);
  }

  /** Writes what the last area's pages have to list. */
  #writeFolios(pages: readonly number[]): void {
    const { memory, decisions } = this.#host.platform;
    const perPage = Math.floor(this.#pageBytes / MEMFD_FOLIO.bytes);
    const blocks = this.#told.pages;
    for (let i = 0; i < blocks.length; i++) memory.zeroPage(blocks.first(i));
    for (let i = 0; i < pages.length; i++) {
      const bytes = memory.pageForWriting(blocks.first(Math.floor(i / perPage)));
      const at = (i % perPage) * MEMFD_FOLIO.bytes;
      const pfn = pages[decisions.memfdListedPage(i, pages.length)]!;
      writeU64(bytes, at + MEMFD_FOLIO.frame, pfn);
      const flags = MEMFD_FOLIO.dirty | MEMFD_FOLIO.uptodate;
      bytes[at + MEMFD_FOLIO.flags] = bytes[at + MEMFD_FOLIO.flags]! | (flags << 4);
      writeU64(bytes, at + MEMFD_FOLIO.index, i);
    }
  }

  #writeState(state: number, pages: number, chunk: number): void {
    const bytes = this.#host.platform.memory.pageForWriting(state);
    const { size, folioCount, folios } = this.#format;
    writeU64(bytes, size, pages * this.#pageBytes);
    writeU64(bytes, folioCount, pages);
    if (pages === 0) return;
    writeU64(bytes, folios + VMALLOC.first, chunk * this.#pageBytes);
    writeU32(bytes, folios + VMALLOC.totalPages, this.#told.total);
    writeU32(bytes, folios + VMALLOC.flags, this.#told.flags + this.#told.order * 2 ** 16);
  }

  /** Stops preserving a file and gives back all that it had. */
  drop({ state, pages, list, chunk }: KeptMemfd): void {
    if (pages.length > 0) {
      this.#areas.unpreserve(call('unpreserveVmalloc', { pfn: chunk }));
      for (const page of pages) this.#memory.release(page, 0);
      this.#areas.free(call('vfree', { pfn: list }));
    }
    this.#memory.release(state, 0);
  }

  /**
   * Makes a file again from its state, whose memory goes; undefined when that is not possible.
   *
   * @returns the pages, in the order of the file, owned
   */
  retrieve(state: number): readonly number[] | undefined {
    const pages = this.#readFolios(state);
    if (pages === undefined) return undefined;
    for (const pfn of pages) this.#host.kernel.restoreFolio(call('restoreFolio', { pfn }));
    const { memfdStateComesBack } = this.#host.platform.decisions;
    if (memfdStateComesBack) this.#memory.restoreFree(state);
    return pages;
  }

  /** The pages that a state lists; the list's memory goes. */
  #readFolios(state: number): readonly number[] | undefined {
    const { memory } = this.#host.platform;
    const bytes = memory.page(state);
    if (bytes === undefined) return undefined;
    const { folioCount, folios } = this.#format;
    const count = readU64(bytes, folioCount);
    if (count === 0) return [];
    const packed = readU64(bytes, folios + VMALLOC.totalPages);
    const total = packed % U32;
    const rest = Math.floor(packed / U32);
    const pfn = readU64(bytes, folios + VMALLOC.first) / this.#pageBytes;
    const value = rest % 2 ** 16;
    const order = Math.floor(rest / 2 ** 16);
    this.#told.reset();
    const area = { pfn, count: total, order, value };
    if (this.#areas.restore(call('restoreVmalloc', area)) < 0) return undefined;
    const pages = this.#pagesListed(count);
    this.#areas.free(call('vfree', { pfn: this.#told.pages.first(0) }));
    return pages;
  }

  #pagesListed(count: number): readonly number[] {
    const { memory } = this.#host.platform;
    const perPage = Math.floor(this.#pageBytes / MEMFD_FOLIO.bytes);
    const pages: number[] = [];
    for (let i = 0; i < count; i++) {
      const bytes = memory.page(this.#told.pages.first(Math.floor(i / perPage)))!;
      const at = (i % perPage) * MEMFD_FOLIO.bytes;
      const low = readU32(bytes, at + MEMFD_FOLIO.frame);
      const high = readU32(bytes, at + MEMFD_FOLIO.frame + 4) % FRAME_HIGH;
      pages[readU64(bytes, at + MEMFD_FOLIO.index)] = low + high * U32;
    }
    return pages;
  }
}

/** A number of 32 bits: with the flags above it, a frame is more than a safe integer. */
const readU32 = (bytes: Uint8Array, at: number): number =>
  new DataView(bytes.buffer, bytes.byteOffset).getUint32(at, true);
