/**
 * Handovers between the kernels of two descriptions, run: where both are kernels that are modelled,
 * the traces of `abi matrix` show what a comparison claims, or that nothing differed.
 */
import { kernelByName } from '#model/kernels';
import type { KernelProfile } from '#model/kernels';
import { SUBTREE_NAMES } from '#model/machines';
import { generationById } from '../abi/description/generations.ts';
import { generationOf } from '../abi/diff/generation-of.ts';
import type { AbiDescription } from '../abi/headers/description.ts';
import type { Outcome } from '../abi/verdict/outcome.ts';
import { sameTracker } from '../abi/verdict/pairs.ts';
import { Matrix } from '../checker/matrix.ts';
import type { PairResult } from '../checker/matrix.ts';
import { KhoMachine } from '../kho/kho-machine.ts';
import { kernelMatrix, savePair } from './abi-matrix.ts';
import { buildOf } from './systems.ts';

/** What became of the handovers of a pair. */
export interface TraceWitness {
  readonly writer: string;
  readonly reader: string;
  readonly outcome: Outcome;
  /** Traces that were run. */
  readonly traces: number;
  /** Steps of the smallest trace that shows it, the rule that broke, and where it was saved. */
  readonly steps: number | null;
  readonly rule: string | null;
  readonly path: string | null;
}

/** The modelled kernel that a kernel which is none of them is nearest to. */
const nearest = (abi: AbiDescription, beside: KernelProfile): KernelProfile => {
  const series = /^\d+\.\d+/.exec(abi.kernel ?? '')?.[0];
  return kernelByName(series ?? '') ?? beside;
};

/**
 * Runs handovers of a modelled kernel to one that is only described: the implementation of the
 * kernel nearest to it, with everything that the description says. Undefined where the writer is
 * not modelled: what such a kernel writes has no law to be judged by.
 */
export const describedWitness = (
  writer: string | undefined,
  abi: AbiDescription,
  traces: number,
  shrinks = true,
): TraceWitness | undefined => {
  const from = kernelByName(writer ?? '');
  if (from === undefined) return undefined;
  const base = nearest(abi, from);
  const known = buildOf(base, []);
  const generation = generationOf(abi, generationById(base.generation)!);
  const build = { ...known, generation, compatible: generation.compatible };
  const matrix = new Matrix(
    (machine) => new KhoMachine(machine, buildOf(from, []), SUBTREE_NAMES, () => build),
  );
  const found = told(matrix.pair(from, base, traces, shrinks), undefined);
  const wrote = generationById(from.generation)!.tracker;
  // A panic that follows from reading another tracker than was written is a misread.
  const misread = found.outcome === 'panic' && !sameTracker(wrote, generation.tracker, 12);
  const outcome = misread ? 'misread' : found.outcome;
  return { ...found, outcome, reader: `${base.name}, as described` };
};

/** Runs handovers from the one to the other; undefined where one of them is not modelled. */
export const traceWitness = (
  writer: string | undefined,
  reader: string | undefined,
  traces: number,
): TraceWitness | undefined => {
  const [from, to] = [kernelByName(writer ?? ''), kernelByName(reader ?? '')];
  if (from === undefined || to === undefined) return undefined;
  const pair = kernelMatrix().pair(from, to, traces);
  return told(pair, savePair(pair));
};

const told = (pair: PairResult, path: string | undefined): TraceWitness => {
  const run = Object.values(pair.seen).reduce((sum, count) => sum + count, 0);
  return {
    writer: pair.writer.name,
    reader: pair.reader.name,
    outcome: pair.outcome,
    traces: run,
    steps: pair.witness?.trace.steps.length ?? null,
    rule: pair.witness?.rule ?? null,
    path: path ?? null,
  };
};
