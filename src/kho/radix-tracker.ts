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

  constructor(memory: PhysicalMemory, root: number, decisions: Decisions = INTENDED) {
    this.#decisions = decisions;
    this.#memory = memory;
    this.#geometry = radixGeometry(memory.pageShift);
    this.root = root;
  }

  /**
   * Notes a block. Either all of it happens or nothing.
   *
   * @returns whether there were pages enough
   */
  add(pfn: number, order: number, source: PageSource): boolean {
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
    const bit = leafBit(geometry, key);
    node[bit >>> 3]! |= 1 << (bit & 7);
    return true;
  }

  /** Takes the pages of a path that could not be finished off the tree, and gives them back. */
  #undo(taken: readonly number[], branch: Branch | undefined, source: PageSource): void {
    const { givesPagesBack, cutsBranchOff } = this.#decisions;
    if (givesPagesBack) for (const frame of taken) source.givePage(frame);
    if (branch !== undefined && cutsBranchOff) writeU64(branch.node, branch.offset, 0);
  }

  /** Forgets a block; one that was not noted stays that way. */
  remove(pfn: number, order: number): void {
    const geometry = this.#geometry;
    const key = encodeKey(geometry, pfn, order);
    let node = this.#memory.pageForWriting(this.root);
    for (let level = geometry.depth - 1; level > 0; level--) {
      const next = readU64(node, tableSlot(geometry, key, level) * 8);
      if (next === 0) return;
      node = this.#memory.pageForWriting(next / this.#pageBytes);
    }
    const bit = leafBit(geometry, key);
    node[bit >>> 3]! &= ~(1 << (bit & 7));
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
 */
export const walkTracker = (
  memory: PhysicalMemory,
  root: number,
  visit: (pfn: number, order: number) => void,
): void => {
  const geometry = radixGeometry(memory.pageShift);
  walkNode(memory, geometry, root, geometry.depth - 1, 0, visit, new Set());
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

const walkLeaf = (
  geometry: RadixGeometry,
  words: Uint32Array,
  prefix: number,
  visit: (pfn: number, order: number) => void,
): void => {
  for (let word = 0; word < words.length; word++) {
    let bits = words[word]!;
    while (bits !== 0) {
      const bit = 31 - Math.clz32(bits & -bits);
      bits &= bits - 1;
      const key = prefix + word * 32 + bit;
      const order = keyOrder(geometry, key);
      visit(keyPfn(geometry, key, order), order);
    }
  }
};
