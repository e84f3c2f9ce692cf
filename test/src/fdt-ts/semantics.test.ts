/** Rules of libfdt that the recorded cases do not reach, each with a hand-made witness. */
import { FdtEditor, FdtError, FdtReader, FdtWriter, NO_NAME_DEDUP, checkHeader } from 'fdt-ts';
import { describe, expect, test } from 'vitest';
import { numberOf } from './observe.ts';
import { writeTree } from './tree.ts';
import type { Node } from './tree.ts';

const text = (value: string): Uint8Array => new Uint8Array(Buffer.from(value, 'latin1'));

function node(name: string, children: Node[] = [], properties: Node['properties'] = []): Node {
  return { name, properties, children };
}

function blobOf(root: Node): Uint8Array {
  return writeTree({ reservations: [], root });
}

describe('names', () => {
  test('a name without unit address finds a node with one, else only itself', () => {
    const reader = new FdtReader(blobOf(node('', [node('LUO@1@2'), node('a@1')])));
    expect(reader.name(reader.subnodeOffset(0, 'LUO')!)).toBe('LUO@1@2');
    expect(reader.subnodeOffset(0, 'LUO@1')).toBeUndefined();
    expect(reader.subnodeOffset(0, 'a')).toBe(reader.subnodeOffset(0, 'a@1'));
    expect(reader.subnodeOffset(0, 'LU')).toBeUndefined();
  });

  test('a property name inside a longer one is shared, and is not confused with it', () => {
    const properties: Node['properties'] = [
      ['blob-size', Uint8Array.of(1)],
      ['size', Uint8Array.of(2)],
      ['siz', Uint8Array.of(3)],
    ];
    const reader = new FdtReader(blobOf(node('', [], properties)));
    expect([...reader.properties(0)].map(({ name }) => name)).toEqual(['blob-size', 'size', 'siz']);
    expect(reader.property(0, 'size')).toEqual(Uint8Array.of(2));
    expect(Buffer.from(reader.bytes).toString('latin1').match(/size/g)).toHaveLength(1);
  });

  test('without name sharing every property stores its name anew', () => {
    const sizes = [0, NO_NAME_DEDUP].map((flags) => {
      const writer = FdtWriter.create(new Uint8Array(512), flags);
      writer.finishReservemap();
      writer.beginNode('');
      writer.propertyString('name', 'x');
      writer.propertyString('name', 'y');
      writer.endNode();
      return writer.finish();
    });
    expect(sizes[1]! - sizes[0]!).toBe('name\0'.length);
  });

  test.each(['nul\0', '\u0100'])('a name that is no string of bytes is refused: %j', (name) => {
    const editor = FdtEditor.openInto(blobOf(node('')), new Uint8Array(512));
    for (const call of [
      () => editor.property(0, name),
      () => editor.addSubnode(0, name),
      () => editor.setPropertyString(0, 'p', name),
    ]) {
      expect(call).toThrow(expect.objectContaining({ code: 'BADVALUE', blame: 'caller' }));
    }
  });
});

describe('string lists', () => {
  test.each([
    ['kho-v4\0', 'match'],
    ['x\0kho-v4\0', 'match'],
    ['kho-v4\0x\0', 'match'],
    ['kho-v40\0', 'mismatch'],
    ['xkho-v4\0', 'mismatch'],
    ['kho-v4', 'match'],
    ['xx\0kho-v4', 'match'],
    ['x\0kho-v4', 'match'],
    ['xx\0kho-v', 'mismatch'],
    ['', 'mismatch'],
  ])('%j: %s', (value, answer) => {
    // Without NUL the padding, or the tag behind it, is taken for the NUL, as libfdt does.
    const blob = blobOf(node('', [], [['compatible', text(value)]]));
    expect(new FdtReader(blob).nodeCheckCompatible(0, 'kho-v4')).toBe(answer);
  });

  test('a node without the property is neither', () => {
    expect(new FdtReader(blobOf(node(''))).nodeCheckCompatible(0, 'x')).toBeUndefined();
  });
});

