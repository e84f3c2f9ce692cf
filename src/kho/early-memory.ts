/**
 * What early boot does with memory beside taking pieces of it: HugeTLB pages, the blocks by which
 * scratch is widened on a handover, and the sum of what was reserved.
 *
 * Sources: mm/memblock.c (memblock_alloc_hugetlb, memblock_reserved_kern_size),
 * kernel/liveupdate/kexec_handover.c (kho_extend_scratch).
 */
import type { RangeList } from '#model/call';
import type { Machine } from '#model/system';
import type { Decisions } from './decisions.ts';
import { Memblock } from './memblock.ts';
import type { PhysicalMemory } from './physical-memory.ts';
import { walkTracker } from './radix-tracker.ts';
import type { Region } from './reserve-mem.ts';
import type { ScratchArea } from './scratch.ts';
import type { EarlyReserved } from './scratch-plan.ts';
import type { Topology } from './topology.ts';

/** What was reserved, summed up: by node, as low memory, and all in all; in bytes. */
export class ReservedBytes implements EarlyReserved {
  low = 0;
  total = 0;
  readonly perNode: number[];
  readonly #topology: Topology;

  constructor(topology: Topology) {
    this.#topology = topology;
    this.perNode = Array.from({ length: topology.nodes }, () => 0);
  }

  /** Adds `[start, start + bytes)`, an address in bytes. */
  add(start: number, bytes: number): void {
    const { pageBytes, lowmemEnd } = this.#topology;
    this.total += bytes;
    this.low += Math.max(0, Math.min(start + bytes, lowmemEnd * pageBytes) - start);
    for (let node = 0; node < this.perNode.length; node++) {
      const first = Math.max(start, this.#topology.first(node) * pageBytes);
      const end = Math.min(start + bytes, this.#topology.endOf(node) * pageBytes);
      this.perNode[node]! += Math.max(0, end - first);
    }
  }

  /** Adds all that an allocator of early memory has reserved. */
  addReserved({ reserved }: Memblock): void {
    const { pageBytes } = this.#topology;
    for (let i = 0; i < reserved.length; i++) {
      this.add(reserved.first(i) * pageBytes, (reserved.end(i) - reserved.first(i)) * pageBytes);
    }
  }

  addRegions(regions: readonly Region[]): void {
    for (const { start, bytes } of regions) this.add(start, bytes);
  }
}

/** Blocks of memory, by their number; a block has `widenFrames` frames. */
const busyBlocks = (
  memory: PhysicalMemory,
  root: number,
  size: number,
  decisions: Decisions,
): ReadonlySet<number> => {
  const busy = new Set<number>();
  const note = (first: number, count: number): void => {
    for (let block = Math.floor(first / size); block * size < first + count; block++) {
      busy.add(block);
    }
  };
  walkTracker(
    memory,
    root,
    (pfn, order) => {
      if (decisions.widensAroundPreserved) note(pfn, 2 ** order);
    },
    (frame) => {
      if (decisions.widensAroundTracker) note(frame, 1);
    },
  );
  return busy;
};

/** A range of frames, the end exclusive. */
export interface FrameRange {
  readonly first: number;
  readonly end: number;
}

/**
 * The runs of blocks in which nothing was handed over, highest first, cut at node borders.
 *
 * @param root frame of the tracker's root
 */
export const blocksToWiden = (
  machine: Machine,
  topology: Topology,
  memory: PhysicalMemory,
  root: number,
  decisions: Decisions,
): readonly FrameRange[] => {
  const size = machine.widenFrames ?? 0;
  if (size === 0) return [];
  const busy = [...busyBlocks(memory, root, size, decisions)].sort((a, b) => a - b);
  const free: FrameRange[] = [];
  let first = 0;
  for (const block of [...busy, Infinity]) {
    for (let node = 0; node < topology.nodes; node++) {
      const from = Math.max(first, topology.first(node));
      const end = Math.min(block * size, topology.endOf(node));
      if (from < end) free.unshift({ first: from, end });
    }
    first = (block + 1) * size;
  }
  return free;
};

/**
 * Takes the HugeTLB pages that a machine asks for, as many as there are places.
 *
 * @param permitted where early memory may come from, highest first; undefined: from anywhere
 * @param areas scratch of the previous kernel, none on a cold boot
 * @param early, huge where they are noted
 */
export const takeHugePages = (
  { machine, topology, memory, decisions }: HugeHost,
  memblock: Memblock,
  permitted: readonly FrameRange[],
  areas: readonly ScratchArea[],
  { early, huge }: { readonly early: RangeList; readonly huge: RangeList },
): void => {
  const { hugePages } = machine;
  if (hugePages === undefined) return;
  const size = 2 ** hugePages.order;
  const places = new Memblock();
  for (const { first, end } of permitted) places.permit(Math.max(first, 1), end);
  for (let i = 0; i < memblock.reserved.length; i++) {
    places.reserved.add(memblock.reserved.first(i), memblock.reserved.end(i));
  }
  for (const { first, count } of areas) {
    if (decisions.hugePagesOutsideScratch) places.reserve(first, count);
    else places.permit(first, first + count);
  }
  for (let page = 0; page < hugePages.count; page++) {
    const first = places.allocate(size, decisions.hugePageAlign(size));
    if (first < 0 || first + size > topology.end) return;
    memory.overwrite(first, size);
    memblock.reserve(first, size);
    early.add(first, size);
    huge.add(first, size);
  }
};

/** What taking HugeTLB pages works with. */
export interface HugeHost {
  readonly machine: Machine;
  readonly topology: Topology;
  readonly memory: PhysicalMemory;
  readonly decisions: Decisions;
}
