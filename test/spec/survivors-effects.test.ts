/**
 * What mutants of the law got away with, a second time: what effects leave behind, how handovers
 * and pageblocks are looked at, and what a cell holds.
 */
import { describe, expect, it } from 'vitest';
import { buildMachine, plainShape } from '#model/machines';
import { sparseState } from '#model/sparse-carrier';
import type { SparseState } from '#model/sparse-carrier';
import type { SlotCells } from '#spec/algebra/cells';
import type { Call } from '#spec/call';
import { HANDOVER_RULES } from '#spec/handover';
import type { Handover } from '#spec/handover';
import { nameBlob } from '#spec/handover-tree';
import { ACTION } from '#spec/law';
import { MOV_03 } from '#spec/movability';
import { pageblockFrames } from '#spec/machine';
import {
  CELLS,
  EARLY,
  HELD,
  KHO,
  LEFT,
  MOVABLE,
  PINNED,
  REGION,
  UNMOVABLE,
  isKept,
} from '#spec/state';
import type { State } from '#spec/state';
import { both, held, kept, lookedAt, prepared, strictAnswer, used } from './borders.ts';
import { AREAS, call, nothing, says, sees, showing } from './witnesses.ts';
import type { Setup } from './witnesses.ts';

const AT = 0x1000;
const PAGE = 4096;
const MIB = 1048576;

const does = (s: State, by: Call, answer = says(0)): void =>
  ACTION[by.action].effect(s, by, strictAnswer(answer));

/** Every frame of which some cell is set, with these cells. */
const framesOf = (s: State): string[] => {
  const frames: string[] = [];
  s.eachFrame((pfn) => {
    const cells = Object.entries(CELLS).filter(([, { kind }]) => kind === 'frame');
    const set = cells.map(([name]) => [name, s[name as 'use'].get(pfn)] as const);
    const shown = set.filter(([, value]) => value !== 0).map(([name, value]) => `${name} ${value}`);
    frames.push(`${pfn.toString(16)}: ${shown.join(', ')}`);
  });
  return frames;
};

const after = (setup: Setup, by: Call, answer = says(0)): string[] => {
  const s = prepared(setup);
  does(s, by, answer);
  return framesOf(s);
};

const before = (setup: Setup): string[] => framesOf(prepared(setup));

describe('what is refused', () => {
  it('leaves a held block alone whose middle was asked for', () => {
    const folio = held([AT, 2]);
    const middle = call('restoreFree', { pfn: AT + 1 });
    expect(after(folio, middle, says(-2))).toEqual(before(folio));
    expect(after(folio, call('restoreFree', { pfn: AT }), says(2))).toEqual([]);
  });

  it('leaves the list of regions named', () => {
    const s = prepared((fresh) => nameBlob(fresh, 1, AT, 64));
    does(s, call('releaseReserveMem', { name: 2 }), says(-2));
    expect([s.outFrame.get(1), s.outBytes.get(1)]).toEqual([AT + 1, 64]);
    does(s, call('releaseReserveMem', { name: 2 }), says(0));
    expect([s.outFrame.get(1), s.outBytes.get(1)]).toEqual([0, 0]);
  });
});

describe('a block', () => {
  it.each([
    ['pin', PINNED],
    ['migrate', MOVABLE],
  ] as const)('may move to frame 0 by %s', (action, use) => {
    const block = both(used(AT, 2, MOVABLE), (s) => s.block.set(AT, 2));
    const moves = call(action, { pfn: AT, order: 1, node: -1 });
    expect(after(block, moves, says(0))).toEqual([`0: use ${use}, block 2`, `1: use ${use}`]);
  });

  it('is kept in all its frames and no others, at frame 0 as well', () => {
    for (const [head, order] of [
      [0, 0],
      [0, 1],
      [0, 3],
      [8, 3],
      [AT, 0],
      [AT, 10],
    ] as const) {
      const s = prepared(kept(head, order));
      const end = head + 2 ** order;
      for (const pfn of [head, head + 2 ** order / 2, end - 1]) {
        expect([pfn, isKept(s, Math.floor(pfn))]).toEqual([pfn, true]);
      }
      for (const pfn of [head - 1, end, end + 1, 2 * end]) {
        if (pfn >= 0) expect([pfn, isKept(s, pfn)]).toEqual([pfn, false]);
      }
    }
  });
});

