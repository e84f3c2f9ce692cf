/**
 * Remembering bytes in pieces, so that coming back costs what changed in between.
 *
 * Invariant: nobody writes a copy; a piece and its last copy are told apart byte by byte.
 */

/** The last copy of a piece that was saved or restored. */
export type Copies = WeakMap<Uint8Array, Uint8Array>;

const isSame = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

/** A copy of a piece that nobody writes; the last one again while the piece is still the same. */
const copyOf = (piece: Uint8Array, copies: Copies): Uint8Array => {
  const last = copies.get(piece);
  if (last !== undefined && isSame(last, piece)) return last;
  const copy = piece.slice();
  copies.set(piece, copy);
  return copy;
};

/**
 * Remembers pieces by their numbers.
 *
 * @returns makes them that again, as often as one likes; a piece that is still the same stays
 */
export const savePieces = (pieces: Map<number, Uint8Array>, copies: Copies): (() => void) => {
  const saved: (readonly [at: number, copy: Uint8Array])[] = [];
  for (const [at, piece] of pieces) saved.push([at, copyOf(piece, copies)]);
  return () => {
    const present = new Map(pieces);
    pieces.clear();
    for (const [at, copy] of saved) {
      const piece = present.get(at) ?? new Uint8Array(copy.length);
      if (!isSame(piece, copy)) piece.set(copy);
      copies.set(piece, copy);
      pieces.set(at, piece);
    }
  };
};
