/**
 * Early boot: from the jump to the moment the page allocator is up.
 *
 * The kernel gets physical memory, an FDT address and a scratch address, and nothing else. It looks
 * at the tree before it believes anything; from then on it allocates in scratch alone, until the
 * tracker told it what to keep its hands off.
 */
import type { CallAnswer, RangeList } from '#model/call';
import type { Machine } from '#model/system';
import type { Decisions } from './decisions.ts';
import { acceptTree } from './handover-tree.ts';
import { HeldBlocks } from './held-blocks.ts';
import { Memblock, takeEarly } from './memblock.ts';
import { PageAllocator } from './page-allocator.ts';
import type { PhysicalMemory } from './physical-memory.ts';
import { KernelPanic, walkTracker } from './radix-tracker.ts';
import { RangeSet } from './range-set.ts';
import { readScratchArray, reserveScratch, writeScratchArray } from './scratch.ts';
import type { ScratchArea } from './scratch.ts';
import type { Topology } from './topology.ts';

/** Frames that a kernel image takes, and where the first one of a chain lies. */
export const IMAGE_FRAMES = 8;
const FIRST_IMAGE_FRAME = 16;
/** Frames that early boot allocates, in this many pieces of growing size. */
const EARLY_PIECES = 3;

/** What the boot loader or the previous kernel tells the next one. */
export interface BootParameters {
  /** Where the image and its companions were copied to. */
  readonly image: RangeList;
  /** Addresses in bytes; 0 when the image carries no handover. */
  readonly fdt: number;
  readonly scratchArray: number;
  readonly scratchBytes: number;
}

/** What does not change from kernel to kernel of one machine. */
export interface Platform {
  readonly machine: Machine;
  readonly topology: Topology;
  readonly memory: PhysicalMemory;
  readonly decisions: Decisions;
  /** Root compatible string that this kernel writes and takes. */
  readonly compatible: string;
  readonly release: string;
}

/** A kernel whose page allocator is up. */
export interface Booted {
  readonly allocator: PageAllocator;
  readonly held: HeldBlocks;
  readonly early: RangeSet;
  readonly areas: readonly ScratchArea[];
  /** Address of the scratch array in bytes. */
  readonly scratchArray: number;
  /** Frame of the incoming tree, or -1 on a cold boot. */
  readonly incomingTree: number;
}

interface Handover {
  readonly trackerRoot: number;
  readonly treeFrame: number;
  readonly areas: readonly ScratchArea[];
}

/** Looks at what the previous kernel left; undefined when there is nothing to believe. */
const populate = (platform: Platform, parameters: BootParameters): Handover | undefined => {
  const { memory, topology, decisions, compatible } = platform;
  const treeFrame = parameters.fdt / topology.pageBytes;
  const tree = parameters.fdt === 0 ? undefined : memory.page(treeFrame);
  if (tree === undefined) return undefined;
  const map = acceptTree(tree, compatible, decisions);
  const array = memory.page(Math.floor(parameters.scratchArray / topology.pageBytes));
  if (map === undefined || array === undefined) return undefined;
  const areas = readScratchArray(array, parameters.scratchBytes, topology.pageBytes);
  return { trackerRoot: map / topology.pageBytes, treeFrame, areas };
};

/** Boots until the page allocator is up; notes in `answer` what was reserved on the way. */
export const bootEarly = (
  platform: Platform,
  parameters: BootParameters | undefined,
  answer: CallAnswer,
): Booted | undefined => {
  const handover = parameters && populate(platform, parameters);
  const memblock = new Memblock();
  reserveImage(platform, memblock, parameters, answer);
  answer.value = handover === undefined ? 0 : 1;

  if (handover !== undefined && platform.decisions.earlyMemoryInScratchOnly) {
    for (const { first, count } of handover.areas) memblock.permit(first, first + count);
  } else {
    permitAll(platform.topology, memblock);
  }
  for (let piece = 1; piece <= EARLY_PIECES; piece++) {
    takeEarly(memblock, platform.memory, piece, answer.early);
  }
  const areas =
    handover !== undefined && platform.decisions.inheritsScratch
      ? handover.areas
      : reserveAnew(platform, memblock);
  if (areas === undefined) return undefined;
  const scratchArray =
    handover !== undefined && platform.decisions.inheritsScratch
      ? parameters!.scratchArray
      : placeScratchArray(platform, memblock, areas, answer);
  if (scratchArray < 0) return undefined;
  const held = ingest(platform, handover);
  return {
    ...startAllocator(platform, memblock, areas, held),
    held,
    areas,
    scratchArray,
    incomingTree: handover?.treeFrame ?? -1,
  };
};

