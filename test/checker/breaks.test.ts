/**
 * A deliberately broken implementation is caught, told in a handful of steps, and replayed.
 *
 * Every fault of the catalogue switches one decision; ordinary traces have to find it by the rule
 * that was written down for it.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { machineShapes, planOf, tracePlans } from '#model/generators';
import { NEWEST_KERNEL } from '#model/kernels';
import { SUBTREE_NAMES } from '#model/machines';
import type { Trace } from '#model/step';
import { ruleById } from '#spec/law';
import { minimize } from '#src/checker/minimize';
import { TraceRunner, traceOf } from '#src/checker/run-trace';
import { Tally } from '#src/checker/tally';
import { FAULTS, decisionsWith } from '#src/kho/faults';
import type { Fault } from '#src/kho/faults';
import { KhoMachine } from '#src/kho/kho-machine';

const TRACES_MAX = 500;
const STEPS_OF_A_HANDFUL = 8;

const runnerWith = (faults: readonly Fault[]): TraceRunner => {
  const { compatible, release } = NEWEST_KERNEL;
  const build = { compatible, release, decisions: decisionsWith(faults) };
  return new TraceRunner((machine) => new KhoMachine(machine, build, SUBTREE_NAMES), NEWEST_KERNEL);
};

const plans = tracePlans(machineShapes({ nodesMin: 1, nodesMax: 4 }), 100);

const firstFailing = (runner: TraceRunner, rule: string): Trace | undefined => {
  let found: Trace | undefined;
  fc.check(
    fc.property(plans, (plan) => {
      const result = runner.run(plan, new Tally());
      if (result.violation?.rule.id === rule) found = traceOf(plan, result);
      return found === undefined;
    }),
    { seed: 1, numRuns: TRACES_MAX, endOnFailure: true },
  );
  return found;
};

describe('a deliberately broken implementation', () => {
  test('is broken in at least twelve different ways, each with a rule of the law', () => {
    expect(FAULTS.length).toBeGreaterThanOrEqual(12);
    for (const fault of FAULTS) expect(ruleById(fault.rule), fault.id).toBeDefined();
    expect(new Set(FAULTS.map((fault) => fault.id)).size).toBe(FAULTS.length);
  });

  test.each(FAULTS.map((fault) => [fault.id, fault] as const))(
    '%s is caught, shrunk and replayed',
    (_id, fault) => {
      const broken = runnerWith([fault]);
      const found = firstFailing(broken, fault.rule);
      expect(found, `no trace of ${TRACES_MAX} breaks ${fault.rule}`).toBeDefined();

      const { trace } = minimize(broken, found!, fault.rule);
      expect(trace.steps.length).toBeLessThanOrEqual(
        Math.min(STEPS_OF_A_HANDFUL, found!.steps.length),
      );

      const again = broken.run(planOf(trace), new Tally());
      expect(again.violation?.rule.id).toBe(fault.rule);
      expect(again.executed).toEqual(trace.steps);

      const intended = runnerWith([]).run(planOf(trace), new Tally());
      expect(intended.violation).toBeUndefined();
      expect(intended.executed).toEqual(trace.steps);
    },
  );

  test('every step of a minimal trace is needed', () => {
    const fault = FAULTS.find(({ id }) => id === 'restore-ignores-nodes')!;
    const broken = runnerWith([fault]);
    const { trace } = minimize(broken, firstFailing(broken, fault.rule)!, fault.rule);
    for (let at = 0; at < trace.steps.length; at++) {
      const steps = trace.steps.filter((_, i) => i !== at);
      const { violation } = broken.run(planOf({ ...trace, steps }), new Tally());
      expect(violation?.rule.id, `without step ${at}`).not.toBe(fault.rule);
    }
  });
});
