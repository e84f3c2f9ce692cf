/**
 * A set of numbers below 2^32 that cluster: one bit each, in pieces that exist where numbers are.
 */

const PIECE_BITS = 13;
const PIECE_MASK = (1 << PIECE_BITS) - 1;

export class SparseBits {
  readonly #pieces = new Map<number, Uint32Array>();

  has(number: number): boolean {
    const at = number & PIECE_MASK;
    const piece = this.#pieces.get(number >>> PIECE_BITS);
    return piece !== undefined && ((piece[at >>> 5]! >>> (at & 31)) & 1) === 1;
  }

  state(): unknown {
    return [...this.#pieces].sort(([a], [b]) => a - b);
  }

  save(): () => void {
    const pieces = [...this.#pieces].map(([at, piece]) => [at, piece.slice()] as const);
    return () => {
      this.#pieces.clear();
      for (const [at, piece] of pieces) this.#pieces.set(at, piece.slice());
    };
  }

  add(number: number): void {
    const at = number & PIECE_MASK;
    let piece = this.#pieces.get(number >>> PIECE_BITS);
    if (piece === undefined) {
      piece = new Uint32Array((PIECE_MASK + 1) / 32);
      this.#pieces.set(number >>> PIECE_BITS, piece);
    }
    piece[at >>> 5]! |= 1 << (at & 31);
  }

  delete(number: number): void {
    const at = number & PIECE_MASK;
    const piece = this.#pieces.get(number >>> PIECE_BITS);
    if (piece !== undefined) piece[at >>> 5]! &= ~(1 << (at & 31));
  }
}
