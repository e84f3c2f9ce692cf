/**
 * The radix tracker of kho-v3 and kho-v4: which blocks are preserved, as pages of memory.
 *
 * The tree is the ABI: its pages are what the next kernel walks. Every node is one page; tables
 * hold addresses, leaves hold one bit per key. Adding a key takes the pages that its path lacks, or
 * none at all; removing one clears its bit and keeps the pages.
 */
import {
  encodeKey,
  keyOrder,
  keyPfn,
  leafBit,
  radixGeometry,
  tableSlot,
} from '#src/abi/description/radix-key';
import type { RadixGeometry } from '#src/abi/description/radix-key';
import { INTENDED } from './decisions.ts';
import type { Decisions } from './decisions.ts';
import { readU64, writeU64 } from './physical-memory.ts';
import type { PhysicalMemory } from './physical-memory.ts';

/** Where a tracker gets its pages from; answers -1 when there are none. */
export interface PageSource {
  takePage(): number;
  givePage(pfn: number): void;
}

/** Leaves that are remembered; a power of two. */
const LEAVES_KNOWN = 1024;
/** What leaves are remembered of: frames that fit 32 bits, orders whose bits are those of a key. */
const TAGGED_ORDER_MAX = 15;
const ORDERS_TAGGED = TAGGED_ORDER_MAX + 1;
/** How far apart the first leaves of two orders are remembered. */
const ORDER_STRIDE = 64;
const TAGGED_FRAMES_END = 2 ** 32;

const setBit = (leaf: Uint8Array, bit: number): void => {
  leaf[bit >>> 3]! |= 1 << (bit & 7);
};

const clearBit = (leaf: Uint8Array, bit: number): void => {
  leaf[bit >>> 3]! &= ~(1 << (bit & 7));
};

/** Where a path left the pages that were there before. */
interface Branch {
  readonly node: Uint8Array;
  readonly offset: number;
}

export class RadixTracker {
  /** Frame of the root page. */
  readonly root: number;
  readonly #memory: PhysicalMemory;
  readonly #geometry: RadixGeometry;
  readonly #decisions: Decisions;
  readonly #leafBits: number;
  /** Leaves that were reached lately, each where its tag says, and those tags. */
  readonly #leaves: (Uint8Array | undefined)[] = [];
  readonly #tags = new Int32Array(LEAVES_KNOWN).fill(-1);
  /** The one that was reached last. */
  #lastPlace = -1;
  #lastOrder = -1;
  #lastLeaf: Uint8Array | undefined;
  /** `replaced` of memory when they were reached; -1: none is known. */
  #knownAt = -1;

  constructor(memory: PhysicalMemory, root: number, decisions: Decisions = INTENDED) {
    this.#decisions = decisions;
    this.#memory = memory;
    this.#geometry = radixGeometry(memory.pageShift);
    this.#leafBits = this.#geometry.leafBits;
    this.root = root;
  }

