/**
 * Reads the root of a handover tree: its generation, where the tracker is, which blobs it names.
 *
 * Reads as far as the bytes allow; what cannot be read becomes damage. A tree whose header is not
 * usable has nothing else. Never throws.
 *
 * Several generations share the string `kho-v1`. Which of them may have written a tree follows from
 * its form: where the address of the tracker stands, or that ranges stand in the users' nodes.
 */
import { checkFull, checkHeader, FdtError, FdtReader } from 'fdt-ts';
import type { Generation, RootForm, RootFormat } from '../description/generation.ts';
import { generationsOf, NEWEST_GENERATION } from '../description/generations.ts';
import { COMPATIBLE_PROPERTY, type SubtreeNames } from '../description/root-tree.ts';
import { text, u32be, u64, type Damage } from './bytes.ts';
import { isWholeArray, readRanges, type MemoryRange } from './ranges.ts';

/** One named blob: address and size in bytes. */
export interface SubtreeEntry {
  readonly name: string;
  readonly phys: number;
  /** 0 where only the blob itself says how long it is, and it was not there. */
  readonly bytes: number;
}

/** What the root says. */
export interface RootTree {
  /** The root's string; empty when it could not be read. */
  readonly compatible: string;
  /** The generation the tree was read as; undefined when its string is not known. */
  readonly generation: Generation | undefined;
  /** All generations that write such a tree, oldest first; empty when its string is not known. */
  readonly writers: readonly Generation[];
  /** Address of the tracker's root. */
  readonly tracker: number | undefined;
  /** Preserved memory, where it stands in the tree itself. */
  readonly ranges: readonly MemoryRange[];
  readonly subtrees: readonly SubtreeEntry[];
  /** Names of subtrees that do not say where their blob is. */
  readonly lost: readonly string[];
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

const NOTHING = {
  compatible: '',
  generation: undefined,
  writers: [],
  tracker: undefined,
  ranges: [],
  subtrees: [],
  lost: [],
} as const;

/**
 * Reads the tree in `bytes`, which may hold more than the tree. A function of its arguments alone.
 *
 * @param writer the generation that wrote it, where that is known
 */
export const readRootTree = (bytes: Uint8Array, writer?: Generation): RootTree => {
  const damage: Damage[] = [];
  const header = checkHeader(bytes);
  if (header !== undefined) {
    damage.push({ where: 'fdt(header)', what: describe(header) });
    return { ...NOTHING, damage };
  }
  const full = checkFull(bytes);
  if (full !== undefined) damage.push({ where: 'fdt', what: describe(full) });
  const reader = new FdtReader(bytes);
  const compatible = readCompatible(reader, damage);
  const named = generationsOf(compatible);
  if (named.length === 0 && compatible !== '') {
    damage.push({ where: `fdt(/#${COMPATIBLE_PROPERTY})`, what: `unknown string "${compatible}"` });
  }
  const writers = writersOf(reader, named, writer);
  const generation = writers.at(-1);
  const shape = generation ?? NEWEST_GENERATION;
  const tracker = readMap(reader, shape.root, damage);
  const ranges = READS_RANGES.has(shape.root.form) ? rangesOf(reader, shape, damage) : [];
  const { subtree } = shape;
  const lost: string[] = [];
  const { form } = shape.root;
  const subtrees = subtree === undefined ? [] : readSubtrees(reader, subtree, form, lost, damage);
  return { compatible, generation, writers, tracker, ranges, subtrees, lost, damage };
};

/** The forms in which ranges stand in the tree. */
const READS_RANGES: ReadonlySet<RootForm> = new Set(['users']);

/** Of the generations that a string names, those that write a tree of this form. */
const writersOf = (
  reader: FdtReader,
  named: readonly Generation[],
  told: Generation | undefined,
): readonly Generation[] => {
  if (told !== undefined && named.includes(told)) return [told];
  const forms = new Set(named.map(({ root }) => root.form));
  if (forms.size < 2) return named;
  const seen = [...forms].filter((form) => LOOKS_LIKE[form](reader, named));
  // A tree that shows nothing of its form is a damaged one of the newest.
  const form = seen.at(-1) ?? named.at(-1)?.root.form;
  return named.filter(({ root }) => root.form === form);
};

/** Whether a tree shows what trees of a form have. Asked oldest first; the newest wins. */
const LOOKS_LIKE: Readonly<
  Record<RootForm, (reader: FdtReader, named: readonly Generation[]) => boolean>
> = {
  users: (reader, named) =>
    named.some(({ tracker }) => tracker.kind === 'ranges' && hasProperty(reader, tracker.property)),
  nodes: (reader, named) => named.some(({ root }) => root.form === 'nodes' && hasMap(reader, root)),
  pointers: (reader, named) =>
    named.some(({ root }) => root.form === 'pointers' && hasMap(reader, root)),
};

const hasMap = (reader: FdtReader, { map }: RootFormat): boolean =>
  map !== undefined &&
  guarded('', [], () => {
    const node = map.node === '' ? 0 : reader.subnodeOffset(0, map.node);
    return node !== undefined && reader.property(node, map.property) !== undefined;
  }) === true;

const hasProperty = (reader: FdtReader, property: string): boolean =>
  guarded('', [], () => {
    let found = false;
    eachNode(reader, (node) => (found ||= reader.property(node, property) !== undefined));
    return found;
  }) === true;

/** Deepest node that is looked at. */
const MAX_DEPTH = 64;

/** Visits every node but the root, with its path. */
const eachNode = (reader: FdtReader, visit: (node: number, path: string) => void): void => {
  const stack: { node: number; path: string; depth: number }[] = [{ node: 0, path: '', depth: 0 }];
  for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
    if (top.node !== 0) visit(top.node, top.path);
    if (top.depth >= MAX_DEPTH) continue;
    for (const node of reader.subnodes(top.node)) {
      stack.push({ node, path: `${top.path}/${reader.name(node)}`, depth: top.depth + 1 });
    }
  }
};

