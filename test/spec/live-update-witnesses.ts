/** Witnesses for the rules about the live update orchestrator. */
import { ageOf } from '#spec/generations';
import type { Generation } from '#spec/generations';
import {
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
  LUO_NAME,
} from '#spec/live-update';
import { LUO_FLBS, LUO_HEAD, LUO_SESSIONS } from '#spec/live-update-cells';
import { useOfFile, useOfList } from '#spec/live-update-state';
import { HELD, UNMOVABLE, setUse } from '#spec/state';
import type { State } from '#spec/state';
import { call, ofCall, ofSystem, says, sees } from './witnesses.ts';
import type { Case, Pair, Setup, Witness } from './witnesses.ts';

const AT = 0x1000;
const SCRATCH = 0x800;
const PAGE = 4096;
/** A session and a token. */
const NAME = 5;
const TOKEN = 3;
/** What 4 KiB pages have room for: sessions in a block and in the array, files likewise. */
const BLOCK_SESSIONS = 51;
const ARRAY_SESSIONS = 819;
const BLOCK_FILES = 63;
const ARRAY_FILES = 128;

const runs =
  (generation: Generation): Setup =>
  (s) =>
    s.runs.set(ageOf(generation));

const all =
  (...setups: readonly Setup[]): Setup =>
  (s) => {
    for (const setup of setups) setup(s);
  };

const full: Setup = (s) => setUse(s, 0, s.machine.end, UNMOVABLE);

/** Frames that the orchestrator has for something. */
const has =
  (use: number, owner: number, first: number, count: number): Setup =>
  (s) => {
    setUse(s, first, count, owner);
    for (let pfn = first; pfn < first + count; pfn++) s.luoUse.set(pfn, use);
  };

/** So many sessions that will be handed over, from one name on. */
const sessions =
  (count: number, first = NAME): Setup =>
  (s) => {
    for (let name = first; name < first + count; name++) s.sessionOut.set(name, 1);
  };

/** So many files of the session, from one token on; without pages. */
const files =
  (count: number, first = TOKEN): Setup =>
  (s) => {
    for (let token = first; token < first + count; token++) s.fileOut.set(token, NAME + 1);
  };

/** Links frames as the pages of a file. */
const linked = (s: State, pages: readonly number[]): void => {
  pages.forEach((pfn, at) => s.vmNext.set(pfn, pages[at + 1] ?? 0));
};

const PAGES = [AT + 8, AT + 2];
const DESCRIPTION = AT + 0x20;
const LIST = AT + 0x30;

/** A file of two pages that will be handed over, three frames that describe it, and the list. */
const toGo: Setup = (s) => {
  for (const pfn of PAGES) has(useOfFile(TOKEN), UNMOVABLE, pfn, 1)(s);
  has(useOfFile(TOKEN), UNMOVABLE, DESCRIPTION, 3)(s);
  has(useOfList(s, NAME), UNMOVABLE, LIST, 1)(s);
  linked(s, PAGES);
  s.fileOutFirst.set(TOKEN, PAGES[0]! + 1);
  s.fileOutPages.set(TOKEN, PAGES.length);
  all(sessions(2), files(1))(s);
};

/** The same that came; the session was retrieved. */
const came: Setup = (s) => {
  for (const pfn of PAGES) has(useOfFile(TOKEN), HELD, pfn, 1)(s);
  has(useOfFile(TOKEN), HELD, DESCRIPTION, 3)(s);
  has(useOfList(s, NAME), HELD, LIST, 1)(s);
  linked(s, PAGES);
  s.sessionIn.set(NAME, 2);
  s.fileIn.set(TOKEN, NAME + 1);
  s.fileInFirst.set(TOKEN, PAGES[0]! + 1);
  s.fileInPages.set(TOKEN, PAGES.length);
};

/** Somebody has the file that came. */
const got: Setup = (s) => {
  for (const pfn of [...PAGES, DESCRIPTION, DESCRIPTION + 1, DESCRIPTION + 2]) {
    s.luoUse.set(pfn, 0);
    s.use.set(pfn, UNMOVABLE);
  }
  s.fileGot.set(TOKEN, 1);
};

/** What the previous kernel left: head, bound objects, a list of sessions, that nobody read. */
const left: Setup = all(
  came,
  (s) => {
    s.luoLeft.set(1);
    s.sessionIn.set(NAME, 1);
    s.inFrame.set(LUO_NAME, AT + 0x40 + 1);
  },
  has(LUO_HEAD, HELD, AT + 0x40, 1),
  has(LUO_FLBS, HELD, AT + 0x41, 1),
  has(LUO_SESSIONS, HELD, AT + 0x42, 2),
);

