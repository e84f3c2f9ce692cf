/** Sparse bits are a set, and blocks of the table are found by every frame of theirs. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BlockTable } from '#src/kho/block-table';
import { SparseBits } from '#src/kho/sparse-bits';

describe('sparse bits', () => {
  it('are a set of numbers', () => {
    const number = fc.oneof(
      fc.nat({ max: 40 }),
      fc.integer({ min: 2 ** 32 - 40, max: 2 ** 32 - 1 }),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(number, fc.boolean())), (changes) => {
        const bits = new SparseBits();
        const set = new Set<number>();
        for (const [at, isAdded] of changes) {
          if (isAdded) bits.add(at);
          else bits.delete(at);
          if (isAdded) set.add(at);
          else set.delete(at);
          expect(bits.has(at)).toBe(set.has(at));
        }
        for (let at = 0; at <= 40; at++) expect(bits.has(at)).toBe(set.has(at));
      }),
    );
  });
});

describe('the block table', () => {
  it.each([0, 2 ** 31, 2 ** 32 - 2 ** 14])(
    'finds blocks of every order from frame %i on',
    (base) => {
      const block = fc.record({ order: fc.nat({ max: 13 }), at: fc.nat({ max: 2 ** 13 - 1 }) });
      fc.assert(
        fc.property(fc.array(block, { maxLength: 12 }), (blocks) => {
          const table = new BlockTable(13);
          const there: { first: number; order: number }[] = [];
          for (const { order, at } of blocks) {
            const first = base + Math.floor(at / 2 ** order) * 2 ** order;
            const end = first + 2 ** order;
            const isTaken = there.some((b) => b.first < end && first < b.first + 2 ** b.order);
            if (isTaken) continue;
            table.mark(first, 2, order);
            there.push({ first, order });
          }
          for (const { first, order } of there) {
            expect(table.headOf(first)).toBe(first);
            expect(table.headOf(first + 2 ** order - 1)).toBe(first);
            expect([table.kindAt(first), table.orderAt(first)]).toEqual([2, order]);
            expect(table.is(first, 2, order)).toBe(true);
          }
          for (const { first } of there) table.clear(first);
          for (const { first } of there) expect(table.headOf(first)).toBe(-1);
        }),
      );
    },
  );
});
