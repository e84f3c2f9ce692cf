/** Handed-over blocks are found by frame as in a plain list, whatever was collected. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HeldBlocks } from '#src/kho/held-blocks';

interface Block {
  readonly first: number;
  readonly order: number;
  held: boolean;
  marked: boolean;
}

const SIZE = 96;

/** Blocks as a tracker is walked: largest order first, ascending within an order. */
const blocks = fc
  .uniqueArray(fc.tuple(fc.nat({ max: SIZE - 1 }), fc.nat({ max: 5 })), {
    selector: ([pfn, order]) => `${order} ${pfn >> order}`,
    maxLength: 200,
  })
  .map((list) =>
    list
      .map(([pfn, order]) => ({ first: (pfn >> order) << order, order, held: true, marked: false }))
      .sort((a, b) => b.order - a.order || a.first - b.first),
  );

const collect = (list: readonly Block[], base = 0): HeldBlocks => {
  const held = new HeldBlocks();
  for (const { first, order } of list) held.add(base + first, order, 2 ** order);
  held.seal();
  return held;
};

/** The mark that a frame carries was written last: by the smallest block that starts there. */
const markLast = (list: readonly Block[]): void => {
  for (const block of list) block.marked = true;
  for (const block of list) {
    for (const other of list) {
      if (other.first === block.first && other.order < block.order) block.marked = false;
    }
  }
};

const expectSame = (held: HeldBlocks, list: readonly Block[], base: number): void => {
  for (let frame = 0; frame < SIZE; frame++) {
    const covered = list.some(
      ({ first, order, held: is }) => is && frame >= first && frame < first + 2 ** order,
    );
    expect([frame, held.holds(base + frame)]).toEqual([frame, covered]);
    const marked = list.find(({ first, marked: is }) => is && first === frame);
    const at = held.markedAt(base + frame);
    expect([frame, at < 0 ? undefined : held.order(at)]).toEqual([frame, marked?.order]);
  }
};

describe('held blocks', () => {
  it('are found by their first frame, hold all their frames and are released once', () => {
    fc.assert(
      fc.property(
        blocks,
        fc.array(fc.tuple(fc.nat({ max: SIZE }), fc.boolean()), { maxLength: 20 }),
        fc.constantFrom(0, 2 ** 32 - SIZE),
        (list, releases, base) => {
          markLast(list);
          const held = collect(list, base);
          expect(held.count).toBe(list.length);
          expectSame(held, list, base);
          for (const [place, clearMark] of releases) {
            const block = list.filter(({ marked }) => marked)[place];
            if (block === undefined) continue;
            held.release(held.markedAt(base + block.first), clearMark);
            block.held = false;
            if (clearMark) block.marked = false;
            expectSame(held, list, base);
          }
        },
      ),
      { numRuns: 80 },
    );
  });

  it('ascend by frame and keep what each of them reserves', () => {
    fc.assert(
      fc.property(blocks, (list) => {
        const held = collect(list);
        const sorted = [...list].sort((a, b) => a.first - b.first || b.order - a.order);
        sorted.forEach(({ first, order }, i) => {
          expect([held.first(i), held.order(i), held.reserved(i)]).toEqual([
            first,
            order,
            2 ** order,
          ]);
        });
      }),
      { numRuns: 100 },
    );
  });

  it('are all found when there are many', () => {
    const list = Array.from({ length: 1000 }, (_, i) => ({
      first: i * 64,
      order: 6 - (i % 7),
      held: true,
      marked: true,
    }));
    const held = collect(list);
    for (const { first, order } of list) {
      const at = held.markedAt(first);
      expect([held.first(at), held.order(at), held.reserved(at)]).toEqual([
        first,
        order,
        2 ** order,
      ]);
      expect([held.holds(first + 2 ** order - 1), held.holds(first + 64 - 1)]).toEqual([
        true,
        order === 6,
      ]);
    }
  });

  it('are none when nothing was handed over', () => {
    const held = collect([]);
    expect([held.count, held.holds(0), held.markedAt(0)]).toEqual([0, false, -1]);
  });
});
