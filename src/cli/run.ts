/**
 * `kho-check run`: random multi-kexec traces in lockstep, until the budget ends.
 *
 * Prints one minimal trace for every rule that broke, then what was tried and how often.
 */
import { machineShapes, tracePlans } from '#model/generators';
import type { MachineBounds } from '#model/generators';
import type { KernelProfile } from '#model/kernels';
import { maxPageOrder } from '#model/machines';
import { readsOwnOption } from '#model/scratch-lines';
import { TRACE_FORMAT, TRACE_VERSION } from '#model/trace-file';
import type { TraceFile } from '#model/trace-file';
import { SUITES, suiteByName } from '#properties/suites';
import type { Suite } from '#properties/suites';
import { GENERATIONS } from '#spec/generations';
import { rulesAmong } from '#spec/law';
import { missingOutcomes } from '../checker/outcomes.ts';
import { randomRun } from '../checker/random-run.ts';
import type { Counterexample, RandomRun } from '../checker/random-run.ts';
import type { Tally } from '../checker/tally.ts';
import type { Fault } from '../kho/faults.ts';
import { runSummaryText } from '../report/run-summary.ts';
import type { Distribution, RunSummary } from '../report/run-summary.ts';
import { EXIT, UsageError } from './io.ts';
import type { Io } from './io.ts';
import { saveLastRun } from './last-run.ts';
import { faultsNamed, kernelsNamed, runnerFor } from './systems.ts';
import { tellCounterexample } from './tell.ts';
import { saveTraceFile } from './trace-files.ts';
import { verdictOfJump } from './verdict-of-jump.ts';

export interface RunOptions {
  readonly traces?: number;
  readonly steps: number;
  readonly time?: number;
  readonly seed?: number;
  readonly kernel: string;
  /** Further kernels that a load may bring. */
  readonly next: readonly string[];
  readonly nodes: { readonly low: number; readonly high: number };
  readonly memory?: number;
  /** log2 of the page size in bytes. */
  readonly pageShift: number;
  readonly first: boolean;
  readonly fault: readonly string[];
  readonly json: boolean;
}

const DEFAULT_TRACES = 1500;
const DEFAULT_STEPS = 100;
/** With a time budget alone, traces are not counted. */
const MANY_TRACES = 0x7fffffff;
/** A node has to hold three scratch areas and something to test: so many of the largest blocks. */
const NODE_BLOCKS_MIN = 6;
const NODE_BYTES_MAX = 2 ** 44;

/** The machines that options ask for. */
export const boundsOf = (options: RunOptions): MachineBounds => {
  const { low, high } = options.nodes;
  const { pageShift } = options;
  const bounds = { nodesMin: low, nodesMax: high, pageShift };
  if (options.memory === undefined) return bounds;
  const nodeBytes = NODE_BLOCKS_MIN * 2 ** (maxPageOrder(pageShift) + pageShift);
  if (options.memory < high * nodeBytes || options.memory > NODE_BYTES_MAX) {
    throw new UsageError(
      `--memory takes ${(high * nodeBytes) / 2 ** 20}M to 16T for ${high} node(s)`,
    );
  }
  return { ...bounds, frames: Math.floor(options.memory / 2 ** pageShift) };
};

/** The suites with these names. */
export const suitesNamed = (names: readonly string[]): readonly Suite[] =>
  names.map((name) => {
    const suite = suiteByName(name);
    if (suite !== undefined) return suite;
    throw new UsageError(`no suite '${name}'; there are ${SUITES.map((s) => s.name).join(', ')}`);
  });

/** The suites that defend rules which apply to these kernels. */
const suitesFor = (kernels: readonly KernelProfile[]): readonly Suite[] => {
  const rules = new Set(
    rulesAmong(kernels.map(({ generation }) => generation)).map(({ id }) => id),
  );
  return SUITES.filter((suite) => suite.rules.some((rule) => rules.has(rule)));
};

const indexOfKernel = ({ generation }: KernelProfile): number => GENERATIONS.indexOf(generation);

