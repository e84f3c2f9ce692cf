/** Kinds of step: naming blobs in the handover tree, and looking them up. */
import type { Call } from '#spec/call';
import { KHO_ON, runsBefore } from '#spec/state';
import { call } from '../call.ts';
import { CROWD_FIRST, SUBTREE_NAMES, crowdNames } from '../machines.ts';
import type { Random } from '../random.ts';
import type { World } from '../world.ts';
import { NO_CALLS, OBJECT, number } from './kind.ts';
import type { Kind, StepBase } from './kind.ts';

/** Name a preserved object in the outgoing tree. */
export interface AddSubtree extends StepBase {
  readonly do: 'add subtree';
  readonly of: number;
  readonly name: number;
  readonly bytes: number;
}

/** Name one object by many names, until the page is full or `count` names are added. */
export interface CrowdTree extends StepBase {
  readonly do: 'crowd tree';
  readonly of: number;
  readonly count: number;
}

export interface RemoveSubtree extends StepBase {
  readonly do: 'remove subtree';
  readonly of: number;
}

export interface RetrieveSubtree extends StepBase {
  readonly do: 'retrieve subtree';
  readonly name: number;
}

const NAME_MAX = SUBTREE_NAMES.length - 1;
const BYTES_MAX = 2 ** 40;

export const addSubtree: Kind<AddSubtree> = {
  says: 'name a preserved object in the outgoing tree',
  weight: 5,
  silenceable: true,
  fields: { of: OBJECT, name: number(0, NAME_MAX, 1), bytes: number(1, BYTES_MAX) },
  draw: ({ random, choose, pageBytes }) => {
    const chosen = choose((o) => o.status === 'owned' && o.preserved && o.pfn > 0);
    if (chosen === undefined) return undefined;
    const bytes = random.pick([1, 73, pageBytes, chosen.run * pageBytes]);
    return { of: chosen.id, name: random.between(1, CROWD_FIRST - 1), bytes };
  },
  calls: (world, { of, name, bytes }) => {
    const object = world.object(of);
    const { machine } = world.state;
    const named = object?.status === 'owned' && object.preserved && object.pfn > 0;
    const may = named && name < machine.nameBytes.length;
    return may && bytes <= object.run * 2 ** machine.pageShift
      ? [call('addSubtree', { pfn: object.pfn, name, value: bytes })]
      : NO_CALLS;
  },
  settle: (world, { of }, _made, { value }) => {
    const object = world.object(of);
    if (object !== undefined && value === 0) object.names++;
  },
};

export const crowdTree: Kind<CrowdTree> = {
  says: 'name one object by many names',
  weight: 1,
  silenceable: true,
  fields: { of: OBJECT, count: number(1, 1600) },
  weightNow: (weight, world) => (world.crowded ? weight / 20 : weight),
  draw: (draw) => {
    const chosen = draw.choose((o) => o.status === 'owned' && o.preserved && o.pfn > 0);
    const { state } = draw.world;
    const isOld = runsBefore(state, '7.1');
    return chosen && { of: chosen.id, count: crowdNames(state.machine.pageShift, isOld) };
  },
  calls: (world, { of, count }) => {
    const object = world.object(of);
    if (object?.status !== 'owned' || !object.preserved || object.pfn === 0) return NO_CALLS;
    const { pageShift } = world.state.machine;
    const value = 2 ** pageShift;
    const calls: Call[] = [];
    const most = crowdNames(pageShift, runsBefore(world.state, '7.1'));
    for (let i = 0; i < Math.min(count, most); i++) {
      calls.push(call('addSubtree', { pfn: object.pfn, name: CROWD_FIRST + i, value }));
    }
    return calls;
  },
  settle: (world, { of }, _made, { value }) => {
    const object = world.object(of);
    if (object === undefined || value !== 0) return;
    object.names++;
    world.crowded = true;
  },
};

export const removeSubtree: Kind<RemoveSubtree> = {
  says: 'take an object out of the outgoing tree',
  weight: 3,
  silenceable: true,
  since: '6.19',
  fields: { of: OBJECT },
  draw: (draw) =>
    draw.object(
      (o) => o.status === 'owned' && o.names > 0,
      (o) => o.status === 'owned' && o.names === 0,
    ),
  calls: (world, { of }) => {
    const object = world.object(of);
    return object?.status === 'owned' ? [call('removeSubtree', { pfn: object.pfn })] : NO_CALLS;
  },
  settle: (world, { of }) => {
    const object = world.object(of);
    if (object !== undefined && object.names > 0) object.names--;
  },
};

/** Often a name that the previous kernel handed over, if there are any of the ordinary ones. */
const arrived = ({ state }: World, random: Random): number | undefined => {
  if (random.oneIn(3)) return undefined;
  const names: number[] = [];
  for (let name = 0; name < CROWD_FIRST; name++) {
    if (state.inFrame.get(name) !== 0) names.push(name);
    if (state.inFault.get(name) !== 0) return name;
  }
  return names.length === 0 ? undefined : random.pick(names);
};

export const retrieveSubtree: Kind<RetrieveSubtree> = {
  says: 'look a blob of the previous kernel up',
  weight: 3,
  silenceable: true,
  needs: 'nothing',
  fields: { name: number(0, NAME_MAX) },
  weightNow: (weight, { state }) => (state.kho.get() === KHO_ON ? weight : 4 * weight),
  draw: ({ random, world }) => ({ name: arrived(world, random) ?? random.below(CROWD_FIRST) }),
  calls: ({ state: { machine } }, { name }) =>
    name < machine.nameBytes.length ? [call('retrieveSubtree', { name })] : NO_CALLS,
};
