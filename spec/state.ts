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

export const USES = ['free', 'movable', 'unmovable', 'KHO', 'early', 'held'] as const;

/** The declared cells of the law. */
export const CELLS = {
  use: frameCells('who owns the frame', () => HELD),
  block: frameCells('1 + order of the block that starts here', (s) => s.maxOrder + 1),
  kept: frameCells('orders of the preserved blocks that start here, one bit each', (s) => {
    return 2 ** (s.maxOrder + 1) - 1;
  }),
  content: frameCells('last stamp written, 0 when unspecified', (s) => s.stamps - 1),
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
  loaded: kernelCell('an image is loaded', () => 1),
  revived: kernelCell('this kernel revived a handover', () => 1),
  kexecs: kernelCell('handovers in a row so far', (s) => s.kexecs),
  fdt: kernelCell('frame of the outgoing tree', (s) => s.frames),
} as const;

/** A state of the law on some carrier. */
export interface State extends Cells<typeof CELLS>, FrameLoops {
  readonly machine: Machine;
}

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
