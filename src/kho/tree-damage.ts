/**
 * Damage to an outgoing tree, as `Call.value` of `kexec` names it: what a kernel of another make, a
 * stray write or a bug may leave for the next kernel to read.
 */
import { FdtEditor, FdtError, FdtReader, checkHeader } from 'fdt-ts';
import {
  COMPATIBLE_PROPERTY,
  MEMORY_MAP_PROPERTY,
  SUBTREE_BLOB,
} from '#src/abi/description/root-tree';
import { KEXEC_METADATA } from '#src/abi/description/sub-blobs';
import { INTENDED } from './decisions.ts';
import { BLOB_SIZE_PROPERTY, findSubtree, retrieveSubtree } from './handover-tree.ts';
import { writeU32, writeU64 } from './physical-memory.ts';
import type { PhysicalMemory } from './physical-memory.ts';

const ROOT = 0;
/** The first kind of damage that concerns one blob. */
const FIRST_BLOB_DAMAGE = 5;
const METADATA_TOO_SHORT = 12;
const METADATA_UNKNOWN_VERSION = 13;
/** An address that no machine has memory at. */
const NOWHERE = 2 ** 52;

/** Damages the tree of frame `tree`; `name` is that of the blob which is meant. */
export const damageTree = (
  memory: PhysicalMemory,
  tree: number,
  damage: number,
  name: string,
): void => {
  const page = memory.page(tree);
  if (page === undefined || damage === 0 || checkHeader(page) !== undefined) return;
  if (damage < FIRST_BLOB_DAMAGE) damageRoot(page, damage);
  else if (damage === METADATA_UNKNOWN_VERSION) damageVersion(memory, page);
  else damageBlob(page, damage, damage === METADATA_TOO_SHORT ? KEXEC_METADATA.name : name);
};

const damageRoot = (page: Uint8Array, damage: number): void => {
  const reader = new FdtReader(page);
  if (damage === 1) page[0]! ^= 0xff;
  else if (damage === 2) changeFirst(reader.property(ROOT, COMPATIBLE_PROPERTY), 0x58);
  else if (damage === 3) changeFirst(stringBytes(page, MEMORY_MAP_PROPERTY), 0x58);
  else reader.property(ROOT, MEMORY_MAP_PROPERTY)?.fill(0);
};

const changeFirst = (bytes: Uint8Array | undefined, value: number): void => {
  if (bytes !== undefined) bytes[0] = value;
};

/** Where a string stands in a page. */
const stringBytes = (page: Uint8Array, text: string): Uint8Array | undefined => {
  const at = Buffer.from(page.buffer, page.byteOffset, page.length).indexOf(text);
  return at < 0 ? undefined : page.subarray(at);
};

const u64 = (value: number): Uint8Array => {
  const bytes = new Uint8Array(8);
  writeU64(bytes, 0, value);
  return bytes;
};

/** What becomes of a property: a new value, or none. */
const CHANGES: Readonly<Record<number, readonly [string, Uint8Array | undefined]>> = {
  5: [SUBTREE_BLOB.address, undefined],
  6: [SUBTREE_BLOB.address, new Uint8Array(4)],
  7: [SUBTREE_BLOB.address, new Uint8Array(16)],
  8: [BLOB_SIZE_PROPERTY, undefined],
  9: [BLOB_SIZE_PROPERTY, new Uint8Array(4)],
  10: [SUBTREE_BLOB.address, u64(0)],
  11: [SUBTREE_BLOB.address, u64(NOWHERE)],
  [METADATA_TOO_SHORT]: [BLOB_SIZE_PROPERTY, u64(KEXEC_METADATA.bytes - 1)],
};

/** Changes a property of a blob's node; one that the page has no room for goes away instead. */
const damageBlob = (page: Uint8Array, damage: number, name: string): void => {
  const change = CHANGES[damage];
  const tree = FdtEditor.openInto(page, page);
  const node = findSubtree(tree, name, INTENDED);
  if (change === undefined || node === undefined) return;
  const [property, value] = change;
  try {
    if (value === undefined) tree.deleteProperty(node, property);
    else tree.setProperty(node, property, value);
  } catch (error) {
    if (!(error instanceof FdtError)) throw error;
    tree.deleteProperty(node, property);
  }
  tree.pack();
};

const damageVersion = (memory: PhysicalMemory, page: Uint8Array): void => {
  const found = retrieveSubtree(page, KEXEC_METADATA.name);
  if (typeof found === 'number') return;
  const blob = memory.page(found.phys / page.length);
  if (blob !== undefined) writeU32(blob, KEXEC_METADATA.version, KEXEC_METADATA.knownVersion + 1);
};
