/** Witnesses for the rules about CMA, pinning and moving. */
import {
  MOV_03,
  MOV_04,
  MOV_05,
  MOV_06,
  MOV_07,
  MOV_08,
  MOV_09,
  MOV_10,
  MOV_11,
} from '#spec/movability';
import { FREE, MOVABLE, PINNED, UNMOVABLE, setUse } from '#spec/state';
import { AREAS, call, nothing, ofCall, ofFrame, ofSystem, says, sees } from './witnesses.ts';
import type { Case, Setup, Witness } from './witnesses.ts';

const CMA = 4;
const MOVABLE_TYPE = 1;
/** Where a movable block lies, in scratch and outside; and where it may go. */
const SCRATCH = 0x800;
const AT = 0x1000;
const ON_NODE_1 = 0x3000;

const pin = (pfn: number, order = 2, node = -1, fails = 0) =>
  call('pin', { pfn, order, node, fails });
const migrate = (pfn: number, order = 2, node = -1) => call('migrate', { pfn, order, node });
const unpin = call('unpin', { pfn: AT, order: 2 });

const used =
  (first: number, count: number, use: number): Setup =>
  (s) =>
    setUse(s, first, count, use);

const movable = used(SCRATCH, 4, MOVABLE);

/** A movable page in scratch, and outside of it every frame taken but the given ones. */
const full =
  (...free: readonly number[]): Setup =>
  (s) => {
    setUse(s, 0, 0x400, UNMOVABLE);
    setUse(s, 0x1000, 0x1400, UNMOVABLE);
    setUse(s, 0x2800, 0x1800, UNMOVABLE);
    for (const pfn of free) s.use.set(pfn, FREE);
    setUse(s, SCRATCH, 4, MOVABLE);
  };

const isScratch = (pfn: number): boolean =>
  AREAS.some(([first, count]) => pfn >= first && pfn < first + count);

/** Every pageblock has the type that it should, but those of `wrong`. */
const typed = (...wrong: readonly number[]) =>
  sees({
    migrateType: (pfn) => (wrong.includes(pfn) !== isScratch(pfn) ? CMA : MOVABLE_TYPE),
  });

const keptBlock =
  (pfn: number, order: number, use: number): Setup =>
  (s) => {
    s.kept.set(pfn, 2 ** order);
    setUse(s, pfn, 2 ** order, use);
  };

const halfPinned: Setup = (s) => {
  keptBlock(AT, 3, PINNED)(s);
  setUse(s, AT + 4, 4, MOVABLE);
};

