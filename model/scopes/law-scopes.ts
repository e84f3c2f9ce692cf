/**
 * The named scopes of the law: at least one for every chapter that says what a call may do.
 *
 * Two chapters are about what an observer sees, "Content" and "A handover, looked at on its own";
 * the same goes for "What debugfs shows". They say nothing of a state alone, and are explored only
 * beside an implementation.
 */
import { ANY_NODE, MOVABLE_REQUEST, UNMOVABLE_REQUEST } from '#spec/call';
import type { Call } from '#spec/call';
import type { Machine } from '#spec/machine';
import { UNLOAD_CRASH, UNLOAD_NEXT } from '#spec/loading';
import { AREA_ALLOC, AREA_OTHER } from '#spec/vmalloc';
import { call } from '../call.ts';
import { framesOf } from './offer.ts';
import type { LawScope } from './law-scope.ts';

/** Scratch of one frame of low memory and one for each node; none for all nodes. */
const SCRATCH = { lowmem: 1, global: 0, perNode: 1 };

/** Scratch of low memory alone. */
const lowOnly = (frames: number) => ({ lowmem: frames, global: 0, perNode: 0 });

/** A machine on which one small blob, its page and what describes them are all there is. */
const oneBlob = (frames: number) => ({
  shape: { nodes: [frames], maxOrder: 0, scratch: lowOnly(1), names: [3], stamps: 2 },
  kexecs: 1,
  world: { blobBytes: [73] },
});

const each = (machine: Machine, make: (pfn: number) => Call): readonly Call[] =>
  framesOf(machine).map(make);

/** Every block of each order, aligned. */
const blocks = (machine: Machine, make: (pfn: number, order: number) => Call): readonly Call[] =>
  Array.from({ length: machine.maxOrder + 1 }, (_, order) =>
    framesOf(machine)
      .filter((pfn) => pfn % 2 ** order === 0 && pfn + 2 ** order <= machine.end)
      .map((pfn) => make(pfn, order)),
  ).flat();

/** Every range of one of these lengths. */
const ranges = (
  machine: Machine,
  lengths: readonly number[],
  make: (pfn: number, count: number) => Call,
): readonly Call[] =>
  lengths.flatMap((count) =>
    framesOf(machine)
      .filter((pfn) => pfn + count <= machine.end)
      .map((pfn) => make(pfn, count)),
  );

const requests = (
  machine: Machine,
  values: readonly number[],
  nodes: readonly number[] = [ANY_NODE],
): readonly Call[] =>
  Array.from({ length: machine.maxOrder + 1 }, (_, order) =>
    values.flatMap((value) => nodes.map((node) => call('allocPages', { order, value, node }))),
  ).flat();

const unmovable = [UNMOVABLE_REQUEST];
const both = [UNMOVABLE_REQUEST, MOVABLE_REQUEST];

/** Folios of every order: taken, given back, kept, taken back. */
const folios = (machine: Machine): readonly Call[] => [
  ...blocks(machine, (pfn, order) => call('freePages', { pfn, order })),
  ...blocks(machine, (pfn, order) => call('preserveFolio', { pfn, order })),
  ...blocks(machine, (pfn, order) => call('unpreserveFolio', { pfn, order })),
];

const writes = (machine: Machine, stamps: readonly number[]): readonly Call[] =>
  stamps.flatMap((value) => each(machine, (pfn) => call('write', { pfn, value })));

const jumps: readonly Call[] = [call('kexecFileLoad'), call('kexec')];

const restores = (machine: Machine): readonly Call[] =>
  each(machine, (pfn) => call('restoreFolio', { pfn }));

/** What is frozen, or is not, around finalizing; from 7.1 on there is nothing to finalize. */
const phaseCalls = (machine: Machine): readonly Call[] => [
  ...requests(machine, unmovable),
  ...folios(machine),
  ...each(machine, (pfn) => call('preservePages', { pfn, count: 1 })),
  ...each(machine, (pfn) => call('addSubtree', { pfn, name: 2, value: 73 })),
  ...each(machine, (pfn) => call('removeSubtree', { pfn })),
  ...restores(machine),
  ...jumps,
  call('finalize'),
  call('abort'),
];

/** Chapters with rules about calls that no scope explores, by title, and why. */
export const UNEXPLORED: Readonly<Record<string, string>> = {
  'Live update': 'it writes content that the law knows nothing of, into six pages at once',
  'Before the merge':
    'images carry trees and lists of ranges, which answers of scopes do not place',
};

