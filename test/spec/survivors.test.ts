/**
 * What mutants of the law got away with, a second time: the first and the last of what a rule looks
 * at, frame 0, lists that are longer, shorter or of other names, and calls that a rule is about.
 */
import { describe, expect, it } from 'vitest';
import type { Machine } from '#spec/machine';
import type { ShownFiles } from '#spec/debugfs';
import { FREE, HELD, KHO, KHO_OFF, MOVABLE, REGION, UNMOVABLE } from '#spec/state';
import { at, both, held, kept, lookedAt, made, seen, used } from './borders.ts';
import type { Border } from './borders.ts';
import { AREAS, call, nothing, says, sees, showing } from './witnesses.ts';
import type { Pair, Setup } from './witnesses.ts';

/** Frames outside scratch where things are put. */
const AT = 0x1000;
const PAGE = 4096;
const cold = call('coldBoot');
const jump = call('kexec');

/** Memory of nodes 0 and 1 outside scratch. */
const OUTSIDE: readonly Pair[] = [
  [0, 0x400],
  [0x1000, 0x1400],
  [0x2800, 0x1800],
];

/** All memory outside scratch is taken but the given frames. */
const allBut =
  (...free: readonly number[]): Setup =>
  (s) => {
    for (const [first, count] of OUTSIDE) used(first, count, UNMOVABLE)(s);
    for (const pfn of free) s.use.set(pfn, FREE);
  };

const take = call('allocPreserve', { value: PAGE });
const single = (node: number) => call('allocPages', { order: 0, node });
const UNEQUAL: Partial<Machine> = {
  nodes: [
    { first: 0, count: 0x2000 },
    { first: 0x2000, count: 0x800 },
  ],
};
const folio = call('preserveFolio', { pfn: AT, order: 3 });
const tookOne = says(-12, { taken: [[AT, 1]] });

/** How much has to be free so that a refusal is wrong. */
const SHORT: readonly Border[] = [
  // A page for itself, and one for each of five levels of the tracker below its root.
  ['APR-03', 'keeps', made(take, says(-12), allBut(1, 2, 3, 4, 5))],
  ['APR-03', 'breaks', made(take, says(-12), allBut(1, 2, 3, 4, 5, 6))],
  // Of two pages, the first was taken and the second is there; of one, there is none left.
  ['MEM-01', 'keeps', made(folio, tookOne, allBut(AT))],
  ['MEM-01', 'breaks', made(folio, tookOne, allBut(AT, AT + 1))],
  ['MEM-01', 'keeps', made(folio, tookOne, allBut(AT, 0))],
  // A node has its own memory, whatever that of others is.
  ['ALC-03', 'keeps', made(single(1), says(-12), used(0x2000, 0x400, UNMOVABLE), UNEQUAL)],
  ['ALC-03', 'breaks', made(single(1), says(-12), used(0x2000, 0x3ff, UNMOVABLE), UNEQUAL)],
  ['ALC-03', 'breaks', made(single(0), says(-12), nothing, UNEQUAL)],
  ['MEM-02', 'keeps', made(call('allocPages', { order: 1, node: -1 }), says(-12), allBut(AT))],
  ['MEM-02', 'breaks', made(call('allocPages', { order: 0, node: -1 }), says(-12), allBut(AT))],
];

const pin = call('pin', { pfn: AT, node: -1 });
const migrate = call('migrate', { pfn: AT, node: -1 });
const movable = used(AT, 1, MOVABLE);
const lowScratch: Setup = (s) => s.areaFirst.set(0, 0);
const crash = call('crash');
const prepareCrash: Setup = (s) => {
  s.crashFirst.set(AT);
  s.crashCount.set(24);
  s.crashLoaded.set(1);
};
const vmalloc = call('vmalloc', { count: 4, order: 1 });
const vmallocSingle = call('vmalloc', { count: 2 });
const area = (...pages: readonly Pair[]) => says(pages[0]![0], { pages });

