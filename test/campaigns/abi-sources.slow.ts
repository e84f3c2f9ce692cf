/**
 * The header reader and the comparison on real kernel sources, and beside abidiff.
 *
 * Before 7.1 part of the ABI stands in source files, so packages of headers alone would not do.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { diffAbi } from '#src/abi/diff/diff';
import type { AbiDescription } from '#src/abi/headers/description';
import { readAbi } from '#src/abi/headers/read';
import { readSide, treeFiles } from '#src/cli/abi-sources';
import { baseline, KERNELS } from '../src/abi/baselines.ts';
import { edited, EDITS, sourcesFor, type Edit } from '../src/abi/diff/edits.ts';
import { render, type Tree } from '../src/abi/diff/render.ts';
import { abidiff, debianTree } from './debian-sources.ts';

const trees = new Map(
  KERNELS.flatMap((series) => {
    const tree = debianTree(series);
    return tree === undefined ? [] : [[series, tree] as const];
  }),
);
const gone = KERNELS.filter((series) => !trees.has(series));
const served = [...trees.keys()];

const readTree = (tree: Tree): AbiDescription =>
  readAbi([...tree].map(([path, text]) => ({ path, text })));

describe('sources that Debian serves', () => {
  it('are enough to compare', (context) => {
    console.log(`read: ${served.join(', ') || 'none'}; not served: ${gone.join(', ') || 'none'}`);
    if (served.length < 2) context.skip(`inconclusive: only ${served.length} of 8 are served`);
  });

  it.each(served)('%s: is what its baseline says', (series) => {
    const { abi } = readSide(trees.get(series)!);
    expect([abi.problems, abi.unknownOptions, abi.missing]).toEqual([[], [], []]);
    expect(abi.targets).toEqual(baseline(series).targets);
    expect(abi.tree.map(({ file: _, line: __, ...item }) => item)).toEqual(
      baseline(series).tree.map(({ file: _, line: __, ...item }) => item),
    );
    const { outcome, findings } = diffAbi(baseline(series), abi);
    expect(outcome).toEqual({ oldToNew: 'same', newToOld: 'same' });
    expect(findings.filter(({ severity }) => severity === 'error')).toEqual([]);
  });

  it('become of each other what the baselines say', () => {
    for (const old of served) {
      for (const next of served) {
        const real = diffAbi(readSide(trees.get(old)!).abi, readSide(trees.get(next)!).abi);
        expect(real.outcome).toEqual(diffAbi(baseline(old), baseline(next)).outcome);
      }
    }
  });
});

/** Whether an edit breaks something, as this says. */
const alarm = (old: AbiDescription, next: AbiDescription): boolean =>
  diffAbi(old, next).findings.some(({ severity }) => severity === 'error');

describe('edits of the newest real tree', () => {
  const newest = served.includes('7.3') ? trees.get('7.3') : undefined;
  const files: Tree = new Map(
    (newest ? treeFiles(newest) : []).map(({ path, text }) => [path, text]),
  );

  it.each(EDITS.filter(({ rendered }) => !rendered).map((edit) => [edit.name, edit] as const))(
    '%s',
    (_, edit, context?: { skip: (why: string) => void }) => {
      if (newest === undefined) {
        context?.skip('7.3 is not served');
        return;
      }
      const tree = sourcesFor(files, edit);
      const { findings, outcome } = diffAbi(readTree(tree), readTree(edited(tree, edit)));
      const errors = findings
        .filter(({ severity }) => severity === 'error')
        .map(({ rule }) => rule);
      expect(errors.length > 0).toBe((edit.errors ?? []).length > 0);
      for (const rule of edit.errors ?? []) expect(errors).toContain(rule);
      for (const rule of edit.tells ?? [])
        expect(findings.map((each) => each.rule)).toContain(rule);
      if (edit.outcome !== undefined) expect(outcome.oldToNew).toBe(edit.outcome);
    },
  );
});

/** What a header needs that stands alone, on x86-64. */
const PRELUDE = `
typedef signed char s8; typedef unsigned char u8; typedef unsigned short u16; typedef int s32;
typedef unsigned int u32; typedef unsigned long long u64; typedef u64 __u64; typedef u64 __be64;
typedef u64 phys_addr_t;
#define PAGE_SHIFT 12
#define PAGE_SIZE (1ul << PAGE_SHIFT)
#define ALIGN(a, b) (((a) + (b) - 1) / (b) * (b))
#define DIV_ROUND_UP(a, b) (((a) + (b) - 1) / (b))
#define BIT(n) (1ul << (n))
#define __packed __attribute__((packed))
#define __aligned(n) __attribute__((aligned(n)))
`;

const directory = mkdtempSync(join(tmpdir(), 'kho-check-abidiff-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** An object with a pointer to every structure of a tree; undefined where gcc refuses it. */
const compiled = (tree: Tree, name: string): string | undefined => {
  const headers = [...tree].filter(([path]) => path.endsWith('.h') && path.includes('include/'));
  const first = (path: string): number => (path.endsWith('abi/kexec_handover.h') ? 0 : 1);
  headers.sort(([a], [b]) => first(a) - first(b));
  const text = headers.map(([, header]) => header).join('\n');
  const structs = [...text.matchAll(/^(struct \w+) \{/gm)].map(([, struct]) => struct!);
  const pointers = structs.map((struct) => `${struct} *p_${struct.slice(7)};\n`).join('');
  const [source, object] = [join(directory, `${name}.c`), join(directory, `${name}.o`)];
  writeFileSync(source, `${PRELUDE}${text}\n${pointers}`);
  const { status } = spawnSync('gcc', ['-g', '-c', '-w', source, '-o', object]);
  return status === 0 ? object : undefined;
};

const rate = (hits: number, all: number): string =>
  all === 0 ? 'none' : `${((100 * hits) / all).toFixed(1)} %`;

interface Tally {
  right: number;
  missed: number;
  wrong: number;
}

describe('beside abidiff', () => {
  it('precision and recall on the same edits', (context) => {
    const other = abidiff();
    if (other === undefined) {
      context.skip('abidiff is not to be had');
      return;
    }
    const base = render(baseline('7.3'));
    const old = readTree(base);
    const object = compiled(base, 'old')!;
    const ours: Tally = { right: 0, missed: 0, wrong: 0 };
    const theirs: Tally = { right: 0, missed: 0, wrong: 0 };
    const count = (tally: Tally, said: boolean, truth: boolean): void => {
      if (said && truth) tally.right++;
      else if (truth) tally.missed++;
      else if (said) tally.wrong++;
    };
    let tried = 0;
    EDITS.forEach((edit: Edit, at) => {
      if (edit.headersOnly) return;
      const tree = edited(base, edit);
      const next = compiled(tree, `new${at}`);
      if (next === undefined) return;
      tried++;
      const truth = (edit.errors ?? []).length > 0;
      count(ours, alarm(old, readTree(tree)), truth);
      const { status } = spawnSync(other.command, [object, next], {
        env: { ...process.env, ...other.env },
      });
      count(theirs, ((status ?? 0) & 4) !== 0, truth);
    });
    const line = (name: string, { right, missed, wrong }: Tally): string =>
      `${name}: precision ${rate(right, right + wrong)}, recall ${rate(right, right + missed)}`;
    console.log(`${tried} edits; ${line('kho-check', ours)}; ${line('abidiff', theirs)}`);
    expect(tried).toBeGreaterThanOrEqual(60);
    expect(ours).toEqual({ right: theirs.right + theirs.missed, missed: 0, wrong: 0 });
  });
});
