/** `explain` and `spec print`: the law, for people and for scripts. */
import { writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { plainShape } from '#model/machines';
import { SUITES } from '#properties/suites';
import { CHAPTERS, RULES } from '#spec/law';
import { call, complaintOf, inOwnDirectory, untidyLines } from './call.ts';

inOwnDirectory();

const KEYS = ['id', 'kind', 'says', 'sources', 'strength', 'since', 'until', 'suites', 'faults'];

const plain = (text: string): string => text.replace(/\s+/g, ' ');

describe('explain', () => {
  it.each(RULES.map((rule) => [rule.id, rule] as const))('%s: all of it', async (id, rule) => {
    const { status, out, err } = await call('explain', id.toLowerCase());
    expect([status, err]).toEqual([0, '']);
    expect(untidyLines(out)).toEqual([]);
    expect(plain(out)).toContain(`${id} ${rule.says}`);
    expect(out).toContain(`strength: ${rule.strength}`);
    expect(out).toMatch(/applies to: (every kernel with KHO|Linux \d|patch series v)/);
    expect(out).toMatch(/defended by: [a-z]/);
    expect(out.match(/source: /g)).toHaveLength(rule.sources.length);
    const { out: json } = await call('explain', id, '--json');
    const document = JSON.parse(json);
    expect(Object.keys(document)).toEqual(KEYS);
    expect(document).toMatchObject({ id, says: rule.says, kind: rule.kind });
    expect(document.since).toBe(rule.since ?? null);
    const suites = SUITES.filter((suite) => suite.rules.includes(id)).map((suite) => suite.name);
    expect(document.suites).toEqual(suites);
  });

  it('says what breaks a rule on purpose, or why nothing does', async () => {
    const catches = await call('explain', 'KEX-08');
    expect(plain(catches.out)).toContain('broken on purpose by: other-root-taken');
    const none = await call('explain', 'HND-17');
    expect(plain(none.out)).toContain('broken on purpose by: no fault; SCR-02 is asked when');
  });

  it('of a trace file explains the rule that it breaks', async () => {
    const file = (rule?: string): void =>
      writeFileSync(
        'a.json',
        JSON.stringify({
          format: 'kho-check trace',
          version: 1,
          kernel: '7.3',
          faults: [],
          machine: plainShape(),
          expect: rule === undefined ? { outcome: 'holds' } : { outcome: 'breaks', rule },
          steps: [],
        }),
      );
    file('RST-04');
    expect((await call('explain', 'a.json')).out).toBe((await call('explain', 'RST-04')).out);
    file('RST-99');
    expect(complaintOf(await call('explain', 'a.json'))).toContain('names no rule');
    file();
    expect(complaintOf(await call('explain', 'a.json'))).toContain('names no rule');
  });

  it('of anything else says that there is neither', async () => {
    expect(complaintOf(await call('explain', 'NOPE-01'))).toBe(
      "the law has no rule 'NOPE-01', and there is no trace file of that name",
    );
    expect(complaintOf(await call('explain', '.'))).toContain('it is not a file');
  });
});

describe('spec print', () => {
  it('has every chapter, action and rule, in reading order', async () => {
    const { status, out, err } = await call('spec', 'print');
    expect([status, err]).toEqual([0, '']);
    expect(untidyLines(out)).toEqual([]);
    const text = plain(out);
    let at = 0;
    for (const chapter of CHAPTERS) {
      for (const words of [
        `## ${chapter.title}`,
        ...chapter.actions.map((action) => `\`${action.name}\`: ${action.says}`),
        ...chapter.rules.map((rule) => `**${rule.id}** ${rule.says}`),
      ]) {
        expect(text.indexOf(words, at), words).toBeGreaterThanOrEqual(at);
        at = text.indexOf(words, at);
      }
    }
    expect(text).not.toMatch(/undefined|defended by [;<]/);
  });

  it('--json has what explain --json has, for every rule', async () => {
    const { status, out } = await call('spec', 'print', '--json');
    expect(status).toBe(0);
    const documents = JSON.parse(out) as object[];
    expect(documents).toHaveLength(RULES.length);
    for (const document of documents) expect(Object.keys(document)).toEqual(KEYS);
    const { out: one } = await call('explain', RULES[0]!.id, '--json');
    expect(documents[0]).toEqual(JSON.parse(one));
  });
});
