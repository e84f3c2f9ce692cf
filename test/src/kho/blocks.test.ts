/** Cutting a range into blocks: the fast reading agrees with the law's obvious one. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { eachBlock, firstOrder } from '#spec/blocks';
import type { Machine } from '#model/system';
import { blockOrder } from '#src/kho/blocks';
import { Topology } from '#src/kho/topology';

const END = 2 ** 32;

const machineOf = (borders: readonly number[]): Machine => {
  const cuts = [...new Set([0, ...borders, END])].sort((a, b) => a - b);
  return {
    pageShift: 12,
    nodes: cuts.slice(1).map((end, i) => ({ first: cuts[i]!, count: end - cuts[i]! })),
    end: END,
    maxOrder: 10,
    scratch: { lowmem: 0, global: 0, perNode: 0 },
    scratchAlign: 1,
    lowmemEnd: 2 ** 20,
    nameBytes: [],
  };
};

/** Frames that are interesting: small, beside powers of two, at the end, anywhere. */
const frame = fc.oneof(
  fc.nat({ max: 64 }),
  fc
    .tuple(fc.nat({ max: 32 }), fc.integer({ min: -3, max: 3 }))
    .map(([power, off]) => Math.min(END - 1, Math.max(0, 2 ** power + off))),
  fc.nat({ max: 20 }).map((back) => END - 1 - back),
  fc.double({ min: 0, max: 1, noNaN: true }).map((at) => Math.min(END - 1, Math.floor(at * END))),
);
const range = fc
  .tuple(frame, frame)
  .map(([a, b]) => ({ first: Math.min(a, b), count: Math.abs(a - b) + 1 }));

describe('the first block of a range', () => {
  it('is the one that the law names, on any machine up to 16 TiB', () => {
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 3 }), range, (borders, { first, count }) => {
        const machine = machineOf(borders);
        const order = blockOrder(new Topology(machine), first, first + count, true);
        expect(order).toBe(firstOrder(machine, first, count));
      }),
      { numRuns: 3000 },
    );
  });

  it('is the largest aligned one that fits when nodes are ignored', () => {
    const flat = machineOf([]);
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 3 }), range, (borders, { first, count }) => {
        const order = blockOrder(new Topology(machineOf(borders)), first, first + count, false);
        expect(order).toBe(firstOrder(flat, first, count));
      }),
      { numRuns: 1000 },
    );
  });

  it('follows one after the other without gap until the range ends', () => {
    const small = fc.tuple(fc.nat({ max: 300 }), fc.integer({ min: 1, max: 300 }));
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 600 })), small, (borders, [first, count]) => {
        const machine = machineOf(borders);
        const topology = new Topology(machine);
        const law: [number, number][] = [];
        eachBlock(machine, first, count, (head, order) => law.push([head, order]));
        const cut: [number, number][] = [];
        for (let head = first; head < first + count;) {
          const order = blockOrder(topology, head, first + count, true);
          cut.push([head, order]);
          head += 2 ** order;
        }
        expect(cut).toEqual(law);
      }),
      { numRuns: 300 },
    );
  });
});
