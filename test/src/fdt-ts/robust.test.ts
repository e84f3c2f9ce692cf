/**
 * Whatever the bytes and the arguments are: an answer or an FdtError, soon, and from the bytes of
 * the blob alone.
 */
import { FdtEditor, FdtError, FdtReader, FdtWriter, checkFull, checkHeader } from 'fdt-ts';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { loadBlobs } from './fixtures.ts';

// Thousands of expected errors: their stack traces would take most of the time.
Error.stackTraceLimit = 0;

const small = loadBlobs('good').filter(({ bytes }) => bytes.length < 1100);

const ODD_OFFSETS = [-1, -4, 1, 2, 2.5, NaN, Infinity, 2 ** 31, 2 ** 31 - 4, 2 ** 32, 2 ** 53];
const NAMES = ['', 'LUO', 'compatible', 'a@b', '@', 'nul\0nul', '\u20ac', 'x'.repeat(300)];
const PATHS = ['/', '', '//', '/LUO', '/LUO/', '/a@1/b', 'LUO', 'alias/x', '/\0', '/aliases'];

/** What a call gives, as text; anything thrown but FdtError is passed on. */
function outcome(call: () => unknown): string {
  try {
    return JSON.stringify(call(), (_, value: unknown) =>
      typeof value === 'bigint' ? `${value}n` : value instanceof Uint8Array ? [...value] : value,
    );
  } catch (error) {
    if (!(error instanceof FdtError)) throw error;
    return `${error.code} ${error.number} ${error.offset}`;
  }
}

/** Every reader function, at every offset of the structure block and at some that cannot be one. */
function readAll(bytes: Uint8Array): string[] {
  const reader = new FdtReader(bytes);
  const results = [
    outcome(() => checkHeader(bytes)?.code),
    outcome(() => checkFull(bytes)?.code),
    outcome(() => reader.totalSize),
    outcome(() => reader.bootCpu),
    outcome(() => reader.numMemRsv()),
    outcome(() => reader.reservations()),
    ...PATHS.map((path) => outcome(() => reader.pathOffset(path))),
  ];
  const offsets = Array.from({ length: 14 }, (_, index) => 4 * index);
  for (const offset of [...offsets, ...ODD_OFFSETS]) {
    results.push(
      outcome(() => reader.nextTag(offset)),
      outcome(() => reader.nextNode(offset)),
      outcome(() => reader.nextNode(offset, { depth: 0 })),
      outcome(() => reader.firstSubnode(offset)),
      outcome(() => reader.nextSubnode(offset)),
      outcome(() => [...reader.subnodes(offset)]),
      outcome(() => reader.name(offset)),
      outcome(() => reader.firstProperty(offset)),
      outcome(() => reader.nextProperty(offset)),
      outcome(() => reader.propertyAt(offset)),
      outcome(() => [...reader.properties(offset)]),
      outcome(() => reader.nodeCheckCompatible(offset, 'kho-v4')),
    );
  }
  for (const name of NAMES) {
    results.push(
      outcome(() => reader.property(0, name)),
      outcome(() => reader.propertyLength(0, name)),
      outcome(() => reader.subnodeOffset(0, name)),
      outcome(() => reader.nodeCheckCompatible(0, name)),
    );
  }
  return results;
}

/** Every editing function on the blob itself. */
function editAll(bytes: Uint8Array): string[] {
  const editor = new FdtEditor(bytes);
  const value = Uint8Array.of(1, 2, 3, 4, 5);
  const calls: (() => unknown)[] = [];
  for (const node of [0, 8, 48, 112, -4, 2.5, NaN]) {
    calls.push(
      () => editor.setProperty(node, 'compatible', value),
      () => editor.setPropertyU64(node, 'new', 2n ** 64n - 1n),
      () => editor.setPropertyInPlace(node, 'compatible', value),
      () => editor.appendProperty(node, 'compatible', value),
      () => editor.nopProperty(node, 'compatible'),
      () => editor.deleteProperty(node, 'new'),
      () => editor.setName(node, 'renamed'),
      () => editor.addSubnode(node, 'zz'),
      () => editor.nopNode(node),
      () => editor.deleteNode(node),
    );
  }
  calls.push(
    () => editor.addReservation(1n, 2n),
    () => editor.deleteReservation(0),
    () => editor.deleteReservation(-1),
    () => editor.addReservation(-1n, 2n ** 64n),
    () => editor.pack(),
    () => FdtEditor.openInto(bytes, bytes).totalSize,
    () => FdtEditor.openInto(bytes, new Uint8Array(600)).totalSize,
    () => editor.pack(),
  );
  return calls.map(outcome);
}

/** Every writing function on a buffer that somebody else may have started. */
function writeAll(bytes: Uint8Array): string[] {
  const writer = new FdtWriter(bytes);
  const calls: (() => unknown)[] = [
    () => writer.addReservation(1n, 2n),
    () => writer.finishReservemap(),
    () => writer.beginNode(''),
    () => writer.property('p', Uint8Array.of(1)),
    () => writer.propertyString('q', '\u20ac'),
    () => writer.propertyU32('r', -1),
    () => writer.propertyU64('s', 1n, 'little'),
    () => writer.endNode(),
    () => writer.finish(),
  ];
  return calls.map(outcome);
}

