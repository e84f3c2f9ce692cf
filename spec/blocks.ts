/**
 * How a range of frames becomes blocks.
 *
 * A block has a power-of-two number of frames and starts at a multiple of its size. A range is cut
 * from its start into the largest blocks that are aligned, fit into what is left, and lie on one
 * node with both ends (kernel/liveupdate/kexec_handover.c, __kho_preserve_pages_order). Preserve,
 * unpreserve and restore all cut alike: that is what makes them inverses.
 */
import { nodeOf } from './machine.ts';
import type { Machine } from './machine.ts';

/** Order of the first block of `[first, first + count)`; `count` is at least 1. */
export const firstOrder = (machine: Machine, first: number, count: number): number => {
  let order = 0;
  while (first % 2 ** (order + 1) === 0 && 2 ** (order + 1) <= count) order++;
  while (order > 0 && nodeOf(machine, first) !== nodeOf(machine, first + 2 ** order - 1)) order--;
  return order;
};

/** Visits the blocks of a range in ascending order. */
export const eachBlock = (
  machine: Machine,
  first: number,
  count: number,
  visit: (head: number, order: number) => void,
): void => {
  const end = first + count;
  let pfn = first;
  while (pfn < end) {
    const order = firstOrder(machine, pfn, end - pfn);
    visit(pfn, order);
    pfn += 2 ** order;
  }
};

/** Whether `test` holds for every block of a range. */
export const everyBlock = (
  machine: Machine,
  first: number,
  count: number,
  test: (head: number, order: number) => boolean,
): boolean => {
  const end = first + count;
  let pfn = first;
  while (pfn < end) {
    const order = firstOrder(machine, pfn, end - pfn);
    if (!test(pfn, order)) return false;
    pfn += 2 ** order;
  }
  return true;
};
