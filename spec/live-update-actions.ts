/**
 * What the calls of the live update orchestrator do to the state, and what a jump does to it.
 *
 * The rules of these calls stand in `live-update.ts`.
 */
import { bookOwnPages } from './allocation.ts';
import { zeroes } from './alloc-preserve.ts';
import type { Answer, Call } from './call.ts';
import { EBUSY, EEXIST, EINVAL, ENOENT, ENOMEM, ENOSPC } from './errno.ts';
import { nameBlob } from './handover-tree.ts';
import { LUO_FLBS, LUO_HEAD, LUO_SESSIONS } from './live-update-cells.ts';
import {
  eachFilePage,
  fileTokens,
  hasBlocks,
  listFrames,
  sessionNames,
  takeBlocks,
  useOfFile,
  useOfList,
} from './live-update-state.ts';
import { hex } from './rules.ts';
import type { Action } from './rules.ts';
import { UNMOVABLE, clearFrames, runsBefore } from './state.ts';
import type { State } from './state.ts';

/** Index of the subtree name that it hands its state over by. */
export const LUO_NAME = 2;
/** Size of the struct that it names in the tree from 7.2 on; before, it is a page. */
const HEAD_BYTES = 32;

const session = (name: number): string => `session ${name}`;

export const luoStart: Action = {
  name: 'luoStart',
  since: '6.19',
  says: 'have the live update orchestrator come up, and open its device',
  refusals: [-EEXIST, -ENOMEM],
  shows: () => 'open(/dev/liveupdate)',
  effect: (s, _call, answer) => {
    const { chunks, value } = answer;
    bookOwnPages(s, answer);
    if (value < 0) return;
    takeBlocks(s, chunks, LUO_SESSIONS);
    s.luoUse.set(value, LUO_HEAD);
    const last = chunks.first(chunks.length - 1);
    if (chunks.length > 1 && chunks.count(chunks.length - 1) === 1) s.luoUse.set(last, LUO_FLBS);
    nameBlob(s, LUO_NAME, value, hasBlocks(s) ? HEAD_BYTES : 2 ** s.machine.pageShift);
    s.luo.set(1);
    s.luoLeft.set(0);
  },
};

export const luoCreateSession: Action = {
  name: 'luoCreateSession',
  since: '6.19',
  says: 'create a session',
  refusals: [-EEXIST, -ENOMEM, -EINVAL],
  refusalSpans: { [-EINVAL]: { since: '7.1' } },
  shows: ({ name }) => `LIVEUPDATE_IOCTL_CREATE_SESSION(${session(name)})`,
  effect: (s, { name }, answer) => {
    bookOwnPages(s, answer);
    if (answer.value < 0) return;
    takeBlocks(s, answer.chunks, LUO_SESSIONS);
    s.sessionOut.set(name, 1);
  },
};

/** Forgets a file that would have been handed over. */
const dropOut = (s: State, token: number): void => {
  s.fileOut.set(token, 0);
  s.fileOutFirst.set(token, 0);
  s.fileOutPages.set(token, 0);
};

export const luoCloseSession: Action = {
  name: 'luoCloseSession',
  since: '6.19',
  says: 'close a session before the jump',
  shows: ({ name }) => `close(${session(name)})`,
  effect: (s, { name }, answer) => {
    bookOwnPages(s, answer);
    s.sessionOut.set(name, 0);
    for (let token = 0; token < fileTokens(s); token++) {
      if (s.fileOut.get(token) === name + 1) dropOut(s, token);
    }
  },
};

/** Books the pages of a file: new ones read zero, those that were there keep what they hold. */
const bookPages = (s: State, { value: token, pfn }: Call, { pages }: Answer): void => {
  if (pfn === 0) {
    takeBlocks(s, pages, useOfFile(token));
    for (let i = 0; i < pages.length; i++) {
      s.content.set(pages.first(i), zeroes(s));
      if (i > 0) s.vmNext.set(pages.first(i - 1), pages.first(i));
    }
    return;
  }
  for (let i = 0; i < pages.length; i++) {
    s.kept.set(pages.first(i), 1);
    s.luoUse.set(pages.first(i), useOfFile(token));
  }
};

/** Books what describes a file; where the list of files grows, its block comes first. */
const bookDescription = (s: State, { name, value: token }: Call, { chunks }: Answer): void => {
  const grows = listFrames(s, name) > 0;
  takeBlocks(s, chunks, useOfFile(token));
  const first = chunks.first(0);
  const end = grows ? first + chunks.count(0) : first;
  for (let pfn = first; pfn < end; pfn++) s.luoUse.set(pfn, useOfList(s, name));
};

