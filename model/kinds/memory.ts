/** Kinds of step: taking memory, writing it, giving it back. */
import { ANY_NODE } from '#spec/call';
import { call } from '../call.ts';
import { MAX_PAGE_ORDER } from '../machines.ts';
import { frameOf } from '../place.ts';
import type { Place } from '../place.ts';
import { FOLIO, RANGE } from '../world-object.ts';
import type { World } from '../world.ts';
import { FLAG, NO_CALLS, OBJECT, PLACE, number } from './kind.ts';
import type { Kind, StepBase } from './kind.ts';

/** Take a block from the page allocator. */
export interface Alloc extends StepBase {
  readonly do: 'alloc';
  readonly node: number;
  readonly order: number;
  readonly movable: boolean;
}

/** Take a given range of single pages. */
export interface Claim extends StepBase {
  readonly do: 'claim';
  readonly place: Place;
  readonly count: number;
}

export interface Free extends StepBase {
  readonly do: 'free';
  readonly of: number;
}

/** Write a page of an object, counted from its start. */
export interface Write extends StepBase {
  readonly do: 'write';
  readonly of: number;
  readonly page: number;
}

/** More objects than this make a trace hard to read. */
const OBJECTS_MAX = 24;
const NODES_MAX = 64;
export const FRAMES_MAX = 2 ** 32;
/** Longest range of a step, in frames. */
export const RANGE_MAX = 2 ** 24;

const whileFew = (weight: number, world: World): number =>
  world.alive.length >= OBJECTS_MAX ? 0 : weight;

export const alloc: Kind<Alloc> = {
  says: 'take a block from the page allocator',
  weight: 16,
  silenceable: false,
  needs: 'memory',
  fields: {
    node: number(ANY_NODE, NODES_MAX - 1),
    order: number(0, MAX_PAGE_ORDER),
    movable: FLAG,
  },
  weightNow: whileFew,
  draw: ({ random, world }) => {
    const { nodes, maxOrder } = world.state.machine;
    const large = random.oneIn(24);
    return {
      node: random.oneIn(3) ? random.below(nodes.length) : ANY_NODE,
      order: large ? random.between(maxOrder - 1, maxOrder) : random.below(random.between(1, 6)),
      movable: random.oneIn(4),
    };
  },
  calls: ({ state: { machine } }, { node, order, movable }) =>
    node < machine.nodes.length && order <= machine.maxOrder
      ? [call('allocPages', { node, order, value: movable ? 1 : 0 })]
      : NO_CALLS,
  settle: (world, { id, order, movable }, _made, { value }) => {
    if (value < 0) return;
    world.add(id, { calls: FOLIO, pfn: value, order, count: 2 ** order, movable });
  },
};

export const claim: Kind<Claim> = {
  says: 'take a given range of single pages',
  weight: 8,
  silenceable: true,
  needs: 'memory',
  fields: { place: PLACE, count: number(1, RANGE_MAX) },
  weightNow: whileFew,
  draw: (draw) => ({ place: draw.place(), count: draw.count() }),
  calls: ({ state }, { place, count }) => {
    const pfn = frameOf(place, state);
    const there = pfn >= 0 && pfn + count <= state.machine.end;
    return there ? [call('allocContig', { pfn, count })] : NO_CALLS;
  },
  settle: (world, { id }, { pfn, count }, { value }) => {
    if (value === 0) world.add(id, { calls: RANGE, pfn, order: 0, count, movable: false });
  },
};

export const free: Kind<Free> = {
  says: 'give an object back',
  weight: 6,
  silenceable: true,
  needs: 'memory',
  fields: { of: OBJECT },
  draw: (draw) => draw.object((o) => o.status === 'owned' && !o.preserved && !o.pinned),
  calls: (world, { of }) => {
    const object = world.object(of);
    const may = object?.status === 'owned' && !object.preserved && !object.pinned;
    return may ? [object.calls.free(object)] : NO_CALLS;
  },
  settle: (world, { of }) => world.drop(of),
};

export const write: Kind<Write> = {
  says: 'write a page of an object',
  weight: 10,
  silenceable: false,
  needs: 'memory',
  fields: { of: OBJECT, page: number(0, FRAMES_MAX) },
  draw: (draw) => {
    const chosen = draw.choose((o) => o.status === 'owned');
    if (chosen === undefined) return undefined;
    const { count } = chosen;
    return { of: chosen.id, page: draw.random.pick([0, count - 1, draw.random.below(count)]) };
  },
  calls: (world, step) => {
    const object = world.object(step.of);
    return object?.status === 'owned' && step.page < object.count
      ? [call('write', { pfn: object.frame(step.page), value: stampOf(step) })]
      : NO_CALLS;
  },
};

/** A stamp that no other write of the same trace has, made of the step and the page. */
export const stampOf = ({ id, page }: { readonly id: number; readonly page: number }): number =>
  ((id + 1) * 2048 + (page % 2048)) % 0xfffffff0;
