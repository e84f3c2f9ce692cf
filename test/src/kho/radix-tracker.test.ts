/** The tracker is a set of blocks in pages: complete, and untouched by a page that is refused. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PAGE_SHIFTS } from '#src/abi/description/page-size';
import { radixGeometry } from '#src/abi/description/radix-key';
import { PhysicalMemory } from '#src/kho/physical-memory';
import { RadixTracker, walkTracker } from '#src/kho/radix-tracker';
import type { PageSource } from '#src/kho/radix-tracker';

const ROOT = 7;

/** A tracker with pages from frame 100 on, of which so many may be taken. */
class Bench implements PageSource {
  readonly memory: PhysicalMemory;
  readonly tracker: RadixTracker;
  readonly taken: number[] = [];
  left = Infinity;
  #next = 100;

  constructor(pageShift: number) {
    this.memory = new PhysicalMemory(pageShift);
    this.memory.zeroPage(ROOT);
    this.tracker = new RadixTracker(this.memory, ROOT);
  }

  takePage(): number {
    if (this.left === 0) return -1;
    this.left--;
    // What a page held before must not matter.
    this.memory.zeroPage(this.#next).fill(0xa5);
    this.taken.push(this.#next);
    return this.#next++;
  }

  givePage(pfn: number): void {
    expect(this.taken).toContain(pfn);
    this.taken.splice(this.taken.indexOf(pfn), 1);
  }

  /** Every page of the tracker, as text. */
  image(): string[] {
    return [ROOT, ...this.taken].map(
      (pfn) => `${pfn}:${Buffer.from(this.memory.page(pfn)!).toString('latin1')}`,
    );
  }

  walk(): [number, number][] {
    const blocks: [number, number][] = [];
    walkTracker(this.memory, ROOT, (pfn, order) => blocks.push([pfn, order]));
    return blocks;
  }
}

type Block = readonly [pfn: number, order: number];

const pfn = fc.oneof(
  fc.nat({ max: 200 }),
  fc.nat({ max: 0xffffffff }),
  fc.nat({ max: 100 }).map((back) => 2 ** 32 - 1 - back),
);
const block: fc.Arbitrary<Block> = fc
  .tuple(pfn, fc.nat({ max: 20 }))
  .map(([at, order]) => [at - (at % 2 ** order), order] as const);
const pool = fc.uniqueArray(block, { selector: String, minLength: 1, maxLength: 12 });
const shift = fc.constantFrom(...PAGE_SHIFTS);

const inWalkOrder = (blocks: Iterable<Block>): Block[] =>
  [...blocks].sort(([a, m], [b, n]) => n - m || a - b);

describe.each(PAGE_SHIFTS)('a tracker in pages of 2^%i bytes', (pageShift) => {
  it('holds what was added and not removed, largest order first, ascending in an order', () => {
    const step = fc.tuple(fc.nat(), fc.boolean());
    fc.assert(
      fc.property(pool, fc.array(step, { maxLength: 30 }), (blocks, steps) => {
        const bench = new Bench(pageShift);
        const model = new Map<string, Block>();
        for (const [index, adds] of steps) {
          const chosen = blocks[index % blocks.length]!;
          if (adds) {
            expect(bench.tracker.add(...chosen, bench)).toBe(true);
            model.set(String(chosen), chosen);
          } else {
            bench.tracker.remove(...chosen);
            model.delete(String(chosen));
          }
          expect(bench.walk()).toEqual(inWalkOrder(model.values()));
        }
      }),
      { numRuns: 25 },
    );
  });

  it.each([0, 2 ** 31 - 128, 2 ** 31 + 64])(
    'walks blocks that fill whole words, from %i',
    (from) => {
      const bench = new Bench(pageShift);
      const blocks = Array.from({ length: 128 }, (_, i): Block => [from + 3 + i, 0]);
      for (const each of blocks) bench.tracker.add(...each, bench);
      expect(bench.walk()).toEqual(blocks);
    },
  );

  it('takes a page per level below the root at first, then none for the same leaf', () => {
    const bench = new Bench(pageShift);
    const { depth } = radixGeometry(pageShift);
    bench.tracker.add(2 ** 32 - 1, 0, bench);
    expect(bench.taken.length).toBe(depth - 1);
    bench.tracker.add(2 ** 32 - 2, 0, bench);
    bench.tracker.add(2 ** 32 - 1, 0, bench);
    expect(bench.taken.length).toBe(depth - 1);
  });
});

describe('a tracker', () => {
  it('is byte for byte as it was, with every page given back, when any page is refused', () => {
    fc.assert(
      fc.property(shift, pool, block, (pageShift, blocks, wanted) => {
        const { depth } = radixGeometry(pageShift);
        const bench = new Bench(pageShift);
        for (const each of blocks) bench.tracker.add(...each, bench);
        const before = bench.image();
        for (let left = 0; left < depth; left++) {
          bench.left = left;
          const added = bench.tracker.add(...wanted, bench);
          if (added) break;
          expect(bench.image()).toEqual(before);
          expect(bench.walk()).toEqual(inWalkOrder(blocks));
        }
        bench.left = Infinity;
        bench.tracker.add(...wanted, bench);
        const all = new Map([...blocks, wanted].map((each) => [String(each), each]));
        expect(bench.walk()).toEqual(inWalkOrder(all.values()));
      }),
      { numRuns: 60 },
    );
  });

  it('is not changed by removing what it does not hold', () => {
    fc.assert(
      fc.property(shift, pool, pool, (pageShift, blocks, others) => {
        const bench = new Bench(pageShift);
        for (const each of blocks) bench.tracker.add(...each, bench);
        const before = bench.image();
        const present = new Set(blocks.map(String));
        for (const other of others) if (!present.has(String(other))) bench.tracker.remove(...other);
        expect(bench.image()).toEqual(before);
      }),
      { numRuns: 40 },
    );
  });

  it('keeps its pages when its last block goes, and uses them again', () => {
    const bench = new Bench(12);
    bench.tracker.add(5, 0, bench);
    const before = bench.image();
    bench.tracker.remove(5, 0);
    expect(bench.walk()).toEqual([]);
    bench.left = 0;
    expect(bench.tracker.add(5, 0, bench)).toBe(true);
    expect(bench.image()).toEqual(before);
  });
});