/** Frame 0 is memory like any other: an answer of 0 is no refusal. */
const FRAME_0: readonly Border[] = [
  ['MOV-01', 'keeps', made(single(-1), says(0))],
  ['MOV-01', 'breaks', made(single(-1), says(0), lowScratch)],
  ['ALC-01', 'breaks', made(single(-1), says(0), used(0, 1, HELD))],
  ['ALC-02', 'breaks', made(single(1), says(0))],
  ['ALC-03', 'silent', made(single(-1), says(0))],
  ['MEM-02', 'silent', made(single(-1), says(0))],
  ['MOV-04', 'keeps', made(pin, says(0), movable)],
  ['MOV-04', 'breaks', made(pin, says(0), both(movable, lowScratch))],
  ['MOV-06', 'breaks', made(migrate, says(0), both(movable, used(0, 1, KHO)))],
  ['MOV-07', 'silent', made(migrate, says(0), movable)],
  ['VML-01', 'keeps', made(vmalloc, area([0, 2], [4, 2]))],
  ['VML-01', 'breaks', made(vmalloc, area([0, 2], [4, 2]), used(5, 1, KHO))],
  ['VML-02', 'breaks', made(vmalloc, area([0, 2], [4, 2]))],
  ['VML-03', 'silent', made(vmallocSingle, area([0, 1], [1, 1]))],
  ['OFF-06', 'breaks', made(crash, says(0, { early: [[AT - 1, 2]] }), prepareCrash)],
  ['OFF-06', 'silent', made(crash, says(-22, { early: [[AT - 1, 2]] }), prepareCrash)],
  ['KEX-06', 'breaks', made(jump, says(1, { early: [[1, 1]] }), kept(0, 1))],
  ['KEX-06', 'keeps', made(jump, says(1, { early: [[2, 1]] }), kept(0, 1))],
  ['KEX-06', 'keeps', made(jump, says(1, { early: [[1, 3]] }), kept(0, 0))],
  ['MOV-02', 'breaks', at(0, both(lowScratch, used(0, 1, UNMOVABLE)))],
];

const FULL_AREA: Setup = (s) => {
  [AT, AT + 2].forEach((pfn) => used(pfn, 2, UNMOVABLE)(s));
  s.vmNext.set(AT, AT + 2);
  s.vmOrder.set(AT, 2);
};
const CHUNK = 0x1100;
/** An area of two blocks of two pages was handed over; each page has become a block of its own. */
const heldArea: Setup = (s) => {
  FULL_AREA(s);
  held([CHUNK, 0], [AT, 1], [AT + 2, 1])(s);
  s.vmList.set(AT, CHUNK);
  s.vmList.set(CHUNK, AT);
};
const heldSingly = both(heldArea, held([AT, 0], [AT + 1, 0], [AT + 2, 0], [AT + 3, 0]));
const keepArea = call('preserveVmalloc', { pfn: AT, count: 4, order: 1 });
const chunks = (pages: readonly Pair[]) =>
  says(CHUNK, { pages, chunks: [[CHUNK, pages.length]], taken: [[CHUNK, 1]] });
const restore = (order: number) => call('restoreVmalloc', { pfn: CHUNK, count: 4, order });

/** The first of a list, and what is missing at its end. */
const LISTS: readonly Border[] = [
  ['TRK-01', 'breaks', made(folio, says(0, { taken: [[AT, 1]] }), used(AT, 1, HELD))],
  [
    'TRK-01',
    'breaks',
    made(
      folio,
      says(0, {
        taken: [
          [AT - 1, 1],
          [AT, 2],
        ],
      }),
      used(AT + 1, 1, HELD),
    ),
  ],
  ['VML-01', 'breaks', made(vmalloc, area([AT, 2], [AT + 4, 2]), used(AT + 1, 1, KHO))],
  ['VML-02', 'keeps', made(vmalloc, area([AT, 2], [AT + 4, 2]))],
  ['VML-02', 'breaks', made(vmalloc, area([AT + 1, 2], [AT + 4, 2]))],
  [
    'VML-08',
    'keeps',
    made(
      keepArea,
      chunks([
        [AT, 2],
        [AT + 2, 2],
      ]),
      FULL_AREA,
    ),
  ],
  ['VML-08', 'breaks', made(keepArea, chunks([[AT, 2]]), FULL_AREA)],
  ['VML-08', 'breaks', made(keepArea, chunks([]), FULL_AREA)],
  ['VML-16', 'silent', made(restore(1), says(0), heldArea)],
  ['VML-16', 'breaks', made(restore(0), says(0), heldArea)],
  ['VML-16', 'breaks', made(restore(0), says(0), heldSingly)],
  ['VML-15', 'silent', made(restore(0), says(0), heldSingly)],
];

const crashAt = (first: number, count: number, ...early: readonly Pair[]) =>
  says(0, { early, crashFirst: first, crashCount: count });

