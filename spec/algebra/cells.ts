/**
 * The algebra that the law is written in: declared cells.
 *
 * A state is nothing but cells: one number per frame, per slot (a scratch area, a subtree name) or
 * per kernel. Every cell starts at 0, and a frame whose cells are all 0 is *empty*. Rules read
 * cells, effects set them; neither keeps anything anywhere else. What carries the cells is somebody
 * else's business: a sparse carrier for machines of any size (only frames in use exist), a packed
 * one for exhaustive exploration. The same closures run on both.
 *
 * Invariant that carriers rely on: an effect leaves an empty frame that it does not name empty, so
 * that loops over frames may skip the empty ones.
 */

/** One number per frame. */
export interface FrameCells {
  get(pfn: number): number;
  set(pfn: number, value: number): void;
}

/** One number per slot; slots are counted from 0. */
export interface SlotCells {
  get(slot: number): number;
  set(slot: number, value: number): void;
}

/** One number per running kernel. */
export interface KernelCell {
  get(): number;
  set(value: number): void;
}

/** What a cell is declared with: what it means, and its largest value in a given scope. */
export interface Declaration<Kind extends 'frame' | 'slot' | 'kernel'> {
  readonly kind: Kind;
  readonly says: string;
  /** Largest value that the cell holds in `scope`; the smallest is always 0. */
  readonly max: (scope: Scope) => number;
  /** Number of slots in `scope`, for cells that have slots. */
  readonly slots?: (scope: Scope) => number;
}

/** What bounds the domain of a cell. */
export interface Scope {
  readonly frames: number;
  readonly maxOrder: number;
  readonly nodes: number;
  readonly names: number;
  /** Content stamps are below this. */
  readonly stamps: number;
  readonly kexecs: number;
  readonly pageBytes: number;
  /** Names of reserve_mem regions. */
  readonly regions: number;
  /** Command lines that a kernel may get. */
  readonly lines: number;
  /** Names of live update sessions, and tokens of their files; none when absent. */
  readonly sessions?: number;
  readonly files?: number;
}

export const frameCells = (says: string, max: (scope: Scope) => number): Declaration<'frame'> => ({
  kind: 'frame',
  says,
  max,
});

export const slotCells = (
  says: string,
  slots: (scope: Scope) => number,
  max: (scope: Scope) => number,
): Declaration<'slot'> => ({ kind: 'slot', says, slots, max });

export const kernelCell = (says: string, max: (scope: Scope) => number): Declaration<'kernel'> => ({
  kind: 'kernel',
  says,
  max,
});

type CellOf<D> =
  D extends Declaration<'frame'>
    ? FrameCells
    : D extends Declaration<'slot'>
      ? SlotCells
      : D extends Declaration<'kernel'>
        ? KernelCell
        : never;

/** The cells of a table of declarations. */
export type Cells<Table> = { readonly [Name in keyof Table]: CellOf<Table[Name]> };

/** What a carrier offers beside the cells: loops over frames, ascending, that skip empty ones. */
export interface FrameLoops {
  eachFrame(visit: (pfn: number) => void): void;
  someFrame(test: (pfn: number) => boolean): boolean;
  countFrames(test: (pfn: number) => boolean): number;
}
