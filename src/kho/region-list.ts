/**
 * The named regions of a running kernel: preserved and listed when it boots, found and released by
 * name later.
 *
 * Invariant: while there are regions, their pages and the page of the list are preserved, and the
 * outgoing tree names the list; without any there is no list.
 */
import type { Call, CallAnswer } from '#model/call';
import { MEMBLOCK } from '#src/abi/description/sub-blobs';
import { blockOrder } from './blocks.ts';
import type { Debugfs } from './debugfs.ts';
import type { Booted, Platform } from './boot.ts';
import { ENOENT } from './errno.ts';
import type { OutgoingTree } from './outgoing-tree.ts';
import { KernelPanic } from './radix-tracker.ts';
import type { PageSource } from './radix-tracker.ts';
import { regionEnd, regionFirst, writeRegions } from './reserve-mem.ts';
import type { Region } from './reserve-mem.ts';
import type { Tracker } from './tracker.ts';

/** What the list works with. */
export interface RegionHost {
  readonly platform: Platform;
  readonly booted: Booted;
  readonly tracker: Tracker;
  readonly pages: PageSource;
  readonly outgoing: OutgoingTree;
  readonly debugfs: Debugfs;
  readonly answer: CallAnswer;
  /** Whether regions are preserved from boot on, or only when somebody finalizes. */
  readonly preserves: boolean;
}

export class RegionList {
  readonly #host: RegionHost;
  readonly #regions: Region[];
  /** Names by the index that calls use. */
  readonly #names: readonly string[];
  /** Frame of the list, or 0 when there is none. */
  #blob = 0;
  /** Size of the list in bytes. */
  #bytes = 0;

  /** Preserves and lists the regions that the kernel booted with. */
  constructor(host: RegionHost) {
    this.#host = host;
    this.#regions = [...host.booted.regions];
    this.#names = host.platform.machine.reserveMem?.names ?? [];
    for (const name of this.#names) {
      const region = this.#regions.find((each) => each.name === name);
      host.answer.regions.add(region?.start ?? 0, region?.bytes ?? 0);
    }
    if (this.#regions.length > 0 && host.booted.kho === 'on') this.#publish();
    this.#tell();
  }

  /** Says in the answer where the list is. */
  #tell(): void {
    const { answer } = this.#host;
    answer.memblock = this.#blob;
    answer.memblockBytes = this.#bytes;
  }

  #publish(): void {
    const { pages, preserves } = this.#host;
    if (this.#host.outgoing.holdsRegions === true) {
      this.#host.outgoing.list?.(this.#regions);
      return;
    }
    if (preserves && !this.#preserveRegions()) throw new KernelPanic('no page left to boot with');
    this.#blob = pages.takePage();
    if (this.#blob < 0 || (preserves && !this.#preserveList())) {
      throw new KernelPanic('no page left to boot with');
    }
    this.#list();
  }

  state(): unknown {
    return [this.#regions, this.#blob, this.#bytes];
  }

  save(): () => void {
    const [regions, blob, bytes] = [[...this.#regions], this.#blob, this.#bytes];
    return () => {
      this.#regions.splice(0, this.#regions.length, ...regions);
      this.#blob = blob;
      this.#bytes = bytes;
    };
  }

  /** Whether there is a list of regions. */
  get isListed(): boolean {
    return this.#blob !== 0;
  }

  /** Preserves the regions and their list; false when there were not pages enough. */
  preserve(): boolean {
    const { outgoing, tracker } = this.#host;
    // Where the tree says what is preserved, the nodes of regions do.
    if (outgoing.holdsRegions === true) {
      return tracker.ranges !== undefined || this.#preserveRegions();
    }
    return this.#blob === 0 || (this.#preserveRegions() && this.#preserveList());
  }

  #preserveRegions(): boolean {
    const { tracker, pages } = this.#host;
    let all = true;
    for (const region of this.#regions) {
      this.#eachBlock(region, (head, order) => {
        all &&= tracker.add(head, order, pages);
      });
    }
    return all;
  }

