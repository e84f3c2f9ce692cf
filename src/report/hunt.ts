/**
 * What a hunt found: a table for people, one for the README, and a document.
 *
 * Fields of the document are added, never changed.
 */
import type { Colors } from './colors.ts';

/** One bug that was hunted. */
export interface HuntedBug {
  readonly id: string;
  readonly title: string;
  /** Releases that had it. */
  readonly kernels: readonly string[];
  /** Kernel that it was hunted on. */
  readonly on: string;
  /** Rule that has to catch it. */
  readonly rule: string;
  /** Seeds that were tried, and those that found it. */
  readonly seeds: number;
  readonly seedsFound: number;
  /** Medians over the seeds that found it; 0 when none did. */
  readonly traces: number;
  readonly milliseconds: number;
  /** Steps of the minimal trace; 0 when there is none. */
  readonly steps: number;
  /** The minimal trace. */
  readonly trace: string | null;
  /** Other rules that broke on the way. */
  readonly others: readonly string[];
}

/** A bug that no entry stands for. */
export interface NotHunted {
  readonly id: string;
  readonly title: string;
  readonly reason: string;
}

export interface HuntReport {
  readonly bugs: readonly HuntedBug[];
  readonly notModelled: readonly NotHunted[];
  readonly tracesMax: number;
  readonly firstSeed: number;
  /** Ids of bugs that have an entry and were not hunted. */
  readonly left?: readonly string[];
}

/** A bug counts as found when at most this part of the seeds missed it. */
const MISSES = 1 / 20;

/** Whether a hunt was successful: the rule broke in all seeds, or all but one in twenty. */
export const isFound = ({ seeds, seedsFound }: HuntedBug): boolean =>
  seeds > 0 && seedsFound >= Math.ceil(seeds * (1 - MISSES));

/** The document, without a line break at its end. */
export const huntJson = ({ bugs, notModelled, tracesMax, firstSeed }: HuntReport): string =>
  JSON.stringify({
    bugs: bugs.map((bug) => ({
      id: bug.id,
      title: bug.title,
      kernels: bug.kernels,
      found: isFound(bug),
      rule: bug.rule,
      traces: bug.traces,
      milliseconds: Math.round(bug.milliseconds),
      steps: bug.steps,
      trace: bug.trace,
      on: bug.on,
      seeds: bug.seeds,
      seedsFound: bug.seedsFound,
      others: bug.others,
    })),
    notModelled,
    tracesMax,
    firstSeed,
  });

const HEAD = 'bug    rule     seeds  traces      ms  steps  on    kernels that had it';

const number = (value: number): string => Math.round(value).toLocaleString('en-US');

const rowOf = (bug: HuntedBug, colors: Colors): string => {
  const figures = [
    `${bug.seedsFound}/${bug.seeds}`.padStart(6),
    (bug.seedsFound === 0 ? '–' : number(bug.traces)).padStart(7),
    (bug.seedsFound === 0 ? '–' : number(bug.milliseconds)).padStart(7),
    (bug.seedsFound === 0 ? '–' : number(bug.steps)).padStart(6),
  ].join(' ');
  const isHere = isFound(bug);
  const id = bug.id.padEnd(6);
  const name = isHere ? colors.green(id) : colors.red(id);
  const others = bug.others.length === 0 ? [] : [`also broke: ${bug.others.join(', ')}`];
  const kernels = bug.kernels.length === 0 ? 'none released' : spans(bug.kernels);
  return [
    `${name} ${bug.rule} ${figures}  ${bug.on.padEnd(5)} ${kernels}`,
    ...[bug.title, ...others].flatMap((text) => folded(text, 73).map((line) => `       ${line}`)),
  ].join('\n');
};

/** Series in a row, as `6.16 – 6.18, 7.0 to 7.0.11`. */
export const spans = (kernels: readonly string[]): string => {
  const parts: string[] = [];
  let from = '';
  let to = '';
  const close = (): void => {
    if (from !== '') parts.push(from === to ? from : `${from}–${to}`);
    from = '';
  };
  for (const kernel of kernels) {
    if (kernel.includes(' ')) {
      close();
      parts.push(kernel.replace(/^.* to /, 'to '));
    } else {
      if (from === '') from = kernel;
      to = kernel;
    }
  }
  close();
  return parts.join(', ');
};

