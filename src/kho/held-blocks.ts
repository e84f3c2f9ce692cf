/**
 * Blocks that the previous kernel handed over: found by frame, restored once.
 *
 * Collected while the tracker is walked, put in order once, then looked up by bisection; what they
 * cost follows their number alone: 18 bytes each. Where blocks of several orders start at one
 * frame, the smallest is the one that counts, as it is marked last.
 */

/** What blocks of one kind have in common: their order, and how many frames are reserved. */
interface Shape {
  readonly order: number;
  readonly reserved: number;
}

/** Flags of a block: nobody restored it yet; it carries the mark of a handover. */
const HELD = 1;
const MARKED = 2;

const LEAST_ROOM = 64;

export class HeldBlocks {
  #count = 0;
  #firsts = new Float64Array(LEAST_ROOM);
  /** Place in `#shapes`. */
  #kinds = new Uint8Array(LEAST_ROOM);
  readonly #shapes: Shape[] = [];
  /** The kind that was noted last. */
  #kind = 0;
  #flags = new Uint8Array(0);
  /** One past the last frame of this block and all before it. */
  #reach = new Float64Array(0);

  get count(): number {
    return this.#count;
  }

  /** Notes a block; `reserved` frames of it are kept from the page allocator. */
  add(first: number, order: number, reserved: number): void {
    if (this.#count === this.#firsts.length) this.#grow();
    const at = this.#count++;
    this.#firsts[at] = first;
    this.#kinds[at] = this.#kindOf(order, reserved);
  }

  #kindOf(order: number, reserved: number): number {
    const last = this.#shapes[this.#kind];
    if (last !== undefined && last.order === order && last.reserved === reserved) return this.#kind;
    const known = this.#shapes.findIndex((s) => s.order === order && s.reserved === reserved);
    this.#kind = known < 0 ? this.#shapes.push({ order, reserved }) - 1 : known;
    return this.#kind;
  }

  #grow(): void {
    const firsts = new Float64Array(this.#count * 2);
    firsts.set(this.#firsts);
    this.#firsts = firsts;
    const kinds = new Uint8Array(this.#count * 2);
    kinds.set(this.#kinds);
    this.#kinds = kinds;
  }

  /** Ends collecting: from now on blocks can be looked up. */
  seal(): void {
    while (this.#mergeRuns());
    const count = this.#count;
    this.#flags = new Uint8Array(count).fill(HELD | MARKED);
    this.#reach = new Float64Array(count);
    for (let i = 0, reach = 0; i < count; i++) {
      reach = Math.max(reach, this.#firsts[i]! + this.reserved(i));
      this.#reach[i] = reach;
    }
  }

  /** Whether block `a` comes after `b`: it starts later, or at the same frame and is smaller. */
  #isAfter(a: number, b: number): boolean {
    const apart = this.#firsts[a]! - this.#firsts[b]!;
    return apart === 0 ? this.order(a) < this.order(b) : apart > 0;
  }

  /** End of the run of blocks in order that starts at `from`. */
  #runEnd(from: number): number {
    let end = from + 1;
    while (end < this.#count && !this.#isAfter(end - 1, end)) end++;
    return Math.min(end, this.#count);
  }

  /**
   * Merges each run of blocks in order with the run after it; answers whether there were two. A
   * walk brings one run for each order, so there is little to do, however many blocks there are.
   */
  #mergeRuns(): boolean {
    const count = this.#count;
    if (this.#runEnd(0) >= count) return false;
    const firsts = new Float64Array(count);
    const kinds = new Uint8Array(count);
    let to = 0;
    while (to < count) {
      const middle = this.#runEnd(to);
      const end = middle < count ? this.#runEnd(middle) : middle;
      let left = to;
      let right = middle;
      while (to < end) {
        const fromRight = left === middle || (right < end && this.#isAfter(left, right));
        const from = fromRight ? right++ : left++;
        firsts[to] = this.#firsts[from]!;
        kinds[to++] = this.#kinds[from]!;
      }
    }
    this.#firsts = firsts;
    this.#kinds = kinds;
    return true;
  }

  first(index: number): number {
    return this.#firsts[index]!;
  }

  order(index: number): number {
    return this.#shapes[this.#kinds[index]!]!.order;
  }

  /** Frames of a block that are kept from the page allocator; 0 past the last block. */
  reserved(index: number): number {
    return this.#shapes[this.#kinds[index]!]?.reserved ?? 0;
  }

  /** Index of the marked block that starts at `pfn`, or -1. */
  markedAt(pfn: number): number {
    const at = this.#lastUpTo(pfn);
    return at >= 0 && this.#firsts[at] === pfn && (this.#flags[at]! & MARKED) !== 0 ? at : -1;
  }

  /** Index of a held block of this order that starts at `pfn`, or -1; there may be several. */
  heldAt(pfn: number, order: number): number {
    for (let at = this.#lastUpTo(pfn); at >= 0 && this.#firsts[at] === pfn; at--) {
      if (this.order(at) === order && (this.#flags[at]! & HELD) !== 0) return at;
    }
    return -1;
  }

  /** Whether a frame belongs to a block that nobody restored yet. */
  holds(pfn: number): boolean {
    for (let at = this.#lastUpTo(pfn); at >= 0 && pfn < this.#reach[at]!; at--) {
      if ((this.#flags[at]! & HELD) !== 0 && pfn < this.#firsts[at]! + this.reserved(at)) {
        return true;
      }
    }
    return false;
  }

  /** Ends holding a block; its mark may stay. */
  release(index: number, clearMark: boolean): void {
    this.#flags[index]! &= clearMark ? 0 : MARKED;
  }

  /** Takes the marks off every block that starts in `[first, end)`; they stay held. */
  unmarkRange(first: number, end: number): void {
    for (let at = this.#lastUpTo(end - 1); at >= 0 && this.#firsts[at]! >= first; at--) {
      this.#flags[at]! &= HELD;
    }
  }

  /** Ends holding every block that starts in `[first, end)`. */
  releaseRange(first: number, end: number): void {
    for (let at = this.#lastUpTo(end - 1); at >= 0 && this.#firsts[at]! >= first; at--) {
      this.release(at, true);
    }
  }

  state(): unknown {
    const blocks: number[] = [];
    for (let at = 0; at < this.#count; at++) {
      blocks.push(this.#firsts[at]!, this.order(at), this.reserved(at), this.#flags[at]!);
    }
    return blocks;
  }

  /** Once they are sealed, nothing of them changes but who still holds them. */
  save(): () => void {
    const flags = this.#flags.slice();
    return () => this.#flags.set(flags);
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
