/**
 * Exhaustive exploration beside SPIN and beside loops written by hand for the reference model
 * (`peers/`). Every run is a process of its own; the runs of one round follow one another, and a
 * figure is the median over the rounds of ratios within a round. What is not installed is skipped.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { scopeByName } from '#model/scopes/named';
import type { Exploration } from '#src/checker/explore/progress';
import { median, show } from './section.ts';
import type { Figure, Section } from './section.ts';

const ROUNDS = 3;
const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const SPIN_BUILD = ['-O2', '-DSAFETY', '-DNOFAIR', '-DNOREDUCE', '-o', 'pan', 'pan.c'];
const SPIN_RUN = ['-m12000000', '-w26'];

/** States, transitions and CPU seconds of one run of some engine. */
interface Run {
  readonly states: number;
  readonly transitions: number;
  readonly seconds: number;
}

const rate = ({ states, seconds }: Run): number => states / seconds;

const output = (command: string, args: readonly string[], cwd?: string): string | undefined => {
  const run = spawnSync(command, args, { encoding: 'utf8', cwd, maxBuffer: 1 << 26 });
  return run.status === 0 ? run.stdout : undefined;
};

const explored = (...args: readonly string[]): Exploration => {
  const script = here('explore-run.ts');
  const argv = ['--import', 'tsx', '--conditions=source', script, ...args];
  const text = output(process.execPath, argv);
  if (text === undefined) throw new Error(`exploring ${args.join(' ')} failed`);
  return JSON.parse(text) as Exploration;
};

const ours = (...args: readonly string[]): Run & { readonly found: Exploration } => {
  const found = explored(...args);
  const { states, transitions, cpuMilliseconds } = found;
  return { found, states, transitions, seconds: cpuMilliseconds / 1000 };
};

const byHand = (file: string, ...args: readonly string[]): Run => {
  const env = { ...process.env, CAPB: '24' };
  const run = spawnSync(process.execPath, [here(`peers/${file}`), ...args], {
    encoding: 'utf8',
    env,
  });
  const { states, trans, cpu } = JSON.parse(run.stdout) as Record<
    'states' | 'trans' | 'cpu',
    number
  >;
  return { states, transitions: trans, seconds: cpu };
};

/** SPIN's verifier, built from the model; undefined where spin or gcc is missing. */
const buildSpin = (directory: string): boolean =>
  output('spin', ['-a', here('peers/kho8.pml')], directory) !== undefined &&
  output('gcc', SPIN_BUILD, directory) !== undefined;

/** One run of the verifier: user and system time, as the shell's `time` counts them. */
const spin = (directory: string): Run => {
  const script = `TIMEFORMAT='%U %S'; time ./pan ${SPIN_RUN.join(' ')}`;
  const run = spawnSync('bash', ['-c', script], { encoding: 'utf8', cwd: directory });
  const number = (pattern: RegExp): number => Number(pattern.exec(run.stdout)?.[1]);
  const [user = Number.NaN, system = Number.NaN] = run.stderr.trim().split(/\s+/).map(Number);
  return {
    states: number(/(\d+) states, stored/),
    transitions: number(/(\d+) transitions/),
    seconds: user + system,
  };
};

interface Round {
  readonly every: Run & { readonly found: Exploration };
  readonly fresh: Run;
  readonly handEvery: Run;
  readonly handFresh: Run;
  readonly spin: Run | undefined;
}

const round = (directory: string | undefined): Round => ({
  every: ours('reference', 'plain', 'every'),
  handEvery: byHand('limit-bfs-every-transition.mjs', 'typed', '2', '6', '3'),
  fresh: ours('reference', 'plain', 'new'),
  handFresh: byHand('limit-bfs.mjs', 'typed', '2', '6', '3'),
  spin: directory === undefined ? undefined : spin(directory),
});

const perSecond = (value: number): string => `${show(value)} states/s`;

