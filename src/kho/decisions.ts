/**
 * Decision points: what kernels decided differently over the years, each with the right answer.
 *
 * A decision says what the kernel computes or whether it looks at something; it is never an answer
 * that a caller gets. A fault is a set of decisions that are made wrongly (see `faults.ts`). The
 * rest of the implementation asks `decisions` and knows no faults.
 */
import { INTENDED_GRAMMAR } from './scratch-option.ts';
import type { ScratchGrammar } from './scratch-option.ts';
import { SMALL_INTENDED } from './small-decisions.ts';
import type { SmallDecisions } from './small-decisions.ts';

export interface Decisions extends SmallDecisions {
  /** Refuse to preserve memory that touches scratch. */
  readonly checksScratchOverlap: boolean;
  /** Serve unmovable requests from outside scratch only. */
  readonly scratchIsMovableOnly: boolean;
  /** Allocate in scratch alone until what was handed over is known. */
  readonly earlyMemoryInScratchOnly: boolean;
  /** Place the segments of an image in scratch. */
  readonly segmentsInScratch: boolean;
  /** Take over the scratch areas of the previous kernel. */
  readonly inheritsScratch: boolean;
  /** Round scratch areas up to an alignment of the page allocator. */
  readonly alignsScratch: boolean;
  /** What that is: a pageblock up to 7.1, then the largest block of the page allocator. */
  readonly scratchAlignment: 'pageblock' | 'largest block';
  /** Round sizes up as well where the option names them. */
  readonly roundsNamedScratch: boolean;
  /** What `kho_scratch=` may say. */
  readonly scratchGrammar: ScratchGrammar;
  /** Have no KHO where the command line asks for no scratch. */
  readonly scratchMustBeAsked: boolean;
  /** Round a size near 2^64 up to the largest there is, not to 0. */
  readonly scratchSizesSaturate: boolean;
  /** Reserve scratch of nodes with memory only, rather than fail on the others. */
  readonly skipsNodesWithoutMemory: boolean;
  /** Keep the area of low memory below the border of low memory. */
  readonly lowScratchBelowLimit: boolean;
  /** When an area fits nowhere, give back those that were reserved before it. */
  readonly failedScratchFrees: boolean;
  /** When an area fits nowhere, have no scratch array. */
  readonly failedScratchForgets: boolean;
  /** Keep HugeTLB pages of boot out of scratch. */
  readonly hugePagesOutsideScratch: boolean;
  /** Count HugeTLB pages of boot among what scratch is scaled by. */
  readonly hugePagesScaleScratch: boolean;
  /** On a handover, widen scratch by blocks in which nothing was handed over. */
  readonly widensScratch: boolean;
  /** Leave blocks out of that in which something is preserved. */
  readonly widensAroundPreserved: boolean;
  /** Leave blocks out of that in which the tracker has pages. */
  readonly widensAroundTracker: boolean;
  /** Restore only pages that carry the mark of a handover. */
  readonly restoreChecksMark: boolean;
  /** Remove the mark of a page when it is restored. */
  readonly restoreClearsMark: boolean;
  /** Cut a range at node borders when it is preserved and taken back. */
  readonly preserveSplitsAtNodes: boolean;
  /** Cut a range at node borders when it is restored. */
  readonly restoreSplitsAtNodes: boolean;
  /** Compare the order that a page is marked with to the block that is being restored. */
  readonly restoreComparesOrder: boolean;
  /** Look at all blocks of a range before restoring any. */
  readonly restoreChecksWholeRange: boolean;
  /** Blocks of a range that taking back a preservation clears, of those it has to. */
  readonly unpreservedBlocks: 'all' | 'first';
  /** Where the tracker gets its pages from. */
  readonly trackerPagesFrom: 'unmovable' | 'anywhere';
  /** Number of frames reserved for a handed-over block of the given order. */
  readonly reservedFrames: (order: number, pageShift: number) => number;
  /** Order that the mark of a handed-over page carries. */
  readonly markedOrder: (order: number) => number;
  /** Compare the compatible string of an incoming tree. */
  readonly checksCompatible: boolean;
  /** Refuse an incoming tree without a memory map. */
  readonly checksMemoryMap: boolean;
  /** Refuse a name that the tree has already. */
  readonly checksDuplicateNames: boolean;
  /** Take the node of a removed blob out of the tree. */
  readonly removesSubtreeNodes: boolean;
  /** Size that a node of the tree gives for a blob. */
  readonly recordedBlobBytes: (bytes: number, pageBytes: number) => number;
  /** Count the previous kernel's kexecs in the metadata blob. */
  readonly countsKexecs: boolean;
  /** Preserve the page of the handover tree itself. */
  readonly preservesTree: boolean;
  /** Look for reserve_mem regions among those of the previous kernel. */
  readonly revivesRegions: boolean;
  /** Revive a reserve_mem region of the previous kernel only if the size asked for is the same. */
  readonly comparesRegionSize: boolean;
  /** Revive a region only where it suits the alignment asked for. */
  readonly comparesRegionAlignment: boolean;
  /** On a KHO boot, place new regions outside scratch. */
  readonly regionsOutsideScratch: boolean;
  /** Leave no page to two regions. */
  readonly regionsShareNoPage: boolean;
  /** Preserve pages that a region fills in part. */
  readonly preservesPartialPages: boolean;
  /** One past the last frame that releasing a region frees, given its end in bytes. */
  readonly releasedEnd: (end: number, pageBytes: number) => number;
  /** Stop preserving a region that is released. */
  readonly releaseUnpreserves: boolean;
  /** Take a region that is released off the list that the next kernel gets. */
  readonly releaseUnlists: boolean;
  /** Refuse to preserve as a vmalloc area what is none. */
  readonly checksArea: boolean;
  /** Refuse to preserve an area with flags that a descriptor cannot say. */
  readonly checksAreaFlags: boolean;
  /** Which of so many blocks of an area the entry with this number names. */
  readonly listedBlock: (entry: number, blocks: number) => number;
  /** Begin another chunk when the last block of an area fills one. */
  readonly followsFullChunks: boolean;
  /** Entries of a chunk that are looked at when it has so many. */
  readonly readChunkEntries: (entries: number) => number;
  /** Preserve the chunks themselves. */
  readonly preservesChunks: boolean;
  /** Order that a descriptor gives for blocks of this order. */
  readonly describedAreaOrder: (order: number) => number;
  /** Order by which an area is unpreserved when preserving it failed half-way. */
  readonly undoneAreaOrder: (order: number) => number;
  /** Free the chunks of an area that is taken back. */
  readonly freesUnpreservedChunks: boolean;
  /** Free the chunks of an area that was restored. */
  readonly freesRestoredChunks: boolean;
  /** Refuse a descriptor with flags that nobody knows. */
  readonly checksDescriptorFlags: boolean;
  /** Compare the pages that chunks name to the number that the descriptor says. */
  readonly comparesAreaSize: boolean;
  /** Look at the whole list of an area before restoring any of it. */
  readonly looksAtWholeList: boolean;
  /** Refuse to take and preserve no bytes at all. */
  readonly refusesNoBytes: boolean;
  /** Refuse to take and preserve more than the largest block. */
  readonly refusesLargeSizes: boolean;
  /** Zero memory that is taken to be preserved. */
  readonly zeroesPreserved: boolean;
  /** Free memory that was taken to be preserved and could not be. */
  readonly freesUnpreserved: boolean;
  /** Stop preserving what `kho_unpreserve_free` frees. */
  readonly freeingUnpreserves: boolean;
  /** Give the pages back that were taken for a note that could not be finished. */
  readonly givesPagesBack: boolean;
  /** Take such pages off the tracker first. */
  readonly cutsBranchOff: boolean;
  /** Take back what was noted of a range when the rest of it cannot be. */
  readonly undoesRefusedRange: boolean;
  /** Node that the tracker takes its pages from; -1: any. */
  readonly trackerNode: number;
  /** Join free buddies to larger blocks. */
  readonly joinsBuddies: boolean;
  /** Order of the part of a block that is given back when the block is freed. */
  readonly freedOrder: (order: number) => number;
  /** Show the outgoing tree in debugfs on a boot that revived a handover as well. */
  readonly showsTreeOnKhoBoots: boolean;
  /** Size of the file that shows the outgoing tree, of its size now and when it was made. */
  readonly shownTreeBytes: (now: number, first: number) => number;
  /** Take the file of a blob away with the blob. */
  readonly hidesRemovedBlobs: boolean;
  /** Show no incoming tree that was refused. */
  readonly showsAcceptedTreeOnly: boolean;
  /** Take the file of an incoming blob away when its memory is given back. */
  readonly hidesFreedBlobs: boolean;
  /** Bytes that a frame counts in the files that list scratch. */
  readonly shownScratchUnit: (pageBytes: number) => number;
  /** When a second phase of boot initialises pageblocks, ask which of them are scratch. */
  readonly deferredInitAsksForScratch: boolean;
  /** Pageblocks at either end of an area that are taken for scratch on a KHO boot. */
  readonly pageblocksBesideScratch: number;
  /** Declare scratch CMA when it was reserved anew. */
  readonly declaresScratch: boolean;
  /** Move a page out of scratch before it is pinned for long. */
  readonly pinsOutsideScratch: boolean;
  /** Where a page goes that must leave scratch. */
  readonly pinMovesTo: 'outside scratch' | 'anywhere';
  /** Move pages although they are pinned. */
  readonly movesPinned: boolean;
  /** Copy the content of a page that moves. */
  readonly movingCopies: boolean;
  /** Give the frames back that a page moved from. */
  readonly movingFrees: boolean;
  /** Put a page back that could not be moved. */
  readonly failedMovePutsBack: boolean;
  /** Load an image outside scratch that does not fit there. */
  readonly largeImagesGoElsewhere: boolean;
  /** An image stays loaded when loading another one fails. */
  readonly failedLoadKeepsImage: boolean;
  /** An image that is loaded replaces one that was. */
  readonly laterImageCounts: boolean;
  /** Forget an image when it is unloaded. */
  readonly unloadForgets: boolean;
  /** Hand the tree over as it stood when the image was loaded. */
  readonly handsOverTreeOfLoad: boolean;
  /** Give images of kexec_load(2) a handover, too. */
  readonly anyImageCarriesHandover: boolean;
  /** Give crash images a handover. */
  readonly crashImageCarriesHandover: boolean;
  /** Reserve no scratch in a kdump kernel. */
  readonly kdumpDisablesKho: boolean;
  /** Take nothing over when KHO is off. */
  readonly offRefusesHandover: boolean;
  /** Compare names of blobs as a whole: `foo` is not `foo@1`. */
  readonly matchesWholeNames: boolean;
  /** Look at the length of a blob's properties, and whether there is memory where they point. */
  readonly checksBlobProperties: boolean;
  /** Count kexecs anew from a metadata blob that is too short. */
  readonly checksMetadataSize: boolean;
  /** Of several names of one blob, take the newest out of the tree. */
  readonly removesNewestName: boolean;
  /** Refuse changes once everything is written down. */
  readonly finalRefusesChanges: boolean;
  /** Refuse to finalize what is final. */
  readonly finalRefusesFinalizing: boolean;
  /** Forget with an abort what was preserved. */
  readonly abortForgets: boolean;
  /** Bitmaps of an order that are listed, of so many. */
  readonly listedRuns: (runs: number) => number;
  /** Give the handover only to images that are loaded once it is final. */
  readonly attachesOnlyFinal: boolean;
  /** Which entry of an array of ranges is read as the one of that number. */
  readonly readRange: (entry: number) => number;
  /** End of a range that another one is merged into, given both ends. */
  readonly joinsRanges: (end: number, other: number) => number;
  /** Free memory that is given back only when nobody else has a claim on it. */
  readonly returnCountsClaims: boolean;
  /** Read as many cells for a size as sizes have, where a device tree tells of a handover. */
  readonly readsSizeCells: boolean;
  /** Write the list anew right before a jump. */
  readonly jumpFinalizes: boolean;
  /** Take a scratch area without memory for one that memory around it touches. */
  readonly emptyScratchTouches: boolean;
  /** Largest order of a block that is restored, given that of the page allocator. */
  readonly largestRestored: (maxOrder: number) => number;
  /** Give the pages of a list back when it is given up. */
  readonly freesLists: boolean;
  /** Where the tracker gets its root from. */
  readonly trackerRootFrom: 'unmovable' | 'anywhere';
  /** Leave the marks of a handover alone in a second phase of boot. */
  readonly deferredInitKeepsMarks: boolean;
  /** Leave scratch marked while memory is learned anew from firmware, where that is done. */
  readonly firmwareKeepsScratch: boolean;
  /** Place segments in whichever scratch area has room, not in the first one alone. */
  readonly segmentsInAnyArea: boolean;
  /** End with an abort what finalizing began. */
  readonly abortEndsFinal: boolean;
  /** Write a list anew where there is one already. */
  readonly finalizesAnew: boolean;
  /** Leave memory as it is when a boot learns that it was handed over. */
  readonly keepsHeldContent: boolean;
  /** Find a region by its name, rather than take the first one there is. */
  readonly findsRegionsByName: boolean;
  /** Find nothing where a tree has no node of a name, rather than its first node. */
  readonly missingNameIsMissing: boolean;
  /** Frames that are reserved for a crash kernel, of so many that are asked for. */
  readonly reservedForCrash: (frames: number) => number;
  /** Move a page that is pinned only if it has to leave scratch. */
  readonly pinsInPlace: boolean;
  /** Frames at whose multiples HugeTLB pages of so many frames are taken. */
  readonly hugePageAlign: (frames: number) => number;
  /** Reserve scratch beside what was reserved before. */
  readonly scratchBesideReserved: boolean;
  /** Step over what is to be taken back and was never noted. */
  readonly stepsOverMisses: boolean;
  /** Tell errors of the device-tree library in numbers of the kernel. */
  readonly translatesTreeErrors: boolean;
  /** Take the blocks by which scratch is widened for scratch when pageblocks get their types. */
  readonly widenedBlocksAreScratch: boolean;
  /** Refuse sessions without a name. */
  readonly luoChecksNames: boolean;
  /** Refuse sessions that their list has no room for. */
  readonly luoLimitsSessions: boolean;
  /** Refuse a name that another session has. */
  readonly luoRefusesTakenNames: boolean;
  /** Give a block back that was added for a session which is refused. */
  readonly luoShrinksWhenRefused: boolean;
  /** Give the list of files back when a session is closed. */
  readonly luoClosingFreesList: boolean;
  /** Refuse a token that another file of the session has. */
  readonly luoChecksTokens: boolean;
  /** Refuse files that the list of their session has no room for. */
  readonly luoLimitsFiles: boolean;
  /** Refuse a file that some session has. */
  readonly luoKnowsFiles: boolean;
  /** Answer the second retrieval of a session with an error. */
  readonly luoRetrievesOnce: boolean;
  /** Hand a file out again that was retrieved, rather than make it again. */
  readonly luoRemembersFiles: boolean;
  /** Give files back that nobody retrieved when their session is finished. */
  readonly luoFinishFreesFiles: boolean;
  /** Give the list of files back when a session is finished. */
  readonly luoFinishFreesList: boolean;
  /** Files of a session that are written down, of so many. */
  readonly luoListedFiles: (files: number) => number;
  /** Pin the pages of a memfd, so that they leave scratch. */
  readonly memfdPagesArePinned: boolean;
  /** Which of so many pages of a memfd the entry with this number names. */
  readonly memfdListedPage: (entry: number, pages: number) => number;
}

