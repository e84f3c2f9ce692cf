/** `spec coverage`: what the last run met of the law. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { CHAPTERS, RULES, rulesAmong } from '#spec/law';
import { call, complaintOf, inOwnDirectory, untidyLines } from './call.ts';

inOwnDirectory();

const FILE = '.kho/last-run.json';
const RUN = ['run', '--traces', '6', '--steps', '40', '--seed', '1'];

describe('spec coverage', () => {
  it('is inconclusive where nothing was run', async () => {
    const { status, out, err } = await call('spec', 'coverage');
    expect([status, out]).toEqual([3, '']);
    expect(err).toBe(`kho-check: there is no ${FILE}; kho-check run makes one\n`);
  });

  it('has a line for every rule, in reading order, and names those never met', async () => {
    await call(...RUN);
    const { status, out, err } = await call('spec', 'coverage');
    expect([status, err]).toEqual([0, '']);
    expect(untidyLines(out)).toEqual([]);
    expect(out).toMatch(/^Coverage of the law: Linux 7\.3, 6 traces, [\d,]+ calls/);
    let at = 0;
    for (const { title, rules } of CHAPTERS) {
      for (const words of [`\n${title}\n`, ...rules.map(({ id }) => `\n  ${id}  `)]) {
        expect(out.indexOf(words, at), words).toBeGreaterThanOrEqual(at);
        at = out.indexOf(words, at);
      }
    }
    const never = /\nnever exercised: ([^]*?)\n\n/.exec(out)![1]!.split(/,\s/);
    expect(never.length).toBeGreaterThan(0);
    expect(out).toContain('outcomes never reached: ');
    expect(out).toContain('\nnever decisive, for a reason:\n  SCR-10: SCR-04 refuses all of it; ');
    expect(out).toMatch(/\ndecisive: how often/);
  });

  it('--json says the same', async () => {
    const { status, out } = await call('spec', 'coverage', '--json');
    expect(status).toBe(0);
    const document = JSON.parse(out);
    const saved = JSON.parse(readFileSync(FILE, 'utf8'));
    expect(document).toMatchObject({ kernel: '7.3', faults: [], suites: [], seed: 1, traces: 6 });
    const rules = document.chapters.flatMap((chapter: { rules: object[] }) => chapter.rules);
    expect(rules.map((rule: { id: string }) => rule.id)).toEqual(RULES.map(({ id }) => id));
    for (const [index, { id, judged, tried, refused, decisive }] of saved.rules.entries()) {
      expect(rules[index]).toMatchObject({ id, judged, tried, refused, decisive });
      const applies = rulesAmong(['7.3']).some((rule) => rule.id === id);
      expect(document.neverExercised.includes(id)).toBe(judged === 0 && applies);
      const why = RULES.find((rule) => rule.id === id)!.repeats;
      const told = [...document.neverRefused, ...document.neverDecisive].includes(id);
      expect(told).toBe(applies && judged > 0 && decisive === 0 && why === undefined);
      const repeating = document.repeating.find((each: { id: string }) => each.id === id);
      expect(repeating?.why).toBe(applies && decisive === 0 ? why : undefined);
    }
  });

  it('says which suites and faults a run was about', async () => {
    await call('run', 'tree', 'debugfs', ...RUN.slice(1), '--fault', 'duplicate-names');
    const { out } = await call('spec', 'coverage');
    expect(out).toContain('\n  suites: tree, debugfs\n  faults in place: duplicate-names\n');
  });

  it('of a file of another version is wrong input', async () => {
    writeFileSync(FILE, '{"format":"kho-check run","version":99}');
    expect(complaintOf(await call('spec', 'coverage'))).toMatch(/is of no run of this version/);
    writeFileSync(FILE, '{');
    expect(complaintOf(await call('spec', 'coverage'))).toMatch(/^cannot read \.kho/);
    rmSync(FILE);
  });

  it('is not needed by a run that cannot keep what it counted', async () => {
    rmSync('.kho', { recursive: true, force: true });
    writeFileSync('.kho', '');
    const { status, err } = await call(...RUN);
    expect([0, 3]).toContain(status);
    expect(err).toContain(`kho-check: cannot write ${FILE}: `);
    rmSync('.kho');
  });
});
