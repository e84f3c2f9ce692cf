/**
 * Faults that show the teeth of rules about a handover: its tree, named regions, images and boots,
 * kernels without KHO, and the bytes that one kernel leaves for the next.
 */
import type { Fault } from './faults.ts';

export const HANDOVER_TEETH: readonly Fault[] = [
  {
    id: 'tree-error-untranslated',
    says: 'a blob that the tree has no room for is refused with a number of libfdt',
    rule: 'TRE-02',
    overrides: { translatesTreeErrors: false },
  },
  {
    id: 'missing-blob-noticed',
    says: 'a blob that was never named cannot be removed',
    rule: 'TRE-04',
    overrides: { missingBlobIsGone: false },
  },
  {
    id: 'retrieved-size-rounded',
    says: 'a lookup rounds the size of a blob up to pages',
    rule: 'TRE-05',
    overrides: {
      retrievedBytes: (bytes, pageBytes) => Math.ceil(bytes / pageBytes) * pageBytes,
    },
  },
  {
    id: 'no-new-regions',
    says: 'after a jump there are no regions but those that were there before',
    rule: 'RSV-02',
    overrides: { placesNewRegions: false },
  },
  {
    id: 'release-takes-page',
    says: 'whenever a region is released, KHO takes a page for itself',
    rule: 'RSV-09',
    overrides: { takesPageFor: 'releaseReserveMem' },
  },
  {
    id: 'empty-list-stays',
    says: 'a list of regions is left that names none',
    rule: 'RSV-11',
    overrides: { dropsEmptyList: false },
  },
  {
    id: 'loaded-image-in-the-way',
    says: 'no image is loaded while there is one',
    rule: 'KEX-01',
    overrides: { loadsOverImage: false },
  },
  {
    id: 'segments-overlap',
    says: 'every segment is placed as if it were the first one',
    rule: 'KEX-02',
    overrides: { segmentsApart: false },
  },
  {
    id: 'last-frame-not-reserved',
    says: 'of a block that was handed over, the last page is not reserved',
    rule: 'KEX-06',
    overrides: { reservedFrames: (order) => 2 ** order - 1 },
  },
  {
    id: 'boots-with-list-only',
    says: 'a kernel that is told of regions does not boot unless some kernel listed them before',
    rule: 'KEX-07',
    overrides: { bootsWithoutList: false },
  },
  {
    id: 'other-root-taken',
    says: 'a tree with the root string of another generation is taken all the same',
    next: ['7.1'],
    rule: 'KEX-08',
    overrides: { checksCompatible: false },
  },
  {
    id: 'luo-child-unknown',
    says: 'of the nodes that the orchestrator left, the first one only is looked at',
    kernel: '7.0',
    rule: 'KEX-09',
    overrides: { luoKnownChildren: () => 1 },
  },
  {
    id: 'segment-by-half',
    says: 'the segment of an image has room for half of it',
    rule: 'LOD-03',
    overrides: { segmentFrames: (frames) => Math.floor(frames / 2) },
  },
  {
    id: 'confines-without-kho',
    says: 'images have to go to scratch although KHO is off and there is none',
    rule: 'LOD-04',
    overrides: { confinesWithKhoOnly: false },
  },
  {
    id: 'unload-nothing-refused',
    says: 'unloading is refused where nothing is loaded',
    rule: 'LOD-05',
    overrides: { unloadsNothing: false },
  },
  {
    id: 'crash-image-anywhere',
    says: 'a crash image is placed in any memory',
    rule: 'LOD-07',
    overrides: { crashImagesInReserve: false },
  },
  {
    id: 'enabled-when-off',
    says: 'a kernel whose KHO is off says that it has KHO, as it is built in',
    rule: 'OFF-02',
    overrides: { enabledIs: 'built in' },
  },
  {
    id: 'offered-is-taken-over',
    says: 'a kernel that refused what it was handed says that it took it over',
    rule: 'OFF-03',
    overrides: { khoBootIs: 'offered' },
  },
  {
    id: 'missing-kho-not-told',
    says: 'a kernel without KHO answers lookups as if nothing had been handed over',
    rule: 'OFF-04',
    overrides: { missingKhoIsTold: false },
  },
  {
    id: 'crash-takes-next-image',
    says: 'after a crash, the image of the next kernel is started where there is no other',
    rule: 'OFF-07',
    overrides: { crashNeedsItsImage: false },
  },
  {
    id: 'chunk-counts-more',
    says: 'a chunk of the list says that it has an entry more than it has',
    kernel: '7.0',
    rule: 'HND-04',
    overrides: { countedRuns: (runs) => runs + 1 },
  },
];
