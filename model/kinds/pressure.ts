/** Kinds of step: memory runs short, and in the end everything is given back. */
import { ANY_NODE } from '#spec/call';
import type { Answer, Call } from '#spec/call';
import { eachFreeRun, largestAt } from '#spec/shortage';
import { call } from '../call.ts';
import { frameOf } from '../place.ts';
import type { Place } from '../place.ts';
import { RANGE } from '../world-object.ts';
import type { ObjectCalls, WorldObject } from '../world-object.ts';
import type { World } from '../world.ts';
import { NO_CALLS, OBJECT, PLACE, number } from './kind.ts';
import type { Kind, StepBase } from './kind.ts';
import { preserve } from './preservation.ts';

/** Keep an object while the n-th page that KHO asks for on the way is refused. */
export interface PreserveShort extends StepBase {
  readonly do: 'preserve short';
  readonly of: number;
  readonly nth: number;
}

/** Take all free memory of a node, or of all, but `spare` pages; largest blocks first. */
export interface Hog extends StepBase {
  readonly do: 'hog';
  readonly node: number;
  readonly spare: number;
}

/** Give back what was hogged. */
export interface Relief extends StepBase {
  readonly do: 'relief';
}

/** Restore, take back and free everything there is. */
export interface CleanUp extends StepBase {
  readonly do: 'clean up';
}

/** Preserve, take back and restore no pages at all. */
export interface PreserveNothing extends StepBase {
  readonly do: 'preserve nothing';
  readonly place: Place;
}

/** Take a free, aligned range of as many pages as a block of this order has. */
export interface ClaimLarge extends StepBase {
  readonly do: 'claim large';
  readonly order: number;
}

const NODES_MAX = 64;
/** More pages than a tracker takes for one block. */
const NTH_MAX = 8;
const SPARE_MAX = 8;
/** Largest machines on which all memory is taken, in frames; and most calls that it may take. */
const HOGGED_MAX = 2 ** 14;
const HOG_CALLS_MAX = 400;
const ORDER_MIN = 9;
const ORDER_MAX = 15;

export const preserveShort: Kind<PreserveShort> = {
  says: 'keep an object while one request for a page fails',
  weight: 6,
  silenceable: true,
  fields: { of: OBJECT, nth: number(1, NTH_MAX) },
  draw: (draw) => {
    const chosen = draw.choose((o) => o.status === 'owned' && !o.preserved && !o.movable);
    return chosen && { of: chosen.id, nth: draw.random.between(1, NTH_MAX - 3) };
  },
  calls: (world, { of, nth }) =>
    preserve
      .calls(world, { id: of, do: 'preserve', of })
      .map((made) => call(made.action, { ...made, fails: nth })),
  settle: (world, { id, of }, made, answer) =>
    preserve.settle?.(world, { id, do: 'preserve', of }, made, answer),
};

/** The free blocks that a hog would take now, as pairs of first frame and order. */
const freeBlocks = ({ state }: World, node: number): number[] => {
  const orders: number[] = [];
  eachFreeRun(state, node, (first, end) => {
    for (let pfn = first; pfn < end;) {
      const order = largestAt(pfn, end, state.machine.maxOrder);
      orders.push(order);
      pfn += 2 ** order;
    }
  });
  return orders.sort((a, b) => b - a);
};

const isHoggable = ({ state: { machine } }: World, node: number): boolean => {
  if (node >= machine.nodes.length) return false;
  const frames = node < 0 ? machine.end : machine.nodes[node]!.count;
  return frames <= HOGGED_MAX;
};

export const hog: Kind<Hog> = {
  says: 'take all free memory outside scratch, or nearly all',
  weight: 0.6,
  silenceable: true,
  needs: 'memory',
  fields: { node: number(ANY_NODE, NODES_MAX - 1), spare: number(0, SPARE_MAX) },
  weightNow: (weight, world) => {
    if (world.hogged.length > 0) return weight / 20;
    return world.tidied && world.alive.length === 0 ? weight * 30 : weight;
  },
  draw: ({ random, world }) => {
    const { nodes } = world.state.machine;
    const all = isHoggable(world, ANY_NODE) && !random.oneIn(4);
    const node = all ? ANY_NODE : random.below(nodes.length);
    if (!isHoggable(world, node)) return undefined;
    return { node, spare: random.oneIn(2) ? 0 : random.between(1, SPARE_MAX) };
  },
  calls: (world, { node, spare }) => {
    if (!isHoggable(world, node)) return NO_CALLS;
    const orders = freeBlocks(world, node).slice(0, HOG_CALLS_MAX);
    for (let left = spare; left > 0 && orders.length > 0;) left -= 2 ** orders.pop()!;
    return orders.map((order) => call('allocPages', { node, order }));
  },
  settle: (world, _step, { order }, { value }) => {
    if (value >= 0) world.hogged.push({ pfn: value, order });
  },
};

