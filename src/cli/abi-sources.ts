/**
 * The sides of a comparison: a kernel by its release, a kernel tree, a directory of headers, a git
 * revision, or a baseline.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import * as v from 'valibot';
import { ABI_FORMAT, ABI_VERSION, type AbiDescription } from '../abi/headers/description.ts';
import type { SourceText } from '../abi/headers/lexer.ts';
import { DIRECTORIES, FILES, roleOf } from '../abi/headers/places.ts';
import { readAbi } from '../abi/headers/read.ts';
import { RELEASED } from '../abi/description/generations.ts';
import { UsageError } from './io.ts';

/** Releases that a baseline is committed of, oldest first. */
export const BASELINES: readonly string[] = RELEASED.flatMap(({ releases }) => releases);

const BYTES_MAX = 8 * 2 ** 20;
const HEADERS_MAX = 2000;

/** Where the committed baselines lie: beside the sources, whichever way this file was built. */
const baselineDirectory = (): string => {
  const places = ['../abi/baseline', '../../../src/abi/baseline'];
  const all = places.map((place) => join(import.meta.dirname, place));
  return all.find((path) => existsSync(path)) ?? all[0]!;
};

const place = { file: v.string(), line: v.number() };
const layouts = v.record(v.string(), v.looseObject({ size: v.number(), fields: v.array(v.any()) }));

/** As much of a description as a comparison would stumble over. */
const description = v.looseObject({
  format: v.literal(ABI_FORMAT),
  version: v.literal(ABI_VERSION),
  structs: v.array(v.looseObject({ name: v.string(), ownedBy: v.array(v.string()), ...place })),
  constants: v.array(v.looseObject({ name: v.string(), ...place })),
  enums: v.array(v.looseObject({ values: v.array(v.string()), ...place })),
  targets: v.array(
    v.looseObject({
      targets: v.array(v.string()),
      layouts,
      constants: v.record(v.string(), v.any()),
    }),
  ),
  tree: v.array(v.looseObject({ tree: v.string(), name: v.string(), ...place })),
  docs: v.array(v.looseObject({ rule: v.string(), ...place })),
  problems: v.array(v.looseObject({ message: v.string(), ...place })),
  unknownOptions: v.array(v.looseObject({ message: v.string(), ...place })),
  missing: v.array(v.string()),
  sources: v.array(v.looseObject({ role: v.string(), files: v.array(v.string()) })),
  asserts: v.looseObject({ held: v.number(), failed: v.array(v.object(place)) }),
});

const readJson = (path: string): unknown => {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    const why = error instanceof SyntaxError ? 'is no JSON' : 'cannot be read';
    throw new UsageError(`${path} ${why}; give a file that abi show --json wrote`);
  }
};

/** A description out of a file, looked at. */
export const readBaseline = (path: string): AbiDescription => {
  const json = readJson(path);
  const parsed = v.safeParse(description, json);
  // As it was written: what was parsed has its keys in another order.
  if (parsed.success) return json as AbiDescription;
  const [issue] = parsed.issues;
  const where = issue.path?.map(({ key }) => String(key)).join('.') ?? 'the top';
  throw new UsageError(`${path} is no description of an ABI: ${where}: ${issue.message}`);
};

/** Baselines that were read already. */
const known = new Map<string, AbiDescription>();

/** The committed baseline of a release (`7.1`, `7.1.13`), or undefined when there is none. */
export const baselineOf = (release: string): AbiDescription | undefined => {
  const series = /^v?(\d+\.\d+)(?:\.\d+)?(?:[-+~].*)?$/.exec(release)?.[1];
  if (series === undefined || !BASELINES.includes(series)) return undefined;
  const abi = known.get(series) ?? readBaseline(join(baselineDirectory(), `${series}.json`));
  known.set(series, abi);
  return abi;
};

const textOf = (path: string): string | undefined => {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found?.isFile() !== true || found.size > BYTES_MAX) return undefined;
  return readFileSync(path, 'utf8');
};

