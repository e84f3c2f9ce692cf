/** What the tests of deliberately broken implementations share. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { machineShapes, planOf, tracePlans, withSessions } from '#model/generators';
import type { TracePlan } from '#model/generators';
import { NEWEST_KERNEL, kernelByName } from '#model/kernels';
import type { KernelProfile } from '#model/kernels';
import { SUBTREE_NAMES } from '#model/machines';
import { generationOfAge } from '#spec/generations';
import type { Trace } from '#model/step';
import { minimize } from '#src/checker/minimize';
import { TraceRunner, traceOf } from '#src/checker/run-trace';
import { Tally } from '#src/checker/tally';
import { buildOf, loadedFor } from '#src/cli/systems';
import type { Fault } from '#src/kho/faults';
import { KhoMachine } from '#src/kho/kho-machine';

const TRACES_MAX = 500;
const STEPS_OF_A_HANDFUL = 8;
/** What takes more: memory has to be fragmented; a file comes back, and its session is finished. */
const LONGER: Readonly<Record<string, number>> = {
  'stale-free-lists': 9,
  'closed-file-keeps-page': 10,
};

/** The kernel that faults are tried on. */
const kernelFor = (faults: readonly Fault[]): KernelProfile =>
  kernelByName(faults[0]?.kernel ?? '') ?? NEWEST_KERNEL;

/** @param fullEvery calls between two full comparisons; as in every run when absent */
export const runnerWith = (
  faults: readonly Fault[],
  fullEvery?: number,
  kernel = kernelFor(faults),
): TraceRunner => {
  const build = buildOf(kernel, faults);
  const others = (age: number) => buildOf(kernelByName(generationOfAge(age)) ?? kernel, faults);
  return new TraceRunner(
    (machine) => new KhoMachine(machine, build, SUBTREE_NAMES, others),
    kernel,
    fullEvery,
  );
};

const ordinaryPlans = (): readonly TracePlan[] => {
  const drawn: TracePlan[] = [];
  const plans = tracePlans(machineShapes({ nodesMin: 1, nodesMax: 4 }), 100);
  fc.assert(
    fc.property(plans, (plan) => void drawn.push(plan)),
    { seed: 1, numRuns: TRACES_MAX },
  );
  return drawn;
};

/** Plans as a run with seed 1 draws them; drawn once, the same for every fault. */
export const PLANS = ordinaryPlans();

/**
 * The first trace that breaks a rule.
 *
 * @param kernels that traces may load, as indices of `GENERATIONS`
 */
export const firstFailing = (
  runner: TraceRunner,
  rule: string,
  kernels: readonly number[] = [],
): Trace | undefined => {
  const sessions = rule.startsWith('LUO');
  for (const plan of PLANS) {
    // Other traces have nothing that could break it.
    if (sessions && !withSessions(plan)) continue;
    const result = runner.run({ ...plan, kernels }, new Tally());
    if (result.violation?.rule.id === rule) return traceOf(plan, result);
  }
  return undefined;
};

/** Every fault is caught by its rule, told in a handful of steps, and replayed. */
export const expectCaught = (faults: readonly Fault[]): void => {
  test.each(faults.map((fault) => [fault.id, fault] as const))(
    '%s is caught, shrunk and replayed',
    (_id, fault) => {
      const broken = runnerWith([fault]);
      const found = firstFailing(broken, fault.rule, loadedFor(fault));
      expect(found, `no trace of ${TRACES_MAX} breaks ${fault.rule}`).toBeDefined();

      const { trace } = minimize(broken, found!, fault.rule);
      expect(trace.steps.length).toBeLessThanOrEqual(
        Math.min(LONGER[fault.id] ?? STEPS_OF_A_HANDFUL, found!.steps.length),
      );

      const again = broken.run(planOf(trace), new Tally());
      expect(again.violation?.rule.id).toBe(fault.rule);
      expect(again.executed).toEqual(trace.steps);

      const intended = runnerWith([], undefined, kernelFor([fault])).run(
        planOf(trace),
        new Tally(),
      );
      expect(intended.violation).toBeUndefined();
      expect(intended.executed).toEqual(trace.steps);
    },
  );
};
