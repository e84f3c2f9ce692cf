/** Damage to every byte of the page that a captured root stands in, and to every bit in use. */
import { describe, it } from 'vitest';
import { ROOT_BYTES, ROOT_USED, expectBrokenOrSame, expectNoException } from './root-damage.ts';

const every = Array.from({ length: ROOT_BYTES }, (_, byte) => byte);

describe('a captured handover', () => {
  it('with any byte of the root inverted is broken, or no different', () => {
    expectBrokenOrSame(every);
  });

  it.each([0, 1, 2, 3, 4, 5, 6, 7])(
    'with bit %i of any byte of the root flipped is told',
    (bit) => {
      expectNoException(every.slice(0, ROOT_USED), () => bit);
    },
  );
});
