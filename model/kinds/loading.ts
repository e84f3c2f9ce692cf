/** Kinds of step: images of all sizes and kinds, unloading, crashing, kernels without KHO. */
import { FIRST_BLOB_DAMAGE, FIRST_METADATA_DAMAGE, NEXT_KERNELS, TREE_DAMAGE } from '#spec/call';
import type { Call } from '#spec/call';
import { MEMBLOCK_NAME, METADATA_NAME } from '#spec/handover-tree';
import { UNLOAD_CRASH, UNLOAD_NEXT } from '#spec/loading';
import { KHO_ON, areaSlots, runsBefore } from '#spec/state';
import { call } from '../call.ts';
import { CROWD_FIRST, SUBTREE_NAMES } from '../machines.ts';
import type { Random } from '../random.ts';
import type { World } from '../world.ts';
import { FLAG, NO_CALLS, number } from './kind.ts';
import type { Kind, StepBase } from './kind.ts';

/** Load an image of a size, counted by words, of a kernel that is an index of `NEXT_KERNELS`. */
export interface LoadImage extends StepBase {
  readonly do: 'load image';
  readonly size: number;
  readonly kernel: number;
}

/** Load by kexec_load(2), to a frame that the caller chose. */
export interface LoadAnywhere extends StepBase {
  readonly do: 'load anywhere';
  readonly at: number;
  readonly kernel: number;
}

/** Unload an image, and maybe try to start it all the same. */
export interface Unload extends StepBase {
  readonly do: 'unload';
  readonly crash: boolean;
  readonly starts: boolean;
}

/** Load a crash kernel: an ordinary image, one that fills the memory for it, one too large. */
export interface LoadCrash extends StepBase {
  readonly do: 'load crash';
  readonly size: number;
}

/** Crash; a crash kernel may be loaded right before, if there is none. */
export interface Crash extends StepBase {
  readonly do: 'crash';
  readonly loads: boolean;
}

/** Ask the running kernel about its KHO. */
export interface AskStatus extends StepBase {
  readonly do: 'ask status';
}

/** Switch the machine off and on, with a kernel whose KHO is off. */
export interface BootWithout extends StepBase {
  readonly do: 'boot without KHO';
  readonly kernel: number;
}

/** Jump with a tree in which one blob is damaged; `damage` is an index of `TREE_DAMAGE`. */
export interface KexecBlob extends StepBase {
  readonly do: 'kexec damaged blob';
  readonly damage: number;
  readonly name: number;
}

/** Sizes of images, in words. */
const ORDINARY = 0;
const WITH_ROOM_TO_SPARE = 1;
const FILLS_AN_AREA = 2;
const TOO_LARGE = 3;

/** Frames of an image that kexec_load(2) brings. */
const ANYWHERE_FRAMES = 8;
/** Where such images go: they leave room for scratch. */
const ANYWHERE_MAX = 500;
/** Larger images than this are not worth the time to copy them; in frames. */
const COPIED_MAX = 2048;
/** Frames that an image leaves of an area to what goes with it. */
const COMPANIONS = 40;

const kernelField = number(0, NEXT_KERNELS.length - 1);
const isOn = ({ state }: World): boolean => state.kho.get() === KHO_ON;

/** Mostly an ordinary kernel, in most traces never another one. */
const drawKernel = (random: Random, strays: boolean): number =>
  strays && random.oneIn(4) ? random.between(1, NEXT_KERNELS.length - 1) : 0;

/** A kernel without KHO ends what a trace is about; few traces have any. */
const whileStraying = (weight: number, world: World): number => (isOn(world) ? weight : 0);

const largestArea = ({ state }: World): number => {
  let frames = 0;
  for (let area = 0; area < areaSlots(state.machine); area++) {
    frames = Math.max(frames, state.areaCount.get(area));
  }
  return frames;
};

/** Frames of an image of this size, 0 for an ordinary one; undefined where there is none. */
const imageFrames = (world: World, size: number): number | undefined => {
  if (size === ORDINARY) return 0;
  const area = largestArea(world);
  if (area === 0) return undefined;
  if (size === TOO_LARGE) return area + 1;
  if (area > COPIED_MAX) return undefined;
  return size === FILLS_AN_AREA ? area : Math.max(1, area - COMPANIONS);
};

export const loadImage: Kind<LoadImage> = {
  says: 'load an image of another size, or of a kernel without KHO',
  weight: 2,
  silenceable: true,
  needs: 'memory',
  fields: { size: number(ORDINARY, TOO_LARGE), kernel: kernelField },
  draw: ({ random, strays }) => ({
    size: random.oneIn(3) ? ORDINARY : random.between(WITH_ROOM_TO_SPARE, TOO_LARGE),
    kernel: drawKernel(random, strays),
  }),
  calls: (world, { size, kernel }) => {
    const count = imageFrames(world, size);
    return count === undefined ? NO_CALLS : [call('kexecFileLoad', { count, value: kernel })];
  },
};