export const MOVABILITY_WITNESSES: readonly Witness[] = [
  [
    'MOV-03',
    ofSystem(MOV_03, typed(), nothing),
    ofSystem(MOV_03, typed(0x400), nothing),
    ofSystem(MOV_03, typed(0x2600), nothing),
    ofSystem(MOV_03, typed(0x200), nothing),
    ofSystem(MOV_03, typed(0x1000), nothing),
    ofSystem(MOV_03, typed(0x2200), nothing),
    ofSystem(MOV_03, sees({ migrateType: () => MOVABLE_TYPE }), nothing),
    ofSystem(MOV_03, sees({ migrateType: () => CMA }), nothing),
    ofSystem(MOV_03, sees({ migrateType: () => -1 }), nothing),
  ],
  [
    'MOV-04',
    ofCall(MOV_04, pin(SCRATCH), says(AT), movable),
    ofCall(MOV_04, pin(SCRATCH), says(SCRATCH), movable),
    ofCall(MOV_04, pin(SCRATCH), says(SCRATCH + 4), movable),
    ofCall(MOV_04, pin(SCRATCH, 3), says(0x3f9), movable),
  ],
  [
    'MOV-05',
    ofCall(MOV_05, pin(AT), says(AT), used(AT, 4, MOVABLE)),
    ofCall(MOV_05, pin(AT), says(AT + 4), used(AT, 4, MOVABLE)),
    ofCall(MOV_05, pin(AT), says(-12), used(AT, 4, MOVABLE)),
    ofCall(MOV_05, pin(AT, 2, -1, 1), says(-12), used(AT, 4, MOVABLE)),
  ],
  [
    'MOV-06',
    ofCall(MOV_06, pin(SCRATCH, 2, 1), says(ON_NODE_1), movable),
    ofCall(MOV_06, pin(SCRATCH, 2, 0), says(ON_NODE_1), movable),
    ofCall(MOV_06, pin(SCRATCH), says(AT + 2), movable),
    ofCall(MOV_06, migrate(SCRATCH), says(AT), used(AT + 3, 1, UNMOVABLE)),
    ofCall(MOV_06, migrate(SCRATCH, 12), says(0x4000), movable),
  ],
  [
    'MOV-07',
    ofCall(MOV_07, pin(SCRATCH, 0), says(-12), full()),
    ofCall(MOV_07, pin(SCRATCH, 0), says(-12), full(AT)),
    ofCall(MOV_07, pin(SCRATCH, 0, 1), says(-12), full(ON_NODE_1)),
    ofCall(MOV_07, pin(SCRATCH, 0), says(-16), full()),
    ofCall(MOV_07, migrate(SCRATCH, 0), says(-12), full(AT)),
    ofCall(MOV_07, migrate(SCRATCH, 2), says(-16), movable),
  ],
  [
    'MOV-08',
    ofCall(MOV_08, migrate(AT), says(-16), used(AT, 4, PINNED)),
    ofCall(MOV_08, migrate(AT), says(ON_NODE_1), used(AT, 4, PINNED)),
    ofCall(MOV_08, migrate(AT), says(ON_NODE_1), used(AT, 4, UNMOVABLE)),
    ofCall(MOV_08, migrate(AT), says(-12), used(AT, 4, UNMOVABLE)),
  ],
  [
    'MOV-09',
    ofCall(MOV_09, unpin, says(0), used(AT, 4, PINNED)),
    ofCall(MOV_09, unpin, says(-16), used(AT, 4, PINNED)),
    ofCall(MOV_09, unpin, says(AT), used(AT, 4, PINNED)),
  ],
  [
    'MOV-10',
    ofFrame(MOV_10, AT, keptBlock(AT, 3, PINNED)),
    ofFrame(MOV_10, AT, keptBlock(AT, 3, MOVABLE)),
    ofFrame(MOV_10, AT, keptBlock(AT, 0, MOVABLE)),
    ofFrame(MOV_10, AT, halfPinned),
  ],
  [
    'MOV-11',
    ofCall(MOV_11, pin(SCRATCH), says(AT), movable),
    ofCall(MOV_11, pin(SCRATCH), says(AT, { taken: [[AT, 4]] }), movable),
    ofCall(MOV_11, migrate(SCRATCH), says(AT, { given: [[SCRATCH, 4]] }), movable),
    ofCall(MOV_11, unpin, says(0, { managed: 4 }), used(AT, 4, PINNED)),
  ],
];

/** Calls and frames that a rule says nothing about. */
export const MOVABILITY_SILENCE: readonly (readonly [string, Case])[] = [
  ['MOV-04', ofCall(MOV_04, pin(SCRATCH), says(-12), movable)],
  ['MOV-05', ofCall(MOV_05, pin(SCRATCH), says(AT), movable)],
  ['MOV-06', ofCall(MOV_06, pin(AT), says(AT), used(AT, 4, MOVABLE))],
  ['MOV-07', ofCall(MOV_07, migrate(AT), says(-16), used(AT, 4, PINNED))],
  ['MOV-08', ofCall(MOV_08, migrate(SCRATCH), says(AT), movable)],
  ['MOV-10', ofFrame(MOV_10, AT, used(AT, 8, MOVABLE))],
];

/** Refusals that are right although memory is free: it is too little, or the world willed it. */
export const MOVABILITY_KEEPS: readonly (readonly [string, Case])[] = [
  ['MOV-07', ofCall(MOV_07, pin(SCRATCH, 0, 0), says(-12), full(ON_NODE_1))],
  ['MOV-07', ofCall(MOV_07, pin(SCRATCH, 0, -1, 1), says(-12), full(AT))],
  ['MOV-07', ofCall(MOV_07, pin(SCRATCH, 2), says(-12), full(AT, AT + 1))],
];
