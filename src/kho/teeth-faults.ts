/** The part of the catalogue of faults whose only purpose is to show that a rule has teeth. */
import type { Fault } from './faults.ts';

export const TEETH_FAULTS: readonly Fault[] = [
  {
    id: 'segments-in-first-area',
    says: 'only the first scratch area is looked at for the segments of an image',
    rule: 'LOD-02',
    overrides: { segmentsInAnyArea: false },
  },
  {
    id: 'abort-stays-final',
    says: 'after an abort everything is still final',
    kernel: '6.18',
    rule: 'PHS-03',
    overrides: { abortEndsFinal: false },
  },
  {
    id: 'finalizes-once',
    says: 'finalizing is refused where a list was written before',
    kernel: '7.0',
    rule: 'PHS-05',
    overrides: { finalizesAnew: false },
  },
  {
    id: 'zeroes-handed-over',
    says: 'the first page of every block that was handed over is zeroed at boot',
    rule: 'CNT-01',
    overrides: { keepsHeldContent: false },
  },
  {
    id: 'first-region-found',
    says: 'whatever the name, the first region there is is found',
    rule: 'RSV-08',
    overrides: { findsRegionsByName: false },
  },
  {
    id: 'first-node-found',
    says: 'where a tree has no node of a name, its first node is taken',
    kernel: '6.18',
    rule: 'TRE-06',
    overrides: { missingNameIsMissing: false },
  },
  {
    id: 'crash-memory-short',
    says: 'a page less is reserved for a crash kernel than was asked for',
    rule: 'LOD-08',
    overrides: { reservedForCrash: (frames) => Math.max(0, frames - 1) },
  },
  {
    id: 'pinning-moves',
    says: 'a page that is pinned moves although it is outside scratch',
    rule: 'MOV-05',
    overrides: { pinsInPlace: false },
  },
  {
    id: 'hugetlb-unaligned',
    says: 'HugeTLB pages of boot are aligned to half their size',
    rule: 'SCR-12',
    overrides: { hugePageAlign: (frames) => frames / 2 },
  },
  {
    id: 'scratch-on-top',
    says: 'scratch is reserved on top of what was reserved before',
    rule: 'SCR-07',
    overrides: { scratchBesideReserved: false },
  },
];