/** Runs `all` on the blob inside a larger buffer, and looks after the bytes around it. */
function inside(
  bytes: Uint8Array,
  poison: number,
  shift: number,
  all: (bytes: Uint8Array) => string[],
): { results: string[]; after: Uint8Array } {
  const around = new Uint8Array(shift + bytes.length + 512).fill(poison);
  const view = around.subarray(shift, shift + bytes.length);
  view.set(bytes);
  const results = all(view);
  expect(around.subarray(0, shift).every((byte) => byte === poison)).toBe(true);
  expect(around.subarray(shift + bytes.length).every((byte) => byte === poison)).toBe(true);
  return { results, after: view };
}

/** Three neighbourhoods, one outcome. */
function checkConfined(bytes: Uint8Array): void {
  for (const all of [readAll, editAll, writeAll]) {
    const first = inside(bytes, 0x00, 8, all);
    expect(inside(bytes, 0xff, 13, all)).toEqual(first);
    if (all === readAll) expect(Buffer.compare(first.after, bytes)).toBe(0);
  }
}

/** A blob of dtc with some bytes and some whole words replaced, cut or not. */
const mutants = fc
  .tuple(
    fc.constantFrom(...small),
    fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 3 }),
    fc.array(
      fc.tuple(
        fc.nat(),
        fc.constantFrom(0, 1, 2, 3, 4, 9, 16, 0x7fffffff, 0x80000000, 0xfffffff4, 0xffffffff),
      ),
      { maxLength: 3 },
    ),
    fc.option(fc.nat(), { freq: 3 }),
  )
  .map(([{ bytes }, singles, words, cut]) => {
    const mutant = Uint8Array.from(bytes);
    const view = new DataView(mutant.buffer);
    for (const [at, value] of singles) mutant[at % mutant.length] = value;
    for (const [at, value] of words) view.setUint32((at % (mutant.length >> 2)) * 4, value);
    return cut === null ? mutant : mutant.slice(0, cut % mutant.length);
  });

/** Headers with a right magic and words of any size in front of anything. */
const headers = fc
  .tuple(
    fc.constantFrom(0xd00dfeed, 0x2ff20112),
    fc.array(fc.oneof(fc.nat(120), fc.constantFrom(16, 17), fc.integer()), {
      minLength: 9,
      maxLength: 9,
    }),
    fc.array(fc.oneof(fc.constantFrom(0, 1, 2, 3, 4, 9), fc.nat(40)), { maxLength: 60 }),
  )
  .map(([magic, words, rest]) => {
    const bytes = new Uint8Array(4 * (10 + rest.length));
    const view = new DataView(bytes.buffer);
    [magic, ...words, ...rest].forEach((word, index) => view.setUint32(4 * index, word));
    return bytes;
  });

describe('on any bytes, every function answers or throws FdtError, from the blob alone', () => {
  test('arbitrary bytes', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), checkConfined), { numRuns: 100 });
  });

  test('arbitrary headers and tags', () => {
    fc.assert(fc.property(headers, checkConfined), { numRuns: 300 });
  });

  test('blobs of dtc with words replaced', () => {
    fc.assert(fc.property(mutants, checkConfined), { numRuns: 300 });
  });
});

describe('truncation', () => {
  const cuts = small.filter(({ file }) => /^(kho-v4-v17|kho-v1-v16|types-v2|names-v17)/.test(file));

  test.each(cuts)('$file cut anywhere is never taken for sound', ({ bytes }) => {
    for (let length = 0; length < bytes.length; length++) {
      const cut = bytes.slice(0, length);
      expect(checkFull(cut)?.code, `${length} bytes`).toBe('TRUNCATED');
      if (length % 3 === 0) inside(cut, 0xff, 5, readAll);
      if (length % 7 === 0) checkConfined(cut);
    }
  });
});

describe('a blob that checkFull accepts is read without error', () => {
  test('every node, property and reservation', () => {
    fc.assert(
      fc.property(mutants, (bytes) => {
        fc.pre(checkFull(bytes) === undefined);
        const reader = new FdtReader(bytes);
        reader.reservations();
        // The first node need not be at offset 0, and an empty structure block counts as sound.
        const cursor = { depth: 0 };
        let node = reader.nextNode(-1, cursor);
        while (node !== undefined) {
          // Old versions store paths; their leaf is looked for only when the name is asked.
          if (bytes[23]! >= 16) reader.name(node);
          for (const { offset, name, value } of reader.properties(node)) {
            expect(value.length).toBeLessThanOrEqual(bytes.length);
            expect(offset).toBeGreaterThan(node);
            expect(reader.property(node, name)).toBeDefined();
          }
          node = reader.nextNode(node, cursor);
        }
      }),
      { numRuns: 600 },
    );
  });
});
