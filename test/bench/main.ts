/**
 * `npm run bench`: every figure beside a peer that runs in the same minute on the same machine.
 *
 * Words on the command line choose sections (`npm run bench -- radix lockstep`); `--write` puts the
 * table into README, with the machine and the commit. Figures are of CPU time, medians of several
 * rounds. Nothing here is asserted: machines differ.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { lockstep } from './lockstep.ts';
import { radix } from './radix.ts';
import { scale } from './scale.ts';
import { timeToBug } from './time-to-bug.ts';
import type { Section } from './section.ts';

type Measure = () => Section | Promise<Section>;

const SECTIONS = new Map<string, Measure>([
  ['lockstep', lockstep],
  ['time-to-bug', timeToBug],
  ['radix', radix],
  ['scale', scale],
]);

const README = fileURLToPath(new URL('../../README.md', import.meta.url));
const OPENS = '<!-- bench -->';
const CLOSES = '<!-- /bench -->';
const EXPLORE = './explore.ts';
const WIDTH = 98;

/** Exploration is measured where it is. */
const addExplore = async (): Promise<void> => {
  if (!existsSync(new URL(EXPLORE, import.meta.url))) return;
  const { explore } = (await import(EXPLORE)) as { explore?: Measure };
  if (explore !== undefined) SECTIONS.set('explore', explore);
};

const cell = (text: string): string => text.replaceAll('|', '\\|');

const rowOf = ({ what, ours, peer, ratio, bar }: Section['figures'][number]): string => {
  const shown = ratio === undefined ? '' : ratio >= 10 ? ratio.toFixed(0) : ratio.toFixed(3);
  return `| ${[what, ours, peer, shown, bar].map(cell).join(' | ')} |`;
};

/** A paragraph in lines of at most `WIDTH` characters. */
const wrap = (text: string): string => {
  const lines = [''];
  for (const word of text.split(' ')) {
    const line = lines.at(-1)!;
    if (line !== '' && line.length + word.length + 1 > WIDTH) lines.push(word);
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
  }
  return lines.join('\n');
};

const tableOf = (sections: readonly Section[]): string =>
  sections
    .map(({ title, figures, notes }) =>
      [
        `### ${title}`,
        '',
        '| what | ours | beside it | ratio | aim |',
        '| --- | --- | --- | --- | --- |',
        ...figures.map(rowOf),
        ...notes.flatMap((note) => ['', wrap(note)]),
      ].join('\n'),
    )
    .join('\n\n');

const git = (...args: string[]): string =>
  spawnSync('git', args, { encoding: 'utf8' }).stdout?.trim() ?? '';

/** Which machine and which sources. */
const whereFrom = (): string => {
  const processors = cpus();
  const model = processors[0]?.model.trim() ?? 'unknown processor';
  const isClean = git('status', '--porcelain', '--', 'spec', 'model', 'src', 'test') === '';
  const head = git('rev-parse', '--short', 'HEAD') || 'unknown';
  const commit = isClean ? head : `${head} with changes`;
  return (
    `Commit ${commit}, node ${process.versions.node}, ${model}, ${processors.length} cores. CPU ` +
    'time; a ratio above 1 means that ours is better.'
  );
};

/** Prettier formats README, so the table is formatted like it. */
const formatted = (text: string): string => {
  const args = ['exec', '--', 'prettier', '--stdin-filepath', 'README.md'];
  const run = spawnSync('npm', args, { encoding: 'utf8', input: text });
  return run.status === 0 ? run.stdout : text;
};

const writeReadme = (table: string): void => {
  const text = readFileSync(README, 'utf8');
  const from = text.indexOf(OPENS);
  const to = text.indexOf(CLOSES);
  if (from < 0 || to < from) {
    throw new Error(`README.md has no lines ${OPENS} and ${CLOSES}: add them where the table goes`);
  }
  const intro = '## How fast it is\n\n`npm run bench -- --write` measures and writes this.';
  const body = `${OPENS}\n\n${intro}\n\n${wrap(whereFrom())}\n\n${table}\n\n`;
  writeFileSync(README, formatted(text.slice(0, from) + body + text.slice(to)));
};

const main = async (): Promise<void> => {
  await addExplore();
  const words = process.argv.slice(2);
  const asked = words.filter((word) => word !== '--write');
  const unknown = asked.find((word) => !SECTIONS.has(word));
  if (unknown !== undefined) {
    const known = [...SECTIONS.keys()].join(', ');
    process.stderr.write(`bench: no section '${unknown}'; there is ${known}\n`);
    process.exitCode = 2;
    return;
  }
  const sections: Section[] = [];
  for (const [name, measure] of SECTIONS) {
    if (asked.length > 0 && !asked.includes(name)) continue;
    process.stderr.write(`${name} …\n`);
    sections.push(await measure());
  }
  const table = tableOf(sections);
  process.stdout.write(`${wrap(whereFrom())}\n\n${table}\n`);
  if (words.includes('--write')) writeReadme(table);
};

await main();
