/**
 * Every boundary value of KHO's history that the core has is met by ordinary traces of its kernels.
 *
 * Traces are run, in the order in which they are drawn, until every value was met; rare machines
 * are picked out of many, as most traces on others would add nothing.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { machineShapes, tracePlans } from '#model/generators';
import type { TracePlan } from '#model/generators';
import { kernelByName } from '#model/kernels';
import { runnerFor } from '#src/cli/systems';
import { Boundaries } from '../model/boundary-collector.ts';

const HALF_AN_HOUR = 1_800_000;
/** Machines of more frames than this are those of terabytes. */
const VAST_FRAMES = 2 ** 24;

const isAny = (): boolean => true;
const isVast = ({ machine }: TracePlan): boolean =>
  machine.nodes.reduce((sum, count) => sum + count, 0) > VAST_FRAMES;
const hasManyNames = ({ machine }: TracePlan): boolean => machine.manyNames === true;
const hasRegions = (plan: TracePlan): boolean =>
  isVast(plan) && plan.machine.reserveMem?.some((line) => line.includes('2G:2G')) === true;

const counts = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, i) => from + i);

const OF_ANY = [
  ...[0, 1, 510, 511, 512, 1022, 1023].flatMap((n) => [`range of ${n} pages`]),
  ...[510, 511, 512, 1022, 1023].map((n) => `area of ${n} pages`),
  ...[0, 9, 10, 11].map((order) => `order ${order}`),
  ...counts(1, 13).map((k) => `pfn 2^${k}`),
  ...counts(2, 12).map((k) => `pfn 2^${k}-1`),
  ...['-1', '+0', '+1'].map((off) => `range at a node border ${off}`),
  ...[4095, 4096, 32767, 32768].map((index) => `bitmap index ${index}`),
  'pfn 0',
  'pfn 1',
  'range across a border within a block',
  "names 'a' and 'a@1'",
  'region of a page across two',
  'region of 2048 bytes',
];

/** What is on the machines of terabytes: kept and taken back, or refused and nothing left of it. */
const OF_VAST = [
  ...counts(16, 30).map((order) => `order ${order}`),
  ...counts(18, 31).map((order) => `order ${order} refused`),
  ...counts(14, 31).map((k) => `pfn 2^${k}`),
];

const OF_NAMES = [
  ...counts(1, 31).map((chars) => `name of ${chars} chars`),
  ...[3, 8, 15, 31].map((chars) => `page full of names of ${chars} chars, two property`),
];

const OF_CHUNKS = [254, 255, 256].map((entries) => `chunk entries ${entries}`);

const OF_IN_PLACE_TREES = [3, 8, 15, 31].map(
  (chars) => `page full of names of ${chars} chars, one property`,
);

/** Names, one property each, that a tree of 6.16 to 6.18 has room for, and one more. */
const OF_TREES_AT_ONCE = [
  [3, 123],
  [8, 98],
  [15, 89],
  [31, 65],
].flatMap(([chars, most]) => [
  `${most} names of ${chars} chars`,
  `more than ${most} names of ${chars} chars refused`,
]);

const OF_REGIONS = [2, 4].map((gib) => `region of ${gib * 2 ** 30} bytes`);

const CASES = [
  ['7.3', 12, 'of any kind', isAny, 3000, OF_ANY],
  ['7.3', 12, 'of 16 TiB', isVast, 40_000, OF_VAST],
  ['7.3', 12, 'with many names', hasManyNames, 20_000, OF_NAMES],
  ['6.17', 12, 'of 16 TiB', isVast, 40_000, OF_CHUNKS],
  ['6.18', 12, 'of 16 TiB', isVast, 40_000, OF_CHUNKS],
  ['7.0', 12, 'with many names', hasManyNames, 20_000, OF_IN_PLACE_TREES],
  ['6.18', 12, 'with many names', hasManyNames, 60_000, OF_TREES_AT_ONCE],
  ['7.3', 16, 'with regions of gigabytes', hasRegions, 40_000, OF_REGIONS],
] as const;

describe('boundary values are met', () => {
  test.each(CASES)(
    'by Linux %s with pages of 2^%i bytes on machines %s',
    (kernel, pageShift, _kind, suits, numRuns, values) => {
      const runner = runnerFor(kernelByName(kernel)!, []);
      const boundaries = new Boundaries();
      const isMet = (value: string): boolean => boundaries.met.has(value);
      const plans = tracePlans(machineShapes({ nodesMin: 1, nodesMax: 4, pageShift }), 100);
      for (const plan of fc.sample(plans, { seed: 1, numRuns })) {
        if (!suits(plan)) continue;
        expect(boundaries.run(runner, plan)).toBeUndefined();
        if (values.every(isMet)) return;
      }
      expect(values.filter((value) => !isMet(value))).toEqual([]);
    },
    HALF_AN_HOUR,
  );
});
