/** Traces: any step can be dropped, the same seed is the same trace, and they reach far. */
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { machineShapes, planOf, tracePlans } from '#model/generators';
import type { TracePlan } from '#model/generators';
import { NEWEST_KERNEL } from '#model/kernels';
import { ACTIONS, TREE_DAMAGE } from '#spec/call';
import { hasAction } from '#spec/law';
import type { TraceRunner } from '#src/checker/run-trace';
import { Tally } from '#src/checker/tally';
import { runnerFor } from '#src/cli/systems';

const SHAPES = machineShapes({ nodesMin: 1, nodesMax: 4 });
const makeRunner = (): TraceRunner => runnerFor(NEWEST_KERNEL, []);

/** Everything that can be told about a run. */
const told = (runner: TraceRunner, plan: TracePlan) => {
  const calls: string[] = [];
  const { executed, violation } = runner.run(plan, new Tally(), ({ step, call, value }) => {
    calls.push(JSON.stringify([step?.id, call, value]));
  });
  expect(violation?.text).toBeUndefined();
  return { executed, calls };
};

const runner = makeRunner();

describe('of a trace', () => {
  it('any steps can be dropped, and the rest still runs', () => {
    const property = fc.property(
      tracePlans(SHAPES, 60),
      fc.array(fc.array(fc.boolean(), { minLength: 60, maxLength: 60 }), { maxLength: 3 }),
      (plan, masks) => {
        const { executed } = told(runner, plan);
        for (const mask of masks) {
          const kept = executed.filter((_, index) => mask[index]);
          const again = told(runner, planOf({ machine: plan.machine, steps: kept }));
          expect(again.executed).toEqual(kept.filter((step) => again.executed.includes(step)));
        }
      },
    );
    fc.assert(property, { numRuns: 40 });
  });

  it('every step that was executed is executed again, with the same calls and answers', () => {
    const property = fc.property(tracePlans(SHAPES, 60), (plan) => {
      const first = told(runner, plan);
      const again = told(runner, planOf({ machine: plan.machine, steps: first.executed }));
      expect(again).toEqual(first);
    });
    fc.assert(property, { numRuns: 40 });
  });

  it('on any other machine the steps still run', () => {
    const property = fc.property(tracePlans(SHAPES, 60), SHAPES, (plan, machine) => {
      const { executed } = told(runner, plan);
      told(runner, planOf({ machine, steps: executed }));
    });
    fc.assert(property, { numRuns: 20 });
  });

  it('the same seed is the same trace, whatever the runner ran before', () => {
    const plans = fc.sample(tracePlans(SHAPES, 60), { seed: 5, numRuns: 12 });
    const first = plans.map((plan) => told(makeRunner(), plan));
    const other = makeRunner();
    expect(plans.map((plan) => told(other, plan))).toEqual(first);
    expect([...plans].reverse().map((plan) => told(other, plan))).toEqual([...first].reverse());
    expect(fc.sample(tracePlans(SHAPES, 60), { seed: 5, numRuns: 12 })).toEqual(plans);
  });

  it('another seed is another trace', () => {
    const [plan] = fc.sample(tracePlans(SHAPES, 60), { seed: 1, numRuns: 1 });
    const traces = [0, 1, 2, 0xfffffffe].map((seed) => told(runner, { ...plan!, seed }).calls);
    expect(new Set(traces.map((calls) => calls.join())).size).toBe(4);
  });
});

/** How calls are refused where the law says that they must be. */
const REFUSALS = [
  'addSubtree -12',
  'addSubtree -17',
  'allocContig -16',
  'allocPages -12',
  'allocPreserve -12',
  'allocPreserve -22',
  'allocPreserve -7',
  'crash -22',
  'kexec -22',
  'kexecCrashLoad -99',
  'kexecFileLoad -99',
  'luoCreateSession -12',
  'luoCreateSession -17',
  'luoCreateSession -22',
  'luoPreserveFile -12',
  'luoPreserveFile -16',
  'luoPreserveFile -17',
  'luoRetrieveFile -2',
  'luoRetrieveSession -2',
  'luoRetrieveSession -22',
  'luoStart -12',
  'luoStart -17',
  'migrate -12',
  'migrate -16',
  'pin -12',
  'preserveFolio -12',
  'preserveFolio -22',
  'preservePages -12',
  'preservePages -22',
  'preserveVmalloc -12',
  'preserveVmalloc -22',
  'preserveVmalloc -95',
  'releaseReserveMem -2',
  'reserveMemFindByName -2',
  'restoreFolio -2',
  'restoreFree -2',
  'restorePages -2',
  'restoreVmalloc -2',
  'retrieveSubtree -2',
  'retrieveSubtree -22',
  'retrieveSubtree -95',
  'vmalloc -12',
];

describe('500 random traces', () => {
  const tally = new Tally();
  const damages = new Set<number>();
  const places = new Set<string>();

  beforeAll(() => {
    for (const plan of fc.sample(tracePlans(SHAPES, 100), { seed: 2, numRuns: 500 })) {
      const result = runner.run(plan, tally, ({ step, call }) => {
        if (call.action === 'kexec') damages.add(call.value);
        if (step?.do === 'claim') places.add(step.place.at);
      });
      expect(result.violation?.text).toBeUndefined();
    }
  }, 300_000);

  it('execute nearly every step that is drawn', () => {
    expect(tally.steps / tally.generated).toBeGreaterThanOrEqual(0.95);
  });

  it('chain eight kexecs or more in a fifth of them', () => {
    const long = [...tally.chains].filter(([length]) => length >= 8);
    const traces = long.reduce((sum, [, times]) => sum + times, 0);
    expect(tally.traces).toBe(500);
    expect(traces / tally.traces).toBeGreaterThanOrEqual(0.2);
    expect(tally.longestChain).toBeGreaterThanOrEqual(20);
  });

  it('make every call, and have it refused in every way', () => {
    const keys = [...tally.outcomes.keys()];
    const known = ACTIONS.filter((action) => hasAction('7.3', action));
    expect(known.filter((action) => !keys.includes(action))).toEqual([]);
    expect(keys.filter((key) => key.includes(' ')).sort()).toEqual(REFUSALS);
  });

  it('damage the tree in every way, and go to every kind of place', () => {
    expect([...damages].sort((a, b) => a - b)).toEqual(TREE_DAMAGE.map((_, kind) => kind));
    expect([...places].sort()).toEqual([
      'end of memory',
      'end of scratch',
      'node border',
      'power of two',
      'slot',
      'start of scratch',
    ]);
  });

  it('run on machines with one to four nodes', () => {
    expect([...tally.nodes.keys()].sort((a, b) => a - b)).toEqual([1, 2, 3, 4]);
  });
});
