/**
 * Chapter: the live update orchestrator, as a user of KHO.
 *
 * Whoever wants files to survive creates a session by name and gives it files, each with a token of
 * its own. At the jump the orchestrator writes down what there is. In the next kernel a session is
 * retrieved by its name, its files by their tokens, and finishing it gives back what nobody wanted.
 * The files are memfds: their pages stay where they are, and so does what is in them.
 *
 * Locking, and more than one caller, are none of the law's business.
 */
import { freeOutsideScratch } from './allocation.ts';
import { ANY_NODE } from './call.ts';
import type { Call } from './call.ts';
import { EBUSY, EEXIST, EINVAL, ENOENT, ENOMEM, ENOSPC } from './errno.ts';
import { hasRoomFor, isNamed } from './handover-tree.ts';
import {
  LUO_NAME,
  luoCloseFile,
  luoCloseSession,
  luoCreateSession,
  luoFinishSession,
  luoPreserveFile,
  luoRetrieveFile,
  luoRetrieveSession,
  luoStart,
} from './live-update-actions.ts';
import { LUO_HEAD, LUO_SESSIONS } from './live-update-cells.ts';
import {
  arePagesFrom,
  describingFrames,
  fileTokens,
  filesMax,
  filesOf,
  framesIn,
  gaveBack,
  hasBlocks,
  headFrames,
  heldFor,
  listFrames,
  ownedFor,
  readFrames,
  sessionCount,
  sessionNames,
  sessionsFillBlocks,
  sessionsMax,
  useOfFile,
  useOfList,
  wereFree,
} from './live-update-state.ts';
import { hex, kernel } from './rules.ts';
import type { AnswerRule, Chapter, SystemSightRule } from './rules.ts';
import { blockIsFree } from './shortage.ts';
import { HELD, runsBefore } from './state.ts';
import type { State } from './state.ts';

export { LUO_NAME };

const SESSIONS_C = 'kernel/liveupdate/luo_session.c';
const FILES_C = 'kernel/liveupdate/luo_file.c';
const MEMFD_C = 'mm/memfd_luo.c';
const CORE_C = 'kernel/liveupdate/luo_core.c';
const BLOCKS_C = 'kernel/liveupdate/kho_block.c';

/** Index of the session name that has no characters. */
export const NO_SESSION_NAME = 0;
/** Frames that noting one block may take, and one for the block itself. */
const FRAMES_PER_BLOCK = 6;
const SESSION_ARRAY_ORDER = 4;

/** Whether so many frames, each a block of its own, could surely be had. */
const hasMemory = (s: State, { fails }: Call, frames: number): boolean =>
  fails === 0 && freeOutsideScratch(s, ANY_NODE) > FRAMES_PER_BLOCK * (1 + frames);

const mayStart = (s: State): boolean => !isNamed(s, LUO_NAME) && hasRoomFor(s, LUO_NAME);

export const LUO_02: AnswerRule = {
  kind: 'answer',
  id: 'LUO-02',
  says: 'The orchestrator does not come up when its name is taken or has no room in the tree.',
  sources: [kernel(CORE_C, 'luo_late_startup'), kernel(CORE_C, 'luo_state_setup')],
  strength: 'observed',
  since: '6.19',
  on: ['luoStart'],
  when: (s) => !mayStart(s),
  holds: (s, _call, { value }) => value === -ENOMEM || (isNamed(s, LUO_NAME) && value === -EEXIST),
  tell: (_s, _call, { value }) => `answered ${value}`,
};

