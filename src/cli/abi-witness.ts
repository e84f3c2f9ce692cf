/**
 * Handovers between the kernels of two descriptions, run: where both are kernels that are modelled,
 * the traces of `abi matrix` show what a comparison claims, or that nothing differed.
 */
import { kernelByName } from '#model/kernels';
import { COMPARED } from '../abi/diff/wire.ts';
import { abiOn, type AbiDescription } from '../abi/headers/description.ts';
import type { Outcome } from '../abi/verdict/outcome.ts';
import type { PairResult } from '../checker/matrix.ts';
import { kernelMatrix, savePair } from './abi-matrix.ts';
import { BASELINES, baselineOf } from './abi-sources.ts';

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

const remembered = new WeakMap<AbiDescription, readonly string[]>();

/** All that decides about bytes, one fact a line. */
const factsOf = (abi: AbiDescription): readonly string[] => {
  const facts = remembered.get(abi) ?? collectFacts(abi);
  remembered.set(abi, facts);
  return facts;
};

const collectFacts = (abi: AbiDescription): readonly string[] => [
  ...COMPARED.flatMap((target) =>
    Object.entries(abiOn(abi, target)?.layouts ?? {}).map(
      ([name, layout]) => `${target} ${name} ${JSON.stringify(layout)}`,
    ),
  ),
  ...abi.constants.flatMap(({ name, text }) => (text === undefined ? [] : [`${name} ${text}`])),
  ...abi.tree.flatMap(({ tree, kind, name, from }) =>
    from === 'code' ? [`${tree} ${kind} ${name}`] : [],
  ),
];

/** Whether an ABI is that of a baseline, as far as its sources were there. */
const isThat = (abi: AbiDescription, base: AbiDescription): boolean => {
  const [here, there] = [factsOf(abi), factsOf(base)];
  const known = new Set(there);
  if (!here.every((fact) => known.has(fact))) return false;
  return abi.missing.length > 0 || here.length === there.length;
};

/** The modelled kernel whose ABI this is, or undefined where it is none of them. */
export const kernelOf = (abi: AbiDescription): string | undefined => {
  const series = /^\d+\.\d+/.exec(abi.kernel ?? '')?.[0];
  const first = BASELINES.filter((each) => each === series);
  if (!abi.constants.some(({ name }) => name === 'KHO_FDT_COMPATIBLE')) return undefined;
  return [...first, ...BASELINES].find((each) => isThat(abi, baselineOf(each)!));
};

/** Runs handovers from the one to the other; undefined where one of them is not modelled. */
export const traceWitness = (
  writer: string | undefined,
  reader: string | undefined,
  traces: number,
): TraceWitness | undefined => {
  const [from, to] = [kernelByName(writer ?? ''), kernelByName(reader ?? '')];
  if (from === undefined || to === undefined) return undefined;
  const pair: PairResult = kernelMatrix().pair(from, to, traces);
  const run = Object.values(pair.seen).reduce((sum, count) => sum + count, 0);
  return {
    writer: from.name,
    reader: to.name,
    outcome: pair.outcome,
    traces: run,
    steps: pair.witness?.trace.steps.length ?? null,
    rule: pair.witness?.rule ?? null,
    path: savePair(pair) ?? null,
  };
};
