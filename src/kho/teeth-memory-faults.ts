/**
 * Faults that show the teeth of rules about memory: the page allocator, movability, the tracker's
 * pages, vmalloc areas and memory that is taken and preserved in one go.
 */
import type { Fault } from './faults.ts';
import { VMALLOC_FLAGS } from '#src/abi/description/vmalloc';

export const MEMORY_TEETH: readonly Fault[] = [
  {
    id: 'moves-to-any-node',
    says: 'a page moves to any node, whichever was asked for',
    rule: 'MOV-06',
    overrides: { nodeToMoveTo: () => -1 },
  },
  {
    id: 'moves-spare-memory',
    says: 'no page moves unless 2^16 frames are free',
    rule: 'MOV-07',
    overrides: { framesSparedByMoves: 65536 },
  },
  {
    id: 'unpins-pages-only',
    says: 'only single pages are unpinned, not larger blocks',
    rule: 'MOV-09',
    overrides: { largestUnpinned: () => 0 },
  },
  {
    id: 'moving-takes-page',
    says: 'whenever the kernel moves a block, KHO takes a page for itself',
    rule: 'MOV-11',
    overrides: { takesPageFor: 'migrate' },
  },
  {
    id: 'stale-free-lists',
    says: 'a block is handed out because a free list still names it',
    rule: 'ALC-01',
    overrides: { checksFreeLists: false },
  },
  {
    id: 'serves-from-any-node',
    says: 'memory comes from any node, whichever was asked for',
    rule: 'ALC-02',
    overrides: { nodeToServe: () => -1 },
  },
  {
    id: 'serves-from-first-node',
    says: 'a request that any node could serve is tried on the first one only',
    rule: 'ALC-03',
    overrides: { nodeToServe: (node) => Math.max(0, node) },
  },
  {
    id: 'ranges-in-scratch',
    says: 'a range is taken although it lies in scratch',
    rule: 'ALC-04',
    overrides: { rangesOutsideScratch: false },
  },
  {
    id: 'freeing-takes-page',
    says: 'whenever a block is freed, KHO takes a page for itself',
    rule: 'ALC-05',
    overrides: { takesPageFor: 'freePages' },
  },
  {
    id: 'tracker-page-in-use',
    says: 'KHO takes a page because a free list still names it',
    rule: 'TRK-01',
    overrides: { checksFreeLists: false },
  },
  {
    id: 'new-list-given-back',
    says: 'of two lists, the one that was just written is given back',
    kernel: '7.0',
    rule: 'TRK-04',
    overrides: { givenBackList: 'new' },
  },
  {
    id: 'area-in-scratch',
    says: 'the pages of a vmalloc area may lie in scratch',
    rule: 'VML-01',
    overrides: { areasOutsideScratch: false },
  },
  {
    id: 'area-page-more',
    says: 'a vmalloc area gets a page more than was asked for',
    rule: 'VML-02',
    overrides: { areaPages: (pages) => pages + 1 },
  },
  {
    id: 'areas-from-first-node',
    says: 'the pages of vmalloc areas come from the first node only',
    rule: 'VML-03',
    overrides: { areaNode: 0 },
  },
  {
    id: 'vfree-takes-page',
    says: 'whenever an area is freed, KHO takes a page for itself',
    rule: 'VML-04',
    overrides: { takesPageFor: 'vfree' },
  },
  {
    id: 'huge-areas-refused',
    says: 'an area that was mapped by huge pages is refused, although its descriptor could say so',
    rule: 'VML-07',
    overrides: { describableFlags: (flags) => flags & ~VMALLOC_FLAGS.hugeVmap },
  },
  {
    id: 'chunks-of-the-owner',
    says: 'the chunks of an area are taken as if they were pages of the area',
    rule: 'VML-10',
    overrides: { chunksAre: 'of the owner' },
  },
  {
    id: 'one-chunk-only',
    says: 'an area that one chunk cannot list is refused as if memory were short',
    rule: 'VML-12',
    overrides: { chunksMax: 1 },
  },
  {
    id: 'chunk-before-cleared',
    says: 'with a page that becomes a chunk the page before it is cleared, too',
    rule: 'VML-13',
    overrides: { clearedFrom: (pfn) => pfn - 1 },
  },
  {
    id: 'alloc-preserve-in-scratch',
    says: 'memory that is taken to be preserved may lie in scratch',
    rule: 'APR-03',
    overrides: { preservedOutsideScratch: false },
  },
  {
    id: 'unpreserve-free-takes-page',
    says: 'whenever preserved memory is freed, KHO takes a page for itself',
    rule: 'APR-05',
    overrides: { takesPageFor: 'unpreserveFree' },
  },
  {
    id: 'restore-free-half',
    says: 'of a block that is restored and freed in one go, half is left',
    rule: 'APR-06',
    overrides: { freedAtOnce: (order) => Math.max(0, order - 1) },
  },
  {
    id: 'restore-free-anything',
    says: 'what was not handed over is freed as if it had been',
    rule: 'APR-07',
    overrides: { freesOnlyHeld: false },
  },
  {
    id: 'tracker-tries-again',
    says: 'KHO asks once more for a page that it was refused',
    rule: 'MEM-03',
    overrides: { triesAgain: true },
  },
  {
    id: 'tree-kept-with-neighbour',
    says: 'with the page of the tree the one beside it is preserved at boot',
    kernel: '7.0',
    rule: 'MEM-04',
    overrides: { treeOrder: 1 },
  },
];
