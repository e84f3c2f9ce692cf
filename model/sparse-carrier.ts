/**
 * The sparse carrier: a state of the law on a machine of any size.
 *
 * Frames live in chunks of 1024 that exist only where a cell was ever set. Loops visit a frame only
 * if one of its cells may be non-zero, in ascending order; the cost of a loop follows what is used,
 * not what exists. A carrier is emptied and used again from trace to trace.
 *
 * It also keeps book of what changed, for whoever compares: which frames had a cell that changed,
 * and when each cell did. Writing the value that is there already is no change.
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

const WORDS = CHUNK_FRAMES / 32;

class Chunk {
  /** One bit per frame: some cell of it is not 0. */
  readonly occupied = new Uint32Array(WORDS);
  /** One bit per frame: it may have changed since everything was compared. */
  readonly changed = new Uint32Array(WORDS);
  /** One bit per frame: it is to be compared even if it did not change. */
  readonly watched = new Uint32Array(WORDS);
  /** What whoever compares noted of each frame. */
  readonly notes = new Uint32Array(CHUNK_FRAMES);
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
    this.changed.fill(0);
    this.watched.fill(0);
    this.notes.fill(0);
    this.filled.fill(0);
    for (const column of this.narrow) column.fill(0);
    for (const column of this.wide) column.fill(0);
  }

  /** A cell of a frame changed from one value to another. */
  change(at: number, before: number, after: number): void {
    const word = at >>> 5;
    const bit = 1 << (at & 31);
    this.changed[word]! |= bit;
    if (before === 0) {
      if (this.filled[at]!++ === 0) this.occupied[word]! |= bit;
    } else if (after === 0 && --this.filled[at]! === 0) {
      this.occupied[word]! &= ~bit;
    }
  }
}

/** Counts changes, so that somebody can tell what changed since when. */
class Clock {
  now = 0;
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

/** A cell that knows when it was changed last, by the clock of its carrier. */
export interface Dated {
  readonly changedAt: number;
}

class NarrowCells implements FrameCells, Dated {
  changedAt = 0;
  readonly #chunks: Chunks;
  readonly #column: number;
  readonly #clock: Clock;

  constructor(chunks: Chunks, column: number, clock: Clock) {
    this.#chunks = chunks;
    this.#column = column;
    this.#clock = clock;
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
    const before = column[at]!;
    if (before === value) return;
    column[at] = value;
    chunk.change(at, before, column[at]);
    this.changedAt = ++this.#clock.now;
  }
}

class WideCells implements FrameCells, Dated {
  changedAt = 0;
  readonly #chunks: Chunks;
  readonly #column: number;
  readonly #clock: Clock;

  constructor(chunks: Chunks, column: number, clock: Clock) {
    this.#chunks = chunks;
    this.#column = column;
    this.#clock = clock;
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
    const before = column[at]!;
    if (before === value) return;
    column[at] = value;
    chunk.change(at, before, column[at]);
    this.changedAt = ++this.#clock.now;
  }
}

class Slots implements SlotCells, Dated {
  changedAt = 0;
  readonly values: number[];
  readonly #clock: Clock;

  constructor(slots: number, clock: Clock) {
    this.values = new Array<number>(slots).fill(0);
    this.#clock = clock;
  }

  get(slot: number): number {
    return this.values[slot] ?? 0;
  }

  set(slot: number, value: number): void {
    if (this.values[slot] === value) return;
    this.values[slot] = value;
    this.changedAt = ++this.#clock.now;
  }
}

class Single implements KernelCell, Dated {
  changedAt = 0;
  value = 0;
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get(): number {
    return this.value;
  }

  set(value: number): void {
    if (this.value === value) return;
    this.value = value;
    this.changedAt = ++this.#clock.now;
  }
}

/** The scope of lockstep on a machine: what bounds the cells that need bounds. */
export const scopeOf = (machine: Machine): Scope => ({
  frames: machine.end,
  maxOrder: 31,
  nodes: machine.nodes.length,
  names: machine.nameBytes.length,
  stamps: 2 ** 32,
  kexecs: Number.MAX_SAFE_INTEGER,
  pageBytes: 2 ** machine.pageShift,
  regions: machine.reserveMem?.names.length ?? 0,
  lines: lineCount(machine),
  sessions: machine.liveUpdate?.sessions ?? 0,
  files: machine.liveUpdate?.files ?? 0,
});

/** What whoever compares frame by frame is told, and answers: what to note of a frame. */
export interface FrameVisitor {
  /**
   * @param isOccupied whether the frame is not empty
   * @param note what was noted of it before
   * @returns the note to keep; `STOP` ends the visit
   */
  frame(pfn: number, isOccupied: boolean, hasChanged: boolean, note: number): number;
}

/** Ends a visit; no note. */
export const STOP = -1;

/** The book of changes: who compares reads it, and starts it anew. */
export interface Changes {
  /** Counts changes of cells; see `Dated`. */
  readonly now: number;
  /** Somebody else says that frames may have changed. Empty frames are not looked at. */
  touch(first: number, count: number): void;
  /**
   * Visits frames ascending: those that changed since the last whole visit, be they empty now, and
   * those whose note has a bit of `watch`.
   *
   * @param all visits every frame that is not empty, as one that changed
   */
  visit(visitor: FrameVisitor, watch: number, all: boolean): void;
}

/** A state on the sparse carrier, and the means to empty it. */
export interface SparseState extends State {
  /** Empties every cell. */
  clear(): void;
  readonly changes: Changes;
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
  const clock = new Clock();

