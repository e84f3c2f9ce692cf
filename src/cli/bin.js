#!/usr/bin/env node
/**
 * The `kho-check` command: runs `dist/`, and builds it first when a source has changed.
 *
 * Plain JavaScript and nearly nothing: what it does before `main` is paid at every start.
 */
import { existsSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { build, canBuild, isFresh, MAIN } from './build.js';

const EXIT_OUR_BUG = 4;

/** Why there is nothing to run, or '' when `dist/` can be run. */
const makeReady = async () => {
  if (canBuild() && !isFresh()) {
    process.stderr.write('kho-check: sources changed, rebuilding…\n');
    const output = await build();
    if (output !== '') return output;
  }
  return existsSync(MAIN) ? '' : 'kho-check: dist/ is missing: run npm ci with dev dependencies\n';
};

try {
  const problem = await makeReady();
  if (problem === '') {
    const { main } = await import(pathToFileURL(MAIN).href);
    process.exitCode = await main(process.argv.slice(2));
  } else {
    process.stderr.write(problem);
    process.exitCode = EXIT_OUR_BUG;
  }
} catch (error) {
  process.stderr.write(`${error?.stack ?? error}\n`);
  process.exitCode = EXIT_OUR_BUG;
}
