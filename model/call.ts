/**
 * Calls and answers as objects that a system fills and a checker reads.
 *
 * An answer is valid until the next call of the same system: systems reuse one, so that the hot
 * path allocates nothing.
 */
import type { ActionName, Answer, Call, Ranges } from '#spec/call';

export type { ActionName, Answer, Call, Ranges };

/** A growing list of frame ranges that is emptied and filled again. */
export class RangeList implements Ranges {
  readonly #firsts: number[] = [];
  readonly #counts: number[] = [];
  #length = 0;

  get length(): number {
    return this.#length;
  }

  first(index: number): number {
    return this.#firsts[index] ?? 0;
  }

  count(index: number): number {
    return this.#counts[index] ?? 0;
  }

  add(first: number, count: number): void {
    this.#firsts[this.#length] = first;
    this.#counts[this.#length] = count;
    this.#length++;
  }

  clear(): void {
    this.#length = 0;
  }

  copyFrom(other: Ranges): void {
    this.clear();
    for (let i = 0; i < other.length; i++) this.add(other.first(i), other.count(i));
  }
}

/** The answer that a system fills anew at every call. */
export class CallAnswer implements Answer {
  value = 0;
  bytes = 0;
  managed = 0;
  fdt = 0;
  metadata = 0;
  memblock = 0;
  memblockBytes = 0;
  crashFirst = 0;
  crashCount = 0;
  total = 0;
  order = 0;
  flags = 0;
  array = 0;
  /** Address of the scratch array of the running kernel, in bytes; 0 when there is none. */
  scratchArray = 0;
  /** Its length in bytes. */
  scratchBytes = 0;
  readonly taken = new RangeList();
  readonly given = new RangeList();
  readonly placed = new RangeList();
  readonly early = new RangeList();
  readonly areas = new RangeList();
  readonly huge = new RangeList();
  readonly regions = new RangeList();
  readonly pages = new RangeList();
  readonly chunks = new RangeList();

  /** Makes this an empty answer with the given value. */
  reset(value = 0): void {
    this.value = value;
    this.bytes = 0;
    this.managed = 0;
    this.fdt = 0;
    this.metadata = 0;
    this.memblock = 0;
    this.memblockBytes = 0;
    this.crashFirst = 0;
    this.crashCount = 0;
    this.total = 0;
    this.order = 0;
    this.flags = 0;
    this.array = 0;
    this.scratchArray = 0;
    this.scratchBytes = 0;
    this.taken.clear();
    this.given.clear();
    this.placed.clear();
    this.early.clear();
    this.areas.clear();
    this.huge.clear();
    this.regions.clear();
    this.pages.clear();
    this.chunks.clear();
  }
}

/** Bytes that the name of a session may have at most, without the NUL behind it. */
const SESSION_NAME_MAX = 63;

/** The text that a session's number stands for: none for 0, and a name as long as may be for 1. */
export const sessionName = (index: number): string => {
  if (index === 0) return '';
  return index === 1 ? 'n'.repeat(SESSION_NAME_MAX) : `session-${index}`;
};

const NOTHING = { pfn: 0, count: 0, order: 0, node: 0, name: 0, value: 0, fails: 0 };

/** A call of `action` with the given fields; the others are 0. */
export const call = (action: ActionName, fields: Partial<Omit<Call, 'action'>> = {}): Call => ({
  action,
  pfn: fields.pfn ?? NOTHING.pfn,
  count: fields.count ?? NOTHING.count,
  order: fields.order ?? NOTHING.order,
  node: fields.node ?? NOTHING.node,
  name: fields.name ?? NOTHING.name,
  value: fields.value ?? NOTHING.value,
  fails: fields.fails ?? NOTHING.fails,
});
