/** Witnesses for the rules about vmalloc areas and about memory that is taken to be preserved. */
import {
  APR_01,
  APR_02,
  APR_03,
  APR_04,
  APR_05,
  APR_06,
  APR_07,
  ZEROES,
} from '#spec/alloc-preserve';
import { RangeList } from '#model/call';
import { HELD, KHO, UNMOVABLE, setUse } from '#spec/state';
import * as law from '#spec/vmalloc';
import { call, ofCall, ofSight, ofSystem, says, sees } from './witnesses.ts';
import type { Case, Pair, Setup, Witness } from './witnesses.ts';

const { VML_01, VML_02, VML_03, VML_04, VML_05, VML_06, VML_07, VML_08, VML_09 } = law;
const { VML_10, VML_11, VML_12, VML_13, VML_14, VML_15, VML_16, VML_17 } = law;

/** Blocks of an area of order 1 in mapping order, and the chunk that lists them. */
const BLOCKS: readonly Pair[] = [
  [0x1010, 2],
  [0x1000, 2],
  [0x1020, 2],
];
const FIRST = 0x1010;
const CHUNK = 0x1100;
const FLAGS = 3;

/** The area exists. */
const area: Setup = (s) => {
  BLOCKS.forEach(([pfn, count], i) => {
    setUse(s, pfn, count, UNMOVABLE);
    if (i > 0) s.vmNext.set(BLOCKS[i - 1]![0], pfn);
  });
  s.vmOrder.set(FIRST, 2);
  s.vmFlags.set(FIRST, FLAGS);
};

/** The area is preserved, its list is one chunk. */
const listed: Setup = (s) => {
  area(s);
  for (const [pfn] of BLOCKS) s.kept.set(pfn, 2);
  s.use.set(CHUNK, KHO);
  s.kept.set(CHUNK, 1);
  s.vmList.set(FIRST, CHUNK);
  s.vmList.set(CHUNK, FIRST);
};

/** The area was handed over. */
const heldArea: Setup = (s) => {
  listed(s);
  for (const [pfn, count] of [...BLOCKS, [CHUNK, 1] as const]) {
    setUse(s, pfn, count, HELD);
    s.kept.set(pfn, 0);
    s.block.set(pfn, count);
  }
};

const otherFlags: Setup = (s) => {
  area(s);
  s.vmFlags.set(FIRST, FLAGS + law.AREA_OTHER);
};

/** An area of so many single pages that lie apart. */
const single =
  (pages: number): Setup =>
  (s) => {
    for (let i = 0; i < pages; i++) {
      const pfn = FIRST + 2 * i;
      s.use.set(pfn, UNMOVABLE);
      if (i > 0) s.vmNext.set(pfn - 2, pfn);
    }
    s.vmOrder.set(FIRST, 1);
    s.vmFlags.set(FIRST, 1);
  };

const full: Setup = (s) => {
  setUse(s, 0, 0x400, UNMOVABLE);
  setUse(s, 0x1000, 0x1400, UNMOVABLE);
  setUse(s, 0x2800, 0x1800, UNMOVABLE);
};

const make = call('vmalloc', { count: 6, order: 1, value: FLAGS });
const makeSingle = (count: number, fails = 0) => call('vmalloc', { count, value: 1, fails });
const made = (value: number, ...pages: readonly Pair[]) => says(value, { pages });

const MAKING: readonly Witness[] = [
  [
    'VML-01',
    ofCall(VML_01, make, made(FIRST, ...BLOCKS)),
    ofCall(VML_01, make, made(FIRST, ...BLOCKS), (s) => s.use.set(0x1021, HELD)),
    ofCall(VML_01, make, made(FIRST, BLOCKS[0]!, [0x3fe, 4])),
  ],
  [
    'VML-02',
    ofCall(VML_02, make, made(FIRST, ...BLOCKS)),
    ofCall(VML_02, make, made(FIRST, ...BLOCKS.slice(0, 2))),
    ofCall(VML_02, make, made(0x1000, ...BLOCKS)),
    ofCall(VML_02, make, made(FIRST, BLOCKS[0]!, BLOCKS[1]!, BLOCKS[0]!)),
    ofCall(VML_02, make, made(FIRST, BLOCKS[0]!, BLOCKS[1]!, [0x1021, 2])),
    ofCall(VML_02, make, made(FIRST, BLOCKS[0]!, BLOCKS[1]!, [0, 2])),
    ofCall(VML_02, make, made(FIRST, BLOCKS[0]!, BLOCKS[1]!, [0x4000, 2])),
    ofCall(VML_02, make, made(FIRST, BLOCKS[0]!, BLOCKS[1]!, [0x1020, 1])),
  ],
  [
    'VML-03',
    ofCall(VML_03, makeSingle(1), says(-12), full),
    ofCall(VML_03, makeSingle(1), says(-12)),
    ofCall(VML_03, makeSingle(1), says(-22), full),
  ],
  [
    'VML-04',
    ofCall(VML_04, call('vfree', { pfn: FIRST }), says(0), area),
    ofCall(VML_04, call('vfree', { pfn: FIRST }), says(-22), area),
    ofCall(VML_04, call('vfree', { pfn: FIRST }), says(0, { taken: [[CHUNK, 1]] }), area),
  ],
];

