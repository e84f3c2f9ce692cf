/**
 * One line of characters that shows where things lie in memory.
 *
 * Every character is a cell of the same power-of-two size, the smallest with which the line fits;
 * a stretch of empty cells is one character. So a machine of any size fits on one line, and what
 * lies close together stays apart as long as there is room.
 */

/** A stretch of memory `[start, end)` in bytes, shown as `mark`. */
export interface Stretch {
  readonly start: number;
  readonly end: number;
  /** One character. */
  readonly mark: string;
}

/** A drawn strip. */
export interface Strip {
  readonly line: string;
  /** Bytes of memory that one character stands for. */
  readonly cellBytes: number;
}

/** Shows a cell that several kinds share. */
export const MIXED = '*';
/** Shows one empty cell. */
export const EMPTY = '.';
/** Shows several empty cells. */
export const GAP = '⋯';

/** Runs of cells in use `[first, last]`, ascending, without gaps inside. */
const runs = (stretches: readonly Stretch[], cell: number): [number, number][] => {
  const found: [number, number][] = [];
  for (const { start, end } of stretches) {
    const [first, last] = [Math.floor(start / cell), Math.ceil(end / cell) - 1];
    const open = found.at(-1);
    if (open !== undefined && first <= open[1] + 1) open[1] = Math.max(open[1], last);
    else found.push([first, last]);
  }
  return found;
};

const length = (found: readonly (readonly [number, number])[]): number =>
  found.reduce((sum, [first, last]) => sum + last - first + 1, Math.max(0, found.length - 1));

/**
 * Draws `stretches` on at most `width` characters, in cells of at least `leastCell` bytes.
 * Empty stretches are left out. Without any the line is empty.
 */
export const drawStrip = (
  stretches: readonly Stretch[],
  width: number,
  leastCell: number,
): Strip => {
  const sorted = stretches.filter(({ start, end }) => end > start);
  sorted.sort((a, b) => a.start - b.start || a.end - b.end);
  let cellBytes = leastCell;
  let found = runs(sorted, cellBytes);
  while (length(found) > Math.max(1, width)) {
    cellBytes *= 2;
    found = runs(sorted, cellBytes);
  }
  const cells = new Map<number, string>();
  for (const { start, end, mark } of sorted) {
    for (let cell = Math.floor(start / cellBytes); cell * cellBytes < end; cell++) {
      const before = cells.get(cell);
      cells.set(cell, before === undefined || before === mark ? mark : MIXED);
    }
  }
  let line = '';
  let next = found[0]?.[0] ?? 0;
  for (const [first, last] of found) {
    if (first > next) line += first === next + 1 ? EMPTY : GAP;
    for (let cell = first; cell <= last; cell++) line += cells.get(cell) ?? EMPTY;
    next = last + 1;
  }
  return { line, cellBytes };
};
