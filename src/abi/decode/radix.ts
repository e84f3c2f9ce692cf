/**
 * Walks a radix tracker that somebody else wrote.
 *
 * Invariants: the walk ends whatever the bytes say, because every page is visited at most once and
 * a page that was reached before is never entered again; it reads only through `Frames`; it never
 * throws. Blocks come in ascending order of their keys: the largest order first, inside an order by
 * address. A report of damage costs strings, a healthy walk makes none.
 *
 * Lockstep walks at every kexec and every few steps, so the common case (a page of zeros with a few
 * words set) is a scan over 32-bit words.
 */
import { PHYS_BITS } from '../description/page-size.ts';
import { keyOrder, keyPfn, powerOfTwo, type RadixGeometry } from '../description/radix-key.ts';
import { hex, words } from './bytes.ts';
import type { Frames } from './frames.ts';

/** Receives what a walk finds. */
export interface RadixVisitor {
  /** A preserved block of `2^order` pages from frame `pfn`. */
  block(pfn: number, order: number): void;
  /** A page of the tracker itself; level 0 holds bits. */
  page(pfn: number, level: number): void;
  /** Something that cannot be part of a tracker, as two short phrases. */
  damage(where: string, what: string): void;
}

/** Where the walk stands: for every level the page's words, the next slot and the key above it. */
interface Cursor {
  readonly pages: Uint32Array[];
  readonly slots: Int32Array;
  readonly prefixes: Float64Array;
  readonly pfns: Float64Array;
}

const NOTHING = new Uint32Array(0);

/**
 * Reports every page, block and fault of the tracker whose root is at `rootPhys` (bytes).
 *
 * @returns the number of pages visited
 */
export const walkRadix = (
  frames: Frames,
  geometry: RadixGeometry,
  rootPhys: number,
  visitor: RadixVisitor,
): number => {
  const { depth } = geometry;
  const cursor: Cursor = {
    pages: Array.from({ length: depth }, () => NOTHING),
    slots: new Int32Array(depth),
    prefixes: new Float64Array(depth),
    pfns: new Float64Array(depth),
  };
  const seen = new Set<number>();
  let level = depth - 1;
  if (!enter(frames, geometry, rootPhys, level, -1, 0, cursor, seen, visitor)) return seen.size;
  while (level < depth) {
    const slot = nextSlot(cursor, level);
    if (slot < 0) {
      level++;
      continue;
    }
    const table = cursor.pages[level] as Uint32Array;
    const prefix = (cursor.prefixes[level] as number) * powerOfTwo(geometry.tableBits) + slot;
    if (prefix >= powerOfTwo(geometry.keyBits - lowBits(geometry, level))) {
      visitor.damage(place(cursor, level), `slot ${slot} is set but no key is wide enough for it`);
      continue;
    }
    const low = table[2 * slot] as number;
    const phys = (table[2 * slot + 1] as number) * 4294967296 + low;
    if (!enter(frames, geometry, phys, level - 1, slot, prefix, cursor, seen, visitor)) continue;
    if (level > 1) level--;
    else readLeaf(geometry, cursor, visitor);
  }
  return seen.size;
};

/** Bits of a key that lie below the slot number of a table page at `level`. */
const lowBits = (geometry: RadixGeometry, level: number): number =>
  (level - 1) * geometry.tableBits + geometry.leafBits;

const place = (cursor: Cursor, level: number): string =>
  `tracker(page ${hex(cursor.pfns[level] as number)} at level ${level})`;

/**
 * Index of the first word from `from` on that is not zero, or the length. Nearly all words are
 * zero, so they are looked at eight at a time; a page has a multiple of eight.
 */
const skipZeros = (page: Uint32Array, from: number): number => {
  const end = page.length;
  let at = from;
  for (; at < end && (at & 7) !== 0; at++) if (page[at] !== 0) return at;
  while (at < end) {
    const low = page[at]! | page[at + 1]! | page[at + 2]! | page[at + 3]!;
    const high = page[at + 4]! | page[at + 5]! | page[at + 6]! | page[at + 7]!;
    if ((low | high) !== 0) break;
    at += 8;
  }
  while (at < end && page[at] === 0) at++;
  return at;
};

/** The next slot in use of the table page at `level`, or -1 at its end. */
const nextSlot = (cursor: Cursor, level: number): number => {
  const table = cursor.pages[level] as Uint32Array;
  const word = skipZeros(table, 2 * (cursor.slots[level] as number));
  if (word >= table.length) return -1;
  cursor.slots[level] = (word >>> 1) + 1;
  return word >>> 1;
};

/** Steps onto the page at `phys` as `level`, or says why it cannot and answers false. */
const enter = (
  frames: Frames,
  geometry: RadixGeometry,
  phys: number,
  level: number,
  slot: number,
  prefix: number,
  cursor: Cursor,
  seen: Set<number>,
  visitor: RadixVisitor,
): boolean => {
  const pfn = phys / powerOfTwo(geometry.pageShift);
  let fault: string | undefined;
  let page: Uint8Array | undefined;
  if (phys >= powerOfTwo(PHYS_BITS)) fault = 'beyond what a machine can address';
  else if (!Number.isInteger(pfn)) fault = 'not aligned to a page';
  else if (seen.has(pfn)) fault = reached(cursor, pfn, level);
  else {
    page = frames.page(pfn);
    if (page === undefined) fault = 'a page that is not there';
  }
  if (page === undefined) {
    const from = slot < 0 ? 'tracker(root)' : `${place(cursor, level + 1)} slot ${slot}`;
    visitor.damage(from, `points to ${hex(phys)}, ${fault}`);
    return false;
  }
  seen.add(pfn);
  cursor.pages[level] = words(page);
  cursor.slots[level] = 0;
  cursor.prefixes[level] = prefix;
  cursor.pfns[level] = pfn;
  visitor.page(pfn, level);
  return true;
};

/** Says whether a page reached twice closes a cycle or is merely shared. */
const reached = (cursor: Cursor, pfn: number, level: number): string => {
  for (let above = level + 1; above < cursor.pfns.length; above++) {
    if (cursor.pfns[above] === pfn) return 'which closes a cycle';
  }
  return 'which the tracker already holds elsewhere';
};

/** Reports the blocks of the leaf under the cursor. */
const readLeaf = (geometry: RadixGeometry, cursor: Cursor, visitor: RadixVisitor): void => {
  const bits = cursor.pages[0] as Uint32Array;
  const base = (cursor.prefixes[0] as number) * powerOfTwo(geometry.leafBits);
  const limit = powerOfTwo(PHYS_BITS - geometry.pageShift);
  // The order is in a key's top bit, which all keys of a leaf share unless they have no prefix.
  const shared = base > 0 ? keyOrder(geometry, base) : -1;
  let nonsense = 0;
  for (let index = skipZeros(bits, 0); index < bits.length; index = skipZeros(bits, index + 1)) {
    let word = bits[index] as number;
    while (word !== 0) {
      const lowest = 31 - Math.clz32(word & -word);
      word &= word - 1;
      const key = base + index * 32 + lowest;
      if (key === 0) {
        nonsense++;
        continue;
      }
      const order = shared < 0 ? keyOrder(geometry, key) : shared;
      const pfn = keyPfn(geometry, key, order);
      if (pfn + powerOfTwo(order) > limit) nonsense++;
      else visitor.block(pfn, order);
    }
  }
  if (nonsense > 0) {
    visitor.damage(place(cursor, 0), `${nonsense} of its keys name memory that no machine has`);
  }
};
