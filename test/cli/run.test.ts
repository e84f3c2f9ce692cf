/** `run`: what it prints, what it saves, and what it says with its exit status. */
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { SUITES } from '#properties/suites';
import { rulesAmong } from '#spec/law';
import { FAULTS } from '#src/kho/faults';
import { call, inOwnDirectory, untidyLines } from './call.ts';
import type { Called } from './call.ts';

inOwnDirectory();

interface Document {
  readonly verdict: string;
  readonly seed: number;
  readonly traces: number;
  readonly generated: number;
  readonly steps: number;
  readonly kexecs: number;
  readonly longestChain: number;
  readonly rules: { readonly exercised: readonly string[]; readonly never: readonly string[] };
  readonly missing: readonly string[];
  readonly counterexamples: readonly {
    readonly rule: string;
    readonly bug: string | null;
    readonly steps: number;
    readonly path: string;
  }[];
}

const KEYS = ['verdict', 'seed', 'traces', 'generated', 'steps', 'kexecs', 'longestChain', 'rules'];

const runJson = async (...args: string[]): Promise<Document & { status: number }> => {
  const { status, out } = await call('run', '--json', ...args);
  expect(out).toMatch(/^\{.*\}\n$/);
  const document = JSON.parse(out) as Document;
  expect(Object.keys(document)).toEqual([
    ...KEYS,
    'missing',
    'counterexamples',
    'deviations',
    'rare',
  ]);
  expect(Object.keys(document.rules)).toEqual(['exercised', 'never']);
  for (const key of KEYS.slice(1, 7)) {
    expect(document[key as keyof Document]).toSatisfy(Number.isSafeInteger);
  }
  return { status, ...document };
};

/** Ids of the rules that the newest kernel has to keep. */
const APPLYING = rulesAmong(['7.3']).map(({ id }) => id);

/** Traces enough to find what is broken; not all suites are exercised by them. */
const FEW = ['--traces', '30', '--steps', '60', '--seed', '1'];
const COUNTING = ['--traces', '120', '--steps', '60', '--seed', '1'];

describe('run --json', () => {
  it('holds on the algorithm as intended, with every figure of the contract', async () => {
    const { status, ...document } = await runJson(...COUNTING);
    expect(status).toBe(0);
    expect(document).toMatchObject({ verdict: 'holds', seed: 1, traces: 120, counterexamples: [] });
    expect(document.steps).toBeLessThanOrEqual(document.generated);
    expect(document.steps).toBeGreaterThan(0.9 * document.generated);
    expect(document.kexecs).toBeGreaterThanOrEqual(document.longestChain);
    const { exercised, never } = document.rules;
    expect([...exercised, ...never].sort()).toEqual([...APPLYING].sort());
  });

  it('is the same document for the same seed, and another for another', async () => {
    const few = ['--traces', '20', '--steps', '40', '--seed'];
    const first = await runJson(...few, '4294967295');
    expect(await runJson(...few, '4294967295')).toEqual(first);
    expect(await runJson(...few, '0xffffffff')).toEqual(first);
    expect((await runJson(...few, '2147483647')).steps).not.toBe(first.steps);
  });

  it('draws a seed below 2^32 when none is given', async () => {
    const { seed } = await runJson('--traces', '1', '--steps', '4');
    expect(seed).toBeGreaterThanOrEqual(0);
    expect(seed).toBeLessThan(2 ** 32);
  });

  it.each(SUITES)('counts only the rules of a suite that is named: $name', async (suite) => {
    const { rules } = await runJson(suite.name, '--traces', '2', '--steps', '10', '--seed', '3');
    const applying = suite.rules.filter((rule) => APPLYING.includes(rule));
    expect([...rules.exercised, ...rules.never].sort()).toEqual(applying.sort());
  });

  it('is inconclusive when a suite that was asked for was not exercised', async () => {
    const document = await runJson('--traces', '1', '--steps', '4', '--seed', '2');
    expect(document).toMatchObject({ status: 3, verdict: 'inconclusive', counterexamples: [] });
    const { out } = await call('run', '--traces', '1', '--steps', '4', '--seed', '2');
    expect(out).toContain('inconclusive: 1 traces');
    expect(out).toMatch(/^\? restore/m);
    expect(untidyLines(out)).toEqual([]);
  });

  it('names the rule, the fault and the file of every counterexample', async () => {
    const fault = 'duplicate-names';
    const document = await runJson(...FEW, '--fault', fault);
    expect(document).toMatchObject({ status: 1, verdict: 'broken' });
    const rules = document.counterexamples.map((found) => found.rule);
    expect(rules).toContain('TRE-01');
    expect(rules).toEqual([...new Set(rules)].sort());
    for (const found of document.counterexamples) {
      expect(Object.keys(found)).toEqual(['rule', 'bug', 'steps', 'path']);
      expect(found.bug).toBe(found.rule === 'TRE-01' ? fault : null);
      const file = JSON.parse(readFileSync(found.path, 'utf8'));
      expect(file).toMatchObject({ faults: [fault], expect: { rule: found.rule } });
      expect(file.steps).toHaveLength(found.steps);
      expect(found.steps).toBeLessThanOrEqual(12);
    }
  });
});

