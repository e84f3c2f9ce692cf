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
