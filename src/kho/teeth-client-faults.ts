/**
 * Faults that show the teeth of rules about phases, the series before the merge, debugfs and the
 * live update orchestrator.
 */
import type { Fault } from './faults.ts';

export const CLIENT_TEETH: readonly Fault[] = [
  {
    id: 'abort-unlists',
    says: 'the list can be aborted where nothing is ever frozen',
    kernel: '7.0',
    rule: 'PHS-06',
    overrides: { abortIsOver: false },
  },
  {
    id: 'jump-keeps-chunks',
    says: 'a jump that could not write its list down keeps the chunks that it took',
    kernel: '7.0',
    rule: 'PHS-08',
    overrides: { givesPagesBack: false },
  },
  {
    id: 'abort-keeps-tree',
    says: 'after an abort the tree still stands as it was written',
    kernel: 'v5',
    rule: 'PHS-10',
    overrides: { abortDropsTree: false },
  },
  {
    id: 'state-tree-short',
    says: 'a state tree has a sixteenth of the room that it was given',
    kernel: 'v5',
    rule: 'EAR-01',
    overrides: { earlyTreeRoom: (pageBytes) => pageBytes / 16 },
  },
  {
    id: 'missing-node-removed',
    says: 'a node that is not there is taken out of the state tree',
    kernel: 'v5',
    rule: 'EAR-03',
    overrides: { missesNodes: false },
  },
  {
    id: 'jump-has-less-room',
    says: 'a tree that a jump has to write has a sixteenth of the room that it was given',
    kernel: 'v5',
    rule: 'EAR-04',
    overrides: { earlyTreeRoom: (pageBytes) => pageBytes / 16 },
  },
  {
    id: 'active-tree-short',
    says: 'the tree of the active phase has a sixteenth of the room that it was given',
    kernel: 'v4',
    rule: 'EAR-05',
    overrides: { earlyTreeRoom: (pageBytes) => pageBytes / 16 },
  },
  {
    id: 'ending-takes-page',
    says: 'whenever the active phase is ended, KHO takes a page for itself',
    kernel: 'v4',
    rule: 'EAR-06',
    overrides: { takesPageFor: 'abort' },
  },
  {
    id: 'last-range-missing',
    says: 'the last range of what is preserved is not written into the tree',
    kernel: 'v4',
    rule: 'EAR-08',
    overrides: { writtenRanges: (ranges) => Math.max(0, ranges - 1) },
  },
  {
    id: 'debugfs-tree-of-boot',
    says: 'out/fdt shows the tree as it was when the kernel was up',
    rule: 'DBG-09',
    overrides: { showsTreeOfNow: false },
  },
  {
    id: 'debugfs-page-behind',
    says: 'a file of sub_fdts shows the page behind that of its blob',
    rule: 'DBG-14',
    overrides: { shownFrame: (pfn) => pfn + 1 },
  },
  {
    id: 'debugfs-tree-short',
    says: 'in/fdt ends eight bytes before the tree does',
    kernel: '6.18',
    rule: 'DBG-04',
    overrides: { shownIncoming: (bytes) => bytes - 8 },
  },
  {
    id: 'array-cleared-by-load',
    says: 'loading an image clears the last entry of the scratch array of the running kernel',
    rule: 'DBG-07',
    overrides: { loadKeepsArray: false },
  },
  {
    id: 'debugfs-blob-shifted',
    says: 'a file of sub_fdts begins eight bytes behind its blob',
    rule: 'DBG-06',
    overrides: { shownFrom: 8 },
  },
  {
    id: 'luo-without-name',
    says: 'the orchestrator comes up although the tree does not name it',
    kernel: '7.0',
    rule: 'LUO-02',
    overrides: { luoNeedsName: false },
  },
  {
    id: 'luo-two-heads',
    says: 'the head of the orchestrator takes two pages',
    rule: 'LUO-03',
    overrides: { luoHeadPages: 2 },
  },
  {
    id: 'luo-keeps-sessions',
    says: 'the list of sessions that came stays held when it is read',
    rule: 'LUO-04',
    overrides: { luoGivesListBack: false },
  },
  {
    id: 'luo-session-a-block',
    says: 'every session takes a block of its own',
    rule: 'LUO-08',
    overrides: { luoSessionRoom: () => 1 },
  },
  {
    id: 'luo-file-spare-page',
    says: 'a file takes a page that describes nothing',
    rule: 'LUO-12',
    overrides: { luoSparePages: 1 },
  },
  {
    id: 'luo-first-file',
    says: 'whatever token is asked for, the first file of the session is retrieved',
    rule: 'LUO-17',
    overrides: { luoFindsByToken: false },
  },
  {
    id: 'memfd-state-stays',
    says: 'the state of a memfd stays held once the file is made again',
    rule: 'LUO-18',
    overrides: { memfdStateComesBack: false },
  },
  {
    id: 'closed-file-keeps-page',
    says: 'closing a file leaves its last page taken',
    rule: 'LUO-21',
    overrides: { luoClosedPages: (pages) => pages - 1 },
  },
];
