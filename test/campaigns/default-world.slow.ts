/** The long run: ten thousand traces of the default world hold. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';

const TRACES = 10_000;
const TWENTY_MINUTES = 1_200_000;

describe('the implementation as intended', () => {
  test(
    `keeps the law over ${TRACES} traces`,
    () => {
      const run = spawnSync(
        process.execPath,
        [resolve('src/cli/bin.js'), 'run', '--traces', String(TRACES), '--seed', '1', '--json'],
        { encoding: 'utf8', cwd: mkdtempSync(join(tmpdir(), 'kho-check-')) },
      );
      expect(run.status, run.stderr).toBe(0);
      const report = JSON.parse(run.stdout) as { verdict: string; traces: number; kexecs: number };
      expect(report.verdict).toBe('holds');
      expect(report.traces).toBe(TRACES);
      expect(report.kexecs).toBeGreaterThan(TRACES);
    },
    TWENTY_MINUTES,
  );
});
