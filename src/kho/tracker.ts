/**
 * Trackers: how a kernel notes what is preserved, and how the next one reads it.
 *
 * A strategy per format of the ABI; which one a kernel has is data of its generation. A tracker
 * takes its pages from the kernel that runs it, and what it writes is pages of memory.
 */
import type { ChunkFormat, TrackerFormat } from '#src/abi/description/generation';
import type { MemRange } from './early-trees.ts';
import { RangeTracker, walkRanges } from './range-tracker.ts';
import { BitmapTracker, walkChunks } from './bitmap-tracker.ts';
import type { Stateful } from '#model/system';
import type { Decisions } from './decisions.ts';
import type { PhysicalMemory } from './physical-memory.ts';
import { RadixTracker, walkTracker } from './radix-tracker.ts';
import type { PageSource } from './radix-tracker.ts';

/** What a kernel notes preserved blocks in. As something stateful, what it knows beside memory. */
export interface Tracker extends Stateful {
  /** Frame that the tree points to; 0 while nothing is written down, or where it does not. */
  readonly root: number;
  /** What has to stand in the tree itself; absent where the tree points to it. */
  ranges?(): readonly MemRange[];
  /** Notes a block, or answers false and has changed nothing. */
  add(pfn: number, order: number, source: PageSource): boolean;
  /** Forgets a block; one that was not noted stays that way. */
  remove(pfn: number, order: number): void;
  /** Writes down what is noted, or answers false and has changed nothing. */
  write(source: PageSource): boolean;
  /** Gives back what it wrote down, and goes on noting. */
  unlist(source: PageSource): void;
  /** Forgets everything, and gives back what it took. */
  forget(source: PageSource): void;
}

/** One way to note and to read. */
interface TrackerStrategy {
  /** Starts an empty tracker; `takePage` ends the boot where there is no page. */
  readonly start: (
    memory: PhysicalMemory,
    format: TrackerFormat,
    takePage: () => number,
    decisions: Decisions,
  ) => Tracker;
  /** Visits every block that the previous kernel wrote down. */
  readonly walk: (
    memory: PhysicalMemory,
    format: TrackerFormat,
    root: number,
    visit: (pfn: number, order: number) => void,
    decisions: Decisions,
  ) => void;
}

const STRATEGIES: Readonly<Record<TrackerFormat['kind'], TrackerStrategy>> = {
  radix: {
    start: (memory, _format, takePage, decisions) => {
      const root = takePage();
      memory.zeroPage(root);
      return new RadixTracker(memory, root, decisions);
    },
    walk: (memory, _format, root, visit) => walkTracker(memory, root, visit),
  },
  chunks: {
    start: (memory, format, _takePage, decisions) =>
      new BitmapTracker(memory, format as ChunkFormat, decisions),
    walk: (memory, format, root, visit) =>
      walkChunks(memory, format as ChunkFormat, root * 2 ** memory.pageShift, visit),
  },
  ranges: {
    start: (memory) => new RangeTracker(memory),
    walk: (memory, _format, root, visit, decisions) => walkRanges(memory, root, visit, decisions),
  },
};

export const strategyOf = ({ kind }: TrackerFormat): TrackerStrategy => STRATEGIES[kind];
