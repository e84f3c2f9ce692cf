/** A counterexample of every third fault is told in 80 columns; `npm test` asks a few of them. */
import { describe, expect, it } from 'vitest';
import { FAULTS } from '#src/kho/faults';
import { call, inOwnDirectory, untidyLines } from '../cli/call.ts';

inOwnDirectory();

describe('a counterexample', () => {
  it.each(FAULTS.filter((_, index) => index % 3 === 0).map(({ id }) => id))(
    'of %s is told within 80 columns',
    async (id) => {
      const { out } = await call('run', '--traces', '20', '--seed', '4', '--first', '--fault', id);
      expect(untidyLines(out)).toEqual([]);
    },
  );
});
