/** Chunk lists of 6.16 to 7.0: read exactly, told apart, and never trusted. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readArchive } from '#src/abi/decode/archive';
import type { Frames } from '#src/abi/decode/frames';
import { decodeHandover } from '#src/abi/decode/handover';
import { guessFormat, readTracker } from '#src/abi/decode/tracker';
import {
  CHUNK,
  PAGE_BITMAPS,
  SMALL_BITMAPS,
  bitmapBits,
  bitmapBytes,
  chunkEntries,
} from '#src/abi/description/chunk-list';
import type { ChunkFormat } from '#src/abi/description/generation';
import { PAGE_SHIFTS } from '#src/abi/description/page-size';
import { ALL_CAPTURES, asSet, capture, kernelOf, putU64 } from './captures.ts';

type Block = readonly [pfn: number, order: number];

const FORMATS = [SMALL_BITMAPS, PAGE_BITMAPS];

/** Pages that a test wrote. */
class Memory implements Frames {
  readonly pages = new Map<number, Uint8Array>();
  /** Address of the next object that is asked for. */
  private next = 0x100000;

  readonly pageShift: number;

  constructor(pageShift: number) {
    this.pageShift = pageShift;
  }

  page(pfn: number): Uint8Array | undefined {
    return this.pages.get(pfn);
  }

  /** Address of so many bytes of zeros, aligned to themselves. */
  take(bytes: number): number {
    const at = Math.ceil(this.next / bytes) * bytes;
    this.next = at + bytes;
    const page = 2 ** this.pageShift;
    for (let pfn = Math.floor(at / page); pfn * page < at + bytes; pfn++) {
      if (!this.pages.has(pfn)) this.pages.set(pfn, new Uint8Array(page));
    }
    return at;
  }

  /** The bytes from an address to the end of its page. */
  at(phys: number): Uint8Array {
    const page = 2 ** this.pageShift;
    return this.pages.get(Math.floor(phys / page))!.subarray(phys % page);
  }
}

const putU32 = (bytes: Uint8Array, offset: number, value: number): void =>
  new DataView(bytes.buffer, bytes.byteOffset).setUint32(offset, value, true);

/** A list as a kernel of the format writes it: one chunk or more for every order. */
const write = (memory: Memory, format: ChunkFormat, blocks: readonly Block[]): number => {
  const bits = bitmapBits(format, memory.pageShift);
  const bytes = bitmapBytes(format, memory.pageShift);
  let first = 0;
  let last = 0;
  const add = (order: number): number => {
    const chunk = memory.take(2 ** memory.pageShift);
    putU32(memory.at(chunk), CHUNK.order, order);
    if (last !== 0) putU64(memory.at(last), CHUNK.next, chunk);
    last = chunk;
    first ||= chunk;
    return chunk;
  };
  for (const order of [...new Set(blocks.map(([, each]) => each))].sort((a, b) => a - b)) {
    const maps = new Map<number, number[]>();
    for (const [pfn] of blocks.filter(([, each]) => each === order)) {
      const index = pfn / 2 ** order;
      const map = maps.get(Math.floor(index / bits)) ?? [];
      maps.set(Math.floor(index / bits), [...map, index % bits]);
    }
    let used = chunkEntries(memory.pageShift);
    for (const [index, set] of [...maps].sort(([a], [b]) => a - b)) {
      if (used === chunkEntries(memory.pageShift)) {
        add(order);
        used = 0;
      }
      const bitmap = memory.take(bytes);
      for (const bit of set) memory.at(bitmap)[bit >> 3]! |= 1 << (bit & 7);
      const entry = memory.at(last + CHUNK.entries + used * CHUNK.entryBytes);
      putU64(entry, CHUNK.start, index * bits * 2 ** (order + memory.pageShift));
      putU64(entry, CHUNK.bitmap, bitmap);
      putU32(memory.at(last), CHUNK.count, ++used);
    }
  }
  return first;
};

const BLOCKS = fc.uniqueArray(
  fc.tuple(fc.integer({ min: 0, max: 10 }), fc.integer({ min: 0, max: 2 ** 24 })),
  { maxLength: 40, selector: ([order, index]) => `${order} ${index}` },
);

const start = (phys: number) => ({ phys, ranges: [] });

