/**
 * Decodes one whole handover out of memory.
 *
 * Invariants: reads only through `Frames`, never throws whatever the bytes are, ends after work
 * bounded by the pages there are. Whatever cannot be decoded is in `damage`; the rest is decoded
 * all the same.
 */
import { radixGeometry } from '../description/radix-key.ts';
import { hex, type Damage } from './bytes.ts';
import type { Frames } from './frames.ts';
import { walkRadix, type RadixVisitor } from './radix.ts';
import { readScratchArray, type ScratchArea } from './scratch-array.ts';
import { readRootTree, type RootTree, type SubtreeEntry } from './subtrees.ts';

/** Where a handover begins: what one kernel tells the next through its boot protocol. */
export interface HandoverPointers {
  /** Address of the root FDT page, bytes. */
  readonly fdt: number;
  /** Address of the scratch array, bytes; undefined when nobody said. */
  readonly scratchArray?: number | undefined;
  /** Length of the scratch array in bytes; without it, up to the first entry of zeros. */
  readonly scratchBytes?: number | undefined;
}

/** A preserved block: `2^order` pages from address `phys`. */
export interface DecodedBlock {
  readonly phys: number;
  readonly order: number;
}

/** A page of the tracker; level 0 holds bits. */
export interface DecodedTrackerPage {
  readonly phys: number;
  readonly level: number;
}

/** Matches `Handover` of spec/handover.ts, which this room may not import. */
export interface DecodedHandover {
  readonly pageShift: number;
  readonly compatible: string;
  readonly fdt: number | undefined;
  readonly scratchArray: number | undefined;
  readonly tracker: number | undefined;
  readonly scratch: readonly ScratchArea[];
  readonly preserved: readonly DecodedBlock[];
  readonly trackerPages: readonly DecodedTrackerPage[];
  readonly subtrees: readonly SubtreeEntry[];
  readonly damage: readonly Damage[];
}

/** More blocks than this are not collected: they would be a misread, or not fit our memory. */
const MAX_BLOCKS = 4194304;

/** The tracker's content, collected. */
export interface TrackerContent {
  readonly preserved: readonly DecodedBlock[];
  readonly trackerPages: readonly DecodedTrackerPage[];
  readonly damage: readonly Damage[];
}

/** Walks the radix tracker at `rootPhys` and collects what is in it. */
export const readTracker = (frames: Frames, rootPhys: number): TrackerContent => {
  const pageBytes = 2 ** frames.pageShift;
  const preserved: DecodedBlock[] = [];
  const trackerPages: DecodedTrackerPage[] = [];
  const damage: Damage[] = [];
  let dropped = 0;
  const visitor: RadixVisitor = {
    block: (pfn, order) => {
      if (preserved.length < MAX_BLOCKS) preserved.push({ phys: pfn * pageBytes, order });
      else dropped++;
    },
    page: (pfn, level) => void trackerPages.push({ phys: pfn * pageBytes, level }),
    damage: (where, what) => void damage.push({ where, what }),
  };
  walkRadix(frames, radixGeometry(frames.pageShift), rootPhys, visitor);
  if (dropped > 0) {
    damage.push({ where: 'tracker', what: `${dropped} blocks more than can be looked at` });
  }
  return { preserved, trackerPages, damage };
};

const NO_TRACKER: TrackerContent = { preserved: [], trackerPages: [], damage: [] };

/** Decodes the handover that `pointers` lead to. */
export const decodeHandover = (frames: Frames, pointers: HandoverPointers): DecodedHandover => {
  const { fdt, scratchArray } = pointers;
  const { pageShift } = frames;
  const damage: Damage[] = [];
  const page = pageAt(frames, fdt);
  if (typeof page === 'string') damage.push({ where: `fdt(${hex(fdt)})`, what: page });
  const root: RootTree | undefined = typeof page === 'string' ? undefined : readRootTree(page);
  const tracker = root?.tracker;
  const content = tracker === undefined ? NO_TRACKER : readTracker(frames, tracker);
  const array =
    scratchArray === undefined
      ? { areas: [], damage: [] }
      : readScratchArray(frames, scratchArray, pointers.scratchBytes);
  damage.push(...(root?.damage ?? []), ...content.damage, ...array.damage);
  return {
    pageShift,
    compatible: root?.compatible ?? '',
    fdt,
    scratchArray,
    tracker,
    scratch: array.areas,
    preserved: content.preserved,
    trackerPages: content.trackerPages,
    subtrees: root?.subtrees ?? [],
    damage,
  };
};

/** Decodes a root tree without any memory around it: no tracker, no scratch, no address. */
export const decodeBareTree = (bytes: Uint8Array, pageShift: number): DecodedHandover => {
  const root = readRootTree(bytes);
  return {
    pageShift,
    compatible: root.compatible,
    fdt: undefined,
    scratchArray: undefined,
    tracker: root.tracker,
    scratch: [],
    preserved: [],
    trackerPages: [],
    subtrees: root.subtrees,
    damage: root.damage,
  };
};

const pageAt = (frames: Frames, phys: number): Uint8Array | string => {
  const pfn = phys / 2 ** frames.pageShift;
  if (!Number.isSafeInteger(pfn)) return 'the page is not aligned';
  return frames.page(pfn) ?? 'the page is not there';
};
