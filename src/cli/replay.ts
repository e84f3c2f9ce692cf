/** `kho-check replay FILE`: a saved trace, run again. */
import { planOf } from '#model/generators';
import type { TraceFile } from '#model/trace-file';
import type { TraceResult, TraceRunner } from '../checker/run-trace.ts';
import { Tally } from '../checker/tally.ts';
import { EXIT } from './io.ts';
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
