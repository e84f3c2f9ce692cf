/**
 * The tracker of the first series: none. What is preserved stands in the tree, so all that is noted
 * is the blocks to be listed there.
 *
 * Reading is walking the nodes of the tree. What several nodes name is visited several times: each
 * of them has a claim on it.
 *
 * Source: the series v4 (kho_init_reserved_pages, kho_claim_mem).
 */
import { INTENDED } from './decisions.ts';
import type { Decisions } from './decisions.ts';
import { rangesOfTree } from './early-trees.ts';
import type { MemRange } from './early-trees.ts';
import type { PhysicalMemory } from './physical-memory.ts';

export class RangeTracker {
  readonly root = 0;
  readonly #pageBytes: number;
  /** Orders of the blocks that start at a frame, one bit each. */
  readonly #blocks = new Map<number, number>();

  constructor(memory: PhysicalMemory) {
    this.#pageBytes = 2 ** memory.pageShift;
  }

  add(pfn: number, order: number): boolean {
    this.#blocks.set(pfn, ((this.#blocks.get(pfn) ?? 0) | (2 ** order)) >>> 0);
    return true;
  }

  remove(pfn: number, order: number): void {
    const left = ((this.#blocks.get(pfn) ?? 0) & ~(2 ** order)) >>> 0;
    if (left === 0) this.#blocks.delete(pfn);
    else this.#blocks.set(pfn, left);
  }

  /** The blocks, by ascending frame and order. */
  ranges(): readonly MemRange[] {
    const ranges: MemRange[] = [];
    for (const pfn of [...this.#blocks.keys()].sort((a, b) => a - b)) {
      const orders = this.#blocks.get(pfn)!;
      for (let order = 0; order < 32; order++) {
        if (((orders >>> order) & 1) === 0) continue;
        ranges.push({ phys: pfn * this.#pageBytes, bytes: 2 ** order * this.#pageBytes });
      }
    }
    return ranges;
  }

  state(): unknown {
    return this.ranges();
  }

  save(): () => void {
    const blocks = [...this.#blocks];
    return () => {
      this.#blocks.clear();
      for (const [pfn, orders] of blocks) this.#blocks.set(pfn, orders);
    };
  }

  /** The tree is written by whoever owns it. */
  write(): boolean {
    return true;
  }

  unlist(): void {}

  forget(): void {}
}

/** Order of the largest block that starts at `first` and ends at or before `end`. */
const largestOrder = (first: number, end: number): number => {
  let order = 0;
  while (first % 2 ** (order + 1) === 0 && first + 2 ** (order + 1) <= end) order++;
  return order;
};

/** Visits every range of a tree as the largest aligned blocks that it touches. */
export const walkRanges = (
  memory: PhysicalMemory,
  treeFrame: number,
  visit: (pfn: number, order: number) => void,
  { readRange }: Decisions = INTENDED,
): void => {
  const page = memory.page(treeFrame);
  if (page === undefined) return;
  const pageBytes = 2 ** memory.pageShift;
  for (const { phys, bytes } of rangesOfTree(page, readRange)) {
    const end = Math.ceil((phys + bytes) / pageBytes);
    for (let pfn = Math.floor(phys / pageBytes); pfn < end;) {
      const order = largestOrder(pfn, end);
      visit(pfn, order);
      pfn += 2 ** order;
    }
  }
};
