/** Kinds of step: pinning movable memory so that it can be kept, and moving what may move. */
import { ANY_NODE } from '#spec/call';
import type { Answer } from '#spec/call';
import { HELD } from '#spec/state';
import { call } from '../call.ts';
import type { Draw } from '../draw.ts';
import { FOLIO } from '../world-object.ts';
import type { WorldObject } from '../world-object.ts';
import type { World } from '../world.ts';
import { NO_CALLS, OBJECT, number } from './kind.ts';
import type { Kind, StepBase } from './kind.ts';

/** Pin a movable object for long; `nth` request for pages fails, 0: none does. */
export interface Pin extends StepBase {
  readonly do: 'pin';
  readonly of: number;
  readonly node: number;
  readonly nth: number;
}

export interface Unpin extends StepBase {
  readonly do: 'unpin';
  readonly of: number;
}

/** The kernel moves an object, or tries to. */
export interface Migrate extends StepBase {
  readonly do: 'migrate';
  readonly of: number;
  readonly node: number;
  readonly nth: number;
}

const NODES_MAX = 64;
const NTH_MAX = 1;

const mayMove = ({ status, movable }: WorldObject): boolean => status === 'owned' && movable;

/** A node that a page is to move to: mostly any. */
const drawNode = ({ random, world }: Draw): number =>
  random.oneIn(4) ? random.below(world.state.machine.nodes.length) : ANY_NODE;

const drawNth = ({ random }: Draw): number => (random.oneIn(8) ? 1 : 0);

/** Takes note of where an object went. */
const follow = (world: World, of: number, { value }: Answer): WorldObject | undefined => {
  const object = world.object(of);
  if (object === undefined || value < 0) return undefined;
  object.pfn = value;
  return object;
};

const isNode = (world: World, node: number): boolean => node < world.state.machine.nodes.length;

export const pin: Kind<Pin> = {
  says: 'pin a movable object for long',
  weight: 12,
  silenceable: true,
  needs: 'memory',
  fields: { of: OBJECT, node: number(ANY_NODE, NODES_MAX - 1), nth: number(0, NTH_MAX) },
  draw: (draw) => {
    const chosen = draw.choose(mayMove);
    return chosen && { of: chosen.id, node: drawNode(draw), nth: drawNth(draw) };
  },
  calls: (world, { of, node, nth }) => {
    const object = world.object(of);
    if (object === undefined || !mayMove(object) || !isNode(world, node)) return NO_CALLS;
    return [call('pin', { pfn: object.pfn, order: object.order, node, fails: nth })];
  },
  settle: (world, { of }, _made, answer) => {
    const object = follow(world, of, answer);
    if (object === undefined) return;
    object.movable = false;
    object.pinned = true;
  },
};

export const unpin: Kind<Unpin> = {
  says: 'end a long-term pin',
  weight: 4,
  silenceable: true,
  needs: 'memory',
  fields: { of: OBJECT },
  draw: (draw) => draw.object((o) => o.pinned && !o.preserved),
  calls: (world, { of }) => {
    const object = world.object(of);
    if (object === undefined || !object.pinned || object.preserved) return NO_CALLS;
    return [call('unpin', { pfn: object.pfn, order: object.order })];
  },
  settle: (world, { of }) => {
    const object = world.object(of);
    if (object === undefined) return;
    object.movable = true;
    object.pinned = false;
  },
};

/** Whether the kernel may be asked to move it: a block that it owns, movable or not. */
const isAsked = (world: World, object: WorldObject): boolean =>
  object.calls === FOLIO && object.status === 'owned' && world.state.use.get(object.pfn) !== HELD;

export const migrate: Kind<Migrate> = {
  says: 'the kernel moves an object elsewhere, or finds that it must not',
  weight: 4,
  silenceable: true,
  needs: 'memory',
  fields: { of: OBJECT, node: number(ANY_NODE, NODES_MAX - 1), nth: number(0, NTH_MAX) },
  draw: (draw) => {
    const { random, world } = draw;
    const fixed = random.oneIn(2);
    const chosen = fixed
      ? (draw.choose((o) => o.pinned) ?? draw.choose((o) => isAsked(world, o)))
      : draw.choose(mayMove);
    return chosen && { of: chosen.id, node: drawNode(draw), nth: drawNth(draw) };
  },
  calls: (world, { of, node, nth }) => {
    const object = world.object(of);
    if (object === undefined || !isAsked(world, object) || !isNode(world, node)) return NO_CALLS;
    return [call('migrate', { pfn: object.pfn, order: object.order, node, fails: nth })];
  },
  settle: (world, { of }, _made, answer) => {
    follow(world, of, answer);
  },
};
