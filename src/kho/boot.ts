/**
 * Early boot: from the jump to the moment the page allocator is up.
 *
 * The kernel gets physical memory, an FDT address and a scratch address, and nothing else. It looks
 * at the tree before it believes anything; from then on it allocates in scratch alone, until the
 * tracker told it what to keep its hands off.
 */
import type { CallAnswer, RangeList } from '#model/call';
import type { Machine } from '#model/system';
import { INTENDED } from './decisions.ts';
import type { Decisions } from './decisions.ts';
import type { Generation } from '#src/abi/description/generation';
import { NEWEST_GENERATION } from '#src/abi/description/generations';
import { MEMBLOCK } from '#src/abi/description/sub-blobs';
import { RANGES_IN_TREE, acceptTree, retrieveSubtree } from './handover-tree.ts';
import { regionsOfTree } from './early-trees.ts';
import type { MemRange } from './early-trees.ts';
import { hasCache, isCached, readCache } from './mem-cache.ts';
import { HeldBlocks } from './held-blocks.ts';
import { Memblock, takeEarly } from './memblock.ts';
import { PageAllocator } from './page-allocator.ts';
import { initialisePageblocks, loseMarks } from './pageblocks.ts';
import type { MigrateTypes } from './pageblocks.ts';
import type { PhysicalMemory } from './physical-memory.ts';
import { KernelPanic } from './radix-tracker.ts';
import { RangeSet } from './range-set.ts';
import { readRegions, regionEnd, regionFirst, reserveRegions } from './reserve-mem.ts';
import type { Region } from './reserve-mem.ts';
import { parseReserveMemLine } from './reserve-mem-option.ts';
import type { EarlyReserved } from './scratch-plan.ts';
import { ReservedBytes, blocksToWiden, takeHugePages } from './early-memory.ts';
import type { FrameRange } from './early-memory.ts';
import { readScratchArray, reserveScratch, writeScratchArray } from './scratch.ts';
import type { ReservedScratch, ScratchArea } from './scratch.ts';
import type { Topology } from './topology.ts';
import { strategyOf } from './tracker.ts';

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
  /** Address and bytes of `mem_cache`, which v3 has; then the one area stands for the array. */
  readonly cache?: number;
  readonly cacheBytes?: number;
  /** Index of its command line among those of the machine; 0 when absent. */
  readonly line?: number;
}

/** What has become of KHO in a kernel: switched off, not built in, off in a kdump kernel. */
export type KhoState = 'on' | 'off' | 'missing' | 'kdump';

/** What does not change from kernel to kernel of one machine. */
export interface Platform {
  readonly machine: Machine;
  readonly topology: Topology;
  readonly memory: PhysicalMemory;
  readonly decisions: Decisions;
  /** Root compatible string that this kernel writes and takes. */
  readonly compatible: string;
  readonly release: string;
  /** What tells this kernel from others; the newest when absent. */
  readonly generation?: Generation;
}

/** The generation of a kernel. */
export const generationOf = ({ generation }: Platform): Generation =>
  generation ?? NEWEST_GENERATION;

/** A kernel whose page allocator is up. */
export interface Booted {
  readonly allocator: PageAllocator;
  readonly types: MigrateTypes;
  readonly held: HeldBlocks;
  readonly early: RangeSet;
  readonly areas: readonly ScratchArea[];
  /** Address of the scratch array in bytes. */
  readonly scratchArray: number;
  /** Frame of the incoming tree, or -1 on a cold boot. */
  readonly incomingTree: number;
  /** Memory that `reserve_mem=` named. */
  readonly regions: readonly Region[];
  readonly kho: KhoState;
  /** Memory that is reserved for a crash kernel; in a kdump kernel, its own. In frames. */
  readonly crash: { readonly first: number; readonly count: number };
}

interface Handover {
  readonly trackerRoot: number;
  readonly treeFrame: number;
  readonly areas: readonly ScratchArea[];
  /** What `mem_cache` names, in a kernel that has it. */
  readonly cached: readonly MemRange[] | undefined;
}

