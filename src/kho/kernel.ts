/**
 * One running kernel: KHO's calls on top of a page allocator.
 *
 * It knows physical memory and what it learned at boot. Its outgoing tree and tracker are pages of
 * that memory at all times: whatever stands there at the jump is handed over.
 */
import { RangeList } from '#model/call';
import type { Call, CallAnswer } from '#model/call';
import type { Stateful } from '#model/system';
import { allocPreserve, orderFreed, unpreserveFree } from './alloc-preserve.ts';
import type { PreservedMemory } from './alloc-preserve.ts';
import { Claims } from './claims.ts';
import { Debugfs } from './debugfs.ts';
import { blockOrder } from './blocks.ts';
import { bootEarly, bootKdump, generationOf } from './boot.ts';
import type { Booted, BootParameters, KhoState, Platform } from './boot.ts';
import { userOfTree } from './early-trees.ts';
import { EBUSY, EINVAL, ENOENT, ENOMEM, EOPNOTSUPP } from './errno.ts';
import { retrieveSubtree } from './handover-tree.ts';
import type { Retrieved } from './handover-tree.ts';
import { placeAnywhere, placeInScratch, placeSegments, segmentsOf } from './images.ts';
import { Orchestrator } from './luo.ts';
import { readKexecCount, writeMetadata } from './metadata.ts';
import { hasCache } from './mem-cache.ts';
import { Migration } from './migration.ts';
import { startTree } from './outgoing-tree.ts';
import type { OutgoingTree } from './outgoing-tree.ts';
import { Phases, freezesNothing } from './phases.ts';
import { KernelPanic, RadixTracker } from './radix-tracker.ts';
import type { PageSource } from './radix-tracker.ts';
import { RegionList } from './region-list.ts';
import { VmallocAreas } from './vmalloc.ts';
import type { AreaPages } from './vmalloc.ts';
import { strategyOf } from './tracker.ts';
import type { Tracker } from './tracker.ts';
import type { Generation } from '#src/abi/description/generation';
import { SCRATCH_ENTRY_BYTES } from '#src/abi/description/scratch-array';
import { KEXEC_METADATA, LUO } from '#src/abi/description/sub-blobs';

/** `Call.value` of `allocPages` for an unmovable request. */
const UNMOVABLE_REQUEST = 0;
export class Kernel implements PageSource, AreaPages {
  readonly #platform: Platform;
  readonly #booted: Booted;
  readonly #answer: CallAnswer;
  readonly #generation: Generation;
  readonly #tracker: Tracker;
  /** Frame of the outgoing tree. */
  readonly tree: number;
  /** What that tree names. */
  readonly outgoing: OutgoingTree;
  /** The user of KHO that is part of every newer kernel. */
  readonly luo: Orchestrator;
  readonly #phases: Phases;
  readonly #claims: Claims;
  /** Memory that `reserve_mem=` named. */
  readonly regions: RegionList;
  readonly #areas: VmallocAreas;
  /** What user space can read of all this. */
  readonly debugfs: Debugfs;
  readonly #names: readonly string[];
  readonly #migration: Migration;
  readonly #preserved: PreservedMemory;
  /** Frame of the tree that it was told of, taken over or not; -1 for none. */
  readonly #offered: number;

