/**
 * The radix tracker beside its translation to C (`peers/radix.c`, `gcc -O2`): the same keys in the
 * same order, on pages of 4 KiB. Without a compiler the section is skipped, and says so.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PhysicalMemory } from '#src/kho/physical-memory';
import { RadixTracker, walkTracker } from '#src/kho/radix-tracker';
import { median, timed } from './section.ts';
import type { Figure, Section } from './section.ts';

const KEYS = 4_000_000;
const ROUNDS = 5;
/** Rounds that are not counted: a walk is 122 leaves, and compiled for good after some rounds. */
const WARM_UP = 5;
const SOURCE = fileURLToPath(new URL('peers/radix.c', import.meta.url));

/** CPU nanoseconds for one key, and what the walk met. */
interface Measured {
  readonly add: number;
  readonly walk: number;
  readonly delete: number;
  readonly sum: number;
}

const WORKLOADS = ['huge pages in order', 'single pages, scattered'] as const;

const framesOf = (scattered: boolean): Uint32Array => {
  const frames = new Uint32Array(KEYS);
  for (let i = 0, x = 1; i < KEYS; i++) {
    x = (Math.imul(x, 1664525) + 1013904223) >>> 0;
    frames[i] = scattered ? x >>> 10 : i * 512;
  }
  return frames;
};

const measure = (scattered: boolean): Measured => {
  const frames = framesOf(scattered);
  const order = scattered ? 0 : 9;
  const memory = new PhysicalMemory(12);
  memory.zeroPage(1);
  const tracker = new RadixTracker(memory, 1);
  let next = 2;
  const source = { takePage: () => next++, givePage: () => {} };
  const add = timed(() => {
    for (let i = 0; i < KEYS; i++) tracker.add(frames[i]!, order, source);
  });
  const sum = new Int32Array(1);
  const walk = timed(() =>
    walkTracker(memory, 1, (pfn, of) => {
      sum[0] = (sum[0]! + pfn + of) | 0;
    }),
  );
  const remove = timed(() => {
    for (let i = 0; i < KEYS; i++) tracker.remove(frames[i]!, order);
  });
  const each = 1e9 / KEYS;
  return { add: add * each, walk: walk * each, delete: remove * each, sum: sum[0]! };
};

/** Rounds of the translation, two workloads each; or why there are none. */
const measurePeer = (): readonly Measured[] | string => {
  const folder = mkdtempSync(join(tmpdir(), 'kho-check-bench-'));
  try {
    const binary = join(folder, 'radix');
    const built = spawnSync('gcc', ['-O2', '-o', binary, SOURCE], { encoding: 'utf8' });
    if (built.error !== undefined) return 'there is no gcc (Debian: apt-get install gcc)';
    if (built.status !== 0) return `gcc failed: ${built.stderr.split('\n')[0]}`;
    const run = spawnSync(binary, [`${KEYS}`, `${ROUNDS}`], { encoding: 'utf8' });
    if (run.status !== 0) return 'the translation failed';
    return run.stdout
      .trim()
      .split('\n')
      .map((line) => {
        const [add = 0, walk = 0, remove = 0, sum = 0] = line.split(' ').map(Number);
        return { add, walk, delete: remove, sum: sum | 0 };
      });
  } finally {
    rmSync(folder, { recursive: true });
  }
};

export const radix = (): Section => {
  const title = 'Radix tracker';
  const figures: Figure[] = [];
  const theirs = measurePeer();
  WORKLOADS.forEach((workload, at) => {
    const rounds = Array.from({ length: WARM_UP + ROUNDS }, () => measure(at === 1));
    const ours = rounds.slice(WARM_UP);
    const peers = typeof theirs === 'string' ? [] : theirs.filter((_, i) => i % 2 === at);
    if (peers.length > 0 && peers[0]!.sum !== ours[0]!.sum) {
      throw new Error(`${workload}: the walks met different keys`);
    }
    for (const what of ['add', 'walk', 'delete'] as const) {
      const mine = median(ours.map((round) => round[what]));
      const peer = median(peers.map((round) => round[what]));
      figures.push({
        what: `${what}, ${workload}`,
        ours: `${mine.toFixed(1)} ns a key`,
        peer: peers.length === 0 ? 'skipped' : `C: ${peer.toFixed(1)} ns`,
        ratio: peers.length === 0 ? undefined : peer / mine,
        bar: '≥ 0.5',
      });
    }
  });
  const notes = [`${KEYS.toLocaleString('en-US')} keys, median of ${ROUNDS} rounds.`];
  if (typeof theirs === 'string') notes.push(`C was skipped: ${theirs}.`);
  return { title, figures, notes };
};
