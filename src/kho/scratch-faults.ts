/**
 * The part of the catalogue of faults that is about the sizes of scratch, about HugeTLB pages of
 * boot, and about widening scratch on a handover.
 */
import type { Fault } from './faults.ts';
import { INTENDED_GRAMMAR } from './scratch-option.ts';

export const SCRATCH_FAULTS: readonly Fault[] = [
  {
    id: 'scratch-on-empty-nodes',
    says: 'scratch is reserved for nodes without memory, too, and cannot be had there',
    title: 'kho: skip memoryless NUMA nodes when reserving scratch areas',
    rule: 'SCR-09',
    overrides: { skipsNodesWithoutMemory: false },
  },
  {
    id: 'empty-area-refused',
    says: 'an option with a size of zero is refused',
    title: 'kho: allow scratch areas with zero size',
    rule: 'SCR-01',
    overrides: { scratchGrammar: { ...INTENDED_GRAMMAR, refusesZero: 'any' } },
  },
  {
    id: 'fourth-size-ignored',
    says: 'what follows the third size of an option goes unnoticed (6.16 and 6.17)',
    rule: 'SCR-01',
    overrides: { scratchGrammar: { ...INTENDED_GRAMMAR, ignoresRest: true } },
  },
  {
    id: 'zero-percent',
    says: '0% is taken: KHO is on, and has no scratch at all (all kernels to 7.3)',
    rule: 'SCR-01',
    overrides: { scratchGrammar: { ...INTENDED_GRAMMAR, takesZeroScale: true } },
  },
  {
    id: 'scratch-size-wraps',
    says: 'a size loses what does not fit 64 bits (6.16 to 7.1)',
    title: 'lib: fix memparse() to handle overflow',
    rule: 'SCR-01',
    overrides: { scratchGrammar: { ...INTENDED_GRAMMAR, overflow: 'wraps' } },
  },
  {
    id: 'scratch-size-rounds-to-zero',
    says: 'rounding a size up past 64 bits makes it zero (all kernels to 7.3)',
    rule: 'SCR-01',
    overrides: { scratchSizesSaturate: false },
  },
  {
    id: 'named-scratch-not-rounded',
    says: 'areas whose size the option names end anywhere in a pageblock (6.16 to 7.1)',
    rule: 'SCR-01',
    overrides: { roundsNamedScratch: false },
  },
  {
    id: 'no-low-scratch',
    says: 'the area of low memory may lie anywhere',
    title: 'KHO: always have a lowmem scratch region',
    rule: 'SCR-03',
    overrides: { lowScratchBelowLimit: false },
  },
  {
    id: 'failed-scratch-leaks',
    says: 'areas stay reserved that were, before one of them fitted nowhere',
    rule: 'ALC-07',
    overrides: { failedScratchFrees: false },
  },
  {
    id: 'failed-scratch-remembered',
    says: 'the scratch array stays in force when an area fits nowhere and KHO goes off',
    rule: 'SCR-08',
    overrides: { failedScratchForgets: false },
  },
  {
    id: 'hugetlb-in-scratch',
    says: 'HugeTLB pages of boot are taken from scratch on a handover (6.16 to 7.2)',
    rule: 'SCR-11',
    overrides: { hugePagesOutsideScratch: false },
  },
  {
    id: 'hugetlb-scales-scratch',
    says: 'scratch is scaled by HugeTLB pages of boot, too (6.16 to 7.2)',
    rule: 'SCR-01',
    overrides: { hugePagesScaleScratch: true },
  },
  {
    id: 'widened-over-handover',
    says: 'scratch is widened by blocks in which something is preserved',
    rule: 'SCR-05',
    overrides: { widensAroundPreserved: false },
  },
];
