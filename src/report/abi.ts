/** Generations of KHO as text: a table of all, or one in full. */
import type { Colors } from './colors.ts';
import { wrap } from './counterexample.ts';

/** A row of the table of generations; '' where a generation has no such thing. */
export interface GenerationRow {
  readonly kernel: string;
  /** The root's string. */
  readonly root: string;
  readonly tracker: string;
  /** Property of a subtree's node with the address of the blob. */
  readonly subtree: string;
  /** String of the orchestrator's blob. */
  readonly luo: string;
  readonly phases: string;
}

/** What a next kernel makes of a handover. */
export interface PairRow {
  readonly kernel: string;
  readonly outcome: string;
  readonly reasons: readonly string[];
}

/** One generation in full. */
export interface GenerationPage {
  readonly title: string;
  readonly facts: readonly (readonly [label: string, value: string])[];
  readonly next: readonly PairRow[];
}

const HEADINGS: GenerationRow = {
  kernel: 'kernel',
  root: 'root',
  tracker: 'preserved memory',
  subtree: 'subtree by',
  luo: 'LUO',
  phases: 'phases',
};

const COLUMNS = ['kernel', 'root', 'tracker', 'subtree', 'luo', 'phases'] as const;

/** The table, without a final newline. */
export const generationTable = (rows: readonly GenerationRow[], colors: Colors): string => {
  const all = [HEADINGS, ...rows];
  const widths = COLUMNS.map((column) => Math.max(...all.map((row) => row[column].length)));
  const lines = all.map((row) =>
    COLUMNS.map((column, i) => (row[column] || '-').padEnd(widths[i]!))
      .join('  ')
      .trimEnd(),
  );
  return [colors.bold(lines[0]!), ...lines.slice(1)].join('\n');
};

const LABEL = 16;

/** One generation, without a final newline. */
export const generationPage = (page: GenerationPage, colors: Colors): string => {
  const facts = page.facts.flatMap(([label, value]) => {
    const [first, ...rest] = wrap(value, LABEL);
    return [label.padEnd(LABEL) + (first ?? '').trimStart(), ...rest];
  });
  const shade = (outcome: string): string =>
    outcome === 'same'
      ? colors.green(outcome)
      : outcome === 'refused' || outcome === 'ignored'
        ? colors.yellow(outcome)
        : colors.red(outcome);
  const next = page.next.flatMap(({ kernel, outcome, reasons }) => [
    `  ${kernel.padEnd(6)}${shade(outcome)}`,
    ...wrap(reasons.join('; '), 16).filter((line) => line.trim() !== ''),
  ]);
  return [colors.bold(page.title), '', ...facts, '', 'Its handover, to the next kernel:', ...next]
    .map((line) => line.trimEnd())
    .join('\n');
};
