/** Kinds of step: taking over what the previous kernel handed over. */
import { isHeldRange } from '#spec/restore';
import { HELD } from '#spec/state';
import { call } from '../call.ts';
import { returnedFirst } from './returning.ts';
import { NO_CALLS, OBJECT, number } from './kind.ts';
import type { Kind, StepBase } from './kind.ts';
import { RANGE_MAX } from './memory.ts';

export interface Restore extends StepBase {
  readonly do: 'restore';
  readonly of: number;
}

/** Ask for something that was not handed over: a shorter or longer range of an object. */
export interface RestorePart extends StepBase {
  readonly do: 'restore part';
  readonly of: number;
  readonly count: number;
}

export const restore: Kind<Restore> = {
  says: 'take over an object',
  weight: 16,
  silenceable: false,
  needs: 'memory',
  fields: { of: OBJECT },
  draw: (draw) =>
    draw.object(
      (o) => o.status === 'held',
      (o) => o.status === 'owned' && !o.movable,
    ),
  calls: (world, { of }) => {
    const object = world.object(of);
    if (object === undefined || object.movable) return NO_CALLS;
    const asks = object.status === 'held' || world.state.use.get(object.pfn) !== HELD;
    if (!asks || object.returned) return NO_CALLS;
    if (object.status !== 'held') return [object.calls.restore(object)];
    return [...returnedFirst(world, object), object.calls.restore(object)];
  },
  settle: (world, { of }, _made, { value }) => {
    const object = world.object(of);
    if (object !== undefined && value >= 0) object.status = 'owned';
  },
};

export const restorePart: Kind<RestorePart> = {
  says: 'ask for a part of an object, or for more than it',
  weight: 2,
  silenceable: true,
  since: '6.18',
  fields: { of: OBJECT, count: number(1, RANGE_MAX) },
  draw: ({ random, choose }) => {
    const chosen = choose((o) => o.status === 'held');
    if (chosen === undefined) return undefined;
    const shorter = random.oneIn(2) && chosen.count > 1;
    const count = shorter ? random.between(1, chosen.count - 1) : chosen.count + 1;
    return { of: chosen.id, count };
  },
  calls: (world, { of, count }) => {
    const object = world.object(of);
    if (object?.status !== 'held') return NO_CALLS;
    return isHeldRange(world.state, object.pfn, count)
      ? NO_CALLS
      : [call('restorePages', { pfn: object.pfn, count })];
  },
};