/** What a kernel reserves for its crash kernel. */
const RESERVED: readonly Border[] = [
  ['LOD-08', 'keeps', made(cold, crashAt(AT, 24, [AT, 24], [0, 8]))],
  ['LOD-08', 'keeps', made(cold, crashAt(AT, 24, [0, 8], [AT, 24]))],
  ['LOD-08', 'breaks', made(cold, crashAt(AT, 24, [0, 8]))],
  ['LOD-03', 'breaks', made(call('kexecFileLoad', { count: 1 }), says(0))],
];

const A = AT;
const region = (value: number, regions: readonly Pair[], more: Parameters<typeof says>[1] = {}) =>
  says(value, { areas: AREAS, memblock: 9, regions, ...more });
const a: Pair = [A * PAGE, 2 * PAGE];
const b: Pair = [0x1100 * PAGE + 2048, 4096];
const none: Pair = [0, 0];
/** Early reservations that leave nothing outside scratch but `[first, first + count)`. */
const leaving = (first: number, count: number): readonly Pair[] => [
  [0, 0x400],
  [0x1000, first - 0x1000],
  [first + count, 0x2400 - first - count],
  [0x2800, 0x1800],
];
/** What is left of the memory of nodes when scratch covers nothing else. */
const onlyRoom = (count: number, regions: readonly Pair[], crashFrames = 0) =>
  region(0, regions, {
    early: leaving(0x1800, count),
    ...(crashFrames === 0 ? {} : { crashFirst: 0x1800, crashCount: crashFrames }),
  });
/** `b` is not there, and early reservations leave what they leave. */
const roomAt = (...early: readonly Pair[]) => region(0, [[0x2400 * PAGE, 2 * PAGE]], { early });
/** `b` may begin inside of a page, and lies where it does not take room from `a`. */
const bElsewhere: Pair = [0x1801 * PAGE, 4096];
const nameless = (s: Parameters<Setup>[0]): Machine => {
  const { reserveMem: _, ...rest } = s.machine;
  return rest;
};

const REGIONS: readonly Border[] = [
  // `a` has 8 KiB at a multiple of a page: two frames are enough. So they are for the 4 KiB of
  // `b`, which may begin inside of a page; one is not.
  ['RSV-02', 'breaks', made(cold, onlyRoom(2, [none, b]))],
  ['RSV-02', 'keeps', made(cold, onlyRoom(1, [none, b]))],
  ['RSV-02', 'breaks', made(cold, onlyRoom(2, [a, none]))],
  ['RSV-02', 'keeps', made(cold, onlyRoom(1, [a, none]))],
  // There is room at either end of a node, but not across its border.
  ['RSV-02', 'breaks', made(cold, roomAt([2, 0x3fe], ...OUTSIDE.slice(1)))],
  ['RSV-02', 'breaks', made(cold, roomAt(...leaving(0x1ffe, 2)))],
  ['RSV-02', 'keeps', made(cold, roomAt(...leaving(0x1fff, 2)))],
  ['RSV-02', 'breaks', made(cold, roomAt(...leaving(0x2000, 2)))],
  ['RSV-02', 'breaks', made(cold, roomAt(...OUTSIDE.slice(0, 2), [0x2800, 0x17fe]))],
  ['RSV-02', 'keeps', made(cold, roomAt(...OUTSIDE.slice(0, 2), [0x2800, 0x17ff]))],
  // What is scratch, a region or memory of the crash kernel is no room.
  ['RSV-02', 'keeps', made(cold, onlyRoom(0, [none, b]))],
  ['RSV-02', 'keeps', made(cold, onlyRoom(2, [none, b], 1))],
  ['RSV-02', 'breaks', made(cold, onlyRoom(3, [none, b], 1))],
  ['RSV-02', 'keeps', made(cold, onlyRoom(3, [none, bElsewhere]))],
  ['RSV-02', 'breaks', made(cold, onlyRoom(4, [none, bElsewhere]))],
  // A kernel that lists no region at all has none.
  ['RSV-02', 'breaks', made(cold, region(0, []))],
  ['RSV-01', 'silent', made(cold, region(0, []))],
  ['RSV-06', 'keeps', made(cold, region(0, [a], { crashFirst: A + 2, crashCount: 1 }))],
  ['RSV-06', 'breaks', made(cold, region(0, [a], { crashFirst: A + 1, crashCount: 1 }))],
  ['RSV-06', 'keeps', made(cold, region(0, [a], { crashFirst: A + 1, crashCount: 0 }))],
  [
    'RSV-11',
    'silent',
    made(cold, says(0, { memblock: 9 }), (s) => {
      Object.assign(s, { machine: nameless(s) });
    }),
  ],
  ['RSV-11', 'silent', made(cold, says(-1000, { memblock: 9 }))],
];

