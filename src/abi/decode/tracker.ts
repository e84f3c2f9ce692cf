/**
 * Collects what a tracker says, whichever way it is written down.
 *
 * Invariants as for every walk: reads only through `Frames`, never throws, ends after bounded work.
 * One strategy for every kind of tracker; adding a kind is adding a row to `READERS`.
 */
import type { ChunkFormat, TrackerFormat } from '../description/generation.ts';
import { radixGeometry } from '../description/radix-key.ts';
import type { Damage } from './bytes.ts';
import { fitChunks, walkChunks } from './chunks.ts';
import type { Frames } from './frames.ts';
import { walkRadix } from './radix.ts';
import { splitRanges, type MemoryRange } from './ranges.ts';

/** A preserved block: `2^order` pages from address `phys`. */
export interface DecodedBlock {
  readonly phys: number;
  readonly order: number;
}

/** A page of the tracker; level 0 holds bits. */
export interface DecodedTrackerPage {
  readonly phys: number;
  readonly level: number;
}

/** The tracker's content, collected. */
export interface TrackerContent {
  readonly preserved: readonly DecodedBlock[];
  readonly trackerPages: readonly DecodedTrackerPage[];
  readonly damage: readonly Damage[];
}

/** Where a tracker begins: an address, or ranges that stood in the tree. */
export interface TrackerStart {
  readonly phys: number;
  readonly ranges: readonly MemoryRange[];
}

/** More blocks than this are not collected: they would be a misread, or not fit our memory. */
const MAX_BLOCKS = 4194304;

/** What is collected while walking. */
class Collector {
  readonly preserved: DecodedBlock[] = [];
  readonly trackerPages: DecodedTrackerPage[] = [];
  readonly damages: Damage[] = [];
  private dropped = 0;
  private readonly pageBytes: number;

  constructor(pageShift: number) {
    this.pageBytes = 2 ** pageShift;
  }

  block(pfn: number, order: number): void {
    if (this.preserved.length < MAX_BLOCKS) {
      this.preserved.push({ phys: pfn * this.pageBytes, order });
    } else this.dropped++;
  }

  page(phys: number, level: number): void {
    this.trackerPages.push({ phys, level });
  }

  damage(where: string, what: string): void {
    this.damages.push({ where, what });
  }

  content(): TrackerContent {
    if (this.dropped > 0) {
      this.damage('tracker', `${this.dropped} blocks more than can be looked at`);
    }
    const { preserved, trackerPages, damages: damage } = this;
    return { preserved, trackerPages, damage };
  }
}

/** Reads one kind of tracker into a collector. */
type Reader<F extends TrackerFormat> = (
  frames: Frames,
  format: F,
  start: TrackerStart,
  asReader: boolean,
  into: Collector,
) => void;

const readRadix: Reader<TrackerFormat & { kind: 'radix' }> = (
  frames,
  _format,
  start,
  _as,
  into,
) => {
  const pageBytes = 2 ** frames.pageShift;
  walkRadix(frames, radixGeometry(frames.pageShift), start.phys, {
    block: (pfn, order) => into.block(pfn, order),
    page: (pfn, level) => into.page(pfn * pageBytes, level),
    damage: (where, what) => into.damage(where, what),
  });
};

const READERS: { readonly [K in TrackerFormat['kind']]: Reader<TrackerFormat & { kind: K }> } = {
  radix: readRadix,
  chunks: (frames, format, start, asReader, into) =>
    walkChunks(frames, { format, asReader }, start.phys, into),
  ranges: (frames, _format, start, _as, into) => splitRanges(frames.pageShift, start.ranges, into),
};

/**
 * Walks a tracker and collects what is in it.
 *
 * @param asReader read it as a kernel with this format would, whoever wrote it
 */
export const readTracker = (
  frames: Frames,
  format: TrackerFormat,
  start: TrackerStart,
  asReader = false,
): TrackerContent => {
  const into = new Collector(frames.pageShift);
  (READERS[format.kind] as Reader<TrackerFormat>)(frames, format, start, asReader, into);
  return into.content();
};

/**
 * Which of several formats a tracker has, by what it looks like; the newest when nothing tells.
 *
 * Only the length of bitmaps is ever in doubt. A writer puts every bitmap at a multiple of its own
 * length, and lets it begin at a multiple of what it covers; a list of which more than half is not
 * where the writer of longer bitmaps would put it was written with shorter ones.
 *
 * @param formats not empty, oldest first
 */
export const guessFormat = (
  frames: Frames,
  formats: readonly TrackerFormat[],
  start: TrackerStart,
): TrackerFormat => {
  const newest = formats.at(-1) as TrackerFormat;
  const chunks = formats.filter((format): format is ChunkFormat => format.kind === 'chunks');
  if (newest.kind !== 'chunks' || chunks.length < 2) return newest;
  const { entries, misfits } = fitChunks(frames, start.phys, chunks);
  if (2 * (misfits.get(newest) ?? 0) <= entries) return newest;
  const fits = chunks.toSorted((a, b) => (misfits.get(a) ?? 0) - (misfits.get(b) ?? 0));
  return fits[0] ?? newest;
};
