/** Composing a kernel to test: the profile, and the implementation with the faults asked for. */
import { EARLY_SERIES, KERNELS, NEWEST_KERNEL, kernelByName } from '#model/kernels';
import type { KernelProfile } from '#model/kernels';
import { SUBTREE_NAMES } from '#model/machines';
import { GENERATIONS, generationOfAge } from '#spec/generations';
import { generationById } from '#src/abi/description/generations';
import type { JudgeOfJumps } from '../checker/jumps.ts';
import { FULL_EVERY } from '../checker/lockstep.ts';
import { TraceRunner } from '../checker/run-trace.ts';
import { FAULTS, decisionsWith, faultById } from '../kho/faults.ts';
import type { Fault } from '../kho/faults.ts';
import { KhoMachine } from '../kho/kho-machine.ts';
import { seriesDecisions } from '../kho/series.ts';
import type { KernelBuild } from '../kho/kho-machine.ts';
import { UsageError } from './io.ts';

/** The profile with this name. */
export const kernelNamed = (name: string): KernelProfile => {
  const kernel = kernelByName(name);
  if (kernel !== undefined) return kernel;
  const known = [...KERNELS, ...EARLY_SERIES].map((k) => k.name).join(', ');
  throw new UsageError(`no kernel '${name}' is modelled; there is ${known}`);
};

/**
 * Words for several kernels: as `--kernel` they mean the newest of them, and that every other one
 * may follow. `any` is what was released; nobody meets a series before the merge by accident.
 */
const GROUPS: Readonly<Record<string, readonly KernelProfile[]>> = {
  any: KERNELS,
  'any-early': EARLY_SERIES,
};

const groupNamed = (name: string): readonly KernelProfile[] => GROUPS[name] ?? [kernelNamed(name)];

/** The kernel that machines are switched on with, and then those that a load may bring. */
export const kernelsNamed = (first: string, next: readonly string[]): readonly KernelProfile[] => [
  ...new Set([...[...groupNamed(first)].reverse(), ...next.flatMap(groupNamed)]),
];

/** The faults with these ids; `S10@7.3` is one that kernels of this series alone have. */
export const faultsNamed = (ids: readonly string[]): readonly Fault[] =>
  ids.map((text) => {
    const [id = '', series] = text.split('@');
    const fault = faultById(id);
    if (fault !== undefined) {
      return series === undefined ? fault : { ...fault, onlyOn: kernelNamed(series).name };
    }
    const known = FAULTS.map((f) => f.id).join(', ');
    throw new UsageError(`no fault '${id}' is known; there are ${known}`);
  });

/** The kernel that a fault is tried on. */
export const huntedOn = ({ kernel }: Fault): KernelProfile =>
  kernel === undefined ? NEWEST_KERNEL : kernelNamed(kernel);

/** Kernels that traces for a fault may load, as indices of `GENERATIONS`; none but for a few. */
export const loadedFor = (fault: Fault): readonly number[] =>
  fault.next === undefined
    ? []
    : [huntedOn(fault), ...fault.next.map(kernelNamed)].map(({ generation }) =>
        GENERATIONS.indexOf(generation),
      );

/**
 * A runner for our implementation of a kernel.
 *
 * @param judge tells what is known to follow between two kernels; nothing is when absent
 */
export const runnerFor = (
  kernel: KernelProfile,
  faults: readonly Fault[],
  judge?: JudgeOfJumps,
): TraceRunner => {
  const build = buildOf(kernel, faults);
  const others = (age: number): KernelBuild =>
    buildOf(kernelByName(generationOfAge(age)) ?? kernel, faults);
  return new TraceRunner(
    (machine) => new KhoMachine(machine, build, SUBTREE_NAMES, others),
    kernel,
    FULL_EVERY,
    judge,
  );
};

/** Our implementation of a kernel. */
export const buildOf = (kernel: KernelProfile, faults: readonly Fault[]): KernelBuild => {
  const { compatible, release } = kernel;
  const generation = generationById(kernel.generation)!;
  const own = faults.filter(({ onlyOn = kernel.name }) => onlyOn === kernel.name);
  const decisions = decisionsWith(own, seriesDecisions(generation.id));
  return { compatible, release, generation, decisions };
};
