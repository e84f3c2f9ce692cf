/**
 * What src/kho writes for older generations is, byte for byte, what real kernels of 6.17 to 7.2
 * wrote; it reads their handovers, and misreads foreign ones as they do.
 */
import { describe, expect, it } from 'vitest';
import { CHUNK, bitmapBytes, chunkEntries } from '#src/abi/description/chunk-list';
import type { ChunkFormat, Generation } from '#src/abi/description/generation';
import { generationById } from '#src/abi/description/generations';
import { FdtReader } from 'fdt-ts';
import { BitmapTracker, walkChunks } from '#src/kho/bitmap-tracker';
import type { Platform } from '#src/kho/boot';
import { INTENDED } from '#src/kho/decisions';
import { startTree } from '#src/kho/outgoing-tree';
import type { OutgoingTree } from '#src/kho/outgoing-tree';
import { PhysicalMemory, readU64 } from '#src/kho/physical-memory';
import type { PageSource } from '#src/kho/radix-tracker';
import { Topology } from '#src/kho/topology';
import { ALL_CAPTURES, kernelOf } from '../abi/captures.ts';
import type { Capture } from '../abi/captures.ts';
import { archiveOf, memoryOf } from './captured.ts';

const old = ALL_CAPTURES.filter((capture) => kernelOf(capture) !== '7.3');
const withLists = old.filter((capture) => formatOf(capture) !== undefined);

function formatOf(capture: Capture): ChunkFormat | undefined {
  const { tracker } = generationById(kernelOf(capture))!;
  return tracker.kind === 'chunks' ? tracker : undefined;
}

interface ListedBitmap {
  readonly order: number;
  readonly start: number;
  readonly bitmap: number;
}

/** Every chunk of a list, and every entry. */
const listOf = (memory: PhysicalMemory, first: number) => {
  const pageBytes = 2 ** memory.pageShift;
  const chunks: number[] = [];
  const entries: ListedBitmap[] = [];
  for (let chunk = first; chunk !== 0;) {
    chunks.push(chunk);
    const page = memory.page(chunk / pageBytes)!;
    const view = new DataView(page.buffer, page.byteOffset);
    const order = view.getUint32(CHUNK.order, true);
    for (let i = 0; i < view.getUint32(CHUNK.count, true); i++) {
      const at = CHUNK.entries + i * CHUNK.entryBytes;
      entries.push({ order, start: readU64(page, at), bitmap: readU64(page, at + CHUNK.bitmap) });
    }
    chunk = readU64(page, CHUNK.next);
  }
  return { chunks, entries };
};

const keysOf = (memory: PhysicalMemory, format: ChunkFormat, first: number) => {
  const keys: [number, number][] = [];
  walkChunks(memory, format, first, (pfn, order) =>
    keys.push([pfn * 2 ** memory.pageShift, order]),
  );
  return keys;
};

const sorted = (keys: readonly (readonly [number, number])[]) =>
  [...keys].sort(([a, m], [b, n]) => a - b || m - n);

/** Hands out these frames, then none. */
const handing = (frames: readonly number[]): PageSource => {
  const left = [...frames];
  return { takePage: () => left.shift() ?? -1, givePage: () => {} };
};

