/** The mutator changes code, never a word of a sentence, and what it makes can be read again. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Outcome, Site } from './campaign.ts';
import { reasonFor, uselessEntries } from './explained.ts';
import { tokensOf } from './lexer.ts';
import { mutantsOf, mutated, wordMakers } from './mutator.ts';
import { percent, scoresOf, tableOf, withBlock } from './report.ts';

const changes = (text: string): string[] => mutantsOf(text).map(({ change }) => change);

const RULE = `
/** 1 < 2 && true */
export const ABC_01 = {
    says: 'a < b' + 'c',
    sources: [core('x', 1)],
    on: ['read', 'write'],
    when: (s, call) => s.use.get(call.pfn) < 3,
    holds: (s, { value }) => value === -EINVAL || !s.ok,
    tell: (s, call) => \`\${call.pfn + 1}\` + (s.a < 2 ? 'x' : 'y'),
};
const words = (a) => a > 1 ? 'one' : /a<1/.source;
export const act = {
    shows: ({ pfn }) => pfn > 0 ? '1' : '2',
    effect: (s, call) => {
        if (call.value === 0 && s.a)
            s.x.set(call.pfn, 2 ** call.order);
    },
};
export const other = { effect: (s) => s.x.set(0, 0x1f) };
export const CHAPTER = { rules: [ABC_01], actions: [act, other] };
`;

describe('the mutator', () => {
  const mutants = mutantsOf(RULE, new Set(['words']));

  it('turns what is code, and nothing else', () => {
    expect(mutants.map(({ change }) => change)).toEqual([
      "'read', → (left out)",
      "'write' → (left out)",
      '< → <=',
      '3 → 4',
      '=== → !==',
      '-EINVAL → EINVAL',
      '|| → &&',
      '! → (nothing)',
      'effect → (nothing)',
      'if (call.value === 0 && s.a) → if (!(…))',
      '=== → !==',
      '0 → 1',
      '&& → ||',
      's.x.set(call.pfn, 2 ** call.order); → (removed)',
      's.x.set(0, 0x1f) → (nothing)',
      '0 → 1',
      '0x1f → 0x20',
      'ABC_01 → (left out)',
      'act, → (left out)',
      'other → (left out)',
    ]);
  });

  it('changes what it says it changes', () => {
    for (const mutant of mutants) {
      const text = mutated(RULE, mutant);
      expect(text).not.toBe(RULE);
      expect(text.startsWith(RULE.slice(0, mutant.at))).toBe(true);
      expect(text.endsWith(RULE.slice(mutant.end))).toBe(true);
    }
    expect(mutated(RULE, mutants[0]!)).toContain("on: [ 'write']");
    expect(mutated(RULE, mutants[8]!)).toContain('return; if (call');
    expect(mutated(RULE, mutants[9]!)).toContain('if (!(call.value === 0 && s.a))');
  });

  it.each([
    ['const a = "1 < 2"; // 1 < 2'],
    ['const a = /[/]1 < 2/; /* true */'],
    ['const a = `1 < ${b < `${1}`} 2`;'],
    ["const a = 'it\\'s 1' + b + '2';"],
    ['report(() => `${a}` + (b < 1));\n'.replace('report', 'const x = report')],
    ["import { a } from './1.js';"],
    ['export const E = { says: 1 < 2, tell: () => 1 > 2, shows: (x) => !x };'],
  ])('leaves %s alone', (text) => {
    expect(changes(text)).toEqual([]);
  });

  it.each([
    ['a = b / 2 / c < d;', ['a = b / 2 / c < d; → (removed)', '2 → 3', '< → <=']],
    ['for (let i = 0; i < n; i++) f(i);', ['0 → 1', '< → <=', 'f(i); → (removed)']],
    ['const a = -1;', ['-1 → 1', '1 → 0', '1 → 2']],
    ['const a = 2 ** b - c;', ['- → +']],
    ['if (a === b) return;', ['=== → !==', 'return; → (removed)']],
    ['if (!a || !b) c;', ['if (!a || !b) → if (!(…))', '! → (nothing)', '|| → &&']],
    ['if (!f(a)) g();', ['if (!f(a)) → if (!(…))', 'g(); → (removed)']],
    ['if (a) report(() => `${1}`);', ['if (a) → if (!(…))', 'report(() => `${1}`); → (removed)']],
    ['const ALL = [A_ONE, ...TWO, { id: 3 }];', ['A_ONE, → (left out)']],
    ['const ONE = [3];', ['3 → 4']],
  ])('of %s makes mutants', (text, wanted) => {
    expect(changes(text).slice(0, wanted.length)).toEqual(wanted);
  });

  it('knows functions that make words by their type', () => {
    const source = `const a = (x: number): string => 'x';
const b = ({ c, d }: E): string | undefined => 'x';
const e = (x: number): number => 1;
const f = (s: State): boolean => g((): string => 'x');`;
    expect([...wordMakers(source)].sort()).toEqual(['a', 'b']);
  });

  it('refuses brackets that do not match', () => {
    expect(() => tokensOf('f(a]')).toThrow('closes nothing');
  });
});

describe('every mutant', () => {
  let directory = '';
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'kho-check-mutation-test-'));
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  it('can be read as a program', () => {
    const names = mutantsOf(RULE, new Set(['words'])).map((mutant, index) => {
      const name = join(directory, `${index}.mjs`);
      writeFileSync(name, mutated(RULE, mutant));
      return name;
    });
    const check = `
      import { readFileSync } from 'node:fs';
      import { SourceTextModule } from 'node:vm';
      for (const name of process.argv.slice(1)) new SourceTextModule(readFileSync(name, 'utf8'));
    `;
    const args = ['--experimental-vm-modules', '--no-warnings', '--input-type=module'];
    const { status, stderr } = spawnSync(process.execPath, [...args, '-e', check, ...names], {
      encoding: 'utf8',
    });
    expect([status, stderr]).toEqual([0, '']);
  });
});

