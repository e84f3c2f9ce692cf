/**
 * What every byte of a handover is: where the fields of its trees, lists and structs lie.
 *
 * For whoever wants to know what damage hit. Reads a sound handover; whatever cannot be told apart
 * is one field. Bytes of a page that belong to no field are nobody's.
 *
 * Invariant: fields of one page do not overlap, and lie inside it.
 */
import { checkHeader, FdtReader } from 'fdt-ts';
import type { BlobFormat } from '../description/blob-format.ts';
import { CHUNK } from '../description/chunk-list.ts';
import type { Generation } from '../description/generation.ts';
import { generationById } from '../description/generations.ts';
import {
  SCRATCH_ENTRY_ADDRESS,
  SCRATCH_ENTRY_BYTES,
  SCRATCH_ENTRY_SIZE,
} from '../description/scratch-array.ts';
import { u32 } from './bytes.ts';
import type { Frames } from './frames.ts';
import { decodeHandover, type DecodedHandover, type HandoverPointers } from './handover.ts';

/** Some bytes of a page that mean something together. */
export interface Field {
  readonly pfn: number;
  /** Offset in the page, bytes. */
  readonly at: number;
  readonly bytes: number;
  /** What it is part of: `root`, `scratch array`, `tracker`, or the name of a blob. */
  readonly part: string;
  readonly name: string;
}

const HEADER_BYTES = 40;
/** Offsets of words in the header of a device tree, big endian. */
const TOTAL_SIZE = 4;
const STRUCT_AT = 8;
const STRINGS_AT = 12;
const RESERVED_AT = 16;
const STRINGS_BYTES = 32;
const STRUCT_BYTES = 36;
/** What lies in the page behind a tree or a struct. */
export const REST = 'rest of the page';
/** A node begins with a word; then comes its name. */
const NAME_AT = 4;

/** The fields of a handover that `pointers` lead to, part by part. */
export const fieldsOf = (frames: Frames, pointers: HandoverPointers): readonly Field[] => {
  const handover = decodeHandover(frames, pointers);
  const { writer } = pointers;
  const generation = typeof writer === 'string' ? generationById(writer) : writer;
  const pageBytes = 2 ** frames.pageShift;
  const root = pointers.fdt / pageBytes;
  return [
    ...treeFields(frames, root, 'root'),
    ...handover.subtrees.flatMap(({ name, phys }) =>
      blobFields(frames, phys / pageBytes, name, generation),
    ),
    ...arrayFields(handover, pageBytes),
    ...trackerFields(frames, handover, generation),
  ];
};

/** What the bytes of one page are, byte by byte. */
class PageFields {
  readonly #of: (string | undefined)[];

  constructor(pageBytes: number) {
    this.#of = Array.from({ length: pageBytes }, () => undefined);
  }

  /** Names bytes; what was named before is overwritten. */
  name(at: number, bytes: number, name: string): void {
    this.#of.fill(name, at, Math.min(at + bytes, this.#of.length));
  }

