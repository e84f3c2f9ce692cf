/**
 * Reads a scratch array: where the areas are that the next kernel may use before it knows more.
 *
 * Without a length the array ends at the first entry of zeros, or with the page.
 */
import {
  SCRATCH_ENTRY_ADDRESS,
  SCRATCH_ENTRY_BYTES,
  SCRATCH_ENTRY_SIZE,
} from '../description/scratch-array.ts';
import { hex, u64, type Damage } from './bytes.ts';
import type { Frames } from './frames.ts';

/** One scratch area, in bytes. */
export interface ScratchArea {
  readonly phys: number;
  readonly bytes: number;
}

/** What was read and what could not be. */
export interface ScratchArray {
  readonly areas: readonly ScratchArea[];
  readonly damage: readonly Damage[];
}

/** The entries in `page` from its start up to the first entry of zeros. */
export const entriesUntilZero = (page: Uint8Array): number => {
  let entries = 0;
  for (let at = 0; at + SCRATCH_ENTRY_BYTES <= page.length; at += SCRATCH_ENTRY_BYTES) {
    const address = u64(page, at + SCRATCH_ENTRY_ADDRESS);
    if (address === 0 && u64(page, at + SCRATCH_ENTRY_SIZE) === 0) break;
    entries++;
  }
  return entries;
};

/**
 * Reads the array at `phys`, of `bytes` bytes or, when undefined, up to its first entry of zeros.
 * Everything that does not fit becomes damage.
 */
export const readScratchArray = (
  frames: Frames,
  phys: number,
  bytes: number | undefined,
): ScratchArray => {
  const pageBytes = 2 ** frames.pageShift;
  const damage: Damage[] = [];
  const areas: ScratchArea[] = [];
  const where = `scratch(${hex(phys)})`;
  const pfn = Math.floor(phys / pageBytes);
  const page = Number.isSafeInteger(phys) ? frames.page(pfn) : undefined;
  if (page === undefined) {
    damage.push({ where, what: 'the page of the array is not there' });
    return { areas, damage };
  }
  const body = page.subarray(phys - pfn * pageBytes);
  let length = bytes ?? entriesUntilZero(body) * SCRATCH_ENTRY_BYTES;
  if (length % SCRATCH_ENTRY_BYTES !== 0) {
    damage.push({ where, what: `its length of ${length} bytes is not a whole number of entries` });
  }
  if (length > body.length) {
    damage.push({ where, what: `its length of ${length} bytes runs past its page` });
    length = body.length;
  }
  for (let at = 0; at + SCRATCH_ENTRY_BYTES <= length; at += SCRATCH_ENTRY_BYTES) {
    const area = {
      phys: u64(body, at + SCRATCH_ENTRY_ADDRESS),
      bytes: u64(body, at + SCRATCH_ENTRY_SIZE),
    };
    if (Number.isSafeInteger(area.phys + area.bytes)) areas.push(area);
    else damage.push({ where: `${where} +${hex(at)}`, what: 'the area is beyond any machine' });
  }
  return { areas, damage };
};
