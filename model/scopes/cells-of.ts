/**
 * Which values the cells of the law can have in a scope, where that is fewer than declared.
 *
 * A cell that none of the calls of a scope ever sets stays 0 and costs nothing. A carrier stops
 * with an error at a value that is not listed; so what stands here is checked by exploring.
 */
import type { Scope as Bounds } from '#spec/algebra/cells';
import type { ActionName, Call } from '#spec/call';
import * as uses from '#spec/state';
import type { CELLS } from '#spec/state';
import { blobSizes } from './small-world.ts';
import type { SmallWorld } from './small-world.ts';
import type { Values } from './scope.ts';

export type { Bounds };

type CellName = keyof typeof CELLS;

const NEVER: Values = [0];

const distinct = (...values: readonly number[]): readonly number[] =>
  [...new Set([0, ...values])].sort((a, b) => a - b);

/** Values of `use` that the calls can lead to. */
const usesOf = (
  { machine, crash, early }: SmallWorld,
  has: (...names: readonly ActionName[]) => boolean,
  calls: readonly Call[],
): readonly number[] => {
  const movable = calls.some((c) => c.action === 'allocPages' && c.value !== 0);
  const unmovable =
    has('allocContig', 'vmalloc', 'allocPreserve', 'restoreFolio', 'restorePages') ||
    calls.some((c) => c.action === 'allocPages' && c.value === 0);
  const boots = has('kexec', 'coldBoot', 'crash');
  return distinct(
    uses.KHO,
    ...(movable ? [uses.MOVABLE] : []),
    ...(unmovable ? [uses.UNMOVABLE] : []),
    ...(crash[1] > 0 || (boots && early.length > 0) ? [uses.EARLY] : []),
    ...(has('kexec') ? [uses.HELD] : []),
    ...(machine.reserveMem === undefined ? [] : [uses.REGION]),
    ...(has('crash') ? [uses.LEFT] : []),
    ...(has('pin') ? [uses.PINNED] : []),
  );
};

/** Cells that the calls of a scope never set. */
const unset = (
  { machine, crash }: SmallWorld,
  has: (...names: readonly ActionName[]) => boolean,
): readonly CellName[] => [
  ...(has('write', 'allocPreserve') ? [] : (['content'] as const)),
  ...(has('vmalloc') ? [] : (['vmOrder', 'vmFlags', 'vmNext', 'vmList'] as const)),
  ...(has('kexec')
    ? []
    : (['blob', 'inFrame', 'inBytes', 'inFault', 'revived', 'kexecs', 'counted'] as const)),
  ...(has('returnMem') ? [] : (['inReturned'] as const)),
  ...(has('kexecFileLoad', 'kexecLoad') ? [] : (['loaded', 'nextKernel', 'line'] as const)),
  ...(has('kexecCrashLoad') ? [] : (['crashLoaded'] as const)),
  ...(crash[1] > 0 ? [] : (['crashFirst', 'crashCount'] as const)),
  ...(machine.reserveMem === undefined ? (['regionStart', 'regionBytes', 'line'] as const) : []),
];

/**
 * The cells of the law that have fewer values in a scope than are declared, and those values.
 *
 * @param age of all kernels of the scope, in generations
 */
export const narrowedCells = (
  world: SmallWorld,
  calls: readonly Call[],
  { frames }: Bounds,
  age: number,
): Readonly<Record<string, Values>> => {
  const { machine, plans, crash, early } = world;
  const has = (...names: readonly ActionName[]): boolean =>
    calls.some(({ action }) => names.includes(action));
  const strays = calls.some(({ action, value }) => {
    return value !== 0 && ['coldBoot', 'kexecFileLoad', 'kexecLoad'].includes(action);
  });
  const areas = plans.flat();
  const narrowed: Partial<Record<CellName, Values>> = {
    use: usesOf(world, has, calls),
    areaFirst: distinct(...areas.map(([first]) => first)),
    areaCount: distinct(...areas.map(([, count]) => count)),
    outFrame: frames,
    outBytes: distinct(...blobSizes(world)),
    inFrame: frames,
    inBytes: distinct(...blobSizes(world)),
    crashFirst: distinct(crash[0], ...early.map(([first]) => first)),
    crashCount: distinct(crash[1]),
    regionBytes: distinct(
      ...(machine.reserveMem?.lines ?? []).flatMap((line) => line.entries.map((e) => e.bytes)),
    ),
    regionStart: distinct(
      ...Array.from({ length: frames }, (_, pfn) => pfn * 2 ** machine.pageShift + 1),
    ),
    line: Math.max(0, (machine.reserveMem?.lines.length ?? 1) - 1),
    runs: distinct(age),
    loads: distinct(age),
    installed: distinct(age),
    ...(has('finalize') ? {} : { final: NEVER }),
    ...(strays ? {} : { nextKernel: NEVER }),
    ...(strays || has('crash') ? {} : { kho: NEVER }),
  };
  for (const name of unset(world, has)) narrowed[name] = NEVER;
  return narrowed;
};
