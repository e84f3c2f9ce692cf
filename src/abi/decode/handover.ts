/**
 * Decodes one whole handover out of memory.
 *
 * Invariants: reads only through `Frames`, never throws whatever the bytes are, ends after work
 * bounded by the pages there are. Whatever cannot be decoded is in `damage`; the rest is decoded
 * all the same.
 */
import type { Generation, TrackerFormat } from '../description/generation.ts';
import { generationById, NEWEST_GENERATION } from '../description/generations.ts';
import { hex, type Damage } from './bytes.ts';
import type { Frames } from './frames.ts';
import { readMemory } from './memory.ts';
import { remembering } from './remember.ts';
import { readScratchArray, type ScratchArea } from './scratch-array.ts';
import { claimedSize, readRootTree, type RootTree, type SubtreeEntry } from './subtrees.ts';
import {
  guessFormat,
  readTracker,
  type DecodedBlock,
  type DecodedTrackerPage,
  type TrackerContent,
} from './tracker.ts';

/** Where a handover begins: what one kernel tells the next through its boot protocol. */
export interface HandoverPointers {
  /** Address of the root FDT page, bytes. */
  readonly fdt: number;
  /** Address of the scratch array, bytes; undefined when nobody said. */
  readonly scratchArray?: number | undefined;
  /** Length of the scratch array in bytes; without it, up to the first entry of zeros. */
  readonly scratchBytes?: number | undefined;
  /**
   * The generation that wrote it, where somebody knows: one string can stand for several, and not
   * everything that tells them apart has to be in the bytes. By itself or by its id.
   */
  readonly writer?: Generation | string | undefined;
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
  /** Names of subtrees that do not say where their blob is. */
  readonly lost: readonly string[];
  /** Generations that write such a handover, oldest first; empty when nobody is known to. */
  readonly writers: readonly Generation[];
}

const NO_TRACKER: TrackerContent = { preserved: [], trackerPages: [], damage: [] };

/** Readers of trees, one for every writer that was told, each with a memory of its own. */
const READERS = new Map<Generation | undefined, (bytes: Uint8Array) => RootTree>();

const readRoot = (bytes: Uint8Array, writer: Generation | undefined): RootTree => {
  let reader = READERS.get(writer);
  if (reader === undefined) {
    reader = remembering((each) => readRootTree(each, writer));
    READERS.set(writer, reader);
  }
  return reader(bytes);
};

/** The tracker of a tree: which format it has, and what is in it. */
export interface FoundTracker {
  readonly format: TrackerFormat;
  readonly content: TrackerContent;
}

/** Reads the tracker that a tree names; undefined when it names none. */
export const readTrackerOf = (frames: Frames, root: RootTree): FoundTracker | undefined => {
  const { tracker, ranges, writers } = root;
  const formats = [...new Set(writers.map((writer) => writer.tracker))];
  if (formats.length === 0) formats.push(NEWEST_GENERATION.tracker);
  const start = { phys: tracker ?? 0, ranges };
  const format = guessFormat(frames, formats, start);
  if (tracker === undefined && format.kind !== 'ranges') return undefined;
  return { format, content: readTracker(frames, format, start) };
};

/** Reads the root tree at `fdt`, which before the merge may be longer than a page. */
export const readRootAt = (
  frames: Frames,
  fdt: number,
  writer: Generation | undefined,
): RootTree | string => {
  const page = pageAt(frames, fdt);
  if (typeof page === 'string') return page;
  const claimed = claimedSize(page);
  if (claimed !== undefined && claimed > page.length) {
    const all = readMemory(frames, fdt, claimed);
    const root = all === undefined ? undefined : readRoot(all, writer);
    if (root?.generation?.root.onePage === false) return root;
  }
  return withSizes(frames, readRoot(page, writer));
};

/** Fills in the sizes of blobs where only the blobs say them. */
const withSizes = (frames: Frames, root: RootTree): RootTree => {
  const names = root.generation?.subtree;
  if (names === undefined || names.bytes !== undefined) return root;
  const subtrees = root.subtrees.map((entry) => ({
    ...entry,
    bytes: treeSize(frames, entry.phys) ?? 0,
  }));
  return { ...root, subtrees };
};

/** Bytes that the device tree at `phys` says it has, or undefined when there is none. */
const treeSize = (frames: Frames, phys: number): number | undefined => {
  const header = readMemory(frames, phys, 8);
  return header === undefined ? undefined : claimedSize(header);
};

/** Decodes the handover that `pointers` lead to. */
export const decodeHandover = (frames: Frames, pointers: HandoverPointers): DecodedHandover => {
  const { fdt, scratchArray } = pointers;
  const { pageShift } = frames;
  const damage: Damage[] = [];
  const { writer } = pointers;
  const read = readRootAt(
    frames,
    fdt,
    typeof writer === 'string' ? generationById(writer) : writer,
  );
  if (typeof read === 'string') damage.push({ where: `fdt(${hex(fdt)})`, what: read });
  const root: RootTree | undefined = typeof read === 'string' ? undefined : read;
  const found = root && readTrackerOf(frames, root);
  const content = found?.content ?? NO_TRACKER;
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
    tracker: root?.tracker,
    scratch: array.areas,
    preserved: content.preserved,
    trackerPages: content.trackerPages,
    subtrees: root?.subtrees ?? [],
    damage,
    lost: root?.lost ?? [],
    writers: root?.writers.filter(({ tracker }) => !found || tracker === found.format) ?? [],
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
    lost: root.lost,
    writers: root.writers,
  };
};

const pageAt = (frames: Frames, phys: number): Uint8Array | string => {
  const pfn = phys / 2 ** frames.pageShift;
  if (!Number.isSafeInteger(pfn)) return 'the page is not aligned';
  return frames.page(pfn) ?? 'the page is not there';
};
