/** Wrong usage is told in one line with exit status 2; help is help. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { call, complaintOf, inOwnDirectory, untidyLines } from './call.ts';

inOwnDirectory();

describe('wrong usage', () => {
  it.each([
    [['bogus'], "unknown command 'bogus'"],
    [['rnu'], 'Did you mean run?'],
    [['--bogus'], "unknown option '--bogus'"],
    [['spec'], 'name one of the commands'],
    [['spec', 'bogus'], "unknown command 'bogus'"],
    [['spec', 'print', 'extra'], 'too many arguments'],
    [['help', 'bogus'], 'name one of the commands'],
    [['run', '--bogus'], "unknown option '--bogus'"],
    [['run', '--sed', '1'], 'Did you mean --seed?'],
    [['run', 'nosuch'], "no suite 'nosuch'; there are scratch, "],
    [['run', 'scratch', 'nosuch'], "no suite 'nosuch'"],
    [['run', '--fault', 'nosuch'], "no fault 'nosuch' is known; there are "],
    [['run', '--kernel', '2.4'], "no kernel '2.4'"],
    [['run', '--traces'], '--traces'],
    [['run', '--traces', '0'], '--traces takes a whole number from 1'],
    [['run', '--traces', 'x'], "not 'x'"],
    [['run', '--traces', '1.5'], "not '1.5'"],
    [['run', '--traces', '1e3'], "not '1e3'"],
    [['run', '--traces', ''], "not ''"],
    [['run', '--steps', '3'], '--steps takes a whole number from 4'],
    [['run', '--steps', '100001'], 'to 100000'],
    [['run', '--seed', '-1'], '--seed'],
    [['run', '--seed=-1'], '--seed takes a whole number from 0'],
    [['run', '--seed', '4294967296'], 'to 4294967295'],
    [['run', '--nodes', '0'], '--nodes takes'],
    [['run', '--nodes', '5'], 'within 1-4'],
    [['run', '--nodes', '3-2'], "not '3-2'"],
    [['run', '--nodes', 'x'], '--nodes takes'],
    [['run', '--memory', '1M'], '--memory takes 96M to 16T'],
    [['run', '--memory', '23M', '--nodes', '1'], '24M'],
    [['run', '--memory', '99T'], '--memory takes'],
    [['run', '--memory', '17T', '--nodes', '1'], '16T'],
    [['run', '--memory', '0'], '--memory takes a size'],
    [['run', '--memory', '1X'], "not '1X'"],
    [['run', '--time', '5'], '--time takes a time such as 30s'],
    [['run', '--time', '0s'], '--time'],
    [['run', '--time', '9999999h'], '--time'],
    [['replay'], 'missing required argument'],
    [['replay', 'a', 'b'], 'too many arguments'],
    [['replay', 'nowhere.json'], 'nowhere.json: ENOENT'],
    [['replay', 'a\nb\u001b[31m'], 'a b'],
    [['shrink', 'nowhere.json'], 'nowhere.json: ENOENT'],
    [['shrink'], 'missing required argument'],
    [['explain'], 'missing required argument'],
  ])('%j is told in one line', async (argv, words) => {
    const line = complaintOf(await call(...argv));
    expect(line).toContain(words);
    expect(line).not.toMatch(/[\p{Cc}]|\. *[;.]/u);
  });

  it('without a command shows the help on stderr', async () => {
    const { status, out, err } = await call();
    expect([status, out]).toEqual([2, '']);
    expect(err).toMatch(/^Usage: kho-check /);
  });
});

describe('help', () => {
  it.each([
    [['--help'], /Exit status:\n {2}0 {2}/],
    [['help'], /Commands:/],
    [['run', '--help'], /--traces <n>/],
    [['help', 'run'], /--traces <n>/],
    [['replay', '--help'], /<file>/],
    [['spec', '--help'], /print/],
    [['--version'], /^\d+\.\d+\.\d+\n$/],
  ])('%j goes to stdout', async (argv, words) => {
    const { status, out, err } = await call(...argv);
    expect([status, err]).toEqual([0, '']);
    expect(out).toMatch(words);
    expect(untidyLines(out)).toEqual([]);
  });

  it('names every command', async () => {
    const { out } = await call('--help');
    for (const name of ['run', 'replay', 'shrink', 'explain', 'inspect', 'spec']) {
      expect(out).toMatch(new RegExp(`^ {2}${name} `, 'm'));
    }
  });
});

describe('a reader that leaves early', () => {
  it('is no error, and there is no stack trace', async () => {
    const root = join(import.meta.dirname, '../..');
    const script = `import { main } from '${join(root, 'src/cli/main.ts')}';
      process.exitCode = await main(['spec', 'print']);`;
    const child = spawn(
      process.execPath,
      ['--conditions=source', '--import', 'tsx', '--input-type=module', '-e', script],
      { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] },
    );
    child.stdout.destroy();
    let err = '';
    child.stderr.on('data', (data: Buffer) => (err += data.toString()));
    const status = await new Promise((resolve) => child.on('close', resolve));
    expect([status, err]).toEqual([0, '']);
  });
});
