/**
 * The catalogue of faults: decisions made wrongly, each with the rule expected to catch it.
 *
 * A fault overrides what the kernel computes. The expected rule was written down before the fault
 * was ever run. `title` is the upstream subject where the fault is a bug that Linux had; faults
 * without one are synthetic: they switch one check off to show that its rule has teeth.
 */
import { AREA_FAULTS } from './area-faults.ts';
import type { Decisions } from './decisions.ts';
import { bugById } from './history/history.ts';
import { EARLY_FAULTS } from './early-faults.ts';
import { SCRATCH_FAULTS } from './scratch-faults.ts';
import { INTENDED } from './decisions.ts';
import { LIVE_UPDATE_FAULTS } from './live-update-faults.ts';
import { PHASE_FAULTS } from './phase-faults.ts';
import { CLIENT_TEETH } from './teeth-client-faults.ts';
import { TEETH_FAULTS } from './teeth-faults.ts';
import { HANDOVER_TEETH } from './teeth-handover-faults.ts';
import { MEMORY_TEETH } from './teeth-memory-faults.ts';
import { INTENDED_GRAMMAR } from './scratch-option.ts';
import type { ScratchGrammar } from './scratch-option.ts';

export interface Fault {
  readonly id: string;
  readonly says: string;
  /** Upstream subject of the fix, when this was a bug of Linux. */
  readonly title?: string;
  /** Release series of a kernel that it is tried on; the newest when absent. */
  readonly kernel?: string;
  /** Series that its traces may load beside that one, where it shows only between two kernels. */
  readonly next?: readonly string[];
  /** The only series that has it, where a trace has several kernels; all have it when absent. */
  readonly onlyOn?: string;
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
  {
    id: 'regions-not-revived',
    says: 'reserve_mem regions are placed anew by every kernel',
    rule: 'RSV-03',
    overrides: { revivesRegions: false },
  },
  {
    id: 'region-another-size',
    says: 'a reserve_mem region is revived although another size is asked for',
    rule: 'RSV-04',
    overrides: { comparesRegionSize: false },
  },
  {
    id: 'region-misaligned',
    says: 'a reserve_mem region is revived where it does not suit the alignment asked for',
    rule: 'RSV-01',
    overrides: { comparesRegionAlignment: false },
  },
  {
    id: 'region-in-scratch',
    says: 'a reserve_mem region that is new on a KHO boot is placed in scratch (6.16 to 7.3)',
    rule: 'RSV-05',
    overrides: { regionsOutsideScratch: false },
  },
  {
    id: 'regions-share-pages',
    says: 'small reserve_mem regions lie side by side in one page (6.16 to 7.3)',
    rule: 'RSV-06',
    overrides: { regionsShareNoPage: false },
  },
  {
    id: 'region-partial-pages',
    says: 'pages that a reserve_mem region fills in part are not preserved (6.18 to 7.3)',
    rule: 'PRS-07',
    overrides: { preservesPartialPages: false },
  },
  {
    id: 'release-short',
    says: 'the last page of a reserve_mem region that is released is not freed',
    title: 'memblock: reserve_mem: fix end caclulation in reserve_mem_release_by_name()',
    rule: 'RSV-10',
    overrides: { releasedEnd: (end, pageBytes) => Math.floor((end - 1) / pageBytes) },
  },
  {
    id: 'release-stays-preserved',
    says: 'a reserve_mem region that was released is still preserved (6.16 to 7.3)',
    rule: 'PRS-07',
    overrides: { releaseUnpreserves: false },
  },
  {
    id: 'release-stays-listed',
    says: 'a reserve_mem region that was released is still listed (6.16 to 7.3)',
    rule: 'RSV-07',
    overrides: { releaseUnlists: false },
  },
  {
    id: 'note-keeps-pages',
    says: 'pages that were taken for a note that could not be finished are not given back',
    rule: 'PRS-03',
    overrides: { givesPagesBack: false, cutsBranchOff: true },
  },
  {
    id: 'branch-dangles',
    says: 'the tracker still points to pages that were given back (radix series, before merging)',
    rule: 'TRK-03',
    overrides: { cutsBranchOff: false },
  },
  {
    id: 'refused-range-stays',
    says: 'of a range that is refused, the blocks noted before the failure stay noted',
    rule: 'PRS-07',
    overrides: { undoesRefusedRange: false },
  },
  {
    id: 'tracker-on-one-node',
    says: 'the tracker takes its pages from the first node only',
    rule: 'MEM-01',
    overrides: { trackerNode: 0 },
  },
  {
    id: 'buddies-stay-apart',
    says: 'blocks that are freed are not joined with their buddies',
    rule: 'MEM-02',
    overrides: { joinsBuddies: false },
  },
  {
    id: 'freed-by-half',
    says: 'of a block that is freed only the first half comes back',
    rule: 'ALC-06',
    overrides: { freedOrder: (order) => Math.max(0, order - 1) },
  },
  {
    id: 'debugfs-no-tree',
    says: 'after a boot that revived a handover, out/fdt is missing (6.19 to 7.3)',
    rule: 'DBG-02',
    overrides: { showsTreeOnKhoBoots: false },
  },
  {
    id: 'debugfs-tree-cut',
    says: 'out/fdt keeps the size that the tree had at boot (6.19 to 7.3)',
    rule: 'DBG-01',
    overrides: { shownTreeBytes: (_now, first) => first },
  },
  {
    id: 'debugfs-removed-blob',
    says: 'a blob that was removed stays in out/sub_fdts',
    rule: 'DBG-08',
    overrides: { hidesRemovedBlobs: false },
  },
  {
    id: 'debugfs-refused-tree',
    says: 'a tree that was refused is shown as the incoming one',
    rule: 'DBG-11',
    overrides: { showsAcceptedTreeOnly: false },
  },
  {
    id: 'debugfs-freed-blob',
    says: 'a file of in/sub_fdts goes on showing memory that was given back (6.16 to 7.3)',
    rule: 'DBG-13',
    overrides: { hidesFreedBlobs: false },
  },
  {
    id: 'debugfs-scratch-frames',
    says: 'the files that list scratch count frames, not bytes',
    rule: 'DBG-10',
    overrides: { shownScratchUnit: () => 1 },
  },
  {
    id: 'deferred-init-forgets-scratch',
    says: 'on a KHO boot, pageblocks that are set up late are not CMA, scratch or not',
    title: 'kho: fix deferred init of kho scratch',
    rule: 'MOV-03',
    overrides: { deferredInitAsksForScratch: false },
  },
  {
    id: 'cma-beside-scratch',
    says: 'on a KHO boot, the pageblocks beside scratch become CMA, too',
    rule: 'MOV-03',
    overrides: { pageblocksBesideScratch: 1 },
  },
  {
    id: 'scratch-not-declared',
    says: 'scratch that was reserved anew is not declared CMA',
    rule: 'MOV-03',
    overrides: { declaresScratch: false },
  },
  {
    id: 'pins-in-scratch',
    says: 'a page is pinned for long where it is, in scratch',
    rule: 'MOV-04',
    overrides: { pinsOutsideScratch: false },
  },
  {
    id: 'pin-moves-within-scratch',
    says: 'a page that must leave scratch may go to another place in scratch',
    rule: 'MOV-04',
    overrides: { pinMovesTo: 'anywhere' },
  },
  {
    id: 'moves-pinned',
    says: 'a page is moved although it is pinned',
    rule: 'MOV-08',
    overrides: { movesPinned: true },
  },
  {
    id: 'moving-forgets-content',
    says: 'the content of a page stays behind when the page moves',
    rule: 'CNT-02',
    overrides: { movingCopies: false },
  },
  {
    id: 'moving-leaks',
    says: 'the frames that a page moved from stay taken',
    rule: 'ALC-06',
    overrides: { movingFrees: false },
  },
  {
    id: 'failed-move-drops-page',
    says: 'a page that could not be moved is given back',
    rule: 'ALC-06',
    overrides: { failedMovePutsBack: false },
  },
  {
    id: 'crash-image-with-handover',
    says: 'a crash image is given the handover of the running kernel',
    title: 'kho: skip KHO for crash kernel',
    rule: 'OFF-05',
    overrides: { crashImageCarriesHandover: true },
  },
  {
    id: 'kdump-reserves-scratch',
    says: 'a kdump kernel reserves scratch in the little memory it has',
    title: 'kho: do not reserve scratch memory in the kdump kernel',
    rule: 'OFF-05',
    overrides: { kdumpDisablesKho: false },
  },
  {
    id: 'off-still-ingests',
    says: 'a kernel with kho=off keeps what it was handed and cannot use',
    rule: 'OFF-01',
    overrides: { offRefusesHandover: false },
  },
  {
    id: 'any-image-with-handover',
    says: 'an image of kexec_load(2) is given a handover',
    rule: 'LOD-06',
    overrides: { anyImageCarriesHandover: true },
  },
  {
    id: 'large-image-elsewhere',
    says: 'an image that does not fit scratch is placed outside',
    rule: 'SCR-06',
    overrides: { largeImagesGoElsewhere: true },
  },
  {
    id: 'failed-load-unloads',
    says: 'a load that fails takes the image away that was loaded before',
    rule: 'KEX-04',
    overrides: { failedLoadKeepsImage: false },
  },
  {
    id: 'first-image-stays',
    says: 'an image that is loaded does not replace one that was',
    rule: 'OFF-01',
    overrides: { laterImageCounts: false },
  },
  {
    id: 'unload-keeps',
    says: 'unloading keeps the image',
    rule: 'KEX-03',
    overrides: { unloadForgets: false },
  },
  {
    id: 'tree-of-load',
    says: 'the tree is handed over as it stood when the image was loaded',
    rule: 'DBG-12',
    overrides: { handsOverTreeOfLoad: true },
  },
  {
    id: 'unit-addresses',
    says: 'a name is taken for one that has a unit address behind it (all kernels to 7.3)',
    rule: 'TRE-03',
    overrides: { matchesWholeNames: false },
  },
  {
    id: 'blob-unchecked',
    says: 'length and place of a blob that is looked up are not checked',
    rule: 'TRE-09',
    overrides: { checksBlobProperties: false },
  },
  {
    id: 'metadata-unchecked',
    says: 'kexecs are counted on from a metadata blob that is too short',
    rule: 'TRE-08',
    overrides: { checksMetadataSize: false },
  },
  {
    id: 'oldest-name-removed',
    says: 'of several names of one blob, the oldest is taken out of the tree',
    rule: 'TRE-07',
    overrides: { removesNewestName: false },
  },
  ...AREA_FAULTS,
  ...SCRATCH_FAULTS,
  ...PHASE_FAULTS,
  ...EARLY_FAULTS,
  ...LIVE_UPDATE_FAULTS,
  ...TEETH_FAULTS,
  ...MEMORY_TEETH,
  ...HANDOVER_TEETH,
  ...CLIENT_TEETH,
];

/** The fault or the bug of the catalogue with this id, or undefined. */
export const faultById = (id: string): Fault | undefined =>
  FAULTS.find((fault) => fault.id === id) ?? bugById(id);

/** What a fault decides otherwise about the option; the rest is left to the kernel's series. */
const grammarChanges = ({ overrides: { scratchGrammar = INTENDED_GRAMMAR } }: Fault) => {
  const intended: Readonly<Record<string, unknown>> = { ...INTENDED_GRAMMAR };
  const changed = Object.entries(scratchGrammar).filter(([key, value]) => intended[key] !== value);
  return Object.fromEntries(changed) as Partial<ScratchGrammar>;
};

/**
 * The intended decisions with the given faults in place.
 *
 * @param series what the kernel's series decides otherwise
 */
export const decisionsWith = (
  faults: readonly Fault[],
  series: Partial<Decisions> = {},
): Decisions => {
  const decided: Partial<Decisions>[] = faults.map((fault) => fault.overrides);
  const grammar = series.scratchGrammar ?? INTENDED_GRAMMAR;
  decided.push({ scratchGrammar: Object.assign({}, grammar, ...faults.map(grammarChanges)) });
  return Object.assign({}, INTENDED, series, ...decided) as Decisions;
};
