/**
 * Migrate types: what each pageblock of memory is for.
 *
 * The types are set when the memory map is initialised, in one or two phases of boot, and follow
 * from where scratch lies. Later, memory that nobody uses changes its type with who claims it;
 * CMA never changes. Nothing here is proportional to memory: what is not noted is movable.
 *
 * Invariant: CMA ranges start and end at multiples of a pageblock.
 */
import type { Platform } from './boot.ts';
import type { HeldBlocks } from './held-blocks.ts';
import { RangeSet } from './range-set.ts';
import { SparseBits } from './sparse-bits.ts';
import type { ScratchArea } from './scratch.ts';
import type { Topology } from './topology.ts';

/** Migrate types, in the kernel's numbers (`include/linux/mmzone.h`, `enum migratetype`). */
export const MIGRATE_UNMOVABLE = 0;
export const MIGRATE_MOVABLE = 1;
export const MIGRATE_CMA = 4;

/** In two phases, the first one initialises this part of a node. */
const FIRST_PHASE = 1 / 4;

export class MigrateTypes {
  /** Frames of CMA pageblocks. */
  readonly cma = new RangeSet();
  /** Frames in a pageblock. */
  readonly size: number;
  readonly #initialised = new RangeSet();
  /** Pageblocks that unmovable requests claimed, by number. */
  readonly #unmovable = new SparseBits();
  /** How often types may have changed. */
  changes = 0;

  /** @param pageblockOrder log2 of the frames in a pageblock */
  constructor(pageblockOrder: number) {
    this.size = 2 ** pageblockOrder;
  }

  /**
   * Gives every pageblock that starts in `[first, end)` its first type, whatever it had before.
   *
   * @param scratch pageblocks that any of these areas touches become CMA
   */
  initialise(first: number, end: number, scratch: readonly ScratchArea[]): void {
    this.changes++;
    this.#initialised.add(first, end);
    const from = this.#upTo(first);
    const to = this.#upTo(end);
    this.cma.remove(from, to);
    for (const area of scratch) {
      if (area.count === 0) continue;
      const start = Math.floor(area.first / this.size) * this.size;
      this.cma.add(Math.max(from, start), Math.min(to, this.#upTo(area.first + area.count)));
    }
  }

  /** Makes the pageblocks of an area CMA after all were initialised. */
  declare({ first, count }: ScratchArea): void {
    this.changes++;
    if (count === 0) return;
    this.cma.add(Math.floor(first / this.size) * this.size, this.#upTo(first + count));
  }

  /** First frame at or after `pfn` at which a pageblock starts. */
  #upTo(pfn: number): number {
    return Math.ceil(pfn / this.size) * this.size;
  }

  /** A request takes over the pageblocks from `first` on that were free as a whole. */
  claim(first: number, frames: number, movable: boolean): void {
    this.changes++;
    const start = Math.floor(first / this.size);
    for (let block = start; block * this.size < first + frames; block++) {
      if (movable) this.#unmovable.delete(block);
      else this.#unmovable.add(block);
    }
  }

  state(): unknown {
    return [this.cma, this.#initialised, this.#unmovable];
  }

  save(): () => void {
    const parts = [this.cma.save(), this.#initialised.save(), this.#unmovable.save()];
    return () => parts.forEach((restore) => restore());
  }

  /** Type of the pageblock that `pfn` lies in, or -1 where none was initialised. */
  typeOf(pfn: number): number {
    if (!this.#initialised.has(pfn)) return -1;
    if (this.cma.has(pfn)) return MIGRATE_CMA;
    return this.#unmovable.has(Math.floor(pfn / this.size)) ? MIGRATE_UNMOVABLE : MIGRATE_MOVABLE;
  }
}

/** Frames in a pageblock. */
const pageblockFrames = ({ pageShift, maxOrder }: Topology): number =>
  2 ** Math.min(pageShift - 3, maxOrder);

/** Where the first phase of boot stops on a node; at its end where there is but one phase. */
const endOfFirstPhase = ({ machine, topology }: Platform, node: number, size: number): number => {
  const first = topology.first(node);
  const end = topology.endOf(node);
  const part = Math.ceil(((end - first) * FIRST_PHASE) / size) * size;
  return machine.deferredInit === true ? Math.min(end, first + part) : end;
};

/** What becomes of the marks of a handover when a second phase initialises pages over them. */
export const loseMarks = (platform: Platform, held: HeldBlocks): void => {
  const { topology, decisions } = platform;
  if (decisions.deferredInitKeepsMarks) return;
  const size = pageblockFrames(topology);
  for (let node = 0; node < topology.nodes; node++) {
    held.unmarkRange(endOfFirstPhase(platform, node, size), topology.endOf(node));
  }
};

/**
 * Initialises the pageblocks of all nodes, in the order in which a boot does.
 *
 * @param areas scratch of this kernel
 * @param revived whether a handover told where scratch lies; else it is declared at the end
 */
export const initialisePageblocks = (
  platform: Platform,
  areas: readonly ScratchArea[],
  revived: boolean,
): MigrateTypes => {
  const { topology, decisions } = platform;
  const types = new MigrateTypes(Math.log2(pageblockFrames(topology)));
  const beside = decisions.pageblocksBesideScratch * types.size;
  const known = revived ? areas.map((area) => widened(area, beside)) : [];
  const phaseEnds: number[] = [];
  for (let node = 0; node < topology.nodes; node++) {
    const stop = endOfFirstPhase(platform, node, types.size);
    types.initialise(topology.first(node), stop, known);
    phaseEnds.push(stop);
  }
  const asked = decisions.deferredInitAsksForScratch ? known : [];
  for (let node = 0; node < topology.nodes; node++) {
    const end = topology.endOf(node);
    if (phaseEnds[node]! < end) types.initialise(phaseEnds[node]!, end, asked);
  }
  if (!revived && decisions.declaresScratch) for (const area of areas) types.declare(area);
  return types;
};

/** An area that reaches `frames` further at both ends; an empty one stays empty. */
const widened = ({ first, count }: ScratchArea, frames: number): ScratchArea =>
  count === 0 ? { first, count } : { first: first - frames, count: count + 2 * frames };
