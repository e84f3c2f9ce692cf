/**
 * Decision trees of closures that look at several frames, grown as a search meets new cases.
 *
 * A node is a cell, its branches are the codes of that cell, a leaf is what the closure did. The
 * closures run once per new path; a path that was met before costs one load per cell. A tree that
 * would grow beyond its share stops growing: new paths then run the closure each time.
 *
 * Nodes lie in one array, four numbers each: word, shift, mask, first branch. A negative first
 * branch is the complement of one, and the node asks only whether the field is 0. A branch is 0
 * (not known), positive (a node) or negative (a leaf).
 */
import type { AnyScope } from '#model/scopes/scope';
import { carrierOf } from './carrier.ts';
import type { Carrier } from './carrier.ts';
import type { Layout } from './layout.ts';

/** Leaf of a transition that is not enabled; and of a rule that holds. */
export const NOTHING = -1;
/** Leaf of a rule that is broken. */
export const BROKEN = -2;

/** A closure that becomes a tree: whether the leaf is `NOTHING`; otherwise it may have written. */
export type Decide = (state: never) => boolean;

interface Read {
  readonly word: number;
  readonly shift: number;
  readonly mask: number;
  readonly size: number;
}

const NODES_PER_TREE = 1 << 16;
const WIDEST = 1 << 12;
const SINGLE_BITS = 1 << 20;

export class Tries {
  /** Four numbers per node; node 0 is not used. */
  nodes = new Int32Array(1 << 10);
  branches = new Int32Array(1 << 12);
  /** Root of each tree: 0, a node or a leaf. */
  roots = new Int32Array(16);
  /** Per leaf and word: what is kept of the row, and what is added to it. Leaf 0 is a scratch. */
  keep: Int32Array<ArrayBuffer>;
  add: Int32Array<ArrayBuffer>;

  private readonly words: number;
  private readonly carrier: Carrier;
  private readonly closures: { readonly decide: Decide; readonly rule: boolean }[] = [];
  private readonly grown: number[] = [];
  private nodeCount = 1;
  private branchCount = 1;
  private leafCount = 1;
  private readonly leafIds = new Map<string, number>();
  private reads: Read[] = [];
  private known = new Set<number>();
  private cleared: Int32Array;

  constructor(scope: AnyScope, layout: Layout) {
    this.words = layout.words;
    this.keep = new Int32Array(layout.words * 64);
    this.add = new Int32Array(layout.words * 64);
    this.cleared = new Int32Array(layout.words);
    this.carrier = carrierOf(scope, layout, {
      read: (word, shift, mask, size) => this.noteRead(word, shift, mask, size),
      write: (word, shift, mask) => {
        this.known.add(word * 32 + shift);
        this.cleared[word]! |= mask << shift;
      },
      empty: (word, shift, mask) => this.noteEmpty(word, shift, mask),
      visit: () => {},
      asked: () => {},
    });
  }

  /** Adds a tree; answers its number. */
  plant(decide: Decide, rule: boolean): number {
    this.closures.push({ decide, rule });
    this.grown.push(0);
    if (this.closures.length > this.roots.length) {
      const roots = new Int32Array(this.roots.length * 2);
      roots.set(this.roots);
      this.roots = roots;
    }
    return this.closures.length - 1;
  }

  private noteRead(word: number, shift: number, mask: number, size: number): void {
    const key = word * 32 + shift;
    if (this.known.has(key)) return;
    this.known.add(key);
    this.reads.push({ word, shift, mask, size });
  }

  /** One bit of a cell; its key differs from that of the cell that begins there. */
  private noteBit(word: number, shift: number): void {
    const key = SINGLE_BITS + word * 32 + shift;
    if (this.known.has(key)) return;
    this.known.add(key);
    this.reads.push({ word, shift, mask: 1, size: 2 });
  }

  /** Emptiness of a lane has a key of its own, unless something of the lane was written. */
  private noteEmpty(word: number, shift: number, mask: number): void {
    if (((this.cleared[word]! >>> shift) & mask) !== 0) {
      // The lane is part old, part new: what is old of it decides, cell by cell or as a whole.
      const old = mask & ~(this.cleared[word]! >>> shift);
      for (let bit = 0; bit < 31; bit++) {
        if ((old >>> bit) & 1) this.noteBit(word, shift + bit);
      }
      return;
    }
    const key = -1 - (word * 32 + shift);
    if (this.known.has(key)) return;
    this.known.add(key);
    this.reads.push({ word, shift, mask, size: 0 });
  }

  /** Leaf for this row in the tree, running the closure where the path is new. */
  learn(tree: number, row: ArrayLike<number>): number {
    const { decide, rule } = this.closures[tree]!;
    this.reads = [];
    this.known = new Set();
    this.cleared.fill(0);
    this.carrier.row.set(row);
    const nothing = decide(this.carrier.state);
    const isNew = this.grown[tree]! < NODES_PER_TREE && this.reads.every((r) => r.size <= WIDEST);
    const leaf = nothing ? NOTHING : rule ? BROKEN : this.leaf(isNew);
    if (isNew) this.insert(tree, row, leaf);
    return leaf;
  }

  /** A leaf for what the run just wrote: `-(2 + number)`. */
  private leaf(keepIt: boolean): number {
    const written = this.carrier.row.map((value, word) => value & this.cleared[word]!);
    const key = keepIt ? `${this.cleared.join()} ${written.join()}` : '';
    let id = keepIt ? this.leafIds.get(key) : 0;
    if (id === undefined) {
      id = this.leafCount++;
      this.leafIds.set(key, id);
      if (this.leafCount * this.words > this.keep.length) {
        this.keep = doubled(this.keep);
        this.add = doubled(this.add);
      }
    }
    for (let word = 0; word < this.words; word++) {
      this.keep[id * this.words + word] = ~this.cleared[word]!;
      this.add[id * this.words + word] = written[word]!;
    }
    return -2 - id;
  }

  private insert(tree: number, row: ArrayLike<number>, leaf: number): void {
    let parent = -1;
    for (const read of this.reads) {
      let node = parent < 0 ? this.roots[tree]! : this.branches[parent]!;
      if (node === 0) {
        node = this.newNode(read);
        this.grown[tree]! += 1 + Math.max(2, read.size) / 8;
        if (parent < 0) this.roots[tree] = node;
        else this.branches[parent] = node;
      }
      const first = this.nodes[node * 4 + 3]!;
      const code = (row[read.word]! >>> read.shift) & read.mask;
      parent = first < 0 ? ~first + (code === 0 ? 0 : 1) : first + code;
    }
    if (parent < 0) this.roots[tree] = leaf;
    else this.branches[parent] = leaf;
  }

  private newNode({ word, shift, mask, size }: Read): number {
    const node = this.nodeCount++;
    if (this.nodeCount * 4 > this.nodes.length) this.nodes = doubled(this.nodes);
    const first = this.branchCount;
    this.branchCount += size === 0 ? 2 : mask + 1;
    while (this.branchCount > this.branches.length) this.branches = doubled(this.branches);
    this.nodes.set([word, shift, mask, size === 0 ? ~first : first], node * 4);
    return node;
  }
}

const doubled = (array: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> => {
  const wider = new Int32Array(array.length * 2);
  wider.set(array);
  return wider;
};
