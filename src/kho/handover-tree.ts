/**
 * The handover tree of 6.19 and later, edited and read call for call as the kernel does.
 *
 * Writing goes through libfdt's sequential writer and in-place editor, so the bytes of the page are
 * those of a real kernel: nodes of blobs appear newest first, `blob-size` before `preserved-data`.
 */
import { FdtEditor, FdtError, FdtReader, FdtWriter, checkHeader } from 'fdt-ts';
import {
  COMPATIBLE_PROPERTY,
  MEMORY_MAP_PROPERTY,
  SUBTREE_BLOB,
} from '#src/abi/description/root-tree';
import type { RootFormat } from '#src/abi/description/generation';
import type { SubtreeNames } from '#src/abi/description/root-tree';
import { EEXIST, EINVAL, ENOENT, ENOMEM } from './errno.ts';
import { INTENDED } from './decisions.ts';
import { mapOfNodes } from './early-trees.ts';
import type { Decisions } from './decisions.ts';
import { readU64, writeU64 } from './physical-memory.ts';

export const BLOB_SIZE_PROPERTY = SUBTREE_BLOB.bytes ?? 'blob-size';
const ROOT = 0;

const u64 = (value: number): Uint8Array => {
  const bytes = new Uint8Array(8);
  writeU64(bytes, 0, value);
  return bytes;
};

/** What `read` answers, or undefined where libfdt would answer an error. */
const readable = <T>(read: () => T): T | undefined => {
  try {
    return read();
  } catch (error) {
    if (error instanceof FdtError) return undefined;
    throw error;
  }
};

/** Writes a tree without blobs into a zeroed page. */
export const createTree = (page: Uint8Array, compatible: string, trackerRoot: number): void => {
  const writer = FdtWriter.create(page);
  writer.finishReservemap();
  writer.beginNode('');
  writer.propertyString(COMPATIBLE_PROPERTY, compatible);
  writer.property(MEMORY_MAP_PROPERTY, u64(trackerRoot));
  writer.endNode();
  writer.finish();
};

/** Points a tree to another tracker; its bytes do not move. */
export const setMap = (page: Uint8Array, map: number): void => {
  const value = new FdtReader(page).property(ROOT, MEMORY_MAP_PROPERTY);
  if (value !== undefined) writeU64(value, 0, map);
};

/** Names a blob; answers 0, -EEXIST or -ENOMEM. A refusal leaves the tree as it was. */
export const addSubtree = (
  page: Uint8Array,
  name: string,
  phys: number,
  bytes: number,
  decisions: Decisions,
  names: SubtreeNames = SUBTREE_BLOB,
): number => {
  const tree = readable(() => FdtEditor.openInto(page, page));
  if (tree === undefined) return -ENOMEM;
  const recorded = decisions.recordedBlobBytes(bytes, page.length);
  const value = tryAdd(tree, name, phys, recorded, decisions, names);
  readable(() => tree.pack());
  return value;
};

const tryAdd = (
  tree: FdtEditor,
  name: string,
  phys: number,
  bytes: number,
  decisions: Decisions,
  names: SubtreeNames,
): number => {
  let node: number;
  try {
    const present = findSubtree(tree, name, decisions);
    if (present !== undefined && decisions.checksDuplicateNames) return -EEXIST;
    if (present !== undefined) tree.deleteNode(present);
    node = addNode(tree, name);
  } catch (error) {
    return refusal(error, decisions);
  }
  try {
    tree.setProperty(node, names.address, u64(phys));
    if (names.bytes !== undefined) tree.setProperty(node, names.bytes, u64(bytes));
    return 0;
  } catch (error) {
    readable(() => tree.deleteNode(node));
    return refusal(error, decisions);
  }
};

/**
 * Adds a node below the root. libfdt takes `foo@1` for `foo`; where that is in the way, the node
 * gets a name of the same length first, so that the page has the bytes that it would have.
 */
const addNode = (tree: FdtEditor, name: string): number => {
  if (tree.subnodeOffset(ROOT, name) === undefined) return tree.addSubnode(ROOT, name);
  const node = tree.addSubnode(ROOT, `@${name.slice(1)}`);
  tree.setName(node, name);
  return node;
};