const keep = call('preserveVmalloc', { pfn: FIRST, count: 6, order: 1 });
const keepShort = call('preserveVmalloc', { pfn: FIRST, count: 6, order: 1, fails: 2 });
const kept = (chunks: readonly Pair[], pages: readonly Pair[] = []) =>
  says(CHUNK, { chunks, pages, taken: [[CHUNK, 2]] });
const told = (total: number, order: number, flags: number) => says(CHUNK, { total, order, flags });

const KEEPING: readonly Witness[] = [
  [
    'VML-05',
    ofCall(VML_05, call('preserveVmalloc', { pfn: 0x1000 }), says(-22), area),
    ofCall(VML_05, call('preserveVmalloc', { pfn: 0x1000 }), says(CHUNK), area),
    ofCall(VML_05, keep, says(-95)),
  ],
  [
    'VML-06',
    ofCall(VML_06, keep, says(-95), otherFlags),
    ofCall(VML_06, keep, says(-22), otherFlags),
    ofCall(VML_06, keep, says(CHUNK), otherFlags),
  ],
  [
    'VML-07',
    ofCall(VML_07, keep, says(CHUNK), area),
    ofCall(VML_07, keep, says(-22), area),
    ofCall(VML_07, keep, says(0), area),
  ],
  [
    'VML-08',
    ofCall(VML_08, keep, kept([[CHUNK, 3]], BLOCKS), area),
    ofCall(VML_08, keep, kept([[CHUNK, 3]], [...BLOCKS].reverse()), area),
    ofCall(VML_08, keep, kept([[CHUNK, 2]], BLOCKS.slice(0, 2)), area),
    ofCall(VML_08, keep, kept([[CHUNK, 4]], [...BLOCKS, [0x1030, 2]]), area),
  ],
  [
    'VML-09',
    ofCall(VML_09, keep, kept([[CHUNK, 3]]), area),
    ofCall(VML_09, keep, kept([]), area),
    ofCall(VML_09, keep, kept([[CHUNK, 511]]), single(511)),
    ofCall(
      VML_09,
      keep,
      kept([
        [CHUNK, 500],
        [CHUNK + 1, 12],
      ]),
      single(512),
    ),
  ],
  [
    'VML-10',
    ofCall(VML_10, keep, kept([[CHUNK, 3]]), area),
    ofCall(VML_10, keep, kept([[CHUNK + 2, 3]]), area),
    ofCall(
      VML_10,
      keep,
      says(CHUNK, { chunks: [[CHUNK, 3]], taken: [[CHUNK, 1]], given: [[CHUNK, 1]] }),
      area,
    ),
  ],
  [
    'VML-11',
    ofCall(VML_11, keep, told(6, 1, FLAGS), area),
    ofCall(VML_11, keep, told(5, 1, FLAGS), area),
    ofCall(VML_11, keep, told(6, 0, FLAGS), area),
    ofCall(VML_11, keep, told(6, 1, 1), area),
  ],
  [
    'VML-12',
    ofCall(VML_12, keepShort, says(-12, { taken: [[CHUNK, 1]] }), area),
    ofCall(VML_12, keep, says(-12), area),
    ofCall(VML_12, keepShort, says(-12, { taken: [[CHUNK, 2]] }), area),
  ],
];

const seenList = (chunks: readonly Pair[], pages: readonly Pair[], damage?: string) => {
  const lists = [chunks, pages].map((ranges) => {
    const list = new RangeList();
    for (const [first, count] of ranges) list.add(first, count);
    return list;
  });
  return sees({ chunkList: () => ({ chunks: lists[0]!, pages: lists[1]!, damage }) });
};

const takeBack = call('unpreserveVmalloc', { pfn: CHUNK, count: 6, order: 1, value: FLAGS });
const restore = (fields: Partial<typeof takeBack> = {}) =>
  call('restoreVmalloc', { pfn: CHUNK, count: 6, order: 1, value: FLAGS, ...fields });