export const LUO_03: AnswerRule = {
  kind: 'answer',
  id: 'LUO-03',
  says: 'Otherwise it comes up if there is memory for its head, and its array up to 7.1.',
  sources: [kernel(CORE_C, 'luo_state_setup'), kernel(SESSIONS_C, 'luo_session_setup_outgoing')],
  strength: 'observed',
  since: '6.19',
  on: ['luoStart'],
  when: mayStart,
  holds: (s, call, answer) => {
    if (answer.value < 0) return answer.value === -ENOMEM && !couldStart(s, call);
    return (
      framesIn(answer.chunks) === headFrames(s) &&
      wereFree(s, answer.chunks) &&
      answer.value === answer.chunks.first(0)
    );
  },
  tell: (s, _call, { value, chunks }) =>
    `answered ${value} and took ${framesIn(chunks)} frames, ${headFrames(s)} are needed`,
};

const couldStart = (s: State, call: Call): boolean =>
  hasMemory(s, call, headFrames(s)) &&
  (hasBlocks(s) || blockIsFree(s, ANY_NODE, SESSION_ARRAY_ORDER));

export const LUO_04: AnswerRule = {
  kind: 'answer',
  id: 'LUO-04',
  says: 'The list of sessions that was handed over is given back once it is read.',
  sources: [kernel(SESSIONS_C, 'luo_session_deserialize'), kernel(CORE_C, 'luo_early_startup')],
  strength: 'observed',
  since: '6.19',
  on: ['luoStart'],
  when: (_s, _call, { value }) => value >= 0,
  holds: (s, _call, answer) =>
    answer.managed === readFrames(s) &&
    gaveBack(answer, readFrames(s), (pfn) => {
      const use = s.luoUse.get(pfn);
      return s.use.get(pfn) === HELD && (use === LUO_SESSIONS || use === LUO_HEAD);
    }),
  tell: (s, _call, { given }) => `${readFrames(s)} frames should come back, ${framesIn(given)} did`,
};

const isFull = (s: State): boolean => sessionCount(s) >= sessionsMax(s);
const exists = (s: State, { name }: Call): boolean => s.sessionOut.get(name) !== 0;
const isNameless = (s: State, { name }: Call): boolean =>
  name === NO_SESSION_NAME && !runsBefore(s, '7.1');

export const LUO_05: AnswerRule = {
  kind: 'answer',
  id: 'LUO-05',
  says: 'A session without a name is refused with -EINVAL.',
  sources: [kernel(SESSIONS_C, 'luo_session_create')],
  strength: 'observed',
  since: '7.1',
  on: ['luoCreateSession'],
  when: isNameless,
  holds: (_s, _call, { value, chunks }) => value === -EINVAL && chunks.length === 0,
  tell: (_s, _call, { value }) => `answered ${value}`,
};

export const LUO_06: AnswerRule = {
  kind: 'answer',
  id: 'LUO-06',
  says: 'A session more than the array has room for is refused with -ENOMEM.',
  sources: [kernel(SESSIONS_C, 'LUO_SESSION_MAX')],
  strength: 'observed',
  since: '6.19',
  until: '7.1',
  on: ['luoCreateSession'],
  when: (s, call) => !isNameless(s, call) && isFull(s),
  holds: (_s, _call, { value }) => value === -ENOMEM,
  tell: (s, _call, { value }) => `there are ${sessionCount(s)} sessions, answered ${value}`,
};

/** Whether a session would need a block that may not be had: that is looked at before its name. */
const lacksBlock = (s: State, call: Call): boolean =>
  sessionsFillBlocks(s, sessionCount(s)) && !hasMemory(s, call, 1);

export const LUO_07: AnswerRule = {
  kind: 'answer',
  id: 'LUO-07',
  says: 'A name that another session of this kernel has is refused, and no memory stays taken.',
  sources: [kernel(SESSIONS_C, 'luo_session_insert')],
  strength: 'promised',
  since: '6.19',
  on: ['luoCreateSession'],
  when: (s, call) => !isNameless(s, call) && !isFull(s) && exists(s, call),
  holds: (s, call, { value, chunks }) =>
    chunks.length === 0 && (value === -EEXIST || (value === -ENOMEM && lacksBlock(s, call))),
  tell: (_s, { name }, { value, chunks }) =>
    `session ${name} exists, answered ${value}; ${framesIn(chunks)} frames stay taken`,
};

