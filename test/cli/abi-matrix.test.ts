/** `abi matrix`, and runs in which kernels follow each other. */
import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { KERNELS } from '#model/kernels';
import { kernelsNamed } from '#src/cli/systems';
import { call, complaintOf, inOwnDirectory, untidyLines } from './call.ts';

inOwnDirectory();

interface Matrix {
  readonly kernels: readonly string[];
  readonly outcomes: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly seen: Readonly<Record<string, number>>;
  readonly witness: Readonly<
    Record<string, { outcome: string; rule: string; steps: number; path: string }>
  >;
}

interface Mixed {
  readonly verdict: string;
  readonly kexecs: number;
  readonly counterexamples: readonly { readonly rule: string }[];
  readonly deviations: readonly {
    readonly outcome: string;
    readonly reasons: readonly string[];
    readonly traces: number;
  }[];
}

const names = KERNELS.map(({ name }) => name);

describe('abi matrix', () => {
  it('--json has every pair, and a trace that replays for whatever is not well', async () => {
    const { status, out } = await call('abi', 'matrix', '--traces', '2', '--json');
    expect(status).toBe(0);
    const { kernels, outcomes, seen, witness, early } = JSON.parse(out) as Matrix & {
      early: Matrix;
    };
    expect(kernels).toEqual(names);
    expect(Object.keys(outcomes)).toEqual(names);
    const all = names.flatMap((writer) => names.map((reader) => outcomes[writer]![reader]!));
    expect(all.filter((outcome) => outcome === 'same')).toHaveLength(14);
    expect(Object.values(seen).reduce((sum, times) => sum + times, 0)).toBe(2 * all.length);
    const unwell = all.filter((outcome) => outcome !== 'same' && outcome !== 'refused');
    expect(Object.keys(witness)).toHaveLength(unwell.length);
    const isWell = (outcome: string): boolean => ['same', 'refused'].includes(outcome);
    const pairs = Object.entries(early.outcomes).flatMap(([writer, row]) =>
      Object.entries(row).flatMap(([reader, outcome]) =>
        isWell(outcome) ? [] : [`${writer} → ${reader}`],
      ),
    );
    expect(Object.keys(early.witness)).toEqual(pairs);
    expect(pairs).toHaveLength(30);
    // Those of the series that end alike are told alike.
    const distinct = new Map(
      Object.values(early.witness).map((each) => [`${each.outcome} ${each.rule}`, each]),
    );
    for (const { rule, path } of [...Object.values(witness), ...distinct.values()]) {
      expect(existsSync(path)).toBe(true);
      const replayed = await call('replay', path, '--json');
      expect([replayed.status, JSON.parse(replayed.out).rule]).toEqual([1, rule]);
    }
  });

  it('is a table in 80 columns with a line to copy for every trace', async () => {
    const { status, out } = await call('abi', 'matrix', '--traces', '1');
    expect(status).toBe(0);
    expect(untidyLines(out)).toEqual([]);
    expect(out).toMatch(/^old \\ new 6\.16 {4}6\.17 {4}/);
    expect(out).toMatch(/\n6\.19 +misread +misread +ignored +same +panic +refused/);
    expect(out).toMatch(/\n {2}v4 → v5 +misread +SCR-04 in 2 steps\n {4}npx kho-check replay /);
    expect(out).toMatch(/\n {2}6\.19 → 7\.0 +panic +KEX-04 in \d steps\n {4}npx kho-check replay /);
  });
});

describe('run with kernels that follow each other', () => {
  const few = ['--traces', '30', '--steps', '60', '--seed', '5'];

  it('names them in the order in which they were asked for', async () => {
    const { out } = await call('run', ...few, '--kernel', '6.18', '--next', '7.3,6.19');
    expect(out).toMatch(/^Linux 6\.18 → 7\.3 → 6\.19, 30 traces/);
    expect(untidyLines(out)).toEqual([]);
  });

  it('takes any, and breaks no rule that was not foretold', async () => {
    const { status, out } = await call('run', ...few, '--kernel', 'any', '--json');
    const { verdict, kexecs, counterexamples, deviations } = JSON.parse(out) as Mixed;
    expect([verdict, counterexamples]).toEqual([status === 0 ? 'holds' : 'inconclusive', []]);
    expect(kexecs).toBeGreaterThan(0);
    for (const { outcome, reasons, traces } of deviations) {
      expect(['ignored', 'misread', 'panic']).toContain(outcome);
      expect([reasons.length > 0, traces > 0]).toEqual([true, true]);
    }
  });

  it('knows words for several kernels, of which any is none before the merge', () => {
    const named = (first: string, ...next: string[]): string =>
      kernelsNamed(first, next)
        .map(({ name }) => name)
        .join(' ');
    expect(named('any')).toBe([...names].reverse().join(' '));
    expect(named('any-early')).toBe('v5 v4 v3');
    expect(named('v4', 'v5', '6.16', 'v4')).toBe('v4 v5 6.16');
    expect(named('7.3', 'any-early')).toBe('7.3 v3 v4 v5');
    expect(named('any', 'any-early')).toBe(`${[...names].reverse().join(' ')} v3 v4 v5`);
  });

  it('says in the summary what was foretold, with a trace, in 80 columns', async () => {
    const { status, out } = await call('run', ...few, '--kernel', '6.18', '--next', '6.17');
    expect([0, 3]).toContain(status);
    expect(untidyLines(out)).toEqual([]);
    expect(out).toMatch(/reads bitmaps of 512 bytes where bitmaps of 4096 bytes were\n/);
    if (status === 0) expect(out).toMatch(/\nholds: no rule broke that was not foretold in 30/);
    const pair = /\n {4}6\.18 → 6\.17 {2}misread {2}\d+ traces?, (\S+) in \d+ steps\n/.exec(out);
    const path = /\n {6}npx kho-check replay (\S+)\n/.exec(out)?.[1] ?? '';
    const replayed = await call('replay', path, '--json');
    expect([replayed.status, JSON.parse(replayed.out).rule]).toEqual([1, pair?.[1]]);
  });

  it('does not know every kernel', async () => {
    expect(complaintOf(await call('run', '--next', '5.15'))).toMatch(/no kernel '5\.15'/);
    expect(complaintOf(await call('run', '--kernel', '7.9'))).toMatch(/no kernel '7\.9'/);
  });
});
