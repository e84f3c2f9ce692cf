/**
 * One running kernel: KHO's calls on top of a page allocator.
 *
 * It knows physical memory and what it learned at boot. Its outgoing tree and tracker are pages of
 * that memory at all times: whatever stands there at the jump is handed over.
 */
import type { Call, CallAnswer, RangeList } from '#model/call';
import { blockOrder } from './blocks.ts';
import { IMAGE_FRAMES, bootEarly } from './boot.ts';
import type { Booted, BootParameters, Platform } from './boot.ts';
import { EADDRNOTAVAIL, EBUSY, EINVAL, ENOENT, ENOMEM } from './errno.ts';
import { addSubtree, createTree, removeSubtree, retrieveSubtree } from './handover-tree.ts';
import { Memblock } from './memblock.ts';
import { readKexecCount, writeMetadata } from './metadata.ts';
import { KernelPanic, RadixTracker } from './radix-tracker.ts';
import type { PageSource } from './radix-tracker.ts';
import { SCRATCH_ENTRY_BYTES } from '#src/abi/description/scratch-array';
import { KEXEC_METADATA } from '#src/abi/description/sub-blobs';

/** `Call.value` of `allocPages` for an unmovable request. */
const UNMOVABLE_REQUEST = 0;
/** Frames of the initial ramdisk that goes with an image. */
const INITRD_FRAMES = 4;
/** The scratch array of an image is aligned to 64 KiB. */
const ARRAY_ALIGN_BYTES = 65536;

/** A scratch area as a boundary for segments. */
type Bounds = { readonly first: number; readonly count: number };

export class Kernel implements PageSource {
  readonly #platform: Platform;
  readonly #booted: Booted;
  readonly #answer: CallAnswer;
  readonly #tracker: RadixTracker;
  /** Frame of the outgoing tree. */
  readonly tree: number;
  readonly #names: readonly string[];

  private constructor(
    platform: Platform,
    booted: Booted,
    answer: CallAnswer,
    names: readonly string[],
  ) {
    this.#platform = platform;
    this.#booted = booted;
    this.#answer = answer;
    this.#names = names;
    const { memory, decisions, topology } = platform;
    const root = this.#takeBootPage();
    memory.zeroPage(root);
    this.#tracker = new RadixTracker(memory, root);
    this.tree = this.#takeBootPage();
    if (decisions.preservesTree) this.#preserveAtBoot(this.tree);
    createTree(memory.zeroPage(this.tree), platform.compatible, root * topology.pageBytes);
    this.#publishMetadata();
    answer.fdt = this.tree;
    answer.scratchArray = booted.scratchArray;
    answer.scratchBytes = booted.areas.length * SCRATCH_ENTRY_BYTES;
  }

  /**
   * Boots a kernel.
   *
   * @param parameters what it is told, undefined when the machine was switched on
   * @param answer filled with what the boot did
   * @param names subtree names by index
   * @returns undefined when scratch could not be reserved: the kernel runs without KHO
   */
  static boot(
    platform: Platform,
    parameters: BootParameters | undefined,
    answer: CallAnswer,
    names: readonly string[],
  ): Kernel | undefined {
    const booted = bootEarly(platform, parameters, answer);
    return booted && new Kernel(platform, booted, answer, names);
  }

  get booted(): Booted {
    return this.#booted;
  }

  #publishMetadata(): void {
    const { memory, topology, decisions, release } = this.#platform;
    const { incomingTree } = this.#booted;
    const before = incomingTree < 0 ? 0 : this.#previousKexecCount(incomingTree);
    const blob = this.#takeBootPage();
    this.#preserveAtBoot(blob);
    const count = decisions.countsKexecs ? before + 1 : 1;
    writeMetadata(memory.zeroPage(blob), release, count);
    const page = memory.pageForWriting(this.tree);
    const phys = blob * topology.pageBytes;
    addSubtree(page, KEXEC_METADATA.name, phys, KEXEC_METADATA.bytes, this.#platform.decisions);
  }