describe.each(withLists.map((capture) => [capture.name, capture] as const))('%s', (_, capture) => {
  const { expected } = capture;
  const format = formatOf(capture)!;
  const archive = archiveOf(capture);
  const memory = memoryOf(archive);
  const pageBytes = 2 ** archive.pageShift;

  it('has a list that is read as what was decoded', () => {
    expect(sorted(keysOf(memory, format, expected.map))).toEqual(sorted(expected.ranges));
  });

  it('has chunks that come out the same when its blocks are noted again', () => {
    const { chunks, entries } = listOf(memory, expected.map);
    const again = new PhysicalMemory(archive.pageShift);
    const tracker = new BitmapTracker(again, format);
    const spare = Array.from({ length: entries.length }, (_, i) => 2 ** 30 + i);
    const source = handing([...spare, ...chunks.map((chunk) => chunk / pageBytes)]);
    const perPage = pageBytes / bitmapBytes(format, archive.pageShift);
    const pages = Math.ceil(entries.length / perPage);
    for (const { order, start } of entries) {
      expect(tracker.add(start / pageBytes, order, source)).toBe(true);
      tracker.remove(start / pageBytes, order);
    }
    for (const [phys, order] of expected.ranges) tracker.add(phys / pageBytes, order, source);
    for (let i = pages; i < spare.length; i++) source.takePage();
    expect(tracker.write(source)).toBe(true);
    expect(tracker.root * pageBytes).toBe(chunks[0]);
    const ours = listOf(again, tracker.root * pageBytes);
    expect(ours.chunks).toEqual(chunks);
    expect(ours.entries.map(({ order, start }) => [order, start])).toEqual(
      entries.map(({ order, start }) => [order, start]),
    );
    const bytes = bitmapBytes(format, archive.pageShift);
    const bitmapAt = (of: PhysicalMemory, address: number): Uint8Array =>
      of
        .page(Math.floor(address / pageBytes))!
        .subarray(address % pageBytes)
        .subarray(0, bytes);
    entries.forEach(({ bitmap }, i) => {
      const same = Buffer.compare(
        bitmapAt(again, ours.entries[i]!.bitmap),
        bitmapAt(memory, bitmap),
      );
      expect([i, same]).toEqual([i, 0]);
    });
    chunks.forEach((chunk) => {
      const mine = again.page(chunk / pageBytes)!.slice();
      const theirs = memory.page(chunk / pageBytes)!.slice();
      for (const page of [mine, theirs]) {
        for (let i = 0; i < chunkEntries(archive.pageShift); i++) {
          const at = CHUNK.entries + i * CHUNK.entryBytes + CHUNK.bitmap;
          page.fill(0, at, at + 8);
        }
      }
      expect(Buffer.compare(mine, theirs)).toBe(0);
    });
  });
});

/** The tree of a kernel of some generation, on a machine of one page. */
const treeOf = (generation: Generation, memory: PhysicalMemory, map: number): OutgoingTree => {
  const machine = {
    pageShift: memory.pageShift,
    nodes: [{ first: 0, count: 1 }],
    end: 1,
    maxOrder: 0,
    scratch: { lowmem: 0, global: 0, perNode: 0 },
    scratchAlign: 1,
    lowmemEnd: 1,
    nameBytes: [],
  };
  const platform: Platform = {
    machine,
    topology: new Topology(machine),
    memory,
    decisions: INTENDED,
    compatible: generation.compatible,
    release: '',
    generation,
  };
  return startTree(platform, generation, 0, map);
};

describe.each(old.map((capture) => [capture.name, capture] as const))('%s', (_, capture) => {
  const generation = generationById(kernelOf(capture))!;
  const { expected } = capture;
  const captured = capture.file('final_fdt.bin');

  it('has a handover tree that the writer writes byte for byte', () => {
    const reader = new FdtReader(captured);
    const names = [...reader.subnodes(0)].map((node) => reader.name(node));
    const inPlace = generation.root.written === 'in-place';
    const memory = new PhysicalMemory(archiveOf(capture).pageShift);
    const tree = treeOf(
      generation,
      memory,
      inPlace && generation.tracker.kind !== 'radix' ? 0 : expected.map,
    );
    for (const name of inPlace ? names.reverse() : names) {
      const [phys, bytes] = expected.subs[name]!;
      expect(tree.add(name, phys, bytes)).toBe(0);
    }
    expect(tree.write(expected.map)).toBe(0);
    const size = new DataView(captured.buffer, captured.byteOffset).getUint32(4);
    expect([...memory.page(0)!.subarray(0, size)]).toEqual([...captured.subarray(0, size)]);
  });
});

describe('a list that another kernel wrote', () => {
  const small = generationById('6.17')!.tracker as ChunkFormat;
  const large = generationById('6.18')!.tracker as ChunkFormat;
  const written = (name: string) => {
    const capture = ALL_CAPTURES.find((each) => each.name === name)!;
    return { memory: memoryOf(archiveOf(capture)), expected: capture.expected };
  };

  it('loses exactly the blocks beyond the first 4096 of every run of 32768', () => {
    const { memory, expected } = written('k6.18.15-n1-256M/gen0');
    const read = keysOf(memory, small, expected.map);
    const left = expected.ranges.filter(
      ([phys, order]) => Math.floor(phys / 4096 / 2 ** order) % 32768 < 4096,
    );
    expect(left.length).toBeLessThan(expected.ranges.length);
    expect(sorted(read)).toEqual(sorted(left));
  });

  it('has more blocks than were preserved, where bitmaps share a page', () => {
    const { memory, expected } = written('k6.17.13-n1-256M/gen0');
    expect(keysOf(memory, large, expected.map).length).toBeGreaterThan(expected.ranges.length);
  });
});
