/**
 * `kho-check abi matrix`: which kernel may hand over to which, found out by running every pair.
 *
 * A pair whose handover is misread, ends in a panic or is taken in part has a smallest trace that
 * shows it, saved to be replayed.
 */
import { EARLY_SERIES, KERNELS, kernelByName } from '#model/kernels';
import type { KernelProfile } from '#model/kernels';
import { SUBTREE_NAMES } from '#model/machines';
import { TRACE_FORMAT, TRACE_VERSION } from '#model/trace-file';
import { generationOfAge } from '#spec/generations';
import { OUTCOMES } from '../checker/jump-outcomes.ts';
import type { Outcome } from '../checker/jump-outcomes.ts';
import { Matrix } from '../checker/matrix.ts';
import type { PairResult } from '../checker/matrix.ts';
import { KhoMachine } from '../kho/kho-machine.ts';
import { matrixText } from '../report/abi-matrix.ts';
import type { MatrixReport } from '../report/abi-matrix.ts';
import { EXIT } from './io.ts';
import type { Io } from './io.ts';
import { buildOf } from './systems.ts';
import { saveTraceFile } from './trace-files.ts';

export interface AbiMatrixOptions {
  /** Traces of every pair. */
  readonly traces: number;
  readonly json: boolean;
}

/** A pair as people name it. */
const nameOf = ({ writer, reader }: PairResult): string => `${writer.name} → ${reader.name}`;

/** Saves the smallest trace of a pair, where there is one; answers its path. */
export const savePair = ({ writer, witness }: PairResult): string | undefined =>
  witness &&
  saveTraceFile({
    format: TRACE_FORMAT,
    version: TRACE_VERSION,
    kernel: writer.name,
    faults: [],
    machine: witness.trace.machine,
    expect: { outcome: 'breaks', rule: witness.rule ?? '', step: witness.brokenAt },
    steps: witness.trace.steps,
  });

/** The implementation of every kernel, on a machine that one of them is switched on with. */
export const kernelMatrix = (): Matrix =>
  new Matrix((machine, first) => {
    const others = (age: number) => buildOf(kernelByName(generationOfAge(age)) ?? first, []);
    return new KhoMachine(machine, buildOf(first, []), SUBTREE_NAMES, others);
  });

/** Pairs that were run, by writer and reader, and what they showed. */
type Saved = PairResult & { readonly path: string | undefined };

const outcomesOf = (pairs: readonly Saved[]): MatrixReport['outcomes'] => {
  const outcomes: Record<string, Record<string, Outcome>> = {};
  for (const { writer, reader, outcome } of pairs) {
    (outcomes[writer.name] ??= {})[reader.name] = outcome;
  }
  return outcomes;
};

const seenIn = (pairs: readonly Saved[]): Partial<Record<Outcome, number>> => {
  const seen: Partial<Record<Outcome, number>> = {};
  for (const outcome of OUTCOMES) {
    const times = pairs.reduce((sum, pair) => sum + (pair.seen[outcome] ?? 0), 0);
    if (times > 0) seen[outcome] = times;
  }
  return seen;
};

const witnessesOf = (pairs: readonly Saved[]): MatrixReport['witness'] =>
  Object.fromEntries(
    pairs.flatMap((pair) => {
      if (pair.witness === undefined) return [];
      const { outcome, rule = null, trace } = pair.witness;
      return [[nameOf(pair), { outcome, rule, steps: trace.steps.length, path: pair.path }]];
    }),
  );

/** Runs pairs, and saves a smallest trace for each that is not well. */
const runPairs = (
  matrix: Matrix,
  pairs: readonly (readonly [KernelProfile, KernelProfile])[],
  traces: number,
): MatrixReport => {
  const saved = pairs.map(([writer, reader]) => {
    const result = matrix.pair(writer, reader, traces);
    return { ...result, path: savePair(result) };
  });
  const kernels = [...new Set(pairs.map(([{ name }]) => name))];
  return {
    kernels,
    outcomes: outcomesOf(saved),
    seen: seenIn(saved),
    witness: witnessesOf(saved),
  };
};

const allPairs = (
  writers: readonly KernelProfile[],
  readers: readonly KernelProfile[],
): readonly (readonly [KernelProfile, KernelProfile])[] =>
  writers.flatMap((writer) => readers.map((reader) => [writer, reader] as const));

/**
 * Runs every pair and prints what happened; answers the exit status. The series before the merge
 * stand apart, with all other kernels before and behind them.
 */
export const abiMatrix = ({ traces, json }: AbiMatrixOptions, io: Io): number => {
  const matrix = kernelMatrix();
  const released = runPairs(matrix, allPairs(KERNELS, KERNELS), traces);
  const fromEarly = allPairs(EARLY_SERIES, [...EARLY_SERIES, ...KERNELS]);
  const pairs = [...fromEarly, ...allPairs(KERNELS, EARLY_SERIES)];
  const early = runPairs(matrix, pairs, Math.ceil(traces / 3));
  const document = { ...released, early };
  io.out(json ? `${JSON.stringify(document)}\n` : `${matrixText(document, io.colors)}\n`);
  return EXIT.holds;
};
