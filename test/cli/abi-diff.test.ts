/** `abi diff`: two kernels by release, or by their headers. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { call, complaintOf, inOwnDirectory, untidyLines } from './call.ts';

inOwnDirectory();

const HEADER = `
#define DEMO_COMPATIBLE "demo-v1"
/**
 * struct demo_ser - what a demo leaves
 * @size: in bytes
 */
struct demo_ser {
	u64 size;
	u32 flags;
} __packed;
`;

/** A directory with one header. */
const headers = (name: string, text: string): string => {
  mkdirSync(name, { recursive: true });
  writeFileSync(`${name}/demo.h`, text);
  return name;
};

const outcomeOf = async (...argv: string[]) => {
  const { status, out, err } = await call('abi', 'diff', ...argv, '--json', '--traces', '0');
  expect(err).toBe('');
  return { status, ...JSON.parse(out) };
};

describe('two releases', () => {
  it('that forgot a version end with status 1, and fit a terminal', async () => {
    const { status, out } = await call('abi', 'diff', '6.19', '7.0', '--traces', '0');
    expect(status).toBe(1);
    expect(untidyLines(out)).toEqual([]);
    expect(out).toMatch(/old data → new kernel +panic/);
    expect(out).toMatch(/new data → old kernel +ignored/);
    expect(out).toMatch(/^GRAMMAR-01 +node luo-flb of LUO is new, and demanded$/m);
    expect(out).toMatch(/\d+ rules run, \d+ structures seen$/m);
  });

  it('that differ in names alone end with status 0', async () => {
    const found = await outcomeOf('7.2.12', '7.3');
    expect([found.status, found.outcome]).toEqual([0, { oldToNew: 'same', newToOld: 'same' }]);
    expect(found.rulesRun).toBeGreaterThan(40);
    const keys = Object.keys(found.findings[0]).sort();
    expect(keys).toEqual(
      [
        'action',
        'category',
        'impact',
        'message',
        'new',
        'old',
        'rule',
        'severity',
        'subject',
      ].sort(),
    );
  });
});

describe('directories of headers', () => {
  it('are read, wherever they lie', async () => {
    const old = headers('a', HEADER);
    const next = headers('b', HEADER.replace('u32 flags', 'u64 flags'));
    const found = await outcomeOf(old, next);
    expect([found.status, found.outcome.oldToNew]).toEqual([1, 'misread']);
    expect(found.findings[0]).toMatchObject({
      rule: 'WIRE-02',
      category: 'WIRE',
      severity: 'error',
      old: 'demo.h:9',
      new: 'demo.h:9',
    });
    const bumped = headers('c', HEADER.replace('u32 flags', 'u64 flags').replace('v1"', 'v2"'));
    expect((await outcomeOf(old, bumped)).status).toBe(0);
  });

  it('that cannot be read in part are inconclusive, and say where', async () => {
    const old = headers('d', HEADER);
    const next = headers('e', `${HEADER}struct odd_ser { typeof(int) x; };\n`);
    const found = await outcomeOf(old, next);
    expect(found.status).toBe(3);
    expect(found.problems).toEqual([
      { side: 'e', file: 'demo.h', line: 11, message: 'typeof is not understood' },
    ]);
  });

  it('that ask for an option that nobody knows say which', async () => {
    const odd = headers(
      'f',
      HEADER.replace('\tu32', '#ifdef CONFIG_ODD\n\tu64 odd;\n#endif\n\tu32'),
    );
    const { problems } = await outcomeOf(headers('g', HEADER), odd);
    expect(problems[0].message).toContain('CONFIG_ODD');
  });

  it('without structures compare nothing: status 3', async () => {
    const { status } = await outcomeOf(
      headers('h', '#define A 1\n'),
      headers('i', '#define A 1\n'),
    );
    expect(status).toBe(3);
  });
});

describe('revisions of a git repository', () => {
  it('are compared without being checked out', async () => {
    const git = (...args: string[]) => execFileSync('git', args, { stdio: 'ignore' });
    const path = 'tree/include/linux/kho/abi';
    mkdirSync(path, { recursive: true });
    git('init', '-q', 'tree');
    const who = ['-c', 'user.name=x', '-c', 'user.email=x@x'];
    for (const text of [HEADER, HEADER.replace('u64 size', 'u32 size')]) {
      writeFileSync(`${path}/demo.h`, text);
      git('-C', 'tree', 'add', '.');
      git('-C', 'tree', ...who, 'commit', '-q', '-m', 'x');
    }
    const { status, findings } = await outcomeOf('HEAD~1', 'HEAD', '--git', 'tree');
    expect([status, findings[0].rule]).toEqual([1, 'WIRE-02']);
    expect(complaintOf(await call('abi', 'diff', 'HEAD', 'nope', '--git', 'tree'))).toContain(
      'git',
    );
    git('-C', 'tree', 'rm', '-rq', 'include');
    git('-C', 'tree', ...who, 'commit', '-q', '--allow-empty', '-m', 'none');
    const none = complaintOf(await call('abi', 'diff', 'HEAD~1', 'HEAD', '--git', 'tree'));
    expect(none).toContain('there is no KHO in revision HEAD');
  });
});

describe('what is nothing of the kind', () => {
  it.each([
    [['nope', '7.3'], 'nope is no file and no kernel with a baseline'],
    [['6.15', '7.3'], 'there are 6.16, 6.17'],
    [['7.3', '--nope'], 'unknown option'],
  ])('%j is refused in a line', async (argv, says) => {
    expect(complaintOf(await call('abi', 'diff', ...argv))).toContain(says);
  });

  it('a file that is no description is refused, with the place', async () => {
    writeFileSync('x.json', '{"format": "kho-abi", "version": 1}');
    expect(complaintOf(await call('abi', 'diff', 'x.json', '7.3'))).toContain('structs');
    writeFileSync('y.json', '{');
    expect(complaintOf(await call('abi', 'diff', 'y.json', '7.3'))).toContain('is no JSON');
    mkdirSync('empty');
    expect(complaintOf(await call('abi', 'diff', 'empty', '7.3'))).toContain('no KHO in empty');
  });
});
