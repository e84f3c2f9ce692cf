/** The page allocator does what an array of frames does, and memory is whole again at the end. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { call } from '#model/call';
import type { Machine } from '#model/system';
import { KhoMachine } from '#src/kho/kho-machine';
import { PageAllocator } from '#src/kho/page-allocator';
import { RangeSet } from '#src/kho/range-set';
import { Topology } from '#src/kho/topology';

interface Shape {
  readonly maxOrder: number;
  /** Frames of every node, and of the hole before it. */
  readonly nodes: readonly (readonly [hole: number, frames: number])[];
  /** Ranges as fractions of memory, in 1/1000. */
  readonly scratch: readonly (readonly [number, number])[];
  readonly kept: readonly (readonly [number, number])[];
}

const machineOf = ({ maxOrder, nodes }: Shape): Machine => {
  let first = 0;
  const ranges = nodes.map(([hole, count]) => {
    const node = { first: first + hole, count };
    first += hole + count;
    return node;
  });
  return {
    pageShift: 12,
    nodes: ranges,
    end: first,
    maxOrder,
    scratch: { lowmem: 0, global: 0, perNode: 0 },
    scratchAlign: 1,
    lowmemEnd: 2 ** 20,
    nameBytes: [],
  };
};

type Mark = 'free' | 'movable' | 'unmovable' | undefined;

interface Block {
  readonly pfn: number;
  readonly order: number;
}

/** The allocator and, beside it, what it should show of every frame. */
class Pair {
  readonly topology: Topology;
  readonly allocator: PageAllocator;
  readonly marks: Mark[];
  /** Zone of every frame; blocks lie in one. -1 where there is no memory. */
  readonly zones: number[];
  readonly blocks: Block[] = [];
  readonly maxOrder: number;

  constructor(shape: Shape) {
    const machine = machineOf(shape);
    this.maxOrder = shape.maxOrder;
    this.topology = new Topology(machine);
    const scratch = new RangeSet();
    const kept = new RangeSet();
    const put = (set: RangeSet, ranges: Shape['kept']): void => {
      for (const [from, size] of ranges) {
        const first = Math.floor((from * machine.end) / 1000);
        const end = Math.min(machine.end, first + Math.floor((size * machine.end) / 1000));
        set.add(first, end);
      }
    };
    put(scratch, shape.scratch);
    put(kept, shape.kept);
    for (let i = 0; i < scratch.length; i++) kept.remove(scratch.first(i), scratch.end(i));
    this.zones = Array.from({ length: machine.end }, (_, pfn) => {
      const node = machine.nodes.findIndex(
        ({ first, count }) => pfn >= first && pfn < first + count,
      );
      return node < 0 ? -1 : node * 2 + (scratch.has(pfn) ? 1 : 0);
    });
    this.marks = this.zones.map((zone, pfn) => (zone < 0 || kept.has(pfn) ? undefined : 'free'));
    this.allocator = new PageAllocator(this.topology, scratch);
    for (let pfn = 0; pfn < machine.end;) {
      let end = pfn + 1;
      const node = this.topology.nodeOf(pfn);
      while (end < machine.end && this.topology.nodeOf(end) === node && this.like(pfn, end)) end++;
      if (this.marks[pfn] === 'free') this.allocator.addFree(pfn, end);
      pfn = end;
    }
  }

  private like(a: number, b: number): boolean {
    return this.marks[a] === this.marks[b];
  }

  fill({ pfn, order }: Block, mark: Mark): void {
    this.marks.fill(mark, pfn, pfn + 2 ** order);
  }

  /** Whether every frame of an aligned block has this mark and lies in one zone. */
  isAll(pfn: number, count: number, mark: Mark): boolean {
    if (pfn + count > this.marks.length) return false;
    const zone = this.zones[pfn]!;
    for (let frame = pfn; frame < pfn + count; frame++) {
      if (this.marks[frame] !== mark || this.zones[frame] !== zone) return false;
    }
    return zone >= 0;
  }

  /** Whether a request can be served: an aligned free block lies in one of the permitted zones. */
  canServe(order: number, node: number, scratchToo: boolean): boolean {
    for (let pfn = 0; pfn < this.marks.length; pfn += 2 ** order) {
      const zone = this.zones[pfn]!;
      const permitted = (node < 0 || zone >> 1 === node) && (scratchToo || zone % 2 === 0);
      if (permitted && this.isAll(pfn, 2 ** order, 'free')) return true;
    }
    return false;
  }

