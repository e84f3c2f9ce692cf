/** Every byte of every part of a handover, changed in turn, with every kernel that was released. */
import { describe, expect, test } from 'vitest';
import { KERNELS } from '#model/kernels';
import { flipAll, handForeign } from '#src/cli/abi-damage';
import type { DamageCell } from '#src/cli/abi-damage';

const HALF_AN_HOUR = 1_800_000;

/** The tracker is mostly zeros: one of its bytes in so many. */
const TRACKER_EVERY = 16;

const unexplained = (cells: readonly DamageCell[]): string[] =>
  cells.flatMap((cell) => cell.unexplained.map((what) => `${cell.part} ${cell.field}: ${what}`));

describe('no corruption goes unnoticed but for the findings', () => {
  test.each(KERNELS)(
    'of trees, blobs and scratch array with Linux $name',
    (kernel) => {
      const cells = flipAll(kernel, 1, ({ part }) => part !== 'tracker');
      expect(unexplained(cells)).toEqual([]);
      const bytes = cells.reduce(
        (sum, { seen }) => sum + Object.values(seen).reduce((all, times) => all + times, 0),
        0,
      );
      // The root and the list of regions are a page each, and three flips for every byte.
      expect(bytes).toBeGreaterThan(3 * 2 * 4096);
    },
    HALF_AN_HOUR,
  );

  test.each(KERNELS)(
    'of the tracker with Linux $name',
    (kernel) => {
      const cells = flipAll(kernel, TRACKER_EVERY, ({ part }) => part === 'tracker');
      expect(unexplained(cells)).toEqual([]);
    },
    HALF_AN_HOUR,
  );

  test.each(KERNELS)(
    'of other generations under the string of Linux $name',
    (reader) => {
      const cells = KERNELS.flatMap((writer) => handForeign(writer, [reader]));
      expect(cells.length).toBeGreaterThan(0);
      expect(unexplained(cells)).toEqual([]);
    },
    HALF_AN_HOUR,
  );
});
