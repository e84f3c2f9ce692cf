/**
 * Witnesses of the chapter about memory with a name.
 *
 * The machine of `fresh` has these command lines; regions have the numbers that their names have
 * here: `a`, `b`, `c`, then `r0` to `r7`. Its scratch areas are `AREAS`.
 */
import {
  RSV_01,
  RSV_02,
  RSV_03,
  RSV_04,
  RSV_05,
  RSV_06,
  RSV_07,
  RSV_08,
  RSV_09,
  RSV_10,
  RSV_11,
} from '#spec/reserve-mem';
import { REGION, setUse } from '#spec/state';
import { AREAS, call, ofCall, ofSystem, says, sees } from './witnesses.ts';
import type { Pair, Setup, Witness } from './witnesses.ts';

const PAGE = 4096;
/** Frames outside scratch where regions lie. */
const A = 0x1000;
const B = 0x1100;

const cold = call('coldBoot');
const jump = call('kexec');
const find = call('reserveMemFindByName', { name: 0 });
const release = call('releaseReserveMem', { name: 0 });

/** An answer of a kernel with these regions, first byte and bytes, by number. */
const has = (value: number, ...regions: readonly Pair[]) =>
  says(value, { areas: AREAS, regions, memblock: regions.some(([, bytes]) => bytes > 0) ? 9 : 0 });

const a: Pair = [A * PAGE, 2 * PAGE];
const b: Pair = [B * PAGE + 2048, 4096];
const none: Pair = [0, 0];

/** The kernel before had regions 0 and 1, and an image is loaded with that command line. */
const before =
  (line: number): Setup =>
  (s) => {
    for (const [slot, [start, bytes]] of [a, b].entries()) {
      s.regionStart.set(slot, start + 1);
      s.regionBytes.set(slot, bytes);
      const first = Math.floor(start / PAGE);
      setUse(s, first, 2, REGION);
      s.kept.set(first, 2);
    }
    s.line.set(line);
    s.loaded.set(1);
  };

const hadBoth = before(0);
const eight: readonly Pair[] = Array.from({ length: 8 }, (_, i) => [(A + i) * PAGE, 64]);
const keepAll: Setup = (s) => {
  hadBoth(s);
  for (let pfn = 0; pfn < 0x4000; pfn++) s.kept.set(pfn, 1);
};

const lists = (...regions: readonly (readonly [string, ...Pair])[]) =>
  sees({ regions: () => regions.map(([name, start, size]) => ({ name, start, size })) });