const start = call('luoStart');
const create = call('luoCreateSession', { name: NAME });
const preserve = call('luoPreserveFile', { name: NAME, value: TOKEN, count: 2 });
const again = call('luoPreserveFile', { name: NAME, value: 9, count: 2, pfn: PAGES[0]! });
const close = call('luoCloseSession', { name: NAME });
const retrieve = call('luoRetrieveSession', { name: NAME });
const getFile = call('luoRetrieveFile', { name: NAME, value: TOKEN });
const finish = call('luoFinishSession', { name: NAME });

const HEADS: readonly Pair[] = [
  [AT, 1],
  [AT + 1, 1],
];
const OLD_HEADS: readonly Pair[] = [
  [AT, 1],
  [AT + 16, 16],
  [AT + 1, 1],
];

const singles = (frames: readonly number[]): Pair[] => frames.map((pfn) => [pfn, 1]);
const ours = singles(PAGES);
const named: Setup = (s) => s.outFrame.set(LUO_NAME, AT + 1);
const pages = singles([AT + 5, AT + 4]);
/** What describes a file of two pages, with a list that begins: from 7.2 on, and before. */
const describes = singles([AT + 16, AT + 17, AT + 18, AT + 19]);
const describesOld: readonly Pair[] = [[AT + 30, 2], ...singles([AT + 17, AT + 18, AT + 19])];
const readBack: readonly Pair[] = [
  [AT + 0x42, 2],
  [AT + 0x40, 1],
];
const closed: readonly Pair[] = [...ours, [DESCRIPTION, 3], [LIST, 1]];

const listed = (names: readonly number[], bytes = 2 * PAGE, token = TOKEN) =>
  sees({ luo: () => ({ sessions: names, files: [{ session: NAME, token, bytes }] }) });

