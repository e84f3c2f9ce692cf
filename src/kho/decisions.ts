/**
 * Decision points: what kernels decided differently over the years, each with the right answer.
 *
 * A decision says what the kernel computes or whether it looks at something; it is never an answer
 * that a caller gets. A fault is a set of decisions that are made wrongly (see `faults.ts`). The
 * rest of the implementation asks `decisions` and knows no faults.
 */

export interface Decisions {
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
  /** Round scratch areas up to the alignment of the page allocator's largest block. */
  readonly alignsScratch: boolean;
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
  /** Number of bytes reserved for a handed-over block of the given order. */
  readonly reservedFrames: (order: number) => number;
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
}

/** The algorithm as intended. */
export const INTENDED: Decisions = {
  checksScratchOverlap: true,
  scratchIsMovableOnly: true,
  earlyMemoryInScratchOnly: true,
  segmentsInScratch: true,
  inheritsScratch: true,
  alignsScratch: true,
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
};