const site = (file: string, source: string, change: string): Site => ({
  id: `${file}:1:1 ${change}`,
  file,
  line: 1,
  source,
  mutant: { at: 0, end: 1, text: '', change },
});

describe('a score', () => {
  const [one, two, three] = [
    site('spec/a.ts', 'x < 1', '< → <='),
    site('spec/a.ts', 'x < 1', '1 → 2'),
    site('spec/b.ts', 'y', 'z'),
  ] as const;
  const outcomes: Outcome[] = [
    { site: one, verdict: 'survived', by: '' },
    { site: two, verdict: 'killed', by: 'x' },
    { site: three, verdict: 'timeout', by: 'x' },
  ];
  const entry = { file: 'spec/a.ts', source: 'x < 1', change: '< → <=', reason: 'the same' };

  it('counts what was noticed', () => {
    const scores = scoresOf(outcomes, [entry]);
    expect(scores.map((score) => [score.name, percent(score), score.explained])).toEqual([
      ['spec/a.ts', '50.0 %', 1],
      ['spec/b.ts', '100.0 %', 0],
      ['all', '66.7 %', 1],
    ]);
    const lines = tableOf(scores).split('\n');
    expect(new Set(lines.map((line) => line.length)).size).toBe(1);
  });

  it('knows explanations that are of no use', () => {
    const killed = { ...entry, change: '1 → 2' };
    const gone = { ...entry, source: 'x < 3' };
    const elsewhere = { ...entry, file: 'spec/c.ts' };
    expect(reasonFor([entry], one)).toBe('the same');
    expect(reasonFor([entry], two)).toBeUndefined();
    const all = [one, two, three];
    const given = [entry, killed, gone, elsewhere];
    expect(uselessEntries(given, all, outcomes)).toEqual([killed, gone]);
    expect(uselessEntries(given, all, [])).toEqual([gone]);
  });

  it('goes to its block of the README, which is there once', () => {
    const scores = scoresOf(outcomes, [entry]);
    const once = withBlock('# x\n\nMIT licence.\n', scores, 'npm run test:mutate');
    expect(once).toMatch(/^# x\n\n<!-- mutation -->\n\n[^]*<!-- \/mutation -->\n\nMIT licence.\n$/);
    expect(withBlock(once, scores, 'npm run test:mutate')).toBe(once);
    expect(once).toContain('**66.7 %** (2)');
  });
});
