/**
 * The borders of rules, and what effects leave behind: what mutants of the law got away with.
 *
 * Everything is looked at strictly: nobody may ask for a range or a slot that is not there.
 */
import { describe, expect, it } from 'vitest';
import type { CallAnswer } from '#model/call';
import type { SlotCells } from '#spec/algebra/cells';
import type { Call } from '#spec/call';
import type { Machine } from '#spec/machine';
import { METADATA_BYTES } from '#spec/handover-tree';
import { ACTION } from '#spec/law';
import { isPreservedRange } from '#spec/preservation';
import { CELLS, EARLY, HELD, KHO, MOVABLE, UNMOVABLE, areaSlots } from '#spec/state';
import type { State } from '#spec/state';
import { at, both, held, kept, made, prepared, seen, strictAnswer, used } from './borders.ts';
import type { Border } from './borders.ts';
import { AREAS, call, fresh, nothing, says, sees } from './witnesses.ts';
import type { Pair, Setup } from './witnesses.ts';

/** Frames outside scratch where things are put. */
const AT = 0x1000;

const loaded: Setup = (s) => s.loaded.set(1);
const jump = call('kexec');
const cold = call('coldBoot');
const load = call('kexecFileLoad');
const segments = (...placed: readonly Pair[]) => says(0, { placed });
const folio = (order: number) => call('preserveFolio', { pfn: AT, order });

const KEXEC_BORDERS: readonly Border[] = [
  ['KEX-02', 'silent', made(load, segments([0x400, 8]))],
  ['KEX-02', 'silent', made(load, segments())],
  ['KEX-02', 'keeps', made(load, segments([0x400, 8], [0x408, 8]))],
  ['KEX-02', 'keeps', made(load, segments([0x408, 8], [0x400, 8], [0x410, 1]))],
  ['KEX-02', 'breaks', made(load, segments([0x400, 8], [0x407, 8]))],
  ['KEX-02', 'breaks', made(load, segments([0x400, 8], [0x500, 1], [0x407, 1]))],
  ['KEX-04', 'silent', made(jump, says(1))],
  ['KEX-06', 'keeps', made(jump, says(1, { early: [[AT - 4, 4]] }), kept(AT, 3))],
  ['KEX-06', 'keeps', made(jump, says(1, { taken: [[AT + 8, 4]] }), kept(AT, 3))],
  ['KEX-06', 'breaks', made(jump, says(1, { early: [[0, 1]] }), kept(0, 0))],
  ['KEX-06', 'breaks', made(jump, says(1, { taken: [[0, 1]] }), kept(0, 0))],
];

/** Areas with some of them moved. */
const moved = (to: Readonly<Record<number, Pair>>, value = 0) =>
  says(value, { areas: AREAS.map((area, slot) => to[slot] ?? area) });

/** Memory that ends, begins again and is on two nodes. */
const HOLE: Partial<Machine> = {
  nodes: [
    { first: 0, count: 0x2000 },
    { first: 0x2400, count: 0x1c00 },
  ],
};
const LOW: Partial<Machine> = { lowmemEnd: 0x800 };
const SIZES: Partial<Machine> = { scratch: { lowmem: 0x400, global: 0x801, perNode: 0x1 } };
const askedFor: Readonly<Record<number, Pair>> = { 1: [0x1000, 0xc00] };

