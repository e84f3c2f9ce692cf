/**
 * Memory of a search: rows, parents and hash slots in typed arrays, grown as states are found.
 *
 * The hash slots hold 1 + id and are at most four fifths full. Growing keeps every id.
 */
import type { Memory } from './emit.ts';
import { CONTROL_PLACES } from './messages.ts';

const FULLEST = 0.8;

/** Hash slots for so many states: a power of two. */
export const slotsFor = (states: number): number =>
  2 ** Math.max(10, Math.ceil(Math.log2(states / FULLEST)));

/** Bytes that memory for so many states takes. */
export const bytesFor = (words: number, states: number): number =>
  4 * (states * (words + 1) + slotsFor(states));

const array = (length: number, shared: boolean): Int32Array =>
  new Int32Array(shared ? new SharedArrayBuffer(length * 4) : new ArrayBuffer(length * 4));

/** Fresh memory for `states` states of so many words. */
export const memoryFor = (words: number, states: number, shared: boolean): Memory => ({
  rows: array(words * states, shared),
  parents: array(states, shared),
  table: array(slotsFor(states), shared),
  control: array(CONTROL_PLACES, shared),
});

export const bytesOf = ({ rows, parents, table }: Memory): number =>
  4 * (rows.length + parents.length + table.length);

/** Larger memory with the first `used` states of a smaller one; hash slots are left empty. */
export const grown = (
  before: Memory,
  words: number,
  used: number,
  states: number,
  shared: boolean,
): Memory => {
  const memory = memoryFor(words, states, shared);
  memory.rows.set(before.rows.subarray(0, used * words));
  memory.parents.set(before.parents.subarray(0, used));
  memory.control.set(before.control);
  return memory;
};

/**
 * How many states the next memory should have room for, or 0 when the limit allows no more. Old and
 * new memory exist at once while one is copied into the other.
 */
export const nextCapacity = (
  words: number,
  capacity: number,
  limit: number,
  hint: number,
): number => {
  const old = bytesFor(words, capacity);
  let wanted = capacity < hint ? hint : capacity * 2;
  for (; wanted > capacity * 1.1; wanted = Math.floor(capacity + (wanted - capacity) * 0.75)) {
    if (wanted < 0x3fffffff / 1 && old + bytesFor(words, wanted) <= limit) return wanted;
  }
  return 0;
};