export const LUO_08: AnswerRule = {
  kind: 'answer',
  id: 'LUO-08',
  says: 'Any other session is created; from 7.2 on it takes a page when all blocks are full.',
  sources: [kernel(SESSIONS_C, 'luo_session_insert'), kernel(BLOCKS_C, 'kho_block_set_grow')],
  strength: 'promised',
  since: '6.19',
  on: ['luoCreateSession'],
  when: (s, call) => !isNameless(s, call) && !isFull(s) && !exists(s, call),
  holds: (s, call, { value, chunks }) => {
    const grows = sessionsFillBlocks(s, sessionCount(s)) ? 1 : 0;
    if (value < 0) return value === -ENOMEM && lacksBlock(s, call);
    return value === 0 && framesIn(chunks) === grows && wereFree(s, chunks);
  },
  tell: (s, _call, { value, chunks }) =>
    `answered ${value} beside ${sessionCount(s)} sessions and took ${framesIn(chunks)} frames`,
};

const tokenUsed = (s: State, { name, value }: Call): boolean => s.fileOut.get(value) === name + 1;
const isSessionFull = (s: State, { name }: Call): boolean => filesOf(s, name) >= filesMax(s);

/** Whether a session has the file that begins with this page: one to come, or one that came. */
const isInSession = (s: State, { pfn }: Call): boolean => {
  if (pfn === 0) return false;
  for (let token = 0; token < fileTokens(s); token++) {
    if (s.fileOut.get(token) !== 0 && s.fileOutFirst.get(token) === pfn + 1) return true;
    const came = s.fileIn.get(token) !== 0 && s.fileGot.get(token) === 1;
    if (came && s.fileInFirst.get(token) === pfn + 1) return true;
  }
  return false;
};

export const LUO_09: AnswerRule = {
  kind: 'answer',
  id: 'LUO-09',
  says: 'A token that another file of the session has is refused with -EEXIST.',
  sources: [kernel(FILES_C, 'luo_token_is_used')],
  strength: 'promised',
  since: '6.19',
  on: ['luoPreserveFile'],
  when: tokenUsed,
  holds: (_s, _call, { value, chunks }) => value === -EEXIST && chunks.length === 0,
  tell: (_s, call, { value }) => `token ${call.value} is in use, answered ${value}`,
};

export const LUO_10: AnswerRule = {
  kind: 'answer',
  id: 'LUO-10',
  says: 'A file more than the array of its session has room for is refused with -ENOSPC.',
  sources: [kernel(FILES_C, 'LUO_FILE_MAX')],
  strength: 'observed',
  since: '6.19',
  until: '7.1',
  on: ['luoPreserveFile'],
  when: (s, call) => !tokenUsed(s, call) && isSessionFull(s, call),
  holds: (_s, _call, { value }) => value === -ENOSPC,
  tell: (s, { name }, { value }) => `it has ${filesOf(s, name)} files, answered ${value}`,
};

export const LUO_11: AnswerRule = {
  kind: 'answer',
  id: 'LUO-11',
  says: 'A file that a session has already is refused with -EBUSY, whichever session it is.',
  sources: [kernel(FILES_C, 'luo_preserved_files')],
  strength: 'promised',
  since: '7.1',
  on: ['luoPreserveFile'],
  when: (s, call) => !tokenUsed(s, call) && !isSessionFull(s, call) && isInSession(s, call),
  holds: (_s, _call, { value, chunks }) => value === -EBUSY && chunks.length === 0,
  tell: (_s, { pfn }, { value }) => `the file at ${hex(pfn)} is preserved, answered ${value}`,
};

/** Whether nothing speaks against preserving a file but memory. */
const mayPreserve = (s: State, call: Call): boolean =>
  !tokenUsed(s, call) && !isSessionFull(s, call) && !isInSession(s, call);

