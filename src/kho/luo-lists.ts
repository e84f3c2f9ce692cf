/**
 * Lists of entries as the live update orchestrator writes and reads them: an array of some pages in
 * a row, or blocks of one page that are linked. Addresses in bytes; an entry crosses no page of a
 * list of blocks, and may cross those of an array.
 */
import { MAX_BLOCKS } from '#src/abi/description/luo-structs';
import type { ListFormat } from '#src/abi/description/luo-structs';
import { readU64, writeU64 } from './physical-memory.ts';
import type { PhysicalMemory } from './physical-memory.ts';

/** How many entries a page of a list of blocks has room for, or all pages of an array. */
export const roomOf = (format: ListFormat, pageShift: number, entryBytes: number): number => {
  const pages = format.kind === 'array' ? format.pages : 1;
  return Math.floor((pages * 2 ** pageShift - format.header) / entryBytes);
};

/** How many entries there may be in all. */
export const limitOf = (format: ListFormat, pageShift: number, entryBytes: number): number =>
  roomOf(format, pageShift, entryBytes) * (format.kind === 'array' ? 1 : MAX_BLOCKS);

/** Bytes of an array that lie in several pages, for reading and writing piece by piece. */
const copyIn = (memory: PhysicalMemory, phys: number, bytes: Uint8Array): void => {
  const pageBytes = 2 ** memory.pageShift;
  for (let at = 0; at < bytes.length;) {
    const offset = (phys + at) % pageBytes;
    const part = bytes.subarray(at, at + pageBytes - offset);
    memory.pageForWriting(Math.floor((phys + at) / pageBytes)).set(part, offset);
    at += part.length;
  }
};

const copyOut = (memory: PhysicalMemory, phys: number, length: number): Uint8Array | undefined => {
  const pageBytes = 2 ** memory.pageShift;
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length;) {
    const offset = (phys + at) % pageBytes;
    const page = memory.page(Math.floor((phys + at) / pageBytes));
    if (page === undefined) return undefined;
    const part = page.subarray(offset, Math.min(page.length, offset + length - at));
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
};

/**
 * Writes all entries of a list.
 *
 * @param blocks first frame of the array, or the frame of each block
 */
export const writeList = (
  memory: PhysicalMemory,
  format: ListFormat,
  blocks: readonly number[],
  entries: readonly Uint8Array[],
  entryBytes: number,
): void => {
  const pageBytes = 2 ** memory.pageShift;
  const room = roomOf(format, memory.pageShift, entryBytes);
  blocks.forEach((block, index) => {
    const here = entries.slice(index * room, (index + 1) * room);
    if (format.count !== undefined) {
      writeU64(memory.pageForWriting(block), format.count, here.length);
    }
    here.forEach((entry, at) => {
      copyIn(memory, block * pageBytes + format.header + at * entryBytes, entry);
    });
  });
};

/** Links the blocks of a list, the last one to nothing. */
export const linkBlocks = (
  memory: PhysicalMemory,
  format: ListFormat,
  blocks: readonly number[],
): void => {
  if (format.kind === 'array') return;
  blocks.forEach((block, index) => {
    const next = (blocks[index + 1] ?? 0) * 2 ** memory.pageShift;
    writeU64(memory.pageForWriting(block), format.next, next);
  });
};

/** A list that was read: where it is, and its entries. */
export interface ListRead {
  readonly blocks: readonly number[];
  readonly entries: readonly Uint8Array[];
}

const EMPTY: ListRead = { blocks: [], entries: [] };

/**
 * Reads a list at `phys`, 0 for none. It ends where memory holds no bytes: nobody wrote a list
 * there, as in an archive that has not all of a machine.
 *
 * @param told number of entries where the list itself does not say it
 * @returns undefined when it cannot be read: an empty or overfull block, a cycle, too many blocks
 */
export const readList = (
  memory: PhysicalMemory,
  format: ListFormat,
  phys: number,
  told: number,
  entryBytes: number,
): ListRead | undefined => {
  if (phys === 0) return EMPTY;
  const pageBytes = 2 ** memory.pageShift;
  const room = roomOf(format, memory.pageShift, entryBytes);
  const blocks: number[] = [];
  const entries: Uint8Array[] = [];
  for (let at = phys; at !== 0;) {
    const block = at / pageBytes;
    const page = memory.page(block);
    if (page === undefined) break;
    if (blocks.length >= MAX_BLOCKS) return undefined;
    const count = format.count === undefined ? told : readU64(page, format.count);
    if (count > room || (format.kind === 'blocks' && count === 0)) return undefined;
    for (let index = 0; index < count; index++) {
      const entry = copyOut(memory, at + format.header + index * entryBytes, entryBytes);
      if (entry === undefined) return undefined;
      entries.push(entry);
    }
    blocks.push(block);
    at = format.kind === 'blocks' ? readU64(page, format.next) : 0;
  }
  return { blocks, entries };
};
