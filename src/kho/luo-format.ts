/**
 * What the live update orchestrator names in the tree, and what the next kernel makes of it early
 * in its boot: a struct from 7.2 on, before a device tree with a child for sessions and one for
 * objects that are bound to files.
 *
 * A reader goes by the format of its own generation. What that demands and the blob does not have
 * ends the kernel; what the blob has and the format does not name is passed over, and remembered.
 */
import { FdtError, FdtReader, FdtWriter, checkHeader } from 'fdt-ts';
import type { BlobFormat, NodeFormat } from '#src/abi/description/blob-format';
import type { Generation } from '#src/abi/description/generation';
import { COMPATIBLE_PROPERTY } from '#src/abi/description/root-tree';
import { LUO } from '#src/abi/description/sub-blobs';
import { readU64, writeU64 } from './physical-memory.ts';
import { KernelPanic } from './radix-tracker.ts';

/** What the string of every form of the blob begins with. */
const LUO_STRING = 'luo-v';

export const luoOf = ({ blobs }: Generation): BlobFormat | undefined =>
  blobs.find(({ name }) => name === LUO.name);

/** Whether a generation has a list of objects that are bound to files. */
export const hasFlbs = ({ content }: BlobFormat): boolean =>
  content.form === 'struct' || content.root.children.length > 1;

/** Writes the head; `sessions` and `flbs` are addresses in bytes, 0 where there is nothing. */
export const writeHead = (
  page: Uint8Array,
  { content }: BlobFormat,
  number: number,
  sessions: number,
  flbs: number,
): void => {
  if (content.form === 'struct') {
    writeText(page, LUO.compatible, LUO.knownCompatible);
    writeU64(page, LUO.liveupdateNumber, number);
    writeU64(page, LUO.sessions, sessions);
    writeU64(page, LUO.flbs, flbs);
    return;
  }
  const writer = FdtWriter.create(page);
  const heads = [sessions, flbs];
  writer.finishReservemap();
  writer.beginNode('');
  writer.propertyString(COMPATIBLE_PROPERTY, content.root.compatible ?? '');
  for (const { name } of content.root.properties) writer.property(name, u64(number));
  content.root.children.forEach(({ name, compatible, properties }, index) => {
    writer.beginNode(name ?? '');
    writer.propertyString(COMPATIBLE_PROPERTY, compatible ?? '');
    for (const property of properties) writer.property(property.name, u64(heads[index] ?? 0));
    writer.endNode();
  });
  writer.endNode();
  writer.finish();
};

const u64 = (value: number): Uint8Array => {
  const bytes = new Uint8Array(8);
  writeU64(bytes, 0, value);
  return bytes;
};

export const writeText = (page: Uint8Array, offset: number, text: string): void => {
  new TextEncoder().encodeInto(text, page.subarray(offset));
};

/** What a head says: how many live updates there were, and where sessions are listed, in bytes. */
export interface Head {
  readonly number: number;
  readonly sessions: number;
  /** What was passed over: `LUO` as a whole, or children of it. */
  readonly passedOver: readonly string[];
}

const nothing = (passedOver: readonly string[]): Head => ({ number: 0, sessions: 0, passedOver });

/**
 * Reads the head of the previous kernel.
 *
 * @param page undefined where the blob's memory holds no bytes: then it is none of LUO's
 * @param knownChildren of how many children of the head it looks at, of so many that it has
 * @returns undefined where there is none
 */
export const readHead = (
  page: Uint8Array | undefined,
  generation: Generation,
  knownChildren: (children: number) => number = (children) => children,
): Head | undefined => {
  if (page === undefined || !isLuo(page)) return undefined;
  const format = luoOf(generation);
  if (format === undefined) return nothing([LUO.name]);
  const { content } = format;
  if (content.form === 'tree') {
    return orMisfit(() => readTree(page, content.root, knownChildren));
  }
  for (const { at, bytes, is } of content.fields) {
    if (typeof is === 'string' && textAt(page, at, bytes) !== is) misfit();
  }
  const number = readU64(page, LUO.liveupdateNumber);
  return { number, sessions: readU64(page, LUO.sessions), passedOver: [] };
};

export const misfit = (): never => {
  throw new KernelPanic('the state of the live update orchestrator cannot be read');
};

/** What `read` answers; a tree that libfdt stumbles over fits nobody. */
const orMisfit = <T>(read: () => T): T => {
  try {
    return read();
  } catch (error) {
    if (error instanceof FdtError) return misfit();
    throw error;
  }
};

export const textAt = (page: Uint8Array, at: number, bytes: number): string => {
  const field = page.subarray(at, at + bytes);
  const end = field.indexOf(0);
  return new TextDecoder().decode(end < 0 ? field : field.subarray(0, end));
};

const stringOf = (tree: FdtReader, node: number): string => {
  const value = tree.property(node, COMPATIBLE_PROPERTY);
  return value === undefined ? '' : textAt(value, 0, value.length);
};

/** Whether a blob begins like one of LUO's, of whatever generation. */
const isLuo = (page: Uint8Array): boolean => {
  if (textAt(page, LUO.compatible, LUO.compatibleBytes).startsWith(LUO_STRING)) return true;
  if (checkHeader(page) !== undefined) return false;
  try {
    return stringOf(new FdtReader(page), 0).startsWith(LUO_STRING);
  } catch (error) {
    if (error instanceof FdtError) return false;
    throw error;
  }
};

const readTree = (
  page: Uint8Array,
  root: NodeFormat,
  knownChildren: (children: number) => number,
): Head => {
  if (checkHeader(page) !== undefined) return misfit();
  const tree = new FdtReader(page);
  if (!fits(tree, 0, root)) return misfit();
  const heads: number[] = [];
  for (const child of root.children) {
    const node = tree.subnodeOffset(0, child.name ?? '');
    if (node === undefined || !fits(tree, node, child)) return misfit();
    heads.push(numberAt(tree, node, child.properties[0]?.name ?? ''));
  }
  const passedOver: string[] = [];
  for (const node of tree.subnodes(0)) {
    const name = tree.name(node);
    const known = root.children
      .slice(0, knownChildren(root.children.length))
      .some((child) => child.name === name);
    if (!known) passedOver.push(`${LUO.name}/${name}`);
  }
  const number = numberAt(tree, 0, root.properties[0]?.name ?? '');
  return { number, sessions: heads[0] ?? 0, passedOver };
};

const numberAt = (tree: FdtReader, node: number, property: string): number => {
  const value = tree.property(node, property);
  return value?.length === 8 ? readU64(value, 0) : 0;
};

/** Whether a node has the string and the properties that a format demands. */
const fits = (tree: FdtReader, node: number, format: NodeFormat): boolean =>
  stringOf(tree, node) === format.compatible &&
  format.properties.every(({ name, bytes }) => {
    const value = tree.property(node, name);
    return value !== undefined && (bytes === undefined || value.length === bytes);
  });