const GIVEN: readonly Pair[] = [[CHUNK, 1]];
const back = (value: number, pages: readonly Pair[], order = 1, flags = FLAGS) =>
  says(value, { pages, total: 6, order, flags, managed: 7, given: GIVEN });

const LISTS: readonly Witness[] = [
  [
    'VML-13',
    ofSystem(VML_13, seenList([[CHUNK, 3]], BLOCKS), listed),
    ofSystem(VML_13, seenList([[CHUNK, 3]], BLOCKS.slice(1)), heldArea),
    ofSystem(VML_13, seenList([[CHUNK + 1, 3]], BLOCKS), listed),
    ofSystem(VML_13, seenList([], []), listed),
    ofSystem(
      VML_13,
      seenList(
        [
          [CHUNK, 3],
          [CHUNK + 1, 0],
        ],
        BLOCKS,
      ),
      listed,
    ),
    ofSystem(VML_13, seenList([[CHUNK, 3]], BLOCKS, 'a chunk is not there'), listed),
  ],
  [
    'VML-14',
    ofCall(VML_14, takeBack, says(0, { given: GIVEN }), listed),
    ofCall(VML_14, takeBack, says(0), listed),
    ofCall(VML_14, takeBack, says(0, { given: [[CHUNK, 2]] }), listed),
    ofCall(VML_14, takeBack, says(0, { given: [[CHUNK + 1, 1]] }), listed),
    ofCall(VML_14, takeBack, says(0, { given: GIVEN, taken: GIVEN }), listed),
    ofCall(VML_14, takeBack, says(-12, { given: GIVEN }), listed),
  ],
  [
    'VML-15',
    ofCall(VML_15, restore(), back(0, BLOCKS), heldArea),
    ofCall(VML_15, restore(), back(-2, BLOCKS), heldArea),
    ofCall(VML_15, restore(), back(0, [...BLOCKS].reverse()), heldArea),
    ofCall(VML_15, restore(), back(0, BLOCKS, 0), heldArea),
    ofCall(VML_15, restore(), back(0, BLOCKS, 1, 1), heldArea),
  ],
  [
    'VML-16',
    ofCall(VML_16, restore({ count: 8 }), says(-2), heldArea),
    ofCall(VML_16, restore({ count: 4 }), back(0, BLOCKS), heldArea),
    ofCall(VML_16, restore({ order: 0 }), says(-2, { managed: 1 }), heldArea),
    ofCall(VML_16, restore({ value: 7 }), back(0, BLOCKS), heldArea),
    ofCall(VML_16, restore({ pfn: FIRST }), says(-2, { given: GIVEN }), heldArea),
    ofCall(VML_16, restore({ pfn: 0 }), says(0), heldArea),
    ofCall(VML_16, restore(), back(0, BLOCKS), (s) => {
      heldArea(s);
      s.use.set(CHUNK, KHO);
    }),
    ofCall(VML_16, restore(), back(0, BLOCKS), (s) => {
      heldArea(s);
      s.use.set(0x1020, UNMOVABLE);
    }),
    ofCall(VML_16, restore(), back(0, BLOCKS)),
  ],
  [
    'VML-17',
    ofCall(VML_17, restore(), back(0, BLOCKS), heldArea),
    ofCall(VML_17, restore(), says(0, { managed: 7 }), heldArea),
    ofCall(VML_17, restore(), says(0, { managed: 6, given: GIVEN }), heldArea),
  ],
];

const AT = 0x1000;
const PAGE = 4096;
const take = (bytes: number, fails = 0) => call('allocPreserve', { value: bytes, fails });
const giveBack = call('restoreFree', { pfn: AT });

const heldFolio: Setup = (s) => {
  setUse(s, AT, 4, HELD);
  s.block.set(AT, 3);
};

const zeroed: Setup = (s) => {
  s.use.set(AT, UNMOVABLE);
  s.content.set(AT, ZEROES);
};

