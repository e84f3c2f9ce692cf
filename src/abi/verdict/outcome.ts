/** What becomes of a handover with a kernel, and how several findings make one outcome. */
import { bitmapBytes } from '../description/chunk-list.ts';
import type { TrackerFormat } from '../description/generation.ts';

/**
 * Mildest first. `refused`: at the root, so that the kernel boots cold and nothing is corrupted.
 * `ignored`: a part is passed over. `misread`: memory is lost or reserved wrongly. `panic`: the
 * kernel stops while it reads.
 */
export const OUTCOMES = ['same', 'refused', 'ignored', 'misread', 'panic'] as const;

/** One of `OUTCOMES`. */
export type Outcome = (typeof OUTCOMES)[number];

/** One thing that a reader meets, and why as a short phrase. */
export interface Finding {
  readonly outcome: Outcome;
  readonly reason: string;
}

/** The worst of what a reader meets; a panic that follows from a misread counts as misread. */
export const worstOf = (found: readonly Finding[]): Outcome => {
  const misread = found.some(({ outcome }) => outcome === 'misread');
  return found.reduce<Outcome>((worst, { outcome }) => {
    if (misread && outcome === 'panic') return worst;
    return OUTCOMES.indexOf(outcome) > OUTCOMES.indexOf(worst) ? outcome : worst;
  }, 'same');
};

const NAMES: {
  readonly [K in TrackerFormat['kind']]: (
    format: TrackerFormat & { kind: K },
    pageShift: number,
  ) => string;
} = {
  radix: () => 'a radix tree',
  chunks: (format, pageShift) => `bitmaps of ${bitmapBytes(format, pageShift)} bytes`,
  ranges: ({ property }) => `"${property}" properties`,
};

/** A tracker's format in words. */
export const formatName = (format: TrackerFormat, pageShift: number): string =>
  (NAMES[format.kind] as (format: TrackerFormat, pageShift: number) => string)(format, pageShift);
