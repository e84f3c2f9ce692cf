/**
 * What the live update orchestrator has memory for, and how much of it: arithmetic for its rules.
 *
 * Up to 7.1 sessions are an array of sixteen pages that is there from the start, and each session
 * with files has an array of two. From 7.2 on both are lists of blocks of one page that grow when
 * the last block is full (Documentation/core-api/liveupdate.rst; kernel/liveupdate/kho_block.c,
 * kho_block_set_grow). All sizes in bytes unless a name says frames or pages.
 */
import type { Answer, Ranges } from './call.ts';
import { LUO_FIRST_FILE, LUO_HEAD, LUO_SESSIONS } from './live-update-cells.ts';
import { FREE, HELD, UNMOVABLE, allAre, runsBefore, setUse, touchesScratch } from './state.ts';
import type { State } from './state.ts';
import { chunkEntries } from './vmalloc.ts';

const SESSION_BYTES = 80;
const FILE_BYTES = 64;
const FOLIO_BYTES = 16;
const BLOCK_HEADER_BYTES = 16;
const ARRAY_HEADER_BYTES = 8;
const SESSION_PAGES = 16;
const FILE_LIST_PAGES = 2;
const MAX_BLOCKS = 10000;

const pageBytes = (s: State): number => 2 ** s.machine.pageShift;

export const sessionNames = (s: State): number => s.machine.liveUpdate?.sessions ?? 0;
export const fileTokens = (s: State): number => s.machine.liveUpdate?.files ?? 0;

/** Whether lists grow block by block. */
export const hasBlocks = (s: State): boolean => !runsBefore(s, '7.2');

const perBlock = (s: State, entryBytes: number): number =>
  Math.floor((pageBytes(s) - BLOCK_HEADER_BYTES) / entryBytes);

/** How many sessions, and how many files of one session, a block lists. */
export const sessionsPerBlock = (s: State): number => perBlock(s, SESSION_BYTES);
export const filesPerBlock = (s: State): number => perBlock(s, FILE_BYTES);

/** How many sessions there may be. */
export const sessionsMax = (s: State): number =>
  hasBlocks(s)
    ? MAX_BLOCKS * perBlock(s, SESSION_BYTES)
    : Math.floor((SESSION_PAGES * pageBytes(s) - ARRAY_HEADER_BYTES) / SESSION_BYTES);

/** How many files a session may keep. */
export const filesMax = (s: State): number =>
  hasBlocks(s)
    ? MAX_BLOCKS * perBlock(s, FILE_BYTES)
    : Math.floor((FILE_LIST_PAGES * pageBytes(s)) / FILE_BYTES);

/** Whether so many sessions fill their blocks, so that one more begins another. */
export const sessionsFillBlocks = (s: State, sessions: number): boolean =>
  hasBlocks(s) && sessions % perBlock(s, SESSION_BYTES) === 0;

/** Outgoing sessions. */
export const sessionCount = (s: State): number => {
  let count = 0;
  for (let name = 0; name < sessionNames(s); name++) count += s.sessionOut.get(name);
  return count;
};

/** Files that an outgoing session keeps. */
export const filesOf = (s: State, session: number): number => {
  let count = 0;
  for (let token = 0; token < fileTokens(s); token++) {
    if (s.fileOut.get(token) === session + 1) count++;
  }
  return count;
};

/** Value of `luoUse` for what describes a file, and for its pages while it is kept. */
export const useOfFile = (token: number): number => LUO_FIRST_FILE + token;

/** Value of `luoUse` for the list of the files of a session. */
export const useOfList = (s: State, session: number): number =>
  LUO_FIRST_FILE + fileTokens(s) + session;

/** Frames that the orchestrator takes when it comes up: its head, sessions, bound objects. */
export const headFrames = (s: State): number => {
  if (hasBlocks(s)) return 2;
  return 1 + SESSION_PAGES + (runsBefore(s, '7.0') ? 0 : 1);
};

