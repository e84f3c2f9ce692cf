/**
 * Cutting a range of frames into blocks: aligned, as large as possible, within one node.
 */
import type { Topology } from './topology.ts';

/** Number of trailing zero bits of a frame number; 32 for 0. */
const trailingZeros = (pfn: number): number =>
  pfn === 0 ? 32 : 31 - Math.clz32((pfn & -pfn) >>> 0);

/** Order of the largest block that starts at `first` and ends at or before `end`. */
export const blockOrder = (
  topology: Topology,
  first: number,
  end: number,
  withinNode: boolean,
): number => {
  const fits = end - first >= 4294967296 ? 32 : 31 - Math.clz32(end - first);
  let order = Math.min(trailingZeros(first), fits);
  if (!withinNode) return order;
  const node = topology.nodeOf(first);
  while (order > 0 && topology.nodeOf(first + 2 ** order - 1) !== node) order--;
  return order;
};
