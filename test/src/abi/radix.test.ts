/** The walk over a tracker: complete on a good one, finite and truthful on a bad one. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Frames } from '#src/abi/decode/frames';
import { walkRadix } from '#src/abi/decode/radix';
import { PAGE_SHIFTS } from '#src/abi/description/page-size';
import { encodeKey, leafBit, radixGeometry, tableSlot } from '#src/abi/description/radix-key';
import { putU64 } from './captures.ts';

/** A tracker in the making: pages by frame number, allocated upwards from frame 16. */
class Tree implements Frames {
  readonly pages = new Map<number, Uint8Array>();
  readonly root: number;
  readonly pageShift: number;

  constructor(pageShift: number) {
    this.pageShift = pageShift;
    this.root = this.grow() * 2 ** pageShift;
  }

  page(pfn: number): Uint8Array | undefined {
    return this.pages.get(pfn);
  }

  at(phys: number): Uint8Array {
    return this.pages.get(phys / 2 ** this.pageShift)!;
  }

  grow(): number {
    const pfn = 16 + this.pages.size;
    this.pages.set(pfn, new Uint8Array(2 ** this.pageShift));
    return pfn;
  }

  /** Adds a key and returns the addresses of the pages on its path, leaf last. */
  add(key: number): number[] {
    const geometry = radixGeometry(this.pageShift);
    const path = [this.root];
    for (let level = geometry.depth - 1; level > 0; level--) {
      const page = this.at(path.at(-1)!);
      const slot = tableSlot(geometry, key, level);
      const view = new DataView(page.buffer);
      if (view.getBigUint64(slot * 8, true) === 0n) {
        putU64(page, slot * 8, this.grow() * 2 ** this.pageShift);
      }
      path.push(Number(view.getBigUint64(slot * 8, true)));
    }
    const bit = leafBit(geometry, key);
    this.at(path.at(-1)!)[bit >>> 3]! |= 1 << (bit & 7);
    return path;
  }

  block(pfn: number, order: number): number[] {
    return this.add(encodeKey(radixGeometry(this.pageShift), pfn, order));
  }
}

const walk = (frames: Frames, root: number) => {
  const found = {
    blocks: [] as [number, number][],
    pages: [] as [number, number][],
    damage: [] as string[],
  };
  walkRadix(frames, radixGeometry(frames.pageShift), root, {
    block: (pfn, order) => void found.blocks.push([pfn, order]),
    page: (pfn, level) => void found.pages.push([pfn, level]),
    damage: (where, what) => void found.damage.push(`${where}: ${what}`),
  });
  return found;
};

describe('a good tracker', () => {
  it('gives back every block, largest order first, then by address', () => {
    const block = fc.tuple(fc.nat({ max: 2 ** 20 }), fc.nat({ max: 12 }));
    const blocks = fc.uniqueArray(block, { selector: String, maxLength: 60 });
    fc.assert(
      fc.property(fc.constantFrom(...PAGE_SHIFTS), blocks, (shift, list) => {
        const tree = new Tree(shift);
        for (const [number, order] of list) tree.block(number * 2 ** order, order);
        const found = walk(tree, tree.root);
        const expected = list
          .map(([number, order]) => [number * 2 ** order, order] as const)
          .sort(([a, m], [b, n]) => n - m || a - b);
        expect(found.blocks).toEqual(expected);
        expect(found.damage).toEqual([]);
        expect(found.pages.length).toBe(tree.pages.size);
      }),
      { numRuns: 40 },
    );
  });

  it('may be empty', () => {
    const tree = new Tree(12);
    expect(walk(tree, tree.root)).toEqual({ blocks: [], pages: [[16, 5]], damage: [] });
  });

  it('reads the same when its pages do not lie on word boundaries', () => {
    const tree = new Tree(12);
    tree.block(0x12345, 0);
    const shifted: Frames = {
      pageShift: 12,
      page: (pfn) => {
        const page = tree.page(pfn);
        if (page === undefined) return undefined;
        const wide = new Uint8Array(page.length + 3);
        wide.set(page, 3);
        return wide.subarray(3);
      },
    };
    expect(walk(shifted, tree.root)).toEqual(walk(tree, tree.root));
  });
});

