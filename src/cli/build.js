/**
 * Builds `dist/` from the TypeScript sources, and knows whether it has to be built.
 *
 * Plain JavaScript, because it runs before anything is built: as `prepare` after `npm ci`, and from
 * the bin when a source has changed. Tests are no part of a build (`tsconfig.build.json`), so a
 * type error in a test stops nobody from running the checker.
 *
 * - `dist/.stamp` holds a fingerprint (path, time, size) of every source as it was *before* the
 *   compiler read it. Equal fingerprints mean fresh; a deleted or older file counts as a change.
 * - The stamp goes first and comes back last, so `dist/` is never taken for fresh half-way.
 * - One build at a time: `dist/.lock` names the process that builds. The others wait for it and
 *   then find `dist/` fresh. A lock whose process is gone, or two minutes old, is taken over.
 */
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const DIST = join(ROOT, 'dist');
const STAMP = join(DIST, '.stamp');
const LOCK = join(DIST, '.lock');
const TSC = join(ROOT, 'node_modules/typescript/bin/tsc');
const COMPILER = [TSC, join(ROOT, 'node_modules/@types/node')];
const SOURCE_DIRECTORIES = ['model', 'properties', 'spec', 'src'];
const NOT_SOURCES = new Set(['dist', 'node_modules']);
const LOCK_AGE_MAX_MS = 120_000;
const LOCK_POLL_MS = 50;

/** What the bin imports once `dist/` is fresh. */
export const MAIN = join(DIST, 'src/cli/main.js');

/**
 * Whether all that a build needs is installed. A production install lives with the `dist/` it has;
 * it may still have TypeScript, which a dependency of ours names as a peer.
 */
export const canBuild = () => COMPILER.every((path) => existsSync(path));

/** Whether `dist/` was built from the sources as they are now. */
export const isFresh = () => readText(STAMP) === fingerprint();

/** Builds unless somebody else just did; answers the compiler's output if it failed, else ''. */
export const build = async () => {
  mkdirSync(DIST, { recursive: true });
  while (!tryLock()) await new Promise((resolve) => setTimeout(resolve, LOCK_POLL_MS));
  try {
    return isFresh() ? '' : await compile();
  } finally {
    rmSync(LOCK, { force: true });
  }
};

const compile = async () => {
  const { spawnSync } = await import('node:child_process');
  const sources = fingerprint();
  rmSync(STAMP, { force: true });
  for (const project of [
    ['-b', 'src/fdt-ts'],
    ['-p', 'src/cli/tsconfig.build.json'],
  ]) {
    const args = [TSC, ...project, '--pretty', 'false'];
    const tsc = spawnSync(process.execPath, args, { cwd: ROOT, encoding: 'utf8' });
    if (tsc.status !== 0) return `${tsc.stdout ?? ''}${tsc.stderr ?? ''}` || `${tsc.error}`;
  }
  writeFileSync(STAMP, sources);
  return '';
};

const fingerprint = () => {
  const hash = createHash('sha1');
  const add = (path) => {
    const { mtimeMs, size } = statSync(join(ROOT, path));
    hash.update(`${path} ${mtimeMs} ${size}\n`);
  };
  const walk = (directory) => {
    if (!existsSync(join(ROOT, directory))) return;
    const entries = readdirSync(join(ROOT, directory), { withFileTypes: true });
    for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
      const path = `${directory}/${entry.name}`;
      if (!entry.isDirectory()) {
        if (/\.(ts|json)$/.test(entry.name)) add(path);
      } else if (!NOT_SOURCES.has(entry.name)) walk(path);
    }
  };
  add('package.json');
  add('tsconfig.json');
  SOURCE_DIRECTORIES.forEach(walk);
  return hash.digest('hex');
};

const tryLock = () => {
  try {
    writeFileSync(LOCK, `${process.pid}`, { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    if (isAbandoned()) rmSync(LOCK, { force: true });
    return false;
  }
};

const isAbandoned = () => {
  const holder = Number(readText(LOCK));
  const since = statSync(LOCK, { throwIfNoEntry: false })?.mtimeMs ?? Infinity;
  return (holder > 0 && !isAlive(holder)) || Date.now() - since > LOCK_AGE_MAX_MS;
};

const isAlive = (pid) => {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error.code === 'EPERM';
  }
};

const readText = (path) => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
};

const isCalledDirectly = () =>
  process.argv[1] !== undefined &&
  realpathSync(process.argv[1]) === realpathSync(fileURLToPath(import.meta.url));

if (isCalledDirectly()) {
  if (canBuild()) {
    const output = await build();
    process.stderr.write(output);
    if (output !== '') process.exitCode = 4;
  } else {
    process.stderr.write('kho-check: no compiler is installed, dist/ stays as it is\n');
  }
}
