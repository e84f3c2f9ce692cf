/**
 * The catalogue of faults: decisions made wrongly, each with the rule expected to catch it.
 *
 * A fault overrides what the kernel computes. The expected rule was written down before the fault
 * was ever run. `title` is the upstream subject where the fault is a bug that Linux had; faults
 * without one are synthetic: they switch one check off to show that its rule has teeth.
 */
import type { Decisions } from './decisions.ts';
import { INTENDED } from './decisions.ts';

export interface Fault {
  readonly id: string;
  readonly says: string;
  /** Upstream subject of the fix, when this was a bug of Linux. */
  readonly title?: string;
  /** Rule that has to catch it. */
  readonly rule: string;
  readonly overrides: Partial<Decisions>;
}

export const FAULTS: readonly Fault[] = [
  {
    id: 'preserves-scratch',
    says: 'preserving memory in scratch is accepted',
    title: 'kho: warn and fail on metadata or preserved memory in scratch area',
    rule: 'PRS-01',
    overrides: { checksScratchOverlap: false },
  },
  {
    id: 'unmovable-in-scratch',
    says: 'unmovable requests may be served from scratch',
    title: 'kho: fix deferred init of kho scratch',
    rule: 'MOV-01',
    overrides: { scratchIsMovableOnly: false },
  },
  {
    id: 'tracker-in-scratch',
    says: 'the tracker takes its pages from anywhere, scratch included',
    title: 'kho: allocate metadata directly from the buddy allocator',
    rule: 'TRK-02',
    overrides: { trackerPagesFrom: 'anywhere' },
  },
  {
    id: 'early-outside-scratch',
    says: 'early boot allocates anywhere',
    rule: 'SCR-05',
    overrides: { earlyMemoryInScratchOnly: false },
  },
  {
    id: 'segments-outside-scratch',
    says: 'segments of an image are placed anywhere',
    rule: 'SCR-06',
    overrides: { segmentsInScratch: false },
  },
  {
    id: 'scratch-reserved-anew',
    says: 'every kernel reserves scratch of its own',
    rule: 'SCR-04',
    overrides: { inheritsScratch: false },
  },
  {
    id: 'scratch-unaligned',
    says: 'scratch areas are aligned to pages only',
    rule: 'SCR-02',
    overrides: { alignsScratch: false },
  },
  {
    id: 'restore-unchecked',
    says: 'any page is restored, handed over or not',
    title: 'kho: make sure page being restored is actually from KHO',
    rule: 'RST-02',
    overrides: { restoreChecksMark: false },
  },
  {
    id: 'restore-twice',
    says: 'a page may be restored again',
    rule: 'RST-02',
    overrides: { restoreClearsMark: false },
  },
  {
    id: 'restore-ignores-nodes',
    says: 'restoring a range steps over the cuts that preserving it made at node borders',
    rule: 'RST-03',
    overrides: { restoreSplitsAtNodes: false },
  },
  {
    id: 'restore-ignores-orders',
    says: 'restoring a range takes whatever order its blocks were handed over with',
    rule: 'RST-04',
    overrides: { restoreComparesOrder: false },
  },
  {
    id: 'restore-loses-blocks',
    says: 'restoring a range steps over node borders and over the blocks behind them (7.1 to 7.3)',
    rule: 'RST-05',
    overrides: { restoreSplitsAtNodes: false, restoreComparesOrder: false },
  },
  {
    id: 'preserve-spans-nodes',
    says: 'a preserved block may span two nodes',
    title: 'kho: make sure preservations do not span multiple NUMA nodes',
    rule: 'PRS-07',
    overrides: { preserveSplitsAtNodes: false, restoreSplitsAtNodes: false },
  },
  {
    id: 'restore-partly',
    says: 'a range that is refused may have been restored in part',
    rule: 'RST-04',
    overrides: { restoreChecksWholeRange: false },
  },
  {
    id: 'unpreserve-first-block',
    says: 'taking a range back clears its first block only',
    rule: 'PRS-07',
    overrides: { unpreservedBlocks: 'first' },
  },
  {
    id: 'reserve-head-only',
    says: 'of a handed-over block only the first page is reserved',
    rule: 'ALC-06',
    overrides: { reservedFrames: () => 1 },
  },
  {
    id: 'order-lost',
    says: 'the order of handed-over blocks is forgotten',
    rule: 'RST-01',
    overrides: { markedOrder: () => 0 },
  },
  {
    id: 'any-compatible',
    says: 'the compatible string of an incoming tree is not compared',
    rule: 'KEX-05',
    overrides: { checksCompatible: false },
  },
  {
    id: 'no-memory-map',
    says: 'an incoming tree without a memory map is taken',
    title: 'kho: validate preserved memory map during population',
    rule: 'KEX-05',
    overrides: { checksMemoryMap: false },
  },
  {
    id: 'duplicate-names',
    says: 'a name may be added twice',
    rule: 'TRE-01',
    overrides: { checksDuplicateNames: false },
  },
  {
    id: 'subtree-stays',
    says: 'a removed blob stays named',
    rule: 'TRE-07',
    overrides: { removesSubtreeNodes: false },
  },
  {
    id: 'blob-size-rounded',
    says: 'the size of a blob is rounded up to pages',
    rule: 'TRE-07',
    overrides: {
      recordedBlobBytes: (bytes, pageBytes) => Math.ceil(bytes / pageBytes) * pageBytes,
    },
  },
  {
    id: 'kexecs-not-counted',
    says: 'the metadata blob always counts one kexec',
    rule: 'TRE-08',
    overrides: { countsKexecs: false },
  },
  {
    id: 'tree-not-preserved',
    says: 'the page of the handover tree is not preserved',
    rule: 'PRS-07',
    overrides: { preservesTree: false },
  },
];

/** The fault with this id, or undefined. */
export const faultById = (id: string): Fault | undefined => FAULTS.find((fault) => fault.id === id);

/** The intended decisions with the given faults in place. */
export const decisionsWith = (faults: readonly Fault[]): Decisions =>
  Object.assign({}, INTENDED, ...faults.map((fault) => fault.overrides)) as Decisions;