describe('a damaged tracker', () => {
  const healthy = (): { tree: Tree; path: number[] } => {
    const tree = new Tree(12);
    tree.block(0x1000, 9);
    return { tree, path: tree.block(0x777, 0) };
  };
  const slotOf = (page: Uint8Array): number => {
    const at = page.findIndex((byte) => byte !== 0);
    return Math.floor(at / 8) * 8;
  };
  const found = (tree: Tree): ReturnType<typeof walk> => walk(tree, tree.root);

  it('whose root is not there', () => {
    const { tree } = healthy();
    expect(walk(tree, 0x99000).damage[0]).toContain('tracker(root): points to 0x99000, a page');
    expect(walk(tree, 0x10001).damage[0]).toContain('not aligned');
    expect(walk(tree, 2 ** 52).damage[0]).toContain('beyond');
  });

  it.each([
    ['outside', 0x7777000, 'not there'],
    ['unaligned', 0x10008, 'not aligned'],
    ['absurd', 2 ** 52, 'beyond'],
  ])('with a pointer that is %s', (_name, pointer, says) => {
    const { tree, path } = healthy();
    const page = tree.at(path[2]!);
    putU64(page, slotOf(page), pointer);
    const { damage, blocks } = found(tree);
    expect(damage).toHaveLength(1);
    expect(damage[0]).toContain(says);
    expect(damage[0]).toContain('at level 3');
    expect(blocks).toEqual([[0x1000, 9]]);
  });

  it('with a cycle, to every ancestor', () => {
    for (let up = 0; up <= 3; up++) {
      const { tree, path } = healthy();
      const page = tree.at(path[3]!);
      putU64(page, slotOf(page), path[up]!);
      const { damage, blocks } = found(tree);
      expect(damage.join()).toContain('closes a cycle');
      expect(blocks).toEqual([[0x1000, 9]]);
    }
  });

  it('with a page that hangs in two places', () => {
    const { tree, path } = healthy();
    putU64(tree.at(path[4]!), 8 * 300, path[5]!);
    const { damage, pages } = found(tree);
    expect(damage.join()).toContain('already holds elsewhere');
    expect(new Set(pages.map(([pfn]) => pfn)).size).toBe(pages.length);
  });

  it('with a slot that no key reaches', () => {
    const { tree } = healthy();
    putU64(tree.at(tree.root), 8 * 4, tree.grow() * 4096);
    expect(found(tree).damage.join()).toContain('no key is wide enough');
  });

  it('with keys that name no memory', () => {
    const tree = new Tree(12);
    tree.add(1);
    tree.block(2 ** 40 - 1, 0);
    const path = tree.block(2 ** 40, 0);
    expect(path.length).toBe(6);
    const { damage, blocks } = found(tree);
    expect(blocks).toEqual([[2 ** 40 - 1, 0]]);
    expect(damage).toHaveLength(2);
  });

  it('of random bytes ends, and throws nothing', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...PAGE_SHIFTS),
        fc.array(fc.tuple(fc.nat({ max: 7 }), fc.nat(), fc.integer({ min: 0, max: 2 ** 48 }))),
        (shift, writes) => {
          const tree = new Tree(shift);
          tree.block(0x321, 0);
          for (const [page, at, value] of writes) {
            const target = [...tree.pages.values()][page % tree.pages.size]!;
            putU64(target, (at % (target.length / 8)) * 8, value);
          }
          expect(found(tree).pages.length).toBeLessThanOrEqual(tree.pages.size);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('of ones only ends', () => {
    const tree = new Tree(12);
    const path = tree.block(5, 0);
    for (const phys of path.slice(1)) tree.at(phys).fill(0xff);
    expect(found(tree).damage.length).toBeGreaterThan(0);
  });
});
