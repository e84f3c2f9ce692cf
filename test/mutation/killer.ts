/**
 * One process, one build of the law: does anything notice that it is not the one that was meant?
 *
 * `killer.js learn FILE` looks at the law as it is: it runs random traces and writes down which
 * rules they exercise. `killer.js judge FILE MUTANT` looks at the law that stands there now, of
 * which the source MUTANT may be another. It says on stdout what noticed, or nothing.
 *
 * 1. The tests in test/spec: witnesses of every rule and tests of the source that was changed; last
 *    of all, the others.
 * 2. The corpus, a minimal trace of every bug and fault: with it each breaks the rule that its file
 *    names, on the kernel that the file names; without it none.
 * 3. Random traces of the intended implementation: they keep every rule, and every rule that was
 *    exercised in the beginning still is.
 */
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import fc from 'fast-check';
import { machineShapes, planOf, tracePlans } from '#model/generators';
import type { TracePlan } from '#model/generators';
import { NEWEST_KERNEL } from '#model/kernels';
import { RULES } from '#spec/law';
import type { TraceRunner } from '#src/checker/run-trace';
import { Tally } from '#src/checker/tally';
import { faultsNamed, kernelNamed, runnerFor } from '#src/cli/systems';
import { readTraceFile } from '#src/cli/trace-files';
import { runDeclared } from './test-runner.ts';

const TRACES = 40;
const STEPS = 100;
const SEED = 1;
const TESTS = join(import.meta.dirname, '../spec');
/** From where the process is started: the root of the project. */
const CORPUS = 'test/corpus';

/** What the law as it is does. */
interface Learned {
  /** Rules that random traces exercise. */
  readonly exercised: readonly string[];
}

const plans = tracePlans(machineShapes({ nodesMin: 1, nodesMax: 4 }), STEPS);

const drawn = (count: number): TracePlan[] => fc.sample(plans, { seed: SEED, numRuns: count });

const newest = (): TraceRunner => runnerFor(NEWEST_KERNEL, []);

const exercisedBy = (tally: Tally): string[] =>
  RULES.map((rule) => rule.id).filter((id) => tally.timesOf(id) > 0);

const learn = (): Learned => {
  const tally = new Tally();
  for (const plan of drawn(TRACES)) newest().run(plan, tally);
  return { exercised: exercisedBy(tally) };
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

const corpusDiffers = (): string | undefined => {
  for (const name of readdirSync(CORPUS)) {
    const file = readTraceFile(join(CORPUS, name));
    const kernel = kernelNamed(file.kernel);
    const broken = runnerFor(kernel, faultsNamed(file.faults)).run(planOf(file), new Tally());
    const found = broken.violation?.rule.id ?? 'nothing';
    if (found !== file.expect.rule) return `${name}: breaks ${found}, not ${file.expect.rule}`;
    const kept = runnerFor(kernel, []).run(planOf(file), new Tally());
    if (kept.violation !== undefined) return `${name}: without it ${kept.violation.rule.id}`;
    const steps = JSON.stringify(file.steps);
    if (steps !== JSON.stringify(broken.executed) || steps !== JSON.stringify(kept.executed)) {
      return `${name}: other steps are executed`;
    }
  }
  return undefined;
};

const tracesDiffer = ({ exercised }: Learned): string | undefined => {
  const tally = new Tally();
  const intended = newest();
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
    const soon = (await failingTest(near)) ?? corpusDiffers() ?? tracesDiffer(learned);
    return soon ?? (await failingTest(far)) ?? '';
  } catch (error) {
    return `throws: ${error instanceof Error ? error.message : String(error)}`.split('\n')[0]!;
  }
};

const [mode, file, mutant] = process.argv.slice(2);
if (mode === 'learn') writeFileSync(file!, JSON.stringify(learn()));
else console.log(await judge(JSON.parse(readFileSync(file!, 'utf8')) as Learned, mutant ?? ''));