/** Files of a kernel tree that may hold something of the ABI. */
export const treeFiles = (tree: string): readonly SourceText[] => {
  const listed = DIRECTORIES.flatMap((directory) => {
    const path = join(tree, directory);
    return existsSync(path) ? readdirSync(path).map((name) => `${directory}/${name}`) : [];
  });
  return [...FILES, ...listed].flatMap((path) => {
    if (path !== 'Makefile' && roleOf(path) === undefined) return [];
    const text = textOf(join(tree, path));
    return text === undefined ? [] : [{ path, text }];
  });
};

/** Headers of a directory, with those below it. */
const headerFiles = (directory: string): readonly SourceText[] => {
  const found: SourceText[] = [];
  const visit = (path: string): void => {
    for (const entry of readdirSync(path, { withFileTypes: true })) {
      const inner = join(path, entry.name);
      if (entry.isDirectory() && !entry.name.startsWith('.')) visit(inner);
      else if (entry.name.endsWith('.h')) {
        if (found.length >= HEADERS_MAX) {
          throw new UsageError(`${directory} has over ${HEADERS_MAX} headers; name one of KHO's`);
        }
        const text = textOf(inner);
        if (text !== undefined) found.push({ path: relative(directory, inner), text });
      }
    }
  };
  visit(directory);
  return found;
};

const git = (tree: string, args: readonly string[], input?: string): string => {
  try {
    return execFileSync('git', ['-C', tree, ...args], {
      encoding: 'utf8',
      input: input ?? '',
      maxBuffer: 256 * 2 ** 20,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
  } catch (error) {
    const said = (error as { stderr?: string }).stderr?.trim().split('\n')[0] ?? '';
    throw new UsageError(`git in ${tree}: ${said || 'cannot be run'}`);
  }
};

/** Files of a revision of a git repository. */
const gitFiles = (tree: string, revision: string): readonly SourceText[] => {
  if (revision.startsWith('-')) throw new UsageError(`${revision} is no revision`);
  const commit = git(tree, ['rev-parse', '--verify', '--quiet', `${revision}^{commit}`]).trim();
  const listed = git(tree, [
    'ls-tree',
    '-r',
    '--name-only',
    commit,
    '--',
    ...DIRECTORIES,
    ...FILES,
  ]);
  const paths = listed.split('\n').filter((path) => path === 'Makefile' || roleOf(path));
  return paths.map((path) => ({ path, text: git(tree, ['show', `${commit}:${path}`]) }));
};

/** Whether something is a release or a file with a baseline, and no revision of the repository. */
const isOther = (what: string, tree: string): boolean => {
  if (what.endsWith('.json') && existsSync(what)) return true;
  if (baselineOf(what) === undefined) return false;
  const found = spawnSync('git', ['-C', tree, 'rev-parse', '--verify', '--quiet', what]);
  return found.status !== 0;
};

const noKho = (what: string): never => {
  const files = 'include/linux/kho/abi, kernel/liveupdate, kernel/kexec_handover.c';
  throw new UsageError(`there is no KHO in ${what}: it has none of ${files}`);
};

/** What a side of a comparison names. */
export interface SideOptions {
  /** A git repository, whose revisions the sides then are. */
  readonly git?: string | undefined;
}

/** One side, and how to call it. */
export interface Side {
  readonly name: string;
  readonly abi: AbiDescription;
}

/** Reads one side. */
export const readSide = (what: string, options: SideOptions = {}): Side => {
  const isRevision = options.git !== undefined && !isOther(what, options.git);
  if (options.git !== undefined && isRevision) {
    const files = gitFiles(options.git, what);
    const abi = readAbi(files);
    return abi.sources.length === 0 ? noKho(`revision ${what}`) : { name: what, abi };
  }
  const found = statSync(what, { throwIfNoEntry: false });
  if (found === undefined) {
    const abi = baselineOf(what);
    if (abi !== undefined) return { name: what, abi };
    const all = BASELINES.join(', ');
    throw new UsageError(`${what} is no file and no kernel with a baseline; there are ${all}`);
  }
  if (found.isFile()) return { name: basename(what), abi: readBaseline(what) };
  const isTree = existsSync(join(what, 'include')) || existsSync(join(what, 'kernel'));
  const files = isTree ? treeFiles(what) : headerFiles(what);
  const abi = readAbi(files, { allHeaders: !isTree });
  if (abi.sources.length === 0) noKho(what);
  return { name: what, abi };
};
