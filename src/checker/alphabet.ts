/**
 * Alphabets: the steps that all shorter traces are made of when a trace is proven to be shortest.
 *
 * A letter is a step without its number, and without the object that it is about. An alphabet has
 * no letter twice, and its order is fixed: steps of the trace, the ordinary steps from kernel to
 * kernel, simpler variants of the former.
 */
import type { Letter } from '#model/scopes/joint';
import { simplerSteps } from '#model/simplify';
import type { Step } from '#model/step';

export interface Alphabet {
  /** The different steps of the trace. */
  readonly own: readonly Letter[];
  /** Steps that lead from kernel to kernel, where the trace has them not. */
  readonly roads: readonly Letter[];
  /**
   * Variants of its steps that are plainer, or have one field simpler: at the two simplest values
   * that it may have, or one step simpler than it is.
   */
  readonly simpler: readonly Letter[];
}

/** Steps that lead from kernel to kernel, and mean the same in every trace. */
export const ROADS: readonly Letter[] = [
  { do: 'load' },
  { do: 'kexec', damage: 0 },
  { do: 'cold boot' },
];

const letterOf = (step: Step): Letter => {
  const { id: _, of: __, ...letter } = step as Step & { readonly of?: number };
  return letter;
};

const keyOf = (letter: Letter): string =>
  JSON.stringify(Object.entries(letter).sort(([a], [b]) => (a < b ? -1 : 1)));

/** The field in which a variant differs from a step. */
const changedIn = (step: Step, variant: Step): string | undefined => {
  const [before, after] = [step, variant] as unknown as readonly Record<string, unknown>[];
  return Object.keys(after!).find((key) => after![key] !== before![key]);
};

/** Plainer variants of a step: of those that differ in one field, the first two and the last. */
const variantsOf = (step: Step): readonly Step[] => {
  const variants = simplerSteps(step);
  const fields = variants.map((variant) => changedIn(step, variant));
  return variants.filter((_, at) => {
    const first = fields.indexOf(fields[at]);
    return at < first + 2 || at === fields.lastIndexOf(fields[at]);
  });
};

/** The letters of traces that are made of the steps of this one, or of simpler ones. */
export const alphabetOf = (steps: readonly Step[]): Alphabet => {
  const known = new Set<string>();
  const news = (letters: readonly Letter[]): Letter[] =>
    letters.filter((letter) => known.size < known.add(keyOf(letter)).size);
  return {
    own: news(steps.map(letterOf)),
    roads: news(ROADS),
    simpler: news(steps.flatMap(variantsOf).map(letterOf)),
  };
};

/** All letters, in their order. */
export const lettersOf = ({ own, roads, simpler }: Alphabet): readonly Letter[] => [
  ...own,
  ...roads,
  ...simpler,
];
