/** The handover tree: what fits, what is refused, and that no bytes at all make it throw. */
import * as fc from 'fast-check';
import { FdtEditor, FdtReader } from 'fdt-ts';
import { describe, expect, it } from 'vitest';
import { INTENDED } from '#src/kho/decisions';
import {
  acceptTree,
  addSubtree,
  createTree,
  removeSubtree,
  retrieveSubtree,
} from '#src/kho/handover-tree';

const COMPATIBLE = 'kho-v4';
const EEXIST = 17;
const ENOENT = 2;
const ENOMEM = 12;
const EINVAL = 22;

/** The chapter's formula: spec/handover-tree.ts. */
const pad4 = (bytes: number): number => Math.ceil(bytes / 4) * 4;
const FIXED_BYTES = 40 + 16 + (8 + 20 + 20 + 4 + 4) + (11 + 21 + 15 + 10);
const nodeBytes = (nameBytes: number): number => 4 + pad4(nameBytes + 1) + 40 + 4;
const room = (pageBytes: number, nameBytes: number): number =>
  Math.floor((pageBytes - FIXED_BYTES) / nodeBytes(nameBytes));

const fresh = (pageBytes = 4096): Uint8Array => {
  const page = new Uint8Array(pageBytes);
  createTree(page, COMPATIBLE, 0x1000);
  return page;
};

const totalSize = (page: Uint8Array): number =>
  new DataView(page.buffer, page.byteOffset).getUint32(4);

const used = (page: Uint8Array): string =>
  Buffer.from(page.subarray(0, totalSize(page))).toString('latin1');

const DIGITS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-._,=!#$%&*()<>';

/** A name of that length, another for every index. */
const nameOf = (length: number, index: number): string => {
  let name = '';
  for (let i = 0, rest = index; i < length; i++, rest = Math.floor(rest / DIGITS.length)) {
    name += DIGITS[rest % DIGITS.length]!;
  }
  return name;
};

const add = (page: Uint8Array, name: string, phys: number, bytes = 1): number =>
  addSubtree(page, name, phys, bytes, INTENDED);

/** Adds names of one length until the page refuses; answers how many it took. */
const fill = (page: Uint8Array, nameBytes: number): number => {
  for (let count = 0; ; count++) {
    const before = used(page);
    const value = add(page, nameOf(nameBytes, count), 0x1000 * (count + 1));
    if (value === 0) continue;
    expect(value).toBe(-ENOMEM);
    expect(used(page)).toBe(before);
    return count;
  }
};

describe('the page', () => {
  it.each([
    [3, 75],
    [7, 70],
    [8, 65],
    [15, 61],
    [31, 49],
  ])(
    'names exactly as many blobs with names of %i characters as kernels do: %i',
    (length, count) => {
      expect(fill(fresh(), length)).toBe(count);
      expect(room(4096, length)).toBe(count);
    },
  );

  it.each(Array.from({ length: 31 }, (_, i) => i + 1))(
    'takes as many names of %i characters as the law says, and then none',
    (length) => {
      expect(fill(fresh(), length)).toBe(room(4096, length));
    },
  );

  it.each([
    [16384, 7],
    [16384, 31],
    [65536, 31],
  ])('of %i bytes takes as many names of %i characters as the law says', (pageBytes, length) => {
    expect(fill(fresh(pageBytes), length)).toBe(room(pageBytes, length));
  });

  it('takes names of mixed lengths, the empty one too, exactly as long as they fit', () => {
    const lengths = fc.array(fc.integer({ min: 2, max: 31 }), { minLength: 90, maxLength: 90 });
    fc.assert(
      fc.property(lengths, fc.nat({ max: 89 }), (list, emptyAt) => {
        const page = fresh();
        let bytes = FIXED_BYTES;
        list.forEach((length, index) => {
          const name = index === emptyAt ? '' : nameOf(length, index);
          const fits = bytes + nodeBytes(name.length) <= 4096;
          const before = used(page);
          expect(add(page, name, 0x1000 * (index + 1))).toBe(fits ? 0 : -ENOMEM);
          if (fits) bytes += nodeBytes(name.length);
          else expect(used(page)).toBe(before);
          expect(totalSize(page)).toBe(bytes);
        });
      }),
      { numRuns: 20 },
    );
  });

  it('has the room of a removed blob again', () => {
    const page = fresh();
    const count = fill(page, 7);
    removeSubtree(page, 0x1000 * 3);
    expect(add(page, 'another', 0x9999000)).toBe(0);
    expect(add(page, 'one-too', 0x999a000)).toBe(-ENOMEM);
    expect(retrieveSubtree(page, nameOf(7, 2))).toBe(-ENOENT);
    expect(retrieveSubtree(page, nameOf(7, count - 1))).toEqual({ phys: 0x1000 * count, bytes: 1 });
  });
});

