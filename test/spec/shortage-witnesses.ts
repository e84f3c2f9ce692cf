/** Witnesses for the rules about memory that is short, and about memory that is whole again. */
import { EARLY, KHO, MOVABLE, UNMOVABLE, setUse } from '#spec/state';
import { MEM_01, MEM_02, MEM_03, MEM_04, MEM_05 } from '#spec/shortage';
import { call, ofCall, ofSystem, says, sees } from './witnesses.ts';
import type { Setup, Witness } from './witnesses.ts';

const AT = 0x1000;
const PAGE = 4096;

const folio = (fails: number) => call('preserveFolio', { pfn: AT, order: 3, fails });
const pages = (fails: number) => call('preservePages', { pfn: AT, count: 12, fails });
const alloc = (order: number, node = -1, fails = 0) => call('allocPages', { order, node, fails });

/** All memory outside scratch is taken but the given frames. */
const allBut =
  (...free: readonly number[]): Setup =>
  (s) => {
    setUse(s, 0, 0x400, UNMOVABLE);
    setUse(s, 0x1000, 0x1400, UNMOVABLE);
    setUse(s, 0x2800, 0x1800, UNMOVABLE);
    for (const pfn of free) s.use.set(pfn, 0);
  };

const range =
  (first: number, end: number): Setup =>
  (s) => {
    allBut()(s);
    setUse(s, first, end - first, 0);
  };

/** A kernel has booted: eight frames early, two tracker pages, a tree, a metadata blob. */
const booted: Setup = (s) => {
  setUse(s, 16, 8, EARLY);
  setUse(s, 0x20, 4, KHO);
  s.kept.set(0x22, 1);
  s.kept.set(0x23, 1);
};

const FREE_AFTER_BOOT = 0x4000 - 12;

/** What is seen of that kernel, with further blocks preserved. */
const bootedSees = (freeFrames: number, ...more: readonly (readonly [number, number])[]) =>
  sees({
    freeFrames,
    handover: {
      fdt: 0x22 * PAGE,
      subtrees: [{ name: 'kexec-metadata', phys: 0x23 * PAGE, bytes: 73 }],
      trackerPages: [0x20, 0x21].map((pfn, level) => ({ phys: pfn * PAGE, level })),
      preserved: [[0x22, 0] as const, [0x23, 0] as const, ...more].map(([pfn, order]) => ({
        phys: pfn * PAGE,
        order,
      })),
    },
  });

const alsoOwned =
  (use: number): Setup =>
  (s) => {
    booted(s);
    s.use.set(AT, use);
  };

export const SHORTAGE_WITNESSES: readonly Witness[] = [
  [
    'MEM-01',
    ofCall(MEM_01, folio(3), says(-12, { taken: [[0x20, 2]], given: [[0x20, 2]] })),
    ofCall(MEM_01, folio(0), says(-12)),
    ofCall(MEM_01, folio(2), says(-12, { taken: [[0x20, 2]], given: [[0x20, 2]] })),
    ofCall(MEM_01, pages(0), says(-12, { taken: [[0x20, 1]] }), allBut(0x20, 0x21)),
  ],
  [
    'MEM-02',
    ofCall(MEM_02, alloc(3), says(-12), range(AT + 1, AT + 15)),
    ofCall(MEM_02, alloc(3), says(-12), range(AT + 1, AT + 16)),
    ofCall(MEM_02, alloc(3, 1), says(-12), range(0x2ff8, 0x3000)),
    ofCall(MEM_02, alloc(10), says(-12)),
    ofCall(MEM_02, alloc(0), says(-12), allBut(0x3ff)),
  ],
  [
    'MEM-03',
    ofCall(MEM_03, folio(3), says(0, { taken: [[0x20, 2]] })),
    ofCall(MEM_03, folio(3), says(0, { taken: [[0x20, 3]] })),
  ],
  [
    'MEM-04',
    ofSystem(MEM_04, bootedSees(FREE_AFTER_BOOT), booted),
    ofSystem(MEM_04, bootedSees(FREE_AFTER_BOOT, [AT, 3]), booted),
    ofSystem(MEM_04, bootedSees(FREE_AFTER_BOOT, [0x22, 1]), booted),
  ],
  [
    'MEM-05',
    ofSystem(MEM_05, bootedSees(FREE_AFTER_BOOT), booted),
    ofSystem(MEM_05, bootedSees(FREE_AFTER_BOOT - 1), booted),
    ofSystem(MEM_05, bootedSees(FREE_AFTER_BOOT + 1), booted),
  ],
];

/** Cases in which a rule says nothing. */
export const SHORTAGE_SILENCE = [
  ['MEM-01', ofCall(MEM_01, folio(1), says(0))],
  ['MEM-02', ofCall(MEM_02, alloc(3, -1, 1), says(-12))],
  ['MEM-02', ofCall(MEM_02, alloc(3), says(AT))],
  ['MEM-03', ofCall(MEM_03, folio(0), says(0, { taken: [[0x20, 3]] }))],
  ['MEM-04', ofSystem(MEM_04, bootedSees(0, [AT, 3]), alsoOwned(UNMOVABLE))],
  ['MEM-05', ofSystem(MEM_05, bootedSees(0), alsoOwned(MOVABLE))],
] as const;
