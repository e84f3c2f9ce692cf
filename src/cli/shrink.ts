/**
 * `kho-check shrink FILE`: a saved trace made smaller; with `--prove`, as small as it can be.
 *
 * Which traces a proof speaks of is said with it. A proof that a limit stopped is none, and says
 * how far it came.
 */
import { writeFileSync } from 'node:fs';
import { planOf } from '#model/generators';
import { traceFileText } from '#model/trace-file';
import type { TraceFile } from '#model/trace-file';
import type { Trace } from '#model/step';
import { isSearchable, proveShortest } from '../checker/joint/proof.ts';
import type { JointProof } from '../checker/joint/proof.ts';
import type { JointProgress } from '../checker/joint/joint.ts';
import { minimize } from '../checker/minimize.ts';
import type { TraceRunner } from '../checker/run-trace.ts';
import { shortest } from '../checker/shortest.ts';
import type { Shortest } from '../checker/shortest.ts';
import { Tally } from '../checker/tally.ts';
import { proofJson, proofText } from '../report/proof.ts';
import { systemMaker } from './explore-joint.ts';
import { EXIT, UsageError } from './io.ts';
import type { Io } from './io.ts';
import { progressTeller } from './progress.ts';
import { faultsNamed, kernelNamed, runnerFor } from './systems.ts';
import { tellCounterexample } from './tell.ts';
import { readTraceFile } from './trace-files.ts';

export interface ShrinkOptions {
  readonly json: boolean;
  /** Try every shorter trace of an alphabet, to know that none of them breaks the rule. */
  readonly prove: boolean;
  /** Milliseconds that a proof may take. */
  readonly time?: number;
  /** Bytes that the states of a proof may take, roughly. */
  readonly memoryLimit?: number;
}

/** Milliseconds that a proof may take where nobody says. */
const PROOF_TIME = 120_000;
/** Traces that a proof by running them runs at most. */
const PROOF_RUNS = 200_000;

/** Makes a saved trace smaller and writes it beside the file; never makes it bigger. */
export const shrink = (path: string, options: ShrinkOptions, io: Io): number => {
  const limits = options.time ?? options.memoryLimit;
  if (limits !== undefined && !options.prove) {
    throw new UsageError('--time and --memory-limit are for a proof; add --prove');
  }
  const file = readTraceFile(path);
  const runner = runnerFor(kernelNamed(file.kernel), faultsNamed(file.faults));
  const rule = ruleOf(runner, file);
  if (rule === undefined) {
    const from = file.steps.length;
    const nothing = { rule: null, steps: from, from, executions: 1, path: null };
    if (options.json) io.out(`${JSON.stringify(nothing)}\n`);
    io.err(`kho-check: ${path} breaks no rule, so there is nothing to make smaller\n`);
    return EXIT.inconclusive;
  }
  const { trace: small, executions } = minimize(runner, file, rule);
  const proof = options.prove ? proofOf(file, small, rule, runner, options, io) : undefined;
  const trace = proof?.trace ?? small;
  const target = path.replace(/(\.json)?$/, '.min.json');
  write(target, file, trace, rule, runner);
  const from = file.steps.length;
  if (options.json) {
    const steps = trace.steps.length;
    const told = proof === undefined ? {} : { proof: proofJson(proof) };
    io.out(`${JSON.stringify({ rule, steps, from, executions, path: target, ...told })}\n`);
  } else {
    const history = `${from} steps before, ${executions} candidates tried.`;
    if (proof !== undefined) io.out(`${proofText(proof, rule, io.colors)}\n`);
    io.out(`${tellCounterexample(runner, trace, history, target, io.colors)}\n`);
  }
  return proof?.complete === false ? EXIT.inconclusive : EXIT.broken;
};

const ruleOf = (runner: TraceRunner, trace: Trace): string | undefined =>
  runner.run(planOf(trace), new Tally()).violation?.rule.id;

/**
 * Proves a trace to be shortest, or the one that is found to be shorter; that one is made of other
 * steps, and so are the traces that it is compared to.
 */
const proofOf = (
  file: TraceFile,
  small: Trace,
  rule: string,
  runner: TraceRunner,
  options: ShrinkOptions,
  io: Io,
): JointProof | Shortest => {
  const end = performance.now() + (options.time ?? PROOF_TIME);
  for (let trace = small; ;) {
    const time = end - performance.now();
    const proof = prove(file, trace, rule, runner, { ...options, time }, io);
    const isLeast = proof.trace.steps.length === trace.steps.length;
    if (isLeast || performance.now() > end) return proof;
    ({ trace } = minimize(runner, proof.trace, rule));
  }
};

/** By a search of joint states where these can be remembered; else every trace is run. */
const prove = (
  file: TraceFile,
  small: Trace,
  rule: string,
  runner: TraceRunner,
  { time: timeLimit = PROOF_TIME, memoryLimit }: ShrinkOptions,
  io: Io,
): JointProof | Shortest => {
  if (!isSearchable(small.steps)) {
    return shortest(runner, small, rule, PROOF_RUNS, timeLimit);
  }
  const kernel = kernelNamed(file.kernel);
  const make = systemMaker(kernel, faultsNamed(file.faults));
  const breaks = (trace: Trace): boolean => ruleOf(runner, trace) === rule;
  const onProgress = progressTeller<JointProgress>(io);
  const limits = { timeLimit, memoryLimit, onProgress };
  const proof = proveShortest(small, rule, kernel, make, breaks, limits);
  if (io.liveProgress) io.err('\r\u001b[K');
  return proof;
};

const write = (
  target: string,
  file: TraceFile,
  trace: Trace,
  rule: string,
  runner: TraceRunner,
): void => {
  const { brokenAt } = runner.run(planOf(trace), new Tally());
  const expect = { outcome: 'breaks', rule, step: brokenAt } as const;
  try {
    writeFileSync(target, traceFileText({ ...file, ...trace, expect }));
  } catch (error) {
    throw new UsageError(`cannot write ${target}: ${(error as NodeJS.ErrnoException).code}`);
  }
};
