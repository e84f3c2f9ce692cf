/**
 * The part of the catalogue of faults that is about kernels which write down what they hand over.
 */
import type { Fault } from './faults.ts';

export const PHASE_FAULTS: readonly Fault[] = [
  {
    id: 'changes-while-final',
    says: 'memory is still preserved after everything was written down',
    kernel: '6.18',
    rule: 'PHS-04',
    overrides: { finalRefusesChanges: false },
  },
  {
    id: 'finalizes-again',
    says: 'what is final already is finalized once more',
    kernel: '6.17',
    rule: 'PHS-01',
    overrides: { finalRefusesFinalizing: false },
  },
  {
    id: 'abort-keeps-preserved',
    says: 'an abort takes the list back, but not what was preserved',
    kernel: '6.18',
    rule: 'PHS-09',
    overrides: { abortForgets: false },
  },
  {
    id: 'list-without-last-run',
    says: 'the last bitmap of every order is missing in the list',
    kernel: '6.18',
    rule: 'PHS-09',
    overrides: { listedRuns: (runs) => runs - 1 },
  },
  {
    id: 'image-before-final',
    says: 'an image that was loaded before anybody finalized gets the handover',
    title: 'kho: only fill kimage if KHO is finalized',
    kernel: '6.16',
    rule: 'LOD-06',
    overrides: { attachesOnlyFinal: false },
  },
  {
    id: 'jump-without-list',
    says: 'a jump hands over what was written down last, however old it is',
    kernel: '6.19',
    rule: 'KEX-04',
    overrides: { jumpFinalizes: false },
  },
  {
    id: 'chunk-leaked',
    says: 'chunks that were written before memory ran out are not given back',
    kernel: '7.0',
    rule: 'PHS-07',
    overrides: { givesPagesBack: false },
  },
];