describe('names and blobs', () => {
  it('come and go as in a list that grows at its front', () => {
    const name = fc.constantFrom('a', 'ab', 'abc', 'LUO', 'kho_test', 'kexec-metadata');
    const step = fc.tuple(fc.boolean(), name, fc.nat({ max: 3 }), fc.nat());
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const page = fresh();
        let list: { name: string; phys: number; bytes: number }[] = [];
        for (const [adds, chosen, place, bytes] of steps) {
          const phys = place * 4096 + 2 ** 41;
          if (adds) {
            const before = used(page);
            const present = list.some((entry) => entry.name === chosen);
            expect(add(page, chosen, phys, bytes)).toBe(present ? -EEXIST : 0);
            if (present) expect(used(page)).toBe(before);
            else list = [{ name: chosen, phys, bytes }, ...list];
          } else {
            removeSubtree(page, phys);
            const at = list.findIndex((entry) => entry.phys === phys);
            if (at >= 0) list.splice(at, 1);
          }
          expect(namesOf(page)).toEqual(list.map((entry) => entry.name));
          for (const entry of list) {
            expect(retrieveSubtree(page, entry.name)).toEqual({
              phys: entry.phys,
              bytes: entry.bytes,
            });
          }
        }
        expect(acceptTree(page, COMPATIBLE, INTENDED)).toBe(0x1000);
      }),
      { numRuns: 60 },
    );
  });

  it('are answered with -EINVAL when a property is missing or not eight bytes long', () => {
    for (const property of ['preserved-data', 'blob-size']) {
      for (let length = -1; length <= 24; length++) {
        const page = fresh();
        add(page, 'blob', 0x5000, 9);
        const tree = FdtEditor.openInto(page, page);
        const node = tree.subnodeOffset(0, 'blob')!;
        if (length < 0) tree.deleteProperty(node, property);
        else tree.setProperty(node, property, new Uint8Array(length));
        tree.pack();
        const found = retrieveSubtree(page, 'blob');
        if (length === 8) expect(typeof found).toBe('object');
        else expect([property, length, found]).toEqual([property, length, -EINVAL]);
      }
    }
  });
});

describe('an incoming tree', () => {
  it('is refused with another ABI, and with a memory map that is absent, zero or not a u64', () => {
    expect(acceptTree(fresh(), COMPATIBLE, INTENDED)).toBe(0x1000);
    for (const other of ['kho-v3', 'kho-v5', 'kho-v', 'kho-v40']) {
      expect(acceptTree(fresh(), other, INTENDED)).toBe(undefined);
    }
    for (const length of [-1, 0, 4, 7, 8, 9, 16]) {
      const page = fresh();
      const tree = FdtEditor.openInto(page, page);
      if (length < 0) tree.deleteProperty(0, 'preserved-memory-map');
      else
        tree.setProperty(
          0,
          'preserved-memory-map',
          new Uint8Array(length).fill(length === 8 ? 0 : 1),
        );
      tree.pack();
      expect(acceptTree(page, COMPATIBLE, INTENDED)).toBe(undefined);
    }
  });

  it('never makes anything throw, whichever byte is damaged', () => {
    const good = fresh();
    ['kexec-metadata', 'LUO', 'a-name'].forEach((name, i) => add(good, name, 0x1000 * i, 73));
    removeSubtree(good, 0x1000);
    const size = totalSize(good);
    for (let at = 0; at < good.length; at++) {
      for (const flip of at < size ? [0x01, 0xff] : [0xff]) {
        const page = good.slice();
        page[at]! ^= flip;
        useAll(page);
      }
    }
  });

  it('never makes anything throw, whatever the bytes are', () => {
    const good = fresh();
    ['kexec-metadata', 'LUO', 'a-name'].forEach((name, i) => add(good, name, 0x1000 * i, 73));
    const size = totalSize(good);
    const word = fc.oneof(fc.nat({ max: 16 }), fc.nat({ max: 5000 }), fc.nat({ max: 0xffffffff }));
    const damage = fc.array(fc.tuple(fc.nat({ max: size >> 2 }), word), {
      minLength: 1,
      maxLength: 4,
    });
    fc.assert(
      fc.property(damage, (words) => {
        const page = good.slice();
        const view = new DataView(page.buffer);
        for (const [at, value] of words) view.setUint32(at * 4, value);
        useAll(page);
      }),
      { numRuns: 1000 },
    );
    fc.assert(fc.property(fc.uint8Array({ minLength: 64, maxLength: 256 }), useAll));
    useAll(new Uint8Array(4096));
    useAll(new Uint8Array(4096).fill(0xff));
  });
});

/** Every use of a tree, each on a copy; the test is that all of them answer. */
const useAll = (page: Uint8Array): void => {
  const map = acceptTree(page.slice(), COMPATIBLE, INTENDED);
  expect(map === undefined || map > 0).toBe(true);
  for (const name of ['LUO', 'nobody', '']) {
    const found = retrieveSubtree(page.slice(), name);
    expect(typeof found === 'object' || found === -ENOENT || found === -EINVAL).toBe(true);
  }
  removeSubtree(page.slice(), 0x2000);
  removeSubtree(page.slice(), 0x7777);
  const added = add(page.slice(), 'new', 0x8000);
  expect([0, -EEXIST, -ENOMEM]).toContain(added);
};

const namesOf = (page: Uint8Array): string[] => {
  const tree = new FdtReader(page);
  const names: string[] = [];
  for (let node = tree.firstSubnode(0); node !== undefined; node = tree.nextSubnode(node)) {
    names.push(tree.name(node));
  }
  return names;
};