/** Runs suites; answers the exit status. */
export const run = (names: readonly string[], options: RunOptions, io: Io): number => {
  const kernels = kernelsNamed(options.kernel, options.next);
  const kernel = kernels[0]!;
  const suites = names.length === 0 ? suitesFor(kernels) : suitesNamed(names);
  const wants = names.length === 0 ? [] : suites.flatMap((suite) => suite.wants);
  const faults = faultsNamed(options.fault);
  const runner = runnerFor(kernel, faults, kernels.length === 1 ? undefined : verdictOfJump);
  const seed = options.seed ?? Date.now() % 2 ** 32;
  const traces = options.traces ?? (options.time === undefined ? DEFAULT_TRACES : MANY_TRACES);
  const choices = kernels.length === 1 ? [] : kernels.map(indexOfKernel);
  const hasOwnOption = kernels.some(({ generation }) => readsOwnOption(generation));
  const shapes = machineShapes({ ...boundsOf(options), hasOwnOption });
  const plans = tracePlans(shapes, options.steps, wants, choices);
  const started = performance.now();
  const progress = progressLine(io, traces);
  const result = randomRun(
    runner,
    plans,
    seed,
    { traces, milliseconds: options.time, first: options.first },
    progress.update,
  );
  progress.end();
  const seconds = (performance.now() - started) / 1000;
  const saved = result.counterexamples.map((found) => ({
    found,
    path: saveTraceFile(fileOf(found, kernel, faults)),
  }));
  const deviations = result.deviations.map((found) => ({
    ...found.known,
    rule: found.rule,
    traces: found.times,
    steps: found.trace.steps.length,
    path: saveTraceFile(fileOf(found, kernel, faults)),
  }));
  const full = isFull(names, options, result);
  const missing = full ? outcomesMissed(result, kernels, true) : [];
  const rare = full ? outcomesMissed(result, kernels, false) : [];
  const verdict = verdictOf(result, suites, missing);
  const kernelText = kernels.map(({ name }) => name).join(' → ');
  const asked = { kernel: kernelText, faults: options.fault, suites: names, seed };
  const unsaved = saveLastRun(result.tally, asked);
  if (unsaved !== undefined) io.err(`kho-check: ${unsaved}\n`);
  if (options.json) {
    const json = jsonOf(result, saved, suites, kernels, seed, verdict, faults, missing);
    io.out(`${JSON.stringify({ ...json, deviations, rare })}\n`);
  } else {
    for (const { found, path } of saved) {
      const text = tellCounterexample(runner, found.trace, history(found), path, io.colors);
      io.out(`${text}\n\n`);
    }
    const summary = summaryOf(result, suites, kernels, seed, verdict, seconds, missing);
    io.out(`${runSummaryText({ ...summary, deviations, rare }, io.colors)}\n`);
    if (saved.length > 0) io.out(`\n  npx kho-check replay ${saved[0]!.path}\n`);
  }
  return verdict === 'holds' ? EXIT.holds : verdict === 'broken' ? EXIT.broken : EXIT.inconclusive;
};

type Verdict = RunSummary['verdict'];
type Saved = readonly { readonly found: Counterexample; readonly path: string }[];

/** A run that has to reach everything: all suites and machines, and so many traces at least. */
const FULL_TRACES = 1000;

const isFull = (names: readonly string[], options: RunOptions, { tally }: RandomRun): boolean =>
  names.length === 0 &&
  !options.first &&
  options.fault.length === 0 &&
  options.memory === undefined &&
  options.nodes.low === 1 &&
  options.nodes.high === 4 &&
  options.steps >= DEFAULT_STEPS &&
  tally.traces >= FULL_TRACES;

/**
 * Outcomes that were not reached. One that few of the kernels know is asked for only where they
 * have run in as many traces as a run of one kernel has.
 */
const outcomesMissed = (
  { tally }: RandomRun,
  kernels: readonly KernelProfile[],
  asked: boolean,
): readonly string[] =>
  missingOutcomes(
    tally.outcomes,
    tally.kexecs,
    kernels.map(({ generation }) => generation),
    (part) => tally.traces * part >= FULL_TRACES === asked,
  );

const verdictOf = (
  { tally, counterexamples }: RandomRun,
  suites: readonly Suite[],
  missing: readonly string[],
): Verdict => {
  if (counterexamples.length > 0) return 'broken';
  const exercised = suites.every((suite) => suite.rules.some((rule) => tally.timesOf(rule) > 0));
  return tally.kexecs > 0 && exercised && missing.length === 0 ? 'holds' : 'inconclusive';
};

const fileOf = (
  found: Pick<Counterexample, 'rule' | 'trace' | 'brokenAt'>,
  kernel: KernelProfile,
  faults: readonly Fault[],
): TraceFile => ({
  format: TRACE_FORMAT,
  version: TRACE_VERSION,
  kernel: kernel.name,
  faults: faults.map((fault) => fault.id),
  machine: found.trace.machine,
  expect: { outcome: 'breaks', rule: found.rule, step: found.brokenAt },
  steps: found.trace.steps,
});

const history = (found: Counterexample): string => {
  const times = found.times === 1 ? 'once' : `${found.times} times`;
  return (
    `Broke ${times}, first in trace ${found.firstTrace}; ${found.stepsFound} steps when found, ` +
    `${found.trace.steps.length} after ${found.executions} smaller and simpler traces were tried.`
  );
};

