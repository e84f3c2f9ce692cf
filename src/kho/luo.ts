/**
 * The live update orchestrator at the level of its ABI: what a kernel writes of one session that
 * holds one memfd, and what the next one makes of it while it boots.
 *
 * A reader goes by the format of its own generation. What that demands and the blob does not have
 * ends the kernel; what the blob has and the format does not name is passed over, and remembered.
 */
import { FdtError, FdtReader, FdtWriter, checkHeader } from 'fdt-ts';
import type { BlobFormat, NodeFormat } from '#src/abi/description/blob-format';
import type { Generation } from '#src/abi/description/generation';
import { FILE, SESSION } from '#src/abi/description/luo-structs';
import type { ListFormat } from '#src/abi/description/luo-structs';
import { COMPATIBLE_PROPERTY } from '#src/abi/description/root-tree';
import { LUO } from '#src/abi/description/sub-blobs';
import { writeU64 } from './physical-memory.ts';
import type { PhysicalMemory } from './physical-memory.ts';
import { KernelPanic } from './radix-tracker.ts';

/** Pages of a session, in order: the blob, sessions, files, the memfd, its data, bound objects. */
export const LUO_PAGES = 6;
const SESSIONS_AT = 1;
const FILES_AT = 2;
const MEMFD_AT = 3;
const FLBS_AT = 5;

const SESSION_NAME = 'session';
/** What the string of every form of the blob begins with. */
const LUO_STRING = 'luo-v';

const luoOf = ({ blobs }: Generation): BlobFormat | undefined =>
  blobs.find(({ name }) => name === LUO.name);

/** Writes one session with one memfd into `LUO_PAGES` pages from frame `first` on. */
export const writeLuo = (memory: PhysicalMemory, generation: Generation, first: number): void => {
  const format = luoOf(generation);
  const { luo } = generation;
  if (format === undefined || luo === undefined) return;
  const { sessions, files, memfd } = luo;
  const at = (page: number): number => (first + page) * 2 ** memory.pageShift;
  writeHead(memory.zeroPage(first), format, at);
  const list = memory.zeroPage(first + SESSIONS_AT);
  writeCount(list, sessions, 1);
  writeText(list, sessions.header + SESSION.name, SESSION_NAME);
  writeU64(list, sessions.header + SESSION.files, at(FILES_AT));
  writeU64(list, sessions.header + SESSION.fileCount, 1);
  const file = memory.zeroPage(first + FILES_AT);
  writeCount(file, files, 1);
  writeText(file, files.header + FILE.compatible, memfd.compatible);
  writeU64(file, files.header + FILE.data, at(MEMFD_AT));
  const state = memory.zeroPage(first + MEMFD_AT);
  writeU64(state, memfd.size, 2 ** memory.pageShift);
  writeU64(state, memfd.folioCount, 1);
  const bound = memory.zeroPage(first + FLBS_AT);
  // A block of no entries is all zero; the array says how many pages it has.
  if (format.content.form === 'tree') writeU64(bound, 0, 1);
};

/** Writes the head: child nodes or fields lead to sessions first, then to bound objects. */
const writeHead = (page: Uint8Array, { content }: BlobFormat, at: (page: number) => number) => {
  if (content.form === 'struct') {
    writeText(page, LUO.compatible, LUO.knownCompatible);
    writeU64(page, LUO.liveupdateNumber, 1);
    writeU64(page, LUO.sessions, at(SESSIONS_AT));
    writeU64(page, LUO.flbs, at(FLBS_AT));
    return;
  }
  const writer = FdtWriter.create(page);
  const heads = [at(SESSIONS_AT), at(FLBS_AT)];
  writer.finishReservemap();
  writer.beginNode('');
  writer.propertyString(COMPATIBLE_PROPERTY, content.root.compatible ?? '');
  for (const { name } of content.root.properties) writer.property(name, u64(1));
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

const writeCount = (page: Uint8Array, { count }: ListFormat, value: number): void => {
  if (count !== undefined) writeU64(page, count, value);
};

const writeText = (page: Uint8Array, offset: number, text: string): void => {
  new TextEncoder().encodeInto(text, page.subarray(offset));
};

/**
 * Reads the blob of the previous kernel.
 *
 * @param page undefined where the blob's memory holds no bytes: then it is none of LUO's
 * @returns what was passed over: `LUO` as a whole, or children of it
 */
export const readLuo = (
  page: Uint8Array | undefined,
  generation: Generation,
): readonly string[] => {
  if (page === undefined || !isLuo(page)) return [];
  const format = luoOf(generation);
  if (format === undefined) return [LUO.name];
  const { content } = format;
  if (content.form === 'tree') return readTree(page, content.root);
  for (const { at, bytes, is } of content.fields) {
    if (typeof is === 'string' && textAt(page, at, bytes) !== is) misfit();
  }
  return [];
};

const misfit = (): never => {
  throw new KernelPanic('the state of the live update orchestrator cannot be read');
};

const textAt = (page: Uint8Array, at: number, bytes: number): string => {
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

const readTree = (page: Uint8Array, root: NodeFormat): readonly string[] => {
  if (checkHeader(page) !== undefined) return misfit();
  const tree = new FdtReader(page);
  if (!fits(tree, 0, root)) return misfit();
  for (const child of root.children) {
    const node = tree.subnodeOffset(0, child.name ?? '');
    if (node === undefined || !fits(tree, node, child)) return misfit();
  }
  const passedOver: string[] = [];
  for (const node of tree.subnodes(0)) {
    const name = tree.name(node);
    const known = root.children.some((child) => child.name === name);
    if (!known) passedOver.push(`${LUO.name}/${name}`);
  }
  return passedOver;
};

/** Whether a node has the string and the properties that a format demands. */
const fits = (tree: FdtReader, node: number, format: NodeFormat): boolean =>
  stringOf(tree, node) === format.compatible &&
  format.properties.every(({ name, bytes }) => {
    const value = tree.property(node, name);
    return value !== undefined && (bytes === undefined || value.length === bytes);
  });
