/** `hunt`: bugs of history are found by their rule, and everything is named. */
import { mkdtempSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { jointScopeByName } from '#model/scopes/joint';
import { RULES } from '#spec/law';
import { JointSearch } from '#src/checker/joint/joint';
import { releaseNamed } from '#src/cli/as-shipped';
import { IN_SCOPES } from '#src/cli/canary';
import { systemMaker } from '#src/cli/explore-joint';
import { buildOf, faultsNamed, kernelNamed } from '#src/cli/systems';
import { readTraceFile } from '#src/cli/trace-files';
import { faultById } from '#src/kho/faults';
import { releaseOf } from '#src/kho/history/bug';
import { BUGS, UNMODELLED, shippedWith } from '#src/kho/history/history';
import { call, inOwnDirectory, untidyLines } from './call.ts';

inOwnDirectory();

const QUICK = ['--seeds', '1', '--traces', '20'];

interface Report {
  readonly bugs: readonly {
    readonly id: string;
    readonly title: string;
    readonly kernels: readonly string[];
    readonly found: boolean;
    readonly rule: string;
    readonly traces: number;
    readonly milliseconds: number;
    readonly steps: number;
    readonly trace: string;
  }[];
  readonly notModelled: readonly { readonly id: string; readonly reason: string }[];
}

describe('hunt', () => {
  it('finds bugs by their rules, and saves minimal traces', async () => {
    const { status, out } = await call('hunt', 'S8', 'B42', ...QUICK, '--json');
    const { bugs } = JSON.parse(out) as Report;
    expect(status).toBe(0);
    expect(bugs.map(({ id, found, rule }) => [id, found, rule])).toEqual([
      ['S8', true, 'DBG-02'],
      ['B42', true, 'SCR-02'],
    ]);
    for (const { id, traces, steps, trace } of bugs) {
      expect(traces).toBeGreaterThan(0);
      expect(readTraceFile(trace)).toMatchObject({ faults: [id], steps: { length: steps } });
    }
  });

  it('tells it in a table of 80 columns, and progress on stderr', async () => {
    const { out, err } = await call('hunt', 'S8', ...QUICK);
    expect(untidyLines(out)).toEqual([]);
    expect(out).toMatch(/^S8 +DBG-02 +1\/1 /m);
    expect(out).toMatch(/1 of 1 bug found\.\n$/);
    expect(err).toMatch(/^S8 \(1 of 1\): DBG-02 1\/1 seeds, \d+ traces$/m);
  });

  it('fails when a bug is not found', async () => {
    const { status, out } = await call('hunt', 'B45', '--seeds', '1', '--traces', '1');
    expect(status).toBe(1);
    expect(out).toContain('0 of 1 bug found; not found: B45.');
  });

  it('says why a bug is not modelled', async () => {
    const { status, out } = await call('hunt', 'B02', ...QUICK, '--json');
    const { bugs, notModelled } = JSON.parse(out) as Report;
    expect([status, bugs]).toEqual([0, []]);
    expect(notModelled).toEqual([UNMODELLED.find(({ id }) => id === 'B02')]);
  });

  it('refuses what it does not know', async () => {
    const { status, err } = await call('hunt', 'B999');
    expect(status).toBe(2);
    expect(err).toBe("kho-check: no bug 'B999' is known; kho-check hunt --list names all\n");
  });

  it('names every bug, and every rule without teeth', async () => {
    const list = await call('hunt', '--list');
    for (const { id } of [...BUGS, ...UNMODELLED]) {
      expect(list.out).toMatch(new RegExp(`^${id} `, 'm'));
    }
    const json = JSON.parse((await call('hunt', '--list', '--json')).out) as Report;
    expect([json.bugs.length, json.notModelled]).toEqual([BUGS.length, UNMODELLED]);
    const teeth = JSON.parse((await call('hunt', '--teeth', '--json')).out) as {
      readonly withTeeth: readonly { readonly rule: string }[];
      readonly without: readonly string[];
    };
    const named = [...teeth.withTeeth.map(({ rule }) => rule), ...teeth.without].sort();
    expect(named).toEqual(RULES.map(({ id }) => id).sort());
    const text = await call('hunt', '--teeth');
    expect(untidyLines(text.out)).toEqual([]);
  });

  it('writes traces and a table where it is told to', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'kho-check-hunt-'));
    const page = join(directory, 'page.md');
    writeFileSync(page, 'before\n<!-- hunt -->\nold\n<!-- /hunt -->\nafter\n');
    await call('hunt', 'S8', ...QUICK, '--corpus', directory, '--write', page);
    expect(readdirSync(directory).sort()).toEqual(['page.md', 's8.json']);
    const text = readFileSync(page, 'utf8');
    expect(text).toMatch(/^before\n<!-- hunt -->\n[^]*\| S8 \|[^]*<!-- \/hunt -->\nafter\n$/);
    expect(text).not.toContain('old');
  });
});

