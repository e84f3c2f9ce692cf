/**
 * The part of the catalogue of faults that is about the patch series before the merge.
 */
import type { Fault } from './faults.ts';

import { INTENDED_GRAMMAR } from './scratch-option.ts';

export const EARLY_FAULTS: readonly Fault[] = [
  {
    id: 'return-frees-at-once',
    says: 'memory is free as soon as one of those that it was named by gives it back (v4)',
    kernel: 'v4',
    rule: 'EAR-07',
    overrides: { returnCountsClaims: false },
  },
  {
    id: 'ranges-by-bytes',
    says: 'of an array of ranges, only every sixteenth is read (v4)',
    kernel: 'v4',
    rule: 'ALC-06',
    overrides: { readRange: (entry) => 16 * entry },
  },
  {
    id: 'cache-forgets-ranges',
    says: 'a range that is merged into the one before it is lost',
    kernel: 'v3',
    rule: 'ALC-06',
    overrides: { joinsRanges: (end) => end },
  },
  {
    id: 'changes-while-active',
    says: 'memory can still be named when the tree is written',
    kernel: 'v3',
    rule: 'PHS-04',
    overrides: { finalRefusesChanges: false },
  },
  {
    id: 'jump-without-tree',
    says: 'a jump does not finalize what nobody finalized',
    kernel: 'v5',
    rule: 'KEX-04',
    overrides: { jumpFinalizes: false },
  },
  {
    id: 'node-twice',
    says: 'a node of the state tree may have the name of another',
    kernel: 'v5',
    rule: 'EAR-02',
    overrides: { checksDuplicateNames: false },
  },
  {
    id: 'scratch-unasked',
    says: 'scratch is reserved although the command line asks for none (v3)',
    kernel: 'v3',
    rule: 'SCR-13',
    overrides: { scratchMustBeAsked: false },
  },
  {
    id: 'early-empty-area',
    says: 'one of two sizes may be zero (v4)',
    kernel: 'v4',
    rule: 'SCR-01',
    overrides: { scratchGrammar: { ...INTENDED_GRAMMAR, refusesZero: 'sum' } },
  },
];
