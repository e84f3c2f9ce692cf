/** Witnesses for the rules about `kho_scratch=`, HugeTLB pages of boot and widened scratch. */
import type { MachineShape } from '#model/machines';
import { ageOf } from '#spec/generations';
import type { Generation } from '#spec/generations';
import { SCR_01, SCR_05, SCR_08, SCR_09, SCR_10, SCR_11, SCR_12, SCR_13 } from '#spec/scratch';
import { KHO, setUse } from '#spec/state';
import { AREAS, call, nothing, ofCall, says } from './witnesses.ts';
import type { Case, Pair, Setup, Witness } from './witnesses.ts';

const cold = (name = 0, value = 0) => call('coldBoot', { name, value });
const jump = call('kexec');
/** A kernel of a series before the merge, which reads command lines in its own way. */
const early = (generation: Generation, name: number) =>
  call('coldBoot', { name, order: ageOf(generation) + 1 });

/** Two sizes, and more that only the series v4 does not look at. */
const OWN = '4M,1M,8M,x';

/**
 * Command lines: nothing, sizes that fit, one too large for every place, a large percentage. Node 1
 * lies above low memory.
 */
const LINES: Partial<MachineShape> = {
  lowFrames: 0x2000,
  scratchLines: [null, '4M,4M,4M', '1G,4M,4M', '4M,4M,1G', '4M,4M,16M', '0x1000%', '12800%', OWN],
};
const lines =
  (id: number): Setup =>
  (s) =>
    s.line.set(id);

/** What a cold kernel reserves early: its image, and a little on the other node. */
const EARLY: readonly Pair[] = [
  [16, 8],
  [0x3ffa, 6],
];
/** The array of the areas, which lies beside them. */
const ARRAY: Pair = [0x3ff0, 1];
const on = (...areas: readonly Pair[]) =>
  says(0, { areas, early: [...EARLY, ARRAY], array: ARRAY[0], fdt: 0x100 });
const off = says(2, { early: EARLY });

/** What the default makes of so little: one block of low memory, one for each node. */
const DEFAULT: readonly Pair[] = [
  [0x1c00, 0x400],
  [0, 0],
  [0x1800, 0x400],
  [0x3800, 0x400],
];
/** 12,800 % of 8, 14 and 6 frames, the first and last of which lie on one node each. */
const SCALED: readonly Pair[] = [
  [0x1c00, 0x400],
  [0x3800, 0x400],
  [0x1800, 0x400],
  [0x3400, 0x400],
];

/** Areas of v4 in its units: any node, then each of the two; as large as that. */
const ofV4 = (any: number, ...nodes: readonly number[]): readonly Pair[] => [
  [0x3000, any],
  [0x1000, nodes[0]!],
  [0x2800, nodes[1]!],
];

/** Nothing on a node: the areas are three. */
const EMPTY_NODE: Partial<MachineShape> = { nodes: [0x2000, 0, 0x2000] };
const HUGE: Partial<MachineShape> = { hugePages: { order: 5, count: 2 } };
const huge = (value: number, ...pages: readonly Pair[]) =>
  says(value, { huge: pages, areas: AREAS });

/** A page of KHO itself in the second block of 64 frames past scratch. */
const busy: Setup = (s) => setUse(s, 0x1045, 1, KHO);
const WIDENS: Partial<MachineShape> = { widenFrames: 64 };
/** The kernel that was loaded is one of 7.2. */
const olderKernel: Setup = (s) => s.loads.set(1);
const took = (...early: readonly Pair[]) => says(1, { early });

