/**
 * What the last `run` counted, kept in `.kho/last-run.json` for `spec coverage`.
 *
 * One file, overwritten by every run; it is read with every field looked at.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import { RULES } from '#spec/law';
import type { Tally } from '../checker/tally.ts';
import { UsageError } from './io.ts';

export const LAST_RUN = join('.kho', 'last-run.json');

const FORMAT = 'kho-check run';
const VERSION = 1;

const count = v.pipe(v.number(), v.integer(), v.minValue(0));

const lastRun = v.strictObject({
  format: v.literal(FORMAT),
  version: v.literal(VERSION),
  kernel: v.string(),
  faults: v.array(v.string()),
  suites: v.array(v.string()),
  seed: count,
  traces: count,
  generated: count,
  steps: count,
  calls: count,
  kexecs: count,
  longestChain: count,
  rules: v.array(
    v.strictObject({
      id: v.string(),
      judged: count,
      tried: count,
      refused: count,
      decisive: count,
    }),
  ),
  /** Calls by action and, if refused, error number: `allocPages -12`. */
  outcomes: v.record(v.string(), count),
});

export type LastRun = v.InferOutput<typeof lastRun>;

/** What a run was asked for. */
export interface RunAsked {
  readonly kernel: string;
  readonly faults: readonly string[];
  readonly suites: readonly string[];
  readonly seed: number;
}

/** Keeps what a run counted; answers why it could not be written, or undefined. */
export const saveLastRun = (tally: Tally, asked: RunAsked): string | undefined => {
  const { traces, generated, steps, calls, kexecs, longestChain } = tally;
  const document: LastRun = {
    format: FORMAT,
    version: VERSION,
    kernel: asked.kernel,
    faults: [...asked.faults],
    suites: [...asked.suites],
    seed: asked.seed,
    traces,
    generated,
    steps,
    calls,
    kexecs,
    longestChain,
    rules: RULES.map(({ id }, index) => ({
      id,
      judged: tally.rules[index]!,
      tried: tally.tried[index]!,
      refused: tally.refused[index]!,
      decisive: tally.decisive[index]!,
    })),
    outcomes: Object.fromEntries(tally.outcomes),
  };
  try {
    mkdirSync('.kho', { recursive: true });
    writeFileSync(LAST_RUN, `${JSON.stringify(document)}\n`);
    return undefined;
  } catch (error) {
    return `cannot write ${LAST_RUN}: ${(error as NodeJS.ErrnoException).code ?? 'unwritable'}`;
  }
};

/** What the last run counted, or undefined when there was none. */
export const readLastRun = (): LastRun | undefined => {
  if (!existsSync(LAST_RUN)) return undefined;
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(LAST_RUN, 'utf8'));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new UsageError(`cannot read ${LAST_RUN}: ${why}`);
  }
  const parsed = v.safeParse(lastRun, json, { abortEarly: true });
  if (parsed.success) return parsed.output;
  const issue = parsed.issues[0];
  const where = v.getDotPath(issue) ?? 'the whole file';
  throw new UsageError(`${LAST_RUN} is of no run of this version: ${where}: ${issue.message}`);
};
