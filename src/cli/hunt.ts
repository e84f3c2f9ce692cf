/**
 * `kho-check hunt`: every bug of KHO's history, found again by ordinary traces.
 *
 * A bug is hunted on the kernel that its entry names, with nothing else wrong in it. Found means
 * that the rule broke which was written down for it.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import * as v from 'valibot';
import { machineShapes, tracePlans } from '#model/generators';
import type { KernelProfile } from '#model/kernels';
import { TRACE_FORMAT, TRACE_VERSION, traceFileText } from '#model/trace-file';
import type { TraceFile } from '#model/trace-file';
import { RULES } from '#spec/law';
import { hunt, median } from '../checker/hunt.ts';
import type { Hunted } from '../checker/hunt.ts';
import { whyToothless } from '../checker/without-teeth.ts';
import { FAULTS } from '../kho/faults.ts';
import type { Fault } from '../kho/faults.ts';
import { FOUND_HERE, kernelsOf } from '../kho/history/bug.ts';
import { BUGS, UNMODELLED, bugById } from '../kho/history/history.ts';
import { wrap } from '../report/counterexample.ts';
import { huntJson, huntMarkdown, huntText, isFound } from '../report/hunt.ts';
import type { HuntReport, HuntedBug } from '../report/hunt.ts';
import { EXIT, UsageError } from './io.ts';
import type { Io } from './io.ts';
import { huntedOn, loadedFor, runnerFor } from './systems.ts';
import { saveTraceFile } from './trace-files.ts';

export interface HuntOptions {
  /** Traces of one seed at most. */
  readonly traces: number;
  /** How many seeds. */
  readonly seeds: number;
  /** The first of them; 1 when absent. */
  readonly seed?: number;
  /** Hunt the synthetic faults, too. */
  readonly synthetic: boolean;
  /** Directory for minimal traces, each named after its bug. */
  readonly corpus?: string;
  /** Documents that earlier hunts printed: they are told together, and nothing is hunted. */
  readonly reports?: readonly string[];
  /** File with a marked block that the table is written into. */
  readonly write?: string;
  readonly json: boolean;
}

/** Most steps of a trace and most nodes of a machine, as in a run. */
export const STEPS = 100;
export const NODES = { nodesMin: 1, nodesMax: 4 };

const OPENS = '<!-- hunt -->';
const CLOSES = '<!-- /hunt -->';

const huntable = (): readonly Fault[] => [...BUGS, ...FAULTS];

const named = (ids: readonly string[], options: HuntOptions): readonly Fault[] => {
  if (ids.length === 0) return options.synthetic ? huntable() : BUGS;
  return ids.flatMap((id) => {
    const fault = huntable().find((each) => each.id === id);
    if (fault !== undefined) return [fault];
    const reason = UNMODELLED.find((each) => each.id === id);
    if (reason !== undefined) return [];
    throw new UsageError(`no bug '${id}' is known; kho-check hunt --list names all`);
  });
};

const fileOf = (fault: Fault, kernel: KernelProfile, hunted: Hunted): TraceFile | undefined => {
  const { trace, brokenAt } = hunted;
  if (trace === undefined) return undefined;
  return {
    format: TRACE_FORMAT,
    version: TRACE_VERSION,
    kernel: kernel.name,
    faults: [fault.id],
    machine: trace.machine,
    expect: { outcome: 'breaks', rule: fault.rule, step: brokenAt },
    steps: trace.steps,
  };
};

const saved = (fault: Fault, file: TraceFile, corpus: string | undefined): string => {
  if (corpus === undefined) return saveTraceFile(file);
  const path = `${corpus.replace(/\/$/, '')}/${fault.id.toLowerCase()}.json`;
  try {
    writeFileSync(path, traceFileText(file));
  } catch (error) {
    throw new UsageError(`cannot write ${path}: ${(error as NodeJS.ErrnoException).code}`);
  }
  return path;
};