const WHERE_SCRATCH_IS: readonly Border[] = [
  ['SCR-01', 'keeps', made(cold, moved(askedFor), nothing, SIZES)],
  ['SCR-01', 'breaks', made(cold, moved({}), nothing, SIZES)],
  ['SCR-01', 'breaks', made(cold, moved({ ...askedFor, 0: [0, 0xc00] }), nothing, SIZES)],
  ['SCR-01', 'breaks', made(cold, moved({ ...askedFor, 2: [0, 0xc00] }), nothing, SIZES)],
  ['SCR-01', 'breaks', made(jump, says(0))],
  ['SCR-01', 'silent', made(jump, says(1))],
  ['SCR-02', 'keeps', made(jump, moved({}))],
  ['SCR-02', 'breaks', made(cold, moved({ 3: [0x2400, 0x401] }))],
  ['SCR-02', 'breaks', made(jump, moved({ 3: [0x2401, 0x400] }, 1))],
  ['SCR-02', 'silent', made(jump, moved({ 3: [0x2401, 0x400] }, -22))],
  ['SCR-03', 'keeps', made(jump, moved({}, 1))],
  ['SCR-03', 'breaks', made(jump, moved({ 0: [0x800, 0x400] }, 1))],
  ['SCR-03', 'breaks', made(cold, moved({ 0: [0x800, 0x400] }))],
  ['SCR-03', 'silent', made(jump, moved({ 0: [0x800, 0x400] }, -22))],
  ['SCR-03', 'silent', made(cold, says(0))],
  ['SCR-03', 'keeps', made(cold, says(0, { areas: [[0x400, 0x400]] }))],
  ['SCR-03', 'keeps', made(cold, moved({ 0: [0x900, 0] }))],
  ['SCR-03', 'keeps', made(cold, moved({ 3: [0x900, 0] }))],
  ['SCR-03', 'breaks', made(cold, moved({ 0: [0x900, 1] }))],
  ['SCR-03', 'breaks', made(cold, moved({ 2: [0x900, 1] }))],
  ['SCR-03', 'breaks', made(cold, moved({ 3: [0x100, 1] }))],
  ['SCR-03', 'breaks', made(cold, moved({ 0: [0x801, 0x400], 1: [0xc00, 1] }))],
  ['SCR-03', 'keeps', made(cold, moved({}), nothing, LOW)],
  ['SCR-03', 'breaks', made(cold, moved({ 0: [0x401, 0x3ff], 1: [0x7ff, 1] }), nothing, LOW)],
  ['SCR-03', 'breaks', made(cold, moved({ 0: [0x600, 0x201], 1: [0x1000, 1] }), nothing, LOW)],
  ['SCR-03', 'breaks', made(cold, moved({ 0: [0x5000, 0x400] }))],
  ['SCR-03', 'breaks', made(cold, moved({ 1: [0x5000, 0x400] }))],
  ['SCR-03', 'keeps', made(cold, moved({ 3: [0x2000, 0x400] }))],
  ['SCR-03', 'keeps', made(cold, moved({ 3: [0x3c00, 0x400] }))],
  ['SCR-03', 'breaks', made(cold, moved({ 3: [0x3c01, 0x400] }))],
  ['SCR-03', 'keeps', made(cold, moved({ 1: [0x1f00, 0x200] }))],
  ['SCR-03', 'breaks', made(cold, moved({ 1: [0x1f00, 0x200] }), nothing, HOLE)],
  ['SCR-03', 'breaks', made(cold, moved({ 1: [0x2200, 0x200] }), nothing, HOLE)],
  ['SCR-03', 'breaks', made(cold, moved({ 1: [0x23ff, 2], 3: [0x2800, 1] }), nothing, HOLE)],
  ['SCR-03', 'keeps', made(cold, moved({ 1: [0x1fff, 1] }), nothing, HOLE)],
  ['SCR-03', 'keeps', made(cold, moved({ 0: [0, 1] }), nothing, HOLE)],
];

const reserved = (area: Pair, early: Pair, value = 0) =>
  says(value, { areas: [area], early: [early] });

const WHAT_SCRATCH_IS_FOR: readonly Border[] = [
  ['SCR-04', 'keeps', made(jump, moved({}, 1))],
  ['SCR-04', 'breaks', made(jump, moved({ 0: [0x400, 0x401] }, 1))],
  ['SCR-04', 'breaks', made(jump, moved({ 0: [0x401, 0x400] }, 1))],
  ['SCR-04', 'silent', made(jump, says(-22))],
  ['SCR-05', 'silent', made(jump, says(1))],
  ['SCR-05', 'silent', made(jump, says(0, { early: [[0, 1]] }))],
  ['SCR-05', 'keeps', made(jump, says(1, { early: [[0x400, 1]] }))],
  ['SCR-05', 'breaks', made(jump, says(1, { early: [[0x3ff, 1]] }), kept(AT, 0))],
  ['SCR-06', 'keeps', made(load, segments([0x400, 0x400]))],
  ['SCR-06', 'breaks', made(load, segments([0x400, 0x400], [0, 1]))],
  ['SCR-06', 'breaks', made(load, segments())],
  ['SCR-06', 'silent', made(load, says(-99))],
  ['SCR-07', 'keeps', made(cold, reserved([0x800, 0x400], [0x7f8, 8]))],
  ['SCR-07', 'keeps', made(cold, reserved([0x800, 0x400], [0xc00, 8]))],
  ['SCR-07', 'breaks', made(cold, reserved([0x800, 0x400], [0xbff, 8]))],
  ['SCR-07', 'breaks', made(cold, reserved([0x800, 0x400], [0x7f9, 8]))],
  ['SCR-07', 'keeps', made(cold, reserved([0x900, 0], [0x800, 0x400]))],
  ['SCR-07', 'breaks', made(cold, reserved([0x900, 1], [0x800, 0x400]))],
  ['SCR-07', 'breaks', made(jump, reserved([0x900, 1], [0x800, 0x400]))],
  ['SCR-07', 'silent', made(jump, reserved([0x900, 1], [0x800, 0x400], 1))],
];

