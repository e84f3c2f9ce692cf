/**
 * Reads one handover twice: as its writer meant it, and as a kernel of another generation would.
 */
import { generationById } from '../description/generations.ts';
import type { Frames } from './frames.ts';
import { readRootAt } from './handover.ts';
import { readTracker, type TrackerContent } from './tracker.ts';

const keysOf = ({ preserved }: TrackerContent): string =>
  preserved
    .map(({ phys, order }) => `${phys}/${order}`)
    .sort()
    .join(' ');

/**
 * Whether two generations find the same memory preserved; true where there is no tree to read.
 *
 * @param fdt address of the root tree in bytes
 * @param writer id of the generation that wrote it, such as `6.17`
 * @param reader id of the generation that reads it
 */
export const readsAlike = (
  frames: Frames,
  fdt: number,
  writer: string,
  reader: string,
): boolean => {
  const [wrote, reads] = [generationById(writer), generationById(reader)];
  const root = readRootAt(frames, fdt, wrote);
  if (wrote === undefined || reads === undefined || typeof root === 'string') return true;
  const start = { phys: root.tracker ?? 0, ranges: root.ranges };
  const written = readTracker(frames, wrote.tracker, start);
  return keysOf(written) === keysOf(readTracker(frames, reads.tracker, start, true));
};
