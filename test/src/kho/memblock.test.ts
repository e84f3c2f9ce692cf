/** Early memory comes from the highest aligned place of the first permitted area that has one. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RangeList } from '#model/call';
import { Memblock, takeEarly } from '#src/kho/memblock';
import { OVERWRITTEN, PhysicalMemory } from '#src/kho/physical-memory';

const SIZE = 64;
const place = fc.nat({ max: SIZE });
const range = fc.tuple(place, place).map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const);
const request = fc.record({
  count: fc.integer({ min: 1, max: 12 }),
  align: fc.constantFrom(1, 2, 3, 4, 8, 16),
  bounds: fc.option(range, { nil: undefined }),
});

describe('memblock', () => {
  it('reserves the highest aligned fit, area by area, and never what is reserved', () => {
    fc.assert(
      fc.property(
        fc.array(range, { maxLength: 3 }),
        fc.array(range, { maxLength: 4 }),
        fc.array(request, { maxLength: 8 }),
        (areas, taken, requests) => {
          const memblock = new Memblock();
          const reserved = Array.from({ length: SIZE }, () => false);
          for (const [first, end] of areas) memblock.permit(first, end);
          for (const [first, end] of taken) {
            memblock.reserve(first, end - first);
            reserved.fill(true, first, end);
          }
          for (const { count, align, bounds } of requests) {
            const [low, high] = bounds ?? [0, Infinity];
            const wanted = naiveFit(areas, reserved, count, align, low, high);
            expect(memblock.allocate(count, align, low, high)).toBe(wanted);
            if (wanted >= 0) reserved.fill(true, wanted, wanted + count);
            expect(reserved.map((_, pfn) => memblock.reserved.has(pfn))).toEqual(reserved);
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  it('places nothing where the highest free range with room for its alignment ends', () => {
    fc.assert(
      fc.property(
        fc.array(range, { maxLength: 3 }),
        fc.array(range, { maxLength: 4 }),
        fc.constantFrom(1, 4, 16),
        fc.option(range, { nil: undefined }),
        (areas, taken, align, bounds) => {
          const memblock = new Memblock();
          const reserved = Array.from({ length: SIZE }, () => false);
          for (const [first, end] of areas) memblock.permit(first, end);
          for (const [first, end] of taken) {
            memblock.reserve(first, end - first);
            reserved.fill(true, first, end);
          }
          const [low, high] = bounds ?? [0, Infinity];
          const wanted = naivePlace(areas, reserved, align, low, high);
          expect(memblock.placeOfNothing(align, low, high)).toBe(wanted);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('overwrites and reports what early boot uses, and touches nothing when nothing fits', () => {
    const memblock = new Memblock();
    const memory = new PhysicalMemory(12);
    const report = new RangeList();
    memblock.permit(2, 6);
    memory.zeroPage(4);
    expect(takeEarly(memblock, memory, 3, report)).toBe(3);
    expect([2, 3, 4, 5, 6].map((pfn) => memory.stamp(pfn))).toEqual([
      0,
      OVERWRITTEN,
      OVERWRITTEN,
      OVERWRITTEN,
      0,
    ]);
    expect(memory.page(4)).toBe(undefined);
    expect(takeEarly(memblock, memory, 2, report)).toBe(-1);
    expect([report.length, report.first(0), report.count(0)]).toEqual([1, 3, 3]);
    expect(memory.stamp(2)).toBe(0);
  });
});

const naiveFit = (
  areas: readonly (readonly [number, number])[],
  reserved: readonly boolean[],
  count: number,
  align: number,
  low: number,
  high: number,
): number => {
  for (const [from, to] of areas) {
    for (let first = SIZE; first >= 0; first--) {
      const end = first + count;
      if (first % align !== 0 || first < Math.max(from, low) || end > Math.min(to, high)) continue;
      if (!reserved.slice(first, end).includes(true)) return first;
    }
  }
  return -1;
};

/** Walks free ranges from the top down. */
const naivePlace = (
  areas: readonly (readonly [number, number])[],
  reserved: readonly boolean[],
  align: number,
  low: number,
  high: number,
): number => {
  for (const [from, to] of areas) {
    const least = Math.max(from, low);
    for (let end = Math.min(to, high); end > least; end--) {
      if (reserved[end - 1] === true || (end < Math.min(to, high) && !reserved[end])) continue;
      let first = end;
      while (first > least && reserved[first - 1] === false) first--;
      const place = Math.floor(end / align) * align;
      if (place >= first) return place;
    }
  }
  return -1;
};
