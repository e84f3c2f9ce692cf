/**
 * 633 malformed, odd and KHO-level-wrong blobs: every field that dtc 1.8.1 recorded is met.
 *
 * libfdt trusts that `totalsize` bytes are there. Where they are not, three things happened:
 * - it crashed on the guard page (SIG11): here that is TRUNCATED;
 * - it read one to seven filler bytes between the end of the file and the guard page, since the
 *   blob started on a multiple of eight: here that is an error, too, and the recorded answer comes
 *   back as soon as those filler bytes are handed over with the blob;
 * - it copied 57 bytes of unrelated memory beyond the guard page (LUCKY): here that is TRUNCATED.
 */
import { describe, expect, test } from 'vitest';
import { loadBlobs } from './fixtures.ts';
import type { Blob } from './fixtures.ts';
import { isExceptional, observe } from './observe.ts';
import type { Observation } from './observe.ts';

type Field = keyof Blob['expect'];

/** off_dt_strings far outside the file; the recorded bytes came from elsewhere in the process. */
const LUCKY = new Set(['fuzz-204.dtb rw', 'fuzz-294.dtb rw']);

const TRUNCATED = -8;
const blobs = loadBlobs('bad');
const tally = { blobs: 0, equal: 0, exceptional: 0, slack: 0, lucky: 0 };

/** The blob as libfdt had it in memory: filled up to a multiple of eight. */
function withSlack(bytes: Uint8Array): Uint8Array {
  const memory = new Uint8Array(Math.ceil(bytes.length / 8) * 8).fill(0xa5);
  memory.set(bytes);
  return memory;
}

/** Whether the field tells of an error, and not of an answer. */
function isRefused(field: Field, seen: Observation): boolean {
  const value = seen[field];
  if (typeof value === 'number') return value === TRUNCATED;
  if (typeof value === 'string') return value !== 'ok' && value !== 'map-zero';
  if (field === 'walk') return seen.walkRefused > 0 || (seen.walk as { end: number }).end < -1;
  if (field === 'children') return (value as { end: number }).end === TRUNCATED;
  return (value as { open: number }).open < 0 || Object.values(value).includes(TRUNCATED);
}

function compare(blob: Blob): void {
  const start = performance.now();
  const seen = observe(blob.bytes);
  expect(performance.now() - start, `${blob.file}: milliseconds`).toBeLessThan(1000);
  // The recorder passed the size of the file to fdt_check_full, so filler does not count there.
  const recorded = { ...observe(withSlack(blob.bytes)), check_full: seen.check_full };
  for (const field of Object.keys(blob.expect) as Field[]) {
    const wanted = blob.expect[field];
    const where = `${blob.file} ${field}`;
    if (isExceptional(wanted)) {
      expect(isRefused(field, seen), `${where}: ${JSON.stringify(seen[field])}`).toBe(true);
      tally.exceptional++;
    } else if (LUCKY.has(where)) {
      expect(isRefused(field, seen), where).toBe(true);
      tally.lucky++;
    } else {
      expect(recorded[field], where).toEqual(wanted);
      if (JSON.stringify(seen[field]) === JSON.stringify(wanted)) {
        tally.equal++;
      } else {
        expect(isRefused(field, seen), `${where}: ${JSON.stringify(seen[field])}`).toBe(true);
        tally.slack++;
      }
    }
  }
  tally.blobs++;
}

describe('malformed blobs', () => {
  test.each(blobs)('$file is judged as libfdt judges it', compare);

  test('633 blobs and their 7596 fields are accounted for', () => {
    expect(tally).toEqual({ blobs: 633, equal: 6727, exceptional: 816, slack: 51, lucky: 2 });
    console.log(`fdt-ts malformed: ${JSON.stringify(tally)}`);
  });
});
