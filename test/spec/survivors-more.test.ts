/**
 * What mutants of the law got away with, a third time: what was reserved before scratch, what a
 * finalized kernel keeps, frame 0 and the first byte, and the generation that a kernel is of.
 */
import { describe, expect, it } from 'vitest';
import { DEBUGFS_RULES, RECORDING_RULES } from '#spec/debugfs';
import type { Call } from '#spec/call';
import { GENERATIONS, ageOf } from '#spec/generations';
import type { Generation } from '#spec/generations';
import { MEMBLOCK_NAME, nameBlob } from '#spec/handover-tree';
import { ACTION, ruleById } from '#spec/law';
import { nodeOf } from '#spec/machine';
import { isStale } from '#spec/phases';
import { CELLS, KHO, UNMOVABLE, isKept } from '#spec/state';
import type { State } from '#spec/state';
import { both, kept, lookedAt, made, prepared, strictAnswer, used } from './borders.ts';
import type { Border } from './borders.ts';
import { AREAS, call, nothing, says, sees, showing } from './witnesses.ts';
import type { Pair, Setup } from './witnesses.ts';

const AT = 0x1000;
const PAGE = 4096;
/** Behind the last frame of the machine. */
const END = 0x4000;
const cold = call('coldBoot');
const jump = call('kexec');

const does = (s: State, by: Call, answer = says(0)): void =>
  ACTION[by.action].effect(s, by, strictAnswer(answer));

const runs =
  (generation: Generation): Setup =>
  (s) =>
    s.runs.set(ageOf(generation));

/** Everything was reserved before scratch was, but so many frames at each of these places. */
const earlyBut = (...places: readonly Pair[]): readonly Pair[] => {
  const starts = [0, ...places.map(([first, count]) => first + count)];
  const ends = [...places.map(([first]) => first), END];
  return starts.map((start, i) => [start, ends[i]! - start] as const).filter(([, n]) => n > 0);
};

const noKho = (early: readonly Pair[]) => says(2, { early });
const [low, , node0, node1] = AREAS as readonly [Pair, Pair, Pair, Pair];
/** From the top down: low memory, any node, and node 1 at the end; then node 0. */
const TIGHT = earlyBut(low, [0x2400, 0xc00]);
const array: Pair = [low[0], 1];

/** Four areas of 0x400 frames: of low memory, of any node, of either node. */
const ROOM: readonly Border[] = [
  ['SCR-09', 'breaks', made(cold, noKho([]))],
  ['SCR-09', 'breaks', made(cold, noKho(TIGHT))],
  // The first frames of a node are a place like any other.
  ['SCR-09', 'breaks', made(cold, noKho(earlyBut(node0, [0x2000, 0x800], [0x3c00, 0x400])))],
  // What was reserved before is taken.
  ['SCR-09', 'keeps', made(cold, noKho(earlyBut()))],
  ['SCR-09', 'keeps', made(cold, noKho([[0, 0x2000]]))],
  ['SCR-09', 'keeps', made(cold, noKho([...TIGHT, array]))],
  ['SCR-08', 'breaks', made(cold, says(0, { early: earlyBut(low), areas: AREAS }))],
  // What one area took is no place for the next one.
  ['SCR-09', 'keeps', made(cold, noKho(earlyBut(low, node1)))],
  ['SCR-09', 'keeps', made(cold, noKho(earlyBut(low, node0, node1)))],
  ['SCR-08', 'silent', made(cold, noKho(earlyBut(low, node1)))],
  // Only the scratch array itself was not there yet.
  ['KEX-07', 'keeps', made(cold, says(0, { early: [...TIGHT, array], array: array[0] }))],
  ['KEX-07', 'silent', made(cold, says(0, { early: [...TIGHT, array] }))],
];

it.each(ROOM)('of room for scratch, %s is %s', (rule, wanted, judge) => {
  expect(judge(rule)).toBe(wanted);
});

const a: Pair = [0x100 * PAGE, 2 * PAGE];
const hasRegion: Setup = (s) => {
  s.regionStart.set(0, a[0] + 1);
  s.regionBytes.set(0, a[1]);
};
const booted = (...regions: readonly Pair[]) =>
  says(1, { areas: AREAS, early: earlyBut([AT, 2]), regions });