describe('at its border', () => {
  it.each([...SHORT, ...FRAME_0, ...LISTS, ...RESERVED, ...REGIONS])(
    '%s is %s',
    (rule, wanted, judge) => {
      expect(judge(rule)).toBe(wanted);
    },
  );
});

const PHYS = AREAS.map(([first]) => first * PAGE);
const BYTES = AREAS.map(([, count]) => count * PAGE);
/** Indices of names: what came or was added, and what did not. */
const LUO = 2;
const tree = { bytes: 200, claimed: 200, subtrees: [], damage: [] };
const files = (side: 'in' | 'out', ...names: readonly string[]): Partial<ShownFiles> => ({
  [side]: { tree, blobs: names.map((name) => ({ name, bytes: 64, fault: undefined })) },
});
const treeOf = (...names: readonly string[]) =>
  names.map((name) => ({ name, phys: AT * PAGE, bytes: 64 }));
const shown = (what: Partial<ShownFiles>, setup: Setup = nothing) =>
  seen(sees({ debugfs: () => showing(what) }), setup);

/** Blobs came in these frames, and are still there. */
const came =
  (...blobs: readonly Pair[]): Setup =>
  (s) => {
    s.revived.set(1);
    s.counted.set(1);
    for (const [name, pfn] of blobs) {
      s.inFrame.set(name, pfn + 1);
      s.inBytes.set(name, 64);
      s.use.set(pfn, HELD);
      s.blob.set(pfn, 1);
    }
  };
const gaveBack =
  (pfn: number): Setup =>
  (s) => {
    s.use.set(pfn, FREE);
    s.blob.set(pfn, 0);
  };
const added: Setup = (s) => {
  s.outFrame.set(LUO, AT + 1);
  s.outBytes.set(LUO, 64);
};
const off: Setup = (s) => s.kho.set(KHO_OFF);
const twoCame = both(came([LUO, AT], [3, AT + 1]), gaveBack(AT));
const inTree = (...names: readonly string[]): Partial<ShownFiles> => ({
  in: { tree: { ...tree, subtrees: treeOf(...names) }, blobs: [] },
});
const OWN = 'kexec-metadata';
const ownAdded: Setup = (s) => {
  s.outFrame.set(0, AT + 1);
  s.outBytes.set(0, 64);
};
const written: Setup = (s) => s.content.set(AT, 7);
const broken =
  (name: number): Setup =>
  (s) =>
    s.inFault.set(name, 1);
const unreadable: Partial<ShownFiles> = {
  in: { tree, blobs: [{ name: 'LUO', bytes: 64, fault: 'it is freed memory' }] },
};
const numbers = (what: Partial<ShownFiles>) => shown({ ...files('out'), ...what });

