/**
 * The part of the catalogue of faults that is about vmalloc areas and `kho_alloc_preserve`.
 */
import type { Fault } from './faults.ts';

export const AREA_FAULTS: readonly Fault[] = [
  {
    id: 'area-reversed',
    says: 'the chunks name the blocks of an area in reverse',
    rule: 'VML-08',
    overrides: { listedBlock: (entry, blocks) => blocks - 1 - entry },
  },
  {
    id: 'full-chunk-last',
    says: 'a chunk that the last block of an area fills is not followed by another',
    rule: 'VML-09',
    overrides: { followsFullChunks: false },
  },
  {
    id: 'chunk-overrun',
    says: 'a chunk that is full is read past the end of its page',
    title: 'kho: fix out-of-bounds access of vmalloc chunk',
    rule: 'VML-15',
    overrides: { readChunkEntries: (entries) => entries + 1 },
  },
  {
    id: 'chunks-not-preserved',
    says: 'the chunks of an area are not preserved themselves',
    rule: 'PRS-07',
    overrides: { preservesChunks: false },
  },
  {
    id: 'area-order-not-told',
    says: 'the descriptor of an area says order 0, whatever its blocks are',
    rule: 'VML-11',
    overrides: { describedAreaOrder: () => 0 },
  },
  {
    id: 'chunks-kept-when-taken-back',
    says: 'taking an area back does not free its chunks',
    rule: 'VML-14',
    overrides: { freesUnpreservedChunks: false },
  },
  {
    id: 'chunks-lost-when-restored',
    says: 'restoring an area does not free its chunks',
    rule: 'VML-17',
    overrides: { freesRestoredChunks: false },
  },
  {
    id: 'any-area',
    says: 'what is no vmalloc area is preserved as one',
    rule: 'VML-05',
    overrides: { checksArea: false },
  },
  {
    id: 'any-area-flags',
    says: 'an area with flags that no descriptor can say is preserved',
    rule: 'VML-06',
    overrides: { checksAreaFlags: false },
  },
  {
    id: 'descriptor-flags-dropped',
    says: 'flags of a descriptor that nobody knows are dropped (6.18 to 7.3)',
    rule: 'VML-16',
    overrides: { checksDescriptorFlags: false },
  },
  {
    id: 'area-restored-partly',
    says: 'an area that is refused may have been restored in part (6.18 to 7.3)',
    rule: 'VML-16',
    overrides: { looksAtWholeList: false },
  },
  {
    id: 'area-size-ignored',
    says: 'an area is restored with as many pages as its chunks name, whatever its descriptor says',
    rule: 'VML-16',
    overrides: { comparesAreaSize: false },
  },
  {
    id: 'alloc-preserve-nothing',
    says: 'taking and preserving no bytes takes a page',
    rule: 'APR-01',
    overrides: { refusesNoBytes: false },
  },
  {
    id: 'alloc-preserve-too-large',
    says: 'of a size larger than any block, the largest block is taken and preserved',
    rule: 'APR-02',
    overrides: { refusesLargeSizes: false },
  },
  {
    id: 'alloc-preserve-dirty',
    says: 'memory that is taken to be preserved is not zeroed',
    rule: 'APR-04',
    overrides: { zeroesPreserved: false },
  },
  {
    id: 'alloc-preserve-leak',
    says: 'memory that was taken to be preserved and could not be is not freed',
    rule: 'ALC-07',
    overrides: { freesUnpreserved: false },
  },
  {
    id: 'freed-stays-preserved',
    says: 'freeing what was taken and preserved in one go leaves it preserved',
    rule: 'PRS-07',
    overrides: { freeingUnpreserves: false },
  },
];