/** Frames that describe the file of a call, and by which its session's list grows. */
const neededFrames = (s: State, { name, count }: Call): number =>
  describingFrames(s, count) + listFrames(s, name);

export const LUO_12: AnswerRule = {
  kind: 'answer',
  id: 'LUO-12',
  says: 'Any other file is preserved unless memory is short; what describes it takes no more.',
  sources: [kernel(FILES_C, 'luo_preserve_file'), kernel(MEMFD_C, 'memfd_luo_preserve')],
  strength: 'promised',
  since: '6.19',
  on: ['luoPreserveFile'],
  when: mayPreserve,
  holds: (s, call, { value, chunks }) => {
    const frames = neededFrames(s, call);
    if (value < 0) return value === -ENOMEM && !hasMemory(s, call, frames + call.count);
    return value === 0 && framesIn(chunks) === frames && wereFree(s, chunks);
  },
  tell: (s, call, { value, chunks }) =>
    `answered ${value} and took ${framesIn(chunks)} frames, ${neededFrames(s, call)} describe it`,
};

export const LUO_13: AnswerRule = {
  kind: 'answer',
  id: 'LUO-13',
  says: 'A memfd without pages gets all of them when it is preserved, and none of them in scratch.',
  sources: [kernel(MEMFD_C, 'memfd_luo_preserve_folios'), kernel('mm/memfd.c', 'memfd_pin_folios')],
  strength: 'promised',
  since: '6.19',
  on: ['luoPreserveFile'],
  when: (_s, _call, { value }) => value === 0,
  holds: (s, { pfn, count }, { pages }) =>
    pfn === 0
      ? framesIn(pages) === count && pages.length === count && wereFree(s, pages)
      : arePagesFrom(s, pages, pfn, count),
  tell: (_s, { count }, { pages }) =>
    `${count} free pages outside scratch were to be had, got ${framesIn(pages)}`,
};

/** Frames that closing a session gives back: its files with their pages, and lists. */
const closingFrames = (s: State, name: number): number => {
  let frames = ownedFor(s, useOfList(s, name));
  for (let token = 0; token < fileTokens(s); token++) {
    if (s.fileOut.get(token) === name + 1) frames += ownedFor(s, useOfFile(token));
  }
  return frames + (sessionsFillBlocks(s, sessionCount(s) - 1) ? 1 : 0);
};

const isOfSession = (s: State, pfn: number, name: number): boolean => {
  const use = s.luoUse.get(pfn);
  if (s.use.get(pfn) === HELD) return false;
  if (use === LUO_SESSIONS || use === useOfList(s, name)) return true;
  return use >= useOfFile(0) && s.fileOut.get(use - useOfFile(0)) === name + 1;
};

export const LUO_14: AnswerRule = {
  kind: 'answer',
  id: 'LUO-14',
  says: 'Closing a session before the jump gives back all that it took, and nothing else.',
  sources: [kernel(SESSIONS_C, 'luo_session_release'), kernel(BLOCKS_C, 'kho_block_set_shrink')],
  strength: 'promised',
  since: '6.19',
  on: ['luoCloseSession'],
  when: () => true,
  holds: (s, { name }, answer) =>
    answer.value === 0 &&
    gaveBack(answer, closingFrames(s, name), (pfn) => isOfSession(s, pfn, name)),
  tell: (s, { name }, { value, given }) =>
    `answered ${value}; ${closingFrames(s, name)} frames should come back, ${framesIn(given)} did`,
};

export const LUO_15: AnswerRule = {
  kind: 'answer',
  id: 'LUO-15',
  says: 'A session that was handed over is retrieved by its name, once; no other name is found.',
  sources: [kernel(SESSIONS_C, 'luo_session_retrieve')],
  strength: 'promised',
  since: '6.19',
  on: ['luoRetrieveSession'],
  when: () => true,
  holds: (s, { name }, { value }) => value === [-ENOENT, 0, -EINVAL][s.sessionIn.get(name)],
  tell: (s, { name }, { value }) =>
    ['was not handed over', 'was handed over', 'was retrieved before'][s.sessionIn.get(name)]! +
    `, answered ${value}`,
};

