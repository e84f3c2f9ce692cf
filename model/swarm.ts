/**
 * Swarm weights: how often each kind of something is drawn in one trace, and drawing by them.
 *
 * Every trace makes some kinds rarer, some more frequent, and does without others, so that traces
 * reach further from each other than any one mix of kinds would.
 */
import type { Random } from './random.ts';

/** One kind in so many is silent: few in some traces, most of them in others. */
const SILENT_ONE_IN = [5, 2] as const;
const FACTORS = [0.25, 1, 1, 1, 4] as const;
/** How much more often a trace that makes a long chain loads and jumps. */
export const CHAIN_FACTOR = 6;

/** Draws for one trace: one kind in so many that may be silent is. */
export const drawSilence = (random: Random): number => random.pick(SILENT_ONE_IN);

/**
 * What the weight of one kind is multiplied with in a trace.
 *
 * @param silentOneIn 0 for a kind that is never silent
 */
export const swarmFactor = (random: Random, silentOneIn: number): number =>
  silentOneIn > 0 && random.oneIn(silentOneIn) ? 0 : random.pick(FACTORS);

/** Whether a trace makes a long chain. */
export const makesChain = (random: Random): boolean => random.oneIn(2);

/** Place of one of `weights`, as often as its weight says; -1 when `total`, their sum, is 0. */
export const chooseWeighted = (random: Random, weights: Float64Array, total: number): number => {
  let left = (random.below(1 << 20) / (1 << 20)) * total;
  for (let at = 0; at < weights.length; at++) {
    left -= weights[at]!;
    if (left < 0) return at;
  }
  return -1;
};