/** Lines of at most `width` columns. */
const folded = (text: string, width: number): string[] => {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last === undefined || last.length + word.length >= width) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
};

const countText = ({ bugs, left = [] }: HuntReport): string => {
  const rest = left.length === 0 ? '' : ` Not hunted in these runs: ${left.join(', ')}.`;
  const found = bugs.filter(isFound).length;
  const missed = bugs.filter((bug) => !isFound(bug)).map(({ id }) => id);
  const all = `${found} of ${bugs.length} ${bugs.length === 1 ? 'bug' : 'bugs'} found`;
  return `${all}${missed.length === 0 ? '' : `; not found: ${missed.join(', ')}`}.${rest}`;
};

/** The text, without a final newline. */
export const huntText = (report: HuntReport, colors: Colors): string => {
  const { bugs, notModelled } = report;
  const lines = bugs.length === 0 ? [] : [colors.dim(HEAD), ...bugs.map((b) => rowOf(b, colors))];
  if (notModelled.length > 0) {
    lines.push('', colors.bold('Not modelled'));
    for (const { id, reason } of notModelled) {
      folded(reason, 73).forEach((line, at) =>
        lines.push(`${(at === 0 ? id : '').padEnd(6)} ${line}`),
      );
    }
  }
  if (bugs.length > 0) lines.push('', countText(report));
  return lines.join('\n');
};

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('_', '\\_');

/** A bug that this project found, and where its minimal trace is. */
export interface OwnFind {
  readonly id: string;
  readonly title: string;
  readonly kernels: readonly string[];
  readonly rule: string;
  readonly trace: string;
}

const rowOfCells = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;

const markdownRow = (bug: HuntedBug): string =>
  rowOfCells([
    bug.id,
    cell(bug.title),
    bug.kernels.length === 0 ? 'none released' : spans(bug.kernels),
    bug.rule,
    `${bug.seedsFound}/${bug.seeds}`,
    number(bug.traces),
    number(bug.milliseconds),
    String(bug.steps),
  ]);

/** The tables of the README. */
export const huntMarkdown = (report: HuntReport, own: readonly OwnFind[]): string => {
  const { bugs, notModelled, tracesMax } = report;
  const seeds = Math.max(0, ...bugs.map((bug) => bug.seeds));
  return [
    "## Every bug of KHO's history, found again",
    '',
    '`npx kho-check hunt --write README.md` hunts and writes this: each bug alone, on a kernel ' +
      `that shipped it or on the newest one, with ${seeds} seeds of up to ${number(tracesMax)} ` +
      'ordinary traces. Found means that the rule broke which was written down for it. Medians ' +
      'of traces and milliseconds; steps of the smallest trace, which `test/corpus` keeps.',
    '',
    '| bug | what it is | kernels | rule | seeds | traces | ms | steps |',
    '| --- | --- | --- | --- | --: | --: | --: | --: |',
    ...bugs.map(markdownRow),
    '',
    countText(report),
    '',
    '### Track record',
    '',
    'Defects that are in released kernels and that nobody had written down before:',
    '',
    '| bug | what it is | kernels | rule | trace |',
    '| --- | --- | --- | --- | --- |',
    ...own.map(({ id, title, kernels, rule, trace }) =>
      rowOfCells([id, cell(title), spans(kernels), rule, `\`${trace}\``]),
    ),
    '',
    `### Not modelled (${notModelled.length})`,
    '',
    '| bugs | reason |',
    '| --- | --- |',
    ...[...byReason(notModelled)].map(([why, ids]) => rowOfCells([ids.join(', '), cell(why)])),
  ].join('\n');
};

const byReason = (bugs: readonly NotHunted[]): ReadonlyMap<string, readonly string[]> => {
  const ids = new Map<string, string[]>();
  for (const { id, reason } of bugs) ids.set(reason, [...(ids.get(reason) ?? []), id]);
  return ids;
};
