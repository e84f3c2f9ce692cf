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
import { GENERATIONS } from '#spec/generations';
import { deviationKey } from './jumps.ts';
import type { KnownDeviation } from './jumps.ts';
import { minimize } from './minimize.ts';
import type { TraceResult, TraceRunner } from './run-trace.ts';
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

/** A deviation between two kernels that was foretold, and the traces that ended with it. */
export interface FoundDeviation {
  readonly known: KnownDeviation;
  /** The rule that is broken in `trace`, a smallest one that was found. */
  readonly rule: string;
  readonly trace: Trace;
  readonly brokenAt: number;
  /** Traces that ended with it. */
  readonly times: number;
}

export interface RandomRun {
  readonly tally: Tally;
  readonly counterexamples: readonly Counterexample[];
  /** Known deviations between kernels, by the kernels' place in `GENERATIONS`. */
  readonly deviations: readonly FoundDeviation[];
}

interface Failing {
  readonly rule: string;
  /** What is known to follow between two kernels, where that is what broke it. */
  readonly known: KnownDeviation | undefined;
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
  const foretold = new Map<string, Failing>();
  let finished = true;
  const property = fc.property(plans, (plan) => {
    finished = false;
    const result = runner.run(plan, tally);
    finished = true;
    if (result.violation !== undefined) {
      note(result.known === undefined ? failing : foretold, plan, result, tally.traces);
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
  const counterexamples = [...failing.values()].map((found) => explain(runner, found));
  counterexamples.sort((a, b) => (a.rule < b.rule ? -1 : 1));
  const deviations = [...foretold.values()].flatMap((found) => deviationOf(runner, found));
  deviations.sort((a, b) => rankOf(a.known) - rankOf(b.known));
  return { tally, counterexamples, deviations };
};

const placeOf = (generation: string): number =>
  (GENERATIONS as readonly string[]).indexOf(generation);

const rankOf = ({ writer, reader }: KnownDeviation): number =>
  placeOf(writer) * GENERATIONS.length + placeOf(reader);

/** Remembers the shortest failing trace of each rule, or of each known deviation. */
const note = (
  failing: Map<string, Failing>,
  plan: TracePlan,
  { violation, known, ...result }: TraceResult,
  at: number,
): void => {
  if (violation === undefined) return;
  const rule = violation.rule.id;
  const trace = traceOf(plan, { violation, known, ...result });
  const key = known === undefined ? rule : deviationKey(known);
  const seen = failing.get(key);
  const times = (seen?.times ?? 0) + 1;
  const firstTrace = seen?.firstTrace ?? at;
  const isShortest = seen === undefined || trace.steps.length < seen.trace.steps.length;
  if (isShortest) failing.set(key, { rule, known, trace, times, firstTrace });
  else seen.times = times;
};

const explain = (runner: TraceRunner, found: Failing): Counterexample => {
  const { rule } = found;
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

/** The smallest trace that ends like this, with the verdict on that one. */
const deviationOf = (runner: TraceRunner, { rule, times, ...found }: Failing): FoundDeviation[] => {
  const { trace } = minimize(runner, found.trace, rule);
  const { brokenAt, known } = runner.run(planOf(trace), new Tally());
  return known === undefined ? [] : [{ known, rule, trace, brokenAt, times }];
};