/** As many files or lines as there should be, but not those; and more than there should be. */
const DEBUGFS: readonly Border[] = [
  ['DBG-08', 'keeps', shown(files('out', 'LUO'), added)],
  ['DBG-08', 'breaks', shown(files('out', 'kho_test'), added)],
  ['DBG-08', 'breaks', shown(files('out', 'nobody-knows'), added)],
  ['DBG-10', 'breaks', shown({ scratchPhys: [...PHYS, 0], scratchLen: [...BYTES, 0] })],
  ['DBG-10', 'breaks', shown({ scratchPhys: PHYS, scratchLen: [...BYTES, 0] })],
  ['DBG-10', 'breaks', shown({ scratchPhys: [...PHYS, 0], scratchLen: BYTES })],
  ['DBG-10', 'breaks', shown({ scratchPhys: PHYS, scratchLen: BYTES }, off)],
  ...AREAS.flatMap((_, slot): Border[] => [
    ['DBG-10', 'breaks', shown({ scratchPhys: PHYS.with(slot, 1), scratchLen: BYTES })],
    ['DBG-10', 'breaks', shown({ scratchPhys: PHYS, scratchLen: BYTES.with(slot, 1) })],
  ]),
  ['DBG-10', 'silent', shown({}, off)],
  ['DBG-12', 'breaks', shown(inTree('kho_test'), came([LUO, AT]))],
  ['DBG-12', 'breaks', shown(inTree('nobody-knows'), came([LUO, AT]))],
  ['DBG-13', 'keeps', shown(files('in', 'LUO'), came([LUO, AT]))],
  ['DBG-13', 'keeps', shown(files('in', 'LUO'), came([LUO, 0]))],
  ['DBG-13', 'keeps', shown(files('in', 'kho_test'), twoCame)],
  ['DBG-13', 'breaks', shown(files('in', 'LUO'), twoCame)],
  ['DBG-13', 'breaks', shown(files('in', 'kho_test'), came([LUO, AT]))],
  ['DBG-13', 'breaks', shown(files('in', 'nobody-knows'), came([LUO, AT]))],
  ['DBG-14', 'silent', shown(files('in', 'nobody-knows'), (s) => s.content.set(1, 7))],
  // The first of all names is one like any other: the kernel's own.
  ['DBG-08', 'keeps', shown(files('out', OWN), ownAdded)],
  ['DBG-12', 'keeps', shown(inTree(OWN), came([0, AT]))],
  ['DBG-12', 'keeps', shown(inTree(OWN), both(came([0, AT + 1]), broken(0)))],
  ['DBG-13', 'keeps', shown(files('in', OWN), came([0, AT]))],
  ['DBG-14', 'breaks', shown(files('out', OWN), both(ownAdded, written))],
  ['DBG-14', 'breaks', shown(files('in', OWN), both(came([0, AT]), written))],
  ['TRE-07', 'keeps', seen(sees({ handover: { subtrees: treeOf(OWN) } }), ownAdded)],
  ['DBG-06', 'breaks', shown(unreadable, came([LUO, AT]))],
  ['DBG-06', 'keeps', shown(unreadable, both(came([LUO, AT]), broken(0)))],
  ['DBG-06', 'keeps', shown(unreadable, both(came([LUO, AT]), broken(LUO)))],
  ['DBG-03', 'breaks', numbers({ scratchLen: [PAGE] })],
  ['DBG-03', 'breaks', numbers({ scratchPhys: [PAGE] })],
  ['DBG-03', 'keeps', numbers({ scratchPhys: [] })],
  ['DBG-03', 'keeps', numbers({ scratchLen: [] })],
  ['DBG-03', 'silent', numbers({})],
  ['DBG-07', 'silent', shown({ scratch: [], scratchPhys: [PAGE] })],
  ['DBG-07', 'silent', shown({ scratch: [], scratchLen: [PAGE] })],
  ['DBG-07', 'silent', shown({ scratchPhys: [PAGE], scratchLen: [PAGE] })],
  ['TRE-07', 'breaks', seen(sees({ handover: { subtrees: treeOf('kho_test') } }), added)],
];

it.each(DEBUGFS)('of what debugfs shows, %s is %s', (rule, wanted, judge) => {
  expect(judge(rule)).toBe(wanted);
});

it('a file of a blob that was not added is not told of as one of another size', () => {
  const seenFiles = (name: string) => sees({ debugfs: () => showing(files('out', name)) });
  for (const name of ['kho_test', 'nobody-knows']) {
    expect(lookedAt('DBG-08', seenFiles(name), added).told).toEqual([
      `out/sub_fdts/${name} is there, but is not what will be handed over`,
    ]);
  }
});

it('a file of a blob that did not come is not told of as one whose memory was given back', () => {
  const seenFiles = (name: string) => sees({ debugfs: () => showing(files('in', name)) });
  for (const name of ['kho_test', 'nobody-knows']) {
    const { told } = lookedAt('DBG-13', seenFiles(name), came([LUO, AT]));
    expect(told).toEqual([`in/sub_fdts/${name} is there, but did not come`]);
  }
});

const unpin = call('unpin', { pfn: AT });
const pages = call('preservePages', { pfn: AT, count: 8 });
const took = says(0, { taken: [[0x800, 1]] });
const tookHeld = says(0, { taken: [[AT, 1]] });
const notZero = says(0, { managed: 1 });
const write = call('write', { pfn: AT });
const freeContig = call('freeContig', { pfn: AT, count: 1 });
const nextOff: Setup = (s) => {
  s.loaded.set(1);
  s.nextKernel.set(KHO_OFF);
};
const keptRegion: Setup = (s) => {
  used(A, 2, REGION)(s);
  s.regionStart.set(0, A * PAGE + 1);
  s.regionBytes.set(0, 2 * PAGE);
};

