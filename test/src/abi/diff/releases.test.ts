/** What comparisons of released kernels say: who may follow whom, and who forgot a new version. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { generationById } from '#src/abi/description/generations';
import { diffAbi, type AbiDiff } from '#src/abi/diff/diff';
import type { AbiFinding } from '#src/abi/diff/finding';
import { ABI_RULES } from '#src/abi/diff/rules';
import { outcomeOf } from '#src/abi/verdict/pairs';
import { baseline, KERNELS } from '../baselines.ts';

const MATRIX = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../../fixtures/abi-matrix.json'), 'utf8'),
) as { outcome: Readonly<Record<string, string[]>> };

const LETTERS = { same: '=', refused: 'R', misread: 'C', panic: 'P', ignored: 'L' } as const;

const made = new Map<string, AbiDiff>();

const diff = (old: string, next: string): AbiDiff => {
  const key = `${old} ${next}`;
  const known = made.get(key) ?? diffAbi(baseline(old), baseline(next));
  made.set(key, known);
  return known;
};

const errors = (old: string, next: string): readonly AbiFinding[] =>
  diff(old, next).findings.filter(({ severity }) => severity === 'error');

const named = (findings: readonly AbiFinding[]): readonly string[] =>
  findings.map(({ rule, subject }) => `${rule} ${subject}`);

describe('every pair of releases', () => {
  it.each(KERNELS)('%s: ends as the reference says, either way', (old) => {
    for (const next of KERNELS) {
      const { outcome } = diff(old, next);
      const wanted = MATRIX.outcome[old]![KERNELS.indexOf(next)];
      const back = MATRIX.outcome[next]![KERNELS.indexOf(old)];
      const said = [LETTERS[outcome.oldToNew], LETTERS[outcome.newToOld]];
      expect([old, next, ...said]).toEqual([old, next, wanted, back]);
      const known = outcomeOf(generationById(old)!, generationById(next)!, 12);
      expect(outcome.oldToNew).toBe(known.outcome);
    }
  });

  it.each(KERNELS)('%s: is told nothing about itself but what comments say', (kernel) => {
    const { findings } = diff(kernel, kernel);
    expect(findings.filter(({ category }) => category !== 'DOC')).toEqual([]);
    expect(findings.filter(({ severity }) => severity !== 'info')).toEqual([]);
  });
});

describe('releases that forgot a new version', () => {
  it('are 6.18 and 7.0, and no others', () => {
    const steps = KERNELS.slice(1).map((next, at) => [KERNELS[at]!, next] as const);
    const wrong = steps.filter(([old, next]) => errors(old, next).length > 0);
    expect(wrong).toEqual([
      ['6.17', '6.18'],
      ['6.19', '7.0'],
    ]);
  });

  it('6.18: bitmaps of another size under kho-v1, and other test data under kho-test-v1', () => {
    expect(named(errors('6.17', '6.18'))).toEqual([
      'WIRE-02 struct kho_mem_phys_bits.preserve',
      'WIRE-09 PRESERVE_BITS',
      'GRAMMAR-04 kho_test property folios_info',
      'VERSION-01 kho',
      'VERSION-01 kho-test',
    ]);
  });

  it('7.0: a node that is demanded under luo-v1', () => {
    expect(named(errors('6.19', '7.0'))).toEqual([
      'GRAMMAR-01 LUO node luo-flb',
      'GRAMMAR-01 LUO property luo-flb-header',
      'VERSION-01 luo',
    ]);
    expect(diff('6.19', '7.0').outcome).toEqual({ oldToNew: 'panic', newToOld: 'ignored' });
  });
});

describe('changes that came with a new version', () => {
  it('7.1: are covered by the versions of the root and of memfds', () => {
    const covered = diff('7.0', '7.1').findings.filter(({ rule }) => rule === 'VERSION-07');
    expect(covered.map(({ subject }) => subject).sort()).toEqual(['kho', 'memfd']);
  });

  it('7.2: a member that leads to another structure is one of them', () => {
    const found = diff('7.1', '7.2').findings.find(({ rule }) => rule === 'MEANING-01');
    expect([found?.subject, found?.severity]).toEqual(['struct luo_file_set_ser.files', 'info']);
  });

  it('7.3: there are none, and what was renamed and moved is information', () => {
    const { findings } = diff('7.2', '7.3');
    expect(new Set(findings.map(({ severity }) => severity))).toEqual(new Set(['info']));
    const rules = findings.map(({ rule }) => rule).filter((rule) => rule.startsWith('SOURCE'));
    expect(rules).toEqual(['SOURCE-03', 'SOURCE-04', 'SOURCE-04']);
  });
});

describe('comments that disagree with the code', () => {
  it.each([
    ['7.3', 'DOC-01', 'kho-v3'],
    ['7.1', 'DOC-01', 'luo-session-v1'],
    ['6.19', 'DOC-02', 'struct luo_session_header_ser'],
    ['7.0', 'DOC-03', 'LUO_SESSION_COMPATIBLE'],
    ['7.3', 'DOC-04', 'struct kho_radix_node'],
    ['7.3', 'DOC-05', 'struct luo_file_set_ser struct kho_block_header_ser'],
    ['7.3', 'DOC-05', 'struct memfd_luo_ser struct kho_vmalloc'],
    ['6.18', 'DOC-06', 'kho.yaml'],
    ['7.3', 'DOC-07', 'u64 as cells'],
  ])('%s: %s about %s', (release, rule, subject) => {
    const { docs } = baseline(release);
    expect(docs.map((found) => `${found.rule} ${found.subject}`)).toContain(`${rule} ${subject}`);
  });
});

describe('rules', () => {
  it('have an id of their own and a sentence each', () => {
    const ids = ABI_RULES.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { says } of ABI_RULES) expect(says).toMatch(/^[A-Z].*[^.]\.$/);
  });

  it('are the ones that findings name', () => {
    const known = new Set(ABI_RULES.map(({ id }) => id));
    for (const old of KERNELS) {
      for (const next of KERNELS) {
        for (const { rule } of diff(old, next).findings) expect(known).toContain(rule);
      }
    }
  });
});
