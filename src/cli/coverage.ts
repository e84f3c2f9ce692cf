/** `kho-check spec coverage`: what the last run exercised of the law, rule by rule. */
import { kernelByName } from '#model/kernels';
import type { Generation } from '#spec/generations';
import { CHAPTERS, RULES, rulesAmong } from '#spec/law';
import { missingOutcomes } from '../checker/outcomes.ts';
import { coverageText } from '../report/coverage.ts';
import type { Coverage } from '../report/coverage.ts';
import { EXIT } from './io.ts';
import type { Io } from './io.ts';
import { LAST_RUN, readLastRun } from './last-run.ts';
import type { LastRun } from './last-run.ts';

/** Prints what the last run in this directory exercised; answers the exit status. */
export const specCoverage = (options: { readonly json: boolean }, io: Io): number => {
  const run = readLastRun();
  if (run === undefined) {
    io.err(`kho-check: there is no ${LAST_RUN}; kho-check run makes one\n`);
    return EXIT.inconclusive;
  }
  const coverage = coverageOf(run);
  io.out(options.json ? `${JSON.stringify(coverage)}\n` : `${coverageText(coverage, io.colors)}\n`);
  return EXIT.holds;
};

const NEVER = { judged: 0, tried: 0, refused: 0, decisive: 0 };

/** The generations of kernels that are named with an arrow between each, as a run names them. */
const generationsNamed = (names: string): readonly Generation[] =>
  names.split(' → ').flatMap((name) => kernelByName(name)?.generation ?? []);

const coverageOf = (run: LastRun): Coverage => {
  const generations = generationsNamed(run.kernel);
  const applying = generations.length === 0 ? RULES : rulesAmong(generations);
  const applies = new Set(applying.map((rule) => rule.id));
  const counted = new Map(run.rules.map((rule) => [rule.id, rule]));
  const chapters = CHAPTERS.map(({ title, rules }) => ({
    title,
    rules: rules.map(({ id, strength }) => {
      const { judged, tried, refused, decisive } = counted.get(id) ?? NEVER;
      return { id, strength, applies: applies.has(id), judged, tried, refused, decisive };
    }),
  }));
  const reasons = new Map(RULES.flatMap(({ id, repeats }) => (repeats ? [[id, repeats]] : [])));
  const asked = chapters.flatMap(({ rules }) => rules).filter((rule) => rule.applies);
  return {
    kernel: run.kernel,
    faults: run.faults,
    suites: run.suites,
    seed: run.seed,
    traces: run.traces,
    calls: run.calls,
    kexecs: run.kexecs,
    chapters: chapters.filter(({ rules }) => rules.length > 0),
    neverExercised: asked.filter(({ judged }) => judged === 0).map(({ id }) => id),
    neverRefused: asked
      .filter(({ id, judged, refused }) => judged > 0 && refused === 0 && !reasons.has(id))
      .map(({ id }) => id),
    neverDecisive: asked
      .filter(({ judged, refused, decisive }) => judged > 0 && refused > 0 && decisive === 0)
      .map(({ id }) => id)
      .filter((id) => !reasons.has(id)),
    repeating: asked
      .filter(({ id, decisive }) => decisive === 0 && reasons.has(id))
      .map(({ id }) => ({ id, why: reasons.get(id)! })),
    neverReached: missingOutcomes(
      new Map(Object.entries(run.outcomes)),
      run.kexecs,
      generations.length === 0 ? undefined : generations,
    ),
  };
};