const reserveImage = (
  { memory }: Platform,
  memblock: Memblock,
  parameters: BootParameters | undefined,
  answer: CallAnswer,
): void => {
  if (parameters === undefined) {
    memory.overwrite(FIRST_IMAGE_FRAME, IMAGE_FRAMES);
    answer.early.add(FIRST_IMAGE_FRAME, IMAGE_FRAMES);
  } else {
    answer.early.copyFrom(parameters.image);
  }
  for (let i = 0; i < answer.early.length; i++) {
    memblock.reserve(answer.early.first(i), answer.early.count(i));
  }
};

const permitAll = (topology: Topology, memblock: Memblock): void => {
  for (let node = topology.nodes - 1; node >= 0; node--) {
    memblock.permit(topology.first(node), topology.endOf(node));
  }
};

const reserveAnew = (platform: Platform, memblock: Memblock): ScratchArea[] | undefined => {
  const everywhere = new Memblock();
  permitAll(platform.topology, everywhere);
  for (let i = 0; i < memblock.reserved.length; i++) {
    everywhere.reserved.add(memblock.reserved.first(i), memblock.reserved.end(i));
  }
  return reserveScratch(platform.machine, platform.topology, everywhere, platform.decisions);
};

/** Finds a page beside scratch for the array and writes it; -1 when there is none. */
const placeScratchArray = (
  { memory, topology }: Platform,
  memblock: Memblock,
  areas: readonly ScratchArea[],
  answer: CallAnswer,
): number => {
  const beside = new Memblock();
  permitAll(topology, beside);
  for (let i = 0; i < memblock.reserved.length; i++) {
    beside.reserved.add(memblock.reserved.first(i), memblock.reserved.end(i));
  }
  for (const { first, count } of areas) beside.reserve(first, count);
  const frame = beside.allocate(1, 1, 1);
  if (frame < 0) return -1;
  memblock.reserve(frame, 1);
  answer.early.add(frame, 1);
  writeScratchArray(memory.zeroPage(frame), areas, topology.pageBytes);
  return frame * topology.pageBytes;
};

/** Learns which blocks were handed over; one that starts outside memory has no page to mark. */
const ingest = (platform: Platform, handover: Handover | undefined): HeldBlocks => {
  const { memory, topology, decisions } = platform;
  const held = new HeldBlocks();
  if (handover !== undefined && handover.trackerRoot !== 0) {
    walkTracker(memory, handover.trackerRoot, (pfn, order) => {
      if (topology.nodeOf(pfn) < 0) throw new KernelPanic('a preserved block is not in memory');
      held.add(pfn, decisions.markedOrder(order), decisions.reservedFrames(order));
    });
  }
  held.seal();
  return held;
};

/** Gives everything that is neither reserved nor held to the page allocator. */
const startAllocator = (
  { topology, decisions }: Platform,
  memblock: Memblock,
  areas: readonly ScratchArea[],
  held: HeldBlocks,
): { readonly allocator: PageAllocator; readonly early: RangeSet } => {
  const scratch = new RangeSet();
  if (decisions.scratchIsMovableOnly) {
    for (const { first, count } of areas) scratch.add(first, first + count);
  }
  const allocator = new PageAllocator(topology, scratch);
  const early = new RangeSet();
  for (let i = 0; i < memblock.reserved.length; i++) {
    early.add(memblock.reserved.first(i), memblock.reserved.end(i));
  }
  for (let node = 0; node < topology.nodes; node++) {
    addFreeOfNode(allocator, early, held, topology.first(node), topology.endOf(node));
  }
  return { allocator, early };
};

const addFreeOfNode = (
  allocator: PageAllocator,
  early: RangeSet,
  held: HeldBlocks,
  first: number,
  end: number,
): void => {
  let pfn = first;
  let block = 0;
  let range = early.after(first);
  while (pfn < end) {
    while (block < held.count && held.first(block) + held.reserved(block) <= pfn) block++;
    while (range < early.length && early.end(range) <= pfn) range++;
    const nextHeld = block < held.count ? held.first(block) : Infinity;
    const nextEarly = range < early.length ? early.first(range) : Infinity;
    const next = Math.min(nextHeld, nextEarly);
    if (next > pfn) allocator.addFree(pfn, Math.min(next, end));
    if (next === nextHeld) pfn = Math.max(pfn, Math.min(next + held.reserved(block), Infinity));
    else pfn = next === Infinity ? end : early.end(range);
  }
};
