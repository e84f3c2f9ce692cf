/**
 * What trees before the merge are made of, byte for byte where they are short, and that the reader
 * of the implementation and the observer find the same in them.
 */
import { FdtReader } from 'fdt-ts';
import { describe, expect, it } from 'vitest';
import { decodeHandover } from '#src/abi/decode/handover';
import { readMemblockNode } from '#src/abi/decode/memblock';
import { generationById } from '#src/abi/description/generations';
import type { Platform } from '#src/kho/boot';
import { INTENDED } from '#src/kho/decisions';
import { mapOfNodes, rangesOfTree, regionsOfTree, userOfTree } from '#src/kho/early-trees';
import { EEXIST, EINVAL, ENOENT } from '#src/kho/errno';
import { acceptTree } from '#src/kho/handover-tree';
import { isCached, mergedRanges, readCache, writeCache } from '#src/kho/mem-cache';
import { startTree } from '#src/kho/outgoing-tree';
import type { OutgoingTree } from '#src/kho/outgoing-tree';
import { PhysicalMemory } from '#src/kho/physical-memory';
import { RangeTracker, walkRanges } from '#src/kho/range-tracker';
import { buildMachine, plainShape } from '#model/machines';
import { Topology } from '#src/kho/topology';

const PAGE = 4096;
const FRAME = 5;
const REGION = { name: 'rmA', start: 0x200800, bytes: 0x1000 };

/** A tree of a series, and the memory that it is written to. */
const treeOf = (id: string) => {
  const machine = buildMachine(plainShape());
  const memory = new PhysicalMemory(12);
  const generation = generationById(id)!;
  const { compatible } = generation;
  const platform: Platform = {
    machine,
    topology: new Topology(machine),
    memory,
    decisions: INTENDED,
    compatible,
    release: id,
    generation,
  };
  const tracker = new RangeTracker(memory);
  const tree: OutgoingTree = startTree(platform, generation, FRAME, 0, () => tracker.ranges());
  const page = (): Uint8Array => memory.page(FRAME)!;
  const decoded = () => decodeHandover(memory, { fdt: FRAME * PAGE, writer: id });
  return { memory, generation, tracker, tree, page, decoded };
};

describe('the state tree of v5', () => {
  it('points to the list in a node, and has a node for every user', () => {
    const { tree, page, decoded, generation } = treeOf('v5');
    expect(tree.add('a', 3 * PAGE, 73)).toBe(0);
    expect(tree.add('a', 4 * PAGE, 1)).toBe(-EEXIST);
    tree.list?.([REGION]);
    expect(tree.add('memblock', 4 * PAGE, 1)).toBe(-EEXIST);
    expect([tree.written, tree.write(7 * PAGE), tree.written]).toEqual([false, 0, true]);
    const reader = new FdtReader(page());
    const names = [...reader.subnodes(0)].map((node) => reader.name(node));
    expect(names).toEqual(['preserved-memory', 'a', 'memblock']);
    expect(mapOfNodes(reader, generation.root)).toBe(7 * PAGE);
    expect(regionsOfTree(page())).toEqual([REGION]);
    const { tracker, subtrees, writers } = decoded();
    expect([tracker, subtrees]).toEqual([7 * PAGE, [{ name: 'a', phys: 3 * PAGE, bytes: 0 }]]);
    expect(writers.map(({ id }) => id)).toEqual(['v5']);
    const area = { name: 'rmA', start: 0x200800, size: 0x1000 };
    expect(readMemblockNode(page())).toEqual([area]);
  });

  it('changes until it is written, is forgotten, and is written again', () => {
    const { tree, decoded } = treeOf('v5');
    tree.add('a', 3 * PAGE, 1);
    tree.add('b', 3 * PAGE, 1);
    expect([tree.remove(3 * PAGE), tree.remove(4 * PAGE)]).toEqual([0, -ENOENT]);
    tree.write(0);
    tree.forget('');
    expect(tree.written).toBe(false);
    tree.write(0);
    expect(decoded().subtrees.map(({ name }) => name)).toEqual(['a']);
  });

  it('is refused where there is no room for it', () => {
    const { tree } = treeOf('v5');
    for (let i = 0; i < 120; i++) tree.add(`name-${i}`, PAGE, 1);
    expect([tree.write(0), tree.written]).toEqual([-EINVAL, false]);
  });

  it('without the node for memory preserves nothing, and of another string is none', () => {
    const { page, generation, tree } = treeOf('v5');
    tree.write(PAGE);
    expect(acceptTree(page(), 'kho-v1', INTENDED, generation.root)).toBe(PAGE);
    expect(acceptTree(page(), 'kho-v4', INTENDED, generation.root)).toBeUndefined();
    const { map, ...root } = generation.root;
    const other = { ...root, map: { node: 'nothing', property: map!.property } };
    expect(acceptTree(page(), 'kho-v1', INTENDED, other)).toBe(0);
  });
});

