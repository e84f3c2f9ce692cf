/** What the bytes of a handover are, told on captures of real kernels. */
import { describe, expect, it } from 'vitest';
import { readArchive } from '#src/abi/decode/archive';
import { fieldsOf } from '#src/abi/decode/fields';
import type { Field } from '#src/abi/decode/fields';
import { decodeArchive } from '#src/abi/decode/find-root';
import { capture, kernelOf } from './captures.ts';

const read = (name: string) => {
  const each = capture(name);
  const archive = readArchive(each.file('pages.bin.zst'), undefined, name);
  const handover = decodeArchive(archive).handover!;
  const scratchBytes = handover.scratch.length * 16;
  const { scratchArray, fdt } = handover;
  const pointers = { fdt: fdt!, scratchArray, scratchBytes, writer: kernelOf(each) };
  return { archive, handover, fields: fieldsOf(archive, pointers) };
};

const named = (fields: readonly Field[], part: string, name: string): readonly Field[] =>
  fields.filter((field) => field.part === part && field.name === name);

const sum = (fields: readonly Field[]): number => fields.reduce((all, { bytes }) => all + bytes, 0);

describe('the fields of a handover of 7.3.4', () => {
  const { archive, handover, fields } = read('k7.3.4-n2-512M-fixed/gen1');

  it('lie inside their pages and do not overlap', () => {
    const taken = new Set<string>();
    for (const { pfn, at, bytes } of fields) {
      expect(at >= 0 && bytes > 0 && at + bytes <= 4096).toBe(true);
      for (let i = at; i < at + bytes; i++) {
        expect(taken.has(`${pfn} ${i}`)).toBe(false);
        taken.add(`${pfn} ${i}`);
      }
    }
  });

  it('cover every byte of the root, of blobs and of the tracker', () => {
    const bytesOf = (part: string): number => sum(fields.filter((field) => field.part === part));
    expect(bytesOf('root')).toBe(4096);
    for (const { name } of handover.subtrees) expect(bytesOf(name)).toBe(4096);
    expect(bytesOf('tracker')).toBe(4096 * handover.trackerPages.length);
    expect(bytesOf('scratch array')).toBe(16 * handover.scratch.length);
  });

  it('hold what their names say', () => {
    const [map] = named(fields, 'root', 'preserved-memory-map');
    const page = archive.page(map!.pfn)!;
    const view = new DataView(page.buffer, page.byteOffset);
    expect(map!.bytes).toBe(8);
    expect(Number(view.getBigUint64(map!.at, true))).toBe(handover.tracker);
    const addresses = named(fields, 'root', 'preserved-data').map(({ at }) =>
      Number(view.getBigUint64(at, true)),
    );
    expect(addresses.sort((a, b) => a - b)).toEqual(
      handover.subtrees.map(({ phys }) => phys).sort((a, b) => a - b),
    );
    expect(sum(named(fields, 'root', 'compatible'))).toBe('kho-v4'.length + 1);
    expect(sum(named(fields, 'root', 'header'))).toBe(40);
    expect(sum(named(fields, 'kexec-metadata', 'kexec_count'))).toBe(4);
  });
});

describe('the fields of a handover of 6.17.13', () => {
  const { handover, fields } = read('k6.17.13-n1-256M/gen1');

  it('tell chunks from bitmaps of 512 bytes', () => {
    const chunks = handover.trackerPages.filter(({ level }) => level > 0).length;
    const bitmaps = handover.trackerPages.length - chunks;
    expect(sum(named(fields, 'tracker', 'next chunk'))).toBe(8 * chunks);
    expect(sum(named(fields, 'tracker', 'address of a bitmap'))).toBe(8 * bitmaps);
    const bits = [...named(fields, 'tracker', 'bits'), ...named(fields, 'tracker', 'zero bits')];
    expect(sum(bits)).toBe(512 * bitmaps);
  });
});