export const RESERVE_MEM_WITNESSES: readonly Witness[] = [
  [
    'RSV-01',
    ofCall(RSV_01, cold, has(0, a, b)),
    ofCall(RSV_01, cold, has(0, [A * PAGE, PAGE], b)),
    ofCall(RSV_01, cold, has(0, [A * PAGE + 64, 2 * PAGE], b)),
    ofCall(RSV_01, cold, has(0, a, [B * PAGE + 32, 4096])),
    ofCall(RSV_01, cold, has(0, a, b, [0, PAGE])),
    ofCall(RSV_01, jump, has(1, a), before(2)),
    ofCall(RSV_01, jump, has(1, none, none, [0x1800 * PAGE, 64], ...eight), before(2)),
  ],
  [
    'RSV-02',
    ofCall(RSV_02, cold, has(0, a, b)),
    ofCall(RSV_02, cold, has(0, a)),
    ofCall(RSV_02, cold, has(0, none, b)),
    ofCall(RSV_02, jump, has(1, none, none, none, ...eight.slice(1)), before(2)),
  ],
  [
    'RSV-03',
    ofCall(RSV_03, jump, has(1, a, b), hadBoth),
    ofCall(RSV_03, jump, has(1, [A * PAGE + 2 * PAGE, 2 * PAGE], b), hadBoth),
    ofCall(RSV_03, jump, has(1, a, none), hadBoth),
  ],
  [
    'RSV-04',
    ofCall(RSV_04, jump, has(1, a, [0x1800 * PAGE, 100]), before(1)),
    ofCall(RSV_04, jump, has(1, a, [B * PAGE + 2048, 100]), before(1)),
    ofCall(RSV_04, jump, has(1, a, [(A + 1) * PAGE, 100]), before(1)),
    ofCall(RSV_04, jump, has(1, [A * PAGE - PAGE, 2 * PAGE], b), before(3)),
  ],
  [
    'RSV-05',
    ofCall(RSV_05, cold, has(0, a, b)),
    ofCall(RSV_05, cold, has(0, [0x7ff * PAGE, PAGE])),
    ofCall(RSV_05, cold, has(0, [0x3ff * PAGE + 64, PAGE])),
    ofCall(RSV_05, jump, has(1, a, [0x2400 * PAGE, 64])),
  ],
  [
    'RSV-06',
    ofCall(RSV_06, cold, has(0, a, b)),
    ofCall(RSV_06, cold, has(0, a, [(A + 1) * PAGE + 2048, 64])),
    ofCall(RSV_06, cold, has(0, [0x1fff * PAGE, 2 * PAGE])),
    ofCall(RSV_06, cold, has(0, [0x4000 * PAGE, PAGE])),
    ofCall(RSV_06, cold, says(0, { regions: [a], early: [[A + 1, 1]] })),
    ofCall(RSV_06, jump, says(1, { regions: [a], taken: [[A, 1]] })),
  ],
  [
    'RSV-07',
    ofSystem(RSV_07, lists(['a', ...a], ['b', ...b]), hadBoth),
    ofSystem(RSV_07, lists(['a', ...a]), hadBoth),
    ofSystem(RSV_07, lists(['a', ...a], ['b', b[0], 4095]), hadBoth),
    ofSystem(RSV_07, lists(['a', ...a], ['b', b[0] + 64, b[1]]), hadBoth),
    ofSystem(RSV_07, lists(['a', ...a], ['b', ...b], ['z', 0, 64]), hadBoth),
    ofSystem(RSV_07, sees({ regions: () => 'not a device tree' }), hadBoth),
  ],
  [
    'RSV-08',
    ofCall(RSV_08, find, says(a[0], { bytes: a[1] }), hadBoth),
    ofCall(RSV_08, find, says(a[0], { bytes: a[1] - 1 }), hadBoth),
    ofCall(RSV_08, find, says(a[0] + PAGE, { bytes: a[1] }), hadBoth),
    ofCall(RSV_08, find, says(-2), hadBoth),
    ofCall(RSV_08, find, says(a[0], { bytes: a[1] })),
  ],
  [
    'RSV-09',
    ofCall(RSV_09, release, says(0), hadBoth),
    ofCall(RSV_09, release, says(-2), hadBoth),
    ofCall(RSV_09, release, says(0)),
    ofCall(RSV_09, release, says(0, { taken: [[A, 1]] }), hadBoth),
  ],
  [
    'RSV-10',
    ofCall(RSV_10, release, says(0, { managed: 2 }), hadBoth),
    ofCall(RSV_10, release, says(0, { managed: 1 }), hadBoth),
    ofCall(RSV_10, call('releaseReserveMem', { name: 1 }), says(0, { managed: 1 }), hadBoth),
    ofCall(RSV_10, release, says(-2, { managed: 2 }), hadBoth),
  ],
  [
    'RSV-11',
    ofCall(RSV_11, release, says(0, { memblock: 9 }), hadBoth),
    ofCall(RSV_11, release, says(0), hadBoth),
    ofCall(RSV_11, cold, says(0, { regions: [a] })),
    ofCall(RSV_11, cold, says(0, { memblock: 9 })),
  ],
];

/** What holds although it looks wrong at first: nothing fits, a name is taken, an option is new. */
export const RESERVE_MEM_KEEPS: readonly (readonly [string, ReturnType<typeof ofCall>])[] = [
  ['RSV-02', ofCall(RSV_02, jump, has(1, a, none), keepAll)],
  ['RSV-01', ofCall(RSV_01, jump, has(1, none, none, none, ...eight), before(2))],
  ['RSV-02', ofCall(RSV_02, jump, has(1, none, none, none, ...eight), before(2))],
  ['RSV-04', ofCall(RSV_04, jump, has(1, [0x1c00 * PAGE, 2 * PAGE], b), before(3))],
];
