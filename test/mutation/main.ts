/**
 * `npm run test:mutate`: how good are the tests of the law?
 *
 * - `--files spec/restore.ts,…` mutates these only; else all of spec/ and properties/
 * - `--limit N` tries N of the mutants, drawn by `--seed N`
 * - `--workers N` tries so many at a time
 * - `--write` writes the score to the README; `--json` prints everything
 *
 * Progress goes to stderr. The exit status is 0 whatever the score, and 1 when the law as it is
 * does not pass.
 */
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Random } from '#model/random';
import { wholeNumber } from '#src/cli/numbers';
import { Build } from './campaign.ts';
import type { Outcome, Site } from './campaign.ts';
import { reasonFor, uselessEntries } from './explained.ts';
import type { Explained } from './explained.ts';
import { percent, scoresOf, survivorsOf, tableOf, withBlock } from './report.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const README = join(ROOT, 'README.md');
const EXPLAINED = join(ROOT, 'test/mutation/explained.json');
const TOLD_EVERY = 25;

const say = (text: string): void => void process.stderr.write(`${text}\n`);

const { values: options } = parseArgs({
  options: {
    files: { type: 'string' },
    limit: { type: 'string' },
    seed: { type: 'string', default: '1' },
    workers: { type: 'string', default: '2' },
    write: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});

const sourcesIn = (directory: string): string[] =>
  readdirSync(join(ROOT, directory), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => `${directory}/${name}`)
    .sort();

/** So many of them, drawn by a seed, in the order in which they stood. */
const sample = (sites: readonly Site[], limit: number, seed: number): readonly Site[] => {
  const random = new Random(seed);
  const drawn = sites.map((_, index) => index);
  for (let i = drawn.length - 1; i > 0; i--) {
    const j = random.below(i + 1);
    [drawn[i], drawn[j]] = [drawn[j]!, drawn[i]!];
  }
  return drawn
    .slice(0, limit)
    .sort((a, b) => a - b)
    .map((index) => sites[index]!);
};

const toJson = (outcomes: readonly Outcome[], entries: readonly Explained[]): string => {
  const mutants = outcomes.map(({ site, verdict, by }) => {
    const { id, file, line, source } = site;
    return { id, file, line, source, verdict, by, explained: reasonFor(entries, site) ?? null };
  });
  return JSON.stringify({ scores: scoresOf(outcomes, entries), mutants }, null, 2);
};

const tell = (all: readonly Site[], outcomes: readonly Outcome[]): void => {
  const entries = JSON.parse(readFileSync(EXPLAINED, 'utf8')) as Explained[];
  for (const { file, source, change } of uselessEntries(entries, all, outcomes)) {
    say(`explained.json: of no use any more: ${file}: ${source}: ${change}`);
  }
  for (const { site, verdict, by } of outcomes) {
    if (verdict === 'invalid') say(`no program: ${site.id}: ${by}`);
  }
  const scores = scoresOf(outcomes, entries);
  if (options.json) console.log(toJson(outcomes, entries));
  else console.log([survivorsOf(outcomes, entries), tableOf(scores)].join('\n\n'));
  if (!options.write) return;
  const given = [
    options.files === undefined ? '' : ` --files ${options.files}`,
    options.limit === undefined ? '' : ` --limit ${options.limit} --seed ${options.seed}`,
  ].join('');
  const command = `npm run test:mutate${given === '' ? '' : ` --${given}`}`;
  writeFileSync(README, withBlock(readFileSync(README, 'utf8'), scores, command));
  say(`wrote ${percent(scores.at(-1)!)} to the README`);
};

const files = options.files?.split(',') ?? [...sourcesIn('spec'), ...sourcesIn('properties')];
const limit =
  options.limit === undefined ? Infinity : wholeNumber('--limit', 1, 1e6)(options.limit);
const seed = wholeNumber('--seed', 0, 2 ** 32 - 1)(options.seed);
const workers = wholeNumber('--workers', 1, 64)(options.workers);

const build = new Build(ROOT);
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    build.remove();
    process.exit(130);
  });
}
try {
  say('compiling');
  build.compile();
  say('learning: what the law as it is does');
  await build.learn();
  const all = files.flatMap((file) => build.sites(file));
  const chosen = sample(all, limit, seed);
  say(`trying ${chosen.length} of ${all.length} mutants of ${files.length} files`);
  const outcomes = await build.judge(chosen, workers, ({ site, verdict }, done) => {
    if (verdict === 'survived') say(`survived: ${site.id}`);
    if (done % TOLD_EVERY === 0) say(`${done} of ${chosen.length}`);
  });
  tell(all, outcomes);
} catch (error) {
  say(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
} finally {
  build.remove();
}
