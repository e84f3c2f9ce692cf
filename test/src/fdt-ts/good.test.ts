/** 44 blobs made by dtc: every recorded field is met, and no tree changes when written again. */
import { FdtEditor, FdtReader, checkFull } from 'fdt-ts';
import { describe, expect, test } from 'vitest';
import { loadBlobs } from './fixtures.ts';
import { observe } from './observe.ts';
import { readTree, writeTree } from './tree.ts';

const blobs = loadBlobs('good');
const sound = blobs.filter(({ bytes }) => checkFull(bytes) === undefined);
/** Opening takes versions 16 and 17. */
const editable = sound.filter(({ bytes }) => bytes[23]! >= 16);

function reopened(bytes: Uint8Array): Uint8Array {
  const editor = FdtEditor.openInto(bytes, new Uint8Array(bytes.length + 64));
  return editor.bytes.slice(0, editor.pack());
}

describe('blobs made by dtc', () => {
  test.each(blobs)('$file is read as libfdt reads it', ({ bytes, expect: recorded }) => {
    const { walkRefused, ...seen } = observe(bytes);
    expect(seen).toEqual(recorded);
    if (recorded.check_full === 0) expect(walkRefused).toBe(0);
  });

  test.each(sound)('$file keeps its tree when read and written again', ({ bytes }) => {
    const again = writeTree(readTree(bytes));
    expect(checkFull(again)).toBeUndefined();
    expect(readTree(again)).toEqual(readTree(bytes));
  });

  test.each(editable)('$file keeps its tree when opened and packed', ({ bytes }) => {
    const packed = reopened(bytes);
    expect(checkFull(packed)).toBeUndefined();
    expect(readTree(packed)).toEqual(readTree(bytes));
    expect(new FdtReader(packed).bootCpu).toBe(new FdtReader(bytes).bootCpu);
  });

  test('25 blobs of version 17 are canonical: opened and packed they are the same', () => {
    const same = editable.filter(({ bytes }) => Buffer.compare(reopened(bytes), bytes) === 0);
    // -R, -a and -p leave spare reservations or spare bytes, which packing takes away; version 16
    // becomes 17.
    const canonical = editable.filter(({ file }) => !/-(R4|a64|p256|v16)\.dtb$/.test(file));
    expect(same).toHaveLength(25);
    expect(same).toEqual(canonical);
  });

  test("written again and packed, a blob is dtc's own if at most one name is stored", () => {
    // The sequential writer stores later names first, dtc stores them last.
    const same = sound.filter(
      ({ bytes }) => Buffer.compare(reopened(writeTree(readTree(bytes))), bytes) === 0,
    );
    const files = ['bigprop-sym.dtb', 'bigprop-v17.dtb', 'empty-sym.dtb', 'empty-v17.dtb'];
    expect(same.map(({ file }) => file)).toEqual(files);
  });

  test('44 blobs: all but the one of version 1 are sound', () => {
    expect([blobs.length, sound.length, editable.length]).toEqual([44, 43, 41]);
    console.log(`fdt-ts good: ${blobs.length} blobs, ${sound.length} sound, 25 canonical`);
  });
});
