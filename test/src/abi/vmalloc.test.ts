/** Lists of vmalloc areas are read to their end, and damaged ones up to the damage. */
import { describe, expect, it } from 'vitest';
import { readVmallocDescriptor, walkVmalloc } from '#src/abi/decode/vmalloc';

/** Memory of pages of 64-bit words; words that are not given are 0. */
const memory = (pageShift: number, pages: Readonly<Record<number, readonly number[]>>) => ({
  pageShift,
  page: (pfn: number) => {
    const words = pages[pfn];
    if (words === undefined) return undefined;
    const page = new BigUint64Array(2 ** pageShift / 8);
    words.forEach((word, at) => void (page[at] = BigInt(word)));
    return new Uint8Array(page.buffer);
  },
});

const walk = (frames: ReturnType<typeof memory>, first: number) => {
  const chunks: [number, number][] = [];
  const blocks: number[] = [];
  const damage = walkVmalloc(frames, first, {
    chunk: (pfn, entries) => void chunks.push([pfn, entries]),
    block: (pfn) => void blocks.push(pfn),
  });
  return { chunks, blocks, damage };
};

/** Addresses of `count` frames from `first` on. */
const run = (first: number, count: number): number[] =>
  Array.from({ length: count }, (_, i) => (first + i) * 4096);

describe('the chunks of a vmalloc area', () => {
  it('are read in order; an entry of 0 ends a chunk', () => {
    const frames = memory(12, { 3: [0x5000, 0x9000, 0x7000, 0, 0x8000], 5: [0, 0x2000] });
    expect(walk(frames, 0x3000)).toEqual({
      chunks: [
        [3, 2],
        [5, 1],
      ],
      blocks: [9, 7, 2],
      damage: undefined,
    });
    expect(walk(frames, 0)).toEqual({ chunks: [], blocks: [], damage: undefined });
  });

  it.each([
    [12, 511],
    [14, 2047],
    [16, 8191],
  ])('of 2^%i bytes have room for %i entries', (pageShift, entries) => {
    const page = 2 ** pageShift;
    const full = Array.from({ length: entries }, (_, i) => (i + 100) * page);
    const frames = memory(pageShift, { 1: [2 * page, ...full], 2: [0] });
    const { chunks, blocks, damage } = walk(frames, page);
    expect(chunks).toEqual([
      [1, entries],
      [2, 0],
    ]);
    expect(blocks).toHaveLength(entries);
    expect(damage).toBeUndefined();
  });

  it('are told up to the damage', () => {
    expect(walk(memory(12, { 3: [0x3000, 0x9000] }), 0x3000)).toMatchObject({
      blocks: [9],
      damage: 'the chunk at 0x3000 is reached twice',
    });
    expect(walk(memory(12, { 3: [0x4000, ...run(8, 2)] }), 0x3000)).toMatchObject({
      blocks: [8, 9],
      damage: 'the chunk at 0x4000 is not there',
    });
    expect(walk(memory(12, { 3: [0x4010] }), 0x3000).damage).toBe('0x4010 is no chunk');
    expect(walk(memory(12, { 3: [2 ** 53] }), 0x3000).damage).toBe('0x20000000000000 is no chunk');
    expect(walk(memory(12, { 3: [0, 0x1000, 0x1234] }), 0x3000)).toMatchObject({
      blocks: [1],
      damage: 'the chunk at 0x3000 names 0x1234, which is no page',
    });
  });
});

describe('the descriptor of a vmalloc area', () => {
  it('is read from sixteen bytes', () => {
    const bytes = new Uint8Array(24);
    const view = new DataView(bytes.buffer);
    view.setBigUint64(8, 0x123456000n, true);
    view.setUint32(16, 513, true);
    view.setUint16(20, 3, true);
    view.setUint16(22, 9, true);
    const expected = { first: 0x123456000, totalPages: 513, flags: 3, order: 9 };
    expect(readVmallocDescriptor(bytes, 8)).toEqual(expected);
    expect(readVmallocDescriptor(bytes, 9)).toBe('fewer than 16 bytes are left');
  });
});
