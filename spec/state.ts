/**
 * The state of the law: who owns each frame, what is kept for the next kernel, what crossed over.
 *
 * Invariants that hold between calls (each is a rule of some chapter):
 * - a frame with `use` FREE has `block`, `kept` and `content` 0;
 * - `block` is set at the first frame of an allocated or held block only;
 * - `kept` is set at the first frame of a preserved block only, one bit per order;
 * - frames of a block in `kept` are owned by somebody and lie outside scratch.
 */
import { frameCells, kernelCell, slotCells } from './algebra/cells.ts';
import type { Cells, FrameLoops } from './algebra/cells.ts';
import { GENERATIONS, ROOT_STRING, ageOf, generationOfAge } from './generations.ts';
import type { Generation } from './generations.ts';
import { LIVE_UPDATE_CELLS } from './live-update-cells.ts';
import type { Machine } from './machine.ts';

/** Values of `use`: who owns a frame. */
export const FREE = 0;
/** Allocated for a movable request. */
export const MOVABLE = 1;
/** Allocated for an unmovable request, or restored. */
export const UNMOVABLE = 2;
/** Taken by KHO for itself: tracker pages, the handover tree, the metadata blob. */
export const KHO = 3;
/** Reserved before the page allocator was up. */
export const EARLY = 4;
/** Handed over by the previous kernel and not restored yet. */
export const HELD = 5;
/** Memory of a region that `reserve_mem=` named. */
export const REGION = 6;
/** What a crashed kernel left behind, and the kernel that runs now does not manage. */
export const LEFT = 7;
/** Allocated for a movable request, and pinned for long: it stays where it is. */
export const PINNED = 8;

export const USES = [
  'free',
  'movable',
  'unmovable',
  'KHO',
  'early',
  'held',
  'reserve_mem',
  'left behind',
  'pinned',
] as const;

/** Values of `kho`: what has become of KHO in the running kernel. */
export const KHO_ON = 0;
/** Switched off by `kho=off`. */
export const KHO_OFF = 1;
/** Not built in. */
export const KHO_MISSING = 2;
/** Off because the kernel runs in the memory of a crash kernel. */
export const KHO_KDUMP = 3;

/** Values of `loaded`: the image that a jump would start. */
export const NO_IMAGE = 0;
/** One with a handover. */
export const WITH_HANDOVER = 1;
/** One without: kexec_load(2), or loaded by a kernel whose KHO is off. */
export const WITHOUT_HANDOVER = 2;

/** The declared cells of the law. */
export const CELLS = {
  use: frameCells('who owns the frame', () => PINNED),
  block: frameCells('1 + order of the block that starts here', (s) => s.maxOrder + 1),
  kept: frameCells('orders of the preserved blocks that start here, one bit each', (s) => {
    return 2 ** (s.maxOrder + 1) - 1;
  }),
  content: frameCells('last stamp written, 0 when unspecified', (s) => s.stamps - 1),
  vmOrder: frameCells('1 + order of the blocks of the vmalloc area that starts here', (s) => {
    return s.maxOrder + 1;
  }),
  vmFlags: frameCells('flags of the vmalloc area that starts here', () => 7),
  vmNext: frameCells('frame of the block or chunk that follows; 0 at the end', (s) => s.frames - 1),
  vmList: frameCells('of an area its first chunk, of the first chunk its area', (s) => {
    return s.frames - 1;
  }),
  blob: frameCells('a blob of the previous kernel starts here, and was not given back', () => 1),
  areaFirst: slotCells(
    'first frame of a scratch area',
    (s) => s.nodes + 2,
    (s) => s.frames,
  ),
  areaCount: slotCells(
    'frames of a scratch area',
    (s) => s.nodes + 2,
    (s) => s.frames,
  ),
  outFrame: slotCells(
    '1 + frame of the blob in the outgoing tree',
    (s) => s.names,
    (s) => s.frames,
  ),
  outBytes: slotCells(
    'bytes of that blob',
    (s) => s.names,
    (s) => s.pageBytes * 2 ** s.maxOrder,
  ),
  inFrame: slotCells(
    '1 + frame of the blob in the incoming tree',
    (s) => s.names,
    (s) => s.frames,
  ),
  inBytes: slotCells(
    'bytes of that blob',
    (s) => s.names,
    (s) => s.pageBytes * 2 ** s.maxOrder,
  ),
  outRank: slotCells(
    'place of the name among those of the outgoing tree, oldest first; 0 when it has none',
    (s) => s.names,
    (s) => s.names,
  ),
  inFault: slotCells(
    '1 when the blob of the incoming tree cannot be retrieved',
    (s) => s.names,
    () => 1,
  ),
  inReturned: slotCells(
    '1 when the user of that name gave back what came (up to v4)',
    (s) => s.names,
    () => 1,
  ),
  loaded: kernelCell('which image is loaded', () => WITHOUT_HANDOVER),
  nextKernel: kernelCell('which kernel the loaded image is', () => KHO_MISSING),
  kho: kernelCell('what has become of KHO in this kernel', () => KHO_KDUMP),
  crashLoaded: kernelCell('a crash image is loaded', () => 1),
  crashFirst: kernelCell('first frame that is reserved for a crash kernel', (s) => s.frames),
  crashCount: kernelCell('frames of that reservation', (s) => s.frames),
  counted: kernelCell('kexecs that this kernel was told of', (s) => s.kexecs),
  runs: kernelCell('age of the running kernel, in generations', () => GENERATIONS.length - 1),
  loads: kernelCell('age of the kernel of the loaded image', () => GENERATIONS.length - 1),
  installed: kernelCell('age of the kernel that the machine is switched on with', () => {
    return GENERATIONS.length - 1;
  }),
  final: kernelCell('what is handed over is written down and must not change', () => 1),
  line: kernelCell('command line of the loaded image', (s) => s.lines),
  regionStart: slotCells(
    '1 + first byte of the reserve_mem region of that name',
    (s) => s.regions,
    (s) => s.frames * s.pageBytes,
  ),
  regionBytes: slotCells(
    'bytes of that region',
    (s) => s.regions,
    (s) => s.frames * s.pageBytes,
  ),
  revived: kernelCell('this kernel revived a handover', () => 1),
  kexecs: kernelCell('handovers in a row so far', (s) => s.kexecs),
  fdt: kernelCell('frame of the outgoing tree', (s) => s.frames),
  ...LIVE_UPDATE_CELLS,
} as const;