const TAKING: readonly Witness[] = [
  [
    'APR-01',
    ofCall(APR_01, take(0), says(-22)),
    ofCall(APR_01, take(0), says(AT)),
    ofCall(APR_01, take(0), says(-12)),
  ],
  [
    'APR-02',
    ofCall(APR_02, take(1024 * PAGE + 1), says(-7)),
    ofCall(APR_02, take(1024 * PAGE + 1), says(AT)),
    ofCall(APR_02, take(2 ** 48), says(-12)),
  ],
  [
    'APR-03',
    ofCall(APR_03, take(3 * PAGE), says(AT)),
    ofCall(APR_03, take(3 * PAGE), says(AT), (s) => s.use.set(AT + 3, KHO)),
    ofCall(APR_03, take(3 * PAGE), says(AT + 2)),
    ofCall(APR_03, take(PAGE), says(0x400)),
    ofCall(APR_03, take(PAGE), says(0x4000)),
    ofCall(APR_03, take(PAGE), says(-12)),
    ofCall(APR_03, take(PAGE), says(-22), full),
    ofCall(APR_03, take(1024 * PAGE), says(-7)),
  ],
  [
    'APR-04',
    ofSight(APR_04, AT, sees({ content: () => ZEROES }), zeroed),
    ofSight(APR_04, AT, sees({ content: () => 0 }), zeroed),
    ofSight(APR_04, AT, sees({ content: () => 0x800 }), zeroed),
  ],
  [
    'APR-05',
    ofCall(APR_05, call('unpreserveFree', { pfn: AT, order: 2 }), says(0)),
    ofCall(APR_05, call('unpreserveFree', { pfn: AT, order: 2 }), says(-22)),
    ofCall(APR_05, call('unpreserveFree', { pfn: AT }), says(0, { taken: [[AT, 1]] })),
  ],
  [
    'APR-06',
    ofCall(APR_06, giveBack, says(2, { managed: 4 }), heldFolio),
    ofCall(APR_06, giveBack, says(0, { managed: 1 }), heldFolio),
    ofCall(APR_06, giveBack, says(2, { managed: 1 }), heldFolio),
    ofCall(APR_06, giveBack, says(-2), heldFolio),
  ],
  [
    'APR-07',
    ofCall(APR_07, giveBack, says(-2)),
    ofCall(APR_07, giveBack, says(0, { managed: 1 })),
    ofCall(APR_07, giveBack, says(-2, { managed: 1 })),
  ],
];

export const AREA_WITNESSES: readonly Witness[] = [...MAKING, ...KEEPING, ...LISTS, ...TAKING];

/** Where a rule holds although a neighbour of the case breaks it. */
export const AREA_KEEPS: readonly (readonly [string, Case])[] = [
  ['VML-03', ofCall(VML_03, makeSingle(40, 3), says(-12))],
  ['VML-07', ofCall(VML_07, keep, says(-12), area)],
  [
    'VML-09',
    ofCall(
      VML_09,
      keep,
      kept([
        [CHUNK, 511],
        [CHUNK + 1, 0],
      ]),
      single(511),
    ),
  ],
  ['VML-09', ofCall(VML_09, keep, kept([[CHUNK, 510]]), single(510))],
  ['VML-14', ofCall(VML_14, call('unpreserveVmalloc'), says(0), area)],
  ['VML-15', ofCall(VML_15, restore({ value: 1 }), back(0, BLOCKS, 1, 1), heldArea)],
  ['APR-03', ofCall(APR_03, take(PAGE), says(-12), full)],
  ['APR-03', ofCall(APR_03, take(PAGE, 1), says(-12))],
  ['APR-03', ofCall(APR_03, take(1024 * PAGE), says(0x1000))],
];

/** Where a rule says nothing. */
export const AREA_SILENCE: readonly (readonly [string, Case])[] = [
  ['VML-01', ofCall(VML_01, make, says(-12))],
  ['VML-02', ofCall(VML_02, make, says(-12))],
  ['VML-03', ofCall(VML_03, make, says(-12), full)],
  ['VML-05', ofCall(VML_05, keep, says(0), area)],
  ['VML-06', ofCall(VML_06, keep, says(0), area)],
  ['VML-07', ofCall(VML_07, keep, says(0), otherFlags)],
  ['VML-08', ofCall(VML_08, keep, says(-12), area)],
  ['VML-12', ofCall(VML_12, keep, says(-22), area)],
  ['VML-13', ofSystem(VML_13, sees(), area)],
  ['VML-15', ofCall(VML_15, restore({ count: 5 }), says(0), heldArea)],
  ['VML-16', ofCall(VML_16, restore(), says(0), heldArea)],
  ['VML-17', ofCall(VML_17, restore(), says(-2), heldArea)],
  ['APR-02', ofCall(APR_02, take(1024 * PAGE), says(0))],
  ['APR-06', ofCall(APR_06, giveBack, says(0))],
  ['APR-07', ofCall(APR_07, giveBack, says(0), heldFolio)],
];
