/** `abi matrix`, and runs in which kernels follow each other. */
import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { KERNELS } from '#model/kernels';
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

const names = KERNELS.map(({ name }) => name);

describe('abi matrix', () => {
  it('--json has every pair, and a trace that replays for whatever is not well', async () => {
    const { status, out } = await call('abi', 'matrix', '--traces', '2', '--json');
    expect(status).toBe(0);
    const { kernels, outcomes, seen, witness } = JSON.parse(out) as Matrix;
    expect(kernels).toEqual(names);
    expect(Object.keys(outcomes)).toEqual(names);
    const all = names.flatMap((writer) => names.map((reader) => outcomes[writer]![reader]!));
    expect(all.filter((outcome) => outcome === 'same')).toHaveLength(14);
    expect(Object.values(seen).reduce((sum, times) => sum + times, 0)).toBe(2 * all.length);
    const unwell = all.filter((outcome) => outcome !== 'same' && outcome !== 'refused');
    expect(Object.keys(witness)).toHaveLength(unwell.length);
    for (const { rule, path } of Object.values(witness)) {
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
    expect(out).toMatch(/\n {2}6\.19 → 7\.0 +panic +KEX-04 in 4 steps\n {4}npx kho-check replay /);
  });
});

describe('run with kernels that follow each other', () => {
  const few = ['--traces', '30', '--steps', '60', '--seed', '5'];

  it('names them in the order in which they were asked for', async () => {
    const { out } = await call('run', ...few, '--kernel', '6.18', '--next', '7.3,6.19');
    expect(out).toMatch(/^Linux 6\.18 → 7\.3 → 6\.19, 30 traces/);
    expect(untidyLines(out)).toEqual([]);
  });

  it('takes any, and finds the pairs that misread each other', async () => {
    const { status, out } = await call('run', ...few, '--kernel', 'any', '--json');
    expect(status).toBe(1);
    const { verdict, kexecs } = JSON.parse(out) as { verdict: string; kexecs: number };
    expect(verdict).toBe('broken');
    expect(kexecs).toBeGreaterThan(0);
  });

  it('does not know every kernel', async () => {
    expect(complaintOf(await call('run', '--next', '5.15'))).toMatch(/no kernel '5\.15'/);
    expect(complaintOf(await call('run', '--kernel', '7.9'))).toMatch(/no kernel '7\.9'/);
  });
});