export const luoPreserveFile: Action = {
  name: 'luoPreserveFile',
  since: '6.19',
  says: 'give a session a memfd',
  refusals: [-EEXIST, -ENOSPC, -EBUSY, -ENOMEM],
  refusalSpans: { [-ENOSPC]: { until: '7.1' }, [-EBUSY]: { since: '7.1' } },
  shows: ({ name, value, pfn, count }) =>
    `LIVEUPDATE_SESSION_PRESERVE_FD(${session(name)}, token ${value}, ` +
    `${pfn === 0 ? 'memfd' : `memfd at ${hex(pfn)}`} of ${count} pages)`,
  effect: (s, call, answer) => {
    bookOwnPages(s, answer);
    if (answer.value < 0) return;
    const { value: token, name, count } = call;
    bookDescription(s, call, answer);
    bookPages(s, call, answer);
    s.fileOut.set(token, name + 1);
    s.fileOutPages.set(token, count);
    s.fileOutFirst.set(token, count === 0 ? 0 : 1 + answer.pages.first(0));
  },
};

export const luoRetrieveSession: Action = {
  name: 'luoRetrieveSession',
  since: '6.19',
  says: 'look a session of the previous kernel up',
  refusals: [-ENOENT, -EINVAL],
  shows: ({ name }) => `LIVEUPDATE_IOCTL_RETRIEVE_SESSION(${session(name)})`,
  effect: (s, { name }, { value }) => {
    if (value === 0) s.sessionIn.set(name, 2);
  },
};

export const luoRetrieveFile: Action = {
  name: 'luoRetrieveFile',
  since: '6.19',
  says: 'get a file of a session back',
  refusals: [-ENOENT],
  shows: ({ name, value }) => `LIVEUPDATE_SESSION_RETRIEVE_FD(${session(name)}, token ${value})`,
  effect: (s, { value: token }, answer) => {
    if (answer.value < 0 || s.fileGot.get(token) === 1) return;
    bookOwnPages(s, answer);
    const first = s.fileInFirst.get(token) - 1;
    eachFilePage(s, first, s.fileInPages.get(token), (pfn) => {
      s.use.set(pfn, UNMOVABLE);
      s.luoUse.set(pfn, 0);
    });
    s.fileGot.set(token, 1);
  },
};

export const luoFinishSession: Action = {
  name: 'luoFinishSession',
  since: '6.19',
  says: 'finish a session: what nobody retrieved is not needed',
  shows: ({ name }) => `LIVEUPDATE_SESSION_FINISH(${session(name)})`,
  effect: (s, { name }, answer) => {
    if (answer.value < 0) return;
    bookOwnPages(s, answer);
    s.sessionIn.set(name, 0);
    for (let token = 0; token < fileTokens(s); token++) {
      if (s.fileIn.get(token) === name + 1) dropIn(s, token);
    }
  },
};

export const luoCloseFile: Action = {
  name: 'luoCloseFile',
  since: '6.19',
  says: 'close a memfd that came back',
  shows: ({ pfn, count }) => `close(memfd at ${hex(pfn)} of ${count} pages)`,
  effect: (s, { pfn, count }) => eachFilePage(s, pfn, count, (page) => clearFrames(s, page, 1)),
};

const dropIn = (s: State, token: number): void => {
  s.fileIn.set(token, 0);
  s.fileInFirst.set(token, 0);
  s.fileInPages.set(token, 0);
  s.fileGot.set(token, 0);
};

const mayHaveSessions = (s: State): boolean => s.luo.get() === 1 || s.luoLeft.get() === 1;

/** No kernel knows of any session any more. */
export const forgetSessions = (s: State): void => {
  if (!mayHaveSessions(s)) return;
  for (let name = 0; name < sessionNames(s); name++) {
    s.sessionOut.set(name, 0);
    s.sessionIn.set(name, 0);
  }
  for (let token = 0; token < fileTokens(s); token++) {
    dropOut(s, token);
    dropIn(s, token);
  }
  s.luo.set(0);
  s.luoLeft.set(0);
};

/** The next kernel took the handover over: sessions to go are sessions that came. */
export const handSessionsOver = (s: State): void => {
  const finds = s.luo.get() === 1 && s.inFrame.get(LUO_NAME) !== 0 && s.inFault.get(LUO_NAME) === 0;
  if (!finds || runsBefore(s, '6.19')) {
    forgetSessions(s);
    return;
  }
  for (let name = 0; name < sessionNames(s); name++) {
    s.sessionIn.set(name, s.sessionOut.get(name));
    s.sessionOut.set(name, 0);
  }
  for (let token = 0; token < fileTokens(s); token++) {
    dropIn(s, token);
    s.fileIn.set(token, s.fileOut.get(token));
    s.fileInFirst.set(token, s.fileOutFirst.get(token));
    s.fileInPages.set(token, s.fileOutPages.get(token));
    dropOut(s, token);
  }
  s.luo.set(0);
  s.luoLeft.set(1);
};