/** Ours beside a peer's, the median of their ratios over the rounds. */
const beside = (
  what: string,
  bar: string,
  peer: string,
  pairs: readonly (readonly [Run, Run])[],
): Figure => ({
  what,
  ours: perSecond(median(pairs.map(([a]) => rate(a)))),
  peer: `${peer}: ${perSecond(median(pairs.map(([, b]) => rate(b))))}`,
  ratio: median(pairs.map(([a, b]) => rate(a) / rate(b))),
  bar,
});

const referenceFigures = (rounds: readonly Round[]): Figure[] => {
  const withSpin = rounds.flatMap(({ every, spin }) => (spin ? [[every, spin] as const] : []));
  return [
    ...(withSpin.length === 0
      ? []
      : [beside('reference, rules on every transition', '1.5', 'SPIN, asserts on', withSpin)]),
    beside(
      'reference, rules on every transition',
      '1.0',
      'limit-bfs-every-transition.mjs',
      rounds.map(({ every, handEvery }) => [every, handEvery] as const),
    ),
    beside(
      'reference, rules once per new state',
      '1.0',
      'limit-bfs.mjs',
      rounds.map(({ fresh, handFresh }) => [fresh, handFresh] as const),
    ),
    {
      what: 'memory of the reference search, parents included',
      ours: `${rounds[0]!.every.found.bytesPerState} bytes a state`,
      peer: '',
      bar: '31 bytes',
    },
  ];
};

const otherFigures = (reference: readonly Run[]): Figure[] => {
  const figures: Figure[] = [];
  const sixteen = ours('reference16', 'symmetry', 'new');
  const hand = byHand('limit-bfs.mjs', 'sym', '2', '14', '3');
  figures.push(
    beside('16 frames with symmetry, to the end', '0.5', 'limit-bfs.mjs sym', [[sixteen, hand]]),
  );
  const [one, two] = ['1', '2'].map((n) => explored('reference', 'plain', 'every', n));
  figures.push({
    what: 'two workers beside one, wall time of the search',
    ours: `${show(two!.milliseconds / 1000)} s`,
    peer: `one worker: ${show(one!.milliseconds / 1000)} s`,
    ratio: one!.milliseconds / two!.milliseconds,
    bar: '1.6, on a quiet machine',
  });
  if (scopeByName('chain3') === undefined) return figures;
  const chain = ours('chain3', 'plain', 'every');
  const base = median(reference.map(({ transitions, seconds }) => transitions / seconds));
  const own = chain.transitions / chain.seconds;
  const branching = chain.transitions / chain.states;
  figures.push({
    what: `chain3: ${show(branching)} transitions a state`,
    ours: `${show(own)} transitions/s`,
    peer: `reference: ${show(base)} transitions/s`,
    ratio: own / base,
    bar: '0.25',
  });
  return figures;
};

/** Measures exploration. */
export const explore = (): Section => {
  const directory = mkdtempSync(join(tmpdir(), 'kho-check-spin-'));
  try {
    const hasSpin = buildSpin(directory);
    const rounds = Array.from({ length: ROUNDS }, () => round(hasSpin ? directory : undefined));
    const { states, transitions } = rounds[0]!.every;
    return {
      title: 'Exhaustive exploration',
      figures: [...referenceFigures(rounds), ...otherFigures(rounds.map(({ every }) => every))],
      notes: [
        `reference: ${states.toLocaleString('en-US')} states, ` +
          `${transitions.toLocaleString('en-US')} transitions in every run of ours; figures are ` +
          `of CPU time, medians of ${ROUNDS} rounds, the last rows of one.`,
        hasSpin
          ? `SPIN: gcc ${SPIN_BUILD.slice(0, 4).join(' ')}, pan ${SPIN_RUN.join(' ')}.`
          : 'SPIN: skipped, spin or gcc is not installed (apt-get install spin gcc).',
      ],
    };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
};