/** Looks at what the previous kernel left; undefined when there is nothing to believe. */
const populate = (platform: Platform, parameters: BootParameters): Handover | undefined => {
  const { memory, topology, decisions, compatible } = platform;
  const treeFrame = parameters.fdt / topology.pageBytes;
  const tree = parameters.fdt === 0 ? undefined : memory.page(treeFrame);
  if (tree === undefined) return undefined;
  const { root } = generationOf(platform);
  const map = acceptTree(tree, compatible, decisions, root);
  if (map === undefined) return undefined;
  const areas = scratchTold(platform, parameters);
  if (areas === undefined) return undefined;
  const trackerRoot = map === RANGES_IN_TREE ? treeFrame : map / topology.pageBytes;
  const { cache = 0, cacheBytes = 0 } = parameters;
  const page = cache === 0 ? undefined : memory.page(cache / topology.pageBytes);
  const cached = page === undefined ? undefined : readCache(page, cacheBytes);
  return { trackerRoot, treeFrame, areas, cached };
};

/**
 * The scratch areas that a kernel is told of: an array of them, or in v3 the only one itself. A
 * kernel that takes the one for the other has no memory to boot in.
 */
const scratchTold = (
  platform: Platform,
  { scratchArray, scratchBytes, cache = 0 }: BootParameters,
): readonly ScratchArea[] | undefined => {
  const { memory, topology } = platform;
  const { pageBytes } = topology;
  const frame = Math.floor(scratchArray / pageBytes);
  if (hasCache(generationOf(platform))) {
    if (cache === 0) throw new KernelPanic('no memory to boot in: there is no mem_cache');
    return [{ first: frame, count: scratchBytes / pageBytes }];
  }
  const array = memory.page(frame);
  if (cache !== 0) throw new KernelPanic('no memory to boot in: the array of areas is none');
  return array === undefined ? undefined : readScratchArray(array, scratchBytes, pageBytes);
};

/** `Answer.value` of a kernel without KHO. */
const NO_KHO = 2;

/** Boots until the page allocator is up; notes in `answer` what was reserved on the way. */
export const bootEarly = (
  platform: Platform,
  parameters: BootParameters | undefined,
  answer: CallAnswer,
  asked: KhoState = 'on',
  coldLine = 0,
): Booted => {
  const { decisions } = platform;
  const line = parameters?.line ?? coldLine;
  const looks = asked === 'on' || !decisions.offRefusesHandover;
  const handover = parameters && looks ? populate(platform, parameters) : undefined;
  const memblock = new Memblock();
  reserveImage(platform, memblock, parameters, answer);
  answer.value = asked !== 'on' ? NO_KHO : handover === undefined ? 0 : 1;

  const early = new ReservedBytes(platform.topology);
  const crash = takeEarlyMemory(platform, memblock, handover, early, answer);
  const held = ingest(platform, handover);
  const regions = placeRegions(platform, memblock, line, handover, held);
  early.addRegions(regions);
  const found = findScratch(platform, memblock, parameters, handover, asked, line, early, answer);
  const { fits = true, ...scratch } = found ?? { ...NO_SCRATCH, fits: false };
  if (!fits) answer.value = NO_KHO;
  const kho = fits ? asked : 'off';
  const declared = [...scratch.areas, ...widenedAreas(platform, handover)];
  const types = initialisePageblocks(platform, declared, handover !== undefined);
  loseMarks(platform, held);
  return {
    ...startAllocator(platform, memblock, types, held),
    ...scratch,
    types,
    held,
    incomingTree: handover?.treeFrame ?? -1,
    regions,
    kho,
    crash,
  };
};

/** Scratch areas and the address of their array in bytes. */
interface Scratch extends Pick<Booted, 'areas' | 'scratchArray'> {
  /** Whether there was room for all areas; true when absent. */
  readonly fits?: boolean;
}