const isIn = (s: State, { name, value }: Call): boolean => s.fileIn.get(value) === name + 1;

export const LUO_16: AnswerRule = {
  kind: 'answer',
  id: 'LUO-16',
  says: 'A file comes back by its token with its size, the very same pages in the same order.',
  sources: [kernel(FILES_C, 'luo_retrieve_file'), kernel(MEMFD_C, 'memfd_luo_retrieve')],
  strength: 'promised',
  since: '6.19',
  on: ['luoRetrieveFile'],
  when: isIn,
  holds: (s, call, { value, bytes, pages }) =>
    value === 0 &&
    bytes === s.fileInPages.get(call.value) * 2 ** s.machine.pageShift &&
    arePagesFrom(s, pages, s.fileInFirst.get(call.value) - 1, s.fileInPages.get(call.value)),
  tell: (s, call, { value, bytes, pages }) =>
    `${s.fileInPages.get(call.value)} pages from ${hex(s.fileInFirst.get(call.value) - 1)} were ` +
    `kept; answered ${value}, ${bytes} bytes in ${pages.length} pages`,
};

export const LUO_17: AnswerRule = {
  kind: 'answer',
  id: 'LUO-17',
  says: 'A token that no file of the session has is answered with -ENOENT.',
  sources: [kernel(FILES_C, 'luo_retrieve_file')],
  strength: 'promised',
  since: '6.19',
  on: ['luoRetrieveFile'],
  when: (s, call) => !isIn(s, call),
  holds: (_s, _call, { value }) => value === -ENOENT,
  tell: (_s, call, { value }) => `no file has token ${call.value}, answered ${value}`,
};

/** Frames that only describe a file that came in: they come back when it is retrieved. */
const describedBy = (s: State, token: number): number =>
  s.fileGot.get(token) === 1 ? 0 : heldFor(s, useOfFile(token)) - s.fileInPages.get(token);

export const LUO_18: AnswerRule = {
  kind: 'answer',
  id: 'LUO-18',
  says: 'With a file that is retrieved, what described it comes back, and is not handed out twice.',
  sources: [kernel(MEMFD_C, 'memfd_luo_retrieve'), kernel(FILES_C, 'luo_retrieve_file')],
  strength: 'promised',
  since: '6.19',
  on: ['luoRetrieveFile'],
  when: isIn,
  holds: (s, call, answer) => {
    const frames = describedBy(s, call.value);
    const pages = s.fileGot.get(call.value) === 1 ? 0 : s.fileInPages.get(call.value);
    const ours = (pfn: number): boolean =>
      s.use.get(pfn) === HELD && s.luoUse.get(pfn) === useOfFile(call.value);
    return answer.managed === frames + pages && gaveBack(answer, frames, ours);
  },
  tell: (s, call, { given, managed }) =>
    `${describedBy(s, call.value)} frames should come back, ${framesIn(given)} did; ` +
    `${managed} came under management`,
};

/** Frames that finishing a session gives back: files that nobody retrieved, and the list. */
const finishingFrames = (s: State, name: number): number => {
  let frames = heldFor(s, useOfList(s, name));
  for (let token = 0; token < fileTokens(s); token++) {
    const waits = s.fileIn.get(token) === name + 1 && s.fileGot.get(token) === 0;
    if (waits) frames += heldFor(s, useOfFile(token));
  }
  return frames;
};

const isLeftOf = (s: State, pfn: number, name: number): boolean => {
  const use = s.luoUse.get(pfn);
  if (s.use.get(pfn) !== HELD) return false;
  return (
    use === useOfList(s, name) ||
    (use >= useOfFile(0) && s.fileIn.get(use - useOfFile(0)) === name + 1)
  );
};

