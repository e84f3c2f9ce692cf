/** The bin, tried on a tree of its own: real sources are never touched. */
import { spawn } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');
const REBUILDING = 'kho-check: sources changed, rebuilding…\n';
const BIN = 'src/cli/bin.js';
const COPIED = ['tsconfig.json', BIN, 'src/cli/build.js', 'src/cli/tsconfig.build.json'];

/** The compiler, with a line in `builds` for every time it is called. */
const COUNTING_TSC = `
require('node:fs').appendFileSync('builds', process.argv[3] + '\\n');
import(${JSON.stringify(join(ROOT, 'node_modules/typescript/bin/tsc'))});
`;

/** Prints where it is and what it was told; its first argument is its exit status. */
const main = (word: string): string => `
export const main = async (argv: string[]): Promise<number> => {
  console.log(['${word}', process.cwd(), ...argv].join(' '));
  if (argv[0] === 'throw') throw new Error('thrown on purpose');
  return Number(argv[0] ?? 0);
};
`;

describe('the bin', () => {
  let tree = '';

  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(tree, path)), { recursive: true });
    writeFileSync(join(tree, path), text);
  };

  const run = (
    ...args: string[]
  ): Promise<{ status: number | null; stdout: string; stderr: string }> =>
    new Promise((resolve, reject) => {
      const child = spawn(process.execPath, [join(tree, BIN), ...args], {
        cwd: tmpdir(),
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      const text = { stdout: '', stderr: '' };
      child.stdout.on('data', (data: Buffer) => (text.stdout += data.toString()));
      child.stderr.on('data', (data: Buffer) => (text.stderr += data.toString()));
      child.on('error', reject);
      child.on('close', (status) => resolve({ status, ...text }));
    });

  const said = (...words: string[]): string =>
    `${[words[0], tmpdir(), ...words.slice(1)].join(' ')}\n`;

  beforeAll(() => {
    tree = mkdtempSync(join(tmpdir(), 'kho-check-bin-'));
    for (const path of COPIED) cpSync(join(ROOT, path), join(tree, path));
    for (const name of ['package.json', 'tsconfig.json']) {
      cpSync(join(ROOT, 'src/fdt-ts', name), join(tree, 'src/fdt-ts', name));
    }
    write('node_modules/typescript/bin/tsc', COUNTING_TSC);
    symlinkSync(join(ROOT, 'node_modules/@types'), join(tree, 'node_modules/@types'));
    write('package.json', '{ "type": "module" }');
    write('src/fdt-ts/index.ts', 'export const nothing = 0;\n');
    write('src/cli/main.ts', main('one'));
  });

  afterAll(() => rmSync(tree, { recursive: true, force: true }));

  it('builds what is missing, says so, and runs wherever it is called', async () => {
    expect(await run('0', '--seed', '1')).toEqual({
      status: 0,
      stdout: said('one', '0', '--seed', '1'),
      stderr: REBUILDING,
    });
  });

  it('says nothing when dist/ is fresh, and passes the exit status through', async () => {
    for (const status of [0, 1, 2, 3, 130]) {
      const stdout = said('one', `${status}`);
      expect(await run(`${status}`)).toEqual({ status, stdout, stderr: '' });
    }
  });

  it('rebuilds when a source changed, even to an older one', async () => {
    write('src/cli/main.ts', main('two'));
    expect(await run()).toEqual({ status: 0, stdout: said('two'), stderr: REBUILDING });
    write('src/cli/main.ts', main('six'));
    utimesSync(join(tree, 'src/cli/main.ts'), 1, 1);
    expect(await run()).toEqual({ status: 0, stdout: said('six'), stderr: REBUILDING });
    expect(await run()).toEqual({ status: 0, stdout: said('six'), stderr: '' });
  });

  it('rebuilds when a source is gone, and not for a test', async () => {
    write('src/other.ts', 'export const other = 1;\n');
    expect((await run()).stderr).toBe(REBUILDING);
    rmSync(join(tree, 'src/other.ts'));
    expect((await run()).stderr).toBe(REBUILDING);
    write('test/a.test.ts', 'const wrong: number = "a type error in a test";\n');
    expect(await run()).toEqual({ status: 0, stdout: said('six'), stderr: '' });
    write('src/cli/main.ts', main('seven'));
    expect(await run()).toEqual({ status: 0, stdout: said('seven'), stderr: REBUILDING });
  });

  it("prints the compiler's words and exits with 4 when a source does not compile", async () => {
    write('src/cli/main.ts', `${main('bad')}export const wrong: number = 'text';\n`);
    for (const _ of [1, 2]) {
      const { status, stdout, stderr } = await run();
      expect({ status, stdout }).toEqual({ status: 4, stdout: '' });
      expect(stderr).toContain(REBUILDING);
      expect(stderr).toMatch(/src\/cli\/main\.ts\(\d+,\d+\): error TS2322/);
    }
    write('src/cli/main.ts', main('good'));
    expect(await run()).toEqual({ status: 0, stdout: said('good'), stderr: REBUILDING });
  });

  it('exits with 4 when main throws, which is our own bug', async () => {
    const { status, stderr } = await run('throw');
    expect(status).toBe(4);
    expect(stderr).toContain('thrown on purpose');
  });

  it('builds once when many start at the same time', async () => {
    write('src/cli/main.ts', main('many'));
    write('builds', '');
    const runs = await Promise.all(Array.from({ length: 6 }, () => run('3')));
    for (const { status, stdout } of runs) {
      expect({ status, stdout }).toEqual({ status: 3, stdout: said('many', '3') });
    }
    const builds = readFileSync(join(tree, 'builds'), 'utf8');
    expect(builds).toBe('src/fdt-ts\nsrc/cli/tsconfig.build.json\n');
  });

  it('takes over the lock of a build that died', async () => {
    write('dist/.lock', '999999999');
    write('src/cli/main.ts', main('after'));
    expect(await run()).toEqual({ status: 0, stdout: said('after'), stderr: REBUILDING });
  });

  it('runs the dist/ it has where there is no compiler', async () => {
    rmSync(join(tree, 'node_modules'), { recursive: true });
    write('src/cli/main.ts', main('newer'));
    expect(await run('1')).toEqual({ status: 1, stdout: said('after', '1'), stderr: '' });
    rmSync(join(tree, 'dist'), { recursive: true });
    const { status, stderr } = await run();
    expect({ status, stderr }).toEqual({
      status: 4,
      stderr: 'kho-check: dist/ is missing: run npm ci with dev dependencies\n',
    });
  });
});
