/**
 * Every deliberate fault is found by ordinary traces, within 500 but for three, by its rule.
 *
 * `test/checker/breaks.test.ts` does the same for a few of them on every test run.
 */
import { describe } from 'vitest';
import { FAULTS } from '#src/kho/faults';
import { expectCaught } from '../checker/breaking.ts';

describe('a deliberately broken implementation', () => {
  expectCaught(FAULTS);
});
