/** The commands of `abi` that read kernels' sources, and the page about them. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { baseline } from '../src/abi/baselines.ts';
import { call, complaintOf, inOwnDirectory, untidyLines } from './call.ts';

const CAPTURES = resolve('test/fixtures/captures');
const IMAGE = resolve('test/fixtures/k7.3-layouts.btf.o');
const PAGE = resolve('.github/ABI-CHECK.md');
const BLOCK = /```console\n\$ npx kho-check ([^\n]*)\n([^]*?)```/g;

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
    // A release stays one, even where a revision is named beside it.
    expect((await outcomeOf('7.3', 'HEAD', '--git', 'tree')).old).toBe('7.3');
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

const check = (...argv: string[]) => call('abi', 'check', '7.0', '--baseline', '6.19', ...argv);

describe('a check', () => {
  it('of what gets along ends with status 0', async () => {
    const { status, out } = await call('abi', 'check', '7.3', '--baseline', '7.2');
    expect([status, untidyLines(out)]).toEqual([0, []]);
    expect(out).toMatch(/0 errors; \d+ rules run, 17 structures seen/);
  });

  it('tells a run of GitHub what breaks, and where', async () => {
    const { status, out } = await check('--format', 'github');
    expect(status).toBe(1);
    const lines = out.trimEnd().split('\n');
    expect(lines[0]).toMatch(
      /^::error file=kernel\/liveupdate\/luo_flb\.c,line=1,title=GRAMMAR-01::/,
    );
    expect(lines.at(-1)).toMatch(/^::notice .*rules run, 17 structures seen$/);
  });

  it('is SARIF with every rule, and a result for every finding', async () => {
    const { out } = await check('--format', 'sarif');
    const { version, runs } = JSON.parse(out);
    expect(version).toBe('2.1.0');
    const [{ tool, results, properties }] = runs;
    expect(tool.driver.rules.length).toBeGreaterThan(40);
    expect(results[0]).toMatchObject({ ruleId: 'GRAMMAR-01', level: 'error' });
    expect(results[0].locations[0].physicalLocation.region.startLine).toBe(1);
    expect(properties.outcome).toEqual({ oldToNew: 'panic', newToOld: 'ignored' });
  });

  it('is JUnit with a case for every rule', async () => {
    const { out } = await check('--format', 'junit');
    expect(out).toMatch(/<testsuites name="kho-check" tests="\d+" failures="2" errors="0">/);
    expect(out.match(/<testcase /g)!.length).toBeGreaterThan(40);
    expect(out).toContain('<failure message="node luo-flb of LUO is new, and demanded">');
  });

  it('of nothing is inconclusive', async () => {
    const none = headers('bare-define', '#define A 1\n');
    const { status } = await call('abi', 'check', none, '--baseline', none, '--json');
    expect(status).toBe(3);
  });
});

const decide = (rule: string, subject: string, until: string) => ({
  rule,
  subject,
  until,
  reason: 'shipped like that, nothing to be done',
});

const suppress = async (today: string, ...decisions: unknown[]) => {
  writeFileSync('known.json', JSON.stringify(decisions));
  const { status, out } = await check('--suppress', 'known.json', '--today', today, '--json');
  const { findings, suppressed } = JSON.parse(out);
  const errors = findings.filter((each: { severity: string }) => each.severity === 'error');
  return { status, suppressed, errors: errors.map((each: { rule: string }) => each.rule) };
};

const ALL = [
  decide('GRAMMAR-01', 'LUO node luo-flb', '2026-12-31'),
  decide('GRAMMAR-01', 'LUO property luo-flb-header', '2026-12-31'),
  decide('VERSION-01', 'luo', '2026-12-31'),
];

describe('suppressions', () => {
  it('take findings out until their last day', async () => {
    const { status, errors, suppressed } = await suppress('2026-12-31', ...ALL);
    expect([status, errors, suppressed.length]).toEqual([0, [], 3]);
    expect(suppressed[0].reason).toContain('shipped');
  });

  it('that have ended are findings, with what they hid', async () => {
    const { status, errors } = await suppress('2027-01-01', ...ALL);
    expect(status).toBe(1);
    expect(errors.filter((rule: string) => rule === 'SUPPRESS-02').length).toBe(3);
    expect(errors).toContain('GRAMMAR-01');
  });

  it('that suppress nothing are findings', async () => {
    const other = decide('WIRE-04', 'struct luo_ser.x', '2026-12-31');
    expect((await suppress('2026-12-01', ...ALL, other)).errors).toEqual(['SUPPRESS-01']);
  });

  it.each([
    ['[{"rule": "WIRE-04"}]', '0.subject'],
    ['[{"rule":"WIRE-04","subject":"x","reason":"short","until":"2026-12-31"}]', 'give a reason'],
    ['[{"rule":"W","subject":"x","reason":"long enough","until":"2026-12-31"}]', 'no id of a rule'],
    ['[{"rule":"WIRE-04","subject":"x","reason":"long enough","until":"soon"}]', 'is no day'],
    ['{', 'is no JSON'],
  ])('that are none are refused: %s', async (text, says) => {
    writeFileSync('known.json', text);
    expect(complaintOf(await check('--suppress', 'known.json'))).toContain(says);
  });
});

describe('a preflight', () => {
  it.each([
    ['7.2.12', '7.3', 0, 'yes'],
    ['6.19', '7.0', 1, 'no: the new kernel ends'],
    ['6.18.15', '7.3', 1, 'no: the new kernel boots cold'],
    [`${CAPTURES}/k7.3.4-n2-512M-pct300/gen1/final_fdt.bin`, '7.1', 1, 'boots cold'],
    [`${CAPTURES}/k6.17.13-n1-256M/gen1`, '6.18', 1, 'takes other memory for preserved'],
    [IMAGE, '7.3', 0, 'yes'],
    ['7.0', IMAGE, 1, 'boots cold'],
  ])('%s → %s ends with status %i', async (old, next, status, says) => {
    const told = await call('abi', 'preflight', old, next);
    expect([told.status, told.out.replace(/\s+/g, ' ')]).toEqual([
      status,
      expect.stringContaining(says),
    ]);
  });

  it('is JSON on demand', async () => {
    const { out } = await call('abi', 'preflight', '6.19', '7.0', '--json');
    expect(JSON.parse(out)).toMatchObject({ outcome: 'panic', new: '7.0' });
  });

  it('of what is no kernel is refused in a line', async () => {
    writeFileSync('none', 'nothing of the kind');
    for (const argv of [
      ['none', '7.3'],
      ['7.3', 'none'],
      ['7.3', 'missing'],
    ]) {
      expect(complaintOf(await call('abi', 'preflight', ...argv))).toMatch(/none|missing/);
    }
  });
});

describe('showing sources', () => {
  it('lists members with their places, and fits a terminal', async () => {
    const { status, out } = await call('abi', 'show', '7.3', '--layouts');
    expect([status, untidyLines(out)]).toEqual([0, []]);
    expect(out).toMatch(/^struct memfd_luo_folio_ser, 16 bytes, packed$/m);
    expect(out).toMatch(/^ +6:4 +12b +flags +u64$/m);
    expect(out).toMatch(/DOC-01 .*kho-v3/);
  });

  it('shows holes, and other machines', async () => {
    const tree = headers('holes', 'struct demo_ser { u8 a; unsigned long b; };\n');
    const wide = await call('abi', 'show', tree);
    expect(wide.out).toMatch(/^ +1 +7 +\(hole\)$/m);
    const narrow = await call('abi', 'show', tree, '--target', 'arm32-phys32');
    expect(narrow.out).toMatch(/^ +1 +3 +\(hole\)$/m);
    expect(complaintOf(await call('abi', 'show', tree, '--target', 'vax'))).toContain('x86_64-4k');
  });

  it('writes what a baseline is', async () => {
    const { out } = await call('abi', 'show', '7.3', '--layouts', '--json');
    expect(JSON.parse(out)).toEqual(baseline('7.3'));
  });

  it('compares with the BTF of an image', async () => {
    const same = await call('abi', 'show', '7.3', '--verify-btf', IMAGE);
    expect([same.status, same.out]).toEqual([0, expect.stringContaining('17 of 17 structures')]);
    const other = await call('abi', 'show', '6.19', '--verify-btf', IMAGE);
    expect(other.status).toBe(1);
    writeFileSync('vmlinux', 'x');
    const bare = Buffer.from(readFileSync(IMAGE));
    bare.write('.NOT', bare.indexOf('.BTF'));
    writeFileSync('bare', bare);
    const without = await call('abi', 'preflight', '7.3', 'bare');
    expect(complaintOf(without)).toContain('has no BTF');
    const none = await call('abi', 'show', '7.3', '--verify-btf', 'vmlinux');
    expect(complaintOf(none)).toContain('neither an ELF file nor BTF');
  });
});

it('the page for maintainers shows what is printed', async () => {
  const text = readFileSync(PAGE, 'utf8');
  const blocks = [...text.matchAll(BLOCK)];
  expect(blocks.length).toBeGreaterThan(0);
  let now = text;
  for (const [block, args, shown] of blocks) {
    const { out } = await call(...args!.split(' '));
    const printed = `\n${out}`;
    if (process.env['UPDATE'] === '1') {
      now = now.replace(block, `\`\`\`console\n$ npx kho-check ${args}\n${printed}\`\`\``);
    } else {
      expect(shown).toBe(printed);
    }
  }
  if (now !== text) writeFileSync(PAGE, now);
});