describe('an area', () => {
  const make = call('vmalloc', { count: 4, order: 1, value: 3 });
  const made = says(AT + 2, {
    pages: [
      [AT + 2, 2],
      [AT, 2],
    ],
  });

  it('that is freed leaves nothing behind', () => {
    const s = prepared(nothing);
    does(s, make, made);
    expect(framesOf(s)).toContain(
      `1002: use ${UNMOVABLE}, block 1, vmOrder 2, vmFlags 3, vmNext ${AT}`,
    );
    does(s, call('vfree', { pfn: AT + 2 }));
    expect(framesOf(s)).toEqual([]);
  });

  it('that nobody handed over is nowhere, whatever is answered', () => {
    const restore = call('restoreVmalloc', { pfn: AT, count: 2, value: 3 });
    const unpreserve = call('unpreserveVmalloc', { pfn: AT });
    for (const asked of [restore, unpreserve, { ...restore, pfn: 0 }]) {
      expect(after(nothing, asked)).toEqual([]);
    }
  });
});

describe('the names of a kernel', () => {
  it('have places from the oldest to the newest, its own among them', () => {
    const s = prepared(nothing);
    const last = s.machine.nameBytes.length - 1;
    const all = [0, 5, last, 2];
    for (const name of all) nameBlob(s, name, AT, 64);
    expect(all.map((name) => s.outRank.get(name))).toEqual([1, 2, 3, 4]);
    for (const newest of [2, last, 5, 0]) {
      expect(s.outFrame.get(newest)).toBe(AT + 1);
      does(s, call('removeSubtree', { pfn: AT }));
      expect([newest, s.outFrame.get(newest), s.outRank.get(newest)]).toEqual([newest, 0, 0]);
    }
  });
});

const jump = call('kexec');
const revived = { areas: AREAS, fdt: 0x50, metadata: 0x51 };

describe('a handover', () => {
  it('brings a region that is booked like any other, with its content, and no more', () => {
    const handsOver = both(kept(AT, 1), kept(AT + 2, 0), kept(AT - 1, 0), (s) => {
      s.loaded.set(1);
      s.content.set(AT + 1, 7);
    });
    const answer = says(1, { ...revived, regions: [[AT * PAGE, 2 * PAGE]] });
    const s = prepared(handsOver);
    does(s, jump, answer);
    expect(framesOf(s).filter((frame) => !frame.startsWith('5'))).toEqual([
      `fff: use ${HELD}, block 1`,
      `1000: use ${REGION}, kept 2`,
      `1001: use ${REGION}, content 7`,
      `1002: use ${HELD}, block 1`,
    ]);
    expect([0, 1, 10].map((slot) => s.regionStart.get(slot))).toEqual([AT * PAGE + 1, 0, 0]);
    expect([0, 1, 10].map((slot) => s.regionBytes.get(slot))).toEqual([2 * PAGE, 0, 0]);
  });

  it('brings blobs wherever they lie, if their memory was kept', () => {
    for (const pfn of [0, 1, AT]) {
      const blobs = both(kept(pfn, 0), (s) => {
        nameBlob(s, 2, pfn, 64);
        nameBlob(s, 3, AT + 9, 64);
      });
      expect(after(blobs, jump, says(1, revived))).toContain(
        `${pfn.toString(16)}: use ${HELD}, block 1, blob 1`,
      );
    }
  });
});

describe('a blob in frame 0', () => {
  it('is lost for the next kernel, to which an address of 0 is none', () => {
    const s = prepared((fresh) => [0, 1, AT].forEach((pfn, i) => nameBlob(fresh, 2 + i, pfn, 64)));
    does(s, jump, says(1, revived));
    expect([2, 3, 4].map((name) => s.inFrame.get(name))).toEqual([1, 2, AT + 1]);
    expect([2, 3, 4].map((name) => s.inFault.get(name))).toEqual([1, 0, 0]);
  });
});