/** Frames that describe a file of so many pages: its state, the list of its folios, the chunks. */
export const describingFrames = (s: State, pages: number): number => {
  if (pages === 0) return 1;
  const listed = Math.ceil((pages * FOLIO_BYTES) / pageBytes(s));
  return 1 + listed + Math.floor(listed / chunkEntries(s.machine.pageShift)) + 1;
};

/** Frames by which the list of a session grows for one more file. */
export const listFrames = (s: State, session: number): number => {
  const files = filesOf(s, session);
  if (!hasBlocks(s)) return files === 0 ? FILE_LIST_PAGES : 0;
  return files % perBlock(s, FILE_BYTES) === 0 ? 1 : 0;
};

/** Frames of all ranges together. */
export const framesIn = (ranges: Ranges): number => {
  let frames = 0;
  for (let i = 0; i < ranges.length; i++) frames += ranges.count(i);
  return frames;
};

/** Whether every range was free, is a block of its size, and lies outside scratch. */
export const wereFree = (s: State, ranges: Ranges): boolean => {
  for (let i = 0; i < ranges.length; i++) {
    const first = ranges.first(i);
    const count = ranges.count(i);
    if (first % count !== 0 || !allAre(s, first, count, FREE)) return false;
    if (touchesScratch(s, first, count)) return false;
    for (let j = 0; j < i; j++) if (ranges.first(j) === first) return false;
  }
  return true;
};

/** Notes blocks that were taken for a use, and are preserved. */
export const takeBlocks = (s: State, ranges: Ranges, use: number): void => {
  for (let i = 0; i < ranges.length; i++) {
    const first = ranges.first(i);
    const count = ranges.count(i);
    setUse(s, first, count, UNMOVABLE);
    s.block.set(first, 1 + Math.log2(count));
    s.kept.set(first, count);
    for (let pfn = first; pfn < first + count; pfn++) s.luoUse.set(pfn, use);
  }
};

/** Frames that the previous kernel's orchestrator had for a use, and that are still held. */
export const heldFor = (s: State, use: number): number =>
  s.countFrames((pfn) => s.luoUse.get(pfn) === use && s.use.get(pfn) === HELD);

/** Frames that this kernel's orchestrator has for a use. */
export const ownedFor = (s: State, use: number): number =>
  s.countFrames((pfn) => s.luoUse.get(pfn) === use && s.use.get(pfn) === UNMOVABLE);

/** Whether exactly so many frames were given back, each of which passes the test. */
export const gaveBack = (
  { given }: Answer,
  frames: number,
  test: (pfn: number) => boolean,
): boolean => {
  if (framesIn(given) !== frames) return false;
  for (let i = 0; i < given.length; i++) {
    const end = given.first(i) + given.count(i);
    for (let pfn = given.first(i); pfn < end; pfn++) if (!test(pfn)) return false;
  }
  return true;
};

/** Frames that come back when what the previous kernel left is read: the list, and the struct. */
export const readFrames = (s: State): number =>
  s.luoLeft.get() === 0 ? 0 : heldFor(s, LUO_SESSIONS) + (hasBlocks(s) ? heldFor(s, LUO_HEAD) : 0);

/** Whether these ranges are the pages of a file in their order, the first of them at `first`. */
export const arePagesFrom = (s: State, ranges: Ranges, first: number, pages: number): boolean => {
  if (ranges.length !== pages) return false;
  let pfn = first;
  for (let page = 0; page < pages; page++) {
    if (ranges.first(page) !== pfn || ranges.count(page) !== 1) return false;
    pfn = s.vmNext.get(pfn);
  }
  return true;
};

/** Visits the pages of a file, the first of which is at `first`, in order. */
export const eachFilePage = (
  s: State,
  first: number,
  pages: number,
  visit: (pfn: number) => void,
): void => {
  let pfn = first;
  for (let page = 0; page < pages; page++) {
    const next = s.vmNext.get(pfn);
    visit(pfn);
    pfn = next;
  }
};
