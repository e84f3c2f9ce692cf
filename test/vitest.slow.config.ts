/** Tests that take long or ask programs of others for a second opinion: `npm run test:slow`. */
import { defineConfig, mergeConfig } from 'vitest/config';
import base from './vitest.config.ts';

export default mergeConfig(
  { ...base, test: { ...base.test, include: [] } },
  defineConfig({
    test: { include: ['test/**/*.slow.ts'], passWithNoTests: true, testTimeout: 1_800_000 },
  }),
);