const NO_SCRATCH: Scratch = { areas: [], scratchArray: 0 };

/**
 * Takes the memory that a kernel needs before it knows what was handed over: in scratch alone, then
 * in what scratch is widened by, too. HugeTLB pages are never in scratch and do not count.
 */
const takeEarlyMemory = (
  platform: Platform,
  memblock: Memblock,
  handover: Handover | undefined,
  early: ReservedBytes,
  answer: CallAnswer,
): Booted['crash'] => {
  const { topology, memory, machine, decisions } = platform;
  const confined = handover !== undefined && decisions.earlyMemoryInScratchOnly;
  const everywhere = nodeRanges(topology);
  let permitted = everywhere;
  const scratch = confined ? handover.areas : [];
  if (confined && machine.rootCells !== undefined && !decisions.firmwareKeepsScratch) {
    throw new KernelPanic('no memory to boot in: nothing is marked as scratch');
  }
  for (const { first, count } of scratch) memblock.permit(first, first + count);
  if (!confined) for (const { first, end } of everywhere) memblock.permit(first, end);
  for (let piece = 1; piece <= EARLY_PIECES; piece++) {
    takeEarly(memblock, memory, piece, answer.early);
    if (piece > 1 || !confined) continue;
    permitted = mayWiden(platform, handover)
      ? blocksToWiden(machine, topology, memory, handover.trackerRoot, decisions)
      : [];
    memblock.permitFirst(permitted);
  }
  const crash = reserveCrash(platform, memblock, answer);
  if (!decisions.hugePagesScaleScratch) early.addReserved(memblock);
  takeHugePages(platform, memblock, permitted, handover?.areas ?? [], answer);
  if (decisions.hugePagesScaleScratch) early.addReserved(memblock);
  return crash;
};

/** Whether a kernel widens scratch: the newest does, where there is a tracker to go by. */
const mayWiden = (platform: Platform, { trackerRoot }: Handover): boolean =>
  platform.decisions.widensScratch &&
  trackerRoot !== 0 &&
  generationOf(platform).id === NEWEST_GENERATION.id;

/** The blocks by which scratch is widened, where a kernel takes them for scratch ever after. */
const widenedAreas = (platform: Platform, handover: Handover | undefined): ScratchArea[] => {
  const { topology, memory, machine, decisions } = platform;
  if (handover === undefined || !decisions.widenedBlocksAreScratch) return [];
  if (!mayWiden(platform, handover)) return [];
  const blocks = blocksToWiden(machine, topology, memory, handover.trackerRoot, decisions);
  return blocks.map(({ first, end }) => ({ first, count: end - first }));
};

/** Takes scratch over or reserves it; undefined when there is no room for it. */
const findScratch = (
  platform: Platform,
  memblock: Memblock,
  parameters: BootParameters | undefined,
  handover: Handover | undefined,
  kho: KhoState,
  line: number,
  early: EarlyReserved,
  answer: CallAnswer,
): Scratch | undefined => {
  if (handover !== undefined && platform.decisions.inheritsScratch) {
    const { areas } = handover;
    if (handover.cached === undefined) {
      return { areas, scratchArray: parameters!.scratchArray };
    }
    // A kernel without an array is shown by one that stands beside its own image.
    const { image } = parameters!;
    const array = image.first(image.length - 1);
    return { areas, scratchArray: array * platform.topology.pageBytes };
  }
  if (kho !== 'on') return NO_SCRATCH;
  const { areas, fits } = reserveAnew(platform, memblock, line, early);
  const { failedScratchForgets } = platform.decisions;
  if (!fits && failedScratchForgets) return undefined;
  const scratchArray = placeScratchArray(platform, memblock, areas, answer);
  return scratchArray < 0 ? undefined : { areas, scratchArray, fits };
};

