/**
 * What became of recorded traces: a line for every file, what deviates and why, and the verdict.
 */
import type { Conformance, UnknownDeviation } from '../checker/conform.ts';
import type { Colors } from './colors.ts';
import { wrap } from './counterexample.ts';

/** All recordings of a directory. */
export interface ConformReport {
  readonly directory: string;
  /** `deviates`: every deviation is a known one. `inconclusive`: nothing was compared. */
  readonly verdict: 'conforms' | 'deviates' | 'unknown' | 'inconclusive';
  readonly files: readonly Conformance[];
}

/** Findings of one file that are shown as text. */
const SHOWN = 5;
const NAME_WIDTH = 26;

const CAUSES = {
  S1: 'kho_restore_pages cuts without looking at nodes, compares no orders',
  S14: 'a range that is refused stays restored in part',
  S15: 'memory preserved in two blocks is restored with each of them',
} as const;
const CAUSE_NAMES = ['S1', 'S14', 'S15'] as const;

/** The document, without a line break at its end. Fields are added, never changed. */
export const conformJson = ({ verdict, files }: ConformReport): string =>
  JSON.stringify({
    verdict,
    files: files.map((each) => ({
      file: each.file,
      kernel: each.kernel,
      operations: each.operations,
      restores: each.restores,
      accepted: each.accepted,
      deviations: each.deviations,
      unknown: each.unknown.map(({ index, op, recorded, expected }) => ({
        index,
        op,
        recorded,
        expected,
      })),
      keysEqual: each.keysEqual,
    })),
  });

/** The text, without a final newline. */
export const conformText = (report: ConformReport, colors: Colors): string => {
  const { files, directory } = report;
  const kernels = [...new Set(files.map(({ kernel }) => `Linux ${kernel}`))].join(', ');
  const lines = wrap(`Recorded traces${kernels && ` of ${kernels}`} in ${shown(directory, 64)}`, 0);
  if (files.length > 0) {
    lines.push('', colors.dim(row('file', [...COLUMNS])));
    for (const each of files) lines.push(...fileLines(each, colors));
    if (files.length > 1) lines.push(row('total', countsOf(files)));
  }
  lines.push(...legend(files), '', verdictLine(report, colors));
  return lines.join('\n');
};

const COLUMNS = ['calls', 'restores', 'accepted', ...CAUSE_NAMES, 'unknown'] as const;

/** A name on at most `width` characters, its end kept; what moves the cursor is left out. */
const shown = (name: string, width: number): string => {
  const clean = name.replace(/\p{C}+/gu, '?');
  return clean.length > width ? `…${clean.slice(1 - width)}` : clean;
};

const row = (name: string, cells: readonly string[], mark = ' '): string => {
  const columns = cells.map((cell, at) => cell.padStart(COLUMNS[at]!.length < 5 ? 5 : 9));
  return `${mark} ${shown(name, NAME_WIDTH).padEnd(NAME_WIDTH)}${columns.join('').slice(3)}`;
};

const sum = (numbers: readonly number[]): number => numbers.reduce((all, each) => all + each, 0);

const countsOf = (files: readonly Conformance[]): string[] =>
  [
    sum(files.map((file) => file.operations)),
    sum(files.map((file) => file.restores)),
    sum(files.map((file) => file.accepted)),
    ...CAUSE_NAMES.map((cause) => sum(files.map((file) => file.deviations[cause]))),
    sum(files.map((file) => file.unknown.length)),
  ].map((value) => value.toLocaleString('en-US'));

const fileLines = (file: Conformance, colors: Colors): string[] => {
  const bad = file.unknown.length > 0 || !file.keysEqual;
  const mark = bad ? colors.red('✗') : colors.green('✓');
  const lines = [row(file.file, countsOf([file]), mark)];
  for (const each of file.unknown.slice(0, SHOWN)) lines.push(...unknownLines(each));
  const more = file.unknown.length - SHOWN;
  if (more > 0) lines.push(`    and ${more} more, see --json`);
  return lines;
};

const unknownLines = ({ index, op, recorded, expected }: UnknownDeviation): string[] => [
  `    ${op}${index < 0 ? '' : ` (${index})`}`,
  ...wrap(`recorded: ${recorded}`, 6),
  ...wrap(`expected: ${expected}`, 6),
];

const legend = (files: readonly Conformance[]): string[] => {
  const seen = CAUSE_NAMES.filter((cause) => files.some((file) => file.deviations[cause] > 0));
  if (seen.length === 0) return [];
  return ['', ...seen.map((cause) => `  ${cause.padEnd(4)} ${CAUSES[cause]}`)];
};

const verdictLine = ({ files, verdict }: ConformReport, colors: Colors): string => {
  const answers = sum(files.map((file) => file.operations + file.restores));
  const bound = `${answers.toLocaleString('en-US')} answers`;
  const known = sum(files.flatMap((file) => CAUSE_NAMES.map((cause) => file.deviations[cause])));
  const unknown = sum(files.map((file) => file.unknown.length));
  switch (verdict) {
    case 'conforms':
      return colors.green(`conforms: the law accepts all of ${bound}.`);
    case 'deviates':
      return colors.yellow(`deviates: ${known} of ${bound}, all in ways that are known.`);
    case 'unknown':
      return colors.red(`unknown: ${unknown} recorded things that nothing known explains.`);
    case 'inconclusive':
      return colors.yellow('inconclusive: nothing was recorded here that could be compared.');
  }
};
