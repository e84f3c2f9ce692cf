/**
 * Reads a copy of a kernel's debugfs directory for KHO.
 *
 * Two spellings are understood: the directory itself (`out/fdt`, `in/sub_fdts/LUO`) and flat files
 * with `__` for `/` and `.bin` behind (`out__fdt.bin`, `in__sub_fdts__LUO.bin`). Up to 6.18 the
 * file `out/fdt` is there only when finalized; `out__fdt_after_finalize.bin` is that file. What
 * user space could read of a kernel is a witness, not the handover itself.
 */
import type { Generation } from '../description/generation.ts';
import { generationById } from '../description/generations.ts';
import type { Damage } from './bytes.ts';
import { tellBlob } from './blobs.ts';
import { remembering } from './remember.ts';
import { claimedSize, readRootTree, type RootTree, type SubtreeEntry } from './subtrees.ts';

/** A device tree that user space read from debugfs. */
export interface CopiedTree {
  /** Bytes of the file. */
  readonly bytes: number;
  /** Bytes that its own header claims; undefined when there is no header. */
  readonly claimed: number | undefined;
  readonly compatible: string;
  readonly tracker: number | undefined;
  readonly subtrees: readonly SubtreeEntry[];
  readonly damage: readonly Damage[];
  /** Generations that write such a tree, oldest first. */
  readonly writers: readonly Generation[];
}

/** A blob that user space read from debugfs. */
export interface CopiedBlob {
  readonly name: string;
  readonly bytes: number;
  readonly lines: readonly string[];
  /** Why it is not what its name promises; undefined when it is, or when nobody knows. */
  readonly fault: string | undefined;
  /** What user space read; absent where nobody has the bytes. */
  readonly content?: Uint8Array;
}

/** One direction: what this kernel hands over, or what was handed to it. */
export interface CopiedSide {
  readonly tree: CopiedTree | undefined;
  readonly blobs: readonly CopiedBlob[];
}

/** A whole copy. A side is undefined when nothing of it was copied. */
export interface DebugfsCopy {
  readonly out: CopiedSide | undefined;
  readonly in: CopiedSide | undefined;
  /** Values of `out/scratch_phys` and `out/scratch_len`, bytes; undefined when not there. */
  readonly scratchPhys: readonly number[] | undefined;
  readonly scratchLen: readonly number[] | undefined;
}

/** A file: its bytes, or only how many there are where nobody has the bytes. */
export type FileBytes = Uint8Array | { readonly length: number };

const FLAT = /^(out|in)__(sub_fdts__)?(.+?)(\.bin)?$/;
/** What the file with the tree is called beside `fdt`: `dt` in the sysfs of v4 and before. */
const TREE_NAMES: readonly string[] = ['fdt_after_finalize', 'dt'];
const NESTED = /^(out|in)\/(sub_fdts\/)?([^/]+)$/;

/** The name of a debugfs file in the directory's own spelling, or undefined for another file. */
export const debugfsName = (file: string): string | undefined => {
  const match = FLAT.exec(file) ?? NESTED.exec(file);
  if (match === null) return undefined;
  const name = TREE_NAMES.includes(match[3] ?? '') ? 'fdt' : match[3];
  return `${match[1]}/${match[2] === undefined ? '' : 'sub_fdts/'}${name}`;
};

/**
 * Reads a copy from its files, whichever way they are spelled; undefined if none belongs to it.
 *
 * @param runs id of the generation that the files are of, where somebody knows
 */
export const readDebugfs = (
  files: ReadonlyMap<string, FileBytes>,
  runs?: string,
): DebugfsCopy | undefined => {
  const writer = formTold(runs);
  const named = new Map<string, FileBytes>();
  for (const [file, bytes] of files) {
    const name = spelled(file);
    if (name !== undefined) named.set(name, bytes);
  }
  if (named.size === 0) return undefined;
  return {
    out: readSide(named, 'out/', writer),
    in: readSide(named, 'in/', writer),
    scratchPhys: readNumbers(named.get('out/scratch_phys')),
    scratchLen: readNumbers(named.get('out/scratch_len')),
  };
};

/** Names that were asked for before: the same few again and again. */
const spellings = new Map<string, string | undefined>();
const SPELLINGS_MAX = 4096;

const spelled = (file: string): string | undefined => {
  const known = spellings.get(file);
  if (known !== undefined) return known;
  if (spellings.size >= SPELLINGS_MAX) spellings.clear();
  const name = debugfsName(file);
  spellings.set(file, name);
  return name;
};

/** The generation of that id, where trees of its kind may show nothing of their form. */
const formTold = (id: string | undefined): Generation | undefined => {
  const told = id === undefined ? undefined : generationById(id);
  return told?.root.form === 'users' ? told : undefined;
};

const readSide = (
  named: ReadonlyMap<string, FileBytes>,
  side: string,
  writer: Generation | undefined,
): CopiedSide | undefined => {
  const folder = `${side}sub_fdts/`;
  const blobs: CopiedBlob[] = [];
  let isThere = false;
  for (const [name, bytes] of named) {
    if (!name.startsWith(side)) continue;
    isThere = true;
    if (name.startsWith(folder)) blobs.push(readBlob(name.slice(folder.length), bytes));
  }
  if (!isThere) return undefined;
  const tree = named.get(`${side}fdt`);
  return { tree: tree instanceof Uint8Array ? readerFor(writer)(tree) : undefined, blobs };
};

const NO_LINES: readonly string[] = [];

const readBlob = (name: string, bytes: FileBytes): CopiedBlob => {
  if (!(bytes instanceof Uint8Array)) {
    return { name, lines: NO_LINES, fault: undefined, bytes: bytes.length };
  }
  const { lines, fault } = tellBlob(name, bytes);
  return { name, lines, fault, bytes: bytes.length, content: bytes };
};

/** Readers of trees, one for every writer that was told, each with a memory of its own. */
const READERS = new Map<Generation | undefined, (bytes: Uint8Array) => CopiedTree>();

const readerFor = (writer: Generation | undefined): ((bytes: Uint8Array) => CopiedTree) => {
  let reader = READERS.get(writer);
  if (reader === undefined) {
    reader = remembering((bytes) => readTree(bytes, writer));
    READERS.set(writer, reader);
  }
  return reader;
};

const readTree = (bytes: Uint8Array, writer: Generation | undefined): CopiedTree => {
  const { compatible, tracker, subtrees, damage, writers }: RootTree = readRootTree(bytes, writer);
  const claimed = claimedSize(bytes);
  return { bytes: bytes.length, claimed, compatible, tracker, subtrees, damage, writers };
};

/** One number a line, `0x…`; a line that is none reads as NaN. */
const readNumbers = (bytes: FileBytes | undefined): readonly number[] | undefined =>
  bytes instanceof Uint8Array ? readLines(bytes) : undefined;

const readLines = remembering((bytes): readonly number[] => {
  const lines = String.fromCharCode(...bytes.subarray(0, 65536)).split('\n');
  return lines.filter((line) => line !== '').map(Number);
});
