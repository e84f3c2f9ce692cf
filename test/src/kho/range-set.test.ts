/** A set of ranges is what a row of flags is, and stays sorted, merged and free of empty ranges. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RangeSet } from '#src/kho/range-set';

const SIZE = 48;
/** Sets far up in memory behave as sets at frame 0. */
const BASES = [0, 2 ** 32 - SIZE, 2 ** 40];

const flagsOf = (set: RangeSet, base: number): boolean[] =>
  Array.from({ length: SIZE }, (_, i) => set.has(base + i));

const rangesOf = (set: RangeSet): [number, number][] =>
  Array.from({ length: set.length }, (_, i) => [set.first(i), set.end(i)]);

/** Maximal runs of flags. */
const runsOf = (flags: readonly boolean[], base: number): [number, number][] => {
  const runs: [number, number][] = [];
  flags.forEach((flag, i) => {
    if (!flag) return;
    const last = runs.at(-1);
    if (last !== undefined && last[1] === base + i) last[1]++;
    else runs.push([base + i, base + i + 1]);
  });
  return runs;
};

const place = fc.nat({ max: SIZE });
const step = fc.tuple(fc.constantFrom('add', 'remove'), place, place);

describe('a range set', () => {
  it('holds what was added and not removed, in maximal ascending ranges', () => {
    fc.assert(
      fc.property(fc.constantFrom(...BASES), fc.array(step, { maxLength: 30 }), (base, steps) => {
        const set = new RangeSet();
        const flags = Array.from({ length: SIZE }, () => false);
        for (const [what, first, end] of steps) {
          if (what === 'add') set.add(base + first, base + end);
          else set.remove(base + first, base + end);
          if (first < end) flags.fill(what === 'add', first, end);
          expect(flagsOf(set, base)).toEqual(flags);
          expect(rangesOf(set)).toEqual(runsOf(flags, base));
        }
      }),
      { numRuns: 300 },
    );
  });

  it('finds the first range that ends after a frame, and whether a range is touched', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(place, place), { maxLength: 8 }),
        place,
        place,
        (list, a, b) => {
          const set = new RangeSet();
          for (const [first, end] of list) set.add(first, end);
          const ranges = rangesOf(set);
          const after = ranges.findIndex(([, end]) => end > a);
          expect(set.after(a)).toBe(after < 0 ? ranges.length : after);
          const end = Math.max(a, b);
          const touches = a < end && flagsOf(set, 0).slice(a, end).includes(true);
          if (a < end) expect(set.touches(a, end)).toBe(touches);
        },
      ),
      { numRuns: 300 },
    );
  });
});