/** The ranges that nodes of the tree name, by ascending address. */
const rangesOf = (
  reader: FdtReader,
  { tracker }: Generation,
  damage: Damage[],
): readonly MemoryRange[] => {
  const ranges: MemoryRange[] = [];
  if (tracker.kind !== 'ranges') return ranges;
  guarded('fdt(/)', damage, () =>
    eachNode(reader, (node, path) => {
      const value = reader.property(node, tracker.property);
      if (value === undefined) return;
      if (!isWholeArray(value)) {
        const where = `fdt(${path}#${tracker.property})`;
        damage.push({ where, what: `has ${value.length} bytes, no whole number of ranges` });
      }
      ranges.push(...readRanges(path, value));
    }),
  );
  return ranges.sort((a, b) => a.phys - b.phys || a.bytes - b.bytes);
};

const readMap = (reader: FdtReader, { map }: RootFormat, damage: Damage[]): number | undefined => {
  if (map === undefined) return undefined;
  const where = `fdt(/${map.node})`;
  const before = damage.length;
  const node = map.node === '' ? 0 : guarded(where, damage, () => childOf(reader, map.node));
  if (node !== undefined) {
    return readAddress(reader, node, map.property, map.node === '' ? '/' : `/${map.node}`, damage);
  }
  if (damage.length === before) damage.push({ where, what: 'is missing' });
  return undefined;
};

const childOf = (reader: FdtReader, name: string): number | undefined =>
  reader.subnodeOffset(0, name);

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
  names: SubtreeNames,
  form: RootForm,
  lost: string[],
  damage: Damage[],
): SubtreeEntry[] => {
  const subtrees: SubtreeEntry[] = [];
  guarded('fdt(/)', damage, () => {
    for (const node of reader.subnodes(0)) {
      // Users of one tree for all put in what they like; not every node leads to a blob.
      if (form !== 'pointers' && reader.property(node, names.address) === undefined) continue;
      const name = reader.name(node);
      const path = `/${name}`;
      if (!isPrintable(name)) {
        damage.push({ where: `fdt(${path})`, what: 'its name is not printable' });
      }
      if (form === 'users') {
        const [first] = readRanges(path, reader.property(node, names.address)!);
        if (first !== undefined) subtrees.push({ name, phys: first.phys, bytes: first.bytes });
        continue;
      }
      const phys = readAddress(reader, node, names.address, path, damage);
      const bytes =
        names.bytes === undefined ? 0 : readAddress(reader, node, names.bytes, path, damage);
      if (phys !== undefined && bytes !== undefined) subtrees.push({ name, phys, bytes });
      else lost.push(name);
    }
  });
  return subtrees;
};
