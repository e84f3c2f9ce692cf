/** Small edits of a kernel tree: each is told of as what it is, and nothing else is an error. */
import { describe, expect, it } from 'vitest';
import { diffAbi } from '#src/abi/diff/diff';
import { abiOn } from '#src/abi/headers/description';
import { readAbi } from '#src/abi/headers/read';
import { baseline } from '../baselines.ts';
import { edited, EDITS, sourcesFor } from './edits.ts';
import { render, type Tree } from './render.ts';

const TREE = render(baseline('7.3'));

const read = (tree: Tree) => readAbi([...tree].map(([path, text]) => ({ path, text })));

const OLD = read(TREE);

describe('a tree that is rendered from a baseline', () => {
  it('declares what the baseline says, on every machine with KHO', () => {
    expect(OLD.problems).toEqual([]);
    for (const target of ['x86_64-4k', 'arm64-4k', 'arm64-16k', 'arm64-64k']) {
      const [made, wanted] = [abiOn(OLD, target)!, abiOn(baseline('7.3'), target)!];
      expect(made.layouts).toEqual(wanted.layouts);
      expect(made.constants).toEqual(wanted.constants);
    }
    const { outcome, findings } = diffAbi(baseline('7.3'), OLD);
    expect(findings.filter(({ severity }) => severity === 'error')).toEqual([]);
    expect(outcome).toEqual({ oldToNew: 'same', newToOld: 'same' });
  });
});

describe('an edit', () => {
  it('has a name of its own, and there are many', () => {
    expect(new Set(EDITS.map(({ name }) => name)).size).toBe(EDITS.length);
    expect(EDITS.length).toBeGreaterThanOrEqual(60);
  });

  it.each(EDITS.map((edit) => [edit.name, edit] as const))('%s', (_, edit) => {
    const tree = sourcesFor(TREE, edit);
    const next = read(edited(tree, edit));
    const { findings, outcome } = diffAbi(tree === TREE ? OLD : read(tree), next);
    expect(next.problems).toEqual([]);
    const rules = findings.filter(({ severity }) => severity === 'error').map(({ rule }) => rule);
    const broken = [...new Set(rules.filter((rule) => rule !== 'VERSION-01'))].sort();
    expect(broken).toEqual([...(edit.errors ?? [])].sort());
    const needsVersion = broken.some((rule) => !rule.startsWith('VERSION'));
    expect(rules.includes('VERSION-01')).toBe(needsVersion);
    const told = findings.map(({ rule }) => rule);
    for (const rule of edit.tells ?? []) expect(told).toContain(rule);
    if (edit.outcome !== undefined) expect(outcome.oldToNew).toBe(edit.outcome);
  });
});