const resultOf = (
  fault: Fault,
  kernel: KernelProfile,
  hunted: Hunted,
  path: string | null,
): HuntedBug => {
  const bug = bugById(fault.id);
  const found = hunted.catches.filter(({ traces }) => traces > 0);
  return {
    id: fault.id,
    title: bug?.title ?? fault.says,
    kernels: bug === undefined ? [] : kernelsOf(bug),
    on: kernel.name,
    rule: fault.rule,
    seeds: hunted.catches.length,
    seedsFound: found.length,
    traces: found.length === 0 ? 0 : median(found.map(({ traces }) => traces)),
    milliseconds: found.length === 0 ? 0 : median(found.map(({ milliseconds }) => milliseconds)),
    steps: hunted.trace?.steps.length ?? 0,
    trace: path,
    others: [...new Set(hunted.catches.flatMap(({ others }) => others))].sort(),
  };
};

/** Hunts; answers the exit status. */
export const huntCommand = (ids: readonly string[], options: HuntOptions, io: Io): number => {
  const faults = named(ids, options);
  const { seed: firstSeed = 1, traces } = options;
  const seeds = Array.from({ length: options.seeds }, (_, at) => (firstSeed + at) % 2 ** 32);
  const bugs = faults.map((fault, at) => {
    const kernel = huntedOn(fault);
    const teller = progressTeller(io, `${fault.id} (${at + 1} of ${faults.length})`, seeds.length);
    const { pageShift = 12 } = bugById(fault.id) ?? {};
    const shapes = machineShapes({ ...NODES, pageShift });
    const plans = tracePlans(shapes, STEPS, [], loadedFor(fault));
    const budget = { seeds, traces };
    const hunted = hunt(runnerFor(kernel, [fault]), fault.rule, plans, budget, teller.update);
    const file = fileOf(fault, kernel, hunted);
    const path = file === undefined ? null : saved(fault, file, options.corpus);
    const result = resultOf(fault, kernel, hunted, path);
    teller.end(result);
    return result;
  });
  const isAll = ids.length === 0;
  const notModelled = UNMODELLED.filter(({ id }) => isAll || ids.includes(id));
  return tell({ bugs, notModelled, tracesMax: traces, firstSeed }, options, io);
};

const tell = (report: HuntReport, options: HuntOptions, io: Io): number => {
  io.out(options.json ? `${huntJson(report)}\n` : `${huntText(report, io.colors)}\n`);
  if (options.write !== undefined) writeInto(options.write, report, io);
  return report.bugs.every(isFound) ? EXIT.holds : EXIT.broken;
};

/** Tells what several hunts found together; of a bug that several hunted, what the last one did. */
export const tellReports = (options: HuntOptions, io: Io): number => {
  const all = (options.reports ?? []).map(readReport);
  const found = new Map(all.flatMap(({ bugs }) => bugs.map((bug) => [bug.id, bug])));
  const bugs = BUGS.flatMap(({ id }) => found.get(id) ?? []);
  const [{ tracesMax, firstSeed } = { tracesMax: 0, firstSeed: 0 }] = all;
  const left = BUGS.map(({ id }) => id).filter((id) => !found.has(id));
  return tell({ bugs, notModelled: UNMODELLED, tracesMax, firstSeed, left }, options, io);
};

const count = v.pipe(v.number(), v.integer(), v.minValue(0));

const reportSchema = v.object({
  bugs: v.array(
    v.object({
      id: v.string(),
      title: v.string(),
      kernels: v.array(v.string()),
      on: v.string(),
      rule: v.string(),
      seeds: count,
      seedsFound: count,
      traces: count,
      milliseconds: count,
      steps: count,
      trace: v.nullable(v.string()),
      others: v.array(v.string()),
    }),
  ),
  tracesMax: count,
  firstSeed: count,
});

const readReport = (path: string): v.InferOutput<typeof reportSchema> => {
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new UsageError(`cannot read ${path}: ${why}`);
  }
  const parsed = v.safeParse(reportSchema, json);
  if (parsed.success) return parsed.output;
  throw new UsageError(`${path} is not what hunt --json prints: ${parsed.issues[0].message}`);
};

