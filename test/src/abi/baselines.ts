/** The committed baselines, for tests. */
import { BASELINES, baselineOf } from '#src/cli/abi-sources';
import type { AbiDescription } from '#src/abi/headers/description';

/** Every release with a baseline, oldest first. */
export const KERNELS = BASELINES;

const read = new Map<string, AbiDescription>();

/** The baseline of a release. */
export const baseline = (release: string): AbiDescription => {
  const known = read.get(release) ?? baselineOf(release)!;
  read.set(release, known);
  return known;
};
