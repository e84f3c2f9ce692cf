/**
 * Where the page allocator's blocks begin: a kind and an order for the first frame of each.
 *
 * Small blocks are found frame by frame, large ones in a table with one entry for 64 frames, so
 * that a huge page costs 8 bytes and not a thousand. Both exist in pieces, only where blocks are;
 * what all this costs follows the number of blocks, not the memory that exists.
 *
 * Invariant: at most one of the two tables has an entry for a frame.
 */

import { savePieces } from './saved-pieces.ts';
import type { Copies } from './saved-pieces.ts';

/** Kind of a frame at which no block begins. */
export const NOTHING = 0;

const PIECE_BITS = 10;
const PIECE_ENTRIES = 1 << PIECE_BITS;

/** Blocks of this order and larger ones are in the table of large blocks. */
const LARGE_ORDER = 6;

const ORDER_BITS = 4;
const ORDER_MASK = (1 << ORDER_BITS) - 1;

const EMPTY = new Uint8Array(PIECE_ENTRIES);

/** Entries by number: `kind << 4 | order` each, 0 where no block begins. */
class Entries {
  readonly #pieces = new Map<number, Uint8Array>();
  readonly #copies: Copies = new WeakMap();
  /** Number of the piece that was looked at last, and the piece if it exists. */
  #index = -1;
  #last: Uint8Array | undefined;

  /** The piece that entry `at` is in, if it exists. */
  piece(at: number): Uint8Array | undefined {
    const index = at >>> PIECE_BITS;
    if (index !== this.#index) {
      this.#index = index;
      this.#last = this.#pieces.get(index);
    }
    return this.#last;
  }

  get(at: number): number {
    const piece = this.piece(at);
    return piece === undefined ? 0 : piece[at & (PIECE_ENTRIES - 1)]!;
  }

  state(): unknown {
    const used = [...this.#pieces].filter(([, piece]) => Buffer.compare(piece, EMPTY) !== 0);
    return used.sort(([a], [b]) => a - b);
  }

  save(): () => void {
    const restore = savePieces(this.#pieces, this.#copies);
    return () => {
      restore();
      this.#index = -1;
    };
  }

  set(at: number, value: number): void {
    let piece = this.piece(at);
    if (piece === undefined) {
      if (value === 0) return;
      piece = new Uint8Array(PIECE_ENTRIES);
      this.#pieces.set(at >>> PIECE_BITS, piece);
      this.#last = piece;
    }
    piece[at & (PIECE_ENTRIES - 1)] = value;
  }
}

export class BlockTable {
  readonly #maxOrder: number;
  readonly #small = new Entries();
  /** By frame number divided by 64. */
  readonly #large = new Entries();

  constructor(maxOrder: number) {
    this.#maxOrder = maxOrder;
  }

  /** Kind and order in one number, 0 where no block begins. */
  #entryAt(pfn: number): number {
    const entry = this.#small.get(pfn);
    if (entry !== 0 || (pfn & ((1 << LARGE_ORDER) - 1)) !== 0) return entry;
    return this.#large.get(pfn >>> LARGE_ORDER);
  }

  /** Kind of the block that begins at `pfn`; `NOTHING` where none does. */
  kindAt(pfn: number): number {
    return this.#entryAt(pfn) >>> ORDER_BITS;
  }

  /** Order of the block that begins at `pfn`; 0 where none does. */
  orderAt(pfn: number): number {
    return this.#entryAt(pfn) & ORDER_MASK;
  }

  /** Whether a block of this kind and order begins at `pfn`. */
  is(pfn: number, kind: number, order: number): boolean {
    return this.#entryAt(pfn) === ((kind << ORDER_BITS) | order);
  }

  /** A block begins at `pfn`, whatever began there before. */
  mark(pfn: number, kind: number, order: number): void {
    const entry = (kind << ORDER_BITS) | order;
    const isAligned = (pfn & ((1 << LARGE_ORDER) - 1)) === 0;
    if (order >= LARGE_ORDER && isAligned) {
      this.#small.set(pfn, 0);
      this.#large.set(pfn >>> LARGE_ORDER, entry);
    } else {
      this.#small.set(pfn, entry);
      if (isAligned) this.#large.set(pfn >>> LARGE_ORDER, 0);
    }
  }

  /** No block begins at `pfn`. */
  clear(pfn: number): void {
    this.#small.set(pfn, 0);
    if ((pfn & ((1 << LARGE_ORDER) - 1)) === 0) this.#large.set(pfn >>> LARGE_ORDER, 0);
  }

  state(): unknown {
    return [this.#small, this.#large];
  }

  save(): () => void {
    const parts = [this.#small.save(), this.#large.save()];
    return () => parts.forEach((restore) => restore());
  }

  /** First frame of the smallest aligned block that `pfn` is in, or -1. */
  headOf(pfn: number): number {
    const piece = this.#small.piece(pfn);
    if (piece !== undefined) {
      const at = pfn & (PIECE_ENTRIES - 1);
      for (let order = 0; order <= this.#maxOrder && order <= PIECE_BITS; order++) {
        const head = (at >>> order) << order;
        const entry = piece[head]!;
        if (entry !== 0 && (entry & ORDER_MASK) >= order) return pfn - at + head;
      }
    }
    const large = pfn >>> LARGE_ORDER;
    for (let order = 0; order + LARGE_ORDER <= this.#maxOrder; order++) {
      const head = ((large >>> order) << order) >>> 0;
      const entry = this.#large.get(head);
      if (entry !== 0 && (entry & ORDER_MASK) >= order + LARGE_ORDER)
        return head * 2 ** LARGE_ORDER;
    }
    return -1;
  }
}