  allocate(order: number, node: number, movable: boolean): void {
    const pfn = this.allocator.allocate(order, node, movable, movable);
    expect([order, node, movable, pfn >= 0]).toEqual([
      order,
      node,
      movable,
      this.canServe(order, node, movable),
    ]);
    if (pfn < 0) return;
    expect(pfn % 2 ** order).toBe(0);
    expect(this.isAll(pfn, 2 ** order, 'free')).toBe(true);
    if (node >= 0) expect(this.topology.nodeOf(pfn)).toBe(node);
    if (!movable) expect(this.zones[pfn]! % 2).toBe(0);
    const block = { pfn, order };
    this.fill(block, movable ? 'movable' : 'unmovable');
    this.blocks.push(block);
  }

  free(index: number): void {
    if (this.blocks.length === 0) return;
    const [block] = this.blocks.splice(index % this.blocks.length, 1);
    this.allocator.free(block!.pfn, block!.order);
    this.fill(block!, 'free');
  }

  takeRange(first: number, count: number): void {
    const end = Math.min(first + count, this.marks.length);
    const isFree = this.marks.slice(first, end).every((mark) => mark === 'free');
    expect(this.allocator.isFree(first, end)).toBe(isFree);
    if (!isFree) return;
    this.allocator.takeRange(first, end);
    for (let pfn = first; pfn < end; pfn++) {
      this.marks[pfn] = 'unmovable';
      this.blocks.push({ pfn, order: 0 });
    }
  }

  /** Adopts the largest block around a frame that nobody manages, up to the order given. */
  adopt(pfn: number, order: number): void {
    for (let tried = order; tried >= 0; tried--) {
      const block = { pfn: pfn - (pfn % 2 ** tried), order: tried };
      if (!this.isAll(block.pfn, 2 ** tried, undefined)) continue;
      this.allocator.adopt(block.pfn, block.order);
      this.fill(block, 'unmovable');
      this.blocks.push(block);
      return;
    }
  }

  check(): void {
    const shown = this.marks.map((_, pfn) => this.allocator.ownerOf(pfn));
    expect(shown).toEqual(this.marks);
    expect(this.allocator.freeFrames).toBe(this.marks.filter((mark) => mark === 'free').length);
  }

  /** Every block that alignment and borders permit can be had again, and nothing else. */
  checkWhole(): void {
    while (this.blocks.length > 0) this.free(0);
    this.check();
    for (let order = this.maxOrder; order >= 0; order--) {
      while (this.canServe(order, -1, true)) this.allocate(order, -1, true);
    }
    expect(this.allocator.freeFrames).toBe(0);
    expect(this.allocator.allocate(0, -1, true, true)).toBe(-1);
  }
}

type Step =
  | readonly ['allocate', order: number, node: number, movable: boolean]
  | readonly ['free', index: number]
  | readonly ['take', first: number, count: number]
  | readonly ['adopt', pfn: number, order: number];

const range = fc.tuple(fc.nat({ max: 999 }), fc.integer({ min: 1, max: 300 }));
const shape: fc.Arbitrary<Shape> = fc.record({
  maxOrder: fc.integer({ min: 2, max: 7 }),
  nodes: fc.array(
    fc.tuple(fc.oneof(fc.constant(0), fc.nat({ max: 40 })), fc.integer({ min: 1, max: 170 })),
    {
      minLength: 1,
      maxLength: 3,
    },
  ),
  scratch: fc.array(range, { maxLength: 3 }),
  kept: fc.array(range, { maxLength: 3 }),
});
const place = fc.nat({ max: 600 });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.tuple(
      fc.constant('allocate' as const),
      fc.nat({ max: 7 }),
      fc.integer({ min: -1, max: 2 }),
      fc.boolean(),
    ),
  },
  { weight: 3, arbitrary: fc.tuple(fc.constant('free' as const), fc.nat({ max: 99 })) },
  {
    weight: 2,
    arbitrary: fc.tuple(fc.constant('take' as const), place, fc.integer({ min: 1, max: 40 })),
  },
  { weight: 1, arbitrary: fc.tuple(fc.constant('adopt' as const), place, fc.nat({ max: 7 })) },
);

const perform = (pair: Pair, made: Step): void => {
  const frames = pair.marks.length;
  switch (made[0]) {
    case 'allocate':
      return pair.allocate(
        Math.min(made[1], pair.maxOrder),
        Math.min(made[2], pair.topology.nodes - 1),
        made[3],
      );
    case 'free':
      return pair.free(made[1]);
    case 'take':
      return pair.takeRange(made[1] % frames, made[2]);
    case 'adopt':
      return pair.adopt(made[1] % frames, Math.min(made[2], pair.maxOrder));
  }
};

