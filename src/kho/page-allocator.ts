/**
 * The page allocator: buddies with migrate types.
 *
 * Every node has two zones, ordinary memory and scratch (CMA). Memory that was never asked for
 * stays in whole ranges; blocks are cut off their ends on demand, so that nothing here is
 * proportional to the memory that exists. Blocks are known by their first frame only.
 *
 * Invariants: a free block is aligned to its size and within one zone; two free buddies of one
 * order do not exist beside each other; `freeFrames` is the number of frames in free blocks and
 * untouched ranges.
 */
import { BlockTable } from './block-table.ts';
import { INTENDED } from './decisions.ts';
import type { Decisions } from './decisions.ts';
import type { FrameJournal } from './frame-journal.ts';
import type { MigrateTypes } from './pageblocks.ts';
import { RangeSet } from './range-set.ts';
import type { Topology } from './topology.ts';

/** Leftovers between reserved ranges are spared while there is a roomy range among so many. */
const RANGES_LOOKED_AT = 8;

/** What starts at a frame. */
const FREE_BLOCK = 1;
const MOVABLE_BLOCK = 2;
const UNMOVABLE_BLOCK = 3;
const PINNED_BLOCK = 4;
const OWNERS = [undefined, 'free', 'movable', 'unmovable', 'pinned'] as const;

/** A stretch of memory of one node and one migrate type. */
class Zone {
  readonly untouched = new RangeSet();
  /** Free blocks by order; entries that are no longer free are skipped when met. */
  freeLists: number[][];

  constructor(maxOrder: number) {
    this.freeLists = Array.from({ length: maxOrder + 1 }, () => []);
  }
}

/** Who owns a frame, as the allocator can tell; undefined where it does not manage memory. */
export type Owner = 'free' | 'movable' | 'unmovable' | 'pinned' | undefined;

/** Decisions that the allocator asks. */
type AllocatorCare = Pick<Decisions, 'checksFreeLists'>;

export class PageAllocator {
  freeFrames = 0;
  /** Frames that somebody wants to know about; a frame leaves when it is given back. */
  readonly watched = new Set<number>();
  /** How many requests from now on one is refused for no reason; 0: none is. */
  #refusesAt = 0;
  readonly #joins: boolean;
  readonly #care: AllocatorCare;
  readonly #types: MigrateTypes | undefined;
  readonly #journal: FrameJournal | undefined;
  /** Order of the free block that served the last request. */
  #splitOrder = 0;
  #lastHead = 0;
  #lastEnd = 0;
  readonly #topology: Topology;
  readonly #scratch: RangeSet;
  readonly #maxOrder: number;
  readonly #blocks: BlockTable;
  /** Ordinary zone of node n at 2n, its scratch at 2n + 1. */
  readonly #zones: Zone[];

  /**
   * @param scratch memory that only movable requests are served from
   * @param joins whether free buddies are joined
   * @param types told who claims a pageblock
   * @param journal told which frames may have another owner
   * @param care what it takes care of
   */
  constructor(
    topology: Topology,
    scratch: RangeSet,
    joins = true,
    types?: MigrateTypes,
    journal?: FrameJournal,
    care: AllocatorCare = INTENDED,
  ) {
    this.#care = care;
    this.#types = types;
    this.#journal = journal;
    this.#joins = joins;
    this.#topology = topology;
    this.#scratch = scratch;
    this.#maxOrder = topology.maxOrder;
    this.#blocks = new BlockTable(topology.maxOrder);
    this.#zones = Array.from({ length: topology.nodes * 2 }, () => new Zone(this.#maxOrder));
  }

  /** Has the n-th request from now on refused, whatever is free; 0 has none refused. */
  refuse(n: number): void {
    this.#refusesAt = n;
  }

  /** Puts a range under management as free memory; ranges come ascending and do not overlap. */
  addFree(first: number, end: number): void {
    let pfn = first;
    while (pfn < end) {
      const stop = this.#zoneEnd(pfn, end);
      this.#zones[this.#zoneOf(pfn)]!.untouched.add(pfn, stop);
      this.freeFrames += stop - pfn;
      pfn = stop;
    }
  }

