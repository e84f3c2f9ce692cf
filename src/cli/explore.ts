/**
 * `kho-check explore`: every state of a small scope, and the rules judged in each.
 *
 * A search that is stopped by a limit leaves a checkpoint, and `--resume` goes on from it.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { SCOPE_NAMES, scopeByName } from '#model/scopes/named';
import type { AnyScope } from '#model/scopes/scope';
import { readCheckpoint, writeCheckpoint } from '../checker/explore/checkpoint.ts';
import type { Checkpoint } from '../checker/explore/checkpoint.ts';
import { explore } from '../checker/explore/explore.ts';
import { ScopeError } from '../checker/explore/layout.ts';
import type { Exploration, Progress } from '../checker/explore/progress.ts';
import { explorationJson, explorationText } from '../report/exploration.ts';
import { EXIT, UsageError } from './io.ts';
import type { Io } from './io.ts';
import { progressTeller } from './progress.ts';

export interface ExploreCommandOptions {
  readonly scope?: string;
  readonly symmetry: boolean;
  readonly workers: number;
  /** Bytes. */
  readonly memoryLimit?: number;
  /** Milliseconds. */
  readonly time?: number;
  readonly resume?: string;
  /** When state rules are judged: on `every` transition or once per `new` state. */
  readonly rules: 'every' | 'new';
  readonly list: boolean;
  readonly json: boolean;
}

const listed = (options: ExploreCommandOptions, io: Io): number => {
  const scopes = SCOPE_NAMES.map(scopeNamed).map((scope) => ({
    name: scope.name,
    says: scope.says,
    chapters: scope.chapters,
    states: scope.expected?.states ?? null,
    transitions: scope.expected?.transitions ?? null,
    statesWithSymmetry: scope.expectedSymmetric?.states ?? null,
  }));
  if (options.json) {
    io.out(`${JSON.stringify({ scopes })}\n`);
    return EXIT.holds;
  }
  for (const { name, says, states } of scopes) {
    const size = states === null ? '' : `  ${states.toLocaleString('en-US')} states`;
    io.out(`${io.colors.bold(name)}${size}\n`);
    for (const line of folded(says)) io.out(`  ${line}\n`);
  }
  return EXIT.holds;
};

/** Lines of at most 76 columns. */
const folded = (text: string): string[] => {
  const lines: string[] = [''];
  for (const word of text.split(' ')) {
    const last = lines.at(-1)!;
    if (last !== '' && last.length + word.length > 75) lines.push(word);
    else lines[lines.length - 1] = last === '' ? word : `${last} ${word}`;
  }
  return lines;
};

const scopeNamed = (name: string): AnyScope => {
  const scope = scopeByName(name);
  if (scope !== undefined) return scope;
  throw new UsageError(`there is no scope '${name}'; explore --list names all`);
};

const checkpointFrom = (path: string): Checkpoint => {
  try {
    return readCheckpoint(path, scopeByName);
  } catch (error) {
    if (error instanceof ScopeError) throw new UsageError(`${path} ${error.message}`);
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    throw new UsageError(`cannot read the checkpoint ${path}: ${code}`);
  }
};

/** Saves a counterexample; answers its path. */
const saveTrace = (found: Exploration): string | null => {
  const { scope, violation } = found;
  if (violation === null) return null;
  const rule = violation.rule.toLowerCase();
  const path = join('.kho', 'traces', `explore-${scope}-${rule}.json`);
  const document = { format: 'kho-check explored trace', version: 1, scope, ...violation };
  save(path, () => writeFileSync(path, `${JSON.stringify(document, undefined, 2)}\n`));
  return path;
};

const save = (path: string, write: () => void): void => {
  try {
    mkdirSync(dirname(path), { recursive: true });
    write();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    throw new UsageError(`cannot write ${path}: ${code}`);
  }
};

const statusOf = (found: Exploration): number => {
  if (found.violation !== null) return EXIT.broken;
  return found.complete ? EXIT.holds : EXIT.inconclusive;
};

/** Explores a scope; answers the exit status. */
export const exploreCommand = async (options: ExploreCommandOptions, io: Io): Promise<number> => {
  if (options.list) return listed(options, io);
  const checkpoint = options.resume === undefined ? undefined : checkpointFrom(options.resume);
  const name = options.scope ?? checkpoint?.scope;
  if (name === undefined) throw new UsageError('explore needs --scope NAME; --list names all');
  const scope = scopeNamed(name);
  if (checkpoint !== undefined && checkpoint.scope !== name) {
    throw new UsageError(`${options.resume} is of scope '${checkpoint.scope}', not '${name}'`);
  }
  const symmetry = checkpoint?.symmetry ?? options.symmetry;
  if (symmetry && (scope.symmetry ?? []).length === 0) {
    throw new UsageError(`scope '${name}' declares no symmetry; leave --symmetry out`);
  }
  const everyTransition = checkpoint?.everyTransition ?? options.rules === 'every';
  const { exploration, stopped } = await explore(scope, {
    symmetry,
    everyTransition,
    workers: options.workers,
    memoryLimit: options.memoryLimit,
    timeLimit: options.time,
    onProgress: progressTeller<Progress>(io),
    resume: checkpoint?.stopped,
  });
  if (io.liveProgress) io.err('\r\u001b[K');
  const trace = saveTrace(exploration);
  io.out(
    options.json
      ? `${explorationJson(exploration, trace)}\n`
      : explorationText(exploration, io.colors),
  );
  if (trace !== null) io.err(`the trace is in ${trace}\n`);
  if (stopped !== undefined) {
    const path = join('.kho', `explore-${name}.checkpoint`);
    save(path, () => writeCheckpoint(path, scope, { symmetry, everyTransition }, stopped));
    io.err(`stopped; go on with: npx kho-check explore --resume ${path}\n`);
  }
  return statusOf(exploration);
};