describe('the page allocator', () => {
  it('owns, aligns, separates, counts as an array of frames does, and joins what is freed', () => {
    fc.assert(
      fc.property(shape, fc.array(step, { maxLength: 40 }), (made, steps) => {
        const pair = new Pair(made);
        pair.check();
        for (const each of steps) {
          perform(pair, each);
          pair.check();
        }
        pair.checkWhole();
      }),
      { numRuns: 300 },
    );
  });

  it('joins a page that was cut out of untouched memory with what was around it', () => {
    const pair = new Pair({ maxOrder: 10, nodes: [[0, 1024]], scratch: [], kept: [] });
    pair.takeRange(512, 1);
    pair.free(0);
    pair.allocate(10, -1, true);
    expect(pair.allocator.freeFrames).toBe(0);
  });

  it('takes over and gives back a block that is larger than any it hands out', () => {
    const pair = new Pair({ maxOrder: 4, nodes: [[0, 256]], scratch: [], kept: [[250, 500]] });
    const block = { pfn: 64, order: 6 };
    pair.allocator.adopt(block.pfn, block.order);
    pair.fill(block, 'unmovable');
    pair.blocks.push(block);
    expect([127, 128, 63].map((pfn) => pair.allocator.ownerOf(pfn))).toEqual([
      'unmovable',
      undefined,
      'free',
    ]);
    pair.check();
    pair.checkWhole();
  });
});

const TIB = 2 ** 28;

const held = (): number => {
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
};

describe('a machine of 16 TiB', () => {
  const shape16: Shape = {
    maxOrder: 10,
    nodes: [
      [0, 5 * TIB + 12345],
      [7, 11 * TIB - 12345 - 7],
    ],
    scratch: [[100, 50]],
    kept: [],
  };
  const machine = machineOf(shape16);

  it('costs the allocator nothing that grows with memory', () => {
    const before = held();
    const topology = new Topology(machine);
    const scratch = new RangeSet();
    scratch.add(TIB, TIB + 2 ** 24);
    const allocator = new PageAllocator(topology, scratch);
    allocator.addFree(0, topology.endOf(0));
    allocator.addFree(topology.first(1), topology.endOf(1));
    expect(allocator.freeFrames).toBe(16 * TIB - 7);
    const blocks: number[] = [];
    for (let i = 0; i < 500; i++) {
      blocks.push(allocator.allocate(i % 11, i & 1, (i & 2) === 0, (i & 2) === 0));
    }
    expect(new Set(blocks).size).toBe(500);
    expect(blocks.includes(-1)).toBe(false);
    expect(blocks.every((pfn, i) => topology.nodeOf(pfn) === (i & 1))).toBe(true);
    expect(allocator.ownerOf(2 ** 32 - 1)).not.toBe(undefined);
    expect(allocator.ownerOf(2 ** 31)).toBe('free');
    expect(held() - before).toBeLessThan(32 * 2 ** 20);
  });

  it('has its last frame handed out and joined again', () => {
    const topology = new Topology(machine);
    const allocator = new PageAllocator(topology, new RangeSet());
    allocator.addFree(topology.first(1), topology.endOf(1));
    expect(allocator.isFree(2 ** 32 - 4, 2 ** 32)).toBe(true);
    allocator.takeRange(2 ** 32 - 4, 2 ** 32);
    expect(allocator.ownerOf(2 ** 32 - 1)).toBe('unmovable');
    for (let pfn = 2 ** 32 - 4; pfn < 2 ** 32; pfn++) allocator.free(pfn, 0);
    expect(allocator.allocate(10, 1, false, false)).toBe(2 ** 32 - 1024);
  });

  it('boots, hands over and boots again at a cost that does not grow with memory', () => {
    const before = held();
    const small = { lowmem: 2 ** 14, global: 2 ** 14, perNode: 2 ** 14 };
    const build = { compatible: 'kho-v4', release: '7.3.4' };
    const system = new KhoMachine({ ...machine, scratch: small, scratchAlign: 1024 }, build, []);
    expect(system.call(call('coldBoot')).value).toBe(0);
    const folio = system.call(call('allocPages', { node: 1, order: 10, value: 0 })).value;
    const last = 2 ** 32 - 2 ** 20;
    expect(system.call(call('preserveFolio', { pfn: folio, order: 10 })).value).toBe(0);
    expect(system.call(call('preservePages', { pfn: last, count: 99 })).value).toBe(0);
    expect(system.call(call('kexecFileLoad')).value).toBe(0);
    expect(system.call(call('kexec')).value).toBe(1);
    expect(system.sees.freeFrames()).toBeGreaterThan(16 * TIB - 2 ** 17);
    expect(system.call(call('restoreFolio', { pfn: folio })).value).toBe(10);
    expect(system.call(call('restorePages', { pfn: last, count: 99 })).value).toBe(0);
    expect(held() - before).toBeLessThan(32 * 2 ** 20);
  });
});
