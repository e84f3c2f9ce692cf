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
const mayPreserve = (world: World, { status, movable, pfn, count }: WorldObject): boolean =>
  status === 'owned' && (!movable || touchesScratch(world.state, pfn, count));

export const preserve: Kind<Preserve> = {
  says: 'keep an object for the next kernel',
  weight: 20,
  silenceable: false,
  fields: { of: OBJECT },
  draw: (draw) =>
    draw.object(
      (o) => o.status === 'owned' && !o.preserved && !o.movable,
      (o) => o.status === 'owned' && (o.preserved || o.movable),
    ),
  calls: (world, { of }) => {
    const object = world.object(of);
    return object && mayPreserve(world, object) ? [object.calls.preserve(object)] : NO_CALLS;
  },
  settle: (world, { of }, _made, { value }) => {
    const object = world.object(of);
    if (object !== undefined && value >= 0) object.preserved = true;
  },
};

export const unpreserve: Kind<Unpreserve> = {
  says: 'stop keeping an object',
  weight: 5,
  silenceable: true,
  fields: { of: OBJECT },
  draw: (draw) =>
    draw.object(
      (o) => o.status === 'owned' && o.preserved && o.names === 0,
      (o) => o.status === 'owned' && !o.preserved && !o.movable,
    ),
  calls: (world, { of }) => {
    const object = world.object(of);
    const may = object?.status === 'owned' && object.names === 0 && !object.movable;
    return may ? [object.calls.unpreserve(object)] : NO_CALLS;
  },
  settle: (world, { of }) => {
    const object = world.object(of);
    if (object !== undefined) object.preserved = false;
  },
};

export const preserveScratch: Kind<PreserveScratch> = {
  says: 'ask to keep a range that reaches into scratch',
  weight: 2,
  silenceable: true,
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
