/**
 * The kernels whose KHO differs, oldest first. A rule names the first and the last of them that it
 * applies to; everything else that tells generations apart is data of a kernel profile.
 */

export const GENERATIONS = [
  'v3',
  'v4',
  'v5',
  '6.16',
  '6.17',
  '6.18',
  '6.19',
  '7.0',
  '7.1',
  '7.2',
  '7.3',
] as const;

/** A patch series before the merge (`v3`…`v5`) or a kernel release series (`6.16`…). */
export type Generation = (typeof GENERATIONS)[number];

/** How many generations lie between this one and the newest: 0 for the newest itself. */
export const ageOf = (generation: Generation): number =>
  GENERATIONS.length - 1 - GENERATIONS.indexOf(generation);

/** The generation of that age. */
export const generationOfAge = (age: number): Generation =>
  GENERATIONS[GENERATIONS.length - 1 - age]!;

/** The string that a generation writes into the root of its tree, and demands there. */
export const ROOT_STRING: Readonly<Record<Generation, string>> = {
  v3: 'kho-v1',
  v4: 'kho-v1',
  v5: 'kho-v1',
  '6.16': 'kho-v1',
  '6.17': 'kho-v1',
  '6.18': 'kho-v1',
  '6.19': 'kho-v1',
  '7.0': 'kho-v1',
  '7.1': 'kho-v3',
  '7.2': 'kho-v4',
  '7.3': 'kho-v4',
};

/** Whether `generation` lies between `since` and `until`, both included, absent ends being open. */
export const appliesTo = (
  generation: Generation,
  since: Generation | undefined,
  until: Generation | undefined,
): boolean => {
  const at = GENERATIONS.indexOf(generation);
  return (
    (since === undefined || at >= GENERATIONS.indexOf(since)) &&
    (until === undefined || at <= GENERATIONS.indexOf(until))
  );
};