const machinesOf = ({ out }: Called): string => /by number of nodes {2}(.*)/.exec(out)![1]!;

describe('run', () => {
  it('says what was tried in 80 columns, and the progress on stderr', async () => {
    const { status, out, err } = await call('run', ...COUNTING);
    expect(status).toBe(0);
    expect(untidyLines(out)).toEqual([]);
    expect(out).toMatch(/^Linux 7\.3, 120 traces, seed 1\n/);
    const asked = SUITES.filter(({ rules }) => rules.some((rule) => APPLYING.includes(rule)));
    for (const { name } of asked) expect(out).toMatch(new RegExp(`^✓ ${name} `, 'm'));
    expect(out).toMatch(/\nholds: no rule broke in 120 traces, [\d,]+ steps\.\n$/);
    for (const line of err.trim().split('\n')) expect(line).toMatch(/^traces \d+ of 120 · /);
  });

  it('tells every counterexample in 80 columns and ends with a line to copy', async () => {
    const { status, out } = await call('run', ...FEW, '--fault', 'restore-ignores-nodes');
    expect(status).toBe(1);
    expect(untidyLines(out)).toEqual([]);
    expect(out).toMatch(/^✗ restore /m);
    const path = /\n {2}npx kho-check replay (\S+)\n$/.exec(out)![1]!;
    expect(existsSync(path)).toBe(true);
    expect(out).toMatch(/\nbroken: \d+ rules? in 30 traces, [\d,]+ steps\.\n/);
  });

  it('stops at the first broken rule when asked to', async () => {
    const few = ['--fault', 'duplicate-names,subtree-stays', '--seed', '1'];
    const first = await runJson('--traces', '2000', '--first', ...few);
    expect(first.status).toBe(1);
    expect(first.counterexamples).toHaveLength(1);
    expect(first.traces).toBeLessThan(100);
  });

  it('keeps to the machines that were asked for', async () => {
    const nodes = async (...args: string[]) =>
      machinesOf(await call('run', '--traces', '12', '--steps', '8', '--seed', '1', ...args));
    expect(await nodes('--nodes', '3')).toBe('3: 12');
    expect(await nodes('--nodes', '1-2')).toMatch(/^1: \d+ {2}2: \d+$/);
    expect(await nodes('--nodes', '1', '--memory', '24M')).toBe('1: 12');
    expect(await nodes('--nodes', '4', '--memory', '96M')).toBe('4: 12');
    expect(await nodes('--nodes', '1', '--memory', '16T')).toBe('1: 12');
    expect(await nodes('--nodes', '4', '--memory', '16T')).toBe('4: 12');
  });

  it('ends when its time is over', async () => {
    const started = performance.now();
    const { status, traces } = await runJson('--time', '1s', '--seed', '1');
    expect([0, 3]).toContain(status);
    expect(traces).toBeGreaterThan(0);
    expect(performance.now() - started).toBeLessThan(15_000);
  });

  it.each(FAULTS.filter((_, index) => index % 12 === 0).map(({ id }) => id))(
    'tells a counterexample of %s within 80 columns',
    async (id) => {
      const { out } = await call('run', '--traces', '20', '--seed', '4', '--first', '--fault', id);
      expect(untidyLines(out)).toEqual([]);
    },
  );
});