/** A state of the law on some carrier. */
export interface State extends Cells<typeof CELLS>, FrameLoops {
  readonly machine: Machine;
}

/** Whether the running kernel is older than a generation. */
export const runsBefore = (s: State, generation: Generation): boolean =>
  s.runs.get() > ageOf(generation);

/** Whether the running kernel is of this generation. */
export const runsAs = (s: State, generation: Generation): boolean =>
  s.runs.get() === ageOf(generation);

/** Whether the running kernel is of a series before the merge. */
export const isEarly = (s: State): boolean => runsBefore(s, '6.16');

/** Whether the running kernel has the `mem` properties of the first series, v4 and before. */
export const hasRanges = (s: State): boolean => runsBefore(s, 'v5');

/**
 * Whether an image that is loaded now has to go to scratch: where KHO is on. Up to v4 it has to be
 * active, too.
 */
export const confinesImages = (s: State): boolean =>
  s.kho.get() === KHO_ON && (!hasRanges(s) || s.final.get() === 1);

/** Whether memory says what is handed over: before 6.19 only once it is finalized. */
export const isWritten = (s: State): boolean => !runsBefore(s, '6.19') || s.final.get() === 1;

/** Whether the loaded kernel demands the root string that the running kernel writes. */
export const rootsMatch = (s: State): boolean =>
  ROOT_STRING[generationOfAge(s.runs.get())] === ROOT_STRING[generationOfAge(s.loads.get())];

/** Number of scratch areas a machine has: low memory, global, one per node. */
export const areaSlots = (machine: Machine): number => machine.nodes.length + 2;

/** Whether any frame of the range lies in a scratch area. An empty area touches nothing. */
export const touchesScratch = (s: State, first: number, count: number): boolean => {
  for (let area = 0; area < areaSlots(s.machine); area++) {
    const start = s.areaFirst.get(area);
    const size = s.areaCount.get(area);
    if (size > 0 && start < first + count && first < start + size) return true;
  }
  return false;
};

/** Whether the whole range lies in one scratch area. */
export const insideScratch = (s: State, first: number, count: number): boolean => {
  for (let area = 0; area < areaSlots(s.machine); area++) {
    const start = s.areaFirst.get(area);
    if (first >= start && first + count <= start + s.areaCount.get(area)) return true;
  }
  return false;
};

/** Whether every frame of the range has this use. */
export const allAre = (s: State, first: number, count: number, use: number): boolean => {
  for (let pfn = first; pfn < first + count; pfn++) {
    if (s.use.get(pfn) !== use) return false;
  }
  return true;
};

/** Sets the use of every frame of the range. */
export const setUse = (s: State, first: number, count: number, use: number): void => {
  for (let pfn = first; pfn < first + count; pfn++) s.use.set(pfn, use);
};

/** Empties every frame of the range. */
export const clearFrames = (s: State, first: number, count: number): void => {
  for (let pfn = first; pfn < first + count; pfn++) clearFrame(s, pfn);
};

/** Empties one frame. */
export const clearFrame = (s: State, pfn: number): void => {
  s.use.set(pfn, FREE);
  s.block.set(pfn, 0);
  s.kept.set(pfn, 0);
  s.content.set(pfn, 0);
  s.vmOrder.set(pfn, 0);
  s.vmFlags.set(pfn, 0);
  s.vmNext.set(pfn, 0);
  s.vmList.set(pfn, 0);
  s.blob.set(pfn, 0);
  s.luoUse.set(pfn, 0);
};

const NO_ORDERS: readonly number[] = [];

/** Orders of the preserved blocks that start at `pfn`, ascending. */
export const keptOrders = (s: State, pfn: number): readonly number[] => {
  let bits = s.kept.get(pfn);
  if (bits === 0) return NO_ORDERS;
  const orders: number[] = [];
  for (; bits !== 0; bits &= bits - 1) {
    orders.push(31 - Math.clz32(bits & -bits));
  }
  return orders;
};

/** Frames of the largest preserved block that starts at `pfn`; 0 when none does. */
export const keptFrames = (s: State, pfn: number): number => {
  const kept = s.kept.get(pfn);
  return kept === 0 ? 0 : 2 ** (31 - Math.clz32(kept));
};

/** Whether `test` holds for both ends of every preserved block that starts at `pfn`. */
export const everyKeptFrame = (
  s: State,
  pfn: number,
  test: (frame: number) => boolean,
): boolean => {
  for (let bits = s.kept.get(pfn); bits !== 0; bits &= bits - 1) {
    const order = 31 - Math.clz32(bits & -bits);
    if (!test(pfn) || !test(pfn + 2 ** order - 1)) return false;
  }
  return true;
};

/** Whether frame `pfn` lies in some preserved block. */
export const isKept = (s: State, pfn: number): boolean => {
  for (let order = 0; order <= 31; order++) {
    const head = ((pfn >>> order) << order) >>> 0;
    const kept = s.kept.get(head);
    if ((kept >>> order) & 1) return true;
    if (head === 0) return kept >>> order !== 0;
  }
  return false;
};
