/**
 * The packed carrier: the cells of a scope on one row of bits.
 *
 * The closures of a scope run on it as they run on any other carrier. Whoever wants to know what
 * they read and wrote gives a watcher; without one nothing is recorded.
 */
import type { AnyScope } from '#model/scopes/scope';
import { ScopeError, laneAt, laneMask } from './layout.ts';
import type { Field, Layout } from './layout.ts';

/** What a recording carrier tells. */
export interface Watcher {
  /** A cell of this word is read; `size` is how many codes it has. */
  readonly read: (word: number, shift: number, mask: number, size: number) => void;
  /** A cell of this word is about to be written. */
  readonly write: (word: number, shift: number, mask: number) => void;
  /** Whether a lane is empty was looked at. */
  readonly empty: (word: number, shift: number, mask: number) => void;
  /** The body of a loop over frames begins to look at this lane (-1: the loop has ended). */
  readonly visit: (lane: number) => void;
  /** A loop that answers something about all frames was used. */
  readonly asked: () => void;
}

/** A state of some law on a row; `row` may be overwritten between calls. */
export interface Carrier {
  readonly row: Int32Array;
  /** What the closures of the scope are given. */
  readonly state: never;
}

const encoder = ({ name, size, values }: Field): ((value: number) => number) => {
  const refuse = (value: number): never => {
    throw new ScopeError(`cell ${name} was set to ${value}, which the scope does not declare`);
  };
  if (values === undefined) {
    return (value) => (value >= 0 && value < size && value % 1 === 0 ? value : refuse(value));
  }
  const codes = new Map(values.map((value, code) => [value, code]));
  return (value) => codes.get(value) ?? refuse(value);
};

/** Reading and writing one field of a word. */
const accessors = (row: Int32Array, field: Field, watcher: Watcher | undefined) => {
  const { mask, size, values } = field;
  const encode = encoder(field);
  const read = (word: number, shift: number): number => {
    if (watcher !== undefined && size > 1) watcher.read(word, shift, mask, size);
    const code = (row[word]! >>> shift) & mask;
    return values === undefined ? code : values[code]!;
  };
  const write = (word: number, shift: number, value: number): void => {
    const code = encode(value);
    if (watcher !== undefined && size > 1) watcher.write(word, shift, mask);
    row[word] = (row[word]! & ~(mask << shift)) | (code << shift);
  };
  return { read, write };
};

const frameCell = (
  row: Int32Array,
  layout: Layout,
  field: Field,
  watcher: Watcher | undefined,
): object => {
  const { read, write } = accessors(row, field, watcher);
  const places = layout.frames.map((_, lane) => laneAt(layout, lane));
  return {
    get: (pfn: number): number => {
      const at = places[layout.laneOf(pfn)];
      return at === undefined ? 0 : read(at.word, at.shift + field.shift);
    },
    set: (pfn: number, value: number): void => {
      const at = places[layout.laneOf(pfn)];
      if (at !== undefined) write(at.word, at.shift + field.shift, value);
      else if (value !== 0) {
        throw new ScopeError(`cell ${field.name} of frame ${pfn}, which the scope does not list`);
      }
    },
  };
};

const kernelCell = (row: Int32Array, field: Field, watcher: Watcher | undefined): object => {
  const { read, write } = accessors(row, field, watcher);
  return {
    get: () => read(field.word, field.shift),
    set: (value: number) => write(field.word, field.shift, value),
  };
};

const slotCell = (row: Int32Array, fields: readonly Field[], watcher: Watcher | undefined) => {
  const slots = fields.map((field) => accessors(row, field, watcher));
  return {
    get: (slot: number): number => {
      const field = fields[slot];
      return field === undefined ? 0 : slots[slot]!.read(field.word, field.shift);
    },
    set: (slot: number, value: number): void => {
      const field = fields[slot];
      if (field === undefined) throw new ScopeError(`there is no slot ${slot}`);
      slots[slot]!.write(field.word, field.shift, value);
    },
  };
};

const loops = (row: Int32Array, layout: Layout, watcher: Watcher | undefined): object => {
  const mask = laneMask(layout);
  const scan = (visit: (pfn: number) => boolean): boolean => {
    for (let lane = 0; lane < layout.frames.length; lane++) {
      const { word, shift } = laneAt(layout, lane);
      watcher?.empty(word, shift, mask);
      if (((row[word]! >>> shift) & mask) === 0) continue;
      watcher?.visit(lane);
      if (visit(layout.frames[lane]!)) {
        watcher?.visit(-1);
        return true;
      }
      watcher?.visit(-1);
    }
    return false;
  };
  return {
    eachFrame: (visit: (pfn: number) => void): void => {
      scan((pfn) => {
        visit(pfn);
        return false;
      });
    },
    someFrame: (test: (pfn: number) => boolean): boolean => {
      watcher?.asked();
      return scan(test);
    },
    countFrames: (test: (pfn: number) => boolean): number => {
      watcher?.asked();
      let count = 0;
      scan((pfn) => {
        if (test(pfn)) count++;
        return false;
      });
      return count;
    },
  };
};

/** A carrier for rows of this layout. */
export const carrierOf = (scope: AnyScope, layout: Layout, watcher?: Watcher): Carrier => {
  const row = new Int32Array(layout.words);
  const state: Record<string, unknown> = { ...scope.constants, ...loops(row, layout, watcher) };
  for (const [name, field] of layout.frameFields) {
    state[name] = frameCell(row, layout, field, watcher);
  }
  for (const [name, field] of layout.kernelFields) state[name] = kernelCell(row, field, watcher);
  for (const [name, fields] of layout.slotFields) state[name] = slotCell(row, fields, watcher);
  return { row, state: state as never };
};

/** The initial row of a scope. */
export const initialRow = (scope: AnyScope, layout: Layout): Int32Array => {
  const { row, state } = carrierOf(scope, layout);
  scope.initial(state);
  return row;
};