const take = call('allocPreserve', { value: PAGE });
const folio = call('preserveFolio', { pfn: AT, order: 0 });
const final: Setup = (s) => s.final.set(1);
const area: Setup = both(used(AT, 2, UNMOVABLE), (s) => s.vmOrder.set(AT, 1));
const keepArea = call('preserveVmalloc', { pfn: AT, count: 1 });

/** The first frame, the last frame, and the fewest bytes. */
const EDGES: readonly Border[] = [
  ['APR-03', 'keeps', made(take, says(0))],
  ['APR-03', 'breaks', made(take, says(0), used(0, 1, KHO))],
  ['VML-08', 'breaks', made(keepArea, says(1, { chunks: [[1, 1]] }), area)],
  ['VML-08', 'keeps', made(keepArea, says(1, { chunks: [[1, 1]], pages: [[AT, 1]] }), area)],
  ['RSV-02', 'breaks', made(jump, booted(a), kept(AT + 2, 0))],
  ['RSV-02', 'keeps', made(jump, booted(a), kept(AT + 1, 0))],
  ['RSV-03', 'keeps', made(jump, booted(a), hasRegion)],
  ['RSV-03', 'breaks', made(jump, booted([a[0] + PAGE, a[1]]), hasRegion)],
  ['RSV-11', 'keeps', made(cold, says(0, { regions: [[a[0], 1]], memblock: 9 }))],
  ['RSV-11', 'breaks', made(cold, says(0, { regions: [[a[0], 1]] }))],
  ['PRS-02', 'silent', made(folio, says(-16), both(final, used(AT, 1, UNMOVABLE)))],
  ['PRS-02', 'breaks', made(folio, says(-16), used(AT, 1, UNMOVABLE))],
];

it.each(EDGES)('at the edge, %s is %s', (rule, wanted, judge) => {
  expect(judge(rule)).toBe(wanted);
});

describe('a kernel that writes down once', () => {
  const LIST = 0x1100;
  const TREE = 0x1200;
  /** A region at the first byte, one elsewhere, their list, and what somebody else preserved. */
  const setup: Setup = both(runs('6.18'), kept(AT, 3), used(LIST, 1, KHO), (s) => {
    s.fdt.set(TREE);
    nameBlob(s, MEMBLOCK_NAME, LIST, 64);
    nameBlob(s, 2, AT, 64);
    s.regionStart.set(0, 1);
    s.regionBytes.set(0, 2 * PAGE);
    s.regionStart.set(1, 0x1300 * PAGE + 1);
    s.regionBytes.set(1, PAGE);
  });
  const keptBy = (generation: Generation, ...does_: readonly (readonly [Call, number])[]) => {
    const s = prepared(both(setup, runs(generation)));
    for (const [by, value] of does_) does(s, by, says(value));
    const all: Pair[] = [];
    s.eachFrame((pfn) => {
      if (s.kept.get(pfn) !== 0) all.push([pfn, s.kept.get(pfn)]);
    });
    all.sort(([left], [right]) => left - right);
    const names = [MEMBLOCK_NAME, 2].map((name) => s.outFrame.get(name));
    return { all, final: s.final.get(), names };
  };
  const finalize = call('finalize');
  const names = [LIST + 1, AT + 1];

  it('keeps its tree, its regions and their list when it is finalized', () => {
    const all = [
      [0, 2],
      [AT, 8],
      [LIST, 1],
      [TREE, 1],
      [0x1300, 1],
    ];
    expect(keptBy('6.18', [finalize, 0])).toEqual({ all, final: 1, names });
    expect(keptBy('6.18', [finalize, 0], [finalize, -17])).toEqual({ all, final: 1, names });
  });

  it('keeps nothing when it cannot be finalized, and when it is aborted', () => {
    const none = { all: [], final: 0, names: [LIST + 1, 0] };
    expect(keptBy('6.18', [finalize, -12])).toEqual(none);
    expect(keptBy('6.18', [finalize, 0], [call('abort'), 0])).toEqual(none);
  });

  it('is followed by kernels of which nothing is taken back', () => {
    const same = { all: [[AT, 8]], final: 0, names };
    expect(keptBy('6.19', [finalize, 0])).toEqual(same);
    expect(keptBy('7.0', [finalize, -12])).toEqual(same);
  });
});

