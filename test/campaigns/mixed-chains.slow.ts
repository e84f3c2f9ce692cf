/** Chains of all kernels in any order: whatever goes wrong between two of them was foretold. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { KERNELS } from '#model/kernels';
import { generationById } from '#src/abi/description/generations';
import { outcomeOf } from '#src/abi/verdict/pairs';

const TRACES = 1500;
/** Traces of a pair: with these nothing that can be reached is missing. */
const TRACES_OF_A_PAIR = '1000';
const HALF_AN_HOUR = 1_800_000;

interface Report {
  readonly verdict: string;
  readonly missing: readonly string[];
  readonly counterexamples: readonly unknown[];
  readonly deviations: readonly {
    readonly writer: string;
    readonly reader: string;
    readonly outcome: string;
  }[];
}

const run = (...args: string[]): Report & { readonly status: number | null } => {
  const bin = resolve('src/cli/bin.js');
  const asked = [bin, 'run', '--json', '--traces', String(TRACES), ...args];
  const cwd = mkdtempSync(join(tmpdir(), 'kho-check-'));
  const { stdout, status } = spawnSync(process.execPath, asked, { encoding: 'utf8', cwd });
  return { ...(JSON.parse(stdout) as Report), status };
};

/** What descriptions say of a pair, with the default content of a handover. */
const worstOf = (writer: string, reader: string): string =>
  outcomeOf(generationById(writer)!, generationById(reader)!, 12).outcome;

/** The series before the merge and the first release, each after each other one. */
const EARLY = ['v3', 'v4', 'v5', '6.16'];
const EARLY_PAIRS = EARLY.flatMap((first) =>
  EARLY.filter((next) => next !== first).map((next) => [first, next] as const),
);

describe(`over ${TRACES} traces`, () => {
  test.each([...EARLY_PAIRS, ['any-early', 'any'] as const])(
    'of %s and %s in turn, one of them from before the merge',
    (first, next) => {
      const most = first === 'any-early' ? [] : ['--traces', TRACES_OF_A_PAIR];
      const asked = ['--kernel', first, '--next', next, '--seed', '1', ...most];
      const { status, counterexamples, missing } = run(...asked);
      expect([counterexamples, missing, status]).toEqual([[], [], 0]);
    },
    HALF_AN_HOUR,
  );

  test.each([1, 2])(
    'of any kernel after any other nothing breaks that was not foretold, seed %i',
    (seed) => {
      const asked = ['--kernel', 'any', '--seed', String(seed)];
      const { status, verdict, missing, counterexamples, deviations } = run(...asked);
      expect([counterexamples, missing, verdict, status]).toEqual([[], [], 'holds', 0]);
      // A handover can be milder than the worst of its pair, but there has to be a worst.
      for (const { writer, reader } of deviations) {
        expect(['ignored', 'misread', 'panic']).toContain(worstOf(writer, reader));
      }
      const misread = KERNELS.flatMap(({ name: writer }) =>
        KERNELS.filter(({ name }) => worstOf(writer, name) === 'misread').map(
          ({ name }) => `${writer} ${name}`,
        ),
      );
      const found = deviations.map(({ writer, reader }) => `${writer} ${reader}`);
      expect(misread.filter((pair) => !found.includes(pair))).toEqual([]);
    },
    HALF_AN_HOUR,
  );

  test.each([
    ['6.16', '6.17'],
    ['6.18', '6.19'],
    ['7.0', '6.18'],
    ['7.1', '7.2'],
    ['7.2', '7.3'],
  ])(
    'of %s and %s in turn',
    (first, next) => {
      const most = first === 'any-early' ? [] : ['--traces', TRACES_OF_A_PAIR];
      const asked = ['--kernel', first, '--next', next, '--seed', '1', ...most];
      const { status, counterexamples, missing } = run(...asked);
      expect([counterexamples, missing, status]).toEqual([[], [], 0]);
    },
    HALF_AN_HOUR,
  );
});
