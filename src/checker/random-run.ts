/**
 * A random run: traces until the budget ends, and one minimal trace for every rule that broke.
 *
 * fast-check draws the plans and counts the runs; a run goes on after a failure, because the next
 * failure may be another rule.
 */
import fc from 'fast-check';
import type { TracePlan } from '#model/generators';
import { planOf } from '#model/generators';
import type { Trace } from '#model/step';
import { minimize } from './minimize.ts';
import type { TraceRunner } from './run-trace.ts';
import { traceOf } from './run-trace.ts';
import { Tally } from './tally.ts';

export interface Budget {
  readonly traces: number;
  /** Stops drawing traces after this long; undefined: never. */
  readonly milliseconds?: number | undefined;
  /** Stops at the first broken rule. */
  readonly first: boolean;
}

export interface Counterexample {
  readonly rule: string;
  /** What was expected and found in the minimal trace. */
  readonly text: string;
  readonly trace: Trace;
  /** Index of the step that breaks the rule. */
  readonly brokenAt: number;
  /** Steps of the shortest failing trace before it was made smaller. */
  readonly stepsFound: number;
  /** Traces that broke this rule. */
  readonly times: number;
  /** Number of the first trace that broke it, from 1. */
  readonly firstTrace: number;
  /** Traces that were run to make it smaller. */
  readonly executions: number;
}

export interface RandomRun {
  readonly tally: Tally;
  readonly counterexamples: readonly Counterexample[];
}

interface Failing {
  trace: Trace;
  times: number;
  firstTrace: number;
}

/** Told after every trace. */
export type Progress = (tally: Tally, brokenRules: number) => void;

/**
 * Runs traces.
 *
 * @param plans what to draw from
 * @param seed a whole number below 2^32; the same seed draws the same plans
 */
export const randomRun = (
  runner: TraceRunner,
  plans: fc.Arbitrary<TracePlan>,
  seed: number,
  budget: Budget,
  progress: Progress = () => {},
): RandomRun => {
  const tally = new Tally({ triesNearMisses: true });
  const failing = new Map<string, Failing>();
  let finished = true;
  const property = fc.property(plans, (plan) => {
    finished = false;
    const result = runner.run(plan, tally);
    finished = true;
    if (result.violation !== undefined) {
      note(failing, result.violation.rule.id, traceOf(plan, result), tally.traces);
    }
    progress(tally, failing.size);
    return !(budget.first && failing.size > 0);
  });
  const checked = fc.check(property, {
    seed,
    numRuns: budget.traces,
    endOnFailure: true,
    ...(budget.milliseconds === undefined
      ? {}
      : { interruptAfterTimeLimit: budget.milliseconds, markInterruptAsFailure: false }),
  });
  // A trace that threw is a bug of ours, not a broken rule.
  if (!finished) throw checked.errorInstance;
  const counterexamples = [...failing].map(([rule, found]) => explain(runner, rule, found));
  counterexamples.sort((a, b) => (a.rule < b.rule ? -1 : 1));
  return { tally, counterexamples };
};

/** Remembers the shortest failing trace of each rule. */
const note = (failing: Map<string, Failing>, rule: string, trace: Trace, at: number): void => {
  const known = failing.get(rule);
  if (known === undefined) {
    failing.set(rule, { trace, times: 1, firstTrace: at });
    return;
  }
  known.times++;
  if (trace.steps.length < known.trace.steps.length) known.trace = trace;
};

const explain = (runner: TraceRunner, rule: string, found: Failing): Counterexample => {
  const { trace, executions } = minimize(runner, found.trace, rule);
  const result = runner.run(planOf(trace), new Tally());
  return {
    rule,
    text: result.violation?.text ?? '',
    trace,
    brokenAt: result.brokenAt,
    stepsFound: found.trace.steps.length,
    times: found.times,
    firstTrace: found.firstTrace,
    executions,
  };
};
