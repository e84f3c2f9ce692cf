/**
 * vmalloc areas, and their preservation by lists of chunks.
 *
 * An area exists in one kernel only; what crosses over is its blocks and chunks. Chunks are pages
 * of memory from the first entry on: whatever stands in them at the jump is handed over. A list is
 * read from memory whenever it is needed, by the kernel that wrote it and by the next one alike.
 */
import type { Call, CallAnswer } from '#model/call';
import { VMALLOC_CHUNK, VMALLOC_FLAGS, vmallocChunkEntries } from '#src/abi/description/vmalloc';
import type { Platform } from './boot.ts';
import { EINVAL, ENOENT, ENOMEM, EOPNOTSUPP } from './errno.ts';
import { readU64, writeU64 } from './physical-memory.ts';
import type { PageSource } from './radix-tracker.ts';

/** What an area asks of the kernel. */
export interface AreaPages extends PageSource {
  /** Takes a block as single pages of an owner; -1 when there is none, never frame 0. */
  takeBlock(order: number): number;
  /** Gives pages back, one by one. */
  freeSingles(first: number, count: number): void;
  /** Notes a range; answers 0 or -ENOMEM, and then nothing of it is noted. */
  preserveRange(first: number, count: number): number;
  unpreserveRange(first: number, count: number): void;
  /** Whether a range was handed over in exactly its blocks. */
  isHeld(first: number, count: number): boolean;
  /** Makes a held range single pages of an owner. */
  takeOverRange(first: number, count: number): void;
}

interface Area {
  /** First frames of the blocks in mapping order. */
  readonly blocks: readonly number[];
  readonly order: number;
  readonly flags: number;
}

const KNOWN_FLAGS = VMALLOC_FLAGS.alloc | VMALLOC_FLAGS.hugeVmap;

export class VmallocAreas {
  readonly #platform: Platform;
  readonly #answer: CallAnswer;
  readonly #pages: AreaPages;
  /** Areas of the running kernel by their first frame. */
  readonly #areas = new Map<number, Area>();

  constructor(platform: Platform, answer: CallAnswer, pages: AreaPages) {
    this.#platform = platform;
    this.#answer = answer;
    this.#pages = pages;
  }

  make({ count: asked, order, value: flags }: Call): number {
    const size = 2 ** order;
    const count = this.#platform.decisions.areaPages(asked);
    if (count > this.#platform.topology.end) return -ENOMEM;
    const blocks: number[] = [];
    while (blocks.length * size < count) {
      const pfn = this.#pages.takeBlock(order);
      if (pfn < 0) {
        for (const block of blocks) this.#pages.freeSingles(block, size);
        return -ENOMEM;
      }
      blocks.push(pfn);
    }
    return this.#map({ blocks, order, flags });
  }

  /** Makes an area known and answers its first frame. */
  #map(area: Area): number {
    const first = area.blocks[0]!;
    this.#areas.set(first, area);
    for (const block of area.blocks) this.#answer.pages.add(block, 2 ** area.order);
    return first;
  }

  free({ pfn }: Call): number {
    const area = this.#areas.get(pfn);
    if (area === undefined) return 0;
    this.#areas.delete(pfn);
    for (const block of area.blocks) this.#pages.freeSingles(block, 2 ** area.order);
    return 0;
  }

  state(): unknown {
    return [...this.#areas].sort(([a], [b]) => a - b);
  }

  save(): () => void {
    const areas = [...this.#areas];
    return () => {
      this.#areas.clear();
      for (const [first, area] of areas) this.#areas.set(first, area);
    };
  }

  /** Answers the frame of the first chunk. */
  preserve({ pfn }: Call): number {
    const { decisions } = this.#platform;
    const area = this.#areas.get(pfn);
    if (area === undefined) return decisions.checksArea ? -EINVAL : this.#preserveArea(noArea(pfn));
    const described = decisions.describableFlags(KNOWN_FLAGS);
    if (decisions.checksAreaFlags && (area.flags & ~described) !== 0) return -EOPNOTSUPP;
    return this.#preserveArea(area);
  }

  #preserveArea(area: Area): number {
    const { decisions } = this.#platform;
    const first = this.#listArea(area);
    if (first < 0) return first;
    this.#answer.total = area.blocks.length * 2 ** area.order;
    this.#answer.order = decisions.describedAreaOrder(area.order);
    this.#answer.flags = area.flags & KNOWN_FLAGS;
    return first;
  }

  /** Preserves the blocks of an area and lists them in chunks, or undoes what it did. */
  #listArea({ blocks, order }: Area): number {
    const { memory, topology, decisions } = this.#platform;
    const entries = vmallocChunkEntries(topology.pageShift);
    const first = this.#newChunk();
    if (first < 0) return first;
    let chunk = first;
    let used = 0;
    let chunks = 1;
    for (let i = 0; i < blocks.length; i++) {
      const block = blocks[decisions.listedBlock(i, blocks.length)]!;
      const failed = this.#pages.preserveRange(block, 2 ** order);
      if (failed < 0) return this.#undo(first, order);
      writeU64(
        memory.pageForWriting(chunk),
        VMALLOC_CHUNK.entries + used++ * VMALLOC_CHUNK.entryBytes,
        block * topology.pageBytes,
      );
      const last = i === blocks.length - 1;
      if (used < entries || (last && !decisions.followsFullChunks)) continue;
      const next = chunks++ < decisions.chunksMax ? this.#newChunk() : -ENOMEM;
      if (next < 0) return this.#undo(first, order);
      const link = next * topology.pageBytes;
      writeU64(memory.pageForWriting(chunk), VMALLOC_CHUNK.next, link);
      chunk = next;
      used = 0;
    }
    return first;
  }

