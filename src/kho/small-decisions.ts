/**
 * Decision points beside those of `decisions.ts`: what no kernel is known to have decided
 * otherwise. Each has the right answer in `SMALL_INTENDED`; they are there so that a fault can make
 * it wrongly, and a rule can show that it has teeth (`teeth-faults.ts` and the files beside it).
 *
 * As there, a decision says what the kernel computes or whether it looks; it is never an answer.
 */
import type { ActionName } from '#model/call';

export interface SmallDecisions {
  /** Call for which the kernel takes a page that it has no use for; '' for none. */
  readonly takesPageFor: ActionName | '';
  /** Node that a page moves to, given the one that was asked for; -1 for any. */
  readonly nodeToMoveTo: (node: number) => number;
  /** Frames that have to be free for a page to move, beside those that it moves to. */
  readonly framesSparedByMoves: number;
  /** Largest order of a block that is unpinned, given that of the page allocator. */
  readonly largestUnpinned: (maxOrder: number) => number;
  /** Look whether what a list of free blocks names is still free. */
  readonly checksFreeLists: boolean;
  /** Node that a request is served from, given the one that was asked for; -1 for any. */
  readonly nodeToServe: (node: number) => number;
  /** Take no range that lies in scratch. */
  readonly rangesOutsideScratch: boolean;
  /** Try once more when KHO gets no page for itself. */
  readonly triesAgain: boolean;
  /** Take the pages of vmalloc areas from outside scratch. */
  readonly areasOutsideScratch: boolean;
  /** Node that they are taken from; -1 for any. */
  readonly areaNode: number;
  /** Pages that an area gets, of so many that are asked for. */
  readonly areaPages: (pages: number) => number;
  /** Flags of an area that its descriptor can say, of those that it could. */
  readonly describableFlags: (flags: number) => number;
  /** Whose the chunks of an area are: pages of KHO, or of the owner of the area. */
  readonly chunksAre: 'of KHO' | 'of the owner';
  /** Most chunks that list an area. */
  readonly chunksMax: number;
  /** First frame that is cleared when the frame given becomes a chunk. */
  readonly clearedFrom: (pfn: number) => number;
  /** Take memory that is to be preserved from outside scratch. */
  readonly preservedOutsideScratch: boolean;
  /** Free at once only what was handed over. */
  readonly freesOnlyHeld: boolean;
  /** Order of the part of a handed-over block that is freed at once. */
  readonly freedAtOnce: (order: number) => number;
  /** Take a blob that is to be removed and was never named for one that is gone. */
  readonly missingBlobIsGone: boolean;
  /** Size of a blob that a lookup gives, of that in the tree; bytes. */
  readonly retrievedBytes: (bytes: number, pageBytes: number) => number;
  /** On a KHO boot, place regions anew that the previous kernel did not have. */
  readonly placesNewRegions: boolean;
  /** Boot with regions although nobody listed any before. */
  readonly bootsWithoutList: boolean;
  /** Have no list of regions once the last one is released. */
  readonly dropsEmptyList: boolean;
  /** Refuse to abort where nothing is ever frozen. */
  readonly abortIsOver: boolean;
  /** Take the tree back with an abort. */
  readonly abortDropsTree: boolean;
  /** Order of the block that the page of the tree is preserved as when a kernel boots. */
  readonly treeOrder: number;
  /** Which list is given back when one was written: the one before, or the new one. */
  readonly givenBackList: 'old' | 'new';
  /** Entries that a chunk of a list says it has, when it has so many. */
  readonly countedRuns: (runs: number) => number;
  /** Room for a tree of the early series, of a page of so many bytes. */
  readonly earlyTreeRoom: (pageBytes: number) => number;
  /** Tell when a node that is to be taken out of such a tree is not there. */
  readonly missesNodes: boolean;
  /** Ranges of a tree that are written, of so many. */
  readonly writtenRanges: (ranges: number) => number;
  /** Load an image although there is one. */
  readonly loadsOverImage: boolean;
  /** Leave the scratch array of the running kernel alone when an image is loaded. */
  readonly loadKeepsArray: boolean;
  /** Place every segment beside those that were placed before. */
  readonly segmentsApart: boolean;
  /** Frames of the segment for an image of so many frames. */
  readonly segmentFrames: (frames: number) => number;
  /** Confine images to scratch only where there is KHO. */
  readonly confinesWithKhoOnly: boolean;
  /** Unload although nothing is loaded. */
  readonly unloadsNothing: boolean;
  /** Place crash images in the memory that is reserved for them. */
  readonly crashImagesInReserve: boolean;
  /** Start after a crash only what was loaded for one. */
  readonly crashNeedsItsImage: boolean;
  /** What makes a kernel say that it has KHO. */
  readonly enabledIs: 'up' | 'built in';
  /** What makes a kernel say that it took a handover over. */
  readonly khoBootIs: 'taken over' | 'offered';
  /** Tell a kernel without KHO from one that got nothing when a blob is looked up. */
  readonly missingKhoIsTold: boolean;
  /** Show the outgoing tree as it is, not as it was when the kernel was up. */
  readonly showsTreeOfNow: boolean;
  /** Frame whose memory the file of a blob shows, given that in which the blob starts. */
  readonly shownFrame: (pfn: number) => number;
  /** Byte of a blob at which its file begins. */
  readonly shownFrom: number;
  /** Size of the file that shows the incoming tree, of the size of that tree; bytes. */
  readonly shownIncoming: (bytes: number) => number;
  /** Come up only with a name in the tree. */
  readonly luoNeedsName: boolean;
  /** Pages that the head of the orchestrator takes. */
  readonly luoHeadPages: number;
  /** Give the list of sessions back that came, once it is read. */
  readonly luoGivesListBack: boolean;
  /** Sessions that a block of their list is filled with, of so many that it has room for. */
  readonly luoSessionRoom: (entries: number) => number;
  /** Pages that a file takes beside those that describe it. */
  readonly luoSparePages: number;
  /** Find a file by its token, rather than take the first one of its session. */
  readonly luoFindsByToken: boolean;
  /** Give the state of a memfd back once it is made again. */
  readonly memfdStateComesBack: boolean;
  /** Pages of a file that closing it gives back, of so many. */
  readonly luoClosedPages: (pages: number) => number;
  /** Children of an incoming head that are looked at, of so many that there can be. */
  readonly luoKnownChildren: (children: number) => number;
}