  const cells: Record<string, FrameCells | SlotCells | KernelCell> = {};
  let narrow = 0;
  let wide = 0;
  for (const [name, cell] of entries) {
    if (cell.kind === 'slot') cells[name] = new Slots(cell.slots?.(scope) ?? 0, clock);
    else if (cell.kind === 'kernel') cells[name] = new Single(clock);
    else if (isNarrow(cell)) cells[name] = new NarrowCells(chunks, narrow++, clock);
    else cells[name] = new WideCells(chunks, wide++, clock);
  }
  return {
    ...cells,
    ...loops(chunks),
    machine,
    clear: () => clear(chunks, cells, clock),
    changes: {
      get now() {
        return clock.now;
      },
      touch: (first, count) => touch(chunks, first, count),
      visit: (visitor, watch, all) => visitChanged(chunks, visitor, watch, all),
    },
  } as SparseState;
};

const clear = (
  chunks: Chunks,
  cells: Record<string, FrameCells | SlotCells | KernelCell>,
  clock: Clock,
): void => {
  chunks.clear();
  clock.now++;
  for (const cell of Object.values(cells)) {
    if (cell instanceof Slots) cell.values.fill(0);
    else if (cell instanceof Single) cell.value = 0;
    (cell as NarrowCells | WideCells | Slots | Single).changedAt = clock.now;
  }
};

/** Marks the frames of a range that chunks exist for as changed. */
const touch = (chunks: Chunks, first: number, count: number): void => {
  const end = Math.min(first + count, FRAMES_END);
  for (let from = first; from < end;) {
    const stop = Math.min(end, from - (from % CHUNK_FRAMES) + CHUNK_FRAMES);
    const chunk = chunks.find(from);
    if (chunk !== undefined) setBits(chunk.changed, from & CHUNK_MASK, stop - from);
    from = stop;
  }
};

/** Sets `count` bits from `at` on. */
const setBits = (words: Uint32Array, at: number, count: number): void => {
  for (let from = at; from < at + count;) {
    const length = Math.min(32 - (from & 31), at + count - from);
    words[from >>> 5]! |= (length === 32 ? -1 : (1 << length) - 1) << (from & 31);
    from += length;
  }
};

const visitChanged = (chunks: Chunks, visitor: FrameVisitor, watch: number, all: boolean): void => {
  for (const chunk of chunks.ascending()) {
    for (let word = 0; word < WORDS; word++) {
      const occupied = chunk.occupied[word]!;
      const changed = chunk.changed[word]! | (all ? occupied : 0);
      const bits = changed | chunk.watched[word]!;
      if (bits !== 0 && visitWord(chunk, word, bits, changed, visitor, watch)) return;
      chunk.changed[word] = 0;
    }
  }
};

/** Visits the frames of a word that have a bit; answers whether the visitor stopped. */
const visitWord = (
  chunk: Chunk,
  word: number,
  bits: number,
  changed: number,
  visitor: FrameVisitor,
  watch: number,
): boolean => {
  const base = chunk.index * CHUNK_FRAMES + word * 32;
  for (let left = bits; left !== 0; left &= left - 1) {
    const bit = 31 - Math.clz32(left & -left);
    const mask = 1 << bit;
    const at = word * 32 + bit;
    const isOccupied = (chunk.occupied[word]! & mask) !== 0;
    const note = visitor.frame(base + bit, isOccupied, (changed & mask) !== 0, chunk.notes[at]!);
    if (note === STOP) return true;
    chunk.notes[at] = note;
    if ((note & watch) === 0) chunk.watched[word]! &= ~mask;
    else chunk.watched[word]! |= mask;
  }
  return false;
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
