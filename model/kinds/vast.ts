/**
 * Kinds of step for machines with more memory than any trace can use: blocks of the largest orders,
 * and single pages so far apart that a bitmap of old kernels notes no two of them.
 *
 * The law follows every frame that somebody has, so nobody has all of a block of terabytes: a step
 * that keeps one takes its ends, has it seen, and takes it back before anything else happens.
 */
import type { Call } from '#spec/call';
import { eachFreeRun } from '#spec/shortage';
import { FREE, runsBefore, touchesScratch } from '#spec/state';
import { call } from '../call.ts';
import type { World } from '../world.ts';
import { NO_CALLS, number } from './kind.ts';
import type { Kind, StepBase } from './kind.ts';

/** Keep a free block of 2^order frames, and take it back; the n-th request for a page may fail. */
export interface PreserveVast extends StepBase {
  readonly do: 'preserve vast';
  readonly order: number;
  readonly nth: number;
}

/** Keep so many single pages, each in a bitmap of its own. */
export interface PreserveScattered extends StepBase {
  readonly do: 'preserve scattered';
  readonly pages: number;
}

/** Machines of more frames than this have room for such steps. */
export const VAST_FRAMES = 2 ** 24;
const ORDER_MIN = 16;
const ORDER_MAX = 30;
/** A block of half of all memory there can be with pages of 4 KiB. */
const HALF_ORDER = 31;
const NTH_MAX = 8;
/** Fewer bitmaps than fill a chunk page, and more than fill one. */
const PAGES_MIN = 250;
const PAGES_MAX = 260;
/** Bits of a bitmap of 512 bytes, of which a page of 4 KiB holds eight. */
const SMALL_BITMAP_BITS = 4096;
const SMALL_PAGE_SHIFT = 12;

/**
 * Whether memory has an upper half that is one block. Parts of it are always in use, so that nobody
 * may have it all, but asking for it is refused: the first page of the tracker is.
 */
const hasHalf = ({ state: { machine } }: World): boolean => machine.end >= 2 ** (HALF_ORDER + 1);

const hasMemory = ({ count }: { readonly count: number }): boolean => count > 0;

const isVast = ({ state: { machine } }: World): boolean => machine.end > VAST_FRAMES;

/**
 * First frame of a free, aligned range of `size` frames, or -1. Not on the first node with memory,
 * where KHO takes pages for itself: one of them within the range would be preserved with it.
 */
const vastRange = ({ state }: World, size: number): number => {
  let found = -1;
  let foundOn = -1;
  const { nodes } = state.machine;
  for (let node = nodes.findIndex(hasMemory) + 1; node < nodes.length; node++) {
    eachFreeRun(state, node, (first, end) => {
      const pfn = Math.ceil(first / size) * size;
      if (foundOn === node || pfn + size > end) return;
      found = pfn;
      foundOn = node;
    });
  }
  return found;
};

export const preserveVast: Kind<PreserveVast> = {
  says: 'keep a range of gigabytes, and take it back',
  weight: 6,
  silenceable: true,
  since: '6.19',
  fields: { order: number(ORDER_MIN, HALF_ORDER), nth: number(0, NTH_MAX) },
  weightNow: (weight, world) => (isVast(world) && world.hogged.length === 0 ? weight : 0),
  draw: ({ random, world }) => {
    const nth = random.oneIn(4) ? random.between(1, 3) : 0;
    if (random.oneIn(6) && hasHalf(world)) return { order: HALF_ORDER, nth: 1 };
    for (let order = random.between(ORDER_MIN, ORDER_MAX); order >= ORDER_MIN; order--) {
      if (vastRange(world, 2 ** order) >= 0) return { order, nth };
    }
    return undefined;
  },
  calls: (world, { order, nth }) => {
    if (!isVast(world) || world.hogged.length > 0) return NO_CALLS;
    const count = 2 ** order;
    if (order === HALF_ORDER) {
      return hasHalf(world) ? [call('preservePages', { pfn: count, count, fails: 1 })] : NO_CALLS;
    }
    const pfn = vastRange(world, count);
    if (pfn < 0) return NO_CALLS;
    const ends = [pfn, pfn + count - 1];
    return [
      ...ends.map((end) => call('allocContig', { pfn: end, count: 1 })),
      call('preservePages', { pfn, count, fails: nth }),
      // Nobody named it: what this changes is that everything is looked at once.
      call('removeSubtree', { pfn }),
      call('unpreservePages', { pfn, count }),
      ...ends.map((end) => call('freeContig', { pfn: end, count: 1 })),
    ];
  },
};

/** Frames that one bitmap covers: before 6.18 it has 512 bytes, then a page. */
const bitmapFrames = ({ state }: World): number =>
  runsBefore(state, '6.18') ? SMALL_BITMAP_BITS : 2 ** (SMALL_PAGE_SHIFT + 3);

const scatters = (world: World): boolean =>
  isVast(world) &&
  world.state.machine.pageShift === SMALL_PAGE_SHIFT &&
  runsBefore(world.state, '7.1');

export const preserveScattered: Kind<PreserveScattered> = {
  says: 'keep single pages far from each other, as many as fill a page of the list',
  weight: 2,
  silenceable: true,
  only: 'phases',
  fields: { pages: number(1, PAGES_MAX) },
  weightNow: (weight, world) => (scatters(world) ? weight : 0),
  draw: ({ random }) => ({ pages: random.between(PAGES_MIN, PAGES_MAX) }),
  // On the last node, as KHO takes its own pages elsewhere, or from the other end of it.
  calls: (world, { pages }) => {
    if (!scatters(world)) return NO_CALLS;
    const { state } = world;
    const calls: Call[] = [];
    const stride = bitmapFrames(world);
    const { first, count } = state.machine.nodes.findLast(hasMemory)!;
    for (let pfn = first + 1; pfn < first + count && calls.length < 2 * pages; pfn += stride) {
      if (state.use.get(pfn) !== FREE || touchesScratch(state, pfn, 1)) continue;
      calls.push(call('allocContig', { pfn, count: 1 }), call('preservePages', { pfn, count: 1 }));
    }
    return calls;
  },
};