  #undo(first: number, order: number): number {
    this.#release(first, this.#platform.decisions.undoneAreaOrder(order));
    return -ENOMEM;
  }

  /** An empty chunk, preserved; or -ENOMEM. */
  #newChunk(): number {
    const { memory, decisions } = this.#platform;
    const ofKho = decisions.chunksAre === 'of KHO';
    const pfn = ofKho ? this.#pages.takePage() : this.#pages.takeBlock(0);
    if (pfn < 0) return -ENOMEM;
    for (let page = decisions.clearedFrom(pfn); page <= pfn; page++) memory.zeroPage(page);
    if (!decisions.preservesChunks) return pfn;
    const failed = this.#pages.preserveRange(pfn, 1);
    if (failed < 0) this.#pages.givePage(pfn);
    return failed < 0 ? failed : pfn;
  }

  unpreserve({ pfn, order }: Call): number {
    this.#release(pfn, order);
    return 0;
  }

  /** Takes back what the list from frame `first` on names, and frees its chunks. */
  #release(first: number, order: number): void {
    const { decisions } = this.#platform;
    for (let chunk = first; chunk !== 0;) {
      this.#pages.unpreserveRange(chunk, 1);
      this.#eachEntry(chunk, (block) => {
        this.#pages.unpreserveRange(block, 2 ** order);
        return true;
      });
      const next = this.#next(chunk);
      if (decisions.freesUnpreservedChunks) this.#pages.givePage(chunk);
      chunk = next;
    }
  }

  /** Frame of the chunk after this one; 0 at the end. */
  #next(chunk: number): number {
    const { memory, topology } = this.#platform;
    const page = memory.page(chunk);
    return page === undefined ? 0 : readU64(page, VMALLOC_CHUNK.next) / topology.pageBytes;
  }

  /** Visits the blocks that a chunk names while `visit` says so; whether it always did. */
  #eachEntry(chunk: number, visit: (block: number) => boolean): boolean {
    const { memory, topology, decisions } = this.#platform;
    const page = memory.page(chunk);
    if (page === undefined) return false;
    const entries = decisions.readChunkEntries(vmallocChunkEntries(topology.pageShift));
    for (let i = 0; i < entries; i++) {
      const offset = VMALLOC_CHUNK.entries + i * VMALLOC_CHUNK.entryBytes;
      const phys =
        offset < page.length ? readU64(page, offset) : this.#next(chunk + 1) * topology.pageBytes;
      if (phys === 0) break;
      if (!visit(phys / topology.pageBytes)) return false;
    }
    return true;
  }

  restore({ pfn, count, order, value: flags }: Call): number {
    const { decisions } = this.#platform;
    if (decisions.checksDescriptorFlags && (flags & ~KNOWN_FLAGS) !== 0) return -ENOENT;
    if (decisions.looksAtWholeList && !this.#isHeldList(pfn, count, order)) return -ENOENT;
    const blocks: number[] = [];
    for (let chunk = pfn; chunk !== 0;) {
      const whole = this.#eachEntry(chunk, (block) => {
        const more = (blocks.length + 1) * 2 ** order > count;
        if (more && decisions.comparesAreaSize) return false;
        if (!this.#pages.isHeld(block, 2 ** order)) return false;
        this.#pages.takeOverRange(block, 2 ** order);
        blocks.push(block);
        return true;
      });
      if (!whole || !this.#pages.isHeld(chunk, 1)) return -ENOENT;
      this.#pages.takeOverRange(chunk, 1);
      const next = this.#next(chunk);
      if (decisions.freesRestoredChunks) this.#pages.givePage(chunk);
      chunk = next;
    }
    if (blocks.length === 0) return -ENOENT;
    if (decisions.comparesAreaSize && blocks.length * 2 ** order !== count) return -ENOENT;
    this.#map({ blocks, order, flags: flags & KNOWN_FLAGS });
    this.#answer.total = blocks.length * 2 ** order;
    this.#answer.order = order;
    this.#answer.flags = flags & KNOWN_FLAGS;
    return 0;
  }

  /** Whether a list is there to its end, all of it held, and as long as its descriptor says. */
  #isHeldList(first: number, count: number, order: number): boolean {
    const { decisions } = this.#platform;
    const seen = new Set<number>();
    let pages = 0;
    for (let chunk = first; chunk !== 0; chunk = this.#next(chunk)) {
      if (seen.has(chunk) || !this.#pages.isHeld(chunk, 1)) return false;
      seen.add(chunk);
      const whole = this.#eachEntry(chunk, (block) => {
        pages += 2 ** order;
        const fits = pages <= count || !decisions.comparesAreaSize;
        return fits && this.#pages.isHeld(block, 2 ** order);
      });
      if (!whole) return false;
    }
    return pages > 0 && (pages === count || !decisions.comparesAreaSize);
  }
}

/** What a kernel that does not look would take for an area. */
const noArea = (pfn: number): Area => ({ blocks: [pfn], order: 0, flags: VMALLOC_FLAGS.alloc });
