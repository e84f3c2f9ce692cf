/**
 * What a kernel's orchestrator left, from the frame that it named in the tree to sizes of files.
 *
 * Invariants: reads only through `Frames`, never throws, ends after bounded work.
 */
import { generationById, NEWEST_GENERATION } from '../description/generations.ts';
import type { LuoFormat } from '../description/luo-structs.ts';
import { LUO } from '../description/sub-blobs.ts';
import type { Frames } from './frames.ts';
import { readSessions } from './luo-sessions.ts';
import type { LuoSession } from './luo-sessions.ts';
import { readLuo, readOldLuo } from './luo.ts';

/**
 * The sessions, or a phrase that says why they cannot be read.
 *
 * @param head frame of the blob
 * @param writer id of a generation with the format that it is in; the newest when absent
 */
export const readLeft = (
  frames: Frames,
  head: number,
  writer: string | undefined,
): readonly LuoSession[] | string => {
  const page = frames.page(head);
  const generation = writer === undefined ? NEWEST_GENERATION : generationById(writer);
  const format: LuoFormat | undefined = generation?.luo;
  if (page === undefined || format === undefined) return 'is not there';
  const isStruct = format.sessions.kind === 'blocks';
  const found = isStruct ? readLuo(page.subarray(0, LUO.bytes)) : readOldLuo(page);
  if (found === undefined || typeof found === 'string') return found ?? 'is no device tree';
  const { sessions, faults } = readSessions(frames, format, found.sessions);
  return faults[0] ?? sessions;
};
