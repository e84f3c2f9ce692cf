/**
 * Memory that is taken, zeroed and preserved in one go, and freed in one go by either kernel.
 */
import type { Call } from '#model/call';
import type { Booted, Platform } from './boot.ts';
import { E2BIG, EINVAL, ENOENT, ENOMEM } from './errno.ts';
import type { PageSource } from './radix-tracker.ts';
import type { Tracker } from './tracker.ts';

/** What this works with. */
export interface PreservedMemory {
  readonly platform: Platform;
  readonly booted: Booted;
  readonly tracker: Tracker;
  readonly pages: PageSource;
}

/** Order of the block for so many bytes, or the error number that they are refused with. */
const orderOfSize = ({ topology, decisions }: Platform, bytes: number): number => {
  if (bytes === 0 && decisions.refusesNoBytes) return -EINVAL;
  const pages = Math.ceil(bytes / topology.pageBytes);
  const order = pages <= 1 ? 0 : Math.ceil(Math.log2(pages));
  if (order <= topology.maxOrder) return order;
  return decisions.refusesLargeSizes ? -E2BIG : topology.maxOrder;
};

/** The first frame of a block of zeros that is preserved, or an error. */
export const allocPreserve = (host: PreservedMemory, bytes: number): number => {
  const { platform, booted, tracker, pages } = host;
  const { memory, decisions } = platform;
  const { allocator } = booted;
  const order = orderOfSize(platform, bytes);
  if (order < 0) return order;
  const scratchToo = !decisions.scratchIsMovableOnly || !decisions.preservedOutsideScratch;
  const pfn = allocator.allocate(order, -1, false, scratchToo);
  if (pfn < 0) return -ENOMEM;
  if (!tracker.add(pfn, order, pages)) {
    if (decisions.freesUnpreserved) allocator.free(pfn, order);
    return -ENOMEM;
  }
  if (decisions.zeroesPreserved) memory.zeroStamps(pfn, 2 ** order);
  return pfn;
};

/** Stops preserving a block and gives it back. */
export const unpreserveFree = (host: PreservedMemory, { pfn, order }: Call): number => {
  const { platform, booted, tracker } = host;
  if (platform.decisions.freeingUnpreserves) tracker.remove(pfn, order);
  booted.allocator.free(pfn, order);
  return 0;
};

/** Order of the part of a block that is freed at once; -ENOENT for a mark below 0, for no mark. */
export const orderFreed = ({ decisions }: Platform, mark: number): number =>
  mark < 0 && decisions.freesOnlyHeld ? -ENOENT : decisions.freedAtOnce(Math.max(0, mark));
