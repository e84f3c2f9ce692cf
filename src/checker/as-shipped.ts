/**
 * Running a kernel with all the bugs it shipped with, one after the other.
 *
 * A trace that breaks a rule is blamed on the bug that breaks a rule with it alone, or on as few as
 * it takes together. That bug is told, left out, and the same trace is tried again: so a bug that
 * shows in every trace hides none of the others.
 */
import fc from 'fast-check';
import { planOf } from '#model/generators';
import type { TracePlan } from '#model/generators';
import type { Trace } from '#model/step';
import { minimize } from './minimize.ts';
import type { Budget, Counterexample } from './random-run.ts';
import type { TraceResult, TraceRunner } from './run-trace.ts';
import { traceOf } from './run-trace.ts';
import { Tally } from './tally.ts';

/** A broken rule, and the bugs that it takes; none when it breaks without any. */
export interface Defect extends Counterexample {
  readonly bugs: readonly string[];
}

export interface ShippedRun {
  readonly tally: Tally;
  /** In the order in which they were found. */
  readonly defects: readonly Defect[];
  /** Bugs that nothing showed. */
  readonly quiet: readonly string[];
}

/** Makes a runner for the kernel with these bugs and no others. */
export type RunnerWith = (bugs: readonly string[]) => TraceRunner;

/** The bug that a text such as `S10` or `S10@7.3` names: what stands before the series. */
export const bugOf = (text: string): string => text.split('@')[0]!;

/** Told after every trace. */
export type ShippedProgress = (tally: Tally, defects: number) => void;

class Blame {
  readonly #runnerWith: RunnerWith;
  readonly #runners = new Map<string, TraceRunner>();

  constructor(runnerWith: RunnerWith) {
    this.#runnerWith = runnerWith;
  }

  runner(bugs: readonly string[]): TraceRunner {
    const key = bugs.join(' ');
    const known = this.#runners.get(key);
    if (known !== undefined) return known;
    const made = this.#runnerWith(bugs);
    this.#runners.set(key, made);
    return made;
  }

  /** Id of the rule that a trace breaks with these bugs; '' when it breaks none. */
  #brokenBy(bugs: readonly string[], trace: Trace): string {
    return this.runner(bugs).run(planOf(trace), new Tally()).violation?.rule.id ?? '';
  }

  /** The bugs to blame, and the rule that the trace breaks with them alone. */
  of(
    trace: Trace,
    rule: string,
    bugs: readonly string[],
  ): { readonly bugs: readonly string[]; readonly rule: string } {
    const plain = this.#brokenBy([], trace);
    if (plain !== '') return { bugs: [], rule: plain };
    const alone = bugs.map((bug) => ({ bugs: [bug], rule: this.#brokenBy([bug], trace) }));
    const single =
      alone.find((each) => each.rule === rule) ?? alone.find((each) => each.rule !== '');
    if (single !== undefined) return single;
    let needed = bugs;
    for (const bug of bugs) {
      const fewer = needed.filter((each) => each !== bug);
      if (this.#brokenBy(fewer, trace) === rule) needed = fewer;
    }
    return { bugs: needed, rule };
  }
}

/**
 * Runs traces with these bugs in place, and leaves each out once it was found.
 *
 * @param seed a whole number below 2^32; the same seed finds the same
 */
export const runShipped = (
  runnerWith: RunnerWith,
  shipped: readonly string[],
  plans: fc.Arbitrary<TracePlan>,
  seed: number,
  budget: Budget,
  progress: ShippedProgress = () => {},
): ShippedRun => {
  const tally = new Tally();
  const blame = new Blame(runnerWith);
  const defects: Defect[] = [];
  const unexplained = new Set<string>();
  let quiet = shipped;
  let finished = true;
  /** Whether the plan has to be tried again because a bug was found in it and left out. */
  const findsAnother = (plan: TracePlan): boolean => {
    const result = blame.runner(quiet).run(plan, tally);
    if (result.violation === undefined || result.known !== undefined) return false;
    const defect = defectOf(blame, quiet, plan, result, tally.traces);
    if (defect.bugs.length === 0) {
      if (!unexplained.has(defect.rule)) defects.push(defect);
      unexplained.add(defect.rule);
      return false;
    }
    defects.push(defect);
    const told = new Set(defect.bugs.map(bugOf));
    quiet = quiet.filter((bug) => !told.has(bugOf(bug)));
    return true;
  };
  const property = fc.property(plans, (plan) => {
    finished = false;
    do progress(tally, defects.length);
    while (!(budget.first && defects.length > 0) && findsAnother(plan));
    finished = true;
    return !(budget.first && defects.length > 0);
  });
  const { milliseconds } = budget;
  const checked = fc.check(property, {
    seed,
    numRuns: budget.traces,
    endOnFailure: true,
    ...(milliseconds === undefined
      ? {}
      : { interruptAfterTimeLimit: milliseconds, markInterruptAsFailure: false }),
  });
  // A trace that threw is a bug of ours, not a broken rule.
  if (!finished) throw checked.errorInstance;
  return { tally, defects, quiet };
};

/** Finds out which bug it was, and makes the trace smaller with that bug alone. */
const defectOf = (
  blame: Blame,
  shipped: readonly string[],
  plan: TracePlan,
  result: TraceResult,
  firstTrace: number,
): Defect => {
  const trace = traceOf(plan, result);
  const blamed = blame.of(trace, result.violation!.rule.id, shipped);
  const runner = blame.runner(blamed.bugs);
  const small = minimize(runner, trace, blamed.rule);
  const again = runner.run(planOf(small.trace), new Tally());
  return {
    bugs: blamed.bugs,
    rule: blamed.rule,
    text: again.violation?.text ?? '',
    trace: small.trace,
    brokenAt: again.brokenAt,
    stepsFound: trace.steps.length,
    times: 1,
    firstTrace,
    executions: small.executions,
  };
};
