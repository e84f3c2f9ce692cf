/** The matrix of kernels as text: what became of a handover from the one to the other. */
import type { Colors } from './colors.ts';

/** What `abi matrix` found out. */
export interface MatrixReport {
  readonly kernels: readonly string[];
  readonly outcomes: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly seen: Readonly<Record<string, number>>;
  /** By writer and reader, as `6.17 → 6.18`. */
  readonly witness: Readonly<
    Record<
      string,
      {
        readonly outcome: string;
        readonly rule: string | null;
        readonly steps: number;
        readonly path: string | undefined;
      }
    >
  >;
}

const WIDTH = 8;

/** Words of the legend, in the order of the columns. */
const MEANINGS: readonly (readonly [string, string])[] = [
  ['same', 'all of it is taken over'],
  ['refused', 'the next kernel boots cold; nothing is corrupted'],
  ['ignored', 'taken over, but a part of it is not looked at'],
  ['misread', 'taken over, and other memory is taken for preserved'],
  ['panic', 'taken over, and the next kernel ends while it reads'],
];

/** What pairs with the series before the merge showed; their kernels come first. */
export interface FullReport extends MatrixReport {
  readonly early: MatrixReport;
}

type Coloring = (outcome: string, width: number) => string;

/** A table of outcomes: a row for every writer, a column for every reader. */
const table = (
  { outcomes }: MatrixReport,
  writers: readonly string[],
  readers: readonly string[],
  color: Coloring,
): readonly string[] => {
  const head = `old \\ new ${readers.map((name) => name.padEnd(WIDTH)).join('')}`.trimEnd();
  const rows = writers.map((writer) => {
    const row = readers.map((reader) => color(outcomes[writer]![reader]!, WIDTH));
    return `${writer.padEnd(10)}${row.join('')}`.trimEnd();
  });
  return [head, ...rows];
};

/** One letter for every reader: eleven columns of words are wider than a terminal. */
const letters = (
  { outcomes, kernels }: MatrixReport,
  early: readonly string[],
  color: Coloring,
): readonly string[] => {
  const from = early.map((writer) => {
    const row = kernels.map((reader) => color(outcomes[writer]![reader]!, 1).padEnd(6));
    return `${writer.padEnd(10)}${row.join('')}`.trimEnd();
  });
  const rest = kernels.filter((name) => !early.includes(name));
  const into = rest.map((writer) => {
    const row = early.map((reader) => color(outcomes[writer]![reader]!, 1).padEnd(6));
    return `${writer.padEnd(10)}${row.join('')}`.trimEnd();
  });
  const head = `old \\ new ${kernels.map((name) => name.padEnd(6)).join('')}`.trimEnd();
  return [head, ...from, ...into];
};

/** The matrix, its legend, and one line for every witness; then the series before the merge. */
export const matrixText = (report: FullReport, colors: Colors): string => {
  const { kernels, seen, witness, early } = report;
  const color: Coloring = (outcome, width) => {
    const text = outcome.slice(0, width).padEnd(width);
    if (outcome === 'same') return colors.green(text);
    return outcome === 'refused' ? text : colors.red(text);
  };
  const legend = MEANINGS.filter(([outcome]) => (seen[outcome] ?? 0) > 0).map(
    ([outcome, means]) => `  ${outcome.padEnd(WIDTH)} ${means} (${seen[outcome]} traces)`,
  );
  const series = early.kernels.filter((name) => !kernels.includes(name));
  return [
    ...table(report, kernels, kernels, color),
    '',
    ...legend,
    '',
    'Before the merge (first letters of the words above)',
    ...letters(early, series, color),
    '',
    'Smallest traces',
    ...traces(witness),
    '',
    'Smallest traces with a series before the merge',
    ...traces(early.witness),
  ].join('\n');
};

/** Two lines for every trace: what it shows, and how to see it again. */
const traces = (witness: MatrixReport['witness']): readonly string[] =>
  Object.entries(witness).flatMap(([pair, { outcome, rule, steps, path }]) => [
    `  ${pair.padEnd(12)} ${outcome.padEnd(WIDTH)} ${rule ?? ''} in ${steps} steps`,
    ...(path === undefined ? [] : [`    npx kho-check replay ${path}`]),
  ]);
