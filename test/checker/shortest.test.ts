/**
 * Proofs by running all shorter traces, which is how long they are found where states are too large
 * to be remembered.
 */
import { describe, expect, it } from 'vitest';
import { planOf } from '#model/generators';
import { NEWEST_KERNEL } from '#model/kernels';
import { plainShape } from '#model/machines';
import type { Step, Trace } from '#model/step';
import { minimize } from '#src/checker/minimize';
import { shortest } from '#src/checker/shortest';
import { Tally } from '#src/checker/tally';
import { faultsNamed, runnerFor } from '#src/cli/systems';

const ENOUGH = 20_000;

const RULE = 'PRS-07';

/** Three frames across the border of nodes, kept as several blocks, and given up. */
const GIVEN_UP: Trace = {
  machine: { ...plainShape(), nodes: [8193, 8191] },
  steps: [
    { id: 0, do: 'claim', place: { at: 'node border', node: 0, back: 1 }, count: 3 },
    { id: 1, do: 'preserve', of: 0 },
    { id: 2, do: 'unpreserve', of: 0 },
  ] as Step[],
};

const runner = runnerFor(NEWEST_KERNEL, faultsNamed(['unpreserve-first-block']));

const ruleOf = (trace: Trace): string | undefined =>
  runner.run(planOf(trace), new Tally()).violation?.rule.id;

describe('a shortest counterexample', () => {
  it('is proven to be one', () => {
    expect(ruleOf(GIVEN_UP)).toBe(RULE);
    const { trace, proven, complete, executions } = shortest(runner, GIVEN_UP, RULE, ENOUGH);
    expect(trace).toBe(GIVEN_UP);
    expect([proven, complete]).toEqual([2, true]);
    expect(executions).toBeGreaterThan(20);
  });

  it('is found inside a longer one', () => {
    const longer = { ...GIVEN_UP, steps: [{ id: 7, do: 'load' } as Step, ...GIVEN_UP.steps] };
    expect(ruleOf(longer)).toBe(RULE);
    const found = shortest(runner, longer, RULE, ENOUGH);
    expect(found.complete).toBe(true);
    expect(found.trace.steps).toHaveLength(GIVEN_UP.steps.length);
    expect(ruleOf(found.trace)).toBe(RULE);
    expect(minimize(runner, found.trace, RULE).trace.steps).toHaveLength(3);
  });

  it('is not claimed when runs are over before all shorter traces were tried', () => {
    const { trace, proven, complete, stopped } = shortest(runner, GIVEN_UP, RULE, 10);
    expect([trace, complete, stopped]).toEqual([GIVEN_UP, false, 'runs']);
    expect(proven).toBe(1);
  });
});
