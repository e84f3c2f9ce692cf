/**
 * A set of frame ranges, sorted and merged: what early boot knows of memory.
 *
 * Invariant: ranges ascend, do not touch and are not empty.
 */
export class RangeSet {
  #firsts: number[] = [];
  #ends: number[] = [];

  get length(): number {
    return this.#firsts.length;
  }

  first(index: number): number {
    return this.#firsts[index]!;
  }

  /** One past the last frame of a range. */
  end(index: number): number {
    return this.#ends[index]!;
  }

  /** Index of the first range that ends after `pfn`; `length` when none does. */
  after(pfn: number): number {
    let low = 0;
    let high = this.#ends.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#ends[middle]! > pfn) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  has(pfn: number): boolean {
    const at = this.after(pfn);
    return at < this.#firsts.length && this.#firsts[at]! <= pfn;
  }

  /** Whether any frame of `[first, end)` is in the set. */
  touches(first: number, end: number): boolean {
    const at = this.after(first);
    return at < this.#firsts.length && this.#firsts[at]! < end;
  }

  /** Puts `[first, end)` into the set. */
  add(first: number, end: number): void {
    if (end <= first) return;
    let at = this.after(first);
    if (at > 0 && this.#ends[at - 1] === first) at--;
    let merged = 0;
    while (at + merged < this.#firsts.length && this.#firsts[at + merged]! <= end) {
      first = Math.min(first, this.#firsts[at + merged]!);
      end = Math.max(end, this.#ends[at + merged]!);
      merged++;
    }
    this.#firsts.splice(at, merged, first);
    this.#ends.splice(at, merged, end);
  }

  /** Takes `[first, end)` out of the set. */
  remove(first: number, end: number): void {
    if (end <= first) return;
    let at = this.after(first);
    while (at < this.#firsts.length && this.#firsts[at]! < end) {
      const start = this.#firsts[at]!;
      const stop = this.#ends[at]!;
      this.#firsts.splice(at, 1);
      this.#ends.splice(at, 1);
      if (start < first) this.#insert(at++, start, first);
      if (stop > end) this.#insert(at++, end, stop);
    }
  }

  state(): unknown {
    return [this.#firsts, this.#ends];
  }

  save(): () => void {
    const [firsts, ends] = [[...this.#firsts], [...this.#ends]];
    return () => {
      this.#firsts = [...firsts];
      this.#ends = [...ends];
    };
  }

  #insert(at: number, first: number, end: number): void {
    this.#firsts.splice(at, 0, first);
    this.#ends.splice(at, 0, end);
  }
}