const PRESERVATION_BORDERS: readonly Border[] = [
  ['PRS-05', 'keeps', at(AT, kept(AT, 0))],
  ['PRS-06', 'keeps', at(AT, kept(AT, 0))],
  [
    'PRS-05',
    'breaks',
    at(
      0,
      both(used(0, 1, UNMOVABLE), (s) => s.kept.set(0, 2 ** 31)),
    ),
  ],
  ['PRS-05', 'breaks', at(AT, both(kept(AT, 0), used(AT, 1, HELD)))],
  ['PRS-05', 'breaks', at(AT, both(kept(AT, 2), used(AT + 3, 1, HELD)))],
];

const add = call('addSubtree', { pfn: AT, name: 2, value: 64 });
const blob = (bytes: number) => ({ name: 'memblock', phys: AT * 4096, bytes });
const named: Setup = (s) => {
  s.outFrame.set(1, AT + 1);
  s.outBytes.set(1, 64);
};

const alloc = call('allocPages');

const ALLOCATION_BORDERS: readonly Border[] = [
  ['ALC-01', 'keeps', made(alloc, says(0))],
  ['ALC-01', 'silent', made(alloc, says(-12))],
  ['TRK-01', 'silent', made(folio(0), says(0))],
  ['TRK-02', 'silent', made(cold, says(0))],
];

const TREE_BORDERS: readonly Border[] = [
  ['TRE-02', 'silent', made(add, says(0))],
  ['TRE-03', 'keeps', made(add, says(0))],
  ['TRE-07', 'silent', seen(sees(), nothing)],
  ['TRE-07', 'breaks', seen(sees(), named)],
  ['TRE-07', 'keeps', seen(sees({ handover: { subtrees: [blob(64)] } }), named)],
  ['TRE-07', 'breaks', seen(sees({ handover: { subtrees: [blob(64)] } }), nothing)],
];

const RESTORE_BORDERS: readonly Border[] = [
  ['RST-01', 'keeps', made(call('restoreFolio', { pfn: AT }), says(0), held([AT, 0]))],
  ['RST-01', 'breaks', made(call('restoreFolio', { pfn: AT }), says(1), held([AT, 0]))],
  ['RST-05', 'keeps', made(call('restoreFolio', { pfn: AT }), says(0, { managed: 1 }))],
  ['RST-05', 'breaks', made(call('restoreFolio', { pfn: AT }), says(0, { managed: 0 }))],
  ['RST-05', 'breaks', made(call('restorePages', { pfn: AT, count: 4 }), says(0))],
];

describe('at its border', () => {
  it.each([
    ...WHERE_SCRATCH_IS,
    ...WHAT_SCRATCH_IS_FOR,
    ...KEXEC_BORDERS,
    ...PRESERVATION_BORDERS,
    ...ALLOCATION_BORDERS,
    ...TREE_BORDERS,
    ...RESTORE_BORDERS,
  ])('%s is %s', (rule, wanted, judge) => {
    expect(judge(rule)).toBe(wanted);
  });
});

/** Runs of frames with the same value: first, count, value. */
const runs = (s: State, cell: 'use' | 'block' | 'kept' | 'content'): number[][] => {
  const found: number[][] = [];
  s.eachFrame((pfn) => {
    const value = s[cell].get(pfn);
    const last = found.at(-1);
    if (value === 0) return;
    const [first = 0, count = 0, same] = last ?? [];
    if (last !== undefined && first + count === pfn && same === value) last[1] = count + 1;
    else found.push([pfn, 1, value]);
  });
  return found;
};

/** Names that are taken: name, frame, bytes; with bytes that belong to no name. */
const names = (s: State, frame: SlotCells, bytes: SlotCells): number[][] =>
  s.machine.nameBytes
    .map((_, name) => [name, frame.get(name) - 1, bytes.get(name)])
    .filter(([, pfn, size]) => pfn! >= 0 || size! > 0);

const cellsOf = (s: State) => ({
  use: runs(s, 'use'),
  block: runs(s, 'block'),
  kept: runs(s, 'kept'),
  content: runs(s, 'content'),
  areas: Array.from({ length: areaSlots(s.machine) }, (_, slot) => [
    s.areaFirst.get(slot),
    s.areaCount.get(slot),
  ]),
  out: names(s, s.outFrame, s.outBytes),
  in: names(s, s.inFrame, s.inBytes),
  loaded: s.loaded.get(),
  revived: s.revived.get(),
  kexecs: s.kexecs.get(),
  fdt: s.fdt.get(),
});