export const SCRATCH_LINE_WITNESSES: readonly Witness[] = [
  [
    'SCR-08',
    ofCall(SCR_08, cold(2), off, nothing, LINES),
    ofCall(SCR_08, cold(2), on(...AREAS), nothing, LINES),
    ofCall(SCR_08, cold(3), says(2, { early: EARLY, areas: AREAS }), nothing, LINES),
    ofCall(SCR_08, cold(3), says(2, { early: EARLY, array: 0x3ff0 }), nothing, LINES),
    ofCall(SCR_08, jump, says(2, { early: EARLY, fdt: 0x100 }), lines(3), LINES),
  ],
  [
    'SCR-09',
    ofCall(SCR_09, cold(1), on(...AREAS), nothing, LINES),
    ofCall(SCR_09, cold(1), off, nothing, LINES),
    ofCall(SCR_09, cold(), off, nothing, LINES),
    ofCall(SCR_09, jump, off, lines(4), LINES),
    ofCall(SCR_09, cold(), off, nothing, EMPTY_NODE),
  ],
  [
    'SCR-10',
    ofCall(SCR_10, jump, says(1, { areas: AREAS, early: EARLY }), nothing, LINES),
    ofCall(SCR_10, jump, says(1, { areas: DEFAULT, early: EARLY }), nothing, LINES),
  ],
  [
    'SCR-11',
    ofCall(SCR_11, jump, huge(1, [0x1000, 32])),
    ofCall(SCR_11, jump, huge(1, [0x1000, 32], [0x7e0, 32])),
    ofCall(SCR_11, cold(), huge(0, [0x7e1, 32])),
  ],
  [
    'SCR-12',
    ofCall(SCR_12, cold(), huge(0, [0x1000, 32], [0x1020, 32]), nothing, HUGE),
    ofCall(SCR_12, cold(), huge(0, [0x1000, 32]), nothing, HUGE),
    ofCall(SCR_12, jump, huge(1, [0x1000, 32], [0x1020, 32], [0x1040, 32]), nothing, HUGE),
    ofCall(SCR_12, cold(), huge(0, [0x1000, 32], [0x1000, 32]), nothing, HUGE),
    ofCall(SCR_12, cold(), huge(0, [0x1000, 32], [0x1030, 32]), nothing, HUGE),
    ofCall(SCR_12, cold(), huge(0, [0x1000, 32], [0x1020, 16]), nothing, HUGE),
    ofCall(SCR_12, cold(), huge(0, [0x1000, 32], [0x4000, 32]), nothing, HUGE),
  ],
  [
    'SCR-13',
    ofCall(SCR_13, early('v3', 0), off, nothing, LINES),
    ofCall(SCR_13, early('v3', 0), on([0x3000, 0x200]), nothing, LINES),
    ofCall(SCR_13, early('v3', 0), on(), nothing, LINES),
    ofCall(SCR_13, early('v3', 0), says(2, { areas: [[0x3000, 0x200]] }), nothing, LINES),
  ],
];

type Kept = readonly [string, Case];

/** Areas that were reserved where another would not do, and what else is right. */
export const SCRATCH_LINE_KEEPS: readonly Kept[] = [
  ['SCR-01', ofCall(SCR_01, cold(), on(...DEFAULT), nothing, LINES)],
  // A percentage in hexadecimal is none.
  ['SCR-01', ofCall(SCR_01, cold(5), on(...DEFAULT), nothing, LINES)],
  ['SCR-01', ofCall(SCR_01, cold(6), on(...SCALED), nothing, LINES)],
  ['SCR-01', ofCall(SCR_01, cold(9), on(...DEFAULT), nothing, LINES)],
  ['SCR-01', ofCall(SCR_01, jump, on(...SCALED), lines(6), LINES)],
  ['SCR-01', ofCall(SCR_01, cold(), on(...AREAS), nothing, EMPTY_NODE)],
  // The series v4 knows two sizes, and percentages in any base; v3 one size and no default.
  ['SCR-01', ofCall(SCR_01, early('v4', 0), on(...ofV4(512, 512, 512)), nothing, LINES)],
  ['SCR-01', ofCall(SCR_01, early('v4', 5), on(...ofV4(1024, 512, 512)), nothing, LINES)],
  ['SCR-01', ofCall(SCR_01, early('v4', 7), on(...ofV4(1024, 512, 512)), nothing, LINES)],
  ['SCR-01', ofCall(SCR_01, early('v3', 7), on([0x3000, 1024]), nothing, LINES)],
  ['SCR-01', ofCall(SCR_01, early('v3', 6), on([0x3000, 512]), nothing, LINES)],
  ['SCR-08', ofCall(SCR_08, early('v4', 2), off, nothing, LINES)],
  ['SCR-08', ofCall(SCR_08, early('v3', 2), off, nothing, LINES)],
  ['SCR-09', ofCall(SCR_09, early('v3', 0), off, nothing, LINES)],
  // Four areas of 16 MiB and less on two nodes of 32 MiB.
  ['SCR-09', ofCall(SCR_09, cold(4), on(...AREAS), nothing, LINES)],
  ['SCR-09', ofCall(SCR_09, cold(2), off, nothing, LINES)],
  ['SCR-12', ofCall(SCR_12, jump, huge(1, [0x1000, 32]), nothing, HUGE)],
  ['SCR-12', ofCall(SCR_12, jump, huge(1), nothing, HUGE)],
  // Widened: the block of the range, and the one after, where it reaches into that.
  ['SCR-05', ofCall(SCR_05, jump, took([0x1000, 64]), busy, WIDENS)],
  ['SCR-05', ofCall(SCR_05, jump, took([0x1080, 1], [0x400, 4]), busy, WIDENS)],
];