describe('effects', () => {
  it('of taking and keeping: one block of the order that the size needs', () => {
    const s = prepared(nothing);
    does(s, call('allocPreserve', { value: 3 * PAGE }), says(AT));
    expect([AT, AT + 1].map((pfn) => s.block.get(pfn))).toEqual([3, 0]);
    expect(s.kept.get(AT)).toBe(4);
  });

  it('of keeping an area no longer: it has no list', () => {
    const s = prepared(area);
    does(s, keepArea, says(0x1100, { chunks: [[0x1100, 1]], taken: [[0x1100, 1]] }));
    expect([s.vmList.get(AT), s.vmList.get(0x1100)]).toEqual([0x1100, AT]);
    const given: readonly Pair[] = [[0x1100, 1]];
    does(s, call('unpreserveVmalloc', { pfn: 0x1100 }), says(0, { given }));
    expect([s.vmList.get(AT), s.vmList.get(0x1100), s.kept.get(AT)]).toEqual([0, 0, 0]);
  });

  it('of booting and loading: the kernel is of the generation that was asked for', () => {
    for (const generation of ['7.2', '6.18', 'v3'] as const) {
      const order = 1 + ageOf(generation);
      const s = prepared(nothing);
      does(s, { ...cold, order }, says(0, { areas: AREAS, fdt: 0x50 }));
      expect([generation, s.runs.get()]).toEqual([generation, ageOf(generation)]);
      does(s, call('kexecFileLoad', { order: 2 }));
      expect(s.loads.get()).toBe(1);
      does(s, call('kexecFileLoad'));
      expect(s.loads.get()).toBe(ageOf(generation));
      does(s, call('kexecFileLoad', { order }));
      expect(s.loads.get()).toBe(ageOf(generation));
    }
  });

  it('of removing a name: each newer one moves up, that of the metadata as well', () => {
    const s = prepared((fresh) =>
      [5, 0, 2].forEach((name) => nameBlob(fresh, name, AT + name, 64)),
    );
    does(s, call('removeSubtree', { pfn: AT + 5 }));
    expect([5, 0, 2].map((name) => s.outRank.get(name))).toEqual([0, 1, 2]);
  });
});