type Cells = ReturnType<typeof cellsOf>;

const EMPTY: Cells = {
  use: [],
  block: [],
  kept: [],
  content: [],
  areas: AREAS.map((area) => [...area]),
  out: [],
  in: [],
  loaded: 0,
  revived: 0,
  kexecs: 0,
  fdt: 0,
};

/** What the first kernel leaves behind for the one after it. */
const busy: Setup = (s) => {
  both(kept(AT, 3), kept(0x1100, 0), held([0x1200, 1]), used(0x40, 2, MOVABLE))(s);
  s.block.set(AT, 4);
  s.block.set(AT + 4, 1);
  s.content.set(AT + 3, 7);
  s.content.set(0x1201, 8);
  s.content.set(0x40, 9);
  const last = s.machine.nameBytes.length - 1;
  for (const name of [0, 2, last]) {
    s.outFrame.set(name, AT + 1);
    s.outBytes.set(name, 64);
    s.inFrame.set(name, AT + 2);
    s.inBytes.set(name, 32);
  }
  s.loaded.set(1);
  s.revived.set(1);
  s.kexecs.set(2);
  s.fdt.set(0x41);
};

const LAST_NAME = fresh().machine.nameBytes.length - 1;

const booted = (value: number, areas: readonly Pair[]) =>
  says(value, { areas, early: [[0x400, 2]], taken: [[0x50, 2]], fdt: 0x50, metadata: 0x51 });

const COLD: Cells = {
  ...EMPTY,
  use: [
    [0x50, 2, KHO],
    [0x400, 2, EARLY],
  ],
  kept: [[0x50, 2, 1]],
  out: [[0, 0x51, METADATA_BYTES]],
  areas: [...AREAS.slice(0, 3).map((area) => [...area]), [0, 0]],
  fdt: 0x50,
};

const REVIVED: Cells = {
  ...COLD,
  use: [...COLD.use, [AT, 8, HELD], [0x1100, 1, HELD]],
  block: [
    [AT, 1, 4],
    [0x1100, 1, 1],
  ],
  content: [[AT + 3, 1, 7]],
  areas: EMPTY.areas,
  in: [0, 2, LAST_NAME].map((name) => [name, AT, 64]),
  revived: 1,
  kexecs: 3,
};

const FIRST_REVIVED: Cells = { ...COLD, areas: EMPTY.areas, revived: 1, kexecs: 1 };

const before = (setup: Setup): Cells => cellsOf(prepared(setup));
const took = says(-12, { taken: [[0x60, 3]], given: [[0x61, 1]] });
const across = { pfn: 0x1ffe, count: 4 };
const namedThree: Setup = (s) => {
  for (const name of [0, 2, 3]) {
    s.outFrame.set(name, AT + name);
    s.outBytes.set(name, 10 + name);
  }
};

type Effect = readonly [title: string, made: Call, answer: CallAnswer, Setup, after: Cells];

const BOOTS: readonly Effect[] = [
  ['switching on empties all', cold, booted(0, AREAS.slice(0, 3)), busy, COLD],
  ['a refused handover empties all', jump, booted(0, AREAS.slice(0, 3)), busy, COLD],
  ['a handover leaves what was preserved', jump, booted(1, AREAS), busy, REVIVED],
  ['the first handover is noted', jump, booted(1, AREAS), loaded, FIRST_REVIVED],
  ['a failed jump changes nothing', jump, says(-22), busy, before(busy)],
  ['loading is noted', load, says(0), nothing, { ...EMPTY, loaded: 1 }],
  ['a failed load is not noted', load, says(-99), nothing, EMPTY],
  ['a failed load leaves the image before it', load, says(-99), loaded, before(loaded)],
];

