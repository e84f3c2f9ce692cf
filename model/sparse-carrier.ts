/**
 * The sparse carrier: a state of the law on a machine of any size.
 *
 * Frames live in chunks of 1024 that exist only where a cell was ever set. Loops visit a frame only
 * if one of its cells may be non-zero, in ascending order; the cost of a loop follows what is used,
 * not what exists. A carrier is emptied and used again from trace to trace.
 */
import type { Declaration, FrameCells, KernelCell, Scope, SlotCells } from '#spec/algebra/cells';
import type { Machine } from '#spec/machine';
import { CELLS } from '#spec/state';
import type { State } from '#spec/state';
import { lineCount } from './scratch-lines.ts';

const CHUNK_BITS = 10;
const CHUNK_FRAMES = 1 << CHUNK_BITS;
const CHUNK_MASK = CHUNK_FRAMES - 1;
/** No machine has this frame; frames beyond it are empty. */
const FRAMES_END = 2 ** 32;

class Chunk {
  /** One bit per frame: some cell of it is not 0. */
  readonly occupied = new Uint32Array(CHUNK_FRAMES / 32);
  /** How many cells of a frame are not 0. */
  readonly filled = new Uint8Array(CHUNK_FRAMES);
  readonly narrow: readonly Uint8Array[];
  readonly wide: readonly Uint32Array[];
  index = 0;

  constructor(narrow: number, wide: number) {
    this.narrow = Array.from({ length: narrow }, () => new Uint8Array(CHUNK_FRAMES));
    this.wide = Array.from({ length: wide }, () => new Uint32Array(CHUNK_FRAMES));
  }

  clear(): void {
    this.occupied.fill(0);
    this.filled.fill(0);
    for (const column of this.narrow) column.fill(0);
    for (const column of this.wide) column.fill(0);
  }

  /** A cell of a frame that was 0 is something else now, or the other way round. */
  count(at: number, isFilled: boolean): void {
    if (isFilled) {
      if (this.filled[at]!++ === 0) this.occupied[at >>> 5]! |= 1 << (at & 31);
    } else if (--this.filled[at]! === 0) {
      this.occupied[at >>> 5]! &= ~(1 << (at & 31));
    }
  }
}

/** The chunks of one state, found by number. */
class Chunks {
  readonly #byIndex = new Map<number, Chunk>();
  readonly #spare: Chunk[] = [];
  readonly #narrow: number;
  readonly #wide: number;
  #sorted: Chunk[] = [];
  #lastIndex = -1;
  #last: Chunk | undefined;

  constructor(narrow: number, wide: number) {
    this.#narrow = narrow;
    this.#wide = wide;
  }

  find(pfn: number): Chunk | undefined {
    if (pfn >= FRAMES_END) return undefined;
    const index = pfn >>> CHUNK_BITS;
    if (index === this.#lastIndex) return this.#last;
    this.#lastIndex = index;
    this.#last = this.#byIndex.get(index);
    return this.#last;
  }

  make(pfn: number): Chunk {
    if (pfn >= FRAMES_END) throw new RangeError(`there is no frame ${pfn}`);
    const found = this.find(pfn);
    if (found) return found;
    const index = pfn >>> CHUNK_BITS;
    const chunk = this.#spare.pop() ?? new Chunk(this.#narrow, this.#wide);
    chunk.index = index;
    this.#byIndex.set(index, chunk);
    this.#last = chunk;
    this.#sorted = [];
    return chunk;
  }

  ascending(): readonly Chunk[] {
    if (this.#sorted.length !== this.#byIndex.size) {
      this.#sorted = [...this.#byIndex.values()].sort((a, b) => a.index - b.index);
    }
    return this.#sorted;
  }

  clear(): void {
    for (const chunk of this.#byIndex.values()) {
      chunk.clear();
      this.#spare.push(chunk);
    }
    this.#byIndex.clear();
    this.#sorted = [];
    this.#lastIndex = -1;
    this.#last = undefined;
  }
}

class NarrowCells implements FrameCells {
  readonly #chunks: Chunks;
  readonly #column: number;

  constructor(chunks: Chunks, column: number) {
    this.#chunks = chunks;
    this.#column = column;
  }