describe('what is looked at', () => {
  const witness = (id: string, files: Parameters<typeof showing>[0]) => {
    const told: string[] = [];
    const rule = [...DEBUGFS_RULES, ...RECORDING_RULES].find((each) => each.id === id)!;
    return { places: rule.find(showing(files), (tell) => told.push(tell())), told: told.length };
  };

  it('numbers of areas are whole, and not below zero', () => {
    const out = { tree: undefined, blobs: [] };
    for (const [number, told] of [
      [0, 0],
      [PAGE, 0],
      [-PAGE, 1],
      [0.5, 1],
    ] as const) {
      const files = { out, scratchPhys: [number], scratchLen: [PAGE] };
      expect([number, witness('DBG-03', files)]).toEqual([number, { places: 1, told }]);
    }
  });

  it('recorded areas, once', () => {
    const scratch = [{ phys: PAGE, bytes: PAGE }];
    expect(witness('REC-02', { recordedScratch: scratch, scratch })).toEqual({
      places: 1,
      told: 0,
    });
    expect(witness('REC-02', { scratch })).toEqual({ places: 0, told: 0 });
  });

  it('a blob in frame 0, if something was written there', () => {
    const blobs = [{ name: 'LUO', bytes: 64, fault: undefined }];
    for (const [content, places] of [
      [0, 0],
      [7, 1],
    ] as const) {
      const debugfs = () => showing({ out: { tree: undefined, blobs }, stampOf: () => 7 });
      const what = sees({ debugfs, nameIndex: () => 2 });
      const looked = lookedAt('DBG-14', what, (s) => {
        nameBlob(s, 2, 0, 64);
        s.content.set(0, content);
      });
      expect(looked).toEqual({ places, told: [] });
    }
  });

  it('once, what the users of the previous kernel handed over', () => {
    const came: Setup = (s) => s.revived.set(1);
    expect(lookedAt('KEX-09', sees(), came)).toEqual({ places: 1, told: [] });
    expect(lookedAt('KEX-09', sees(), nothing).places).toBe(0);
    expect(lookedAt('KEX-09', sees({ passedOver: ['LUO', 'x'] }), came).told).toHaveLength(2);
  });

  it('copies of debugfs in the generations that the rules about a copy name', () => {
    for (const { id, since, until } of DEBUGFS_RULES) {
      expect([id, ruleById(id)]).toMatchObject([id, { id }]);
      expect([id, ruleById(id)!.since, ruleById(id)!.until]).toEqual([id, since, until]);
    }
    expect(DEBUGFS_RULES.some(({ since }) => since !== undefined)).toBe(true);
  });

  it('pageblocks of scratch, also in a node of which only some are looked at', () => {
    const count = 0x200 * 400;
    const nodes = [{ first: 0, count }];
    const middle: Setup = (s) => {
      s.areaCount.set(0, 0);
      s.areaCount.set(1, 0);
      s.areaFirst.set(2, 0x200 * 101);
      s.areaCount.set(2, 0x200 * 3);
    };
    const cma = (pfn: number): boolean => pfn >= 0x200 * 101 && pfn < 0x200 * 104;
    const hole = 0x200 * 102;
    const whole = { migrateType: (pfn: number) => (cma(pfn) ? 4 : 1) };
    const holed = { migrateType: (pfn: number) => (cma(pfn) && pfn !== hole ? 4 : 1) };
    expect(lookedAt('MOV-03', sees(whole), middle, { nodes, end: count }).told).toEqual([]);
    expect(lookedAt('MOV-03', sees(holed), middle, { nodes, end: count }).told).toHaveLength(1);
  });

  it('no pageblock of a node without memory', () => {
    const nodes = [{ first: 0, count: 0x1000 }];
    const empty = { first: 0x800, count: 0 };
    const places = (more: typeof nodes) =>
      lookedAt('MOV-03', sees(), nothing, { nodes: [...nodes, ...more] }).places;
    expect(places([empty])).toBe(places([]));
  });
});

describe('of phases', () => {
  it('abort is refused as not finalized, or as no longer there', () => {
    expect(ACTION.abort.refusals).toEqual([-2, -22]);
  });

  it('memory is behind only where it is written down anew, and is not final', () => {
    const stale = (generation: Generation, ...more: readonly Setup[]): boolean =>
      isStale(prepared(both(runs(generation), kept(AT, 0), ...more)), sees());
    expect([stale('7.0'), stale('7.1'), stale('7.0', final), stale('7.3')]).toEqual([
      true,
      false,
      false,
      false,
    ]);
  });
});

describe('a machine and its cells', () => {
  it('no node where there is no memory', () => {
    const { machine } = prepared(nothing);
    expect([0, 0x1fff, 0x2000, END - 1, END].map((pfn) => nodeOf(machine, pfn))).toEqual([
      0, 0, 1, 1, -1,
    ]);
  });

  it('have room for every generation, and for what is or is not', () => {
    const scope = {
      frames: 100,
      maxOrder: 10,
      nodes: 2,
      names: 3,
      regions: 3,
      lines: 2,
      stamps: 9,
      kexecs: 4,
      pageBytes: PAGE,
    };
    const oldest = GENERATIONS.length - 1;
    const ages = ['runs', 'loads', 'installed'] as const;
    expect(ages.map((name) => CELLS[name].max(scope))).toEqual([oldest, oldest, oldest]);
    expect(ageOf(GENERATIONS[0])).toBe(oldest);
    expect(CELLS.final.max(scope)).toBe(1);
  });

  it('say of the highest frames, too, that nobody keeps them', () => {
    const high = 2 ** 31 + 8;
    const s = prepared(kept(high, 3));
    expect([high - 1, high, high + 7, high + 8].map((pfn) => isKept(s, pfn))).toEqual([
      false,
      true,
      true,
      false,
    ]);
  });
});
