/** Calling the command line in this process, in a directory of its own. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { main } from '#src/cli/main';
import { colors } from '#src/report/colors';

export interface Called {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

/** Runs one command line and captures what it prints. */
export const call = async (...argv: readonly string[]): Promise<Called> => {
  let out = '';
  let err = '';
  const status = await main(argv, {
    out: (text) => void (out += text),
    err: (text) => void (err += text),
    colors: colors(false),
    liveProgress: false,
  });
  return { status, out, err };
};

/** Lets the tests of a file run in a new directory, which is removed afterwards. */
export const inOwnDirectory = (): void => {
  const before = process.cwd();
  let directory = '';
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'kho-check-cli-'));
    process.chdir(directory);
  });
  afterAll(() => {
    process.chdir(before);
    rmSync(directory, { recursive: true, force: true });
  });
};

/** What is wrong with text for an 80-column terminal without colours, line by line. */
export const untidyLines = (text: string): string[] =>
  text
    .split('\n')
    .filter((line) => !line.includes('npx kho-check replay'))
    .filter(
      (line) => Array.from(line).length > 80 || line !== line.trimEnd() || line.includes('\u001b'),
    );

/** Wrong usage: exit status 2, one line on stderr, nothing on stdout. Answers the line. */
export const complaintOf = ({ status, out, err }: Called): string => {
  const line = /^kho-check: (.+)\n$/.exec(err)?.[1];
  if (status === 2 && out === '' && line !== undefined && !/^\s*at /m.test(err)) return line;
  throw new Error(`not a complaint: ${JSON.stringify({ status, out, err })}`);
};