describe.each(PAGE_SHIFTS)('on pages of 2^%i bytes', (pageShift) => {
  it.each(FORMATS)('a list with bitmaps of $bitmapBytes is what was written', (format) => {
    fc.assert(
      fc.property(BLOCKS, (drawn) => {
        const blocks = drawn.map(([order, index]): Block => [index * 2 ** order, order]);
        const memory = new Memory(pageShift);
        const content = readTracker(memory, format, start(write(memory, format, blocks)));
        expect(content.damage).toEqual([]);
        const expected = blocks.map(([pfn, order]) => ({ phys: pfn * 2 ** pageShift, order }));
        expect(asSet(content.preserved)).toEqual(asSet(expected));
      }),
      { numRuns: 60, seed: 1 },
    );
  });

  it('a list with more entries than a chunk holds goes on in the next', () => {
    const bits = bitmapBits(SMALL_BITMAPS, pageShift);
    const count = chunkEntries(pageShift) + 3;
    const blocks = Array.from({ length: count }, (_, i): Block => [i * bits, 0]);
    const memory = new Memory(pageShift);
    const first = write(memory, SMALL_BITMAPS, blocks);
    const { preserved, trackerPages, damage } = readTracker(memory, SMALL_BITMAPS, start(first));
    expect(damage).toEqual([]);
    expect(preserved).toHaveLength(count);
    expect(trackerPages.filter(({ level }) => level === 1)).toHaveLength(2);
  });

  it('the length of bitmaps is told by where they lie', () => {
    const blocks = Array.from({ length: 12 }, (_, i): Block => [i * 5000 * 2 ** i, i]);
    for (const format of FORMATS) {
      const memory = new Memory(pageShift);
      const first = start(write(memory, format, blocks));
      expect(guessFormat(memory, FORMATS, first)).toBe(format);
    }
  });
});

describe('what 6.17 makes of longer bitmaps', () => {
  const mine = ALL_CAPTURES.filter((each) => ['6.18', '6.19', '7.0'].includes(kernelOf(each)));

  it.each(mine.map((each) => [each.name, each] as const))(
    'loses the right keys of %s',
    (_, each) => {
      const memory = readArchive(each.file('pages.bin.zst'), undefined, each.name);
      const { preserved } = readTracker(memory, SMALL_BITMAPS, start(each.expected.map), true);
      const bits = bitmapBits(PAGE_BITMAPS, memory.pageShift);
      const kept = each.expected.ranges.filter(
        ([phys, order]) => Math.floor(phys / 2 ** (memory.pageShift + order)) % bits < 4096,
      );
      expect(asSet(preserved)).toEqual(asSet(kept.map(([phys, order]) => ({ phys, order }))));
    },
  );
});