/** The algorithm as intended. */
export const INTENDED: Decisions = {
  ...SMALL_INTENDED,
  checksScratchOverlap: true,
  scratchIsMovableOnly: true,
  earlyMemoryInScratchOnly: true,
  segmentsInScratch: true,
  inheritsScratch: true,
  alignsScratch: true,
  scratchAlignment: 'largest block',
  roundsNamedScratch: true,
  scratchGrammar: INTENDED_GRAMMAR,
  scratchMustBeAsked: false,
  scratchSizesSaturate: true,
  skipsNodesWithoutMemory: true,
  lowScratchBelowLimit: true,
  failedScratchFrees: true,
  failedScratchForgets: true,
  hugePagesOutsideScratch: true,
  hugePagesScaleScratch: false,
  widensScratch: true,
  widensAroundPreserved: true,
  widensAroundTracker: true,
  restoreChecksMark: true,
  restoreClearsMark: true,
  preserveSplitsAtNodes: true,
  restoreSplitsAtNodes: true,
  restoreComparesOrder: true,
  restoreChecksWholeRange: true,
  unpreservedBlocks: 'all',
  trackerPagesFrom: 'unmovable',
  reservedFrames: (order) => 2 ** order,
  markedOrder: (order) => order,
  checksCompatible: true,
  checksMemoryMap: true,
  checksDuplicateNames: true,
  removesSubtreeNodes: true,
  recordedBlobBytes: (bytes) => bytes,
  countsKexecs: true,
  preservesTree: true,
  revivesRegions: true,
  comparesRegionSize: true,
  comparesRegionAlignment: true,
  regionsOutsideScratch: true,
  regionsShareNoPage: true,
  preservesPartialPages: true,
  releasedEnd: (end, pageBytes) => Math.ceil(end / pageBytes),
  releaseUnpreserves: true,
  releaseUnlists: true,
  checksArea: true,
  checksAreaFlags: true,
  listedBlock: (entry) => entry,
  followsFullChunks: true,
  readChunkEntries: (entries) => entries,
  preservesChunks: true,
  describedAreaOrder: (order) => order,
  undoneAreaOrder: (order) => order,
  freesUnpreservedChunks: true,
  freesRestoredChunks: true,
  checksDescriptorFlags: true,
  comparesAreaSize: true,
  looksAtWholeList: true,
  refusesNoBytes: true,
  refusesLargeSizes: true,
  zeroesPreserved: true,
  freesUnpreserved: true,
  freeingUnpreserves: true,
  givesPagesBack: true,
  cutsBranchOff: true,
  undoesRefusedRange: true,
  trackerNode: -1,
  joinsBuddies: true,
  freedOrder: (order) => order,
  showsTreeOnKhoBoots: true,
  shownTreeBytes: (now) => now,
  hidesRemovedBlobs: true,
  showsAcceptedTreeOnly: true,
  hidesFreedBlobs: true,
  shownScratchUnit: (pageBytes) => pageBytes,
  deferredInitAsksForScratch: true,
  pageblocksBesideScratch: 0,
  declaresScratch: true,
  pinsOutsideScratch: true,
  pinMovesTo: 'outside scratch',
  movesPinned: false,
  movingCopies: true,
  movingFrees: true,
  failedMovePutsBack: true,
  largeImagesGoElsewhere: false,
  failedLoadKeepsImage: true,
  laterImageCounts: true,
  unloadForgets: true,
  handsOverTreeOfLoad: false,
  anyImageCarriesHandover: false,
  crashImageCarriesHandover: false,
  kdumpDisablesKho: true,
  offRefusesHandover: true,
  matchesWholeNames: true,
  checksBlobProperties: true,
  checksMetadataSize: true,
  removesNewestName: true,
  finalRefusesChanges: true,
  finalRefusesFinalizing: true,
  abortForgets: true,
  listedRuns: (runs) => runs,
  attachesOnlyFinal: true,
  readsSizeCells: true,
  jumpFinalizes: true,
  readRange: (entry) => entry,
  joinsRanges: (end, other) => Math.max(end, other),
  returnCountsClaims: true,
  emptyScratchTouches: false,
  largestRestored: () => Number.POSITIVE_INFINITY,
  freesLists: true,
  trackerRootFrom: 'unmovable',
  deferredInitKeepsMarks: true,
  segmentsInAnyArea: true,
  abortEndsFinal: true,
  finalizesAnew: true,
  keepsHeldContent: true,
  findsRegionsByName: true,
  missingNameIsMissing: true,
  reservedForCrash: (frames) => frames,
  pinsInPlace: true,
  hugePageAlign: (frames) => frames,
  scratchBesideReserved: true,
  firmwareKeepsScratch: true,
  stepsOverMisses: true,
  translatesTreeErrors: true,
  widenedBlocksAreScratch: false,
  luoChecksNames: true,
  luoLimitsSessions: true,
  luoRefusesTakenNames: true,
  luoShrinksWhenRefused: true,
  luoClosingFreesList: true,
  luoChecksTokens: true,
  luoLimitsFiles: true,
  luoKnowsFiles: true,
  luoRetrievesOnce: true,
  luoRemembersFiles: true,
  luoFinishFreesFiles: true,
  luoFinishFreesList: true,
  luoListedFiles: (files) => files,
  memfdPagesArePinned: true,
  memfdListedPage: (entry) => entry,
};
