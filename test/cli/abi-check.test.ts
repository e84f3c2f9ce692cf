/** `abi check`, `abi preflight` and `abi show PATH`. */
import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { baseline } from '../src/abi/baselines.ts';
import { call, complaintOf, inOwnDirectory, untidyLines } from './call.ts';

const CAPTURES = resolve('test/fixtures/captures');
const IMAGE = resolve('test/fixtures/k7.3-layouts.btf.o');

inOwnDirectory();

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
    writeFileSync('a.h', '#define A 1\n');
    const { status } = await call('abi', 'check', '.', '--baseline', '.', '--json');
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
    [`${CAPTURES}/k7.3.4-n2-512M-pct300/gen1`, '7.2', 0, 'yes'],
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
    const { outcome } = JSON.parse((await call('abi', 'preflight', old, next, '--json')).out);
    expect(outcome === 'same').toBe(status === 0);
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
    writeFileSync('b.h', 'struct demo_ser { u8 a; unsigned long b; };\n');
    const wide = await call('abi', 'show', '.');
    expect(wide.out).toMatch(/^ +1 +7 +\(hole\)$/m);
    const narrow = await call('abi', 'show', '.', '--target', 'arm32-phys32');
    expect(narrow.out).toMatch(/^ +1 +3 +\(hole\)$/m);
    expect(complaintOf(await call('abi', 'show', '.', '--target', 'vax'))).toContain('x86_64-4k');
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
    const none = await call('abi', 'show', '7.3', '--verify-btf', 'vmlinux');
    expect(complaintOf(none)).toContain('neither an ELF file nor BTF');
  });
});