export const LIVE_UPDATE_WITNESSES: readonly Witness[] = [
  [
    'LUO-02',
    ofCall(LUO_02, start, says(-17), named),
    ofCall(LUO_02, start, says(AT, { chunks: HEADS }), named),
    ofCall(LUO_02, start, says(-22), named),
  ],
  [
    'LUO-03',
    ofCall(LUO_03, start, says(AT, { chunks: HEADS })),
    ofCall(LUO_03, start, says(AT, { chunks: HEADS.slice(0, 1) })),
    ofCall(LUO_03, start, says(AT + 1, { chunks: HEADS })),
    ofCall(LUO_03, start, says(AT, { chunks: HEADS }), full),
    ofCall(LUO_03, start, says(AT, { chunks: [...HEADS.slice(0, 1), [SCRATCH, 1]] })),
    ofCall(LUO_03, start, says(AT, { chunks: [...HEADS.slice(0, 1), [AT, 1]] })),
    ofCall(LUO_03, start, says(-12)),
    ofCall(LUO_03, start, says(-17)),
    ofCall(LUO_03, start, says(AT, { chunks: OLD_HEADS }), runs('6.19')),
    ofCall(
      LUO_03,
      start,
      says(AT, {
        chunks: [
          [AT, 1],
          [AT + 8, 16],
          [AT + 1, 1],
        ],
      }),
      runs('7.1'),
    ),
  ],
  [
    'LUO-04',
    ofCall(LUO_04, start, says(AT, { given: readBack, managed: 3 }), left),
    ofCall(LUO_04, start, says(AT, { given: readBack, managed: 2 }), left),
    ofCall(LUO_04, start, says(AT, { given: readBack.slice(0, 1), managed: 3 }), left),
    ofCall(LUO_04, start, says(AT, { given: [[AT + 0x41, 3]], managed: 3 }), left),
    ofCall(LUO_04, start, says(AT, { given: readBack, managed: 3 }), all(left, runs('7.1'))),
    ofCall(LUO_04, start, says(AT, { given: [[AT, 1]] })),
  ],
  [
    'LUO-05',
    ofCall(LUO_05, call('luoCreateSession'), says(-22)),
    ofCall(LUO_05, call('luoCreateSession'), says(0)),
    ofCall(LUO_05, call('luoCreateSession'), says(-22, { chunks: [[AT, 1]] })),
  ],
  [
    'LUO-06',
    ofCall(LUO_06, create, says(-12), all(runs('7.1'), sessions(ARRAY_SESSIONS, 6))),
    ofCall(LUO_06, create, says(0), all(runs('7.1'), sessions(ARRAY_SESSIONS, 6))),
    ofCall(LUO_06, create, says(-28), all(runs('6.19'), sessions(ARRAY_SESSIONS, 6))),
  ],
  [
    'LUO-07',
    ofCall(LUO_07, create, says(-17), sessions(1)),
    ofCall(LUO_07, create, says(0), sessions(1)),
    ofCall(LUO_07, create, says(-12), all(full, sessions(1))),
    ofCall(LUO_07, create, says(-12), sessions(BLOCK_SESSIONS)),
    ofCall(LUO_07, create, says(-17, { chunks: [[AT, 1]] }), sessions(BLOCK_SESSIONS)),
  ],
  [
    'LUO-08',
    ofCall(LUO_08, create, says(0, { chunks: [[AT, 1]] })),
    ofCall(LUO_08, create, says(0)),
    ofCall(LUO_08, create, says(-12)),
    ofCall(LUO_08, create, says(-12), sessions(1, 6)),
    ofCall(LUO_08, create, says(-12), all(full, sessions(1, 6))),
    ofCall(LUO_08, create, says(-17), sessions(1, 6)),
    ofCall(LUO_08, create, says(0, { chunks: [[SCRATCH, 1]] })),
    ofCall(LUO_08, create, says(0, { chunks: [[AT, 1]] }), sessions(BLOCK_SESSIONS - 1, 6)),
    ofCall(LUO_08, create, says(0), sessions(BLOCK_SESSIONS, 6)),
    ofCall(LUO_08, create, says(-12), all(runs('7.1'), sessions(ARRAY_SESSIONS - 1, 6))),
  ],
  [
    'LUO-09',
    ofCall(LUO_09, preserve, says(-17), toGo),
    ofCall(LUO_09, preserve, says(0), toGo),
    ofCall(LUO_09, preserve, says(-17, { chunks: [[AT, 1]] }), toGo),
  ],
  [
    'LUO-10',
    ofCall(LUO_10, preserve, says(-28), all(runs('7.1'), files(ARRAY_FILES, 4))),
    ofCall(LUO_10, preserve, says(0), all(runs('6.19'), files(ARRAY_FILES, 4))),
    ofCall(LUO_10, preserve, says(-12), all(runs('7.1'), files(ARRAY_FILES, 4))),
  ],
  [
    'LUO-11',
    ofCall(LUO_11, again, says(-16), toGo),
    ofCall(LUO_11, again, says(0), toGo),
    ofCall(LUO_11, again, says(0), all(came, got)),
    ofCall(LUO_11, again, says(-16, { chunks: [[AT, 1]] }), toGo),
  ],
  [
    'LUO-12',
    ofCall(LUO_12, preserve, says(0, { chunks: describes, pages })),
    ofCall(LUO_12, preserve, says(0, { chunks: describes.slice(1), pages })),
    ofCall(LUO_12, preserve, says(-12)),
    ofCall(LUO_12, preserve, says(-28)),
    ofCall(LUO_12, preserve, says(0, { chunks: describes, pages }), full),
    ofCall(LUO_12, preserve, says(0, { chunks: describes, pages }), files(1, 4)),
    ofCall(LUO_12, preserve, says(0, { chunks: describes.slice(1), pages }), files(BLOCK_FILES, 4)),
    ofCall(LUO_12, preserve, says(0, { chunks: describes, pages }), runs('7.1')),
  ],
  [
    'LUO-13',
    ofCall(LUO_13, preserve, says(0, { pages })),
    ofCall(LUO_13, preserve, says(0, { pages: pages.slice(1) })),
    ofCall(LUO_13, preserve, says(0, { pages: [[AT + 4, 2]] })),
    ofCall(
      LUO_13,
      preserve,
      says(0, {
        pages: [
          [AT + 4, 1],
          [SCRATCH, 1],
        ],
      }),
    ),
    ofCall(
      LUO_13,
      preserve,
      says(0, {
        pages: [
          [AT + 4, 1],
          [AT + 4, 1],
        ],
      }),
    ),
    ofCall(LUO_13, again, says(0, { pages: [...ours].reverse() }), all(came, got)),
  ],
  [
    'LUO-14',
    ofCall(LUO_14, close, says(0, { given: closed }), toGo),
    ofCall(LUO_14, close, says(0, { given: closed.slice(1) }), toGo),
    ofCall(LUO_14, close, says(-2, { given: closed }), toGo),
    ofCall(LUO_14, close, says(0, { given: [...closed.slice(1), [AT, 1]] }), toGo),
    ofCall(
      LUO_14,
      close,
      says(0, { given: closed }),
      all(toGo, (s) => s.sessionOut.set(6, 0)),
    ),
  ],
  [
    'LUO-15',
    ofCall(LUO_15, retrieve, says(0), (s) => s.sessionIn.set(NAME, 1)),
    ofCall(LUO_15, retrieve, says(-2), (s) => s.sessionIn.set(NAME, 1)),
    ofCall(LUO_15, retrieve, says(0), came),
    ofCall(LUO_15, retrieve, says(0)),
  ],
  [
    'LUO-16',
    ofCall(LUO_16, getFile, says(0, { bytes: 2 * PAGE, pages: ours }), came),
    ofCall(LUO_16, getFile, says(-2, { bytes: 2 * PAGE, pages: ours }), came),
    ofCall(LUO_16, getFile, says(0, { bytes: PAGE, pages: ours }), came),
    ofCall(LUO_16, getFile, says(0, { bytes: 2 * PAGE, pages: ours.slice(1) }), came),
    ofCall(LUO_16, getFile, says(0, { bytes: 2 * PAGE, pages: [...ours].reverse() }), came),
    ofCall(LUO_16, getFile, says(0, { bytes: 2 * PAGE, pages: [[PAGES[0]!, 2]] }), came),
  ],
  [
    'LUO-17',
    ofCall(LUO_17, call('luoRetrieveFile', { name: NAME, value: 8 }), says(-2), came),
    ofCall(LUO_17, call('luoRetrieveFile', { name: NAME, value: 8 }), says(0), came),
  ],
  [
    'LUO-18',
    ofCall(LUO_18, getFile, says(0, { managed: 5, given: [[DESCRIPTION, 3]] }), came),
    ofCall(LUO_18, getFile, says(0, { managed: 2, given: [[DESCRIPTION, 3]] }), came),
    ofCall(LUO_18, getFile, says(0, { managed: 5, given: [[DESCRIPTION, 2]] }), came),
    ofCall(
      LUO_18,
      getFile,
      says(0, {
        managed: 5,
        given: [
          [DESCRIPTION, 2],
          [LIST, 1],
        ],
      }),
      came,
    ),
    ofCall(LUO_18, getFile, says(0, { managed: 5, given: [[DESCRIPTION, 3]] }), all(came, got)),
  ],
  [
    'LUO-19',
    ofCall(LUO_19, finish, says(0, { managed: 6, given: closed }), came),
    ofCall(LUO_19, finish, says(-22, { managed: 6, given: closed }), came),
    ofCall(LUO_19, finish, says(0, { managed: 5, given: closed }), came),
    ofCall(LUO_19, finish, says(0, { managed: 6, given: closed.slice(1) }), came),
    ofCall(LUO_19, finish, says(0, { managed: 6, given: [...closed.slice(1), [AT, 1]] }), came),
    ofCall(LUO_19, finish, says(0, { managed: 6, given: closed }), all(came, got)),
  ],
  [
    'LUO-20',
    ofSystem(LUO_20, listed([NAME]), left),
    ofSystem(LUO_20, listed([NAME, 6]), left),
    ofSystem(LUO_20, listed([]), left),
    ofSystem(LUO_20, listed([NAME], PAGE), left),
    ofSystem(LUO_20, listed([NAME], 2 * PAGE, 9), left),
    ofSystem(LUO_20, sees({ luo: () => ({ sessions: [NAME], files: [] }) }), left),
    ofSystem(LUO_20, sees({ luo: () => 'closes a cycle at 0x1000' }), left),
  ],
  [
    'LUO-21',
    ofCall(LUO_21, call('luoCloseFile', { pfn: AT, count: 2 }), says(0, { given: ours })),
    ofCall(LUO_21, call('luoCloseFile', { pfn: AT, count: 2 }), says(-2, { given: ours })),
    ofCall(LUO_21, call('luoCloseFile', { pfn: AT, count: 3 }), says(0, { given: ours })),
  ],
];

