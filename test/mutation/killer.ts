/**
 * One process, one build of the law: does anything notice that it is not the one that was meant?
 *
 * `killer.js learn FILE` looks at the law as it is: it finds a minimal trace for every fault of the
 * catalogue, runs random traces, and writes down what it saw. On stdout it names faults that no
 * trace shows. `killer.js judge FILE MUTANT` looks at the law that stands there now, of which the
 * source MUTANT may be another. It says on stdout what noticed, or nothing.
 *
 * 1. The tests in test/spec: witnesses of every rule and tests of the source that was changed; last
 *    of all, the others.
 * 2. Minimal traces: with its fault each breaks the rule that is named, without it none.
 * 3. Random traces of the intended implementation: they keep every rule, and every rule that was
 *    exercised in the beginning still is.
 */
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import fc from 'fast-check';
import { machineShapes, planOf, tracePlans } from '#model/generators';
import type { TracePlan } from '#model/generators';
import { NEWEST_KERNEL } from '#model/kernels';
import type { Trace } from '#model/step';
import { RULES } from '#spec/law';
import { minimize } from '#src/checker/minimize';
import { traceOf } from '#src/checker/run-trace';
import type { TraceRunner } from '#src/checker/run-trace';
import { Tally } from '#src/checker/tally';
import { runnerFor } from '#src/cli/systems';
import { FAULTS } from '#src/kho/faults';
import type { Fault } from '#src/kho/faults';
import { runDeclared } from './test-runner.ts';

const SEARCHED_MAX = 500;
const TRACES = 40;
const STEPS = 100;
const SEED = 1;
const TESTS = join(import.meta.dirname, '../spec');

/** What the law as it is does. */
interface Learned {
  readonly corpus: readonly { readonly fault: string; readonly trace: Trace }[];
  /** Rules that random traces exercise. */
  readonly exercised: readonly string[];
}

const plans = tracePlans(machineShapes({ nodesMin: 1, nodesMax: 4 }), STEPS);

const drawn = (count: number): TracePlan[] => fc.sample(plans, { seed: SEED, numRuns: count });

const runnerWith = (faults: readonly Fault[]): TraceRunner => runnerFor(NEWEST_KERNEL, faults);

const minimalTrace = (fault: Fault): Trace | undefined => {
  const runner = runnerWith([fault]);
  for (const plan of drawn(SEARCHED_MAX)) {
    const result = runner.run(plan, new Tally());
    if (result.violation?.rule.id !== fault.rule) continue;
    return minimize(runner, traceOf(plan, result), fault.rule).trace;
  }
  return undefined;
};

const exercisedBy = (tally: Tally): string[] =>
  RULES.map((rule) => rule.id).filter((id) => tally.timesOf(id) > 0);

const learn = (): Learned => {
  const corpus: { fault: string; trace: Trace }[] = [];
  for (const fault of FAULTS) {
    const trace = minimalTrace(fault);
    if (trace === undefined) console.log(`no trace of ${SEARCHED_MAX} shows ${fault.id}`);
    else corpus.push({ fault: fault.id, trace });
  }
  const tally = new Tally();
  for (const plan of drawn(TRACES)) runnerWith([]).run(plan, tally);
  return { corpus, exercised: exercisedBy(tally) };
};

const TEST_FILES = readdirSync(TESTS).filter((name) => name.endsWith('.test.js'));

/** Tests of a source by its name, and the witnesses: what notices most, soonest. */
const isNear = (test: string, mutant: string): boolean =>
  test.includes('witness') || test === `${basename(mutant, '.ts')}.test.js`;

const failingTest = async (files: readonly string[]): Promise<string | undefined> => {
  for (const file of files) {
    await import(join(TESTS, file));
    const failure = await runDeclared();
    if (failure !== undefined) return `${file.replace(/\.js$/, '')}: ${failure}`;
  }
  return undefined;
};

const corpusDiffers = ({ corpus }: Learned): string | undefined => {
  const intended = runnerWith([]);
  for (const { fault: id, trace } of corpus) {
    const fault = FAULTS.find((each) => each.id === id)!;
    const plan = planOf(trace);
    const broken = runnerWith([fault]).run(plan, new Tally());
    const found = broken.violation?.rule.id ?? 'nothing';
    if (found !== fault.rule) return `fault ${id}: breaks ${found}, not ${fault.rule}`;
    const kept = intended.run(plan, new Tally());
    if (kept.violation !== undefined) return `fault ${id}: without it ${kept.violation.rule.id}`;
    const steps = JSON.stringify(trace.steps);
    if (steps !== JSON.stringify(broken.executed) || steps !== JSON.stringify(kept.executed)) {
      return `fault ${id}: other steps are executed`;
    }
  }
  return undefined;
};

const tracesDiffer = ({ exercised }: Learned): string | undefined => {
  const tally = new Tally();
  const intended = runnerWith([]);
  for (const [index, plan] of drawn(TRACES).entries()) {
    const { violation } = intended.run(plan, tally);
    if (violation !== undefined) return `random trace ${index}: breaks ${violation.rule.id}`;
  }
  const now = new Set(exercisedBy(tally));
  const lost = exercised.find((id) => !now.has(id));
  return lost === undefined ? undefined : `random traces: ${lost} is not exercised`;
};

const judge = async (learned: Learned, mutant: string): Promise<string> => {
  const near = TEST_FILES.filter((test) => isNear(test, mutant));
  const far = TEST_FILES.filter((test) => !isNear(test, mutant));
  try {
    const soon = (await failingTest(near)) ?? corpusDiffers(learned) ?? tracesDiffer(learned);
    return soon ?? (await failingTest(far)) ?? '';
  } catch (error) {
    return `throws: ${error instanceof Error ? error.message : String(error)}`.split('\n')[0]!;
  }
};

const [mode, file, mutant] = process.argv.slice(2);
if (mode === 'learn') writeFileSync(file!, JSON.stringify(learn()));
else console.log(await judge(JSON.parse(readFileSync(file!, 'utf8')) as Learned, mutant ?? ''));
