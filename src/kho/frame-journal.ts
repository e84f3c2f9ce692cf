/**
 * Which frames may show something else than before: noted where owners and contents are kept, asked
 * by whoever looks on.
 *
 * Invariant: a frame whose owner or content changed since the last `drain` is in a noted range, or
 * `drain` answers that it lost count. More may be noted than changed.
 */

const ROOM = 512;

export class FrameJournal {
  readonly #firsts = new Float64Array(ROOM);
  readonly #ends = new Float64Array(ROOM);
  #length = 0;
  #lost = true;

  /** Frames of `[first, first + count)` may have changed. */
  note(first: number, count: number): void {
    const last = this.#length - 1;
    if (last >= 0 && this.#ends[last] === first) {
      this.#ends[last] = first + count;
      return;
    }
    if (this.#length === ROOM) {
      this.#lost = true;
      return;
    }
    this.#firsts[this.#length] = first;
    this.#ends[this.#length++] = first + count;
  }

  /** Any frame may have changed. */
  lose(): void {
    this.#lost = true;
  }

  /**
   * Tells of every range that was noted since the last time, and forgets it.
   *
   * @returns false when it lost count: any frame may have changed
   */
  drain(visit: (first: number, count: number) => void): boolean {
    const known = !this.#lost;
    for (let i = 0; known && i < this.#length; i++) {
      visit(this.#firsts[i]!, this.#ends[i]! - this.#firsts[i]!);
    }
    this.#length = 0;
    this.#lost = false;
    return known;
  }
}
