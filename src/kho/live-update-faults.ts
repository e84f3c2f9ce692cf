/**
 * The part of the catalogue of faults that is about the live update orchestrator and memfds.
 */
import type { Fault } from './faults.ts';

export const LIVE_UPDATE_FAULTS: readonly Fault[] = [
  {
    id: 'session-without-name',
    says: 'a session may have no name',
    title: 'liveupdate: reject LIVEUPDATE_IOCTL_CREATE_SESSION with invalid name',
    rule: 'LUO-05',
    overrides: { luoChecksNames: false },
  },
  {
    id: 'session-array-overflows',
    says: 'more sessions are created than their array has room for',
    kernel: '7.1',
    rule: 'LUO-06',
    overrides: { luoLimitsSessions: false },
  },
  {
    id: 'session-name-twice',
    says: 'two sessions may have one name',
    rule: 'LUO-07',
    overrides: { luoRefusesTakenNames: false },
  },
  {
    id: 'refused-session-leaves-block',
    says: 'a block that was added for a session stays when its name is taken (7.2, 7.3)',
    rule: 'LUO-07',
    overrides: { luoShrinksWhenRefused: false },
  },
  {
    id: 'token-twice',
    says: 'two files of a session may have one token',
    rule: 'LUO-09',
    overrides: { luoChecksTokens: false },
  },
  {
    id: 'file-array-overflows',
    says: 'more files are preserved than the array of their session has room for',
    kernel: '7.1',
    rule: 'LUO-10',
    overrides: { luoLimitsFiles: false },
  },
  {
    id: 'file-in-two-sessions',
    says: 'a file that a session has is preserved once more (6.19, 7.0)',
    rule: 'LUO-11',
    overrides: { luoKnowsFiles: false },
  },
  {
    id: 'memfd-not-pinned',
    says: 'pages of a memfd are preserved where they are, in scratch if need be',
    rule: 'LUO-13',
    overrides: { memfdPagesArePinned: false },
  },
  {
    id: 'closed-session-keeps-list',
    says: 'closing a session leaves the list of its files preserved',
    rule: 'LUO-14',
    overrides: { luoClosingFreesList: false },
  },
  {
    id: 'session-retrieved-twice',
    says: 'a session may be retrieved again',
    rule: 'LUO-15',
    overrides: { luoRetrievesOnce: false },
  },
  {
    id: 'memfd-pages-swapped',
    says: 'the pages of a memfd are listed from the last to the first',
    rule: 'LUO-16',
    overrides: { memfdListedPage: (entry, pages) => pages - 1 - entry },
  },
  {
    id: 'finished-session-keeps-files',
    says: 'files that nobody retrieved stay held when their session is finished',
    rule: 'LUO-19',
    overrides: { luoFinishFreesFiles: false },
  },
  {
    id: 'finished-session-keeps-list',
    says: 'the list of files stays held when its session is finished',
    rule: 'LUO-19',
    overrides: { luoFinishFreesList: false },
  },
  {
    id: 'session-loses-last-file',
    says: 'the last file of every session is not written down',
    rule: 'LUO-20',
    overrides: { luoListedFiles: (files) => files - 1 },
  },
];