  get(pfn: number): number {
    const chunk = this.#chunks.find(pfn);
    return chunk === undefined ? 0 : chunk.narrow[this.#column]![pfn & CHUNK_MASK]!;
  }

  set(pfn: number, value: number): void {
    const chunk = value === 0 ? this.#chunks.find(pfn) : this.#chunks.make(pfn);
    if (chunk === undefined) return;
    const at = pfn & CHUNK_MASK;
    const column = chunk.narrow[this.#column]!;
    const before = column[at];
    if (before === value) return;
    column[at] = value;
    const after = column[at];
    if ((before === 0) !== (after === 0)) chunk.count(at, after !== 0);
  }
}

class WideCells implements FrameCells {
  readonly #chunks: Chunks;
  readonly #column: number;

  constructor(chunks: Chunks, column: number) {
    this.#chunks = chunks;
    this.#column = column;
  }

  get(pfn: number): number {
    const chunk = this.#chunks.find(pfn);
    return chunk === undefined ? 0 : chunk.wide[this.#column]![pfn & CHUNK_MASK]!;
  }

  set(pfn: number, value: number): void {
    const chunk = value === 0 ? this.#chunks.find(pfn) : this.#chunks.make(pfn);
    if (chunk === undefined) return;
    const at = pfn & CHUNK_MASK;
    const column = chunk.wide[this.#column]!;
    const before = column[at];
    if (before === value) return;
    column[at] = value;
    const after = column[at];
    if ((before === 0) !== (after === 0)) chunk.count(at, after !== 0);
  }
}

class Slots implements SlotCells {
  readonly values: number[];

  constructor(slots: number) {
    this.values = new Array<number>(slots).fill(0);
  }

  get(slot: number): number {
    return this.values[slot] ?? 0;
  }

  set(slot: number, value: number): void {
    this.values[slot] = value;
  }
}

class Single implements KernelCell {
  value = 0;

  get(): number {
    return this.value;
  }

  set(value: number): void {
    this.value = value;
  }
}

/** The scope of lockstep on a machine: what bounds the cells that need bounds. */
const scopeOf = (machine: Machine): Scope => ({
  frames: machine.end,
  maxOrder: 31,
  nodes: machine.nodes.length,
  names: machine.nameBytes.length,
  stamps: 2 ** 32,
  kexecs: Number.MAX_SAFE_INTEGER,
  pageBytes: 2 ** machine.pageShift,
  regions: machine.reserveMem?.names.length ?? 0,
  lines: lineCount(machine),
});

/** A state on the sparse carrier, and the means to empty it. */
export interface SparseState extends State {
  /** Empties every cell. */
  clear(): void;
}

/** An empty state for a machine. */
export const sparseState = (machine: Machine): SparseState => {
  const scope = scopeOf(machine);
  const entries = Object.entries(CELLS) as [string, Declaration<'frame' | 'slot' | 'kernel'>][];
  const isNarrow = (cell: Declaration<'frame' | 'slot' | 'kernel'>): boolean =>
    cell.max(scope) <= 255;
  const frameCells = entries.filter(([, cell]) => cell.kind === 'frame');
  const narrowCount = frameCells.filter(([, cell]) => isNarrow(cell)).length;
  const chunks = new Chunks(narrowCount, frameCells.length - narrowCount);

  const cells: Record<string, FrameCells | SlotCells | KernelCell> = {};
  let narrow = 0;
  let wide = 0;
  for (const [name, cell] of entries) {
    if (cell.kind === 'slot') cells[name] = new Slots(cell.slots?.(scope) ?? 0);
    else if (cell.kind === 'kernel') cells[name] = new Single();
    else if (isNarrow(cell)) cells[name] = new NarrowCells(chunks, narrow++);
    else cells[name] = new WideCells(chunks, wide++);
  }
  return { ...cells, ...loops(chunks), machine, clear: () => clear(chunks, cells) } as SparseState;
};

const clear = (chunks: Chunks, cells: Record<string, FrameCells | SlotCells | KernelCell>) => {
  chunks.clear();
  for (const cell of Object.values(cells)) {
    if (cell instanceof Slots) cell.values.fill(0);
    else if (cell instanceof Single) cell.value = 0;
  }
};

/** Calls `visit` for each frame that is not empty until it answers true. */
const scan = (chunks: Chunks, visit: (pfn: number) => boolean): boolean => {
  for (const chunk of chunks.ascending()) {
    const base = chunk.index * CHUNK_FRAMES;
    for (let word = 0; word < CHUNK_FRAMES / 32; word++) {
      let bits = chunk.occupied[word]!;
      while (bits !== 0) {
        const bit = 31 - Math.clz32(bits & -bits);
        bits &= bits - 1;
        const at = word * 32 + bit;
        if (chunk.filled[at] !== 0 && visit(base + at)) return true;
      }
    }
  }
  return false;
};

const loops = (chunks: Chunks) => ({
  eachFrame: (visit: (pfn: number) => void): void => {
    scan(chunks, (pfn) => {
      visit(pfn);
      return false;
    });
  },
  someFrame: (test: (pfn: number) => boolean): boolean => scan(chunks, test),
  countFrames: (test: (pfn: number) => boolean): number => {
    let count = 0;
    scan(chunks, (pfn) => {
      if (test(pfn)) count++;
      return false;
    });
    return count;
  },
});