/** Sets memory aside for a crash kernel, where early memory comes from. */
const reserveCrash = (
  { machine, decisions }: Platform,
  memblock: Memblock,
  answer: CallAnswer,
): Booted['crash'] => {
  const count = decisions.reservedForCrash(machine.crashFrames ?? 0);
  const first = count === 0 ? -1 : memblock.allocate(count, 1);
  if (first < 0) return { first: 0, count: 0 };
  answer.early.add(first, count);
  answer.crashFirst = first;
  answer.crashCount = count;
  return { first, count };
};

/**
 * Boots a kdump kernel in the memory that was reserved for it. The rest it does not manage.
 *
 * @param image where it was copied to when it was loaded
 */
export const bootKdump = (
  platform: Platform,
  image: RangeList,
  crash: Booted['crash'],
  answer: CallAnswer,
): Booted => {
  const { topology, memory, decisions } = platform;
  const memblock = new Memblock();
  memblock.permit(crash.first, crash.first + crash.count);
  answer.early.copyFrom(image);
  for (let i = 0; i < image.length; i++) memblock.reserve(image.first(i), image.count(i));
  for (let piece = 1; piece <= EARLY_PIECES; piece++) {
    takeEarly(memblock, memory, piece, answer.early);
  }
  answer.value = NO_KHO;
  const scratch = decisions.kdumpDisablesKho
    ? { areas: [], scratchArray: 0 }
    : kdumpScratch(platform, memblock, answer);
  const held = ingest(platform, undefined);
  const types = initialisePageblocks(platform, scratch.areas, false);
  const beside = new Memblock();
  beside.reserve(0, crash.first);
  beside.reserve(crash.first + crash.count, topology.end - crash.first - crash.count);
  for (let i = 0; i < memblock.reserved.length; i++) {
    beside.reserved.add(memblock.reserved.first(i), memblock.reserved.end(i));
  }
  const started = startAllocator(platform, beside, types, held);
  return {
    ...started,
    ...scratch,
    types,
    held,
    incomingTree: -1,
    regions: [],
    kho: 'kdump',
    crash,
  };
};

/** Scratch of a kdump kernel that does not know better: as much as it reserved itself. */
const kdumpScratch = (
  { memory, topology }: Platform,
  memblock: Memblock,
  answer: CallAnswer,
): Scratch => {
  const array = takeEarly(memblock, memory, 1, answer.early);
  const first = memblock.allocate(1, 1);
  if (array < 0 || first < 0) return { areas: [], scratchArray: 0 };
  const areas = [{ first, count: 1 }];
  writeScratchArray(memory.zeroPage(array), areas, topology.pageBytes);
  return { areas, scratchArray: array * topology.pageBytes };
};

/** Revives or places the regions that the command line names, once it is known what is held. */
const placeRegions = (
  platform: Platform,
  memblock: Memblock,
  line: number,
  handover: Handover | undefined,
  held: HeldBlocks,
): readonly Region[] => {
  const { machine, topology, decisions } = platform;
  const text = machine.reserveMem?.lines[line]?.text ?? '';
  if (text === '') return [];
  const places = new Memblock();
  for (let i = 0; i < memblock.reserved.length; i++) {
    places.reserved.add(memblock.reserved.first(i), memblock.reserved.end(i));
  }
  const areas = handover?.areas ?? [];
  if (handover !== undefined && !decisions.regionsOutsideScratch) {
    for (const { first, count } of areas) places.permit(first, first + count);
  } else {
    permitAll(topology, places);
    for (const { first, count } of areas) places.reserve(first, count);
    for (let i = 0; i < held.count; i++) places.reserve(held.first(i), held.reserved(i));
  }
  if (handover === undefined && !decisions.bootsWithoutList) {
    throw new KernelPanic('regions are asked for, and nobody listed any');
  }
  const looksBack = handover !== undefined && decisions.revivesRegions;
  const incoming = looksBack ? listedRegions(platform, handover.treeFrame, held) : [];
  const requests = parseReserveMemLine(text);
  const { regions, revived } = reserveRegions(requests, {
    topology,
    decisions,
    memblock: places,
    incoming,
    revives: handover !== undefined,
  });
  for (const region of regions) {
    const first = regionFirst(region, topology.pageBytes);
    const end = regionEnd(region, topology.pageBytes);
    if (revived.includes(region)) held.releaseRange(first, end);
    else memblock.reserve(first, end - first);
  }
  return regions;
};