/** Offset of the node of this name, or undefined. */
export const findSubtree = (
  tree: FdtReader,
  name: string,
  decisions: Decisions,
): number | undefined => {
  const found = tree.subnodeOffset(ROOT, name);
  if (found === undefined || !decisions.matchesWholeNames) return found;
  let node = tree.firstSubnode(ROOT);
  while (node !== undefined && tree.name(node) !== name) node = tree.nextSubnode(node);
  return node;
};

const refusal = (error: unknown, decisions: Decisions): number => {
  if (!(error instanceof FdtError)) throw error;
  if (!decisions.translatesTreeErrors) return -error.number;
  return error.code === 'EXISTS' ? -EEXIST : -ENOMEM;
};

/**
 * Takes the first node out that points to the blob at `phys`: that of its newest name. Answers
 * whether there was one.
 */
export const removeSubtree = (
  page: Uint8Array,
  phys: number,
  decisions: Decisions = INTENDED,
  names: SubtreeNames = SUBTREE_BLOB,
): boolean => {
  const tree = readable(() => FdtEditor.openInto(page, page));
  if (tree === undefined) return false;
  const node = readable(() => subtreeAt(tree, phys, decisions.removesNewestName, names));
  if (node !== undefined) readable(() => tree.deleteNode(node));
  readable(() => tree.pack());
  return node !== undefined;
};

/** Offset of the first, or else of the last, node that points to the blob at `phys`. */
const subtreeAt = (
  tree: FdtReader,
  phys: number,
  first: boolean,
  names: SubtreeNames,
): number | undefined => {
  let found: number | undefined;
  let node = tree.firstSubnode(ROOT);
  while (node !== undefined && (found === undefined || !first)) {
    const value = tree.property(node, names.address);
    if (value !== undefined && value.length === 8 && readU64(value, 0) === phys) found = node;
    node = tree.nextSubnode(node);
  }
  return found;
};

/** A blob that was looked up, or `-ERRNO`. */
export type Retrieved = { readonly phys: number; readonly bytes: number } | number;

/**
 * Looks a blob of an incoming tree up: -ENOENT without a node, -EINVAL with a malformed one. Where
 * the tree does not say a size it is 0.
 */
export const retrieveSubtree = (
  page: Uint8Array,
  name: string,
  decisions: Decisions = INTENDED,
  names: SubtreeNames = SUBTREE_BLOB,
): Retrieved => {
  const tree = new FdtReader(page);
  const found = readable(() => findSubtree(tree, name, decisions));
  const first = decisions.missingNameIsMissing ? undefined : tree.firstSubnode(ROOT);
  const node = found ?? first;
  if (node === undefined) return -ENOENT;
  const phys = readable(() => tree.property(node, names.address));
  const size = names.bytes;
  const bytes = size === undefined ? u64(0) : readable(() => tree.property(node, size));
  if (phys?.length === 8 && bytes?.length === 8) {
    const told = decisions.retrievedBytes(readU64(bytes, 0), page.length);
    return { phys: readU64(phys, 0), bytes: told };
  }
  if (decisions.checksBlobProperties || phys === undefined || phys.length < 8) return -EINVAL;
  return { phys: readU64(phys, 0), bytes: 0 };
};

/** What `acceptTree` answers where the tree is the tracker. */
export const RANGES_IN_TREE = -1;

/** Address of the tracker's root that an incoming tree gives, or undefined to refuse the tree. */
export const acceptTree = (
  page: Uint8Array,
  compatible: string,
  decisions: Decisions,
  root?: RootFormat,
): number | undefined => {
  if (checkHeader(page) !== undefined) return undefined;
  return readable(() => {
    const tree = new FdtReader(page);
    if (decisions.checksCompatible && tree.nodeCheckCompatible(ROOT, compatible) !== 'match') {
      return undefined;
    }
    if (root?.form === 'users') return RANGES_IN_TREE;
    if (root?.form === 'nodes') return mapOfNodes(tree, root);
    const map = tree.property(ROOT, MEMORY_MAP_PROPERTY);
    const tracker = map?.length === 8 ? readU64(map, 0) : 0;
    // Up to 6.18 a tree without a map is one in which nothing is preserved.
    if (tracker === 0 && root?.zeroMap === 'nothing') return 0;
    return tracker === 0 && decisions.checksMemoryMap ? undefined : tracker;
  });
};