describe('hunt --reports', () => {
  const report = {
    bugs: [
      {
        id: 'S8',
        title: 'a title',
        kernels: ['6.19', '7.0'],
        on: '7.3',
        rule: 'DBG-02',
        seeds: 20,
        seedsFound: 19,
        traces: 4,
        milliseconds: 50,
        steps: 2,
        trace: null,
        others: [],
      },
    ],
    tracesMax: 20_000,
    firstSeed: 1,
  };

  it('tells what several hunts found, and hunts nothing', async () => {
    const missed = { ...report.bugs[0], id: 'B44', seedsFound: 18 };
    writeFileSync('one.json', JSON.stringify(report));
    writeFileSync('two.json', JSON.stringify({ ...report, bugs: [missed] }));
    writeFileSync('page.md', '<!-- hunt -->\n<!-- /hunt -->\n');
    const both = await call('hunt', '--reports', 'one.json,two.json', '--write', 'page.md');
    expect(both.status).toBe(1);
    expect(both.out).toContain('1 of 2 bugs found; not found: B44.');
    const page = readFileSync('page.md', 'utf8');
    expect(page).toContain('| S8 | a title | 6.19–7.0 | DBG-02 | 19/20 | 4 | 50 | 2 |');
    for (const { id } of UNMODELLED) expect(page).toContain(id);
    expect((await call('hunt', '--reports', 'one.json')).status).toBe(0);
  });

  it('refuses what no hunt printed', async () => {
    writeFileSync('odd.json', '{"bugs": [{"id": 7}]}');
    for (const name of ['odd.json', 'missing.json']) {
      const { status, err } = await call('hunt', '--reports', name);
      expect([status, err.split('\n').length]).toEqual([2, 2]);
    }
  });
});

describe('hunt --canary', () => {
  it('gives each engine a fault, the same ones for the same seed', async () => {
    const { status, out } = await call('hunt', '--canary', '--seed', '4', '--traces', '100');
    expect(out).toMatch(/^random: \S+ on \S+, \S+ broken after \d+ traces$/m);
    expect(out).toMatch(/^exhaustive: \S+ on \S+, \S+ broken after \d+ states$/m);
    expect(out).toMatch(/^again: npx kho-check hunt --canary --seed 4$/m);
    expect(status).toBe(0);
  });

  it.each(IN_SCOPES)('on %s, %s breaks %s', (name, fault, rule) => {
    const scope = jointScopeByName(name)!;
    const kernel = kernelNamed(scope.kernel);
    const make = systemMaker(kernel, [faultById(fault)!]);
    const { broken } = new JointSearch(scope, kernel, make).run();
    expect(broken?.violation.rule.id).toBe(rule);
  });
});

describe('every entry', () => {
  it.each(BUGS.map((bug) => [bug.id, bug] as const))(
    '%s says who had it, and where',
    (_id, bug) => {
      expect(bug.at.file).toMatch(/\.[ch]$/);
      for (const text of [bug.title, bug.says, bug.trace, bug.source]) expect(text).not.toBe('');
    },
  );
});

describe('run --as-shipped', () => {
  interface Shipped {
    readonly release: string;
    readonly defects: readonly {
      readonly bugs: readonly { readonly id: string }[];
      readonly rule: string;
      readonly path: string;
    }[];
    readonly quiet: readonly string[];
  }

  const SHORT = ['run', '--as-shipped', '--seed', '1', '--steps', '8'];
  const idsOf = ({ defects }: Shipped): readonly string[] =>
    defects.flatMap(({ bugs }) => bugs.map(({ id }) => id));

  it('finds several defects of a release, each once, and not those left out', async () => {
    const { status, out } = await call(...SHORT, '--traces', '4', '--except', 'S8', '--json');
    const shipped = JSON.parse(out) as Shipped;
    expect([status, shipped.release]).toEqual([1, '7.3.4']);
    const found = idsOf(shipped);
    expect(found.length).toBeGreaterThanOrEqual(2);
    expect(new Set(found).size).toBe(found.length);
    expect([...found, ...shipped.quiet]).not.toContain('S8');
    for (const { bugs, rule, path } of shipped.defects) {
      const { faults, expect: expected } = readTraceFile(path);
      expect([faults, expected.rule]).toEqual([bugs.map(({ id }) => id), rule]);
    }
  });

  it('tells each so that a maintainer can act on it', async () => {
    const { out } = await call(...SHORT, '--traces', '9', '--first');
    expect(untidyLines(out)).toEqual([]);
    expect(out).toMatch(/^[NS]\w+ {2}\S/m);
    expect(out).toMatch(/^ {4}Linux 6\.\d+–7\.3; /m);
    expect(out).toMatch(/1 distinct defect\.\n$/);
  });

  it('knows what a release had', () => {
    const had = (release: string): readonly string[] =>
      shippedWith(releaseOf(release)!).map(({ id }) => id);
    expect(had('7.0.11')).toContain('B44');
    expect(had('7.0.12')).not.toContain('B44');
    expect(had('7.3-rc7')).toContain('B45');
    expect(had('7.3.4')).not.toContain('B45');
    expect(had('6.17.12')).not.toContain('B09');
    expect(releaseNamed('6.17.8')).toMatchObject({ name: '6.17', release: '6.17.8' });
    expect(releaseNamed('7.3').release).toBe('7.3.4');
  });

  it('gives each kernel of a chain what it had, and no other', () => {
    const faults = faultsNamed(['S10@7.3', 'restore-twice']);
    const decided = (series: string) => buildOf(kernelNamed(series), faults).decisions!;
    expect(decided('7.3').preservesPartialPages).toBe(false);
    expect(decided('6.18').preservesPartialPages).toBe(true);
    for (const series of ['6.18', '7.3']) expect(decided(series).restoreClearsMark).toBe(false);
  });

  it.each([
    [['run', '--fault', 'S10@9.9'], /no kernel '9\.9' is modelled/],
    [['run', '--as-shipped', '--kernel', '9.9'], /no release '9\.9' is known/],
    [['run', '--as-shipped', '--except', 'B999'], /no bug 'B999' is known/],
    [['run', '--as-shipped', '--fault', 'S1'], /exclude each other/],
    [['run', '--except', 'S1'], /--except goes with --as-shipped/],
  ])('refuses %j', async (args, said) => {
    const { status, err } = await call(...args);
    expect(status).toBe(2);
    expect(err).toMatch(said);
  });
});