  /** End of the part of `[pfn, end)` that lies in the zone of `pfn`. */
  #zoneEnd(pfn: number, end: number): number {
    const stop = Math.min(end, this.#topology.endOf(this.#topology.nodeOf(pfn)));
    const at = this.#scratch.after(pfn);
    if (at === this.#scratch.length) return stop;
    const first = this.#scratch.first(at);
    return Math.min(stop, first > pfn ? first : this.#scratch.end(at));
  }

  #zoneOf(pfn: number): number {
    return this.#topology.nodeOf(pfn) * 2 + (this.#scratch.has(pfn) ? 1 : 0);
  }

  /**
   * Takes a block of `2^order` frames.
   *
   * @param node a node, or -1 for any
   * @param scratchToo whether scratch may serve the request; it is tried first, as it is of no
   *   other use
   * @returns the first frame, or -1 when no permitted zone has such a block
   */
  allocate(order: number, node: number, movable: boolean, scratchToo: boolean): number {
    if (this.#refusesAt > 0 && --this.#refusesAt === 0) return -1;
    const from = node < 0 ? 0 : node;
    const to = node < 0 ? this.#topology.nodes - 1 : node;
    for (let n = from; n <= to; n++) {
      let pfn = scratchToo ? this.#takeFrom(n * 2 + 1, order) : -1;
      if (pfn < 0) pfn = this.#takeOrdinary(n * 2, order, movable);
      if (pfn < 0) continue;
      this.#mark(pfn, movable ? MOVABLE_BLOCK : UNMOVABLE_BLOCK, order);
      return pfn;
    }
    return -1;
  }

  /** Takes an unmovable block, but never at frame 0: its address stands for none. */
  allocateNamed(order: number, node: number, scratchToo: boolean): number {
    const pfn = this.allocate(order, node, false, scratchToo);
    if (pfn !== 0) return pfn;
    const other = this.allocate(order, node, false, scratchToo);
    this.free(0, order);
    return other;
  }

  /** Takes a block of ordinary memory; pageblocks that were free as a whole change their type. */
  #takeOrdinary(zoneIndex: number, order: number, movable: boolean): number {
    const pfn = this.#takeFrom(zoneIndex, order);
    const types = this.#types;
    if (pfn < 0 || types === undefined) return pfn;
    const whole = 2 ** this.#splitOrder >= types.size;
    if (whole) types.claim(pfn, 2 ** order, movable);
    return pfn;
  }

  #takeFrom(zoneIndex: number, order: number): number {
    const zone = this.#zones[zoneIndex]!;
    for (;;) {
      for (let found = order; found <= this.#maxOrder; found++) {
        const pfn = this.#popFree(zone, found);
        if (pfn < 0) continue;
        this.#clear(pfn);
        this.#splitOrder = found;
        for (let half = found - 1; half >= order; half--) {
          this.#putFree(zone, pfn + (1 << half), half);
        }
        this.freeFrames -= 1 << order;
        return pfn;
      }
      if (!this.#cutUntouched(zone)) return -1;
    }
  }

  #popFree(zone: Zone, order: number): number {
    const list = zone.freeLists[order]!;
    for (let pfn = list.pop(); pfn !== undefined; pfn = list.pop()) {
      if (this.#blocks.is(pfn, FREE_BLOCK, order) || !this.#care.checksFreeLists) return pfn;
    }
    return -1;
  }

  /** Turns the last block of untouched memory into a free block. */
  #cutUntouched(zone: Zone): boolean {
    const { untouched } = zone;
    if (untouched.length === 0) return false;
    const range = this.#roomyRange(untouched);
    const first = untouched.first(range);
    const end = untouched.end(range);
    let order = 0;
    while (order < this.#maxOrder && end % (2 << order) === 0 && end - (2 << order) >= first) {
      order++;
    }
    untouched.remove(end - (1 << order), end);
    this.#join(end - (1 << order), order);
    return true;
  }

  /** One of the last ranges that has a block of the largest order, or else the last range. */
  #roomyRange(ranges: RangeSet): number {
    const last = ranges.length - 1;
    for (let at = last; at >= 0 && at > last - RANGES_LOOKED_AT; at--) {
      if (ranges.end(at) - ranges.first(at) >= 2 << this.#maxOrder) return at;
    }
    return last;
  }

