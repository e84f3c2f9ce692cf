/** Early memory: HugeTLB pages beside scratch, and blocks by which scratch may be widened. */
import { describe, expect, it } from 'vitest';
import { RangeList } from '#model/call';
import { buildMachine } from '#model/machines';
import type { MachineShape } from '#model/machines';
import { INTENDED } from '#src/kho/decisions';
import type { Decisions } from '#src/kho/decisions';
import { ReservedBytes, blocksToWiden, takeHugePages } from '#src/kho/early-memory';
import { Memblock } from '#src/kho/memblock';
import { PhysicalMemory } from '#src/kho/physical-memory';
import { RadixTracker } from '#src/kho/radix-tracker';
import { Topology } from '#src/kho/topology';

const SHAPE: MachineShape = {
  pageShift: 12,
  nodes: [0x2000, 0, 0x2000],
  scratch: { lowmem: 0x400, global: 0x400, perNode: 0x400 },
  widenFrames: 0x800,
  hugePages: { order: 8, count: 2 },
};
const ROOT = 7;

/** A machine with a tracker whose pages lie from `pages` on, and one block that is preserved. */
const hosted = (pages: number, pfn: number, order: number, changes: Partial<Decisions> = {}) => {
  const machine = buildMachine(SHAPE);
  const topology = new Topology(machine);
  const memory = new PhysicalMemory(machine.pageShift);
  const decisions = { ...INTENDED, ...changes };
  memory.zeroPage(ROOT);
  let next = pages;
  const source = {
    takePage: (): number => {
      memory.zeroPage(next);
      return next++;
    },
    givePage: (): void => {},
  };
  new RadixTracker(memory, ROOT, decisions).add(pfn, order, source);
  return { machine, topology, memory, decisions };
};

const widened = (...args: Parameters<typeof hosted>): string[] => {
  const { machine, topology, memory, decisions } = hosted(...args);
  return blocksToWiden(machine, topology, memory, ROOT, decisions).map(
    ({ first, end }) => `${first.toString(16)}-${end.toString(16)}`,
  );
};

describe('scratch is widened', () => {
  it('by every block without a page of the tracker or of what is preserved, highest first', () => {
    expect(widened(0x900, 0x1fff, 0)).toEqual(['2000-4000', '1000-1800']);
    expect(widened(0x900, 0x3000, 0)).toEqual(['3800-4000', '2000-3000', '1000-2000']);
  });

  it('by none of the blocks that a large preserved block covers', () => {
    expect(widened(8, 0x1000, 12)).toEqual(['2000-4000', '800-1000']);
  });

  it('over the tracker only if that is decided', () => {
    expect(widened(0x900, 0x3000, 0, { widensAroundTracker: false })).toEqual([
      '3800-4000',
      '2000-3000',
      '0-2000',
    ]);
    expect(widened(8, 0x1000, 0, { widensAroundPreserved: false })).toEqual([
      '2000-4000',
      '800-2000',
    ]);
  });
});

/** First frames of the HugeTLB pages that are had when so much is permitted and is scratch. */
const huge = (
  permitted: readonly (readonly [number, number])[],
  scratch: readonly (readonly [number, number])[],
  changes: Partial<Decisions> = {},
): number[] => {
  const memblock = new Memblock();
  memblock.reserve(0x3f00, 1);
  const answer = { early: new RangeList(), huge: new RangeList() };
  takeHugePages(
    hosted(8, 0, 0, changes),
    memblock,
    permitted.map(([first, end]) => ({ first, end })),
    scratch.map(([first, count]) => ({ first, count })),
    answer,
  );
  expect(answer.early.length).toBe(answer.huge.length);
  const pages = Array.from({ length: answer.huge.length }, (_, i) => answer.huge.first(i));
  for (const first of pages) expect(memblock.reserved.touches(first, first + 0x100)).toBe(true);
  return pages;
};

describe('HugeTLB pages of boot', () => {
  it('are aligned to their size, and beside what is reserved', () => {
    expect(huge([[0x2000, 0x4000]], [])).toEqual([0x3e00, 0x3d00]);
    expect(huge([[0x3e01, 0x3fff]], [])).toEqual([]);
  });

  it('are never in scratch, and fewer where there is nothing else', () => {
    expect(huge([[0x3c00, 0x4000]], [[0x3c00, 0x200]])).toEqual([0x3e00]);
    expect(huge([], [[0x800, 0x400]])).toEqual([]);
    const inScratch = { hugePagesOutsideScratch: false };
    expect(huge([], [[0x800, 0x400]], inScratch)).toEqual([0xb00, 0xa00]);
  });
});

describe('what was reserved', () => {
  it('counts for the node that it lies on, and as low memory below the border', () => {
    const machine = buildMachine({ ...SHAPE, lowFrames: 0x1001 });
    const bytes = new ReservedBytes(new Topology(machine));
    bytes.add(0x1000 * 4096, 8192);
    bytes.add(0x1fff * 4096, 8192);
    bytes.addRegions([{ name: 'a', start: 100, bytes: 5 }]);
    expect(bytes.perNode).toEqual([3 * 4096 + 5, 0, 4096]);
    expect([bytes.low, bytes.total]).toEqual([4096 + 5, 4 * 4096 + 5]);
    const memblock = new Memblock();
    memblock.reserve(0x2000, 3);
    bytes.addReserved(memblock);
    expect(bytes.perNode[2]).toBe(4 * 4096);
  });
});
