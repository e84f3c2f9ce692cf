/** Kinds of step: memory that is taken and kept in one go, and freed in one go. */
import { orderFor } from '#spec/alloc-preserve';
import { HELD } from '#spec/state';
import { call } from '../call.ts';
import { FOLIO } from '../world-object.ts';
import type { World } from '../world.ts';
import type { WorldObject } from '../world-object.ts';
import { NO_CALLS, OBJECT, number } from './kind.ts';
import type { Kind, StepBase } from './kind.ts';

/** Take, zero and keep the block for so many bytes. */
export interface AllocPreserve extends StepBase {
  readonly do: 'alloc preserve';
  readonly bytes: number;
  /** The request for pages that is refused, the block’s own being the first; 0: none is. */
  readonly nth: number;
}

/** Stop keeping a folio and give it back. */
export interface UnpreserveFree extends StepBase {
  readonly do: 'unpreserve free';
  readonly of: number;
}

/** Give a folio back that was handed over. */
export interface RestoreFree extends StepBase {
  readonly do: 'restore free';
  readonly of: number;
}

const OBJECTS_MAX = 24;
const BYTES_MAX = 2 ** 48;
const NTH_MAX = 8;

export const allocPreserve: Kind<AllocPreserve> = {
  says: 'take zeroed memory and keep it for the next kernel',
  weight: 4,
  silenceable: true,
  since: '6.19',
  fields: { bytes: number(0, BYTES_MAX, 1), nth: number(0, NTH_MAX) },
  weightNow: (weight, world: World) => (world.alive.length >= OBJECTS_MAX ? 0 : weight),
  draw: ({ random, pageBytes, world }) => {
    const largest = pageBytes * 2 ** world.state.machine.maxOrder;
    const nth = random.oneIn(6) ? random.between(1, 5) : 0;
    if (random.oneIn(12)) return { bytes: 0, nth };
    if (random.oneIn(16)) return { bytes: random.pick([largest + 1, 2 * largest, BYTES_MAX]), nth };
    if (random.oneIn(40)) return { bytes: largest, nth };
    const pages = random.between(1, random.oneIn(4) ? 33 : 4);
    return { bytes: pages * pageBytes + random.pick([0, 0, 1, -1, -8]), nth };
  },
  calls: (_world, { bytes, nth }) => [call('allocPreserve', { value: bytes, fails: nth })],
  settle: (world, { id, bytes }, _made, { value }) => {
    if (value < 0) return;
    const order = orderFor(world.state, bytes);
    world.add(id, { calls: FOLIO, pfn: value, order, count: 2 ** order, movable: false });
    world.object(id)!.preserved = true;
  },
};

const mayUnpreserveFree = (o: WorldObject): boolean =>
  o.calls === FOLIO && o.status === 'owned' && o.preserved && !o.pinned && o.names === 0;

export const unpreserveFree: Kind<UnpreserveFree> = {
  says: 'stop keeping a folio and give it back',
  weight: 1.5,
  silenceable: true,
  since: '6.19',
  fields: { of: OBJECT },
  draw: (draw) => draw.object(mayUnpreserveFree),
  calls: (world, { of }) => {
    const object = world.object(of);
    if (object === undefined || !mayUnpreserveFree(object)) return NO_CALLS;
    return [call('unpreserveFree', { pfn: object.pfn, order: object.order })];
  },
  settle: (world, { of }) => world.drop(of),
};

export const restoreFree: Kind<RestoreFree> = {
  says: 'give a folio back that the previous kernel kept',
  weight: 2,
  silenceable: true,
  since: '6.19',
  fields: { of: OBJECT },
  draw: (draw) =>
    draw.object(
      (o) => o.calls === FOLIO && o.status === 'held',
      (o) => o.calls === FOLIO && o.status === 'owned' && !o.movable,
    ),
  calls: (world, { of }) => {
    const object = world.object(of);
    if (object === undefined || object.calls !== FOLIO || object.movable) return NO_CALLS;
    const asks = object.status === 'held' || world.state.use.get(object.pfn) !== HELD;
    return asks ? [call('restoreFree', { pfn: object.pfn })] : NO_CALLS;
  },
  settle: (world, { of }, _made, { value }) => {
    if (value >= 0) world.drop(of);
  },
};
