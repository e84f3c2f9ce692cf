/** Carriers that are obviously right, to compare the sparse one with. */
import type { Declaration } from '#spec/algebra/cells';
import type { Machine } from '#spec/machine';
import { CELLS } from '#spec/state';
import type { State } from '#spec/state';

export const FRAME_CELLS = ['use', 'block', 'kept', 'content'] as const;
export type FrameCell = (typeof FRAME_CELLS)[number];

export interface NaiveState extends State {
  clear(): void;
  /** Frames with a cell that is not 0, ascending. */
  readonly filled: () => number[];
}

/** A cell as a map from place to number. */
class MapCell {
  readonly values = new Map<number, number>();

  get(at = 0): number {
    return this.values.get(at) ?? 0;
  }

  set(...args: readonly number[]): void {
    const [at, value] = args.length === 1 ? [0, args[0]!] : [args[0]!, args[1]!];
    this.values.set(at, value);
  }
}

/**
 * A state of maps.
 *
 * @param all loops visit frames up to here, empty or not; undefined: the filled ones
 */
export const naiveState = (machine: Machine, all?: number): NaiveState => {
  const names = Object.keys(CELLS) as (keyof typeof CELLS)[];
  const kindOf = (name: keyof typeof CELLS): string =>
    (CELLS[name] as Declaration<'frame' | 'slot' | 'kernel'>).kind;
  const cells = Object.fromEntries(names.map((name) => [name, new MapCell()]));
  const frames = names.filter((name) => kindOf(name) === 'frame').map((name) => cells[name]!);
  const isFilled = (pfn: number): boolean => frames.some((cell) => cell.get(pfn) !== 0);
  const filled = (): number[] => {
    const pfns = new Set(frames.flatMap((cell) => [...cell.values.keys()]));
    return [...pfns].filter(isFilled).sort((a, b) => a - b);
  };
  const visited = (): number[] =>
    all === undefined ? filled() : Array.from({ length: all }, (_, pfn) => pfn);
  return {
    ...cells,
    machine,
    filled,
    clear: () => Object.values(cells).forEach((cell) => cell.values.clear()),
    eachFrame: (visit: (pfn: number) => void) => visited().forEach((pfn) => visit(pfn)),
    someFrame: (test: (pfn: number) => boolean) => visited().some((pfn) => test(pfn)),
    countFrames: (test: (pfn: number) => boolean) => visited().filter((pfn) => test(pfn)).length,
  } as unknown as NaiveState;
};