/** Names every entry, hunted or not, without hunting any. */
export const listBugs = (options: Pick<HuntOptions, 'json'>, io: Io): number => {
  const bugs = BUGS.map((bug) => ({
    id: bug.id,
    title: bug.title,
    kernels: kernelsOf(bug),
    rule: bug.rule,
    trace: bug.trace,
    at: bug.at,
    source: bug.source,
  }));
  if (options.json) io.out(`${JSON.stringify({ bugs, notModelled: UNMODELLED })}\n`);
  else {
    for (const { id, rule, title } of bugs) io.out(`${id.padEnd(6)} ${rule}  ${title}\n`);
    for (const { id, title } of UNMODELLED) io.out(`${id.padEnd(6)} –       ${title}\n`);
  }
  return EXIT.holds;
};

/** Tells which rules no entry and no synthetic fault is known to break first, and why. */
export const listTeeth = ({ json }: Pick<HuntOptions, 'json'>, io: Io): number => {
  const faults = new Map<string, string[]>();
  for (const { id, rule } of huntable()) faults.set(rule, [...(faults.get(rule) ?? []), id]);
  const withTeeth = RULES.filter(({ id }) => faults.has(id));
  const without = RULES.filter(({ id }) => !faults.has(id));
  if (json) {
    const rules = withTeeth.map(({ id }) => ({ rule: id, faults: faults.get(id) }));
    const reasons = Object.fromEntries(without.map((rule) => [rule.id, whyToothless(rule) ?? '']));
    const ids = without.map(({ id }) => id);
    io.out(`${JSON.stringify({ withTeeth: rules, without: ids, reasons })}\n`);
    return EXIT.holds;
  }
  io.out(`${withTeeth.length} of ${RULES.length} rules are broken by a bug or a fault.\n`);
  if (without.length > 0) io.out(`\nNone is known to break\n`);
  for (const rule of without) {
    const [first = '', ...more] = wrap(rule.says, 9);
    io.out(`  ${rule.id} ${first.trim()}\n${more.map((line) => `${line}\n`).join('')}`);
    const why = whyToothless(rule) ?? 'nobody knows why';
    io.out(`${wrap(`(${why})`, 9).join('\n')}\n`);
  }
  return EXIT.holds;
};

/** What nobody had written down before; their traces are those of the corpus. */
const ownFinds = () =>
  BUGS.filter(({ source }) => source === FOUND_HERE).map((bug) => ({
    id: bug.id,
    title: bug.title,
    kernels: kernelsOf(bug),
    rule: bug.rule,
    trace: `test/corpus/${bug.id.toLowerCase()}.json`,
  }));

const readPage = (path: string): string => {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new UsageError(`cannot read ${path}: ${(error as NodeJS.ErrnoException).code}`);
  }
};

/** Puts the tables between the marks of a file. */
const writeInto = (path: string, report: HuntReport, io: Io): void => {
  const text = readPage(path);
  const from = text.indexOf(OPENS);
  const to = text.indexOf(CLOSES);
  if (from < 0 || to < from) {
    throw new UsageError(`${path} has no lines ${OPENS} and ${CLOSES}: add them where it goes`);
  }
  const body = `${OPENS}\n\n${huntMarkdown(report, ownFinds())}\n\n`;
  writeFileSync(path, text.slice(0, from) + body + text.slice(to));
  io.err(`wrote the table to ${path}; format it with prettier\n`);
};

/** Tells on stderr what is hunted, how far it is, and what came of it. */
const progressTeller = (io: Io, what: string, seeds: number) => {
  let shown = 0;
  return {
    update: (seed: number, traces: number): void => {
      if (!io.liveProgress || performance.now() - shown < 100) return;
      shown = performance.now();
      io.err(`\r\u001B[K${what}: seed ${seed + 1} of ${seeds}, trace ${traces}`);
    },
    end: (bug: HuntedBug): void => {
      const found = `${bug.seedsFound}/${bug.seeds} seeds, ${Math.round(bug.traces)} traces`;
      io.err(`${io.liveProgress ? '\r\u001B[K' : ''}${what}: ${bug.rule} ${found}\n`);
    },
  };
};