describe('a list that cannot be one', () => {
  const BLOCKS_HERE: readonly Block[] = [
    [5, 0],
    [9000, 0],
    [64, 4],
  ];
  /** What is said about a list after a change, read with bitmaps of one page. */
  const damageOf = (change: (memory: Memory, first: number) => void): string[] => {
    const memory = new Memory(12);
    const first = write(memory, PAGE_BITMAPS, BLOCKS_HERE);
    change(memory, first);
    const { damage } = readTracker(memory, PAGE_BITMAPS, start(first));
    return damage.map(({ where, what }) => `${where} ${what}`);
  };
  const entry = CHUNK.entries;

  it('is not a healthy one', () => {
    expect(damageOf(() => {})).toEqual([]);
  });

  it('closes a cycle, at once or later', () => {
    const self = damageOf((memory, first) => putU64(memory.at(first), CHUNK.next, first));
    expect(self.join()).toMatch(/^tracker\(chunk 0x\w+\) points to 0x\w+, which closes a cycle$/);
    const later = damageOf((memory, first) => {
      const second = new DataView(memory.at(first).buffer).getBigUint64(CHUNK.next, true);
      putU64(memory.at(Number(second)), CHUNK.next, first);
    });
    expect(later.join()).toContain('closes a cycle');
  });

  it('has more entries than its page', () => {
    for (const count of [256, 0x7fffffff, 0xffffffff]) {
      const damage = damageOf((memory, first) => putU32(memory.at(first), CHUNK.count, count));
      expect(damage[0]).toContain(`says it has ${count} entries, but has room for 255`);
    }
  });

  it('has blocks of an order that no machine has', () => {
    for (const order of [41, 64, 0xffffffff]) {
      const damage = damageOf((memory, first) => putU32(memory.at(first), CHUNK.order, order));
      expect(damage[0]).toContain(`of order ${order}, which no machine has`);
    }
  });

  it('points where nothing is, or nothing can be', () => {
    const to = (field: number, value: number): string =>
      damageOf((memory, first) => putU64(memory.at(first), field, value)).join();
    expect(to(CHUNK.next, 0x7f000000)).toContain('a page that is not there');
    expect(to(CHUNK.next, 0x7f000010)).toContain('not aligned to a page');
    expect(to(CHUNK.next, 2 ** 60)).toContain('beyond what a machine can address');
    expect(to(entry + CHUNK.bitmap, 0x7f000000)).toContain('4096 bytes that are not there');
    expect(to(entry + CHUNK.bitmap, 0x7f000200)).toContain('not aligned to 4096 bytes');
    expect(to(entry + CHUNK.bitmap, 2 ** 60)).toContain('beyond what a machine can address');
    expect(to(entry + CHUNK.start, 0x1000)).toContain('begins at 0x1000, no multiple of 0x8000000');
    expect(to(entry + CHUNK.start, 2 ** 60)).toContain('begins at');
    expect(to(entry + CHUNK.start, 2 ** 52 - 2 ** 27)).toBe('');
  });

  it('has a bitmap twice', () => {
    const damage = damageOf((memory, first) => {
      const at = memory.at(first);
      at.copyWithin(entry + CHUNK.entryBytes, entry, entry + CHUNK.entryBytes);
      putU32(at, CHUNK.count, 2);
    });
    expect(damage.join()).toContain('which the list already holds elsewhere');
  });

  it('has a chunk among its bitmaps', () => {
    const damage = damageOf((memory, first) =>
      putU64(memory.at(first), entry + CHUNK.bitmap, first),
    );
    expect(damage.join()).toContain('is a bitmap as well');
  });

  it.each([
    [0x00, 'more bitmaps than can be looked at'],
    [0xff, 'more blocks than can be looked at'],
  ])('goes on and on with bitmaps of bytes %i', (fill, told) => {
    const bitmap = new Uint8Array(65536).fill(fill);
    const frames: Frames = {
      pageShift: 16,
      page: (pfn) => {
        if (pfn % 4096 !== 0) return bitmap;
        const page = new Uint8Array(65536);
        putU64(page, CHUNK.next, (pfn + 4096) * 65536);
        putU32(page, CHUNK.count, 4095);
        for (let i = 0; i < 4095; i++) {
          putU64(page, CHUNK.entries + i * CHUNK.entryBytes + CHUNK.bitmap, (pfn + i + 1) * 65536);
        }
        return page;
      },
    };
    const { damage } = readTracker(frames, PAGE_BITMAPS, start(65536 * 4096));
    expect(damage.map(({ what }) => what).join()).toContain(told);
  });
});

describe.each(['k6.17.13-n1-256M/gen0', 'k6.18.15-n1-256M/gen0', 'a64-64k-k6.18.15-n1-1G/gen1'])(
  '%s with any byte of its tracker changed',
  (name) => {
    const each = capture(name);
    const memory = readArchive(each.file('pages.bin.zst'), undefined, name);
    const { fdt_phys: fdt, ranges, nodes } = each.expected;
    const healthy = asSet(ranges.map(([phys, order]) => ({ phys, order })));
    const chunks = nodes.filter(([, level]) => level === 1).map(([phys]) => phys);

    it('reads as something else, says so, or is not concerned', () => {
      let told = 0;
      for (const chunk of chunks) {
        const pfn = chunk / 2 ** memory.pageShift;
        const page = memory.page(pfn)!.slice();
        const frames: Frames = {
          pageShift: memory.pageShift,
          page: (at) => (at === pfn ? page : memory.page(at)),
        };
        for (let byte = 0; byte < 64; byte++) {
          page[byte]! ^= 0xff;
          const { preserved, damage } = decodeHandover(frames, { fdt });
          page[byte]! ^= 0xff;
          if (damage.length > 0) told++;
          else if (byte < 16) expect([byte, asSet(preserved)]).not.toEqual([byte, healthy]);
        }
      }
      expect(told).toBeGreaterThan(10 * chunks.length);
    });
  },
);
