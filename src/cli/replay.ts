/** `kho-check replay FILE` and `shrink FILE`: a saved trace, run again or made smaller. */
import { writeFileSync } from 'node:fs';
import { planOf } from '#model/generators';
import { traceFileText } from '#model/trace-file';
import type { TraceFile } from '#model/trace-file';
import { minimize } from '../checker/minimize.ts';
import type { TraceResult, TraceRunner } from '../checker/run-trace.ts';
import { shortest } from '../checker/shortest.ts';
import type { Shortest } from '../checker/shortest.ts';
import { Tally } from '../checker/tally.ts';
import { EXIT, UsageError } from './io.ts';
import type { Io } from './io.ts';
import { faultsNamed, kernelNamed, runnerFor } from './systems.ts';
import { tellCounterexample } from './tell.ts';
import { readTraceFile } from './trace-files.ts';

export interface ReplayOptions {
  readonly json: boolean;
  /** Run the algorithm as intended, whatever faults the file names. */
  readonly intended: boolean;
}

type Outcome = 'still fails' | 'holds now' | 'no longer applies';

const runnerOf = (file: TraceFile, intended: boolean): TraceRunner =>
  runnerFor(kernelNamed(file.kernel), intended ? [] : faultsNamed(file.faults));

const outcomeOf = (file: TraceFile, result: TraceResult): Outcome => {
  if (result.violation !== undefined) return 'still fails';
  return result.executed.length === file.steps.length ? 'holds now' : 'no longer applies';
};

/** Index in the file of the step that broke a rule or could not be executed; -1: the first boot. */
const stepOf = (file: TraceFile, result: TraceResult, outcome: Outcome): number | null => {
  const { executed, brokenAt } = result;
  switch (outcome) {
    case 'still fails':
      return brokenAt < 0 ? -1 : file.steps.indexOf(executed[brokenAt]!);
    case 'holds now':
      return null;
    case 'no longer applies':
      return file.steps.findIndex((step, index) => executed[index] !== step);
  }
};

/** Runs a saved trace again; answers the exit status. */
export const replay = (path: string, options: ReplayOptions, io: Io): number => {
  const file = readTraceFile(path);
  const runner = runnerOf(file, options.intended);
  const result = runner.run(planOf(file), new Tally());
  const outcome = outcomeOf(file, result);
  const step = stepOf(file, result, outcome);
  if (options.json) {
    const rule = result.violation?.rule.id ?? null;
    io.out(`${JSON.stringify({ outcome, step, rule })}\n`);
  } else {
    io.out(`${textOf(outcome, path, file, runner, step, io)}\n`);
  }
  if (outcome === 'still fails') return EXIT.broken;
  return outcome === 'holds now' ? EXIT.holds : EXIT.inconclusive;
};

const textOf = (
  outcome: Outcome,
  path: string,
  file: TraceFile,
  runner: TraceRunner,
  step: number | null,
  io: Io,
): string => {
  switch (outcome) {
    case 'still fails':
      return tellCounterexample(runner, file, `Replayed from ${path}.`, path, io.colors);
    case 'holds now':
      return io.colors.green(`holds now: no rule breaks in the ${file.steps.length} steps.`);
    case 'no longer applies':
      return io.colors.yellow(
        `no longer applies: step ${step} (${file.steps[step ?? 0]?.do}) could not be executed.`,
      );
  }
};

export interface ShrinkOptions {
  readonly json: boolean;
  /** Run every shorter trace of the same steps, to know that none of them breaks the rule. */
  readonly prove: boolean;
}

/** Traces that a proof runs at most: some minutes. */
const PROOF_MAX = 200_000;

/** Makes a saved trace smaller and writes it back; never makes it bigger. */
export const shrink = (path: string, options: ShrinkOptions, io: Io): number => {
  const file = readTraceFile(path);
  const runner = runnerOf(file, false);
  const result = runner.run(planOf(file), new Tally());
  if (result.violation === undefined) {
    const from = file.steps.length;
    const nothing = { rule: null, steps: from, from, executions: 1, path: null };
    if (options.json) io.out(`${JSON.stringify(nothing)}\n`);
    io.err(`kho-check: ${path} breaks no rule, so there is nothing to make smaller\n`);
    return EXIT.inconclusive;
  }
  const rule = result.violation.rule.id;
  const { trace: small, executions } = minimize(runner, file, rule);
  const proof = options.prove ? shortest(runner, small, rule, PROOF_MAX) : undefined;
  const trace = proof?.trace ?? small;
  const { brokenAt } = runner.run(planOf(trace), new Tally());
  const smaller: TraceFile = {
    ...file,
    ...trace,
    expect: { outcome: 'breaks', rule, step: brokenAt },
  };
  const target = path.replace(/(\.json)?$/, '.min.json');
  try {
    writeFileSync(target, traceFileText(smaller));
  } catch (error) {
    throw new UsageError(`cannot write ${target}: ${(error as NodeJS.ErrnoException).code}`);
  }
  if (options.json) {
    const steps = trace.steps.length;
    const told = proof === undefined ? {} : { proof: proofJson(proof) };
    const from = file.steps.length;
    io.out(`${JSON.stringify({ rule, steps, from, executions, path: target, ...told })}\n`);
  } else {
    const tried = `${file.steps.length} steps before, ${executions} candidates tried.`;
    const history = proof === undefined ? tried : `${tried} ${proofText(proof)}`;
    io.out(`${tellCounterexample(runner, trace, history, target, io.colors)}\n`);
  }
  return EXIT.broken;
};

const proofJson = ({ proven, complete, executions, alphabet }: Shortest) => ({
  proven,
  complete,
  executions,
  alphabet,
});

const proofText = ({ trace, proven, complete, executions, alphabet }: Shortest): string => {
  const { length } = trace.steps;
  const runs = executions.toLocaleString('en-US');
  const steps = `${length} step${length === 1 ? '' : 's'}`;
  return complete
    ? `${steps} is the least: all shorter traces of ${alphabet} kinds of step were run, ${runs}.`
    : `No trace of up to ${proven} of ${alphabet} kinds of step breaks it; ${runs} were run.`;
};