export const LAW_SCOPES: readonly LawScope[] = [
  {
    name: 'scratch',
    says: 'areas that a kernel reserves anywhere that the law allows, and takes over at a jump',
    chapters: ['Scratch', 'Loading, jumping, booting'],
    shape: { nodes: [6], maxOrder: 0, scratch: SCRATCH, stamps: 2 },
    kexecs: 2,
    world: {
      plans: [
        [
          [0, 1],
          [0, 0],
          [1, 1],
        ],
        [
          [5, 1],
          [0, 0],
          [0, 1],
        ],
        [
          [2, 1],
          [0, 0],
          [2, 1],
        ],
        [
          [0, 2],
          [0, 0],
          [3, 1],
        ],
        [
          [4, 1],
          [0, 0],
          [5, 2],
        ],
      ],
      early: [
        [0, 1],
        [1, 1],
        [2, 1],
        [4, 2],
      ],
    },
    calls: (machine) => [
      call('coldBoot'),
      ...jumps,
      ...each(machine, (pfn) => call('preservePages', { pfn, count: 1 })),
      ...requests(machine, unmovable),
      ...each(machine, (pfn) => call('freePages', { pfn })),
    ],
  },
  {
    name: 'movability',
    says: 'movable blocks in scratch and outside: pinned, moved, kept, and given back',
    chapters: ['Movability', 'The page allocator'],
    shape: { nodes: [6], maxOrder: 1, scratch: lowOnly(2), stamps: 2 },
    kexecs: 0,
    calls: (machine) => [
      ...requests(machine, both),
      ...blocks(machine, (pfn, order) => call('freePages', { pfn, order })),
      ...blocks(machine, (pfn, order) => call('pin', { pfn, order, node: ANY_NODE })),
      ...blocks(machine, (pfn, order) => call('unpin', { pfn, order })),
      ...blocks(machine, (pfn, order) => call('migrate', { pfn, order, node: ANY_NODE })),
      ...blocks(machine, (pfn, order) => call('preserveFolio', { pfn, order })),
      ...blocks(machine, (pfn, order) => call('unpreserveFolio', { pfn, order })),
    ],
  },
  {
    name: 'allocation',
    says: 'blocks of two orders and ranges, on two nodes, until nothing is left',
    chapters: ['The page allocator'],
    shape: { nodes: [5, 3], maxOrder: 1, scratch: SCRATCH, stamps: 2 },
    kexecs: 0,
    calls: (machine) => [
      ...requests(machine, both, [ANY_NODE, 0, 1]),
      ...blocks(machine, (pfn, order) => call('freePages', { pfn, order })),
      ...ranges(machine, [1, 2], (pfn, count) => call('allocContig', { pfn, count })),
      ...ranges(machine, [2], (pfn, count) => call('freeContig', { pfn, count })),
    ],
  },
  {
    name: 'preservation',
    says: 'folios and ranges, kept and taken back, with scratch in the way',
    chapters: ['Preservation'],
    shape: { nodes: [8], maxOrder: 2, scratch: lowOnly(1), stamps: 2 },
    kexecs: 0,
    calls: (machine) => [
      ...requests(machine, unmovable),
      ...folios(machine),
      ...ranges(machine, [1, 3, 4], (pfn, count) => call('preservePages', { pfn, count })),
      ...ranges(machine, [1, 3, 4], (pfn, count) => call('unpreservePages', { pfn, count })),
    ],
  },
  {
    name: 'restore',
    says: 'folios and ranges, handed over and restored once, whole or not at all',
    chapters: ['Restoring', 'Preservation', 'Loading, jumping, booting'],
    shape: { nodes: [7], maxOrder: 1, scratch: lowOnly(1), stamps: 2 },
    kexecs: 1,
    calls: (machine) => [
      ...ranges(machine, [1, 2], (pfn, count) => call('allocContig', { pfn, count })),
      ...ranges(machine, [1, 2], (pfn, count) => call('freeContig', { pfn, count })),
      ...ranges(machine, [1, 2], (pfn, count) => call('preservePages', { pfn, count })),
      ...ranges(machine, [1, 2], (pfn, count) => call('restorePages', { pfn, count })),
      ...restores(machine),
      ...jumps,
    ],
  },
  {
    name: 'tracker',
    says: 'every page that KHO might take for itself while memory is kept',
    chapters: ["The tracker's own pages", 'Preservation'],
    shape: { nodes: [7], maxOrder: 0, scratch: SCRATCH, stamps: 2 },
    kexecs: 1,
    world: { ownPages: 1, bootPages: 'any' },
    calls: (machine) => [...requests(machine, unmovable), ...folios(machine), ...jumps],
  },
  {
    name: 'vmalloc',
    says: 'areas of two pages in either order, and of other flags: kept, handed over, restored',
    chapters: ['vmalloc areas'],
    shape: {
      nodes: [8],
      maxOrder: 0,
      scratch: lowOnly(1),
      pageShift: 7,
      stamps: 2,
    },
    kexecs: 1,
    calls: (machine) => [
      call('vmalloc', { count: 2, value: AREA_ALLOC }),
      call('vmalloc', { count: 1, value: AREA_ALLOC | AREA_OTHER }),
      ...each(machine, (pfn) => call('vfree', { pfn, count: 1 })),
      ...each(machine, (pfn) => call('vfree', { pfn, count: 2 })),
      ...each(machine, (pfn) => call('preserveVmalloc', { pfn, count: 2 })),
      ...each(machine, (pfn) => call('preserveVmalloc', { pfn, count: 1 })),
      ...each(machine, (pfn) => call('unpreserveVmalloc', { pfn, count: 2, value: AREA_ALLOC })),
      ...each(machine, (pfn) => call('restoreVmalloc', { pfn, count: 2, value: AREA_ALLOC })),
      ...jumps,
    ],
  },
  {
    name: 'alloc-preserve',
    says: 'zeroed memory that is taken and kept in one go, freed in this kernel or in the next',
    chapters: ['Taking and keeping in one go'],
    shape: { nodes: [7], maxOrder: 1, scratch: lowOnly(1), stamps: 3 },
    kexecs: 1,
    calls: (machine) => [
      ...[0, 1, 4097, 8193].map((value) => call('allocPreserve', { value })),
      ...blocks(machine, (pfn, order) => call('unpreserveFree', { pfn, order })),
      ...each(machine, (pfn) => call('restoreFree', { pfn })),
      ...writes(machine, [1]),
      ...jumps,
    ],
  },
  {
    name: 'tree',
    says: 'blobs under names until the page is full; handed over, damaged on the way, looked up',
    chapters: ['The handover tree', 'Loading, jumping, booting'],
    shape: {
      nodes: [6],
      maxOrder: 0,
      scratch: lowOnly(1),
      pageShift: 9,
      names: [120, 120],
      stamps: 2,
    },
    kexecs: 1,
    world: { blobBytes: [73] },
    calls: (machine) => [
      ...requests(machine, unmovable),
      ...folios(machine),
      ...[2, 3].flatMap((name) =>
        each(machine, (pfn) => call('addSubtree', { pfn, name, value: 73 })),
      ),
      ...each(machine, (pfn) => call('removeSubtree', { pfn })),
      ...[0, 1, 2, 3].map((name) => call('retrieveSubtree', { name })),
      ...jumps,
      ...[1, 3].map((value) => call('kexec', { value })),
      ...[0, 2].map((name) => call('kexec', { name, value: 5 })),
      call('kexec', { name: 0, value: 12 }),
    ],
  },
  {
    name: 'reserve-mem',
    says: 'regions with a name: reserved, revived, resized, released, by two command lines',
    chapters: ['Memory with a name'],
    shape: {
      nodes: [11],
      maxOrder: 1,
      scratch: lowOnly(1),
      lines: ['8K:4K:a', '4K:4K:a 4K:8K:b'],
      stamps: 2,
    },
    kexecs: 1,
    world: { regionPlaces: [2, 4] },
    calls: () => [
      ...[0, 1, 2].map((name) => call('reserveMemFindByName', { name })),
      ...[0, 1, 2].map((name) => call('releaseReserveMem', { name })),
      ...[0, 1].map((name) => call('kexecFileLoad', { name })),
      call('kexec'),
    ],
  },
  {
    name: 'shortage',
    says: 'memory that runs out while it is kept, and requests for pages that are made to fail',
    chapters: ['When memory is short, and when all is given back', "The tracker's own pages"],
    shape: { nodes: [8], maxOrder: 1, scratch: lowOnly(1), stamps: 2 },
    kexecs: 0,
    world: { ownPages: 1 },
    calls: (machine) => [
      ...requests(machine, unmovable),
      call('allocPages', { fails: 1, node: ANY_NODE }),
      ...folios(machine),
      ...blocks(machine, (pfn, order) => call('preserveFolio', { pfn, order, fails: 1 })),
      ...ranges(machine, [2], (pfn, count) => call('preservePages', { pfn, count, fails: 2 })),
    ],
  },
  {
    name: 'kexec',
    says: 'jumps with a whole tree, a damaged one and no image at all, and power cuts',
    chapters: ['Loading, jumping, booting', 'Content'],
    shape: { nodes: [7], maxOrder: 0, scratch: SCRATCH, stamps: 3 },
    kexecs: 2,
    calls: (machine) => [
      ...requests(machine, unmovable),
      ...folios(machine),
      ...writes(machine, [1]),
      ...restores(machine),
      ...jumps,
      call('kexec', { value: 1 }),
      call('coldBoot'),
    ],
  },
  {
    name: 'loading',
    says: 'images of every kind and size, loaded over each other, unloaded, started, or not there',
    chapters: ['Ways to load', 'Kernels without KHO'],
    shape: {
      nodes: [7],
      maxOrder: 0,
      scratch: { lowmem: 2, global: 0, perNode: 1 },
      crash: 1,
      stamps: 2,
    },
    kexecs: 1,
    calls: (machine) => [
      ...[0, 1, 3].map((count) => call('kexecFileLoad', { count })),
      ...[1, 2].map((value) => call('kexecFileLoad', { value })),
      ...[0, 1].map((value) => call('kexecLoad', { pfn: 4, count: 1, value })),
      ...[UNLOAD_NEXT, UNLOAD_CRASH].map((value) => call('kexecUnload', { value })),
      ...[0, 1, 2].map((count) => call('kexecCrashLoad', { count })),
      call('kexec'),
      call('crash'),
      ...[0, 1, 2].map((value) => call('coldBoot', { value })),
      call('khoIsEnabled'),
      call('isKhoBoot'),
      ...requests(machine, unmovable),
      ...folios(machine),
      ...restores(machine),
      ...[0, 1].map((name) => call('retrieveSubtree', { name })),
    ],
  },
  {
    name: 'two-nodes',
    says: 'blocks, ranges and handovers where two nodes meet in the middle of a block',
    chapters: ['Preservation', 'Restoring', 'The page allocator', 'Scratch'],
    shape: { nodes: [5, 3], maxOrder: 1, scratch: SCRATCH, stamps: 2 },
    kexecs: 1,
    calls: (machine) => [
      ...requests(machine, unmovable, [0, 1]),
      ...folios(machine),
      call('allocContig', { pfn: 4, count: 1 }),
      call('preservePages', { pfn: 4, count: 1 }),
      call('allocContig', { pfn: 6, count: 2 }),
      call('freeContig', { pfn: 6, count: 2 }),
      call('preservePages', { pfn: 6, count: 2 }),
      call('unpreservePages', { pfn: 6, count: 2 }),
      call('restorePages', { pfn: 6, count: 2 }),
      ...restores(machine),
      ...jumps,
    ],
  },
  {
    name: 'chain',
    says: 'three kernels one after another that hand on what was written once',
    chapters: ['Content', 'Loading, jumping, booting', 'Restoring'],
    shape: { nodes: [6], maxOrder: 0, scratch: lowOnly(1), stamps: 3 },
    kexecs: 2,
    calls: (machine) => [
      ...requests(machine, unmovable),
      ...folios(machine),
      ...writes(machine, [1]),
      ...restores(machine),
      ...jumps,
    ],
  },
  {
    name: 'phases-6.18',
    says: 'the first mainline family: written down once, frozen, and taken back by aborting',
    chapters: ['Phases', 'The handover tree'],
    generation: '6.18',
    ...oneBlob(4),
    calls: phaseCalls,
  },
  {
    name: 'phases-7.0',
    says: 'the family in which finalizing may be repeated, and a jump does it once more',
    chapters: ['Phases', 'The handover tree'],
    generation: '7.0',
    ...oneBlob(5),
    calls: phaseCalls,
  },
  {
    name: 'phases-7.1',
    says: 'the first family in which nothing has to be written down',
    chapters: ['Phases', 'The handover tree'],
    generation: '7.1',
    ...oneBlob(6),
    calls: (machine) => phaseCalls(machine).slice(0, -2),
  },
  {
    name: 'chain3',
    says: 'three kernels that hand on memory with several stamps: over a million states',
    chapters: ['Content', 'Loading, jumping, booting', 'Restoring'],
    shape: { nodes: [7], maxOrder: 0, scratch: lowOnly(1), stamps: 4 },
    kexecs: 2,
    calls: (machine) => [
      ...requests(machine, unmovable),
      ...folios(machine),
      ...writes(machine, [1, 2]),
      ...restores(machine),
      ...jumps,
    ],
  },
  {
    name: 'alike',
    says: 'frames that may be exchanged with one another, inside of scratch and outside',
    chapters: ['Movability', 'Preservation'],
    shape: { nodes: [9], maxOrder: 0, scratch: lowOnly(3), stamps: 2 },
    kexecs: 0,
    symmetry: [
      [[1], [2]],
      [[5], [6], [7], [8]],
    ],
    calls: (machine) => [
      ...requests(machine, both),
      ...folios(machine),
      ...each(machine, (pfn) => call('pin', { pfn, node: ANY_NODE })),
      ...each(machine, (pfn) => call('unpin', { pfn })),
    ],
  },
];
