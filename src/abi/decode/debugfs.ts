/**
 * Reads a copy of a kernel's debugfs directory for KHO.
 *
 * Two spellings are understood: the directory itself (`out/fdt`, `in/sub_fdts/LUO`) and flat files
 * with `__` for `/` and `.bin` behind (`out__fdt.bin`, `in__sub_fdts__LUO.bin`). What user space
 * could read of a kernel is a witness, not the handover itself.
 */
import type { Damage } from './bytes.ts';
import { tellBlob } from './blobs.ts';
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
}

/** A blob that user space read from debugfs. */
export interface CopiedBlob {
  readonly name: string;
  readonly bytes: number;
  readonly lines: readonly string[];
  /** Why it is not what its name promises; undefined when it is, or when nobody knows. */
  readonly fault: string | undefined;
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
const NESTED = /^(out|in)\/(sub_fdts\/)?([^/]+)$/;

/** The name of a debugfs file in the directory's own spelling, or undefined for another file. */
export const debugfsName = (file: string): string | undefined => {
  const match = FLAT.exec(file) ?? NESTED.exec(file);
  if (match === null) return undefined;
  return `${match[1]}/${match[2] === undefined ? '' : 'sub_fdts/'}${match[3]}`;
};

/** Reads a copy from its files, whichever way they are spelled; undefined if none belongs to it. */
export const readDebugfs = (files: ReadonlyMap<string, FileBytes>): DebugfsCopy | undefined => {
  const named = new Map<string, FileBytes>();
  for (const [file, bytes] of files) {
    const name = debugfsName(file);
    if (name !== undefined) named.set(name, bytes);
  }
  if (named.size === 0) return undefined;
  return {
    out: readSide(named, 'out/'),
    in: readSide(named, 'in/'),
    scratchPhys: readNumbers(named.get('out/scratch_phys')),
    scratchLen: readNumbers(named.get('out/scratch_len')),
  };
};

const readSide = (named: ReadonlyMap<string, FileBytes>, side: string): CopiedSide | undefined => {
  const names = [...named.keys()].filter((name) => name.startsWith(side));
  if (names.length === 0) return undefined;
  const tree = named.get(`${side}fdt`);
  const folder = `${side}sub_fdts/`;
  const blobs = names
    .filter((name) => name.startsWith(folder))
    .map((name) => readBlob(name.slice(folder.length), named.get(name)!));
  return { tree: tree instanceof Uint8Array ? readTree(tree) : undefined, blobs };
};

const readBlob = (name: string, bytes: FileBytes): CopiedBlob =>
  bytes instanceof Uint8Array
    ? { ...tellBlob(name, bytes), bytes: bytes.length }
    : { name, lines: [], fault: undefined, bytes: bytes.length };

const readTree = (bytes: Uint8Array): CopiedTree => {
  const { compatible, tracker, subtrees, damage }: RootTree = readRootTree(bytes);
  const claimed = claimedSize(bytes);
  return { bytes: bytes.length, claimed, compatible, tracker, subtrees, damage };
};

/** One number a line, `0x…`; a line that is none reads as NaN. */
const readNumbers = (bytes: FileBytes | undefined): readonly number[] | undefined => {
  if (!(bytes instanceof Uint8Array)) return undefined;
  const lines = String.fromCharCode(...bytes.subarray(0, 65536)).split('\n');
  return lines.filter((line) => line !== '').map(Number);
};
