/**
 * Reads one handover twice: as its writer meant it, and as a kernel of another generation would.
 */
import { generationById } from '../description/generations.ts';
import type { Frames } from './frames.ts';
import { readRootAt } from './handover.ts';
import { readTracker, type TrackerContent } from './tracker.ts';

const NOTHING: TrackerContent = { preserved: [], trackerPages: [], damage: [] };

/**
 * What a kernel of one generation takes for preserved, whoever wrote the tracker; nothing where
 * there is no tree to read. Where it reads memory that nobody recorded, that is damage.
 *
 * @param fdt address of the root tree in bytes
 * @param writer id of the generation that wrote it, such as `6.17`
 * @param reader id of the generation that reads it
 */
export const trackerReadAs = (
  frames: Frames,
  fdt: number,
  writer: string,
  reader: string,
): TrackerContent => {
  const [wrote, reads] = [generationById(writer), generationById(reader)];
  const root = readRootAt(frames, fdt, wrote);
  if (reads === undefined || typeof root === 'string') return NOTHING;
  // A reader of another form looks where there is nothing.
  if (wrote !== undefined && wrote.root.form !== reads.root.form) return NOTHING;
  const start = { phys: root.tracker ?? 0, ranges: root.ranges };
  return readTracker(frames, reads.tracker, start, writer !== reader);
};

const keysOf = ({ preserved }: TrackerContent): string =>
  preserved
    .map(({ phys, order }) => `${phys}/${order}`)
    .sort()
    .join(' ');

/** Whether two generations find the same memory preserved; true where there is no tree to read. */
export const readsAlike = (frames: Frames, fdt: number, writer: string, reader: string): boolean =>
  keysOf(trackerReadAs(frames, fdt, writer, writer)) ===
  keysOf(trackerReadAs(frames, fdt, writer, reader));