const short = call('luoPreserveFile', { name: NAME, value: TOKEN, count: 2, fails: 2 });
const oldHeads = OLD_HEADS.slice(0, 2);

/** Cases in which the rules accept what looks odd. */
export const LIVE_UPDATE_KEEPS: readonly (readonly [string, Case])[] = [
  ['LUO-02', ofCall(LUO_02, start, says(-12), named)],
  ['LUO-03', ofCall(LUO_03, start, says(-12), full)],
  ['LUO-03', ofCall(LUO_03, call('luoStart', { fails: 1 }), says(-12))],
  ['LUO-03', ofCall(LUO_03, start, says(AT, { chunks: oldHeads }), runs('6.19'))],
  ['LUO-03', ofCall(LUO_03, start, says(AT, { chunks: OLD_HEADS }), runs('7.1'))],
  [
    'LUO-04',
    ofCall(
      LUO_04,
      start,
      says(AT, { given: readBack.slice(0, 1), managed: 2 }),
      all(left, runs('7.1')),
    ),
  ],
  ['LUO-04', ofCall(LUO_04, start, says(AT))],
  ['LUO-07', ofCall(LUO_07, create, says(-12), all(full, sessions(BLOCK_SESSIONS)))],
  ['LUO-08', ofCall(LUO_08, create, says(0), sessions(1, 6))],
  ['LUO-08', ofCall(LUO_08, create, says(-12), full)],
  ['LUO-08', ofCall(LUO_08, create, says(0, { chunks: [[AT, 1]] }), sessions(BLOCK_SESSIONS, 6))],
  ['LUO-08', ofCall(LUO_08, create, says(0), runs('7.1'))],
  ['LUO-12', ofCall(LUO_12, short, says(-12))],
  ['LUO-12', ofCall(LUO_12, preserve, says(-12), full)],
  ['LUO-12', ofCall(LUO_12, preserve, says(0, { chunks: describesOld, pages }), runs('7.1'))],
  ['LUO-12', ofCall(LUO_12, preserve, says(0, { chunks: describes.slice(1), pages }), files(1, 4))],
  ['LUO-12', ofCall(LUO_12, preserve, says(0, { chunks: describes, pages }), files(63, 4))],
  ['LUO-13', ofCall(LUO_13, again, says(0, { pages: ours }), all(came, got))],
  [
    'LUO-14',
    ofCall(
      LUO_14,
      close,
      says(0, { given: [...closed, [AT + 0x50, 1]] }),
      all(toGo, has(LUO_SESSIONS, UNMOVABLE, AT + 0x50, 1), (s) => s.sessionOut.set(6, 0)),
    ),
  ],
  ['LUO-15', ofCall(LUO_15, retrieve, says(-2))],
  ['LUO-15', ofCall(LUO_15, retrieve, says(-22), came)],
  ['LUO-18', ofCall(LUO_18, getFile, says(0), all(came, got))],
  ['LUO-19', ofCall(LUO_19, finish, says(0, { managed: 1, given: [[LIST, 1]] }), all(came, got))],
];

