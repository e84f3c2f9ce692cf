/** Kinds of step: keeping memory for the next kernel, and no longer. */
import { touchesScratch } from '#spec/state';
import { call } from '../call.ts';
import { frameOf } from '../place.ts';
import type { Place } from '../place.ts';
import type { World } from '../world.ts';
import type { WorldObject } from '../world-object.ts';
import { NO_CALLS, OBJECT, PLACE, number } from './kind.ts';
import type { Kind, StepBase } from './kind.ts';
import { RANGE_MAX } from './memory.ts';

export interface Preserve extends StepBase {
  readonly do: 'preserve';
  readonly of: number;
}

export interface Unpreserve extends StepBase {
  readonly do: 'unpreserve';
  readonly of: number;
}

/** Ask to preserve a range that reaches into scratch. */
export interface PreserveScratch extends StepBase {
  readonly do: 'preserve scratch';
  readonly place: Place;
  readonly count: number;
}

/** Movable memory is preserved only where it must be refused: in scratch. */
const mayPreserve = (world: World, object: WorldObject): boolean => {
  const { status, movable, pfn, count } = object;
  const may = status === 'owned' && mayKeepAgain(object);
  return may && (!movable || touchesScratch(world.state, pfn, count));
};

/** An area that is preserved twice has two lists, and its owner would know of one only. */
const mayKeepAgain = ({ preserved, blocks }: WorldObject): boolean =>
  !preserved || blocks === undefined;

/** One draw in so many keeps an area if there is one: few objects are areas, and most are small. */
const AREA_FIRST_ONE_IN = 6;

const isNewArea = ({ status, preserved, blocks }: WorldObject): boolean =>
  status === 'owned' && !preserved && blocks !== undefined;

export const preserve: Kind<Preserve> = {
  says: 'keep an object for the next kernel',
  weight: 20,
  silenceable: false,
  fields: { of: OBJECT },
  draw: (draw) =>
    (draw.random.oneIn(AREA_FIRST_ONE_IN) ? draw.object(isNewArea) : undefined) ??
    draw.object(
      (o) => o.status === 'owned' && !o.preserved && !o.movable,
      (o) => o.status === 'owned' && mayKeepAgain(o) && (o.preserved || o.movable),
    ),
  calls: (world, { of }) => {
    const object = world.object(of);
    return object && mayPreserve(world, object) ? [object.calls.preserve(object)] : NO_CALLS;
  },
  settle: (world, { of }, _made, { value }) => {
    const object = world.object(of);
    if (object === undefined || value < 0) return;
    object.preserved = true;
    object.list = value;
  },
};

/** An area that was restored: its list is gone, and its pages may be anybody's by now. */
const hasOldList = ({ preserved, list }: WorldObject): boolean => !preserved && list !== 0;

export const unpreserve: Kind<Unpreserve> = {
  says: 'stop keeping an object',
  weight: 5,
  silenceable: true,
  since: '6.19',
  also: ['v3', 'v4', 'v5'],
  fields: { of: OBJECT },
  draw: (draw) =>
    draw.object(
      (o) => o.status === 'owned' && o.preserved && o.names === 0,
      (o) => o.status === 'owned' && !o.preserved && !o.movable && !hasOldList(o),
    ),
  calls: (world, { of }) => {
    const object = world.object(of);
    if (object === undefined || hasOldList(object)) return NO_CALLS;
    const may = object.status === 'owned' && object.names === 0 && !object.movable;
    return may ? [object.calls.unpreserve(object)] : NO_CALLS;
  },
  settle: (world, { of }, _made, { value }) => {
    const object = world.object(of);
    if (object === undefined || value < 0) return;
    object.preserved = false;
    object.list = 0;
  },
};

export const preserveScratch: Kind<PreserveScratch> = {
  says: 'ask to keep a range that reaches into scratch',
  weight: 2,
  silenceable: true,
  since: '6.18',
  fields: { place: PLACE, count: number(1, RANGE_MAX) },
  draw: (draw) => ({ place: draw.scratchEdge(), count: draw.random.between(2, 9) }),
  calls: ({ state }, { place, count }) => {
    const pfn = frameOf(place, state);
    const there = pfn >= 0 && pfn + count <= state.machine.end;
    return there && touchesScratch(state, pfn, count)
      ? [call('preservePages', { pfn, count })]
      : NO_CALLS;
  },
};
