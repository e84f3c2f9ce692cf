/** The matrix of kernels as text: what became of a handover from the one to the other. */
import type { Colors } from './colors.ts';

/** What `abi matrix` found out. */
export interface MatrixReport {
  readonly kernels: readonly string[];
  readonly outcomes: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly seen: Readonly<Record<string, number>>;
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

/** The matrix, its legend, and one line for every witness. */
export const matrixText = (report: MatrixReport, colors: Colors): string => {
  const { kernels, outcomes, seen, witness } = report;
  const color = (outcome: string): string => {
    const text = outcome.padEnd(WIDTH);
    if (outcome === 'same') return colors.green(text);
    return outcome === 'refused' ? text : colors.red(text);
  };
  const head = `old \\ new ${kernels.map((name) => name.padEnd(WIDTH)).join('')}`.trimEnd();
  const rows = kernels.map((writer) => {
    const row = kernels.map((reader) => color(outcomes[writer]![reader]!));
    return `${writer.padEnd(10)}${row.join('')}`.trimEnd();
  });
  const legend = MEANINGS.filter(([outcome]) => (seen[outcome] ?? 0) > 0).map(
    ([outcome, means]) => `  ${outcome.padEnd(WIDTH)} ${means} (${seen[outcome]} traces)`,
  );
  const shown = Object.entries(witness).flatMap(([pair, { outcome, rule, steps, path }]) => [
    `  ${pair.padEnd(12)} ${outcome.padEnd(WIDTH)} ${rule ?? ''} in ${steps} steps`,
    ...(path === undefined ? [] : [`    npx kho-check replay ${path}`]),
  ]);
  return [head, ...rows, '', ...legend, '', 'Smallest traces', ...shown].join('\n');
};
