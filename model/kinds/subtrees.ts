/** Kinds of step: naming blobs in the handover tree, and looking them up. */
import type { Answer, Call } from '#spec/call';
import { KHO_ON, hasRanges, runsBefore } from '#spec/state';
import { call } from '../call.ts';
import {
  CROWD_FIRST,
  CROWD_LENGTHS,
  MEASURED_END,
  MEASURED_FIRST,
  SUBTREE_NAMES,
  crowdNames,
} from '../machines.ts';
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

/** Name one object by names of one length, until one name too many. */
export interface CrowdAlike extends StepBase {
  readonly do: 'crowd alike';
  readonly of: number;
  /** Which of the lengths that a crowd of names has. */
  readonly chars: number;
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

type OfObject = Pick<CrowdTree, 'of'>;

const NAME_MAX = SUBTREE_NAMES.length - 1;
const BYTES_MAX = 2 ** 40;

/** Where pages are larger, machines have many names anyway, as many fill a page. */
const MANY_PAGE_SHIFT = 12;

const hasManyNames = ({ state: { machine } }: World): boolean =>
  machine.nameBytes.length >= MEASURED_END && machine.pageShift === MANY_PAGE_SHIFT;

/** An ordinary name; on machines with many of them, half of the time one of any length. */
const drawName = (random: Random, world: World): number =>
  hasManyNames(world) && random.oneIn(2)
    ? random.between(MEASURED_FIRST, MEASURED_END - 1)
    : random.between(1, CROWD_FIRST - 1);

export const addSubtree: Kind<AddSubtree> = {
  says: 'name a preserved object in the outgoing tree',
  weight: 5,
  silenceable: true,
  fields: { of: OBJECT, name: number(0, NAME_MAX, 1), bytes: number(1, BYTES_MAX) },
  weightNow: (weight, world) => {
    // Kernels that name nothing themselves, and let nobody name anything in the active phase.
    if (hasRanges(world.state)) return world.state.final.get() === 0 ? 6 * weight : weight / 2;
    return hasManyNames(world) && !runsBefore(world.state, '7.1') ? 3 * weight : weight;
  },
  draw: ({ random, choose, pageBytes, world }) => {
    const chosen = choose((o) => o.status === 'owned' && o.preserved && o.pfn > 0);
    if (chosen === undefined) return undefined;
    const bytes = random.pick([1, 73, pageBytes, chosen.run * pageBytes]);
    return { of: chosen.id, name: drawName(random, world), bytes };
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

/** Takes note of one name of a crowd. */
const noteName = (world: World, { of }: OfObject, _made: Call, { value }: Answer): void => {
  const object = world.object(of);
  if (object === undefined || value !== 0) return;
  object.names++;
  world.crowded = true;
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
  settle: noteName,
};

/** More names of the shortest length than fill a tree of any generation, by some. */
const ALIKE_MAX = 130;
/** Names of each length that fill a tree that is written at once, one property each. */
const FILLS_OLD_TREE = [123, 98, 89, 65] as const;

/** All there are, which is too many; where a tree is written at once, about as many as fit. */
const drawAlike = (random: Random, { state }: World, chars: number): number =>
  runsBefore(state, '6.19') ? FILLS_OLD_TREE[chars]! + random.between(-1, 1) : ALIKE_MAX;

export const crowdAlike: Kind<CrowdAlike> = {
  says: 'name one object by many names of one length',
  weight: 2,
  silenceable: true,
  fields: {
    of: OBJECT,
    chars: number(0, CROWD_LENGTHS - 1),
    count: number(1, ALIKE_MAX),
  },
  weightNow: (weight, world) => {
    if (!hasManyNames(world)) return 0;
    // A tree that is written at once tells how many fit only when it has no other names.
    const isFirst = runsBefore(world.state, '6.19') && world.alive.every((o) => o.names === 0);
    return world.crowded ? weight / 20 : isFirst ? 8 * weight : weight;
  },
  draw: (draw) => {
    const chosen = draw.choose((o) => o.status === 'owned' && o.preserved && o.pfn > 0);
    if (chosen === undefined) return undefined;
    const chars = draw.random.below(CROWD_LENGTHS);
    return { of: chosen.id, chars, count: drawAlike(draw.random, draw.world, chars) };
  },
  calls: (world, { of, chars, count }) => {
    const object = world.object(of);
    if (object?.status !== 'owned' || !object.preserved || object.pfn === 0) return NO_CALLS;
    if (!hasManyNames(world)) return NO_CALLS;
    const value = 2 ** world.state.machine.pageShift;
    return Array.from({ length: count }, (_, i) =>
      call('addSubtree', { pfn: object.pfn, name: CROWD_FIRST + i * CROWD_LENGTHS + chars, value }),
    );
  },
  settle: noteName,
};

export const removeSubtree: Kind<RemoveSubtree> = {
  says: 'take an object out of the outgoing tree',
  weight: 3,
  silenceable: true,
  since: '6.19',
  also: ['v3', 'v4', 'v5'],
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
  settle: (world, { of }, _made, { value }) => {
    const object = world.object(of);
    if (object !== undefined && value === 0 && object.names > 0) object.names--;
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
