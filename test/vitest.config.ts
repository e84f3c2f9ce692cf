/** Tests run on the TypeScript sources: the `source` condition leads every import past `dist/`. */
import { defineConfig } from 'vitest/config';

const conditions = ['source', 'node', 'import', 'module', 'default'];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ['test/**/*.test.ts'],
    root: '.',
    testTimeout: 300_000,
    hookTimeout: 300_000,
    maxWorkers: '100%',
    // What was compiled for one file is ready for the next: no test changes a module.
    isolate: false,
  },
});