/** Cases in which a rule says nothing. */
export const LIVE_UPDATE_SILENCE: readonly (readonly [string, Case])[] = [
  ['LUO-02', ofCall(LUO_02, start, says(AT))],
  ['LUO-03', ofCall(LUO_03, start, says(AT), named)],
  ['LUO-04', ofCall(LUO_04, start, says(-12), left)],
  ['LUO-05', ofCall(LUO_05, call('luoCreateSession'), says(0), runs('7.0'))],
  ['LUO-05', ofCall(LUO_05, create, says(0))],
  ['LUO-06', ofCall(LUO_06, create, says(0), all(runs('7.1'), sessions(ARRAY_SESSIONS - 1, 6)))],
  ['LUO-07', ofCall(LUO_07, create, says(0))],
  ['LUO-07', ofCall(LUO_07, create, says(0), all(runs('7.1'), sessions(ARRAY_SESSIONS)))],
  ['LUO-08', ofCall(LUO_08, create, says(0), sessions(1))],
  ['LUO-08', ofCall(LUO_08, call('luoCreateSession'), says(-22))],
  ['LUO-09', ofCall(LUO_09, call('luoPreserveFile', { name: 6, value: TOKEN }), says(0), toGo)],
  ['LUO-10', ofCall(LUO_10, preserve, says(0), all(runs('7.1'), files(ARRAY_FILES - 1, 4)))],
  ['LUO-11', ofCall(LUO_11, preserve, says(0))],
  ['LUO-12', ofCall(LUO_12, again, says(-16), toGo)],
  ['LUO-13', ofCall(LUO_13, preserve, says(-12))],
  ['LUO-16', ofCall(LUO_16, call('luoRetrieveFile', { name: 6, value: TOKEN }), says(-2), came)],
  ['LUO-17', ofCall(LUO_17, getFile, says(0), came)],
  ['LUO-19', ofCall(LUO_19, finish, says(-22), (s) => s.sessionIn.set(NAME, 1))],
  ['LUO-20', ofSystem(LUO_20, listed([NAME]), came)],
];