describe('the tree of v3 and v4', () => {
  it('is, with one block preserved, these bytes', () => {
    const { tree, tracker, page } = treeOf('v4');
    tracker.add(0x200, 1);
    tree.write(0);
    // prettier-ignore
    const words = [
      1, 0, 3, 7, 4, 0x6b686f2d, 0x76310000,
      1, 0x6d656d6f, 0x72790000, 1, 0x6b657074, 0,
      3, 16, 0, 0x00002000, 0, 0x00200000, 0,
      2, 2, 2, 9,
    ];
    const view = new DataView(page().buffer, page().byteOffset);
    const start = view.getUint32(8);
    const found = words.map((_, at) => view.getUint32(start + 4 * at));
    expect(found.slice(0, 13)).toEqual(words.slice(0, 13));
    expect(found.slice(13, 16)).toEqual(words.slice(13, 16));
    const entry = start + 4 * 16;
    expect([view.getBigUint64(entry, true), view.getBigUint64(entry + 8, true)]).toEqual([
      0x200000n,
      0x2000n,
    ]);
    expect(found.slice(20)).toEqual(words.slice(20));
    const strings = view.getUint32(12);
    const text = String.fromCharCode(...page().subarray(strings, strings + 15));
    expect(text).toBe('mem\0compatible\0');
  });

  it('tells a name from one with a unit address, unless it is decided not to', () => {
    const { tree, tracker, page } = treeOf('v4');
    tracker.add(0x200, 1);
    tree.add('a@1', 0x200 * PAGE, 1);
    tree.add('a', 0x201 * PAGE, 2);
    tree.write(0);
    const second = { phys: 0x201 * PAGE, bytes: 2 };
    expect(userOfTree(page(), 'a', INTENDED)).toEqual(second);
    const libfdt = { ...INTENDED, matchesWholeNames: false };
    expect(userOfTree(page(), 'a', libfdt)).toEqual({ phys: 0x200 * PAGE, bytes: 1 });
  });

  it('names what users hand over, what is kept, and regions; all of that is preserved', () => {
    const { memory, tree, tracker, page, decoded } = treeOf('v4');
    tracker.add(0x300, 0);
    tracker.add(0x200, 1);
    tracker.add(0x200, 0);
    tracker.remove(0x200, 0);
    tracker.remove(0x999, 0);
    tree.add('a', 0x200 * PAGE, PAGE + 1);
    tree.list?.([REGION]);
    tree.write(0);
    const walked: [number, number][] = [];
    walkRanges(memory, FRAME, (pfn, order) => walked.push([pfn, order]));
    expect(walked.sort((a, b) => a[0] - b[0] || b[1] - a[1])).toEqual([
      [0x200, 1],
      [0x200, 1],
      [0x200, 1],
      [0x300, 0],
    ]);
    const { preserved, subtrees, damage } = decoded();
    expect(damage).toEqual([]);
    expect(preserved.map(({ phys, order }) => [phys / PAGE, order])).toEqual([
      [0x200, 1],
      [0x300, 0],
    ]);
    expect(subtrees).toEqual([{ name: 'a', phys: 0x200 * PAGE, bytes: PAGE + 1 }]);
    expect(userOfTree(page(), 'a', INTENDED)).toEqual({ phys: 0x200 * PAGE, bytes: PAGE + 1 });
    expect(userOfTree(page(), 'memory', INTENDED)).toBe(-ENOENT);
    expect(regionsOfTree(page())).toEqual([REGION]);
    expect(readMemblockNode(page())).toEqual([{ name: 'rmA', start: 0x200800, size: 0x1000 }]);
  });

  it('of v3 goes with an array of whole pages, sorted and merged', () => {
    const { memory, tree, tracker, page } = treeOf('v3');
    for (const [pfn, order] of [
      [0x10, 0],
      [0x11, 0],
      [0x20, 2],
      [0x14, 2],
    ] as const) {
      tracker.add(pfn, order);
    }
    tree.add('a', 0x24 * PAGE, 1);
    tree.write(0);
    expect(rangesOfTree(page())).toHaveLength(5);
    const merged = mergedRanges(page(), PAGE, INTENDED);
    expect(merged.map(({ phys, bytes }) => [phys / PAGE, bytes / PAGE])).toEqual([
      [0x10, 2],
      [0x14, 4],
      [0x20, 5],
    ]);
    const cache = memory.zeroPage(9);
    const bytes = writeCache(cache, merged);
    expect(readCache(cache, bytes)).toEqual(merged);
    expect(isCached(merged, 0x15 * PAGE, PAGE)).toBe(true);
    expect(isCached(merged, 0x17 * PAGE, 2 * PAGE)).toBe(false);
  });
});
