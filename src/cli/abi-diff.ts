/**
 * `kho-check abi diff OLD NEW`: what changed between two ABIs, who breaks, and whether a new
 * version says so.
 */
import { diffAbi, type AbiDiff } from '../abi/diff/diff.ts';
import { ABI_RULES } from '../abi/diff/rules.ts';
import { byteWitnesses, treeWitnesses } from '../abi/diff/witness.ts';
import { OUTCOMES, type Outcome } from '../abi/verdict/outcome.ts';
import { diffText, type DiffReport } from '../report/abi-diff.ts';
import type { AbiDescription } from '../abi/headers/description.ts';
import { readSide, type Side } from './abi-sources.ts';
import { kernelOf } from './abi-kernel.ts';
import { EXIT } from './io.ts';
import type { Io } from './io.ts';

export interface AbiDiffOptions {
  readonly git?: string | undefined;
  /** Handovers to run each way where both kernels are modelled. */
  readonly traces: number;
  /** Whether information is told one by one. */
  readonly all: boolean;
  readonly json: boolean;
}

/** Sentences of rules, by id. */
export const SENTENCES: Readonly<Record<string, string>> = Object.fromEntries(
  ABI_RULES.map(({ id, says }) => [id, says]),
);

/** A comparison, without what is only for text. */
export type Compared = Omit<DiffReport, 'says' | 'all'>;

const asUnknown = <T extends { readonly message: string }>(each: T): T => ({
  ...each,
  message: `depends on ${each.message}, which nobody said anything about; taken as off`,
});

/** Compares two sides and runs handovers between them where they are modelled. */
export const compareSides = async (
  before: Side,
  after: Side,
  traces: number,
): Promise<Compared> => {
  const diff: AbiDiff = diffAbi(before.abi, after.abi);
  const problems = [before, after].flatMap(({ name, abi }) =>
    [...abi.problems, ...abi.unknownOptions.map(asUnknown)].map((each) => ({
      side: name,
      ...each,
    })),
  );
  const missing = [before, after].map(({ name, abi }) => ({ side: name, missing: abi.missing }));
  const [writer, reader] = [kernelOf(before.abi), kernelOf(after.abi)];
  // The checker takes long to load, and a comparison alone does not need it.
  const checker = traces > 0 ? await import('./abi-witness.ts') : undefined;
  const run = (from: string | undefined, to: string | undefined, abi: AbiDescription) =>
    to === undefined
      ? checker?.describedWitness(from, abi, traces)
      : checker?.traceWitness(from, to, traces);
  const shown = (from: Side, to: Side) => ({
    bytes: byteWitnesses(from.abi, to.abi),
    trees: treeWitnesses(from.abi, to.abi),
  });
  const witness = {
    oldToNew: { trace: run(writer, reader, after.abi) ?? null, ...shown(before, after) },
    newToOld: { trace: run(reader, writer, before.abi) ?? null, ...shown(after, before) },
  };
  // What was run and ended worse than the descriptions let expect is what counts.
  const worse = (claimed: Outcome, ran: Outcome | undefined): Outcome =>
    ran !== undefined && OUTCOMES.indexOf(ran) > OUTCOMES.indexOf(claimed) ? ran : claimed;
  const outcome = {
    oldToNew: worse(diff.outcome.oldToNew, witness.oldToNew.trace?.outcome),
    newToOld: worse(diff.outcome.newToOld, witness.newToOld.trace?.outcome),
  };
  return {
    old: before.name,
    new: after.name,
    ...diff,
    outcome,
    traces,
    witness,
    problems,
    missing,
  };
};

/** The exit status that a comparison ends with. */
export const statusOf = (before: Side, after: Side, { findings, problems }: Compared): number => {
  if (findings.some(({ severity }) => severity === 'error')) return EXIT.broken;
  const compared = before.abi.structs.length > 0 && after.abi.structs.length > 0;
  return compared && problems.length === 0 ? EXIT.holds : EXIT.inconclusive;
};

/** Compares two sides and prints; answers the exit status. */
export const abiDiff = async (
  old: string,
  next: string,
  options: AbiDiffOptions,
  io: Io,
): Promise<number> => {
  const [before, after] = [readSide(old, options), readSide(next, options)];
  const report = await compareSides(before, after, options.traces);
  if (options.json) io.out(`${JSON.stringify(report)}\n`);
  else io.out(`${diffText({ ...report, says: SENTENCES, all: options.all }, io.colors)}\n`);
  return statusOf(before, after, report);
};
