/**
 * How a state of a scope becomes a row of bits.
 *
 * Every listed frame has a *lane*: its cells side by side. Lanes lie in words of 32 bits, none
 * across a border; words for slots and kernel cells follow. A cell whose values are listed holds
 * the index of its value. Code 0 of a frame cell is value 0, so an empty frame is a lane of 0.
 */
import type { AnyScope, ScopedCell } from '#model/scopes/scope';

/** Where a cell lies: shift within its lane or word, mask before the shift. */
export interface Field {
  readonly name: string;
  /** Word of a slot or kernel cell; unused for frame cells. */
  readonly word: number;
  readonly shift: number;
  readonly mask: number;
  /** Number of values; codes are below it. */
  readonly size: number;
  /** Value of each code, where codes are not the values themselves. */
  readonly values: readonly number[] | undefined;
}

export interface Layout {
  readonly frames: readonly number[];
  /** Lane of a frame number; -1 where the scope has no such frame. */
  readonly laneOf: (pfn: number) => number;
  readonly laneBits: number;
  readonly lanesPerWord: number;
  readonly laneWords: number;
  readonly words: number;
  /** Bits of slot and kernel cells, all together. */
  readonly globalBits: number;
  readonly frameFields: ReadonlyMap<string, Field>;
  /** One field per slot. */
  readonly slotFields: ReadonlyMap<string, readonly Field[]>;
  readonly kernelFields: ReadonlyMap<string, Field>;
}

/** A scope that no engine can take: what is wrong with it, in one sentence. */
export class ScopeError extends Error {}

const bitsFor = (size: number): number => (size <= 1 ? 0 : 32 - Math.clz32(size - 1));

const maskOf = (bits: number): number => (bits === 32 ? -1 : (1 << bits) - 1);

/** The values in code order, 0 first; undefined where a code is its value. */
const coded = (name: string, cell: ScopedCell): { size: number; values?: readonly number[] } => {
  const { values } = cell;
  if (typeof values === 'number') {
    if (!Number.isInteger(values) || values < 0 || values > 0x7ffffffe) {
      throw new ScopeError(`cell ${name}: its largest value cannot be ${values}`);
    }
    return { size: values + 1 };
  }
  const sorted = [...new Set(values)].toSorted((a, b) => a - b);
  if (sorted.length === 0) throw new ScopeError(`cell ${name} has no values`);
  if (cell.kind === 'frame' && !sorted.includes(0)) {
    throw new ScopeError(`cell ${name}: the values of a frame cell include 0`);
  }
  const zero = sorted.indexOf(0);
  if (zero > 0) sorted.unshift(...sorted.splice(zero, 1));
  const plain = sorted.every((value, code) => value === code);
  return plain ? { size: sorted.length } : { size: sorted.length, values: sorted };
};

const field = (name: string, cell: ScopedCell, word: number, shift: number): Field => {
  const { size, values } = coded(name, cell);
  return { name, word, shift, mask: maskOf(bitsFor(size)), size, values };
};

/** Puts slot and kernel cells into words from `word` on. */
const globals = (scope: AnyScope, word: number) => {
  const slotFields = new Map<string, Field[]>();
  const kernelFields = new Map<string, Field>();
  let shift = 0;
  let bits = 0;
  const place = (name: string, cell: ScopedCell): Field => {
    const wide = bitsFor(coded(name, cell).size);
    if (shift + wide > 32) {
      word++;
      shift = 0;
    }
    const placed = field(name, cell, word, shift);
    shift += wide;
    bits += wide;
    return placed;
  };
  for (const [name, cell] of Object.entries(scope.cells)) {
    if (cell.kind === 'kernel') kernelFields.set(name, place(name, cell));
    if (cell.kind !== 'slot') continue;
    const fields = Array.from({ length: cell.slots ?? 0 }, (_, slot) =>
      place(`${name}[${slot}]`, cell),
    );
    slotFields.set(name, fields);
  }
  return { slotFields, kernelFields, bits, end: shift === 0 ? word : word + 1 };
};

/** The layout of a scope's rows; throws a ScopeError where it cannot have one. */
export const layoutOf = (scope: AnyScope): Layout => {
  const frameFields = new Map<string, Field>();
  let laneBits = 0;
  for (const [name, cell] of Object.entries(scope.cells)) {
    if (cell.kind !== 'frame') continue;
    const placed = field(name, cell, 0, laneBits);
    frameFields.set(name, placed);
    laneBits += bitsFor(placed.size);
    if (laneBits > 31) {
      throw new ScopeError(
        `the cells of a frame need more than 31 bits with ${name}; narrow the values of some`,
      );
    }
  }
  const lanesPerWord = laneBits === 0 ? 1 : Math.floor(32 / laneBits);
  const laneWords = laneBits === 0 ? 0 : Math.ceil(scope.frames.length / lanesPerWord);
  const { slotFields, kernelFields, bits, end } = globals(scope, laneWords);
  const lanes = new Map(scope.frames.map((pfn, lane) => [pfn, lane]));
  return {
    frames: scope.frames,
    laneOf: (pfn) => lanes.get(pfn) ?? -1,
    laneBits,
    lanesPerWord,
    laneWords,
    words: Math.max(1, end),
    globalBits: bits,
    frameFields,
    slotFields,
    kernelFields,
  };
};

/** Word and shift of a lane. */
export const laneAt = (layout: Layout, lane: number): { word: number; shift: number } => ({
  word: Math.floor(lane / layout.lanesPerWord),
  shift: (lane % layout.lanesPerWord) * layout.laneBits,
});

export const laneMask = (layout: Layout): number => maskOf(layout.laneBits);
