/**
 * Early memory: what a kernel hands out before its page allocator is up.
 *
 * Allocations come from the top of what is permitted. On a handover only scratch is permitted, so
 * that nothing is overwritten that the kernel does not know about yet.
 */
import type { RangeList } from '#model/call';
import { RangeSet } from './range-set.ts';
import type { PhysicalMemory } from './physical-memory.ts';

export class Memblock {
  readonly reserved = new RangeSet();
  /** Where allocations may come from, in order of preference. */
  readonly #permitted: { readonly first: number; readonly end: number }[] = [];

  permit(first: number, end: number): void {
    this.#permitted.push({ first, end });
  }

  /** Permits ranges before all others. */
  permitFirst(ranges: readonly { readonly first: number; readonly end: number }[]): void {
    this.#permitted.unshift(...ranges);
  }

  reserve(first: number, count: number): void {
    this.reserved.add(first, first + count);
  }

  /**
   * Reserves `count` frames at a multiple of `align` between `low` and `high`.
   *
   * @returns the first frame, or -1 when nothing fits
   */
  allocate(count: number, align: number, low = 0, high = Infinity): number {
    for (const area of this.#permitted) {
      const first = this.#highestFit(
        Math.max(area.first, low),
        Math.min(area.end, high),
        count,
        align,
      );
      if (first >= 0) {
        this.reserve(first, count);
        return first;
      }
    }
    return -1;
  }

  /**
   * Where an allocation of no frames ends up: as high in free memory as the alignment permits.
   *
   * @returns a frame at which nothing is reserved, or -1 when there is none
   */
  placeOfNothing(align: number, low = 0, high = Infinity): number {
    for (const area of this.#permitted) {
      const least = Math.max(area.first, low);
      let end = Math.min(area.end, high);
      while (end > least) {
        const at = this.reserved.after(end - 1);
        const taken = at < this.reserved.length && this.reserved.first(at) < end;
        if (taken) {
          end = this.reserved.first(at);
          continue;
        }
        const first = Math.max(least, at === 0 ? 0 : this.reserved.end(at - 1));
        const place = Math.floor(end / align) * align;
        if (place >= first) return place;
        end = first;
      }
    }
    return -1;
  }

  #highestFit(low: number, high: number, count: number, align: number): number {
    let first = Math.floor((high - count) / align) * align;
    while (first >= low) {
      const at = this.reserved.after(first);
      if (at >= this.reserved.length || this.reserved.first(at) >= first + count) return first;
      first = Math.floor((this.reserved.first(at) - count) / align) * align;
    }
    return -1;
  }
}

/** Allocates and uses early memory: what is in use is overwritten, and reported. */
export const takeEarly = (
  memblock: Memblock,
  memory: PhysicalMemory,
  count: number,
  report: RangeList,
): number => {
  const first = memblock.allocate(count, 1);
  if (first < 0) return -1;
  memory.overwrite(first, count);
  report.add(first, count);
  return first;
};
