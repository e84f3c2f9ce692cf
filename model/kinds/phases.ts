/** Kinds of step that only older kernels have: finalizing, aborting; and loading another kernel. */
import { GENERATIONS, ageOf, generationOfAge } from '#spec/generations';
import type { Call } from '#spec/call';
import { UNLOAD_NEXT } from '#spec/loading';
import { KHO_ON, WITH_HANDOVER, runsAs, runsBefore } from '#spec/state';
import type { State } from '#spec/state';
import { call } from '../call.ts';
import type { Draw } from '../draw.ts';
import type { World } from '../world.ts';
import { number } from './kind.ts';
import type { Kind, StepBase } from './kind.ts';

/** Write down what will be handed over. */
export interface Finalize extends StepBase {
  readonly do: 'finalize';
}

/** Write it down while the n-th page that KHO asks for on the way is refused. */
export interface FinalizeShort extends StepBase {
  readonly do: 'finalize short';
  readonly nth: number;
}

/** Take everything back. */
export interface Abort extends StepBase {
  readonly do: 'abort';
}

/** Switch the machine off and on with the kernel of another series. */
export interface BootKernel extends StepBase {
  readonly do: 'boot kernel';
  readonly kernel: number;
}

/** Load the kernel of another series; `kernel` is an index of `GENERATIONS`. */
export interface LoadKernel extends StepBase {
  readonly do: 'load kernel';
  readonly kernel: number;
}

/** As many orders as a trace usually preserves blocks of: each has a chunk of the list. */
const NTH_MAX = 4;

const isFinal = ({ state }: World): boolean => state.final.get() === 1;

/** Whether only what is final goes with an image: before 6.19, but for the series v5. */
const mustBeFinal = (state: State): boolean => runsBefore(state, '6.19') && !runsAs(state, 'v5');

const hasPhases = (weight: number, { state }: World): number =>
  runsBefore(state, '7.1') ? weight : 0;

/** What comes before a load that is to carry a handover: before 6.19 it has to be finalized. */
export const readied = (world: World, load: Call): readonly Call[] => {
  const { state } = world;
  const needs = mustBeFinal(state) && state.kho.get() === KHO_ON && !isFinal(world);
  return needs ? [call('finalize'), load] : [load];
};

export const finalize: Kind<Finalize> = {
  says: 'write down what will be handed over',
  weight: 2,
  silenceable: true,
  only: 'phases',
  fields: {},
  weightNow: (weight, world) => hasPhases(isFinal(world) ? weight / 4 : weight, world),
  draw: () => ({}),
  calls: () => [call('finalize')],
};

export const finalizeShort: Kind<FinalizeShort> = {
  says: 'write it down while one request for a page fails',
  weight: 1,
  silenceable: true,
  only: 'phases',
  fields: { nth: number(1, NTH_MAX) },
  weightNow: finalize.weightNow!,
  draw: ({ random }) => ({ nth: random.between(1, NTH_MAX) }),
  calls: (_world, { nth }) => [call('finalize', { fails: nth })],
};

export const abort: Kind<Abort> = {
  says: 'take back what was finalized, and all that was preserved',
  weight: 1,
  silenceable: true,
  only: 'phases',
  fields: {},
  weightNow: (weight, world) => hasPhases(isFinal(world) ? 2 * weight : weight / 4, world),
  draw: () => ({}),
  calls: ({ state }) =>
    state.loaded.get() === WITH_HANDOVER && mustBeFinal(state)
      ? [call('kexecUnload', { value: UNLOAD_NEXT }), call('abort')]
      : [call('abort')],
};

const kernelField = number(0, GENERATIONS.length - 1, GENERATIONS.indexOf('6.16'));

/** One image in so many is of any kernel, in traces that stay with the running one. */
const LEAVES_ONE_IN = 4;

const drawKernel = (draw: Draw): { readonly kernel: number } | undefined => {
  const { random, world } = draw;
  if (world.kernels.length === 0) return undefined;
  const stays = draw.stays && !random.oneIn(LEAVES_ONE_IN);
  const running = GENERATIONS.indexOf(generationOfAge(world.state.runs.get()));
  return { kernel: stays ? running : random.pick(world.kernels) };
};

/** `Call.order` that asks for a kernel. */
const asked = (kernel: number): number => 1 + ageOf(GENERATIONS[kernel]!);

export const bootKernel: Kind<BootKernel> = {
  says: 'switch the machine off and on with a kernel of another series',
  weight: 0.5,
  silenceable: true,
  needs: 'nothing',
  only: 'mixed',
  fields: { kernel: kernelField },
  draw: drawKernel,
  calls: (_world, { kernel }) => [call('coldBoot', { order: asked(kernel) })],
  settle: (world) => world.forgetAll(),
};

export const loadKernel: Kind<LoadKernel> = {
  says: 'load a kernel of another series',
  weight: 14,
  silenceable: false,
  needs: 'memory',
  only: 'mixed',
  fields: { kernel: kernelField },
  weightNow: (weight, { state }) => (state.loaded.get() > 0 ? weight / 20 : weight),
  draw: drawKernel,
  calls: (world, { kernel }) => readied(world, call('kexecFileLoad', { order: asked(kernel) })),
};
