/**
 * Every deliberate fault is found by ordinary traces, within 2,000, by the rule noted for it.
 *
 * `test/checker/breaks.test.ts` does the same for a few of them on every test run.
 */
import { describe } from 'vitest';
import { FAULTS } from '#src/kho/faults';
import { expectCaught } from '../checker/breaking.ts';

describe('a deliberately broken implementation', () => {
  expectCaught(FAULTS);
});