/** Regions of the previous kernel whose memory is held. */
const listedRegions = (
  platform: Platform,
  treeFrame: number,
  held: HeldBlocks,
): readonly Region[] => {
  const { memory } = platform;
  const { pageBytes } = platform.topology;
  return regionsListed(platform, memory.page(treeFrame)!).filter((region) => {
    const end = regionEnd(region, pageBytes);
    let pfn = regionFirst(region, pageBytes);
    while (pfn < end && held.holds(pfn)) pfn++;
    return pfn === end;
  });
};

/** Regions that a tree lists, in a blob or in itself. */
const regionsListed = (platform: Platform, tree: Uint8Array): readonly Region[] => {
  const { root, subtree } = generationOf(platform);
  if (root.form !== 'pointers') return regionsOfTree(tree);
  const found = retrieveSubtree(tree, MEMBLOCK.name, INTENDED, subtree);
  if (typeof found === 'number') return [];
  const page = platform.memory.page(Math.floor(found.phys / platform.topology.pageBytes));
  if (page === undefined) return [];
  return readRegions(found.bytes === 0 ? page : page.subarray(0, found.bytes));
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

/** The nodes, highest first. */
const nodeRanges = (topology: Topology): readonly FrameRange[] =>
  Array.from({ length: topology.nodes }, (_, node) => ({
    first: topology.first(node),
    end: topology.endOf(node),
  })).reverse();

const permitAll = (topology: Topology, memblock: Memblock): void => {
  for (const { first, end } of nodeRanges(topology)) memblock.permit(first, end);
};

/** Reserves scratch as a command line asks for it; gives back what it had when it is too much. */
const reserveAnew = (
  platform: Platform,
  memblock: Memblock,
  line: number,
  early: EarlyReserved,
): ReservedScratch => {
  const everywhere = new Memblock();
  permitAll(platform.topology, everywhere);
  const known = platform.decisions.scratchBesideReserved ? memblock.reserved.length : 0;
  for (let i = 0; i < known; i++) {
    everywhere.reserved.add(memblock.reserved.first(i), memblock.reserved.end(i));
  }
  const reserved = reserveScratch(platform, everywhere, line, early);
  if (!reserved.fits && !platform.decisions.failedScratchFrees) {
    for (const { first, count } of reserved.areas) memblock.reserve(first, count);
  }
  return reserved;
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
    const { tracker } = generationOf(platform);
    const hold = (pfn: number, order: number): void => {
      if (topology.nodeOf(pfn) < 0) throw new KernelPanic('a preserved block is not in memory');
      const { pageBytes } = topology;
      const { cached } = handover;
      if (cached && !isCached(cached, pfn * pageBytes, 2 ** order * pageBytes)) return;
      const isData = memory.page(pfn) === undefined;
      if (isData && !decisions.keepsHeldContent) memory.zeroStamps(pfn, 1);
      held.add(
        pfn,
        decisions.markedOrder(order),
        decisions.reservedFrames(order, topology.pageShift),
      );
    };
    strategyOf(tracker).walk(memory, tracker, handover.trackerRoot, hold, decisions);
  }
  held.seal();
  return held;
};

/** Gives everything that is neither reserved nor held to the page allocator. */
const startAllocator = (
  { topology, memory, decisions }: Platform,
  memblock: Memblock,
  types: MigrateTypes,
  held: HeldBlocks,
): { readonly allocator: PageAllocator; readonly early: RangeSet } => {
  const { journal } = memory;
  const { joinsBuddies } = decisions;
  const scratch = types.cma;
  const allocator = new PageAllocator(topology, scratch, joinsBuddies, types, journal, decisions);
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
