/**
 * What kernels of older series decide otherwise: not by mistake, they do not know better.
 *
 * Each row holds for every generation before the one that it names. Mistakes that a series shipped
 * with are faults (`faults.ts`); what is in memory is said by the descriptions of generations.
 */
import { WIRE_GENERATIONS, generationById } from '#src/abi/description/generations';
import type { Decisions } from './decisions.ts';
import { intendedGrammar } from './scratch-option.ts';

interface Before {
  readonly before: string;
  readonly overrides: Partial<Decisions>;
}

const OLDER: readonly Before[] = [
  // kho_extend_scratch() came with 7.3, and so did memblock_alloc_hugetlb().
  {
    before: '7.3',
    overrides: {
      widensScratch: false,
      hugePagesOutsideScratch: false,
      hugePagesScaleScratch: true,
    },
  },
  // Scratch was aligned to what CMA asks for.
  { before: '7.2', overrides: { scratchAlignment: 'pageblock' } },
  // The size of scratch had no default in the first series.
  { before: 'v4', overrides: { scratchMustBeAsked: true } },
  // kho_scratch_overlap() came with 6.18.
  { before: '6.18', overrides: { checksScratchOverlap: false } },
];

const placeOf = (id: string): number => WIRE_GENERATIONS.findIndex((row) => row.id === id);

/** How kernels of a generation read `kho_scratch=`. */
const grammarDecision = (generation: string): Partial<Decisions> => {
  const format = generationById(generation)?.scratch;
  return format === undefined ? {} : { scratchGrammar: intendedGrammar(format) };
};

/** What kernels of a generation decide otherwise than the newest. */
export const seriesDecisions = (generation: string): Partial<Decisions> =>
  Object.assign(
    grammarDecision(generation),
    ...OLDER.filter(({ before }) => placeOf(generation) < placeOf(before)).map(
      ({ overrides }) => overrides,
    ),
  ) as Partial<Decisions>;