/** Ids of the rules of `suites` that apply to kernels, sorted by whether they were exercised. */
const rulesByUse = (tally: Tally, suites: readonly Suite[], kernels: readonly KernelProfile[]) => {
  const wanted = new Set(suites.flatMap((suite) => suite.rules));
  const ids = rulesAmong(kernels.map(({ generation }) => generation))
    .map((rule) => rule.id)
    .filter((id) => wanted.has(id));
  return {
    exercised: ids.filter((id) => tally.timesOf(id) > 0),
    never: ids.filter((id) => tally.timesOf(id) === 0),
  };
};

const jsonOf = (
  { tally }: RandomRun,
  saved: Saved,
  suites: readonly Suite[],
  kernels: readonly KernelProfile[],
  seed: number,
  verdict: Verdict,
  faults: readonly Fault[],
  missing: readonly string[],
) => ({
  verdict,
  seed,
  traces: tally.traces,
  generated: tally.generated,
  steps: tally.steps,
  kexecs: tally.kexecs,
  longestChain: tally.longestChain,
  rules: rulesByUse(tally, suites, kernels),
  missing,
  counterexamples: saved.map(({ found, path }) => ({
    rule: found.rule,
    bug: faults.find((fault) => fault.rule === found.rule)?.id ?? null,
    steps: found.trace.steps.length,
    path,
  })),
});

const summaryOf = (
  { tally, counterexamples }: RandomRun,
  suites: readonly Suite[],
  kernels: readonly KernelProfile[],
  seed: number,
  verdict: Verdict,
  seconds: number,
  missing: readonly string[],
): Omit<RunSummary, 'deviations' | 'rare'> => {
  const broken = counterexamples.map((found) => found.rule);
  return {
    kernel: kernels.map(({ name }) => name).join(' → '),
    seed,
    traces: tally.traces,
    generated: tally.generated,
    steps: tally.steps,
    kexecs: tally.kexecs,
    longestChain: tally.longestChain,
    chains: ascending(tally.chains),
    seconds,
    suites: suites.map((suite) => ({
      name: suite.name,
      says: suite.says,
      exercised: suite.rules.filter((rule) => tally.timesOf(rule) > 0).length,
      rules: suite.rules.length,
      judged: suite.rules.reduce((sum, rule) => sum + tally.timesOf(rule), 0),
      broken: broken.filter((rule) => suite.rules.includes(rule)),
    })),
    never: rulesByUse(tally, suites, kernels).never,
    missing,
    outcomes: outcomesOf(tally),
    nodes: ascending(tally.nodes),
    orders: ascending(tally.orders),
    verdict,
    brokenRules: counterexamples.length,
  };
};

const ascending = (counted: ReadonlyMap<number, number>): Distribution =>
  [...counted].sort(([a], [b]) => a - b);

const outcomesOf = (tally: Tally): RunSummary['outcomes'] => {
  const actions = new Map<string, { calls: number; refused: string[] }>();
  for (const [key, times] of [...tally.outcomes].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const [action, error] = key.split(' ') as [string, string | undefined];
    const entry = actions.get(action) ?? { calls: 0, refused: [] };
    entry.calls += times;
    if (error !== undefined) entry.refused.push(`${error}: ${times.toLocaleString('en-US')}`);
    actions.set(action, entry);
  }
  return [...actions].map(([action, { calls, refused }]) => ({
    action,
    calls,
    refused: refused.join(', '),
  }));
};

/** A line on stderr that says how far the run is: live on a terminal, ten lines elsewhere. */
export const progressLine = (io: Io, traces: number) => {
  let shown = 0;
  let wide = 0;
  const every = io.liveProgress ? 100 : Math.max(1, Math.ceil(Math.min(traces, 100_000) / 10));
  return {
    update: (tally: Tally, broken: number): void => {
      if (performance.now() - shown < 80 || tally.traces % every !== 0) return;
      shown = performance.now();
      const of = traces === MANY_TRACES ? '' : ` of ${traces.toLocaleString('en-US')}`;
      const text =
        `traces ${tally.traces.toLocaleString('en-US')}${of} · ` +
        `${tally.kexecs.toLocaleString('en-US')} kexecs · longest chain ${tally.longestChain}` +
        (broken > 0 ? ` · ${broken} rules broken` : '');
      if (io.liveProgress) io.err(`\r${text.padEnd(wide)}`);
      else io.err(`${text}\n`);
      wide = text.length;
    },
    end: (): void => {
      if (io.liveProgress && wide > 0) io.err(`\r${' '.repeat(wide)}\r`);
    },
  };
};
