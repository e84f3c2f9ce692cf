/**
 * The boundary values that KHO's history made dangerous are drawn by the ordinary generators.
 *
 * Each value stands here by name; one that nothing draws any more is red. What machines have is
 * looked for among drawn machines, what steps do in traces that are run. Values that only show in
 * many traces are in `test/campaigns/boundary-values.slow.ts`.
 */
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { machineShapes, tracePlans } from '#model/generators';
import type { TracePlan } from '#model/generators';
import { NEWEST_KERNEL } from '#model/kernels';
import { PAGE_SHIFTS, maxPageOrder } from '#model/machines';
import type { MachineShape } from '#model/machines';
import { roomOf } from '#model/tight-scratch';
import { runnerFor } from '#src/cli/systems';
import { Boundaries } from './boundary-collector.ts';

/** Machines that are drawn by page size; regions of gigabytes have room where pages are large. */
const SHAPES_DRAWN = { 12: 700, 14: 500, 16: 1500 } as const;
const TRACES_MAX = 120;

const framesOf = ({ nodes }: MachineShape): number => nodes.reduce((sum, count) => sum + count, 0);

const draw = (pageShift: number, numRuns: number): readonly TracePlan[] =>
  fc.sample(tracePlans(machineShapes({ nodesMin: 1, nodesMax: 4, pageShift }), 100), {
    seed: 1,
    numRuns,
  });

describe('machines are drawn', () => {
  const shapes = new Map<number, readonly MachineShape[]>();
  beforeAll(() => {
    for (const shift of PAGE_SHIFTS) {
      const plans = draw(shift, SHAPES_DRAWN[shift]);
      shapes.set(
        shift,
        plans.map(({ machine }) => machine),
      );
    }
  });
  const some = (test: (shape: MachineShape) => boolean): boolean =>
    [...shapes.values()].some((drawn) => drawn.some(test));

  it.each([
    '0%',
    '4294967295%',
    '4294967296%',
    '0000000200%',
    '00000000200%',
    '0,0,0',
    '0,512M,0',
    '1M,5M,3M',
    '1M,2M',
    '1M,2M,3M,4M',
    '1M,2M,3Mx',
  ])('with kho_scratch=%s', (value) => {
    expect(some(({ scratchLines }) => scratchLines?.includes(value) === true)).toBe(true);
  });

  it.each(['2048:64', '4096:64', '2G:2G', '4G:4G', '4K:2G', '4K:4G'])(
    'with reserve_mem=%s',
    (value) => {
      const named = ({ reserveMem = [] }: MachineShape): boolean =>
        reserveMem.some((line) => line.split(' ').some((each) => each.startsWith(`${value}:`)));
      expect(some(named)).toBe(true);
    },
  );

  it.each([
    [1, 1],
    [1, 2],
    [2, 1],
    [2, 2],
  ])('with a device tree of %i address cells and %i size cells', (address, size) => {
    expect(some(({ cells }) => cells?.[0] === address && cells[1] === size)).toBe(true);
  });

  it('of 16 TiB with pages of every size, of one to four nodes', () => {
    const nodes = new Set<number>();
    for (const shift of PAGE_SHIFTS) {
      const vast = shapes.get(shift)!.filter((shape) => framesOf(shape) === 2 ** (44 - shift));
      expect(vast.length).toBeGreaterThan(0);
      for (const shape of vast) nodes.add(shape.nodes.filter((count) => count > 0).length);
    }
    expect([...nodes].sort((a, b) => a - b)).toEqual([1, 2, 3, 4]);
  });

  it.each(PAGE_SHIFTS)('with nodes that meet amid a block, with pages of 2^%i bytes', (shift) => {
    const block = 2 ** maxPageOrder(shift);
    const borders = shapes.get(shift)!.map(({ nodes }) => nodes[0]! % block);
    expect(borders.some((frames) => frames % 2 === 1)).toBe(true);
    expect(borders).toContain(0);
  });

  it('with scratch that takes all of a node, and one unit more', () => {
    for (const more of [0, 1]) {
      const tight = ({ nodes, pageShift, scratchLines }: MachineShape): boolean => {
        const block = 2 ** maxPageOrder(pageShift);
        const asked = (roomOf(nodes, 1, block) + more * block) * 2 ** (pageShift - 10);
        return scratchLines?.some((line) => line?.endsWith(`,${asked}K`) === true) === true;
      };
      expect(some((shape) => shape.nodes.length >= 3 && tight(shape))).toBe(true);
    }
  });
});

/** What is common: hardly more than a quarter of the traces that are allowed meets all of it. */
const COMMON = [
  ...[0, 1].map((pages) => `range of ${pages} pages`),
  ...[510, 512, 1022, 1023].map((pages) => `area of ${pages} pages`),
  ...[0, 9, 10, 11].map((order) => `order ${order}`),
  'pfn 0',
  'range across a border within a block',
  'region of a page across two',
];

it(`the first ${TRACES_MAX} traces meet what is common`, () => {
  const runner = runnerFor(NEWEST_KERNEL, []);
  const boundaries = new Boundaries();
  for (const plan of draw(12, TRACES_MAX)) {
    expect(boundaries.run(runner, plan)).toBeUndefined();
    if (COMMON.every((value) => boundaries.met.has(value))) return;
  }
  expect(COMMON.filter((value) => !boundaries.met.has(value))).toEqual([]);
}, 300_000);