describe('paths and aliases', () => {
  const aliases = node(
    'aliases',
    [],
    [
      ['good', text('/a\0')],
      ['relative', text('a\0')],
      ['open', text('/a')],
      ['gone', text('/nowhere\0')],
      ['empty', text('')],
    ],
  );
  const reader = new FdtReader(blobOf(node('', [node('a', [node('b')]), aliases])));

  test('an alias stands for the path in it', () => {
    expect(reader.pathOffset('good')).toBe(reader.pathOffset('/a'));
    expect(reader.pathOffset('good/b')).toBe(reader.pathOffset('//a//b/'));
    expect(reader.pathOffset('good/c')).toBeUndefined();
    expect(reader.pathOffset('gone')).toBeUndefined();
    expect(reader.pathOffset('/')).toBe(0);
  });

  test.each(['relative', 'open', 'empty', 'unknown', ''])('%j is no path', (path) => {
    expect(() => reader.pathOffset(path)).toThrow(expect.objectContaining({ code: 'BADPATH' }));
  });
});

describe('sizes that overflow', () => {
  /** One root with one property of `length` announced bytes, version 16, total size 2^32 - 1. */
  function huge(length: number): FdtReader {
    const words = [0xd00dfeed, 0xffffffff, 40, 40, 40, 16, 16, 0, 0, 0];
    const tags = [1, 0, 3, length, 0, 2, 9];
    const bytes = new Uint8Array(4 * (words.length + tags.length));
    const view = new DataView(bytes.buffer);
    [...words, ...tags].forEach((word, index) => view.setUint32(4 * index, word));
    return new FdtReader(bytes);
  }

  test.each([0x7fffffff - 12, 0x7fffffff, 0xfffffff4, 0xffffffff])(
    'a property of 0x%s bytes is malformed: no offset reaches behind it',
    (length) => {
      expect(() => huge(length).nextTag(8)).toThrow(
        expect.objectContaining({ code: 'BADSTRUCTURE', offset: 48, blame: 'blob' }),
      );
    },
  );

  test('one byte less is a tag, and what follows is beyond the blob', () => {
    const reader = huge(0x7fffffff - 13);
    const { next } = reader.nextTag(8);
    expect(next).toBe(0x80000008);
    expect(numberOf(() => reader.nextProperty(8))).toBe(-8);
    expect(numberOf(() => reader.propertyAt(8).value.length)).toBe(-8);
  });
});

describe('an unfinished blob', () => {
  test('can be read as soon as something is in it', () => {
    const writer = FdtWriter.create(new Uint8Array(256));
    const reader = new FdtReader(writer.bytes);
    writer.finishReservemap();
    expect(() => reader.name(0)).toThrow('BADSTATE');
    writer.beginNode('');
    writer.propertyU32('n', 7);
    expect([...reader.property(0, 'n')!]).toEqual([0, 0, 0, 7]);
    expect(checkHeader(writer.bytes)?.code).toBe('BADMAGIC');
    expect(() => new FdtEditor(writer.bytes).addSubnode(0, 'x')).toThrow('BADLAYOUT');
  });

  test('calls out of turn are refused, and change nothing', () => {
    const writer = FdtWriter.create(new Uint8Array(256));
    expect(() => writer.beginNode('')).toThrow('BADSTATE');
    writer.finishReservemap();
    expect(() => writer.addReservation(1n, 1n)).toThrow('BADSTATE');
    writer.beginNode('');
    writer.endNode();
    writer.finish();
    const before = writer.bytes.slice();
    for (const call of [
      () => writer.beginNode('x'),
      () => writer.endNode(),
      () => writer.finish(),
    ]) {
      expect(call).toThrow(expect.objectContaining({ code: 'BADSTATE', blame: 'caller' }));
    }
    expect(writer.bytes).toEqual(before);
  });

  test('a buffer below 48 bytes and unknown flags are refused', () => {
    expect(() => FdtWriter.create(new Uint8Array(47))).toThrow('NOSPACE');
    expect(() => FdtWriter.create(new Uint8Array(64), 2)).toThrow('BADFLAGS');
  });
});

test('an error says its libfdt number, where it was seen, and who is to blame', () => {
  const blob = blobOf(node('', [], [['p', Uint8Array.of(1)]]));
  blob[48 + 16 + 8] = 0xee;
  let caught: unknown;
  try {
    new FdtReader(blob).property(0, 'p');
  } catch (error) {
    caught = error;
  }
  expect(caught).toBeInstanceOf(FdtError);
  expect(caught).toMatchObject({ code: 'BADSTRUCTURE', number: 11, offset: 72, blame: 'blob' });
  expect(String(caught)).toBe(
    'FdtError: fdt (+0x48): BADSTRUCTURE: the structure block is malformed',
  );
});