/** Cases that break a rule which has its witnesses elsewhere. */
export const SCRATCH_LINE_BREAKS: readonly Kept[] = [
  ['SCR-01', ofCall(SCR_01, cold(), on(...AREAS), nothing, LINES)],
  ['SCR-01', ofCall(SCR_01, cold(6), on(...DEFAULT), nothing, LINES)],
  ['SCR-01', ofCall(SCR_01, early('v4', 5), on(...ofV4(512, 512, 512)), nothing, LINES)],
  ['SCR-01', ofCall(SCR_01, early('v4', 7), on(...ofV4(512, 512, 512)), nothing, LINES)],
  ['SCR-01', ofCall(SCR_01, early('v3', 7), on([0x3000, 512]), nothing, LINES)],
  ['SCR-08', ofCall(SCR_08, early('v4', 2), on(...ofV4(512, 512, 512)), nothing, LINES)],
  ['SCR-09', ofCall(SCR_09, early('v3', 1), off, nothing, LINES)],
  ['SCR-09', ofCall(SCR_09, early('v4', 0), off, nothing, LINES)],
  ['SCR-01', ofCall(SCR_01, cold(), on(...AREAS, [0x3000, 0x400]), nothing, EMPTY_NODE)],
  ['SCR-05', ofCall(SCR_05, jump, took([0x1040, 1]), busy, WIDENS)],
  ['SCR-05', ofCall(SCR_05, jump, took([0x103f, 2]), busy, WIDENS)],
  ['SCR-05', ofCall(SCR_05, jump, took([0x107f, 2]), busy, WIDENS)],
  ['SCR-05', ofCall(SCR_05, jump, took([0x1000, 1]), olderKernel, WIDENS)],
  ['SCR-05', ofCall(SCR_05, jump, took([0x1041, 1]), (s) => s.kept.set(0x1040, 2), WIDENS)],
];

export const SCRATCH_LINE_SILENCE: readonly Kept[] = [
  ['SCR-08', ofCall(SCR_08, cold(1), on(...AREAS), nothing, LINES)],
  ['SCR-08', ofCall(SCR_08, cold(2, 1), off, nothing, LINES)],
  ['SCR-08', ofCall(SCR_08, jump, says(1, { areas: AREAS }), lines(2), LINES)],
  ['SCR-09', ofCall(SCR_09, cold(1, 1), off, nothing, LINES)],
  ['SCR-09', ofCall(SCR_09, jump, off, (s) => s.nextKernel.set(2), LINES)],
  ['SCR-10', ofCall(SCR_10, jump, says(1, { areas: AREAS }))],
  ['SCR-13', ofCall(SCR_13, early('v3', 1), off, nothing, LINES)],
  ['SCR-13', ofCall(SCR_13, early('v4', 0), off, nothing, LINES)],
  ['SCR-13', ofCall(SCR_13, jump, says(1), (s) => s.loads.set(ageOf('v3')), LINES)],
  ['SCR-10', ofCall(SCR_10, jump, says(1, { areas: AREAS }), lines(1), LINES)],
  ['SCR-10', ofCall(SCR_10, jump, says(0, { areas: AREAS }), nothing, LINES)],
  ['SCR-11', ofCall(SCR_11, jump, huge(1))],
  ['SCR-12', ofCall(SCR_12, jump, huge(1))],
  ['SCR-12', ofCall(SCR_12, jump, huge(-22), nothing, HUGE)],
];