const reliefCalls = (world: World): Call[] =>
  world.hogged.map(({ pfn, order }) => call('freePages', { pfn, order }));

const relieve = (world: World, { pfn }: Call): void => {
  const at = world.hogged.findIndex((block) => block.pfn === pfn);
  if (at >= 0) world.hogged.splice(at, 1);
};

export const relief: Kind<Relief> = {
  says: 'give back what was hogged',
  weight: 3,
  silenceable: false,
  needs: 'memory',
  fields: {},
  weightNow: (weight, world) => (world.hogged.length > 0 ? weight : 0),
  draw: () => ({}),
  calls: reliefCalls,
  settle: (world, _step, made) => relieve(world, made),
};

/** The calls that lead from what an object is now to nothing. */
const endOf = (object: WorldObject): Call[] => {
  const calls: Call[] = [];
  if (object.status === 'held') calls.push(object.calls.restore(object));
  for (let i = 0; i < object.names; i++) calls.push(call('removeSubtree', { pfn: object.pfn }));
  if (object.preserved) calls.push(object.calls.unpreserve(object));
  if (object.pinned) calls.push(call('unpin', { pfn: object.pfn, order: object.order }));
  calls.push(object.calls.free(object));
  return calls;
};

const OF_OBJECTS: readonly (keyof Omit<ObjectCalls, 'noun'>)[] = ['restore', 'unpreserve', 'free'];

/** Takes note of one call of a clean-up for the object that it is about. */
const settleEnd = (world: World, made: Call, { value }: Answer): void => {
  for (const object of world.alive) {
    if (made.action === 'removeSubtree' && made.pfn === object.pfn) {
      object.names--;
      return;
    }
    for (const what of OF_OBJECTS) {
      const own = object.calls[what](object);
      if (own.action !== made.action || own.pfn !== made.pfn || value < 0) continue;
      if (what === 'restore') object.status = 'owned';
      else if (what === 'unpreserve') {
        object.preserved = false;
        object.list = 0;
      } else world.drop(object.id);
      return;
    }
  }
  relieve(world, made);
};

export const cleanUp: Kind<CleanUp> = {
  says: 'restore, take back and free everything',
  weight: 0.4,
  silenceable: true,
  needs: 'memory',
  since: '6.19',
  fields: {},
  weightNow: (weight, world) => (world.alive.length > 0 ? weight : 0),
  draw: () => ({}),
  calls: (world) => [...world.alive.flatMap(endOf), ...reliefCalls(world)],
  settle: (world, _step, made, answer) => {
    settleEnd(world, made, answer);
    world.tidied = true;
  },
};

export const preserveNothing: Kind<PreserveNothing> = {
  says: 'preserve, take back and restore no pages at all',
  weight: 1,
  silenceable: true,
  since: '6.19',
  fields: { place: PLACE },
  draw: (draw) => ({ place: draw.place() }),
  calls: ({ state }, { place }) => {
    const pfn = frameOf(place, state);
    if (pfn < 0 || pfn >= state.machine.end) return NO_CALLS;
    return [
      call('preservePages', { pfn }),
      call('unpreservePages', { pfn }),
      call('restorePages', { pfn }),
    ];
  },
};

/** First frame of a free range that is aligned to its `size`, or -1. */
const largeRange = ({ state }: World, size: number): number => {
  let found = -1;
  eachFreeRun(state, ANY_NODE, (first, end) => {
    const pfn = Math.ceil(first / size) * size;
    if (found < 0 && pfn + size <= end) found = pfn;
  });
  return found;
};

export const claimLarge: Kind<ClaimLarge> = {
  says: 'take a range as large as the largest blocks, or larger',
  weight: 0.3,
  silenceable: true,
  needs: 'memory',
  fields: { order: number(0, ORDER_MAX) },
  draw: ({ random, world }) => {
    for (let order = random.between(ORDER_MIN, ORDER_MAX); order >= ORDER_MIN; order--) {
      if (largeRange(world, 2 ** order) >= 0) return { order };
    }
    return undefined;
  },
  calls: (world, { order }) => {
    const count = 2 ** order;
    const pfn = largeRange(world, count);
    return pfn < 0 ? NO_CALLS : [call('allocContig', { pfn, count })];
  },
  settle: (world, { id }, { pfn, count }, { value }) => {
    if (value === 0) world.add(id, { calls: RANGE, pfn, order: 0, count, movable: false });
  },
};
