/**
 * Reads the root of a handover tree: its generation, where the tracker is, which blobs it names.
 *
 * Reads as far as the bytes allow; what cannot be read becomes damage. A tree whose header is not
 * usable has nothing else. Never throws.
 */
import { checkFull, checkHeader, FdtError, FdtReader } from 'fdt-ts';
import {
  generationsOf,
  NEWEST_GENERATION,
  type WireGeneration,
} from '../description/generations.ts';
import { COMPATIBLE_PROPERTY, MEMORY_MAP_PROPERTY } from '../description/root-tree.ts';
import { text, u32be, u64, type Damage } from './bytes.ts';

/** One named blob: address and size in bytes. */
export interface SubtreeEntry {
  readonly name: string;
  readonly phys: number;
  readonly bytes: number;
}

/** What the root says. */
export interface RootTree {
  /** The root's string; empty when it could not be read. */
  readonly compatible: string;
  /** The generation the tree was read as; undefined when its string is not known. */
  readonly generation: WireGeneration | undefined;
  /** Address of the tracker's root. */
  readonly tracker: number | undefined;
  readonly subtrees: readonly SubtreeEntry[];
  readonly damage: readonly Damage[];
}

/** First word of every flattened device tree. */
const FDT_MAGIC = 0xd00dfeed;

/** Whether bytes begin like a flattened device tree. */
export const isFdt = (bytes: Uint8Array): boolean =>
  bytes.length >= 4 && u32be(bytes, 0) === FDT_MAGIC;

/** The size in bytes that a device tree's header claims, or undefined when there is no header. */
export const claimedSize = (bytes: Uint8Array): number | undefined =>
  isFdt(bytes) && bytes.length >= 8 ? u32be(bytes, 4) : undefined;

/** Runs `read`; an error of the device tree becomes damage at `where` and undefined. */
export const guarded = <T>(where: string, damage: Damage[], read: () => T): T | undefined => {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof FdtError)) throw error;
    damage.push({ where, what: describe(error) });
    return undefined;
  }
};

const describe = (error: FdtError): string =>
  error.offset === undefined ? error.code : `${error.code} at byte ${error.offset}`;

/** Reads the tree in `bytes`, which may hold more than the tree. */
export const readRootTree = (bytes: Uint8Array): RootTree => {
  const damage: Damage[] = [];
  const header = checkHeader(bytes);
  if (header !== undefined) {
    damage.push({ where: 'fdt(header)', what: describe(header) });
    return { compatible: '', generation: undefined, tracker: undefined, subtrees: [], damage };
  }
  const full = checkFull(bytes);
  if (full !== undefined) damage.push({ where: 'fdt', what: describe(full) });
  const reader = new FdtReader(bytes);
  const compatible = readCompatible(reader, damage);
  const generation = generationsOf(compatible).at(-1);
  if (generation === undefined && compatible !== '') {
    damage.push({ where: `fdt(/#${COMPATIBLE_PROPERTY})`, what: `unknown string "${compatible}"` });
  }
  if (generation !== undefined && generation.tracker === undefined) {
    return { compatible, generation, tracker: undefined, subtrees: [], damage };
  }
  const tracker = readAddress(reader, 0, MEMORY_MAP_PROPERTY, '/', damage);
  const subtrees = readSubtrees(reader, generation ?? NEWEST_GENERATION, damage);
  return { compatible, generation, tracker, subtrees, damage };
};

const readCompatible = (reader: FdtReader, damage: Damage[]): string => {
  const where = `fdt(/#${COMPATIBLE_PROPERTY})`;
  const before = damage.length;
  const value = guarded(where, damage, () => reader.property(0, COMPATIBLE_PROPERTY));
  const string = value === undefined || !value.includes(0) ? undefined : text(value);
  if (damage.length > before) return '';
  if (value === undefined) damage.push({ where, what: 'is missing' });
  else if (string === undefined) damage.push({ where, what: 'is not a string' });
  else if (string === '') damage.push({ where, what: 'is empty' });
  return string ?? '';
};

/** A u64 property that has to be there, be eight bytes long and be a safe integer. */
const readAddress = (
  reader: FdtReader,
  node: number,
  property: string,
  path: string,
  damage: Damage[],
): number | undefined => {
  const where = `fdt(${path}#${property})`;
  const before = damage.length;
  const value = guarded(where, damage, () => reader.property(node, property));
  if (damage.length > before) return undefined;
  if (value === undefined) damage.push({ where, what: 'is missing' });
  else if (value.length !== 8) {
    damage.push({ where, what: `has ${value.length} bytes, not 8` });
  } else {
    const number = u64(value, 0);
    if (Number.isSafeInteger(number)) return number;
    damage.push({ where, what: 'is beyond what a machine can address' });
  }
  return undefined;
};

/** Whether a name can be a file in debugfs and be shown to people. */
const isPrintable = (name: string): boolean => /^[\x21-\x7e]+$/.test(name) && !name.includes('/');

const readSubtrees = (
  reader: FdtReader,
  generation: WireGeneration,
  damage: Damage[],
): SubtreeEntry[] => {
  const subtrees: SubtreeEntry[] = [];
  const { address, bytes: size } = generation.subtree;
  guarded('fdt(/)', damage, () => {
    for (const node of reader.subnodes(0)) {
      const name = reader.name(node);
      const path = `/${name}`;
      if (!isPrintable(name)) {
        damage.push({ where: `fdt(${path})`, what: 'its name is not printable' });
      }
      const phys = readAddress(reader, node, address, path, damage);
      const bytes = size === undefined ? undefined : readAddress(reader, node, size, path, damage);
      if (phys !== undefined && bytes !== undefined) subtrees.push({ name, phys, bytes });
    }
  });
  return subtrees;
};