/** A rule is about every call that it names. */
const CALLS: readonly Border[] = [
  ['LOD-03', 'breaks', made(call('kexecFileLoad', { count: 9 }), says(0))],
  ['LOD-03', 'breaks', made(call('kexecCrashLoad', { count: 9 }), says(0))],
  ['LOD-04', 'breaks', made(call('kexecLoad', { pfn: AT }), says(-99))],
  ['LOD-04', 'breaks', made(call('kexecFileLoad'), says(-99), off)],
  ['LOD-08', 'breaks', made(cold, crashAt(AT, 23, [AT, 23]))],
  ['LOD-08', 'breaks', made(jump, crashAt(AT, 23, [AT, 23]))],
  ['OFF-01', 'breaks', made(call('coldBoot', { value: KHO_OFF }), says(0))],
  ['OFF-01', 'breaks', made(jump, says(1), nextOff)],
  ...[pin, unpin, migrate].flatMap((each): Border[] => [
    ['MOV-11', 'breaks', made(each, notZero)],
    ['MOV-11', 'keeps', made(each, says(0))],
  ]),
  ['MOV-06', 'breaks', made(pin, says(0x5000), movable)],
  ['MOV-06', 'breaks', made(migrate, says(0x5000), movable)],
  ['MOV-07', 'breaks', made(pin, says(-12), movable)],
  ['MOV-07', 'breaks', made(migrate, says(-12), movable)],
  ...[write, freeContig, call('freePages', { pfn: AT })].map((each): Border => [
    'ALC-05',
    'breaks',
    made(each, says(-22)),
  ]),
  ...[folio, pages, keepArea, take, call('addSubtree', { pfn: AT, name: LUO })].flatMap(
    (each): Border[] => [
      ['TRK-01', 'breaks', made(each, tookHeld, used(AT, 1, HELD))],
      ['TRK-02', 'breaks', made(each, took)],
    ],
  ),
  ['TRK-02', 'breaks', made(cold, says(0, { taken: [[0x800, 1]], areas: AREAS }))],
  ['TRK-02', 'breaks', made(jump, says(1, { taken: [[0x800, 1]], areas: AREAS }))],
  ...[folio, pages].flatMap((each): Border[] => [
    ['PRS-01', 'breaks', made({ ...each, pfn: 0x800 }, says(0))],
    ['PRS-02', 'breaks', made(each, says(-22))],
    ['PRS-03', 'breaks', made(each, tookOne)],
    ['MEM-01', 'breaks', made(each, says(-12))],
    ['MEM-03', 'breaks', made({ ...each, fails: 1 }, took)],
  ]),
  ['PRS-04', 'breaks', made(call('unpreserveFolio', { pfn: AT }), says(-2))],
  ['PRS-04', 'breaks', made(call('unpreservePages', { pfn: AT, count: 1 }), says(-2))],
  ['RST-05', 'breaks', made(call('restoreFolio', { pfn: AT }), says(0, { managed: 2 }))],
  ['RST-05', 'breaks', made(call('restorePages', { pfn: AT, count: 1 }), says(0))],
  ...[cold, jump].flatMap((each): Border[] => [
    ['RSV-01', 'breaks', made(each, region(0, [none, [0x1100 * PAGE, 1]]))],
    ['RSV-02', 'breaks', made(each, region(0, [a]))],
    ['RSV-05', 'breaks', made(each, region(0, [[0x800 * PAGE, 2 * PAGE]]))],
    ['RSV-06', 'breaks', made(each, region(0, [[0x4000 * PAGE, 2 * PAGE]]))],
    ['RSV-11', 'breaks', made(each, says(0, { memblock: 9 }))],
    ['SCR-01', 'breaks', made(each, says(0))],
    ['SCR-02', 'breaks', made(each, says(0, { areas: [[1, 0x400]] }))],
    ['SCR-03', 'breaks', made(each, says(0, { areas: [[0x4000, 0x400]] }))],
    ['SCR-07', 'breaks', made(each, says(0, { areas: [[0, 0x400]], early: [[1, 1]] }))],
  ]),
  ['RSV-11', 'breaks', made(call('releaseReserveMem'), says(0, { memblock: 9 }), keptRegion)],
];

it.each(CALLS)('of this call, %s is %s', (rule, wanted, judge) => {
  expect(judge(rule)).toBe(wanted);
});
