/** A kernel that is only described is run as it is described. */
import { describe, expect, it } from 'vitest';
import { generationById } from '#src/abi/description/generations';
import { generationOf } from '#src/abi/diff/generation-of';
import type { AbiDescription } from '#src/abi/headers/description';
import { kernelOf } from '#src/cli/abi-kernel';
import { describedWitness } from '#src/cli/abi-witness';
import { baseline, KERNELS } from '../src/abi/baselines.ts';

describe('a generation as its sources describe it', () => {
  it.each(KERNELS)('%s: is the one that the implementation is driven by', (release) => {
    const known = generationById(release)!;
    expect(generationOf(baseline(release), known)).toEqual(known);
  });

  it.each([
    ['6.17', '6.18'],
    ['6.19', '7.0'],
    ['7.1', '7.2'],
  ])('%s becomes %s in what the sources of that say', (old, next) => {
    const [from, to] = [generationById(old)!, generationById(next)!];
    const { tracker, compatible, subtree, root } = generationOf(baseline(next), from);
    expect([tracker, compatible, subtree, root.map]).toEqual([
      from.tracker.kind === to.tracker.kind ? { ...from.tracker, ...sizeOf(to) } : from.tracker,
      to.compatible,
      to.subtree,
      to.root.map,
    ]);
  });
});

const sizeOf = ({ tracker }: { readonly tracker: object }): object =>
  'bitmapBytes' in tracker ? { bitmapBytes: tracker.bitmapBytes } : {};

/** A description as if it were of another release, with some strings changed. */
const described = (
  release: string,
  kernel: string,
  strings: Readonly<Record<string, string>> = {},
): AbiDescription => {
  const abi = baseline(release);
  const constants = abi.constants.map((each) => ({
    ...each,
    text: strings[each.name] ?? each.text,
  }));
  return { ...abi, kernel, constants };
};

describe('handovers to a kernel that is only described', () => {
  it.each([
    ['7.3', described('7.3', '7.3'), 'same'],
    ['7.3', described('7.3', '7.3', { KHO_FDT_COMPATIBLE: 'kho-v5' }), 'refused'],
    ['7.3', described('7.3', '7.3', { LUO_ABI_COMPATIBLE: 'luo-v6' }), 'panic'],
    ['7.3', described('7.3', '7.3', { KHO_SUB_TREE_PROP_NAME: 'preserved-blob' }), 'misread'],
    ['6.17', described('6.18', '6.17'), 'misread'],
    ['6.19', described('7.0', '6.19'), 'panic'],
  ])('of %s end as that says (%#)', (writer, abi, outcome) => {
    const found = describedWitness(writer, abi, 1, false)!;
    expect([found.outcome, found.traces]).toEqual([outcome, 1]);
    expect(found.reader).toContain('as described');
  });

  it('are not run where the writer is not modelled', () => {
    expect(describedWitness(undefined, baseline('7.3'), 1)).toBe(undefined);
    expect(kernelOf(described('7.3', '7.3', { KHO_FDT_COMPATIBLE: 'kho-v5' }))).toBe(undefined);
    expect(kernelOf(baseline('7.2'))).toBe('7.2');
  });
});
