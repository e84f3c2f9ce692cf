/** Kinds of step: areas of virtual memory, and what is asked of them that must be refused. */
import { AREA_ALLOC, AREA_HUGE, AREA_OTHER, chunkEntries, isHeldArea } from '#spec/vmalloc';
import { call } from '../call.ts';
import { MAX_PAGE_ORDER } from '../machines.ts';
import { VMALLOC } from '../world-object.ts';
import type { Draw } from '../draw.ts';
import type { World } from '../world.ts';
import { FLAG, NO_CALLS, OBJECT, number } from './kind.ts';
import type { Kind, StepBase } from './kind.ts';
import { FRAMES_MAX } from './memory.ts';

/** Make an area of `blocks` blocks; `other`: with flags that KHO does not know. */
export interface Vmalloc extends StepBase {
  readonly do: 'vmalloc';
  readonly blocks: number;
  readonly order: number;
  readonly huge: boolean;
  readonly other: boolean;
  /** The request for a block that is refused; 0: none is. */
  readonly nth: number;
}

/** Ask to preserve as an area what is none. */
export interface PreserveNoArea extends StepBase {
  readonly do: 'preserve no area';
  readonly of: number;
}

/** Ask for an area by a descriptor that is wrong in one way: an index of `TWISTS`. */
export interface RestoreTwisted extends StepBase {
  readonly do: 'restore twisted';
  readonly of: number;
  readonly twist: number;
}

/** More than this many objects make a trace hard to read. */
const OBJECTS_MAX = 24;
const NTH_MAX = 40;
/** Machines up to so many frames are asked for all of their memory at once. */
const ALL_FRAMES_MAX = 2 ** 16;
/** One area in so many has about as many blocks as fill a chunk, or two. */
const FULL_CHUNK_ONE_IN = 8;
const TOO_LARGE_ONE_IN = 60;
const HUGE_ONE_IN = 4;

/** Numbers of blocks around those that fill one chunk and two. */
const aroundFullChunks = ({ random, world }: Draw): number => {
  const entries = chunkEntries(world.state.machine.pageShift);
  return random.pick([
    entries - 1,
    entries,
    entries + 1,
    2 * entries,
    2 * entries,
    2 * entries + 1,
  ]);
};

/** Orders by which areas are mapped: an entry of the next table, and arm64's contiguous run. */
const HUGE_ORDERS: Readonly<Record<number, readonly number[]>> = {
  12: [9, 4],
  14: [11, 7],
  16: [13, 5],
};

const drawBlocks = (draw: Draw): number => {
  const { random, world } = draw;
  if (random.oneIn(FULL_CHUNK_ONE_IN)) return aroundFullChunks(draw);
  const { end } = world.state.machine;
  if (random.oneIn(TOO_LARGE_ONE_IN)) return end > ALL_FRAMES_MAX ? end + 1 : end;
  return random.oneIn(4) ? random.between(5, 40) : random.between(1, 4);
};

const whileFew = (weight: number, world: World): number =>
  world.alive.length >= OBJECTS_MAX ? 0 : weight;

export const vmalloc: Kind<Vmalloc> = {
  says: 'make an area of virtual memory',
  weight: 6,
  silenceable: true,
  since: '6.18',
  fields: {
    blocks: number(1, FRAMES_MAX + 1),
    order: number(0, MAX_PAGE_ORDER),
    huge: FLAG,
    other: FLAG,
    nth: number(0, NTH_MAX),
  },
  weightNow: whileFew,
  draw: (draw) => {
    const { random } = draw;
    const other = random.oneIn(12);
    const fails = random.oneIn(20);
    if (!random.oneIn(HUGE_ONE_IN)) {
      const blocks = drawBlocks(draw);
      const nth = fails ? random.between(1, Math.min(blocks, NTH_MAX)) : 0;
      return { blocks, order: 0, huge: random.oneIn(3), other, nth };
    }
    const order = random.pick(HUGE_ORDERS[draw.world.state.machine.pageShift]!);
    return { blocks: random.between(1, 3), order, huge: true, other, nth: fails ? 1 : 0 };
  },
  calls: ({ state: { machine } }, { blocks, order, huge, other, nth }) => {
    if (order > machine.maxOrder) return NO_CALLS;
    const flags = AREA_ALLOC | (order > 0 || huge ? AREA_HUGE : 0) | (other ? AREA_OTHER : 0);
    return [call('vmalloc', { count: blocks * 2 ** order, order, value: flags, fails: nth })];
  },
  settle: (world, { id, order }, { count, value: flags }, { value, pages }) => {
    if (value < 0) return;
    const blocks = Array.from({ length: pages.length }, (_, i) => pages.first(i));
    const making = { calls: VMALLOC, pfn: value, order, count, movable: false, blocks, flags };
    world.add(id, making);
  },
};

export const preserveNoArea: Kind<PreserveNoArea> = {
  says: 'ask to keep as an area what is none',
  weight: 0.7,
  silenceable: true,
  since: '6.18',
  fields: { of: OBJECT },
  draw: (draw) => draw.object((o) => o.status === 'owned' && o.calls !== VMALLOC && !o.movable),
  calls: (world, { of }) => {
    const object = world.object(of);
    if (object?.status !== 'owned' || object.calls === VMALLOC || object.movable) return NO_CALLS;
    return [call('preserveVmalloc', { pfn: object.pfn, count: object.count })];
  },
};

/** How a descriptor may be wrong: its pages, order and flags, and its list. */
const TWISTS = [
  'a block more',
  'a block less',
  'another order',
  'flags that nobody knows',
  'no list',
] as const;

export const restoreTwisted: Kind<RestoreTwisted> = {
  says: 'ask for an area by a wrong descriptor',
  weight: 6,
  silenceable: true,
  since: '6.18',
  fields: { of: OBJECT, twist: number(0, TWISTS.length - 1) },
  draw: ({ random, choose }) => {
    const chosen = choose((o) => o.status === 'held' && o.calls === VMALLOC);
    return chosen && { of: chosen.id, twist: random.below(TWISTS.length) };
  },
  calls: (world, { of, twist }) => {
    const object = world.object(of);
    if (object?.status !== 'held' || object.calls !== VMALLOC) return NO_CALLS;
    const { list, count, order, flags } = object;
    const right = { pfn: list, count, order, value: flags };
    const size = 2 ** order;
    const wrong = call('restoreVmalloc', {
      ...right,
      ...[
        { count: count + size },
        { count: count - size },
        { order: order === 0 ? 1 : order - 1 },
        { value: flags | AREA_OTHER },
        { pfn: 0 },
      ][twist],
    });
    return isHeldArea(world.state, wrong) ? NO_CALLS : [wrong];
  },
};