  #putFree(zone: Zone, pfn: number, order: number): void {
    this.#mark(pfn, FREE_BLOCK, order);
    zone.freeLists[order]!.push(pfn);
  }

  /** Gives a block back; one larger than any that is handed out goes in parts. */
  free(pfn: number, order: number): void {
    const part = Math.min(order, this.#maxOrder);
    for (let head = pfn; head < pfn + 2 ** order; head += 2 ** part) {
      this.#clear(head);
      this.#join(head, part);
    }
    this.freeFrames += 2 ** order;
    if (this.watched.size > 0) this.#unwatch(pfn, pfn + 2 ** order);
  }

  #unwatch(first: number, end: number): void {
    if (end - first === 1) this.watched.delete(first);
    else for (const pfn of this.watched) if (pfn >= first && pfn < end) this.watched.delete(pfn);
  }

  /** Entries of a list that are no longer free, or stand again nearer to its end, are nothing. */
  state(): unknown {
    const zones = this.#zones.map(({ untouched, freeLists }) => [
      untouched,
      freeLists.map((list, order) => this.#whatCounts(list, order)),
    ]);
    const watched = [...this.watched].sort((a, b) => a - b);
    return [this.freeFrames, watched, this.#refusesAt, this.#scratch, this.#blocks, zones];
  }

  /** The entries of a list that mean something, in their order. */
  #whatCounts(list: readonly number[], order: number): readonly number[] {
    if (!this.#care.checksFreeLists) return list;
    const met = new Set<number>();
    const entries: number[] = [];
    for (let at = list.length - 1; at >= 0; at--) {
      const pfn = list[at]!;
      if (met.has(pfn) || !this.#blocks.is(pfn, FREE_BLOCK, order)) continue;
      met.add(pfn);
      entries.push(pfn);
    }
    return entries.reverse();
  }

  save(): () => void {
    const { freeFrames } = this;
    const watched = [...this.watched];
    const blocks = this.#blocks.save();
    const zones = this.#zones.map(
      ({ untouched, freeLists }) => [untouched.save(), freeLists.map((list) => [...list])] as const,
    );
    return () => {
      this.freeFrames = freeFrames;
      this.watched.clear();
      for (const pfn of watched) this.watched.add(pfn);
      this.#lastEnd = 0;
      blocks();
      zones.forEach(([restoreUntouched, lists], at) => {
        restoreUntouched();
        this.#zones[at]!.freeLists = lists.map((list) => [...list]);
      });
    };
  }

  /** Makes a block a free one, joined with its free buddies. */
  #join(pfn: number, order: number): void {
    const zoneIndex = this.#zoneOf(pfn);
    while (this.#joins && order < this.#maxOrder) {
      const buddy = (pfn ^ (1 << order)) >>> 0;
      if (!this.#blocks.is(buddy, FREE_BLOCK, order)) break;
      if (this.#zoneOf(buddy) !== zoneIndex) break;
      this.#clear(buddy);
      pfn = Math.min(pfn, buddy);
      order++;
    }
    this.#putFree(this.#zones[zoneIndex]!, pfn, order);
  }

  /** Whether every frame of `[first, end)` is free. */
  isFree(first: number, end: number): boolean {
    for (let pfn = first; pfn < end; pfn++) if (this.ownerOf(pfn) !== 'free') return false;
    return true;
  }

  /** Takes a range that `isFree`, as single unmovable pages. */
  takeRange(first: number, end: number): void {
    let pfn = first;
    while (pfn < end) pfn = this.#takeOut(pfn, first, end);
    for (pfn = first; pfn < end; pfn++) this.#mark(pfn, UNMOVABLE_BLOCK, 0);
    this.freeFrames -= end - first;
  }

  /** Takes the free memory around `pfn` apart so that `[first, end)` is out of it. */
  #takeOut(pfn: number, first: number, end: number): number {
    const zone = this.#zones[this.#zoneOf(pfn)]!;
    const head = this.#headOf(pfn);
    if (head < 0) {
      const stop = Math.min(end, zone.untouched.end(zone.untouched.after(pfn)));
      zone.untouched.remove(pfn, stop);
      return stop;
    }
    const stop = head + 2 ** this.#blocks.orderAt(head);
    this.#clear(head);
    this.#putBack(zone, head, Math.min(first, stop));
    this.#putBack(zone, Math.max(head, end), stop);
    return stop;
  }

  /** Makes `[first, end)`, a part of a block that was taken apart, free blocks again. */
  #putBack(zone: Zone, first: number, end: number): void {
    let pfn = first;
    while (pfn < end) {
      let order = 0;
      while (pfn % (2 << order) === 0 && pfn + (2 << order) <= end && order < 30) order++;
      this.#putFree(zone, pfn, order);
      pfn += 2 ** order;
    }
  }

  /** Makes a block that was not managed an allocated, unmovable one. */
  adopt(pfn: number, order: number): void {
    const part = Math.min(order, this.#maxOrder);
    for (let head = pfn; head < pfn + 2 ** order; head += 2 ** part) {
      this.#mark(head, UNMOVABLE_BLOCK, part);
    }
  }

  /** Notes that a movable block is pinned for long, or no longer. */
  setPinned(pfn: number, order: number, pinned: boolean): void {
    this.#mark(pfn, pinned ? PINNED_BLOCK : MOVABLE_BLOCK, order);
  }

  ownerOf(pfn: number): Owner {
    const head = this.#headOf(pfn);
    if (head >= 0) {
      const kind = this.#blocks.kindAt(head);
      return OWNERS[kind]!;
    }
    const node = this.#topology.nodeOf(pfn);
    if (node < 0) return undefined;
    return this.#zones[this.#zoneOf(pfn)]!.untouched.has(pfn) ? 'free' : undefined;
  }

  /**
   * First frame of the block that `pfn` is in, or -1.
   *
   * The block found last is remembered until a block changes: observers ask frame after frame.
   */
  #headOf(pfn: number): number {
    if (pfn >= this.#lastHead && pfn < this.#lastEnd) return this.#lastHead;
    const head = this.#blocks.headOf(pfn);
    if (head >= 0) {
      this.#lastHead = head;
      this.#lastEnd = head + (1 << this.#blocks.orderAt(head));
    }
    return head;
  }

  #mark(pfn: number, kind: number, order: number): void {
    this.#lastEnd = 0;
    this.#journal?.note(pfn, 2 ** order);
    this.#blocks.mark(pfn, kind, order);
  }

  #clear(pfn: number): void {
    this.#lastEnd = 0;
    this.#journal?.note(pfn, 2 ** this.#blocks.orderAt(pfn));
    this.#blocks.clear(pfn);
  }
}