export const loadAnywhere: Kind<LoadAnywhere> = {
  says: 'load the next kernel by kexec_load(2)',
  weight: 2,
  silenceable: true,
  needs: 'memory',
  fields: { at: number(1, ANYWHERE_MAX), kernel: kernelField },
  draw: ({ random, strays }) =>
    strays
      ? { at: random.between(1, ANYWHERE_MAX), kernel: drawKernel(random, strays) }
      : undefined,
  calls: (_world, { at, kernel }) => [
    call('kexecLoad', { pfn: at, count: ANYWHERE_FRAMES, value: kernel }),
  ],
};

export const unload: Kind<Unload> = {
  says: 'unload an image',
  weight: 1,
  silenceable: true,
  needs: 'memory',
  fields: { crash: FLAG, starts: FLAG },
  weightNow: (weight, { state }) =>
    state.loaded.get() + state.crashLoaded.get() === 0 ? weight / 10 : weight,
  draw: ({ random }) => ({ crash: random.oneIn(3), starts: random.oneIn(3) }),
  calls: (_world, { crash: ofCrash, starts }) => {
    const first = call('kexecUnload', { value: ofCrash ? UNLOAD_CRASH : UNLOAD_NEXT });
    return starts ? [first, call(ofCrash ? 'crash' : 'kexec')] : [first];
  },
};

export const loadCrash: Kind<LoadCrash> = {
  says: 'load a crash kernel',
  weight: 2,
  silenceable: true,
  needs: 'memory',
  fields: { size: number(0, 2) },
  weightNow: (weight, { state }) => (state.crashCount.get() === 0 ? weight / 20 : weight),
  draw: ({ random }) => ({ size: random.oneIn(2) ? 0 : random.between(1, 2) }),
  calls: ({ state }, { size }) => {
    const reserved = state.crashCount.get();
    const count = size === 0 ? 0 : size === 1 ? reserved : reserved + 1;
    return [call('kexecCrashLoad', { count })];
  },
};

export const crash: Kind<Crash> = {
  says: 'crash into the crash kernel',
  weight: 1.5,
  silenceable: true,
  needs: 'memory',
  fields: { loads: FLAG },
  weightNow: (weight, { state }) => (state.crashLoaded.get() === 1 ? 4 * weight : weight),
  draw: ({ random, strays }) => (strays ? { loads: !random.oneIn(4) } : undefined),
  calls: ({ state }, { loads }) => {
    const loadsFirst = loads && state.crashLoaded.get() === 0;
    return loadsFirst ? [call('kexecCrashLoad'), call('crash')] : [call('crash')];
  },
  settle: (world, _step, { action }, { value }) => {
    if (action === 'crash' && value >= 0) world.forgetAll();
  },
};

const STATUS: readonly Call[] = [call('khoIsEnabled'), call('isKhoBoot')];
/** Before 6.18 nobody can ask more. */
const EARLY_STATUS: readonly Call[] = [call('khoIsEnabled')];

export const askStatus: Kind<AskStatus> = {
  says: 'ask the running kernel about its KHO',
  weight: 1,
  silenceable: true,
  needs: 'nothing',
  fields: {},
  weightNow: (weight, world) => (isOn(world) ? weight : 4 * weight),
  draw: () => ({}),
  calls: ({ state }) => (runsBefore(state, '6.18') ? EARLY_STATUS : STATUS),
};

export const bootWithout: Kind<BootWithout> = {
  says: 'switch the machine off and on, with a kernel whose KHO is off',
  weight: 0.4,
  silenceable: true,
  needs: 'memory',
  fields: { kernel: number(1, NEXT_KERNELS.length - 1) },
  weightNow: whileStraying,
  draw: ({ random, strays }) =>
    strays ? { kernel: random.between(1, NEXT_KERNELS.length - 1) } : undefined,
  calls: (_world, { kernel }) => [call('coldBoot', { value: kernel })],
  settle: (world) => world.forgetAll(),
};

/** Names of the outgoing tree that may be damaged; regions are another chapter's business. */
const mayDamage = ({ state }: World, name: number): boolean =>
  name !== MEMBLOCK_NAME && name < state.machine.nameBytes.length && state.outFrame.get(name) !== 0;

export const kexecBlob: Kind<KexecBlob> = {
  says: 'jump with one damaged blob',
  weight: 1.5,
  silenceable: true,
  since: '7.1',
  fields: {
    damage: number(FIRST_BLOB_DAMAGE, TREE_DAMAGE.length - 1),
    name: number(METADATA_NAME, SUBTREE_NAMES.length - 1),
  },
  weightNow: (weight, { state }) => (state.loaded.get() === 0 ? 0 : weight),
  draw: ({ random, world }) => {
    const damage = random.between(FIRST_BLOB_DAMAGE, TREE_DAMAGE.length - 1);
    const names: number[] = [];
    for (let name = 0; name <= CROWD_FIRST; name++) if (mayDamage(world, name)) names.push(name);
    return { damage, name: damage < FIRST_METADATA_DAMAGE ? random.pick(names) : METADATA_NAME };
  },
  calls: (world, { damage, name }) => {
    const concerns = damage < FIRST_METADATA_DAMAGE || name === METADATA_NAME;
    return concerns && mayDamage(world, name) ? [call('kexec', { name, value: damage })] : NO_CALLS;
  },
  settle: (world, _step, _made, { value }) => world.jumped(value),
};
