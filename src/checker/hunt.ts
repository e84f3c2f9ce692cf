/**
 * Hunting: how long until ordinary traces break the rule that a fault has to break.
 *
 * Every seed draws its own traces, the same ones that a run with this seed draws. A trace that
 * breaks another rule is no find; it is counted, and the hunt goes on.
 */
import fc from 'fast-check';
import { planOf } from '#model/generators';
import type { TracePlan } from '#model/generators';
import type { Trace } from '#model/step';
import { minimize } from './minimize.ts';
import type { TraceRunner } from './run-trace.ts';
import { traceOf } from './run-trace.ts';
import { Tally } from './tally.ts';

/** What one seed found. */
export interface Catch {
  readonly seed: number;
  /** Number of the trace that broke the rule, from 1; 0 when none did. */
  readonly traces: number;
  readonly milliseconds: number;
  /** Ids of other rules that broke on the way. */
  readonly others: readonly string[];
  readonly trace: Trace | undefined;
}

/** What all seeds found together. */
export interface Hunted {
  readonly catches: readonly Catch[];
  /** The smallest trace found that breaks the rule, and the step that breaks it. */
  readonly trace: Trace | undefined;
  readonly brokenAt: number;
  /** What was expected and what was found in it. */
  readonly text: string;
}

export interface HuntBudget {
  /** Seeds, each below 2^32. */
  readonly seeds: readonly number[];
  /** Traces of one seed at most. */
  readonly traces: number;
}

/** Told after every trace: the place of the seed, and the number of its trace. */
export type HuntProgress = (seed: number, traces: number) => void;

const huntOnce = (
  runner: TraceRunner,
  rule: string,
  plans: fc.Arbitrary<TracePlan>,
  seed: number,
  traces: number,
  progress: (traces: number) => void,
): Catch => {
  const started = performance.now();
  const tally = new Tally();
  const others = new Set<string>();
  let trace: Trace | undefined;
  let finished = true;
  const property = fc.property(plans, (plan) => {
    finished = false;
    const result = runner.run(plan, tally);
    finished = true;
    progress(tally.traces);
    const broken = result.violation?.rule.id;
    if (broken === rule) trace = traceOf(plan, result);
    else if (broken !== undefined) others.add(broken);
    return trace === undefined;
  });
  const checked = fc.check(property, { seed, numRuns: traces, endOnFailure: true });
  // A trace that threw is a bug of ours, not a broken rule.
  if (!finished) throw checked.errorInstance;
  return {
    seed,
    traces: trace === undefined ? 0 : tally.traces,
    milliseconds: performance.now() - started,
    others: [...others],
    trace,
  };
};

/** Hunts for a rule with every seed, and makes the shortest trace that breaks it smaller. */
export const hunt = (
  runner: TraceRunner,
  rule: string,
  plans: fc.Arbitrary<TracePlan>,
  budget: HuntBudget,
  progress: HuntProgress = () => {},
): Hunted => {
  const catches = budget.seeds.map((seed, at) =>
    huntOnce(runner, rule, plans, seed, budget.traces, (traces) => progress(at, traces)),
  );
  const [shortest] = catches
    .flatMap(({ trace }) => (trace === undefined ? [] : [trace]))
    .sort((a, b) => a.steps.length - b.steps.length);
  if (shortest === undefined) return { catches, trace: undefined, brokenAt: -1, text: '' };
  const { trace } = minimize(runner, shortest, rule);
  const { violation, brokenAt } = runner.run(planOf(trace), new Tally());
  return { catches, trace, brokenAt, text: violation?.text ?? '' };
};

/** The value in the middle of those given; NaN of none. */
export const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
