/** What a campaign found, as a table, as a list of survivors, and as a block of the README. */
import type { Outcome } from './campaign.ts';
import { reasonFor } from './explained.ts';
import type { Explained } from './explained.ts';

/** What became of the mutants of one file, or of all. */
export interface Score {
  readonly name: string;
  readonly mutants: number;
  readonly killed: number;
  readonly timeouts: number;
  readonly survived: number;
  /** Survivors that are explained. */
  readonly explained: number;
}

const scoreOf = (
  name: string,
  outcomes: readonly Outcome[],
  entries: readonly Explained[],
): Score => {
  const counted = outcomes.filter(({ verdict }) => verdict !== 'invalid');
  const survivors = counted.filter(({ verdict }) => verdict === 'survived');
  return {
    name,
    mutants: counted.length,
    killed: counted.filter(({ verdict }) => verdict === 'killed').length,
    timeouts: counted.filter(({ verdict }) => verdict === 'timeout').length,
    survived: survivors.length,
    explained: survivors.filter(({ site }) => reasonFor(entries, site) !== undefined).length,
  };
};

/** One score per file, and the one of all last. */
export const scoresOf = (
  outcomes: readonly Outcome[],
  entries: readonly Explained[],
): readonly Score[] => {
  const files = [...new Set(outcomes.map(({ site }) => site.file))];
  return [
    ...files.map((file) => {
      const own = outcomes.filter(({ site }) => site.file === file);
      return scoreOf(file, own, entries);
    }),
    scoreOf('all', outcomes, entries),
  ];
};

/** Mutants that something noticed, timeouts included, in per cent. */
export const percent = ({ mutants, survived }: Score): string =>
  mutants === 0 ? '—' : `${(((mutants - survived) / mutants) * 100).toFixed(1)} %`;

const HEAD = ['file', 'mutants', 'killed', 'timeouts', 'survived', 'explained', 'score'];

/** A table as prettier writes it: names to the left, numbers to the right. */
export const tableOf = (scores: readonly Score[]): string => {
  const rows = scores.map((score) => [
    score.name === 'all' ? '**all**' : `\`${score.name}\``,
    ...[score.mutants, score.killed, score.timeouts, score.survived, score.explained].map(String),
    percent(score),
  ]);
  const widths = HEAD.map((head, i) => Math.max(head.length, ...rows.map((row) => row[i]!.length)));
  const line = (cells: readonly string[]): string => {
    const padded = cells.map((cell, i) =>
      i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!),
    );
    return `| ${padded.join(' | ')} |`;
  };
  const rule = widths.map((width, i) =>
    i === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`,
  );
  return [line(HEAD), line(rule), ...rows.map(line)].join('\n');
};

/** Survivors, with their line and the reason if there is one; those without come first. */
export const survivorsOf = (
  outcomes: readonly Outcome[],
  entries: readonly Explained[],
): string => {
  const told = outcomes
    .filter(({ verdict }) => verdict === 'survived')
    .map(({ site }) => ({ site, reason: reasonFor(entries, site) }))
    .sort((a, b) => Number(a.reason !== undefined) - Number(b.reason !== undefined))
    .map(({ site, reason }) => {
      const why = reason === undefined ? '' : `\n    explained: ${reason}`;
      return `${site.id}\n    ${site.source}${why}`;
    });
  return told.join('\n');
};

const BLOCK = /<!-- mutation -->[^]*?<!-- \/mutation -->/;

/** The README with its block about mutants written anew. */
export const withBlock = (readme: string, scores: readonly Score[], command: string): string => {
  const all = scores.at(-1)!;
  const noticed = all.mutants - all.survived;
  const open = all.survived - all.explained;
  const block = [
    '<!-- mutation -->',
    '',
    '## How good the tests of the law are',
    '',
    `\`${command}\` makes ${all.mutants} small mistakes in the law, one at a time: a sign turned ` +
      'around, a rule left out, an effect that does nothing. ' +
      `**${percent(all)}** (${noticed}) are noticed by the witnesses, the minimal traces of all ` +
      `faults or random traces. Of ${all.survived} that are not, ${all.explained} are ` +
      `explained in \`test/mutation/explained.json\` and ${open} are open.`,
    '',
    tableOf(scores),
    '',
    '<!-- /mutation -->',
  ].join('\n');
  if (BLOCK.test(readme)) return readme.replace(BLOCK, () => block);
  return readme.replace(/\nMIT licence\./, () => `\n${block}\n\nMIT licence.`);
};
