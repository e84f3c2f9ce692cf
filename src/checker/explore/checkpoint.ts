/**
 * A stopped search on disk: a line of JSON that says what it is, then rows and parents as they lie
 * in memory (32-bit words of this machine's byte order).
 *
 * A checkpoint fits a scope of the same shape only: frames, cells and transitions as they were.
 */
import { closeSync, fstatSync, openSync, readSync, renameSync, writeSync } from 'node:fs';
import { endianness } from 'node:os';
import type { AnyScope } from '#model/scopes/scope';
import { ScopeError, layoutOf } from './layout.ts';
import type { Progress, Stopped } from './progress.ts';

const FORMAT = 'kho-check explore 1';
const PIECE = 1 << 24;
const LONGEST_HEADER = 1 << 22;

interface Header {
  readonly format: string;
  readonly endianness: string;
  readonly scope: string;
  readonly shape: number;
  readonly symmetry: boolean;
  readonly everyTransition: boolean;
  readonly words: number;
  readonly progress: Omit<Progress, 'fired'> & { readonly fired: readonly number[] };
}

/** What a search was asked to do, as far as going on with it must agree. */
export interface CheckpointKind {
  readonly symmetry: boolean;
  readonly everyTransition: boolean;
}

/** A checkpoint, and the search that it is of. */
export interface Checkpoint extends CheckpointKind {
  readonly scope: string;
  readonly stopped: Stopped;
}

/** A number that changes with frames, cells, transitions and classes of a scope. */
const shapeOf = (scope: AnyScope): number => {
  const { frames, cells, transitions, symmetry } = scope;
  const text = JSON.stringify([frames, cells, transitions.map(({ shows }) => shows), symmetry]);
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
};

const bytes = (words: Int32Array): Uint8Array =>
  new Uint8Array(words.buffer, words.byteOffset, words.byteLength);

const writeAll = (file: number, data: Uint8Array): void => {
  for (let at = 0; at < data.length;) {
    at += writeSync(file, data, at, Math.min(PIECE, data.length - at));
  }
};

/** Writes a stopped search; the file is there whole or not at all. */
export const writeCheckpoint = (
  path: string,
  scope: AnyScope,
  kind: CheckpointKind,
  { progress, rows, parents }: Stopped,
): void => {
  const header: Header = {
    format: FORMAT,
    endianness: endianness(),
    scope: scope.name,
    shape: shapeOf(scope),
    symmetry: kind.symmetry,
    everyTransition: kind.everyTransition,
    words: layoutOf(scope).words,
    progress: { ...progress, fired: [...progress.fired] },
  };
  const file = openSync(`${path}.part`, 'w');
  try {
    writeAll(file, new TextEncoder().encode(`${JSON.stringify(header)}\n`));
    writeAll(file, bytes(rows));
    writeAll(file, bytes(parents));
  } finally {
    closeSync(file);
  }
  renameSync(`${path}.part`, path);
};

const readInto = (file: number, data: Uint8Array, position: number): void => {
  for (let at = 0; at < data.length;) {
    const got = readSync(file, data, at, Math.min(PIECE, data.length - at), position + at);
    if (got === 0) throw new ScopeError('the checkpoint ends early');
    at += got;
  }
};

const readHeader = (file: number): { header: Header; length: number } => {
  const size = Math.min(LONGEST_HEADER, fstatSync(file).size);
  const start = new Uint8Array(size);
  readInto(file, start, 0);
  const length = start.indexOf(10) + 1;
  let header: Header | undefined;
  try {
    header = JSON.parse(new TextDecoder().decode(start.subarray(0, length))) as Header;
  } catch {
    header = undefined;
  }
  if (header?.format !== FORMAT || header.endianness !== endianness()) {
    throw new ScopeError('is not a checkpoint that explore of this machine wrote');
  }
  return { header, length };
};

/** Reads a checkpoint of a scope that `scopeOf` finds; a ScopeError says why it cannot. */
export const readCheckpoint = (
  path: string,
  scopeOf: (name: string) => AnyScope | undefined,
): Checkpoint => {
  const file = openSync(path, 'r');
  try {
    const { header, length } = readHeader(file);
    const scope = scopeOf(header.scope);
    if (scope === undefined || shapeOf(scope) !== header.shape) {
      throw new ScopeError(`is of a scope '${header.scope}' that has changed since`);
    }
    const { idEnd } = header.progress;
    const expected = length + 4 * idEnd * (header.words + 1);
    if (!Number.isSafeInteger(idEnd) || fstatSync(file).size !== expected) {
      throw new ScopeError('is not as long as a checkpoint of its states');
    }
    const rows = new Int32Array(idEnd * header.words);
    const parents = new Int32Array(idEnd);
    readInto(file, bytes(rows), length);
    readInto(file, bytes(parents), length + rows.byteLength);
    const progress = { ...header.progress, fired: Uint8Array.from(header.progress.fired) };
    const { symmetry, everyTransition } = header;
    return { scope: header.scope, symmetry, everyTransition, stopped: { progress, rows, parents } };
  } finally {
    closeSync(file);
  }
};