export const LUO_19: AnswerRule = {
  kind: 'answer',
  id: 'LUO-19',
  says: 'Finishing a session gives back what it still holds: files nobody wanted, and its list.',
  sources: [kernel(FILES_C, 'luo_file_finish'), kernel(MEMFD_C, 'memfd_luo_finish')],
  strength: 'promised',
  since: '6.19',
  on: ['luoFinishSession'],
  when: (s, { name }) => s.sessionIn.get(name) === 2,
  holds: (s, { name }, answer) =>
    answer.value === 0 &&
    answer.managed === finishingFrames(s, name) &&
    gaveBack(answer, finishingFrames(s, name), (pfn) => isLeftOf(s, pfn, name)),
  tell: (s, { name }, { value, given }) =>
    `answered ${value}; ${finishingFrames(s, name)} frames should come back, ` +
    `${framesIn(given)} did`,
};

export const LUO_20: SystemSightRule = {
  kind: 'sight',
  each: 'system',
  id: 'LUO-20',
  says: 'What is written down for the next kernel is every session with its files, each once.',
  sources: [kernel(SESSIONS_C, 'luo_session_serialize'), kernel(FILES_C, 'luo_file_freeze')],
  strength: 'promised',
  since: '6.19',
  find: (s, seen, report) => {
    if (s.luoLeft.get() === 0) return 0;
    const left = seen.luo(s.inFrame.get(LUO_NAME) - 1);
    if (typeof left === 'string') {
      report(() => `what was written down ${left}`);
      return 1;
    }
    let sessions = 0;
    let files = 0;
    for (let name = 0; name < sessionNames(s); name++) if (s.sessionIn.get(name) > 0) sessions++;
    for (let token = 0; token < fileTokens(s); token++) if (s.fileIn.get(token) > 0) files++;
    for (const { session, token, bytes } of left.files) {
      const isThere = s.fileIn.get(token) === session + 1;
      if (isThere && bytes === s.fileInPages.get(token) * 2 ** s.machine.pageShift) continue;
      report(() => `token ${token} of session ${session}, ${bytes} bytes: there is no such file`);
    }
    for (const session of left.sessions) {
      if (s.sessionIn.get(session) === 0) report(() => `there is no session ${session}`);
    }
    if (left.sessions.length !== sessions || left.files.length !== files) {
      const found = `${left.sessions.length} sessions and ${left.files.length} files`;
      report(() => `${sessions} sessions and ${files} files were there, ${found} are listed`);
    }
    return 1;
  },
};

export const LUO_21: AnswerRule = {
  kind: 'answer',
  id: 'LUO-21',
  says: 'Closing a file that no session has gives its pages back.',
  sources: [kernel('mm/shmem.c', 'shmem_evict_inode')],
  strength: 'assumed',
  since: '6.19',
  on: ['luoCloseFile'],
  when: () => true,
  holds: (_s, { count }, { value, given }) => value === 0 && framesIn(given) === count,
  tell: (_s, { count }, { value, given }) =>
    `answered ${value}; ${count} frames should come back, ${framesIn(given)} did`,
};

export const LIVE_UPDATE: Chapter = {
  title: 'Live update',
  says: 'Sessions and their files are found in the next kernel as they were, by name and token.',
  rules: [
    LUO_02,
    LUO_03,
    LUO_04,
    LUO_05,
    LUO_06,
    LUO_07,
    LUO_08,
    LUO_09,
    LUO_10,
    LUO_11,
    LUO_12,
    LUO_13,
    LUO_14,
    LUO_15,
    LUO_16,
    LUO_17,
    LUO_18,
    LUO_19,
    LUO_20,
    LUO_21,
  ],
  actions: [
    luoStart,
    luoCreateSession,
    luoCloseSession,
    luoPreserveFile,
    luoRetrieveSession,
    luoRetrieveFile,
    luoFinishSession,
    luoCloseFile,
  ],
};
