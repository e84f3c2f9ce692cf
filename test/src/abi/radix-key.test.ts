/** Keys of the radix tracker and the shapes of its tree. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeKey,
  encodeKey,
  leafBit,
  radixGeometry,
  tableSlot,
  topBit,
} from '#src/abi/description/radix-key';
import { PAGE_SHIFTS, pageShiftOf } from '#src/abi/description/page-size';

describe('the shape of the tree', () => {
  it.each([
    [12, 53, 15, 9, 6],
    [14, 51, 17, 11, 5],
    [16, 49, 19, 13, 4],
  ])('is the kernel’s for pages of 2^%i bytes', (shift, keyBits, leafBits, tableBits, depth) => {
    expect(radixGeometry(shift)).toEqual({ pageShift: shift, keyBits, leafBits, tableBits, depth });
    expect(radixGeometry(shift)).toBe(radixGeometry(shift));
    expect(pageShiftOf(2 ** shift)).toBe(shift);
  });

  it.each([0, 11, 13, 15, 17, NaN])('is unknown for 2^%s', (shift) => {
    expect(() => radixGeometry(shift)).toThrow(RangeError);
  });
});

const shifts = fc.constantFrom(...PAGE_SHIFTS);

/** A page size and a block on it, anywhere in 64 bits of address. */
const blocks = shifts.chain((shift) =>
  fc.record({
    geometry: fc.constant(radixGeometry(shift)),
    order: fc.nat({ max: 64 - shift }),
    seed: fc.maxSafeNat(),
  }),
);

describe('a key', () => {
  it('names one block and is a safe integer', () => {
    fc.assert(
      fc.property(blocks, ({ geometry, order, seed }) => {
        const numbers = 2 ** (64 - geometry.pageShift - order);
        const pfn = Math.floor((seed / 2 ** 53) * numbers) * 2 ** order;
        const key = encodeKey(geometry, pfn, order);
        expect(Number.isSafeInteger(key)).toBe(true);
        expect(key).toBeLessThan(2 ** geometry.keyBits);
        expect(decodeKey(geometry, key)).toEqual({ pfn, order });
      }),
    );
  });

  it('is what wide integers say it is', () => {
    fc.assert(
      fc.property(
        shifts,
        fc.nat({ max: 20 }),
        fc.nat({ max: 2 ** 28 - 1 }),
        (shift, order, block) => {
          const geometry = radixGeometry(shift);
          const phys = BigInt(block) << BigInt(shift + order);
          const wide = (1n << BigInt(64 - shift - order)) | (phys >> BigInt(shift + order));
          const key = encodeKey(geometry, block * 2 ** order, order);
          expect(BigInt(key)).toBe(wide);
          for (let level = 1; level < geometry.depth; level++) {
            const below = BigInt((level - 1) * geometry.tableBits + geometry.leafBits);
            const slot = (wide >> below) & BigInt(2 ** geometry.tableBits - 1);
            expect(BigInt(tableSlot(geometry, key, level))).toBe(slot);
          }
          expect(BigInt(leafBit(geometry, key))).toBe(wide & BigInt(2 ** geometry.leafBits - 1));
        },
      ),
    );
  });

  it('of the same bytes is the same on every page size', () => {
    const small = encodeKey(radixGeometry(12), 0x4850 * 16, 4);
    expect(encodeKey(radixGeometry(16), 0x4850, 0)).toBe(small);
  });

  it('is found at both ends of the range', () => {
    const geometry = radixGeometry(12);
    expect(encodeKey(geometry, 0, 0)).toBe(2 ** 52);
    expect(encodeKey(geometry, 2 ** 52 - 1, 0)).toBe(2 ** 53 - 1);
    expect(decodeKey(geometry, 1)).toEqual({ pfn: 0, order: 52 });
    expect(topBit(2 ** 53 - 1)).toBe(52);
    expect(topBit(2 ** 32)).toBe(32);
    expect(topBit(2 ** 32 - 1)).toBe(31);
  });

  it.each([0, -1, 0.5, NaN, Infinity, 2 ** 53])('is not %s', (key) => {
    expect(decodeKey(radixGeometry(12), key)).toBeUndefined();
    expect(decodeKey(radixGeometry(16), key)).toBeUndefined();
  });

  it('is not wider than the tree', () => {
    expect(decodeKey(radixGeometry(16), 2 ** 49)).toBeUndefined();
    expect(decodeKey(radixGeometry(16), 2 ** 49 - 1)).toBeDefined();
  });
});
