/** Remembering the law's state and the world, to go on from them another time. */
import { World } from '#model/world';
import type { Making } from '#model/world-object';
import type { SparseState } from '#model/sparse-carrier';
import type { FrameCells, KernelCell, SlotCells } from '#spec/algebra/cells';
import { CELLS } from '#spec/state';
import type { State } from '#spec/state';

type AnyCells = FrameCells & SlotCells & KernelCell;

const namesOf = (kind: string): readonly string[] =>
  Object.entries(CELLS).flatMap(([name, cell]) => (cell.kind === kind ? [name] : []));
const FRAME_CELLS = namesOf('frame');
const SLOT_CELLS = namesOf('slot');
const KERNEL_CELLS = namesOf('kernel');

const cellsOf = (state: State, names: readonly string[]): readonly AnyCells[] => {
  const row = state as unknown as Readonly<Record<string, AnyCells>>;
  return names.map((name) => row[name]!);
};

/**
 * Remembers a state of the law.
 *
 * @param slots how many slots each cell has that has slots, in the order of their declaration
 * @returns makes the same carrier that state again
 */
export const saveLaw = (state: SparseState, slots: readonly number[]): (() => void) => {
  const frameCells = cellsOf(state, FRAME_CELLS);
  const slotCells = cellsOf(state, SLOT_CELLS);
  const kernelCells = cellsOf(state, KERNEL_CELLS);
  const frames: number[] = [];
  state.eachFrame((pfn) => {
    frameCells.forEach((cells, at) => {
      const value = cells.get(pfn);
      if (value !== 0) frames.push(at, pfn, value);
    });
  });
  const filled: number[] = [];
  slotCells.forEach((cells, at) => {
    for (let slot = 0; slot < slots[at]!; slot++) {
      const value = cells.get(slot);
      if (value !== 0) filled.push(at, slot, value);
    }
  });
  const single = kernelCells.map((cell) => cell.get());
  return () => {
    state.clear();
    for (let i = 0; i < frames.length; i += 3) {
      frameCells[frames[i]!]!.set(frames[i + 1]!, frames[i + 2]!);
    }
    for (let i = 0; i < filled.length; i += 3) {
      slotCells[filled[i]!]!.set(filled[i + 1]!, filled[i + 2]!);
    }
    single.forEach((value, at) => kernelCells[at]!.set(value));
  };
};

/** Remembers a world; what is returned makes one that is like it, on the same state of the law. */
export const saveWorld = (world: World): (() => World) => {
  const { state, kernels, alive, luo, hogged, ...plain } = world;
  const objects = alive.map((object) => ({ ...object }));
  const taken = [...hogged];
  // Files and sessions know each other: they are copied together.
  const sessions = luo.any ? structuredClone({ ...luo }) : undefined;
  return () => {
    const again = Object.assign(new World(state, kernels), plain);
    again.hogged.push(...taken);
    if (sessions !== undefined) Object.assign(again.luo, structuredClone(sessions));
    for (const object of objects) {
      again.add(object.id, object as Making);
      Object.assign(again.alive.at(-1)!, object);
    }
    return again;
  };
};
