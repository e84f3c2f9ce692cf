/** The other half of the faults of `breaks.test.ts`. */
import { describe } from 'vitest';
import { FAULTS } from '#src/kho/faults';
import { expectCaught } from './breaking.ts';

describe('a deliberately broken implementation', () => {
  expectCaught(FAULTS.filter((_, at) => at % 2 === 1));
});
