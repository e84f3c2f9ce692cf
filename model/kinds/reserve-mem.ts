/** Kinds of step: regions that the command line named, and kernels with another command line. */
import { call } from '../call.ts';
import { regionNames } from '../reserve-mem.ts';
import { lineCount } from '../scratch-lines.ts';
import type { World } from '../world.ts';
import { NO_CALLS, number } from './kind.ts';
import type { Kind, StepBase } from './kind.ts';
import { readied } from './phases.ts';
import { FRAMES_MAX, stampOf } from './memory.ts';

/** Load the next kernel with another command line. */
export interface LoadWith extends StepBase {
  readonly do: 'load with';
  readonly line: number;
}

export interface FindRegion extends StepBase {
  readonly do: 'find region';
  readonly region: number;
}

export interface ReleaseRegion extends StepBase {
  readonly do: 'release region';
  readonly region: number;
}

/** Write a page of a region, counted from the first that it touches. */
export interface WriteRegion extends StepBase {
  readonly do: 'write region';
  readonly region: number;
  readonly page: number;
}

/** Command lines that a machine may have. */
export const LINES_MAX = 16;
/** Names of regions that they may have, together. */
export const REGIONS_MAX = 128;

const region = number(0, REGIONS_MAX);

const whereNamed = (weight: number, { state }: World): number =>
  state.machine.reserveMem === undefined ? 0 : weight;

/** Pages that a region touches, as `[first, count]`; undefined when there is no such region. */
const pagesOf = ({ state }: World, slot: number): readonly [number, number] | undefined => {
  const bytes = slot < regionNames(state.machine).length ? state.regionBytes.get(slot) : 0;
  if (bytes === 0) return undefined;
  const pageBytes = 2 ** state.machine.pageShift;
  const start = state.regionStart.get(slot) - 1;
  const first = Math.floor(start / pageBytes);
  return [first, Math.ceil((start + bytes) / pageBytes) - first];
};

const present = (world: World): number[] =>
  regionNames(world.state.machine)
    .map((_, slot) => slot)
    .filter((slot) => pagesOf(world, slot) !== undefined);

export const loadWith: Kind<LoadWith> = {
  says: 'load the next kernel with another command line',
  weight: 10,
  silenceable: true,
  needs: 'memory',
  fields: { line: number(1, LINES_MAX - 1) },
  weightNow: (weight, world) => {
    const { machine, loaded, line } = world.state;
    if (lineCount(machine) < 2) return 0;
    return loaded.get() === 1 && line.get() > 0 ? weight / 20 : weight;
  },
  draw: ({ random, world }) => ({
    line: random.between(1, Math.max(1, lineCount(world.state.machine) - 1)),
  }),
  calls: (world, { line }) =>
    line < lineCount(world.state.machine)
      ? readied(world, call('kexecFileLoad', { name: line }))
      : NO_CALLS,
};

export const findRegion: Kind<FindRegion> = {
  says: 'look a region up by its name',
  weight: 2,
  silenceable: true,
  needs: 'memory',
  fields: { region },
  weightNow: whereNamed,
  draw: ({ random, world }) => ({ region: random.below(regionNames(world.state.machine).length) }),
  calls: ({ state: { machine } }, { region: slot }) =>
    slot < regionNames(machine).length ? [call('reserveMemFindByName', { name: slot })] : NO_CALLS,
};

export const releaseRegion: Kind<ReleaseRegion> = {
  says: 'give a region back by its name',
  weight: 2,
  silenceable: true,
  needs: 'memory',
  fields: { region },
  weightNow: whereNamed,
  draw: ({ random, world }) => {
    const there = random.oneIn(6) ? [] : present(world);
    const names = regionNames(world.state.machine).length;
    return { region: there.length > 0 ? random.pick(there) : random.below(names) };
  },
  calls: ({ state: { machine } }, { region: slot }) =>
    slot < regionNames(machine).length ? [call('releaseReserveMem', { name: slot })] : NO_CALLS,
};

export const writeRegion: Kind<WriteRegion> = {
  says: 'write a page of a region',
  weight: 8,
  silenceable: true,
  needs: 'memory',
  fields: { region, page: number(0, FRAMES_MAX) },
  weightNow: whereNamed,
  draw: ({ random, world }) => {
    const there = present(world);
    if (there.length === 0) return undefined;
    const slot = random.pick(there);
    const [, count] = pagesOf(world, slot) ?? [0, 1];
    return { region: slot, page: random.pick([0, count - 1, random.below(count)]) };
  },
  calls: (world, step) => {
    const [first, count] = pagesOf(world, step.region) ?? [0, 0];
    return step.page < count
      ? [call('write', { pfn: first + step.page, value: stampOf(step) })]
      : NO_CALLS;
  },
};
