/**
 * What kernels make of damaged handovers: a row for every field, a column for every kernel, and
 * what is behind each finding. For one kernel, how often each outcome occurred.
 */
import type { Colors } from './colors.ts';
import { wrap } from './counterexample.ts';

export interface DamageReport {
  readonly kernels: readonly string[];
  /** From best to worst; the last one is silent corruption. */
  readonly outcomes: readonly string[];
  /** Of the bytes of each field, every so manieth was changed, but four at least. */
  readonly every: number;
  readonly cells: readonly {
    readonly kernel: string;
    readonly part: string;
    readonly field: string;
    readonly seen: Readonly<Record<string, number>>;
    readonly findings: readonly string[];
    readonly unexplained: readonly string[];
  }[];
  readonly findings: readonly {
    readonly id: string;
    readonly says: string;
    readonly why: string;
    readonly sources: readonly string[];
  }[];
}

type Row = DamageReport['cells'][number];

const LABEL = 24;
const COLUMN = 8;
const UNEXPLAINED = 'SILENT';
const EXAMPLES = 3;

/** The report, without a final newline. */
export const damageText = (report: DamageReport, colors: Colors): string => {
  const { kernels, cells, findings } = report;
  const one = kernels.length === 1;
  const columns = one ? report.outcomes : kernels;
  const head = `${''.padEnd(LABEL)}${columns.map((name) => name.padEnd(COLUMN)).join('')}`;
  const lines = [colors.dim(head.trimEnd())];
  for (const part of new Set(cells.map((cell) => cell.part))) {
    lines.push(part);
    const rows = cells.filter((cell) => cell.part === part);
    for (const field of new Set(rows.map((cell) => cell.field))) {
      const of = rows.filter((cell) => cell.field === field);
      const texts = one ? countsOf(report, of[0]!) : kernels.map((name) => worst(report, of, name));
      lines.push(`  ${field.padEnd(LABEL - 2)}${texts.map(pad(colors)).join('')}`.trimEnd());
    }
  }
  for (const { id, says, why, sources } of findings) {
    lines.push('', ...wrap(`${id}  ${says} ${why}`, 0), ...wrap(sources.join(' · '), 8));
  }
  return [...lines, '', ...verdict(report, colors)].join('\n');
};

const pad =
  (colors: Colors) =>
  (text: string): string => {
    const padded = text.padEnd(COLUMN);
    if (text === UNEXPLAINED) return colors.red(padded);
    return text.startsWith('DMG') ? colors.yellow(padded) : padded;
  };

/** How often each outcome occurred, and the findings behind the last one. */
const countsOf = ({ outcomes }: DamageReport, { seen, findings, unexplained }: Row): string[] => {
  const counts = outcomes.map((outcome) => String(seen[outcome] ?? '·'));
  return [...counts, unexplained.length > 0 ? UNEXPLAINED : findings.join(' ')];
};

/** The worst that a field came to with a kernel; a finding where that was silent. */
const worst = ({ outcomes }: DamageReport, rows: readonly Row[], kernel: string): string => {
  const row = rows.find((each) => each.kernel === kernel);
  if (row === undefined) return '·';
  if (row.unexplained.length > 0) return UNEXPLAINED;
  return row.findings[0] ?? outcomes.findLast((outcome) => (row.seen[outcome] ?? 0) > 0) ?? '·';
};

const verdict = ({ cells, every }: DamageReport, colors: Colors): string[] => {
  const runs = cells.reduce(
    (sum, { seen }) => sum + Object.values(seen).reduce((all, times) => all + times, 0),
    0,
  );
  const bad = cells.flatMap(({ kernel, part, field, unexplained }) =>
    unexplained.map((what) => `  ${kernel}, ${part}, ${field}: ${what}`),
  );
  const bytes =
    every === 1
      ? 'every byte of each field'
      : `one byte in ${every} of each field, but four at least`;
  const bound = `${runs.toLocaleString('en-US')} jumps, ${bytes}`;
  if (bad.length === 0) {
    return wrap(`holds: no corruption went unnoticed but for the findings, in ${bound}.`, 0).map(
      (line) => colors.green(line),
    );
  }
  const text = `${bad.length} corruptions went unnoticed that no finding explains, in ${bound}.`;
  return [...bad.slice(0, EXAMPLES), ...wrap(text, 0).map((line) => colors.red(line))];
};
