/** Proofs of length: all shorter traces are run, and a shorter counterexample is found. */
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

/** Two frames across the border of nodes, kept, handed over and asked for as one range. */
const ACROSS: Trace = {
  machine: { ...plainShape(), nodes: [8193, 8191] },
  steps: [
    { id: 0, do: 'claim', place: { at: 'node border', node: 0, back: 1 }, count: 2 },
    { id: 1, do: 'preserve', of: 0 },
    { id: 2, do: 'load' },
    { id: 3, do: 'kexec', damage: 0 },
    { id: 4, do: 'restore', of: 0 },
  ] as Step[],
};

const runner = runnerFor(NEWEST_KERNEL, faultsNamed(['restore-ignores-nodes']));

const ruleOf = (trace: Trace): string | undefined =>
  runner.run(planOf(trace), new Tally()).violation?.rule.id;

describe('a shortest counterexample', () => {
  it('is proven to be one', () => {
    expect(ruleOf(ACROSS)).toBe('RST-03');
    const { trace, proven, complete, executions } = shortest(runner, ACROSS, 'RST-03', ENOUGH);
    expect(trace).toBe(ACROSS);
    expect([proven, complete]).toEqual([4, true]);
    expect(executions).toBeGreaterThan(200);
  });

  it('is found inside a longer one', () => {
    const load = { id: 7, do: 'load' } as Step;
    const kexec = { id: 8, do: 'kexec', damage: 0 } as Step;
    const longer = { ...ACROSS, steps: [load, kexec, ...ACROSS.steps] };
    expect(ruleOf(longer)).toBe('RST-03');
    const found = shortest(runner, longer, 'RST-03', ENOUGH);
    expect(found.complete).toBe(true);
    expect(found.trace.steps).toHaveLength(ACROSS.steps.length);
    expect(ruleOf(found.trace)).toBe('RST-03');
    expect(minimize(runner, found.trace, 'RST-03').trace.steps).toHaveLength(5);
  });

  it('is not claimed when runs are over before all shorter traces were tried', () => {
    const { trace, proven, complete, executions } = shortest(runner, ACROSS, 'RST-03', 50);
    expect([trace, complete, executions]).toEqual([ACROSS, false, 50]);
    expect(proven).toBeLessThan(4);
    expect(proven).toBeGreaterThan(0);
  });
});