  /**
   * Notes a block. Either all of it happens or nothing.
   *
   * @returns whether there were pages enough
   */
  add(pfn: number, order: number, source: PageSource): boolean {
    const known = this.#knownLeaf(pfn, order);
    if (known !== undefined) {
      setBit(known, (pfn >>> order) & ((1 << this.#leafBits) - 1));
      return true;
    }
    return this.#addByPath(pfn, order, source);
  }

  #addByPath(pfn: number, order: number, source: PageSource): boolean {
    const geometry = this.#geometry;
    const key = encodeKey(geometry, pfn, order);
    const taken: number[] = [];
    let node = this.#memory.pageForWriting(this.root);
    let branch: Branch | undefined;
    for (let level = geometry.depth - 1; level > 0; level--) {
      const offset = tableSlot(geometry, key, level) * 8;
      const next = readU64(node, offset);
      if (next !== 0) {
        node = this.#memory.pageForWriting(next / this.#pageBytes);
        continue;
      }
      const page = source.takePage();
      if (page < 0) {
        this.#undo(taken, branch, source);
        return false;
      }
      taken.push(page);
      writeU64(node, offset, page * this.#pageBytes);
      branch ??= { node, offset };
      node = this.#memory.zeroPage(page);
    }
    setBit(node, leafBit(geometry, key));
    this.#know(pfn, order, node);
    return true;
  }

  /**
   * The leaf of a block's bit if it was reached lately and every page is still where it was. A path
   * never changes but by giving pages back; then everything is forgotten.
   */
  #knownLeaf(pfn: number, order: number): Uint8Array | undefined {
    if (this.#memory.replaced !== this.#knownAt) return undefined;
    if (order > TAGGED_ORDER_MAX || pfn >= TAGGED_FRAMES_END) return undefined;
    const place = (pfn >>> order) >>> this.#leafBits;
    if (place === this.#lastPlace && order === this.#lastOrder) return this.#lastLeaf;
    const slot = (place + order * ORDER_STRIDE) & (LEAVES_KNOWN - 1);
    return this.#tags[slot] === place * ORDERS_TAGGED + order ? this.#leaves[slot] : undefined;
  }

  #know(pfn: number, order: number, leaf: Uint8Array): void {
    if (order > TAGGED_ORDER_MAX || pfn >= TAGGED_FRAMES_END) return;
    if (this.#memory.replaced !== this.#knownAt) {
      this.#tags.fill(-1);
      this.#lastPlace = -1;
      this.#knownAt = this.#memory.replaced;
    }
    const place = (pfn >>> order) >>> this.#leafBits;
    const slot = (place + order * ORDER_STRIDE) & (LEAVES_KNOWN - 1);
    this.#tags[slot] = place * ORDERS_TAGGED + order;
    this.#leaves[slot] = leaf;
    this.#lastPlace = place;
    this.#lastOrder = order;
    this.#lastLeaf = leaf;
  }

  /** Takes the pages of a path that could not be finished off the tree, and gives them back. */
  #undo(taken: readonly number[], branch: Branch | undefined, source: PageSource): void {
    const { givesPagesBack, cutsBranchOff } = this.#decisions;
    if (givesPagesBack) for (const frame of taken) source.givePage(frame);
    if (branch !== undefined && cutsBranchOff) writeU64(branch.node, branch.offset, 0);
    this.#knownAt = -1;
  }

  /** Forgets a block; one that was not noted stays that way. */
  remove(pfn: number, order: number): void {
    const known = this.#knownLeaf(pfn, order);
    if (known !== undefined) {
      clearBit(known, (pfn >>> order) & ((1 << this.#leafBits) - 1));
      return;
    }
    this.#removeByPath(pfn, order);
  }

  #removeByPath(pfn: number, order: number): void {
    const geometry = this.#geometry;
    const key = encodeKey(geometry, pfn, order);
    let node = this.#memory.pageForWriting(this.root);
    for (let level = geometry.depth - 1; level > 0; level--) {
      const next = readU64(node, tableSlot(geometry, key, level) * 8);
      if (next === 0) return;
      node = this.#memory.pageForWriting(next / this.#pageBytes);
    }
    clearBit(node, leafBit(geometry, key));
    this.#know(pfn, order, node);
  }

  /** Memory says at all times what is noted. */
  write(): boolean {
    return true;
  }

  /** What was reached lately is of no consequence. */
  state(): unknown {
    return this.root;
  }

  save(): () => void {
    return () => {
      this.#knownAt = -1;
    };
  }

  unlist(): void {}

  forget(): void {
    throw new Error('a radix tree is not forgotten while a kernel runs');
  }

  get #pageBytes(): number {
    return 2 ** this.#memory.pageShift;
  }
}

/**
 * Walks the tracker of the previous kernel: largest order first, ascending within one order.
 *
 * A pointer to a page that does not exist ends the kernel, as it would a real one. So does a page
 * that is reached twice, where a real one might walk for days.
 *
 * @param visit is told of every block
 * @param visitPage is told of every page of the tracker, after that
 */
export const walkTracker = (
  memory: PhysicalMemory,
  root: number,
  visit: (pfn: number, order: number) => void,
  visitPage: (frame: number) => void = () => {},
): void => {
  const geometry = radixGeometry(memory.pageShift);
  const seen = new Set<number>();
  walkNode(memory, geometry, root, geometry.depth - 1, 0, visit, seen);
  for (const frame of seen) visitPage(frame);
};

/** The kernel met memory that it cannot go on with. */
export class KernelPanic extends Error {}

const walkNode = (
  memory: PhysicalMemory,
  geometry: RadixGeometry,
  frame: number,
  level: number,
  prefix: number,
  visit: (pfn: number, order: number) => void,
  seen: Set<number>,
): void => {
  const page = memory.page(frame);
  if (page === undefined) throw new KernelPanic(`no tracker page at frame 0x${frame.toString(16)}`);
  if (seen.has(frame)) throw new KernelPanic(`two ways to frame 0x${frame.toString(16)}`);
  seen.add(frame);
  const words = new Uint32Array(page.buffer, page.byteOffset, page.length / 4);
  if (level === 0) {
    walkLeaf(geometry, words, prefix, visit);
    return;
  }
  const below = 2 ** ((level - 1) * geometry.tableBits + geometry.leafBits);
  for (let slot = 0; slot < words.length / 2; slot++) {
    const low = words[2 * slot]!;
    const high = words[2 * slot + 1]!;
    if (low === 0 && high === 0) continue;
    const next = (high * 4294967296 + low) / 2 ** memory.pageShift;
    walkNode(memory, geometry, next, level - 1, prefix + slot * below, visit, seen);
  }
};

/** Nearly always all keys of a leaf have one order, which is then worked out once. */
const walkLeaf = (
  geometry: RadixGeometry,
  words: Uint32Array,
  prefix: number,
  visit: (pfn: number, order: number) => void,
): void => {
  const last = prefix + words.length * 32 - 1;
  const order = prefix === 0 ? -1 : keyOrder(geometry, prefix);
  if (order < 0 || keyOrder(geometry, last) !== order) {
    eachBit(words, (at) => {
      const key = prefix + at;
      visit(keyPfn(geometry, key, keyOrder(geometry, key)), keyOrder(geometry, key));
    });
    return;
  }
  const first = keyPfn(geometry, prefix, order);
  if (first + words.length * 32 * 2 ** order <= 2 ** 31) walkLow(words, first, order, visit);
  else eachBit(words, (at) => visit(first + at * 2 ** order, order));
};

/**
 * A leaf of one order whose frames are below 2^31: whole numbers of 32 bits all the way, which is
 * several times as fast as doubles are.
 */
const walkLow = (
  words: Uint32Array,
  first: number,
  order: number,
  visit: (pfn: number, order: number) => void,
): void => {
  for (let word = 0; word < words.length; word++) {
    let bits = words[word]! | 0;
    if (bits === 0) continue;
    const start = (first + ((word << 5) << order)) | 0;
    if (bits === ALL_ONES) {
      for (let at = 0; at < 32; at++) visit((start + (at << order)) | 0, order);
      continue;
    }
    while (bits !== 0) {
      const lowest = bits & -bits;
      visit((start + ((31 - Math.clz32(lowest)) << order)) | 0, order);
      bits ^= lowest;
    }
  }
};

/** A word of a leaf all of whose bits are set, as a signed number. */
const ALL_ONES = -1;

const eachBit = (words: Uint32Array, visit: (at: number) => void): void => {
  for (let word = 0; word < words.length; word++) {
    let bits = words[word]!;
    while (bits !== 0) {
      visit(word * 32 + 31 - Math.clz32(bits & -bits));
      bits &= bits - 1;
    }
  }
};