  #preserveList(): boolean {
    const { tracker, pages } = this.#host;
    return tracker.add(this.#blob, 0, pages);
  }

  /** Visits the blocks that a region is preserved as. */
  #eachBlock(region: Region, visit: (head: number, order: number) => void): void {
    const { topology, decisions } = this.#host.platform;
    let head = regionFirst(region, topology.pageBytes);
    const end = decisions.preservesPartialPages
      ? regionEnd(region, topology.pageBytes)
      : head + Math.floor(region.bytes / topology.pageBytes);
    while (head < end) {
      const order = blockOrder(topology, head, end, decisions.preserveSplitsAtNodes);
      visit(head, order);
      head += 2 ** order;
    }
  }

  /** Writes the list anew and names it in the outgoing tree. */
  #list(): void {
    const { platform, outgoing, debugfs } = this.#host;
    const { memory, topology } = platform;
    const phys = this.#blob * topology.pageBytes;
    outgoing.remove(phys);
    debugfs.remove(phys);
    this.#bytes = writeRegions(memory.zeroPage(this.#blob), this.#regions);
    const named = outgoing.add(MEMBLOCK.name, phys, this.#bytes);
    if (named === 0) debugfs.add(MEMBLOCK.name, phys, this.#bytes);
  }

  /** Whether a frame belongs to a region. */
  covers(pfn: number): boolean {
    const { pageBytes } = this.#host.platform.topology;
    for (const region of this.#regions) {
      if (pfn >= regionFirst(region, pageBytes) && pfn < regionEnd(region, pageBytes)) return true;
    }
    return false;
  }

  #indexOf(call: Call): number {
    const name = this.#names[call.name];
    const { findsRegionsByName } = this.#host.platform.decisions;
    return this.#regions.findIndex((region) => region.name === name || !findsRegionsByName);
  }

  /** Address of a region, its size in `answer.bytes`; -ENOENT when there is none. */
  find(call: Call): number {
    const region = this.#regions[this.#indexOf(call)];
    if (region === undefined) return -ENOENT;
    this.#host.answer.bytes = region.bytes;
    return region.start;
  }

  /** Gives the memory of a region to the page allocator; answers 0 or -ENOENT. */
  release(call: Call): number {
    const index = this.#indexOf(call);
    const region = this.#regions[index];
    if (region === undefined) return -ENOENT;
    const { platform, booted, tracker, answer } = this.#host;
    const { topology, decisions } = platform;
    const kept = booted.kho === 'on';
    if (kept && decisions.releaseUnpreserves) {
      this.#eachBlock(region, (head, order) => tracker.remove(head, order));
    }
    const first = regionFirst(region, topology.pageBytes);
    const end = decisions.releasedEnd(region.start + region.bytes, topology.pageBytes);
    booted.early.remove(first, end);
    platform.memory.journal.note(first, regionEnd(region, topology.pageBytes) - first);
    for (let pfn = first; pfn < end; pfn++) booted.allocator.free(pfn, 0);
    answer.managed += end - first;
    this.#regions.splice(index, 1);
    const isListed = kept && this.#host.outgoing.holdsRegions !== true;
    if (isListed && decisions.releaseUnlists) this.#relist();
    this.#tell();
    return 0;
  }

  #relist(): void {
    const { dropsEmptyList } = this.#host.platform.decisions;
    if (this.#regions.length > 0 || !dropsEmptyList) {
      this.#list();
      return;
    }
    const { platform, tracker, pages, outgoing, debugfs } = this.#host;
    const { topology } = platform;
    outgoing.remove(this.#blob * topology.pageBytes);
    debugfs.remove(this.#blob * topology.pageBytes);
    tracker.remove(this.#blob, 0);
    pages.givePage(this.#blob);
    this.#blob = 0;
    this.#bytes = 0;
  }
}
