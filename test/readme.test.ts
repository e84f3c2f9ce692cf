/**
 * What the README shows is what the commands print; `UPDATE=1` writes it anew.
 *
 * Rates depend on the machine and are masked on both sides.
 */
import { mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';

const README = resolve('README.md');
const BIN = resolve('src/cli/bin.js');
const BLOCK = /<!-- run -->\n\n```console\n\$ npx kho-check ([^\n]*)\n([^]*?)```/g;

const masked = (text: string): string => text.replace(/[\d,]+ a second/g, 'N a second');

/** Runs a command in a directory of its own, so that traces are not left in the checkout. */
const output = (args: string): string => {
  const directory = mkdtempSync(join(tmpdir(), 'kho-check-readme-'));
  symlinkSync(resolve('test'), join(directory, 'test'));
  const { stdout, stderr, status } = spawnSync(process.execPath, [BIN, ...args.split(' ')], {
    cwd: directory,
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1' },
  });
  expect(status, stderr).toBeLessThanOrEqual(1);
  return masked(stdout);
};

describe('the README', () => {
  const text = readFileSync(README, 'utf8');
  const commands = [...text.matchAll(BLOCK)].map(([, args, shown]) => [args!, shown!] as const);

  test('shows commands with their output', () => {
    expect(commands.length).toBeGreaterThanOrEqual(2);
  });

  test.each(commands)('shows what is printed by kho-check %s', (args, shown) => {
    const printed = output(args);
    if (process.env['UPDATE'] === '1') {
      const now = readFileSync(README, 'utf8');
      writeFileSync(README, now.replace(`${args}\n${shown}`, `${args}\n${printed}`));
    } else {
      expect(masked(shown)).toBe(printed);
    }
  });
});
