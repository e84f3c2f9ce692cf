/**
 * Follows the orchestrator's blob to its sessions, their files, and what a memfd left.
 *
 * Invariants: reads only through `Frames`, never throws, ends after bounded work. Memory that is
 * not there is no fault: an archive seldom holds all of it. What is there and cannot be is told.
 */
import { FILE, MAX_BLOCKS, SESSION } from '../description/luo-structs.ts';
import type { ListFormat, LuoFormat, MemfdFormat } from '../description/luo-structs.ts';
import { hex, text, u64 } from './bytes.ts';
import type { Frames } from './frames.ts';
import { readMemory } from './memory.ts';

/** A file of a session. */
export interface LuoFile {
  /** The handler's string; undefined when it is no text. */
  readonly compatible: string | undefined;
  readonly token: number;
  /** Bytes and folios of a memfd; undefined for another kind or where it is not there. */
  readonly memfd: { readonly bytes: number; readonly folios: number } | undefined;
}

/** A session. */
export interface LuoSession {
  readonly name: string | undefined;
  readonly files: readonly LuoFile[];
}

/** What was found. */
export interface LuoContent {
  readonly sessions: readonly LuoSession[];
  /** What cannot be; each a short phrase. */
  readonly faults: readonly string[];
}

/** All entries of all lists together that are looked at. */
const MAX_ENTRIES = 65536;

/** What one reading has seen so far. */
interface Reading {
  readonly frames: Frames;
  readonly faults: string[];
  /** Entries that may still be read. */
  left: number;
}

/** Reads the sessions whose list is at `phys` (0: none). */
export const readSessions = (frames: Frames, format: LuoFormat, phys: number): LuoContent => {
  const reading: Reading = { frames, faults: [], left: MAX_ENTRIES };
  const sessions = readList(reading, format.sessions, phys, undefined, SESSION.bytes).map(
    (entry): LuoSession => {
      const first = u64(entry, SESSION.files);
      const count = u64(entry, SESSION.fileCount);
      const files = readList(reading, format.files, first, count, FILE.bytes);
      return {
        name: text(entry.subarray(SESSION.name, SESSION.name + SESSION.nameBytes)),
        files: files.map((file) => readFile(frames, format.memfd, file)),
      };
    },
  );
  return { sessions, faults: reading.faults };
};

const readFile = (frames: Frames, memfd: MemfdFormat, entry: Uint8Array): LuoFile => {
  const compatible = text(entry.subarray(FILE.compatible, FILE.compatible + FILE.compatibleBytes));
  const token = u64(entry, FILE.token);
  const data =
    compatible === memfd.compatible
      ? readMemory(frames, u64(entry, FILE.data), memfd.bytes)
      : undefined;
  const left = data && { bytes: u64(data, memfd.size), folios: u64(data, memfd.folioCount) };
  return { compatible, token, memfd: left };
};

/** The entries of a list, as far as they are there. */
const readList = (
  reading: Reading,
  format: ListFormat,
  first: number,
  told: number | undefined,
  entryBytes: number,
): readonly Uint8Array[] => {
  const { frames, faults } = reading;
  const entries: Uint8Array[] = [];
  const pageBytes = 2 ** frames.pageShift;
  const seen = new Set<number>();
  for (let phys = first; phys !== 0;) {
    const fault = pageFault(phys, pageBytes, seen);
    if (fault !== undefined) {
      faults.push(`its list at ${hex(first)} ${fault}`);
      return entries;
    }
    seen.add(phys);
    const pages = format.kind === 'array' ? format.pages : 1;
    const list = readMemory(frames, phys, pages * pageBytes);
    if (list === undefined) return entries;
    const room = Math.floor((list.length - format.header) / entryBytes);
    const count = format.count === undefined ? (told ?? 0) : u64(list, format.count);
    if (count > room || (format.kind === 'blocks' && count === 0)) {
      faults.push(`its list at ${hex(phys)} says ${count} entries, with room for ${room}`);
      return entries;
    }
    reading.left -= count + 1;
    if (reading.left < 0) {
      faults.push(`its lists have more than ${MAX_ENTRIES} entries`);
      return entries;
    }
    for (let i = 0; i < count; i++) {
      const at = format.header + i * entryBytes;
      entries.push(list.subarray(at, at + entryBytes));
    }
    phys = format.kind === 'blocks' ? u64(list, format.next) : 0;
  }
  return entries;
};

/** Why no page of a list is at an address, or undefined. */
const pageFault = (phys: number, pageBytes: number, seen: Set<number>): string | undefined => {
  if (!Number.isInteger(phys / pageBytes)) return `leads to ${hex(phys)}, which is no page`;
  if (seen.has(phys)) return `closes a cycle at ${hex(phys)}`;
  return seen.size < MAX_BLOCKS ? undefined : `has more than ${MAX_BLOCKS} blocks`;
};

/** Lines before the rest is only counted. */
const MAX_LINES = 48;

const many = (count: number, thing: string): string => `${count} ${thing}${count === 1 ? '' : 's'}`;

/** The sessions in words, a line each. */
export const tellSessions = ({ sessions }: LuoContent): readonly string[] => {
  const lines = sessions.flatMap(({ name, files }) => [
    `session ${name ?? 'without a readable name'}: ${many(files.length, 'file')}`,
    ...files.map(({ compatible, token, memfd }) => {
      const what = compatible ?? 'a file of unknown kind';
      const left =
        memfd === undefined ? '' : `, ${memfd.bytes} bytes in ${many(memfd.folios, 'folio')}`;
      return `${what}, token ${hex(token)}${left}`;
    }),
  ]);
  if (lines.length <= MAX_LINES) return lines;
  return [...lines.slice(0, MAX_LINES), `… and ${lines.length - MAX_LINES} more lines`];
};
