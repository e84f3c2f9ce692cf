/** Kinds of step: loading an image, jumping, switching off and on. */
import { FIRST_BLOB_DAMAGE } from '#spec/call';
import { ageOf } from '#spec/generations';
import { KHO_KDUMP, isEarly } from '#spec/state';
import { call } from '../call.ts';
import type { World } from '../world.ts';
import { NO_CALLS, number } from './kind.ts';
import type { Kind, StepBase } from './kind.ts';
import { readied } from './phases.ts';

export interface Load extends StepBase {
  readonly do: 'load';
}

/** Jump; `damage` is an index of `TREE_DAMAGE`. */
export interface Kexec extends StepBase {
  readonly do: 'kexec';
  readonly damage: number;
}

export interface ColdBoot extends StepBase {
  readonly do: 'cold boot';
}

/** Kinds of damage that concern the whole tree. */
const DAMAGES = FIRST_BLOB_DAMAGE - 1;

const isLoaded = (world: World): boolean => world.state.loaded.get() > 0;

/** A jump says little while nothing is preserved, or while much is held that it would lose. */
const reluctance = (world: World): number => {
  let preserved = 0;
  let held = 0;
  for (const object of world.alive) {
    if (object.preserved) preserved++;
    if (object.status === 'held') held++;
  }
  return preserved === 0 ? 3 : held > 0 ? 2 : 1;
};

/** From here on the map is not there, or empty. */
const FIRST_MAP_DAMAGE = 3;

/** Whether the loaded kernel takes a tree without a map for one in which nothing is preserved. */
const takesNoMap = ({ state }: World): boolean => state.loads.get() > ageOf('6.19');

/** Before the merge nothing can be done but jump once a tree is written and an image loaded. */
const eagerness = ({ state }: World): number => (isEarly(state) && state.final.get() === 1 ? 4 : 1);

export const load: Kind<Load> = {
  says: 'load the next kernel',
  weight: 10,
  silenceable: false,
  needs: 'memory',
  fields: {},
  weightNow: (weight, world) => (isLoaded(world) ? weight / 20 : weight),
  draw: () => ({}),
  calls: (world) => readied(world, call('kexecFileLoad')),
};

export const kexec: Kind<Kexec> = {
  says: 'jump to the loaded kernel',
  weight: 12,
  silenceable: false,
  needs: 'memory',
  fields: { damage: number(0, DAMAGES) },
  weightNow: (weight, world) =>
    isLoaded(world) ? (eagerness(world) * weight) / reluctance(world) : weight / 40,
  draw: ({ random, damages }) => ({
    damage: damages && random.oneIn(8) ? random.between(1, DAMAGES) : 0,
  }),
  calls: (world, { damage }) =>
    damage >= FIRST_MAP_DAMAGE && takesNoMap(world) ? NO_CALLS : [call('kexec', { value: damage })],
  settle: (world, _step, _made, { value }) => world.jumped(value),
};

export const coldBoot: Kind<ColdBoot> = {
  says: 'switch the machine off and on',
  weight: 0.3,
  silenceable: true,
  needs: 'nothing',
  fields: {},
  /** A kdump kernel has nothing else to do. */
  weightNow: (weight, { state }) => (state.kho.get() === KHO_KDUMP ? 20 : weight),
  draw: () => ({}),
  calls: () => [call('coldBoot')],
  settle: (world) => world.forgetAll(),
};
