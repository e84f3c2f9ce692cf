/**
 * `kho-check abi matrix`: which kernel may hand over to which, found out by running every pair.
 *
 * A pair whose handover is misread, ends in a panic or is taken in part has a smallest trace that
 * shows it, saved to be replayed.
 */
import { KERNELS, kernelByName } from '#model/kernels';
import type { KernelProfile } from '#model/kernels';
import { SUBTREE_NAMES } from '#model/machines';
import { TRACE_FORMAT, TRACE_VERSION } from '#model/trace-file';
import { generationOfAge } from '#spec/generations';
import { Matrix, OUTCOMES } from '../checker/matrix.ts';
import type { Outcome, PairResult } from '../checker/matrix.ts';
import { KhoMachine } from '../kho/kho-machine.ts';
import { matrixText } from '../report/abi-matrix.ts';
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

const save = ({ writer, witness }: PairResult): string | undefined =>
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

/** Runs every pair and prints what happened; answers the exit status. */
export const abiMatrix = ({ traces, json }: AbiMatrixOptions, io: Io): number => {
  const matrix = kernelMatrix();
  const seen: Partial<Record<Outcome, number>> = {};
  const rows = KERNELS.map((writer: KernelProfile) =>
    KERNELS.map((reader) => {
      const result = matrix.pair(writer, reader, traces);
      for (const outcome of OUTCOMES) {
        const times = result.seen[outcome] ?? 0;
        if (times > 0) seen[outcome] = (seen[outcome] ?? 0) + times;
      }
      return { ...result, path: save(result) };
    }),
  );
  const kernels = KERNELS.map(({ name }) => name);
  const outcomes = Object.fromEntries(
    rows.map((row, at) => [
      kernels[at]!,
      Object.fromEntries(row.map(({ reader, outcome }) => [reader.name, outcome])),
    ]),
  );
  const witness = Object.fromEntries(
    rows.flat().flatMap((pair) => {
      if (pair.witness === undefined) return [];
      const { outcome, rule = null, trace } = pair.witness;
      return [[nameOf(pair), { outcome, rule, steps: trace.steps.length, path: pair.path }]];
    }),
  );
  const document = { kernels, outcomes, seen, witness };
  io.out(json ? `${JSON.stringify(document)}\n` : `${matrixText(document, io.colors)}\n`);
  return EXIT.holds;
};
