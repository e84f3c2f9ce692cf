/** Short memory, large ranges, and the end: traces told step by step, each of which must hold. */
import { describe, expect, it } from 'vitest';
import { planOf } from '#model/generators';
import { NEWEST_KERNEL } from '#model/kernels';
import { plainShape } from '#model/machines';
import type { MachineShape } from '#model/machines';
import type { Step } from '#model/step';
import { Tally } from '#src/checker/tally';
import { runnerFor } from '#src/cli/systems';

const runner = runnerFor(NEWEST_KERNEL, []);

/** Runs steps on a machine; they all execute, no rule breaks. Answers the outcomes of all calls. */
const run = (machine: MachineShape, steps: readonly Step[]): ReadonlyMap<string, number> => {
  const tally = new Tally();
  const { violation, executed } = runner.run(planOf({ machine, steps }), tally);
  expect(violation?.text).toBeUndefined();
  expect(executed).toEqual(steps);
  return tally.outcomes;
};

const crooked: MachineShape = { ...plainShape(), nodes: [8193, 8191] };
const jump = (id: number): Step[] => [
  { id, do: 'load' },
  { id: id + 1, do: 'kexec', damage: 0 },
];

describe('a request for a page that fails', () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8])('changes nothing when it is number %i', (nth) => {
    const place = { at: 'slot', slot: 2, back: 21 } as const;
    const outcomes = run(crooked, [
      { id: 0, do: 'claim', place, count: 64 },
      { id: 1, do: 'preserve short', of: 0, nth },
      { id: 2, do: 'preserve', of: 0 },
      ...jump(3),
      { id: 5, do: 'restore', of: 0 },
      { id: 6, do: 'clean up' },
    ]);
    expect(outcomes.get('preservePages -12')).toBe(1);
    expect(outcomes.get('preservePages')).toBe(1);
  });
});

describe('memory that has run out', () => {
  it('refuses what needs a page and nothing else', () => {
    const outcomes = run(plainShape(), [
      { id: 0, do: 'alloc', node: 0, order: 0, movable: false },
      { id: 1, do: 'alloc', node: 0, order: 3, movable: false },
      { id: 2, do: 'preserve', of: 0 },
      { id: 3, do: 'hog', node: -1, spare: 0 },
      { id: 4, do: 'preserve', of: 1 },
      { id: 5, do: 'alloc', node: -1, order: 0, movable: false },
      { id: 6, do: 'alloc', node: -1, order: 10, movable: true },
      { id: 7, do: 'add subtree', of: 0, name: 2, bytes: 1 },
      { id: 8, do: 'relief' },
      { id: 9, do: 'preserve', of: 1 },
      ...jump(10),
      { id: 12, do: 'restore', of: 1 },
    ]);
    expect(outcomes.get('preserveFolio -12')).toBe(1);
    expect(outcomes.get('preserveFolio')).toBe(2);
    expect(outcomes.get('allocPages -12')).toBe(1);
    expect(outcomes.get('addSubtree')).toBe(1);
  });

  it('is refused in the middle of a range that needs more than is left', () => {
    const place = { at: 'slot', slot: 2, back: 31 } as const;
    const outcomes = run(plainShape(), [
      { id: 0, do: 'claim', place, count: 63 },
      { id: 1, do: 'hog', node: -1, spare: 4 },
      { id: 2, do: 'preserve', of: 0 },
      { id: 3, do: 'clean up' },
      { id: 4, do: 'hog', node: -1, spare: 0 },
    ]);
    expect(outcomes.get('preservePages -12')).toBe(1);
    expect(outcomes.has('allocPages -12')).toBe(false);
  });
});

describe('a range larger than any block of the page allocator', () => {
  it.each([11, 12, 13, 14, 15])('of order %i crosses over and comes back', (order) => {
    const machine = { ...plainShape(512), scratch: plainShape().scratch };
    const outcomes = run(machine, [
      { id: 0, do: 'claim large', order },
      { id: 1, do: 'write', of: 0, page: 2 ** order - 1 },
      { id: 2, do: 'preserve', of: 0 },
      ...jump(3),
      { id: 5, do: 'restore', of: 0 },
      { id: 6, do: 'preserve', of: 0 },
      { id: 7, do: 'unpreserve', of: 0 },
      { id: 8, do: 'free', of: 0 },
      { id: 9, do: 'alloc', node: 0, order: 10, movable: false },
    ]);
    expect(outcomes.get('restorePages')).toBe(1);
  });
});

describe('no pages at all', () => {
  it.each([0, 1])('are preserved, taken back and restored; inside scratch they are not', (back) => {
    const outcomes = run(plainShape(), [
      { id: 0, do: 'preserve nothing', place: { at: 'slot', slot: 1, back: 0 } },
      { id: 1, do: 'preserve nothing', place: { at: 'end of scratch', area: 0, back } },
    ]);
    expect(outcomes.get('preservePages -22') ?? 0).toBe(back);
    expect(outcomes.get('restorePages')).toBe(2);
  });
});

describe('a clean-up', () => {
  it('leaves nothing of all that there was, held, named, hogged or kept', () => {
    const outcomes = run(crooked, [
      { id: 0, do: 'alloc', node: 1, order: 2, movable: false },
      { id: 1, do: 'preserve', of: 0 },
      { id: 2, do: 'claim', place: { at: 'slot', slot: 2, back: 3 }, count: 9 },
      { id: 3, do: 'preserve', of: 2 },
      ...jump(4),
      { id: 6, do: 'restore', of: 0 },
      { id: 7, do: 'preserve', of: 0 },
      { id: 8, do: 'add subtree', of: 0, name: 2, bytes: 1 },
      { id: 9, do: 'hog', node: 0, spare: 3 },
      { id: 10, do: 'clean up' },
      { id: 11, do: 'hog', node: 0, spare: 0 },
      { id: 12, do: 'hog', node: 1, spare: 0 },
    ]);
    expect(outcomes.get('removeSubtree')).toBe(1);
    expect(outcomes.get('restorePages')).toBe(1);
    expect(outcomes.has('allocPages -12')).toBe(false);
  });
});