/** As intended. */
export const SMALL_INTENDED: SmallDecisions = {
  takesPageFor: '',
  nodeToMoveTo: (node) => node,
  framesSparedByMoves: 0,
  largestUnpinned: (maxOrder) => maxOrder,
  checksFreeLists: true,
  nodeToServe: (node) => node,
  rangesOutsideScratch: true,
  triesAgain: false,
  areasOutsideScratch: true,
  areaNode: -1,
  areaPages: (pages) => pages,
  describableFlags: (flags) => flags,
  chunksAre: 'of KHO',
  chunksMax: Number.POSITIVE_INFINITY,
  clearedFrom: (pfn) => pfn,
  preservedOutsideScratch: true,
  freesOnlyHeld: true,
  freedAtOnce: (order) => order,
  missingBlobIsGone: true,
  retrievedBytes: (bytes) => bytes,
  placesNewRegions: true,
  bootsWithoutList: true,
  dropsEmptyList: true,
  abortIsOver: true,
  abortDropsTree: true,
  treeOrder: 0,
  givenBackList: 'old',
  countedRuns: (runs) => runs,
  earlyTreeRoom: (pageBytes) => pageBytes,
  missesNodes: true,
  writtenRanges: (ranges) => ranges,
  loadsOverImage: true,
  loadKeepsArray: true,
  segmentsApart: true,
  segmentFrames: (frames) => frames,
  confinesWithKhoOnly: true,
  unloadsNothing: true,
  crashImagesInReserve: true,
  crashNeedsItsImage: true,
  enabledIs: 'up',
  khoBootIs: 'taken over',
  missingKhoIsTold: true,
  showsTreeOfNow: true,
  shownFrame: (pfn) => pfn,
  shownFrom: 0,
  shownIncoming: (bytes) => bytes,
  luoNeedsName: true,
  luoHeadPages: 1,
  luoGivesListBack: true,
  luoSessionRoom: (entries) => entries,
  luoSparePages: 0,
  luoFindsByToken: true,
  memfdStateComesBack: true,
  luoClosedPages: (pages) => pages,
  luoKnownChildren: (children) => children,
};
