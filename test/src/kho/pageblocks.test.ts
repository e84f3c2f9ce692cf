/** Migrate types follow from where scratch lies, in one phase of boot or in two. */
import { describe, expect, it } from 'vitest';
import { buildMachine } from '#model/machines';
import type { Machine } from '#model/system';
import type { Platform } from '#src/kho/boot';
import { INTENDED } from '#src/kho/decisions';
import type { Decisions } from '#src/kho/decisions';
import {
  MIGRATE_CMA,
  MIGRATE_MOVABLE,
  MIGRATE_UNMOVABLE,
  initialisePageblocks,
} from '#src/kho/pageblocks';
import type { MigrateTypes } from '#src/kho/pageblocks';
import { PageAllocator } from '#src/kho/page-allocator';
import { PhysicalMemory } from '#src/kho/physical-memory';
import { Topology } from '#src/kho/topology';

const BLOCK = 512;
const AREAS = [
  { first: 2048, count: 1024 },
  { first: 0, count: 0 },
  { first: 12288, count: 2048 },
];

const machineOf = (deferredInit: boolean): Machine =>
  buildMachine({
    pageShift: 12,
    nodes: [8201, 8183],
    scratch: { lowmem: 1024, global: 0, perNode: 2048 },
    ...(deferredInit ? { deferredInit } : {}),
  });

const typesOf = (
  revived: boolean,
  deferred: boolean,
  overrides: Partial<Decisions> = {},
): MigrateTypes => {
  const machine = machineOf(deferred);
  const platform: Platform = {
    machine,
    topology: new Topology(machine),
    memory: new PhysicalMemory(12),
    decisions: { ...INTENDED, ...overrides },
    compatible: 'kho-v4',
    release: '7.3.4',
  };
  return initialisePageblocks(platform, AREAS, revived);
};

/** First frames of the CMA pageblocks. */
const cmaOf = (types: MigrateTypes): number[] => {
  const found: number[] = [];
  for (let pfn = 0; pfn < 16384; pfn += BLOCK) {
    if (types.typeOf(pfn) === MIGRATE_CMA) found.push(pfn);
  }
  return found;
};

const SCRATCH = [2048, 2560, 12288, 12800, 13312, 13824];

describe('pageblocks', () => {
  it.each([
    ['cold', 'at once', false, false],
    ['cold', 'in two phases', false, true],
    ['KHO', 'at once', true, false],
    ['KHO', 'in two phases', true, true],
  ])('of a %s boot that sets them up %s are CMA in scratch alone', (_a, _b, revived, deferred) => {
    const types = typesOf(revived, deferred);
    expect(cmaOf(types)).toEqual(SCRATCH);
    expect([2047, 3072, 8200, 8201, 16383].map((pfn) => types.typeOf(pfn))).toEqual([
      MIGRATE_MOVABLE,
      MIGRATE_MOVABLE,
      MIGRATE_MOVABLE,
      MIGRATE_MOVABLE,
      MIGRATE_MOVABLE,
    ]);
    expect(types.typeOf(16384)).toBe(-1);
    expect([types.cma.first(0), types.cma.end(0), types.cma.length]).toEqual([2048, 3072, 2]);
  });

  it('lose their type where a second phase does not ask', () => {
    const forgets = { deferredInitAsksForScratch: false };
    expect(cmaOf(typesOf(true, true, forgets))).toEqual([2048]);
    expect(cmaOf(typesOf(true, false, forgets))).toEqual(SCRATCH);
    expect(cmaOf(typesOf(false, true, forgets))).toEqual(SCRATCH);
  });

  it('are as large as a page of page tables maps, and no larger than the largest block', () => {
    for (const [pageShift, frames] of [
      [12, 512],
      [14, 2048],
      [16, 8192],
    ] as const) {
      const scratch = { lowmem: 8192, global: 0, perNode: 0 };
      const machine = buildMachine({ pageShift, nodes: [2 ** 20], scratch });
      const topology = new Topology(machine);
      const memory = new PhysicalMemory(pageShift);
      const platform = { machine, topology, memory, decisions: INTENDED };
      const full: Platform = { ...platform, compatible: '', release: '' };
      expect(initialisePageblocks(full, [], false).size).toBe(frames);
    }
  });

  it('that were free as a whole take the type of who claims them, CMA excepted', () => {
    const types = typesOf(false, false);
    const topology = new Topology(machineOf(false));
    const allocator = new PageAllocator(topology, types.cma, true, types);
    allocator.addFree(0, 8192);
    const unmovable = allocator.allocate(0, 0, false, false);
    expect(types.typeOf(unmovable)).toBe(MIGRATE_UNMOVABLE);
    expect(types.typeOf(allocator.allocate(0, 0, true, true))).toBe(MIGRATE_CMA);
    allocator.free(unmovable, 0);
    expect(types.typeOf(allocator.allocate(10, 0, true, false))).toBe(MIGRATE_MOVABLE);
    expect(cmaOf(types)).toEqual(SCRATCH);
  });
});