  #takeBootPage(): number {
    const pfn = this.takePage();
    if (pfn < 0) throw new KernelPanic('no page left to boot with');
    return pfn;
  }

  #preserveAtBoot(pfn: number): void {
    if (!this.#tracker.add(pfn, 0, this)) throw new KernelPanic('no page left to boot with');
  }

  #previousKexecCount(incomingTree: number): number {
    const { memory, topology } = this.#platform;
    const tree = memory.page(incomingTree);
    const found = tree === undefined ? -ENOENT : retrieveSubtree(tree, KEXEC_METADATA.name);
    if (typeof found === 'number') return 0;
    const blob = memory.page(Math.floor(found.phys / topology.pageBytes));
    return blob === undefined ? 0 : readKexecCount(blob);
  }

  /** A page for KHO itself; never frame 0, as an address of 0 stands for none. */
  takePage(): number {
    const { decisions } = this.#platform;
    const { allocator } = this.#booted;
    const anywhere = decisions.trackerPagesFrom === 'anywhere' || !decisions.scratchIsMovableOnly;
    let pfn = allocator.allocate(0, -1, false, anywhere);
    if (pfn === 0) {
      pfn = allocator.allocate(0, -1, false, anywhere);
      allocator.free(0, 0);
    }
    if (pfn >= 0) this.#answer.taken.add(pfn, 1);
    return pfn;
  }

  givePage(pfn: number): void {
    this.#booted.allocator.free(pfn, 0);
    this.#answer.given.add(pfn, 1);
  }

  allocPages({ node, order, value }: Call): number {
    const movable = value !== UNMOVABLE_REQUEST;
    const scratchToo = movable || !this.#platform.decisions.scratchIsMovableOnly;
    const pfn = this.#booted.allocator.allocate(order, node, movable, scratchToo);
    return pfn < 0 ? -ENOMEM : pfn;
  }

  allocContig({ pfn, count }: Call): number {
    const { allocator } = this.#booted;
    if (this.#touchesScratch(pfn, count) || !allocator.isFree(pfn, pfn + count)) return -EBUSY;
    allocator.takeRange(pfn, pfn + count);
    return 0;
  }

  freePages({ pfn, order }: Call): number {
    this.#booted.allocator.free(pfn, order);
    return 0;
  }

  freeContig({ pfn, count }: Call): number {
    for (let page = pfn; page < pfn + count; page++) this.#booted.allocator.free(page, 0);
    return 0;
  }

  write({ pfn, value }: Call): number {
    this.#platform.memory.setStamp(pfn, value);
    return 0;
  }

  #touchesScratch(first: number, count: number): boolean {
    return this.#booted.areas.some(
      (area) => area.count > 0 && area.first < first + count && first < area.first + area.count,
    );
  }

  preserveFolio({ pfn, order }: Call): number {
    if (this.#platform.decisions.checksScratchOverlap && this.#touchesScratch(pfn, 2 ** order)) {
      return -EINVAL;
    }
    return this.#tracker.add(pfn, order, this) ? 0 : -ENOMEM;
  }

  unpreserveFolio({ pfn, order }: Call): number {
    this.#tracker.remove(pfn, order);
    return 0;
  }

  preservePages({ pfn, count }: Call): number {
    const { decisions, topology } = this.#platform;
    if (decisions.checksScratchOverlap && this.#touchesScratch(pfn, count)) return -EINVAL;
    const end = pfn + count;
    for (let head = pfn; head < end;) {
      const order = blockOrder(topology, head, end, decisions.preserveSplitsAtNodes);
      if (!this.#tracker.add(head, order, this)) {
        this.#unpreserve(pfn, head, 'all');
        return -ENOMEM;
      }
      head += 2 ** order;
    }
    return 0;
  }

  unpreservePages({ pfn, count }: Call): number {
    this.#unpreserve(pfn, pfn + count, this.#platform.decisions.unpreservedBlocks);
    return 0;
  }

  #unpreserve(first: number, end: number, blocks: 'all' | 'first'): void {
    const { decisions, topology } = this.#platform;
    for (let head = first; head < end;) {
      const order = blockOrder(topology, head, end, decisions.preserveSplitsAtNodes);
      this.#tracker.remove(head, order);
      if (blocks === 'first') return;
      head += 2 ** order;
    }
  }

  restoreFolio({ pfn }: Call): number {
    const order = this.#markOf(pfn);
    if (order < 0) return -ENOENT;
    this.#takeOver(pfn, order, order);
    return order;
  }

  restorePages({ pfn, count }: Call): number {
    const { decisions, topology } = this.#platform;
    const end = pfn + count;
    if (decisions.restoreChecksWholeRange && !this.#isHeldRange(pfn, end)) return -ENOENT;
    for (let head = pfn; head < end;) {
      const order = blockOrder(topology, head, end, decisions.restoreSplitsAtNodes);
      const marked = this.#markOf(head);
      if (marked < 0) return -ENOENT;
      this.#takeOver(head, marked, 0);
      head += 2 ** order;
    }
    return 0;
  }

  #isHeldRange(first: number, end: number): boolean {
    const { decisions, topology } = this.#platform;
    for (let head = first; head < end;) {
      const order = blockOrder(topology, head, end, decisions.restoreSplitsAtNodes);
      const marked = this.#markOf(head);
      if (marked < 0 || (decisions.restoreComparesOrder && marked !== order)) return false;
      head += 2 ** order;
    }
    return true;
  }

  /** Order that the mark of a page carries, or -1 when it has none. */
  #markOf(pfn: number): number {
    const { held } = this.#booted;
    const index = held.markedAt(pfn);
    if (index >= 0) return held.order(index);
    return this.#platform.decisions.restoreChecksMark ? -1 : 0;
  }

  /** Makes a held block owned memory: pages of `pageOrder` each. */
  #takeOver(pfn: number, order: number, pageOrder: number): void {
    const { held, allocator } = this.#booted;
    const index = held.markedAt(pfn);
    if (index >= 0) held.release(index, this.#platform.decisions.restoreClearsMark);
    for (let page = pfn; page < pfn + 2 ** order; page += 2 ** pageOrder) {
      allocator.adopt(page, pageOrder);
    }
    this.#answer.managed += 2 ** order;
  }

  addSubtree({ name, pfn, value }: Call): number {
    const { memory, topology, decisions } = this.#platform;
    const page = memory.pageForWriting(this.tree);
    return addSubtree(page, this.#names[name]!, pfn * topology.pageBytes, value, decisions);
  }

  removeSubtree({ pfn }: Call): number {
    const { memory, topology, decisions } = this.#platform;
    if (decisions.removesSubtreeNodes) {
      removeSubtree(memory.pageForWriting(this.tree), pfn * topology.pageBytes);
    }
    return 0;
  }

  retrieveSubtree({ name }: Call): number {
    const { memory, topology } = this.#platform;
    const { incomingTree } = this.#booted;
    const tree = incomingTree < 0 ? undefined : memory.page(incomingTree);
    const found = tree === undefined ? -ENOENT : retrieveSubtree(tree, this.#names[name]!);
    if (typeof found === 'number') return found;
    this.#answer.bytes = found.bytes;
    return found.phys / topology.pageBytes;
  }

  /** Finds room for the segments of an image: the kernel, its ramdisk, the scratch array. */
  placeSegments(placed: RangeList): number {
    const { decisions, topology } = this.#platform;
    const memblock = new Memblock();
    const bounds: readonly Bounds[] = decisions.segmentsInScratch
      ? this.#booted.areas
      : [{ first: 0, count: topology.end }];
    for (const { first, count } of bounds) memblock.permit(first, first + count);
    const arrayAlign = Math.max(1, ARRAY_ALIGN_BYTES / topology.pageBytes);
    const segments: readonly (readonly [number, number])[] = [
      [IMAGE_FRAMES, 1],
      [INITRD_FRAMES, 1],
      [1, arrayAlign],
    ];
    for (const [count, align] of segments) {
      const first = memblock.allocate(count, align);
      if (first < 0) {
        placed.clear();
        return -EADDRNOTAVAIL;
      }
      placed.add(first, count);
    }
    return 0;
  }
}