describe('a crash', () => {
  const CRASH = 0x1800;
  const prepare: Setup = (s) => {
    s.crashFirst.set(CRASH);
    s.crashCount.set(24);
    s.crashLoaded.set(1);
    for (const pfn of [CRASH - 1, CRASH, CRASH + 23, CRASH + 24]) s.use.set(pfn, UNMOVABLE);
  };

  it('leaves a kernel that has no scratch, no region and no name', () => {
    const machine = buildMachine({ ...plainShape(), reserveMem: ['4K:4K:a 8K:4K:b'] });
    const s = sparseState(machine);
    const slots = Object.entries(CELLS).filter(([, { kind }]) => kind === 'slot');
    const cellOf = (name: string): SlotCells => s[name as 'areaFirst'];
    const fill = (value: number): void => {
      for (const [name] of slots) {
        for (let slot = 0; slot < 2; slot++) cellOf(name).set(slot, value);
      }
    };
    fill(1);
    s.luo.set(1);
    does(s, call('crash'), says(-22));
    expect(slots.map(([name]) => cellOf(name).get(1))).toEqual(slots.map(() => 1));
    does(s, call('crash'), says(2));
    for (const [name] of slots) {
      expect([name, cellOf(name).get(0), cellOf(name).get(1)]).toEqual([name, 0, 0]);
    }
  });

  it('leaves what lies right before and behind the memory of the kdump kernel', () => {
    const answer = says(2, { early: [[CRASH, 1]], taken: [[CRASH + 22, 2]] });
    expect(after(prepare, call('crash'), answer)).toEqual([
      `17ff: use ${LEFT}`,
      `1800: use ${EARLY}`,
      `1816: use ${EARLY}`,
      `1817: use ${EARLY}`,
      `1818: use ${LEFT}`,
    ]);
  });

  it('leaves no image and no tree', () => {
    const s = prepared(prepare);
    const cells = ['loaded', 'nextKernel', 'line', 'crashLoaded', 'fdt', 'revived'] as const;
    for (const name of cells) s[name].set(1);
    does(s, call('crash'), says(2));
    expect(cells.map((name) => s[name].get())).toEqual(cells.map(() => 0));
  });

  it('ends all regions, and there may be none', () => {
    const s = prepared((fresh) => {
      prepare(fresh);
      for (const slot of [0, 1, 10]) fresh.regionBytes.set(slot, 64);
    });
    does(s, call('crash'), says(2));
    expect([0, 1, 10].map((slot) => s.regionBytes.get(slot))).toEqual([0, 0, 0]);
    const { reserveMem: _, ...bare } = s.machine;
    const none = { ...prepared(prepare), machine: bare };
    none.regionBytes.set = () => {
      throw new Error('there are no regions');
    };
    does(none, call('crash'), says(2));
    expect(none.crashLoaded.get()).toBe(0);
  });
});

it('calls are refused with error numbers, each below zero and of its own', () => {
  const actions = Object.values(ACTION);
  for (const { name, refusals = [] } of actions) {
    expect([name, new Set(refusals).size]).toEqual([name, refusals.length]);
    for (const error of refusals) expect([name, error < 0 && error > -4096]).toEqual([name, true]);
  }
  expect(actions.filter(({ refusals }) => refusals !== undefined).length).toBeGreaterThan(10);
});

/** A handover of nothing but the root, a tracker of one page and one area of scratch. */
const LEAST: Handover = {
  pageShift: 12,
  compatible: 'kho-v4',
  fdt: 0x100000,
  scratchArray: 0x900000,
  tracker: 0x102000,
  scratch: [{ phys: 64 * MIB, bytes: 16 * MIB }],
  preserved: [{ phys: 0x100000, order: 0 }],
  trackerPages: [{ phys: 0x102000, level: 5 }],
  subtrees: [],
  damage: [],
};

const judged = (id: string, change: Partial<Handover>) => {
  const told: string[] = [];
  const rule = HANDOVER_RULES.find((each) => each.id === id)!;
  const places = rule.find({ ...LEAST, ...change }, (tell) => told.push(tell()));
  return { places, told };
};

describe('of a handover', () => {
  it('what is preserved and the tracker are looked for in a single area', () => {
    for (const id of ['HND-07', 'HND-12']) {
      expect(judged(id, {})).toEqual({ places: 1, told: [] });
      expect(judged(id, { scratch: [] }).places).toBe(0);
    }
    expect(judged('HND-07', { preserved: [{ phys: 70 * MIB, order: 3 }] }).told).toHaveLength(1);
    expect(judged('HND-12', { trackerPages: [{ phys: 70 * MIB, level: 0 }] }).told).toHaveLength(1);
  });

  it('of two blocks at one place, the smaller one lies in the larger', () => {
    const blocks = [0, 3, 1].map((order) => ({ phys: 0x200000, order }));
    for (const preserved of [blocks, blocks.toReversed()]) {
      expect(judged('HND-06', { preserved }).told).toEqual([
        'the block at 0x200000, order 1, lies in another',
        'the block at 0x200000, order 0, lies in another',
      ]);
    }
  });

  it.each([
    ['kho-v3', 12, 2 * MIB],
    ['kho-v4', 12, 4 * MIB],
    ['kho-v1', 14, 32 * MIB],
    ['kho-v4', 14, 32 * MIB],
    ['kho-v2', 16, 64 * MIB],
    ['kho-v4', 16, 512 * MIB],
  ] as const)('scratch of %s with pages of 2^%i bytes is aligned to %i', (...given) => {
    const [compatible, pageShift, align] = given;
    const told = (phys: number, bytes: number) =>
      judged('HND-17', { compatible, pageShift, scratch: [{ phys, bytes }] }).told.length;
    expect(told(3 * align, 5 * align)).toBe(0);
    expect([told(3.5 * align, align), told(align, 2.5 * align)]).toEqual([1, 1]);
    expect(told(3.5 * align, 0)).toBe(0);
  });
});

