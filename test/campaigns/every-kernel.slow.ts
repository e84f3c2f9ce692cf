/** Every kernel keeps the law, in chains of its own and handing over to the newest one. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { EARLY_SERIES, KERNELS, NEWEST_KERNEL } from '#model/kernels';

const TRACES = 1000;
/** With larger pages, and with more memory, a trace takes several times as long. */
const LARGE_TRACES = 500;
const HALF_AN_HOUR = 1_800_000;

interface Report {
  readonly verdict: string;
  readonly traces: number;
  readonly kexecs: number;
  readonly missing: readonly string[];
  readonly counterexamples: readonly unknown[];
}

const run = (...args: string[]): Report => {
  const bin = resolve('src/cli/bin.js');
  const asked = [bin, 'run', '--seed', '1', '--json', '--traces', String(TRACES), ...args];
  const cwd = mkdtempSync(join(tmpdir(), 'kho-check-'));
  const { stdout } = spawnSync(process.execPath, asked, { encoding: 'utf8', cwd });
  return JSON.parse(stdout) as Report;
};

const older = [...EARLY_SERIES, ...KERNELS]
  .filter((kernel) => kernel !== NEWEST_KERNEL)
  .map(({ name }) => name);

describe(`over ${TRACES} traces the law is kept`, () => {
  test.each(older)(
    'by Linux %s',
    (name) => {
      const { verdict, traces, kexecs, missing } = run('--kernel', name);
      expect([verdict, traces, missing]).toEqual(['holds', TRACES, []]);
      expect(kexecs).toBeGreaterThan(TRACES);
    },
    HALF_AN_HOUR,
  );

  test.each([
    ['pages of 16 KiB', '--page-size', '16K'],
    ['pages of 64 KiB', '--page-size', '64K'],
    ['16 TiB of memory', '--memory', '16T'],
  ])(
    'by the newest with %s',
    (_what, ...args) => {
      const asked = ['--traces', String(LARGE_TRACES), ...args];
      const { counterexamples, traces, kexecs } = run(...asked);
      expect([counterexamples, traces]).toEqual([[], LARGE_TRACES]);
      expect(kexecs).toBeGreaterThan(LARGE_TRACES);
    },
    HALF_AN_HOUR,
  );

  test(
    'by Linux 6.18 and the newest, each after the other',
    () => {
      const mixed = run('--kernel', '6.18', '--next', NEWEST_KERNEL.name);
      expect([mixed.counterexamples, mixed.traces]).toEqual([[], TRACES]);
      expect(mixed.kexecs).toBeGreaterThan(TRACES);
    },
    HALF_AN_HOUR,
  );
});