const CALLS: readonly Effect[] = [
  ['a folio is kept', folio(3), says(0), nothing, { ...EMPTY, kept: [[AT, 1, 8]] }],
  [
    'a folio is kept beside another',
    folio(0),
    says(0),
    kept(AT, 3),
    before(both(kept(AT, 3), kept(AT, 0))),
  ],
  [
    'a refused folio is not kept, its pages are booked',
    folio(3),
    took,
    nothing,
    {
      ...EMPTY,
      use: [
        [0x60, 1, KHO],
        [0x62, 1, KHO],
      ],
    },
  ],
  [
    'a folio is taken back and leaves another',
    call('unpreserveFolio', { pfn: AT, order: 3 }),
    says(0),
    both(kept(AT, 3), kept(AT, 0)),
    { ...before(kept(AT, 3)), kept: [[AT, 1, 1]] },
  ],
  [
    'a range is kept in its blocks',
    call('preservePages', across),
    says(0),
    nothing,
    {
      ...EMPTY,
      kept: [
        [0x1ffe, 1, 2],
        [0x2000, 1, 2],
      ],
    },
  ],
  [
    'a range is taken back in its blocks',
    call('unpreservePages', across),
    says(0),
    both(kept(0x1ffe, 1), kept(0x2000, 1)),
    { ...EMPTY, use: [[0x1ffe, 4, UNMOVABLE]] },
  ],
  [
    'a folio is restored',
    call('restoreFolio', { pfn: AT }),
    says(0),
    held([AT, 0]),
    { ...EMPTY, use: [[AT, 1, UNMOVABLE]], block: [[AT, 1, 1]] },
  ],
  [
    'a refused folio stays',
    call('restoreFolio', { pfn: AT }),
    says(-2),
    held([AT, 3]),
    before(held([AT, 3])),
  ],
  [
    'a range is restored page by page',
    call('restorePages', across),
    says(0),
    held([0x1ffe, 1], [0x2000, 1]),
    { ...EMPTY, use: [[0x1ffe, 4, UNMOVABLE]], block: [[0x1ffe, 4, 1]] },
  ],
  [
    'a refused range stays',
    call('restorePages', across),
    says(-2),
    held([0x1ffe, 1]),
    before(held([0x1ffe, 1])),
  ],
  [
    'a blob is named',
    call('addSubtree', { pfn: AT, name: LAST_NAME, value: 64 }),
    says(0),
    nothing,
    { ...EMPTY, out: [[LAST_NAME, AT, 64]] },
  ],
  [
    'a refused blob is not',
    call('addSubtree', { pfn: AT, name: 2, value: 64 }),
    says(-12),
    nothing,
    EMPTY,
  ],
  [
    'a name is taken out, and no other',
    call('removeSubtree', { pfn: AT + 1 }),
    says(0),
    namedThree,
    {
      ...EMPTY,
      out: [
        [0, AT - 1, 10],
        [3, AT + 2, 13],
      ],
    },
  ],
  [
    'the name of the kernel itself is taken out alike',
    call('removeSubtree', { pfn: AT - 1 }),
    says(0),
    namedThree,
    {
      ...EMPTY,
      out: [
        [2, AT + 1, 12],
        [3, AT + 2, 13],
      ],
    },
  ],
  [
    'what has no name is not taken out',
    call('removeSubtree', { pfn: AT }),
    says(0),
    namedThree,
    before(namedThree),
  ],
  [
    'looking up changes nothing',
    call('retrieveSubtree', { name: 2 }),
    says(-2),
    namedThree,
    before(namedThree),
  ],
];

describe('an effect', () => {
  it.each([...BOOTS, ...CALLS])('%s', (_title, by, answer, setup, after) => {
    const s = prepared(setup);
    ACTION[by.action].effect(s, by, strictAnswer(answer));
    expect(cellsOf(s)).toEqual(after);
  });
});

describe('a preserved range', () => {
  it('is preserved in exactly its blocks', () => {
    const s = prepared(both(kept(0x1ffe, 1), kept(0x2000, 1)));
    expect(isPreservedRange(s, 0x1ffe, 4)).toBe(true);
    expect(isPreservedRange(s, 0x1ffe, 2)).toBe(true);
    expect(isPreservedRange(s, 0x1ffe, 3)).toBe(false);
    expect(isPreservedRange(s, 0x1ffd, 3)).toBe(false);
    expect(isPreservedRange(s, 0x2000, 4)).toBe(false);
    expect(isPreservedRange(s, 0x1ffe, 0)).toBe(false);
    expect(isPreservedRange(prepared(kept(AT, 0)), AT, 1)).toBe(true);
  });
});

it('cells hold what is needed in their scope, and no more', () => {
  const sizes = { frames: 100, maxOrder: 10, nodes: 2, names: 3 };
  const named = { regions: 3, lines: 2 };
  const scope = { ...sizes, ...named, stamps: 9, kexecs: 4, pageBytes: 4096 };
  expect(CELLS.block.max(scope)).toBe(11);
  expect(CELLS.kept.max(scope)).toBe(0b111_1111_1111);
  expect(CELLS.content.max(scope)).toBe(8);
  expect([CELLS.areaFirst, CELLS.areaCount].map((cell) => cell.slots!(scope))).toEqual([4, 4]);
  expect([CELLS.outBytes, CELLS.inBytes].map((cell) => cell.max(scope))).toEqual([
    2 ** 22,
    2 ** 22,
  ]);
});
