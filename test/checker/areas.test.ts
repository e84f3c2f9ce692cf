/** vmalloc areas at the sizes that fill chunks, and failing at every page: told step by step. */
import { describe, expect, it } from 'vitest';
import { planOf } from '#model/generators';
import { NEWEST_KERNEL } from '#model/kernels';
import { SUBTREE_NAMES, maxPageOrder } from '#model/machines';
import type { MachineShape } from '#model/machines';
import type { Step } from '#model/step';
import { TraceRunner } from '#src/checker/run-trace';
import { Tally } from '#src/checker/tally';
import { INTENDED } from '#src/kho/decisions';
import type { Decisions } from '#src/kho/decisions';
import { KhoMachine } from '#src/kho/kho-machine';

const { compatible, release } = NEWEST_KERNEL;

const runnerWith = (decisions: Decisions): TraceRunner =>
  new TraceRunner(
    (machine) => new KhoMachine(machine, { compatible, release, decisions }, SUBTREE_NAMES),
    NEWEST_KERNEL,
  );

const intended = runnerWith(INTENDED);

/** Sixteen largest blocks on one node, three of them scratch. */
const shape = (pageShift: number): MachineShape => {
  const block = 2 ** maxPageOrder(pageShift);
  const scratch = { lowmem: block, global: block, perNode: block };
  return { pageShift, nodes: [16 * block], scratch };
};

const vmalloc = (blocks: number, order: number): Step => {
  return { id: 0, do: 'vmalloc', blocks, order, huge: order > 0, other: false, nth: 0 };
};

const jump = (id: number): Step[] => [
  { id, do: 'load' },
  { id: id + 1, do: 'kexec', damage: 0 },
];

/** Runs steps; answers the rule that broke, and how calls ended. */
const run = (runner: TraceRunner, pageShift: number, steps: readonly Step[]) => {
  const tally = new Tally();
  const { violation, executed } = runner.run(planOf({ machine: shape(pageShift), steps }), tally);
  const { outcomes } = tally;
  return { rule: violation?.rule.id, text: violation?.text, executed, outcomes };
};

const SIZES: readonly (readonly [number, number, number])[] = [
  ...[1, 510, 511, 512, 1022, 1023].map((blocks) => [12, blocks, 0] as const),
  ...[510, 511, 512].map((blocks) => [12, blocks, 4] as const),
  [12, 3, 9],
  ...[2046, 2047, 2048].map((blocks) => [14, blocks, 0] as const),
  [14, 3, 7],
  [16, 8191, 0],
  [16, 2, 13],
];

describe('an area', () => {
  it.each(SIZES)(
    'with pages of 2^%i bytes and %i blocks of order %i comes back whole, twice',
    (pageShift, blocks, order) => {
      const steps: Step[] = [
        vmalloc(blocks, order),
        { id: 1, do: 'write', of: 0, page: blocks * 2 ** order - 1 },
        { id: 2, do: 'preserve', of: 0 },
        { id: 3, do: 'unpreserve', of: 0 },
        { id: 4, do: 'preserve', of: 0 },
        ...jump(5),
        { id: 7, do: 'restore twisted', of: 0, twist: 1 },
        { id: 8, do: 'restore', of: 0 },
        { id: 9, do: 'restore', of: 0 },
        { id: 10, do: 'preserve', of: 0 },
        ...jump(11),
        { id: 13, do: 'restore', of: 0 },
        { id: 14, do: 'free', of: 0 },
      ];
      const { text, executed, outcomes } = run(intended, pageShift, steps);
      expect(text).toBeUndefined();
      expect(executed).toEqual(steps);
      expect(outcomes.get('preserveVmalloc')).toBe(3);
      expect(outcomes.get('restoreVmalloc')).toBe(2);
      expect(outcomes.get('restoreVmalloc -2')).toBe(2);
      expect(outcomes.get('vfree')).toBe(1);
    },
  );

  const short = (nth: number): Step[] => [
    vmalloc(511, 4),
    { id: 1, do: 'preserve short', of: 0, nth },
    { id: 2, do: 'preserve', of: 0 },
    { id: 3, do: 'clean up' },
  ];
  const NTHS = [1, 2, 3, 4, 5, 6, 7, 8];

  it.each(NTHS)('that could not be kept for page %i leaves nothing behind', (nth) => {
    expect(run(intended, 12, short(nth)).text).toBeUndefined();
  });

  it('is taken back by the order of its blocks when its last chunk cannot be had', () => {
    const forgetful = runnerWith({ ...INTENDED, undoneAreaOrder: () => 0 });
    const ends = NTHS.map((nth) => run(forgetful, 12, short(nth)));
    const refused = ends.filter(({ outcomes }) => outcomes.has('preserveVmalloc -12'));
    expect(refused.length).toBeGreaterThan(1);
    expect(new Set(refused.map(({ rule }) => rule))).toEqual(new Set([undefined, 'PRS-07']));
  });
});
