/**
 * Kinds of step: giving back what was handed over, in kernels where every node that named memory
 * has a claim on it (up to v4).
 */
import type { Call } from '#spec/call';
import { hasRanges } from '#spec/state';
import { call } from '../call.ts';
import type { World } from '../world.ts';
import type { WorldObject } from '../world-object.ts';
import { NO_CALLS, OBJECT, number } from './kind.ts';
import type { Kind, StepBase } from './kind.ts';

/** Give back an object, or what a user named of it. */
export interface Return extends StepBase {
  readonly do: 'return';
  readonly of: number;
  /** 0: its owner does; n: the n-th user that named it and did not yet. */
  readonly by: number;
}

const BY_MAX = 400;

/** Names whose users have a claim on an object. */
const claimants = ({ state }: World, { pfn, count }: WorldObject): number[] => {
  const names: number[] = [];
  for (let name = 0; name < state.machine.nameBytes.length; name++) {
    const frame = state.inFrame.get(name) - 1;
    if (frame >= pfn && frame < pfn + count && state.inReturned.get(name) === 0) names.push(name);
  }
  return names;
};

const returning = ({ state }: World, name: number): Call =>
  call('returnMem', {
    pfn: state.inFrame.get(name) - 1,
    count: Math.ceil(state.inBytes.get(name) / 2 ** state.machine.pageShift),
    name: name + 1,
  });

/** What users have to give back before the owner of an object can claim it. */
export const returnedFirst = (world: World, object: WorldObject): readonly Call[] =>
  hasRanges(world.state) ? claimants(world, object).map((name) => returning(world, name)) : [];

export const returnObject: Kind<Return> = {
  says: 'give back an object that was handed over, or what a user named of it',
  weight: 5,
  silenceable: true,
  only: 'ranges',
  needs: 'memory',
  fields: { of: OBJECT, by: number(0, BY_MAX) },
  weightNow: (weight, { state }) => (hasRanges(state) ? weight : 0),
  draw: (draw) => {
    const chosen = draw.choose((o) => o.status === 'held');
    if (chosen === undefined) return undefined;
    const users = claimants(draw.world, chosen).length;
    const byUser = users > 0 && (chosen.returned || draw.random.oneIn(2));
    return { of: chosen.id, by: byUser ? draw.random.between(1, Math.min(users, BY_MAX)) : 0 };
  },
  calls: (world, { of, by }) => {
    const object = world.object(of);
    if (object?.status !== 'held' || !hasRanges(world.state)) return NO_CALLS;
    if (by === 0) {
      const { pfn, count, returned } = object;
      return returned ? NO_CALLS : [call('returnMem', { pfn, count })];
    }
    const name = claimants(world, object)[by - 1];
    return name === undefined ? NO_CALLS : [returning(world, name)];
  },
  settle: (world, { of }, { name }, { value }) => {
    const object = world.object(of);
    if (object === undefined || value !== 0) return;
    if (name === 0) object.returned = true;
    if (object.returned && claimants(world, object).length === 0) world.drop(of);
  },
};
