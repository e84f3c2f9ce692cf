/**
 * Blocks that the previous kernel handed over: found by frame, restored once.
 *
 * Collected while the tracker is walked, sorted once, then looked up by bisection; what they cost
 * follows their number alone. Where blocks of several orders start at one frame, the smallest is
 * the one that counts, as it is marked last.
 */
export class HeldBlocks {
  #count = 0;
  #firsts = new Float64Array(64);
  #reserved = new Float64Array(64);
  #orders = new Uint8Array(64);
  /** 1: not restored yet. */
  #held = new Uint8Array(64);
  /** 1: carries the mark of a handover. */
  #marked = new Uint8Array(64);
  /** One past the last frame of this block and all before it. */
  #reach = new Float64Array(64);

  get count(): number {
    return this.#count;
  }

  /** Notes a block; `reserved` frames of it are kept from the page allocator. */
  add(first: number, order: number, reserved: number): void {
    if (this.#count === this.#firsts.length) this.#grow();
    const at = this.#count++;
    this.#firsts[at] = first;
    this.#orders[at] = order;
    this.#reserved[at] = reserved;
  }

  #grow(): void {
    const size = this.#firsts.length * 2;
    const wider = (old: Float64Array): Float64Array<ArrayBuffer> => {
      const grown = new Float64Array(size);
      grown.set(old);
      return grown;
    };
    this.#firsts = wider(this.#firsts);
    this.#reserved = wider(this.#reserved);
    const orders = new Uint8Array(size);
    orders.set(this.#orders);
    this.#orders = orders;
  }

  /** Ends collecting: from now on blocks can be looked up. */
  seal(): void {
    const count = this.#count;
    if (!this.#ascends()) {
      const order = Uint32Array.from({ length: count }, (_, i) => i).sort(
        (a, b) => this.#firsts[a]! - this.#firsts[b]! || this.#orders[b]! - this.#orders[a]!,
      );
      this.#firsts = Float64Array.from(order, (i) => this.#firsts[i]!);
      this.#reserved = Float64Array.from(order, (i) => this.#reserved[i]!);
      this.#orders = Uint8Array.from(order, (i) => this.#orders[i]!);
    }
    this.#held = new Uint8Array(count).fill(1);
    this.#marked = new Uint8Array(count).fill(1);
    this.#reach = new Float64Array(count);
    for (let i = 0, reach = 0; i < count; i++) {
      reach = Math.max(reach, this.#firsts[i]! + this.#reserved[i]!);
      this.#reach[i] = reach;
    }
  }

  #ascends(): boolean {
    for (let i = 1; i < this.#count; i++) {
      if (this.#firsts[i - 1]! > this.#firsts[i]!) return false;
    }
    return true;
  }

  first(index: number): number {
    return this.#firsts[index]!;
  }

  order(index: number): number {
    return this.#orders[index]!;
  }

  /** Frames of a block that are kept from the page allocator. */
  reserved(index: number): number {
    return this.#reserved[index]!;
  }

  /** Index of the marked block that starts at `pfn`, or -1. */
  markedAt(pfn: number): number {
    const at = this.#lastUpTo(pfn);
    return at >= 0 && this.#firsts[at] === pfn && this.#marked[at] === 1 ? at : -1;
  }

  /** Whether a frame belongs to a block that nobody restored yet. */
  holds(pfn: number): boolean {
    for (let at = this.#lastUpTo(pfn); at >= 0 && pfn < this.#reach[at]!; at--) {
      if (this.#held[at] === 1 && pfn < this.#firsts[at]! + this.#reserved[at]!) return true;
    }
    return false;
  }

  /** Ends holding a block; its mark may stay. */
  release(index: number, clearMark: boolean): void {
    this.#held[index] = 0;
    if (clearMark) this.#marked[index] = 0;
  }

  /** Ends holding every block that starts in `[first, end)`. */
  releaseRange(first: number, end: number): void {
    for (let at = this.#lastUpTo(end - 1); at >= 0 && this.#firsts[at]! >= first; at--) {
      this.release(at, true);
    }
  }

  /** Index of the last block that starts at or before `pfn`, or -1. */
  #lastUpTo(pfn: number): number {
    let low = 0;
    let high = this.#count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#firsts[middle]! <= pfn) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}