test('a view follows edits that others make to the same bytes', () => {
  const editor = FdtEditor.openInto(blobOf(node('')), new Uint8Array(512));
  const reader = new FdtReader(editor.bytes);
  const child = editor.addSubnode(0, 'child');
  expect(reader.subnodeOffset(0, 'child')).toBe(child);
  editor.deleteNode(child);
  expect(reader.subnodeOffset(0, 'child')).toBeUndefined();
});

describe('a header that promises more than there is', () => {
  const value = Uint8Array.of(1, 2, 3, 4, 5);
  const sound = blobOf(node('', [node('n')], [['p', value]]));

  test('nothing is edited, and nothing is written outside', () => {
    const opened = FdtEditor.openInto(sound, new Uint8Array(512)).bytes;
    const editor = new FdtEditor(opened.subarray(0, 511));
    for (const call of [
      () => editor.addSubnode(0, 'x'),
      () => editor.setProperty(0, 'p', value),
      () => editor.appendProperty(0, 'p', value),
      () => editor.deleteProperty(0, 'p'),
      () => editor.setName(0, 'x'),
      () => editor.addReservation(1n, 1n),
      () => editor.pack(),
      () => FdtEditor.openInto(editor.bytes, new Uint8Array(512)),
    ]) {
      expect(call).toThrow(expect.objectContaining({ code: 'TRUNCATED', blame: 'blob' }));
    }
  });

  test('a property whose padding is cut off is not overwritten by NOPs', () => {
    const words = [0xd00dfeed, 0x1000, 40, 72, 40, 16, 16, 0, 0, 0];
    const tags = [1, 0, 3, 5, 0xffffffff, 0x01020304];
    const bytes = new Uint8Array(4 * (words.length + tags.length) + 1);
    const view = new DataView(bytes.buffer);
    [...words, ...tags].forEach((word, index) => view.setUint32(4 * index, word));
    // The name of the property is the empty string right behind the header.
    view.setUint32(12, 36);
    view.setUint32(40 + 16, 0);
    const editor = new FdtEditor(bytes);
    const before = bytes.slice();
    expect(editor.property(0, '')).toHaveLength(5);
    expect(() => editor.nopProperty(0, '')).toThrow('TRUNCATED');
    expect(bytes).toEqual(before);
  });

  test('a strings block that wraps around to the start is not searched', () => {
    const opened = FdtEditor.openInto(sound, new Uint8Array(512)).bytes;
    const view = new DataView(opened.buffer);
    view.setUint32(12, 0x80000010);
    view.setUint32(32, 0x7ffffff8);
    const start = performance.now();
    expect(() => new FdtEditor(opened).setProperty(0, 'new', value)).toThrow('TRUNCATED');
    expect(performance.now() - start).toBeLessThan(500);
  });

  test('reservations that run on into the tree are not packed into too small a buffer', () => {
    const zeros = blobOf(node('', [], [['p', new Uint8Array(40)]]));
    const editor = FdtEditor.openInto(zeros, new Uint8Array(512));
    const exact = editor.bytes.slice(0, editor.pack());
    // The entry that ends the list gets a size.
    new DataView(exact.buffer).setUint32(52, 1);
    const before = exact.slice();
    expect(() => new FdtEditor(exact).pack()).toThrow('BADLAYOUT');
    expect(exact).toEqual(before);
  });
});

describe('versions', () => {
  const sound = blobOf(node('', [], [['p', Uint8Array.of(1)]]));

  test('editing a blob of a later version makes it one of version 17', () => {
    const { bytes } = FdtEditor.openInto(sound, new Uint8Array(512));
    bytes[23] = 18;
    new FdtEditor(bytes).addSubnode(0, 'n');
    expect(bytes[23]).toBe(17);
  });

  test('version 16 is opened, not edited; older ones are not touched', () => {
    const old = sound.slice();
    old[23] = 16;
    expect(() => new FdtEditor(old).addSubnode(0, 'n')).toThrow('BADVERSION');
    expect(FdtEditor.openInto(old, new Uint8Array(512)).addSubnode(0, 'n')).toBe(24);
    new FdtEditor(old).nopProperty(0, 'p');
    const older = sound.slice();
    older[23] = 15;
    older[27] = 2;
    expect(() => new FdtEditor(older).nopProperty(0, 'p')).toThrow('BADVERSION');
    expect(() => FdtEditor.openInto(older, new Uint8Array(512))).toThrow('BADVERSION');
  });
});
