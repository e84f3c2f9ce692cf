/**
 * What a complete exploration of each named scope of the law comes to, exactly.
 *
 * A change of the law that changes a number here needs a reason in its commit. `depth` is the
 * length of the longest of the shortest traces.
 */

export interface Counts {
  readonly states: number;
  readonly transitions: number;
  readonly depth: number;
}

export const COUNTS: Readonly<Record<string, Counts>> = {
  scratch: { states: 56, transitions: 585, depth: 6 },
  movability: { states: 205, transitions: 3_229, depth: 8 },
  allocation: { states: 330, transitions: 11_285, depth: 6 },
  preservation: { states: 441, transitions: 6_969, depth: 10 },
  restore: { states: 10_068, transitions: 298_944, depth: 15 },
  tracker: { states: 222, transitions: 1_963, depth: 7 },
  vmalloc: { states: 2_624, transitions: 50_580, depth: 10 },
  'alloc-preserve': { states: 11_306, transitions: 161_341, depth: 17 },
  tree: { states: 342, transitions: 5_059, depth: 8 },
  'reserve-mem': { states: 525, transitions: 8_658, depth: 6 },
  shortage: { states: 1_443, transitions: 20_230, depth: 10 },
  kexec: { states: 18_970, transitions: 290_519, depth: 20 },
  loading: { states: 1_700, transitions: 63_690, depth: 10 },
  'two-nodes': { states: 1_320, transitions: 21_892, depth: 13 },
  chain: { states: 18_970, transitions: 233_609, depth: 20 },
  'phases-6.18': { states: 3_774, transitions: 46_636, depth: 18 },
  'phases-7.0': { states: 5_676, transitions: 94_302, depth: 17 },
  'phases-7.1': { states: 5_532, transitions: 80_012, depth: 17 },
  alike: { states: 10_368, transitions: 154_044, depth: 15 },
  chain3: { states: 1_484_994, transitions: 27_037_227, depth: 27 },
};

/** Counts with symmetry, for scopes that declare some. */
export const SYMMETRIC_COUNTS: Readonly<Record<string, Counts>> = {
  alike: { states: 756, transitions: 11_466, depth: 15 },
};
