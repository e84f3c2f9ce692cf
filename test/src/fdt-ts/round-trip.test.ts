/** Reading undoes writing, and writing undoes reading. */
import { FdtEditor, FdtReader, checkFull, encodeU64 } from 'fdt-ts';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readTree, trees, writeTree } from './tree.ts';
import type { DeviceTree, Node } from './tree.ts';

/** The same tree by edits; each new node and property goes before the older ones of its parent. */
function editTree(tree: DeviceTree, bufferSize = 65536): Uint8Array {
  const empty = writeTree({
    reservations: [],
    root: { name: '', properties: [], children: [] },
  });
  const editor = FdtEditor.openInto(empty, new Uint8Array(bufferSize));
  for (const { address, size } of tree.reservations) editor.addReservation(address, size);
  const fill = (offset: number, node: Node): void => {
    for (const [name, value] of node.properties.toReversed()) {
      editor.setProperty(offset, name, value);
    }
    for (const child of node.children.toReversed()) {
      fill(editor.addSubnode(offset, child.name), child);
    }
  };
  fill(0, tree.root);
  return editor.bytes.slice(0, editor.pack());
}

/** Whether addSubnode would refuse a sibling, since "a" also finds "a@1". */
function hasUnitClash(node: Node): boolean {
  const names = node.children.map(({ name }) => name);
  const clash = names.some((name) =>
    names.some((other) => !name.includes('@') && other.startsWith(`${name}@`)),
  );
  return clash || node.children.some(hasUnitClash);
}

test('a tree written is the tree read', () => {
  fc.assert(
    fc.property(trees, (tree) => {
      const blob = writeTree(tree);
      expect(checkFull(blob)).toBeUndefined();
      expect(readTree(blob)).toEqual(tree);
    }),
    { numRuns: 300 },
  );
});

test('a blob of the writer, read and written again, is the same blob', () => {
  fc.assert(
    fc.property(trees, (tree) => {
      const blob = writeTree(tree);
      expect(writeTree(readTree(blob))).toEqual(blob);
    }),
    { numRuns: 300 },
  );
});

test('a tree made by edits is the tree read', () => {
  fc.assert(
    fc.property(trees, (tree) => {
      fc.pre(!hasUnitClash(tree.root));
      const blob = editTree(tree);
      expect(checkFull(blob)).toBeUndefined();
      expect(readTree(blob)).toEqual(tree);
    }),
    { numRuns: 200 },
  );
});

test('every node is found by its path, and every property by its name', () => {
  const visit = (reader: FdtReader, node: Node, path: string): void => {
    const offset = reader.pathOffset(path || '/')!;
    expect(reader.name(offset)).toBe(node.name);
    for (const [name, value] of node.properties) {
      expect(reader.property(offset, name)).toEqual(value);
      expect(reader.propertyLength(offset, name)).toBe(value.length);
    }
    expect(reader.property(offset, 'absent property')).toBeUndefined();
    for (const child of node.children) visit(reader, child, `${path}/${child.name}`);
  };
  fc.assert(
    fc.property(trees, (tree) => {
      fc.pre(!hasUnitClash(tree.root));
      visit(new FdtReader(writeTree(tree)), tree.root, '');
    }),
    { numRuns: 100 },
  );
});

test('a refused edit leaves the tree as it was', () => {
  fc.assert(
    fc.property(trees, fc.nat(40), fc.string({ minLength: 1 }), (tree, spare, text) => {
      const blob = writeTree(tree);
      const editor = FdtEditor.openInto(blob, new Uint8Array(blob.length + spare));
      const name = `zz${Buffer.from(text).toString('hex')}`;
      const edits = [
        () => editor.addSubnode(0, name),
        () => editor.setProperty(0, name, new Uint8Array(64)),
        () => editor.addReservation(1n, 1n),
      ];
      for (const edit of edits) {
        const before = readTree(editor.bytes);
        try {
          edit();
        } catch (error) {
          expect(error).toMatchObject({ code: 'NOSPACE', blame: 'none', number: 3 });
          expect(readTree(editor.bytes)).toEqual(before);
        }
      }
    }),
    { numRuns: 200 },
  );
});

test('u64 values of KHO are little-endian on request, whichever way they are stored', () => {
  const root: Node = { name: '', properties: [], children: [] };
  const blob = writeTree({ reservations: [], root });
  const editor = FdtEditor.openInto(blob, new Uint8Array(4096));
  const value = 0x0102030405060708n;
  editor.setPropertyU64(0, 'a', value, 'little');
  editor.setProperty(0, 'b', encodeU64(value, 'little'));
  editor.setPropertyU64(0, 'c', value);
  expect([...editor.property(0, 'a')!]).toEqual([8, 7, 6, 5, 4, 3, 2, 1]);
  expect(editor.property(0, 'b')).toEqual(editor.property(0, 'a'));
  expect([...editor.property(0, 'c')!]).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
});

test('a value taken from the blob can be stored in the same blob', () => {
  const value = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9);
  const root: Node = { name: '', properties: [['a', value]], children: [] };
  const blob = writeTree({ reservations: [], root });
  const editor = FdtEditor.openInto(blob, new Uint8Array(4096));
  editor.setProperty(0, 'b', editor.property(0, 'a')!);
  editor.appendProperty(0, 'b', editor.property(0, 'a')!);
  expect([...editor.property(0, 'b')!]).toEqual([...value, ...value]);
});

test('a blob out of order is put in order, in place if there is room behind it', () => {
  const tree: DeviceTree = {
    reservations: [{ address: 1n, size: 2n }],
    root: { name: '', properties: [['p', Uint8Array.of(7)]], children: [] },
  };
  const blob = FdtEditor.openInto(writeTree(tree), new Uint8Array(200));
  const packed = blob.bytes.slice(0, blob.pack());
  const words = new DataView(packed.buffer);
  // Swap the structure and strings blocks by hand.
  const [structAt, stringsAt] = [words.getUint32(8), words.getUint32(12)];
  const strings = packed.slice(stringsAt);
  const shuffled = new Uint8Array(packed.length + 2);
  shuffled.set(packed.subarray(0, structAt));
  shuffled.set(strings, structAt);
  shuffled.set(packed.subarray(structAt, stringsAt), structAt + 4);
  new DataView(shuffled.buffer).setUint32(8, structAt + 4);
  new DataView(shuffled.buffer).setUint32(12, structAt);
  new DataView(shuffled.buffer).setUint32(4, shuffled.length);
  expect(readTree(shuffled)).toEqual(tree);

  const apart = FdtEditor.openInto(shuffled, new Uint8Array(512));
  apart.addSubnode(0, 'n');
  expect(readTree(apart.bytes).root.children).toHaveLength(1);

  const room = new Uint8Array(512);
  room.set(shuffled);
  const inPlace = FdtEditor.openInto(room, room);
  inPlace.addSubnode(0, 'n');
  inPlace.pack();
  expect(readTree(inPlace.bytes)).toEqual(readTree(apart.bytes));
  const tight = Uint8Array.from(shuffled);
  expect(() => FdtEditor.openInto(tight, tight)).toThrow('NOSPACE');
});
