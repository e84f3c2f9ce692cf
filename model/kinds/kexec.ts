/** Kinds of step: loading an image, jumping, switching off and on. */
import { TREE_DAMAGE } from '#spec/call';
import { call } from '../call.ts';
import type { World } from '../world.ts';
import { number } from './kind.ts';
import type { Kind, StepBase } from './kind.ts';

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

const DAMAGES = TREE_DAMAGE.length - 1;

const isLoaded = (world: World): boolean => world.state.loaded.get() === 1;

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

export const load: Kind<Load> = {
  says: 'load the next kernel',
  weight: 10,
  silenceable: false,
  fields: {},
  weightNow: (weight, world) => (isLoaded(world) ? weight / 20 : weight),
  draw: () => ({}),
  calls: () => [call('kexecFileLoad')],
};

export const kexec: Kind<Kexec> = {
  says: 'jump to the loaded kernel',
  weight: 12,
  silenceable: false,
  fields: { damage: number(0, DAMAGES) },
  weightNow: (weight, world) => (isLoaded(world) ? weight / reluctance(world) : weight / 40),
  draw: ({ random, damages }) => ({
    damage: damages && random.oneIn(8) ? random.between(1, DAMAGES) : 0,
  }),
  calls: (_world, { damage }) => [call('kexec', { value: damage })],
  settle: (world, _step, _made, { value }) => {
    if (value === 1) world.crossOver();
    else if (value === 0) world.forgetAll();
  },
};

export const coldBoot: Kind<ColdBoot> = {
  says: 'switch the machine off and on',
  weight: 0.3,
  silenceable: true,
  fields: {},
  draw: () => ({}),
  calls: () => [call('coldBoot')],
  settle: (world) => world.forgetAll(),
};