  /** Runs of bytes of one name. */
  list(pfn: number, part: string): Field[] {
    const fields: Field[] = [];
    for (let at = 0, end = 0; at < this.#of.length; at = end) {
      const name = this.#of[at];
      for (end = at + 1; end < this.#of.length && this.#of[end] === name;) end++;
      if (name !== undefined) fields.push({ pfn, at, bytes: end - at, part, name });
    }
    return fields;
  }
}

const be32 = (bytes: Uint8Array, at: number): number =>
  new DataView(bytes.buffer, bytes.byteOffset).getUint32(at);

/** Fields of a device tree that begins where a page does. */
const treeFields = (frames: Frames, pfn: number, part: string): readonly Field[] => {
  const page = frames.page(pfn);
  if (page === undefined || checkHeader(page) !== undefined) return [];
  const fields = new PageFields(page.length);
  fields.name(0, page.length, REST);
  const struct = be32(page, STRUCT_AT);
  fields.name(0, be32(page, TOTAL_SIZE), 'gaps of the tree');
  fields.name(0, HEADER_BYTES, 'header');
  fields.name(be32(page, RESERVED_AT), 16, 'reserve map');
  fields.name(struct, be32(page, STRUCT_BYTES), 'structure');
  fields.name(be32(page, STRINGS_AT), be32(page, STRINGS_BYTES), 'names of properties');
  const reader = new FdtReader(page);
  nameNode(reader, page, 0, struct, fields);
  return fields.list(pfn, part);
};

/** Names the values of a node and what is below it. */
const nameNode = (
  reader: FdtReader,
  page: Uint8Array,
  node: number,
  struct: number,
  fields: PageFields,
): void => {
  if (node !== 0) {
    fields.name(struct + node + NAME_AT, reader.name(node).length, 'names of nodes');
  }
  for (const { name, value } of reader.properties(node)) {
    fields.name(value.byteOffset - page.byteOffset, value.length, name);
  }
  for (const child of reader.subnodes(node)) nameNode(reader, page, child, struct, fields);
};

const blobFields = (
  frames: Frames,
  pfn: number,
  name: string,
  generation: Generation | undefined,
): readonly Field[] => {
  const format: BlobFormat | undefined = generation?.blobs.find((blob) => blob.name === name);
  const page = frames.page(pfn);
  if (format?.content.form !== 'struct') return treeFields(frames, pfn, name);
  if (page === undefined) return [];
  const fields = new PageFields(page.length);
  fields.name(0, page.length, REST);
  for (const field of format.content.fields) fields.name(field.at, field.bytes, field.name);
  return fields.list(pfn, name);
};

const arrayFields = (handover: DecodedHandover, pageBytes: number): readonly Field[] => {
  const { scratchArray, scratch } = handover;
  if (scratchArray === undefined) return [];
  const pfn = Math.floor(scratchArray / pageBytes);
  const start = scratchArray - pfn * pageBytes;
  const field = (entry: number, at: number, name: string): Field => ({
    pfn,
    at: start + entry * SCRATCH_ENTRY_BYTES + at,
    bytes: 8,
    part: 'scratch array',
    name,
  });
  return scratch.flatMap((_, entry) => [
    field(entry, SCRATCH_ENTRY_ADDRESS, 'address'),
    field(entry, SCRATCH_ENTRY_SIZE, 'size'),
  ]);
};

const trackerFields = (
  frames: Frames,
  { trackerPages }: DecodedHandover,
  generation: Generation | undefined,
): readonly Field[] => {
  const pageBytes = 2 ** frames.pageShift;
  const kind = generation?.tracker.kind;
  const pages = new Map<number, PageFields>();
  for (const { phys, level } of trackerPages) {
    const pfn = Math.floor(phys / pageBytes);
    const page = frames.page(pfn);
    if (page === undefined) continue;
    const fields = pages.get(pfn) ?? new PageFields(page.length);
    pages.set(pfn, fields);
    if (kind === 'chunks' && level > 0) nameChunk(page, fields);
    else nameSlots(page, phys - pfn * pageBytes, generation, level, fields);
  }
  return [...pages].flatMap(([pfn, fields]) => fields.list(pfn, 'tracker'));
};

const nameChunk = (page: Uint8Array, fields: PageFields): void => {
  fields.name(0, page.length, 'unused entries');
  fields.name(CHUNK.next, 8, 'next chunk');
  fields.name(CHUNK.order, 4, 'order');
  fields.name(CHUNK.count, 4, 'entries');
  for (let i = 0; i < u32(page, CHUNK.count); i++) {
    const entry = CHUNK.entries + i * CHUNK.entryBytes;
    fields.name(entry + CHUNK.start, 8, 'start of a bitmap');
    fields.name(entry + CHUNK.bitmap, 8, 'address of a bitmap');
  }
};

/** Tables of addresses, and bits; what is zero has another name than what is not. */
const nameSlots = (
  page: Uint8Array,
  start: number,
  generation: Generation | undefined,
  level: number,
  fields: PageFields,
): void => {
  const tracker = generation?.tracker;
  const length = tracker?.kind === 'chunks' ? tracker.bitmapBytes : 'page';
  const bytes = length === 'page' ? page.length : length;
  const used = level > 0 ? 'addresses' : 'bits';
  const empty = level > 0 ? 'empty slots' : 'zero bits';
  for (let at = start; at < start + bytes; at += 8) {
    const isUsed = page.subarray(at, at + 8).some((byte) => byte !== 0);
    fields.name(at, 8, isUsed ? used : empty);
  }
};