  private constructor(
    platform: Platform,
    booted: Booted,
    answer: CallAnswer,
    names: readonly string[],
    offered: number,
  ) {
    this.#platform = platform;
    this.#booted = booted;
    this.#answer = answer;
    this.#names = names;
    this.#offered = offered;
    this.#migration = new Migration(platform, booted.allocator, booted.types);
    const isOn = booted.kho === 'on';
    this.#generation = generationOf(platform);
    this.#tracker = isOn
      ? this.#startTracker()
      : new RadixTracker(platform.memory, 0, platform.decisions);
    this.tree = isOn ? this.#takeBootPage() : 0;
    if (isOn && freezesNothing(this.#generation) && platform.decisions.preservesTree) {
      this.#preserveAtBoot(this.tree, platform.decisions.treeOrder);
    }
    this.outgoing = this.#startTree(isOn);
    const outgoing = this.outgoing;
    this.debugfs = new Debugfs(platform, booted, this, isOn ? offered : -1);
    if (isOn && this.#generation.blobs.some(({ name }) => name === KEXEC_METADATA.name)) {
      this.#publishMetadata();
    }
    const { debugfs } = this;
    const tracker = this.#tracker;
    this.#preserved = { platform, booted, tracker, pages: this };
    const preserves = freezesNothing(this.#generation);
    const host = { platform, booted, tracker, pages: this, outgoing, debugfs, answer, preserves };
    this.regions = new RegionList(host);
    const { regions, tree } = this;
    const generation = this.#generation;
    this.#claims = new Claims(platform, booted, answer);
    this.#phases = new Phases({ ...host, generation, regions, tree });
    if (isOn) debugfs.ready();
    this.luo = new Orchestrator({ ...host, kernel: this }, this.#incomingLuo());
    this.#areas = new VmallocAreas(platform, answer, this);
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
   * @param kho what its command line makes of KHO
   * @param line index of its command line when the machine was switched on
   */
  static boot(
    platform: Platform,
    parameters: BootParameters | undefined,
    answer: CallAnswer,
    names: readonly string[],
    kho: KhoState = 'on',
    line = 0,
  ): Kernel {
    const booted = bootEarly(platform, parameters, answer, kho, line);
    const { pageBytes } = platform.topology;
    const offered = parameters === undefined ? -1 : parameters.fdt / pageBytes;
    return new Kernel(platform, booted, answer, names, offered);
  }

  /** Boots a kdump kernel from the image in the memory that was reserved for it. */
  static bootKdump(
    platform: Platform,
    image: RangeList,
    crash: Booted['crash'],
    answer: CallAnswer,
    names: readonly string[],
  ): Kernel {
    return new Kernel(platform, bootKdump(platform, image, crash, answer), answer, names, -1);
  }

  #startTracker(): Tracker {
    const { memory, decisions } = this.#platform;
    const { tracker } = this.#generation;
    const anywhere = decisions.trackerRootFrom === 'anywhere';
    const takeRoot = (): number => this.#takeBootPage(anywhere);
    return strategyOf(tracker).start(memory, tracker, takeRoot, decisions);
  }

  #startTree(isOn: boolean): OutgoingTree {
    const { topology } = this.#platform;
    const map = this.#tracker.root * topology.pageBytes;
    const generation = isOn ? this.#generation : undefined;
    const ranges = () => this.#tracker.ranges?.() ?? [];
    return startTree(this.#platform, generation, this.tree, map, ranges);
  }

  get booted(): Booted {
    return this.#booted;
  }

  /** What changes while it runs. */
  get parts(): readonly Stateful[] {
    const { allocator, types, held, early } = this.#booted;
    const kept = [this.#tracker, this.outgoing, this.regions, this.#areas, this.debugfs];
    return [allocator, types, held, early, ...kept, this.#phases, this.luo];
  }

  state(): unknown {
    const { allocator: _, types: __, held: ___, early: ____, ...fixed } = this.#booted;
    return [this.#generation.id, this.tree, fixed, this.parts];
  }

  #publishMetadata(): void {
    const { memory, topology, decisions, release } = this.#platform;
    const { incomingTree } = this.#booted;
    const before = incomingTree < 0 ? 0 : this.#previousKexecCount(incomingTree);
    const blob = this.#takeBootPage();
    this.#preserveAtBoot(blob);
    const count = decisions.countsKexecs ? before + 1 : 1;
    writeMetadata(memory.zeroPage(blob), release, count);
    const phys = blob * topology.pageBytes;
    this.outgoing.add(KEXEC_METADATA.name, phys, KEXEC_METADATA.bytes);
    this.debugfs.add(KEXEC_METADATA.name, phys, KEXEC_METADATA.bytes);
  }

  #takeBootPage(anywhere = false): number {
    const pfn = this.takePage(anywhere);
    if (pfn < 0) throw new KernelPanic('no page left to boot with');
    return pfn;
  }

  #preserveAtBoot(pfn: number, order = 0): void {
    if (!this.#tracker.add(pfn, order, this)) throw new KernelPanic('no page left to boot with');
  }

  #previousKexecCount(incomingTree: number): number {
    const { memory, topology, decisions } = this.#platform;
    const tree = memory.page(incomingTree);
    if (tree === undefined) return 0;
    const found = this.#lookUp(tree, KEXEC_METADATA.name);
    if (typeof found === 'number') return 0;
    if (found.bytes < KEXEC_METADATA.bytes && decisions.checksMetadataSize) return 0;
    const blob = memory.page(Math.floor(found.phys / topology.pageBytes));
    return blob === undefined ? 0 : readKexecCount(blob);
  }

  /** Frame of what the previous kernel's orchestrator named in its tree; -1 for nothing. */
  #incomingLuo(): number {
    const { memory, topology } = this.#platform;
    const { incomingTree } = this.#booted;
    const tree = incomingTree < 0 ? undefined : memory.page(incomingTree);
    const found = tree === undefined ? -1 : this.#lookUp(tree, LUO.name);
    return typeof found === 'number' ? -1 : found.phys / topology.pageBytes;
  }

  /** A page for KHO itself; never frame 0, as an address of 0 stands for none. */
  takePage(fromAnywhere = false): number {
    const { decisions } = this.#platform;
    const { allocator } = this.#booted;
    const anywhere = fromAnywhere || decisions.trackerPagesFrom === 'anywhere';
    let pfn = allocator.allocateNamed(0, decisions.trackerNode, anywhere);
    if (pfn < 0 && decisions.triesAgain) {
      pfn = allocator.allocateNamed(0, decisions.trackerNode, anywhere);
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
    const { scratchIsMovableOnly, nodeToServe } = this.#platform.decisions;
    const scratchToo = movable || !scratchIsMovableOnly;
    const pfn = this.#booted.allocator.allocate(order, nodeToServe(node), movable, scratchToo);
    return pfn < 0 ? -ENOMEM : pfn;
  }

  allocContig({ pfn, count }: Call): number {
    const { allocator } = this.#booted;
    const { rangesOutsideScratch } = this.#platform.decisions;
    if (rangesOutsideScratch && this.#touchesScratch(pfn, count)) return -EBUSY;
    if (!allocator.isFree(pfn, pfn + count)) return -EBUSY;
    allocator.takeRange(pfn, pfn + count);
    return 0;
  }

  freePages({ pfn, order }: Call): number {
    this.#booted.allocator.free(pfn, this.#platform.decisions.freedOrder(order));
    return 0;
  }

  freeContig({ pfn, count }: Call): number {
    for (let page = pfn; page < pfn + count; page++) this.#booted.allocator.free(page, 0);
    return 0;
  }

  pin(call: Call): number {
    return this.#migration.pin(call);
  }

  unpin(call: Call): number {
    return this.#migration.unpin(call);
  }

  migrate(call: Call): number {
    return this.#migration.migrate(call);
  }

  write({ pfn, value }: Call): number {
    this.#platform.memory.setStamp(pfn, value);
    return 0;
  }

  /** @param emptyToo whether an area without memory counts where it lies within the range */
  #touchesScratch(first: number, count: number, emptyToo = false): boolean {
    return this.#booted.areas.some(
      (area) =>
        (area.count > 0 || emptyToo) &&
        area.first < first + count &&
        first < area.first + area.count,
    );
  }

  /** Whether a range must not be preserved, as it would be overwritten. */
  #mayNotKeep(first: number, count: number): boolean {
    const { checksScratchOverlap, emptyScratchTouches } = this.#platform.decisions;
    return checksScratchOverlap && this.#touchesScratch(first, count, emptyScratchTouches);
  }

  preserveFolio({ pfn, order }: Call): number {
    if (this.#phases.isFrozen) return -EBUSY;
    if (this.#mayNotKeep(pfn, 2 ** order)) return -EINVAL;
    return this.#tracker.add(pfn, order, this) ? 0 : -ENOMEM;
  }

  unpreserveFolio({ pfn, order }: Call): number {
    if (this.#phases.isFrozen) return -EBUSY;
    this.#tracker.remove(pfn, order);
    return 0;
  }

  preservePages({ pfn, count }: Call): number {
    if (this.#phases.isFrozen) return -EBUSY;
    if (this.#mayNotKeep(pfn, count)) return -EINVAL;
    return this.preserveRange(pfn, count);
  }

  preserveRange(pfn: number, count: number): number {
    const { decisions, topology } = this.#platform;
    const end = pfn + count;
    for (let head = pfn; head < end;) {
      const order = blockOrder(topology, head, end, decisions.preserveSplitsAtNodes);
      if (!this.#tracker.add(head, order, this)) {
        if (decisions.undoesRefusedRange) this.#unpreserve(pfn, head, 'all');
        return -ENOMEM;
      }
      head += 2 ** order;
    }
    return 0;
  }

  unpreservePages({ pfn, count }: Call): number {
    if (this.#phases.isFrozen) return -EBUSY;
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

  unpreserveRange(first: number, count: number): void {
    this.#unpreserve(first, first + count, 'all');
  }

  restoreFolio({ pfn }: Call): number {
    const order = this.#markOf(pfn);
    if (order < 0) return -ENOENT;
    this.#takeOver(pfn, order, order);
    return order;
  }

  /** Gives back what a node of the previous kernel named. */
  returnMem(call: Call): number {
    return this.#claims.giveBack(call);
  }

  restorePages(call: Call): number {
    if (this.#generation.tracker.kind === 'ranges') return this.#claims.claim(call);
    const { pfn, count } = call;
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
    const { decisions, topology } = this.#platform;
    const index = held.markedAt(pfn);
    if (index < 0) return decisions.restoreChecksMark ? -1 : 0;
    const order = held.order(index);
    return order > decisions.largestRestored(topology.maxOrder) ? -1 : order;
  }

  /** Makes a held block owned memory: pages of `pageOrder` each. */
  #takeOver(pfn: number, order: number, pageOrder: number): void {
    const { held, allocator } = this.#booted;
    const index = held.markedAt(pfn);
    if (index >= 0) held.release(index, this.#platform.decisions.restoreClearsMark);
    this.#platform.memory.journal.note(pfn, 2 ** order);
    for (let page = pfn; page < pfn + 2 ** order; page += 2 ** pageOrder) {
      allocator.adopt(page, pageOrder);
    }
    this.#answer.managed += 2 ** order;
  }

  isHeld(first: number, count: number): boolean {
    return this.#isHeldRange(first, first + count);
  }

  takeOverRange(first: number, count: number): void {
    for (let head = first; head < first + count;) {
      const order = Math.max(0, this.#markOf(head));
      this.#takeOver(head, order, 0);
      head += 2 ** order;
    }
  }

  takeBlock(order: number): number {
    const { allocator } = this.#booted;
    const { scratchIsMovableOnly, areasOutsideScratch, areaNode } = this.#platform.decisions;
    const scratchToo = !scratchIsMovableOnly || !areasOutsideScratch;
    const pfn = allocator.allocateNamed(order, areaNode, scratchToo);
    for (let page = pfn; pfn >= 0 && page < pfn + 2 ** order; page++) allocator.adopt(page, 0);
    return pfn;
  }

  freeSingles(first: number, count: number): void {
    for (let page = first; page < first + count; page++) this.#booted.allocator.free(page, 0);
  }

  vmalloc(call: Call): number {
    return this.#areas.make(call);
  }

  vfree(call: Call): number {
    return this.#areas.free(call);
  }

  preserveVmalloc(call: Call): number {
    return this.#areas.preserve(call);
  }

  unpreserveVmalloc(call: Call): number {
    return this.#areas.unpreserve(call);
  }

  restoreVmalloc(call: Call): number {
    return this.#areas.restore(call);
  }

  allocPreserve({ value: bytes }: Call): number {
    return allocPreserve(this.#preserved, bytes);
  }

  unpreserveFree(call: Call): number {
    return unpreserveFree(this.#preserved, call);
  }

  restoreFree({ pfn }: Call): number {
    const order = orderFreed(this.#platform, this.#markOf(pfn));
    if (order < 0) return order;
    this.#takeOver(pfn, order, order);
    this.#booted.allocator.free(pfn, order);
    return order;
  }

  addSubtree({ name, pfn, value }: Call): number {
    if (this.#phases.isFrozen) return -EBUSY;
    const phys = pfn * this.#platform.topology.pageBytes;
    const answer = this.outgoing.add(this.#names[name]!, phys, value);
    if (answer === 0) this.debugfs.add(this.#names[name]!, phys, value);
    return answer;
  }

  removeSubtree({ pfn }: Call): number {
    if (this.#phases.isFrozen) return -EBUSY;
    const { topology, decisions } = this.#platform;
    const phys = pfn * topology.pageBytes;
    const value = decisions.removesSubtreeNodes ? this.outgoing.remove(phys) : 0;
    this.debugfs.remove(phys);
    return value ?? 0;
  }

  retrieveSubtree({ name }: Call): number {
    const { memory, topology } = this.#platform;
    const { incomingTree, kho } = this.#booted;
    const { missingKhoIsTold } = this.#platform.decisions;
    if (kho === 'missing' && missingKhoIsTold) return -EOPNOTSUPP;
    const tree = incomingTree < 0 ? undefined : memory.page(incomingTree);
    const found = tree === undefined ? -ENOENT : this.#lookUp(tree, this.#names[name]!);
    if (typeof found === 'number') return found;
    this.#answer.bytes = found.bytes;
    return found.phys / topology.pageBytes;
  }

  /** A blob of an incoming tree; -EINVAL where there can be none. */
  #lookUp(tree: Uint8Array, name: string): Retrieved {
    const { decisions, topology } = this.#platform;
    if (this.#generation.root.form === 'users') return userOfTree(tree, name, decisions);
    const found = retrieveSubtree(tree, name, decisions, this.#generation.subtree);
    // Before the merge a node without an address is not one of those that users hand over.
    if (found === -EINVAL && this.outgoing.holdsRegions === true) return -ENOENT;
    if (typeof found === 'number' || !decisions.checksBlobProperties) return found;
    const frame = Math.floor(found.phys / topology.pageBytes);
    return found.phys === 0 || topology.nodeOf(frame) < 0 ? -EINVAL : found;
  }

  khoIsEnabled(_call: Call): number {
    const { kho } = this.#booted;
    const isUp = this.#platform.decisions.enabledIs === 'up' ? kho === 'on' : kho !== 'missing';
    return isUp ? 1 : 0;
  }

  isKhoBoot(_call: Call): number {
    const { khoBootIs } = this.#platform.decisions;
    if (khoBootIs === 'offered') return this.#offered > 0 ? 1 : 0;
    return this.#booted.incomingTree < 0 ? 0 : 1;
  }

  reserveMemFindByName(call: Call): number {
    return this.regions.find(call);
  }

  releaseReserveMem(call: Call): number {
    return this.regions.release(call);
  }

  finalize(_call?: Call): number {
    return this.#phases.finalize();
  }

  abort(_call: Call): number {
    return this.#phases.abort();
  }

  /** What a kernel does before it jumps with a handover; answers 0 or an error. */
  prepareJump(): number {
    this.luo.serialize();
    return this.#phases.prepareJump();
  }

  /** Whether this kernel has KHO. */
  get handsOver(): boolean {
    return this.#booted.kho === 'on';
  }

  /** Whether an image that is loaded now gets a handover. */
  get attaches(): boolean {
    return this.handsOver && this.#phases.attaches;
  }

  /** Adds a place for the scratch array to segments that are to carry a handover. */
  placeArray(segments: RangeList): void {
    const { topology } = this.#platform;
    const array = new RangeList();
    placeSegments(this.#booted.areas, segmentsOf(1, topology, true).slice(-1), array);
    segments.add(array.first(0), 1);
  }

  /** When the tree is copied into the image; undefined where its page is handed over. */
  get copiesTree(): 'load' | 'jump' | undefined {
    return this.#generation.root.copied;
  }

  /** Whether the ranges of the tree go with an image in an array of their own. */
  get hasCache(): boolean {
    return hasCache(this.#generation);
  }

  /**
   * Finds room for the segments of an image: the kernel, its ramdisk, the scratch array.
   *
   * @param frames size of the kernel; 0 for an ordinary one
   */
  placeSegments(placed: RangeList, frames = 0): number {
    const { decisions, topology } = this.#platform;
    const { areas } = this.#booted;
    const hasKho = this.handsOver || !decisions.confinesWithKhoOnly;
    if (hasKho && this.#phases.confinesImages) {
      const copies = (this.copiesTree === undefined ? 0 : 1) + (this.hasCache ? 1 : 0);
      return placeInScratch(areas, frames, topology, decisions, placed, copies);
    }
    return placeAnywhere(frames, topology, placed);
  }
}
