/**
 * `kho-check run --as-shipped`: a release with the bugs it really had, told one by one.
 *
 * `7.3` means the newest release of that series that is known here, `6.17.8` that very release.
 */
import { machineShapes, tracePlans } from '#model/generators';
import { KERNELS, kernelByName } from '#model/kernels';
import type { KernelProfile } from '#model/kernels';
import { TRACE_FORMAT, TRACE_VERSION } from '#model/trace-file';
import type { TraceFile } from '#model/trace-file';
import { GENERATIONS } from '#spec/generations';
import { bugOf, runShipped } from '../checker/as-shipped.ts';
import type { Defect, ShippedRun } from '../checker/as-shipped.ts';
import { kernelsOf, releaseOf } from '../kho/history/bug.ts';
import { bugById, shippedWith } from '../kho/history/history.ts';
import { bugText, shippedText } from '../report/as-shipped.ts';
import { EXIT, UsageError } from './io.ts';
import type { Io } from './io.ts';
import { boundsOf, progressLine, suitesNamed } from './run.ts';
import type { RunOptions } from './run.ts';
import { faultsNamed, kernelNamed, runnerFor } from './systems.ts';
import { tellCounterexample } from './tell.ts';
import { saveTraceFile } from './trace-files.ts';
import { verdictOfJump } from './verdict-of-jump.ts';

export interface ShippedOptions extends RunOptions {
  /** Ids of bugs that are left out. */
  readonly except: readonly string[];
}

const DEFAULT_TRACES = 1500;
/** With a time budget alone, traces are not counted. */
const MANY_TRACES = 0x7fffffff;

/** The profile of a release, given in full or by its series. */
export const releaseNamed = (name: string): KernelProfile => {
  const series = kernelByName(name);
  if (series !== undefined) return series;
  const profile = kernelByName(releaseOf(name)?.series ?? '');
  if (profile !== undefined) return { ...profile, release: name };
  const known = KERNELS.map((kernel) => kernel.name).join(', ');
  throw new UsageError(
    `no release '${name}' is known; name a series (${known}) or one of its releases, as 6.17.8`,
  );
};

/** Ids of the bugs of some releases, without those left out; of several, with their series. */
const bugsOf = (kernels: readonly KernelProfile[], except: readonly string[]): string[] => {
  const ids = kernels.flatMap(({ release, name }) => {
    const known = releaseOf(release);
    if (known === undefined) return [];
    return shippedWith(known).map(({ id }) => (kernels.length === 1 ? id : `${id}@${name}`));
  });
  for (const id of except) {
    if (bugById(id) !== undefined) continue;
    throw new UsageError(`--except: no bug '${id}' is known; kho-check hunt --list names all`);
  }
  return [...new Set(ids)].filter((id) => !except.includes(bugOf(id)));
};

const fileOf = (kernel: KernelProfile, { bugs, trace, rule, brokenAt }: Defect): TraceFile => ({
  format: TRACE_FORMAT,
  version: TRACE_VERSION,
  kernel: kernel.name,
  faults: bugs,
  machine: trace.machine,
  expect: { outcome: 'breaks', rule, step: brokenAt },
  steps: trace.steps,
});

/** Runs a release as it was shipped; answers the exit status. */
export const runAsShipped = (names: readonly string[], options: ShippedOptions, io: Io): number => {
  if (options.fault.length > 0) throw new UsageError('--as-shipped and --fault exclude each other');
  const kernels = [releaseNamed(options.kernel), ...options.next.map(kernelNamed)];
  const kernel = kernels[0]!;
  const wants = suitesNamed(names).flatMap((suite) => suite.wants);
  const seed = options.seed ?? Date.now() % 2 ** 32;
  const traces = options.traces ?? (options.time === undefined ? DEFAULT_TRACES : MANY_TRACES);
  const choices =
    kernels.length === 1 ? [] : kernels.map((each) => GENERATIONS.indexOf(each.generation));
  const plans = tracePlans(machineShapes(boundsOf(options)), options.steps, wants, choices);
  const judge = kernels.length === 1 ? undefined : verdictOfJump;
  const progress = progressLine(io, traces);
  const releases = kernels.map(({ release }) => release).join(' → ');
  io.err(`Linux ${releases} as shipped\n`);
  const result = runShipped(
    (bugs) => runnerFor(kernel, faultsNamed(bugs), judge),
    bugsOf(kernels, options.except),
    plans,
    seed,
    { traces, milliseconds: options.time, first: options.first },
    progress.update,
  );
  progress.end();
  const paths = result.defects.map((defect) => saveTraceFile(fileOf(kernel, defect)));
  if (options.json) io.out(`${JSON.stringify(jsonOf(releases, seed, result, paths))}\n`);
  else tell(kernel, releases, seed, result, paths, options, io);
  if (result.defects.length > 0) return EXIT.broken;
  return result.tally.kexecs > 0 ? EXIT.holds : EXIT.inconclusive;
};

const tell = (
  kernel: KernelProfile,
  release: string,
  seed: number,
  { defects, tally, quiet }: ShippedRun,
  paths: readonly string[],
  { except }: ShippedOptions,
  io: Io,
): void => {
  defects.forEach((defect, at) => {
    for (const id of defect.bugs) {
      const bug = bugById(bugOf(id))!;
      io.out(`${bugText({ ...bug, kernels: kernelsOf(bug) }, io.colors)}\n\n`);
    }
    const runner = runnerFor(kernel, faultsNamed(defect.bugs));
    const history =
      `Found in trace ${defect.firstTrace}; ${defect.stepsFound} steps when found, ` +
      `${defect.trace.steps.length} after ${defect.executions} smaller and simpler traces.`;
    io.out(`${tellCounterexample(runner, defect.trace, history, paths[at]!, io.colors)}\n\n`);
  });
  const found = defects.map(({ bugs, rule, trace }, at) => ({
    bugs,
    rule,
    steps: trace.steps.length,
    path: paths[at]!,
  }));
  const { traces, steps, kexecs } = tally;
  const rest = [...new Set(quiet.map(bugOf))];
  const summary = { release, traces, steps, kexecs, seed, found, quiet: rest, except };
  io.out(`${shippedText(summary, io.colors)}\n`);
};

const jsonOf = (
  release: string,
  seed: number,
  { defects, tally, quiet }: ShippedRun,
  paths: readonly string[],
) => ({
  release,
  verdict: defects.length > 0 ? 'broken' : 'holds',
  seed,
  traces: tally.traces,
  steps: tally.steps,
  kexecs: tally.kexecs,
  defects: defects.map(({ bugs, rule, trace, text, firstTrace }, at) => ({
    bugs: bugs.map((id) => {
      const bug = bugById(bugOf(id))!;
      return { id, title: bug.title, kernels: kernelsOf(bug), at: bug.at };
    }),
    rule,
    text,
    trace: firstTrace,
    steps: trace.steps.length,
    path: paths[at]!,
  })),
  quiet,
});