describe('a rule counts the places that it looked at', () => {
  const ONCE = ['HND-01', 'HND-02', 'HND-03', 'HND-04', 'HND-08', 'HND-15', 'HND-16', 'HND-19'];

  it('as one, where it looks at one thing', () => {
    for (const id of ONCE) expect([id, judged(id, {}).places]).toEqual([id, 1]);
    const tree = { bytes: 200, claimed: 200, subtrees: [], damage: [] };
    const debugfs = () =>
      showing({
        out: { tree, blobs: [] },
        scratchPhys: [],
        scratchLen: [],
        scratch: [],
      });
    for (const id of ['ALC-07', 'TRE-08', 'MEM-04', 'MEM-05', 'DBG-09', 'DBG-11']) {
      expect([id, lookedAt(id, sees({ debugfs }), nothing).places]).toEqual([id, 1]);
    }
    for (const id of ['DBG-01', 'DBG-02', 'DBG-03', 'DBG-07']) {
      expect([id, lookedAt(id, sees({ debugfs }), nothing).places]).toEqual([id, 1]);
    }
  });

  it('as many as there are pageblocks that it asked for', () => {
    let asked = 0;
    const migrateType = (): number => ++asked;
    const { places } = lookedAt('MOV-03', sees({ migrateType }), nothing);
    expect(places).toBe(asked);
    expect(lookedAt('MOV-03', sees(), nothing, { nodes: [] }).places).toBe(0);
  });
});

describe('pageblocks of a large machine', () => {
  const GIB = 2 ** 18;
  /** Pageblocks of an area; a 15th part of their distance is a whole number. */
  const BLOCKS = 15 * 8 + 1;
  const starts = [GIB, 100 * GIB, 200 * GIB, 9000 * GIB];

  const large = (): SparseState => {
    const nodes = [8192 * GIB, 8192 * GIB];
    const scratch = { lowmem: GIB, global: 64 * GIB, perNode: 64 * GIB };
    const s = sparseState(buildMachine({ pageShift: 12, nodes, scratch }));
    starts.forEach((first, slot) => {
      s.areaFirst.set(slot, first);
      s.areaCount.set(slot, BLOCKS * pageblockFrames(s.machine));
    });
    return s;
  };

  it('are looked at in sixteen places of every area, evenly, and right beside it', () => {
    const s = large();
    const size = pageblockFrames(s.machine);
    const asked = new Set<number>();
    const migrateType = (pfn: number): number => (asked.add(pfn), 1);
    MOV_03.find(s, sees({ migrateType }), () => {});
    for (const first of starts) {
      const near = [...asked]
        .map((pfn) => (pfn - first) / size)
        .filter((block) => block >= -1 && block <= BLOCKS)
        .sort((left, right) => left - right);
      expect(near).toEqual([-1, ...Array.from({ length: 16 }, (_, i) => 8 * i), BLOCKS]);
    }
  });
});

describe('a cell has room for', () => {
  const scope = {
    frames: 100,
    maxOrder: 10,
    nodes: 2,
    names: 3,
    regions: 3,
    lines: 2,
    stamps: 9,
    kexecs: 4,
    pageBytes: 4096,
  };
  const most = (name: keyof typeof CELLS): number => CELLS[name].max(scope);

  it('areas of the largest blocks, with every flag', () => {
    expect(most('vmOrder')).toBe(10 + 1);
    expect(most('vmFlags')).toBe(0b111);
  });

  it('the last frame of all that may follow', () => {
    expect([most('vmNext'), most('vmList')]).toEqual([99, 99]);
  });

  it('what is or is not', () => {
    const flags = ['blob', 'inFault', 'crashLoaded', 'revived'] as const;
    expect(flags.map((name) => most(name))).toEqual([1, 1, 1, 1]);
  });

  it('all frames, all bytes and all names, and one that says that there is none', () => {
    const frames = ['outFrame', 'inFrame', 'areaFirst', 'areaCount', 'fdt'] as const;
    for (const name of frames) expect([name, most(name)]).toEqual([name, 100]);
    expect([most('crashFirst'), most('crashCount')]).toEqual([100, 100]);
    expect([most('regionStart'), most('regionBytes')]).toEqual([409_600, 409_600]);
    expect([most('outRank'), most('line'), most('counted'), most('kexecs')]).toEqual([3, 2, 4, 4]);
  });
});

it('KHO owns no page of its tracker twice: what it kept in frame 0 is none of them', () => {
  const setup = both(kept(0, 1), used(0, 2, KHO));
  const page = { trackerPages: [{ phys: PAGE, level: 0 }] };
  expect(lookedAt('TRK-03', sees({ handover: page }), setup).told).toHaveLength(1);
  expect(lookedAt('TRK-03', sees({ handover: page }), used(1, 1, KHO)).told).toEqual([]);
});
