/**
 * Memory that is taken, zeroed and preserved in one go: what size asks for which block.
 */
import type { Platform } from './boot.ts';
import { E2BIG, EINVAL } from './errno.ts';

/** Order of the block for so many bytes, or the error number that they are refused with. */
export const orderOfSize = ({ topology, decisions }: Platform, bytes: number): number => {
  if (bytes === 0 && decisions.refusesNoBytes) return -EINVAL;
  const pages = Math.ceil(bytes / topology.pageBytes);
  const order = pages <= 1 ? 0 : Math.ceil(Math.log2(pages));
  if (order <= topology.maxOrder) return order;
  return decisions.refusesLargeSizes ? -E2BIG : topology.maxOrder;
};
