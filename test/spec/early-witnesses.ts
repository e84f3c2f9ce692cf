/** Witnesses for the rules about the patch series before the merge. */
import { EAR_01, EAR_02, EAR_03, EAR_04, EAR_05, EAR_06, EAR_07, EAR_08 } from '#spec/early-series';
import { ageOf } from '#spec/generations';
import type { Generation } from '#spec/generations';
import { PHS_10 } from '#spec/phases';
import { HELD, KHO_OFF, REGION, UNMOVABLE, WITH_HANDOVER, setUse } from '#spec/state';

import { call, ofCall, ofSystem, says, sees, showing } from './witnesses.ts';
import type { Case, Setup, Witness } from './witnesses.ts';

const AT = 0x1000;
const PAGE = 4096;
const NAME = 4;
/** First of the names that fill a page, and how many it takes. */
const CROWD = 10;
const MANY = 95;
/** Ranges of 16 bytes that fill a page. */
const RANGES = 250;

const finalize = call('finalize');
const abort = call('abort');
const jump = call('kexec');
const add = call('addSubtree', { pfn: AT, name: NAME, value: 1 });
const remove = call('removeSubtree', { pfn: AT });
const returned = (count: number, name = 0) => call('returnMem', { pfn: AT, count, name });

const runs =
  (generation: Generation, ...also: readonly Setup[]): Setup =>
  (s) => {
    s.runs.set(ageOf(generation));
    for (const setup of also) setup(s);
  };

const final: Setup = (s) => s.final.set(1);
const loaded: Setup = (s) => s.loaded.set(WITH_HANDOVER);
const named: Setup = (s) => s.outFrame.set(NAME, AT + 1);
/** No page is free outside scratch. */
const full: Setup = (s) => setUse(s, 0, s.machine.end, UNMOVABLE);

/** More names than the room for the tree holds. */
const crowded: Setup = (s) => {
  for (let name = CROWD; name < CROWD + MANY; name++) s.outFrame.set(name, AT + 1);
};

const preserves =
  (count: number, use = UNMOVABLE): Setup =>
  (s) => {
    for (let pfn = AT; pfn < AT + 2 * count; pfn += 2) {
      s.use.set(pfn, use);
      s.kept.set(pfn, 1);
    }
  };

/** A block of two frames came, and perhaps a node of a user that names so many bytes of it. */
const came =
  (bytes = 0, back = 0): Setup =>
  (s) => {
    setUse(s, AT, 2, HELD);
    s.block.set(AT, 2);
    s.inFrame.set(NAME, bytes === 0 ? 0 : AT + 1);
    s.inBytes.set(NAME, bytes);
    s.inReturned.set(NAME, back);
  };

const wrote = (...heads: readonly number[]) =>
  sees({ handover: { preserved: heads.map((pfn) => ({ phys: pfn * PAGE, order: 0 })) } });

const reads = (phase: number | undefined) => sees({ debugfs: () => showing({ phase }) });

const taken = [[0x20, 1]] as const;

export const EARLY_WITNESSES: readonly Witness[] = [
  [
    'EAR-01',
    ofCall(EAR_01, finalize, says(0, { taken }), runs('v5')),
    ofCall(EAR_01, finalize, says(-22), runs('v5')),
    ofCall(EAR_01, finalize, says(-12), runs('v5')),
    ofCall(EAR_01, finalize, says(0), runs('v5', crowded)),
  ],
  [
    'EAR-02',
    ofCall(EAR_02, add, says(-17), runs('v5', named)),
    ofCall(EAR_02, add, says(0), runs('v5', named)),
  ],
  [
    'EAR-03',
    ofCall(EAR_03, remove, says(0), runs('v4', named)),
    ofCall(EAR_03, remove, says(-2), runs('v4', named)),
    ofCall(EAR_03, remove, says(0), runs('v5')),
  ],
  [
    'EAR-04',
    ofCall(EAR_04, jump, says(-12), runs('v5', loaded, full)),
    ofCall(EAR_04, jump, says(-12), runs('v5', loaded)),
    ofCall(EAR_04, jump, says(-22), runs('v5', loaded)),
    ofCall(EAR_04, jump, says(-12), runs('v5', loaded, full, final)),
  ],
  [
    'EAR-05',
    ofCall(EAR_05, finalize, says(0), runs('v4')),
    ofCall(EAR_05, finalize, says(-22), runs('v4')),
    ofCall(EAR_05, finalize, says(0, { taken }), runs('v4')),
    ofCall(EAR_05, finalize, says(0), runs('v3', crowded)),
    ofCall(EAR_05, finalize, says(0), runs('v3', preserves(RANGES))),
  ],
  [
    'EAR-06',
    ofCall(EAR_06, abort, says(0), runs('v4', final)),
    ofCall(EAR_06, abort, says(-2), runs('v4')),
    ofCall(EAR_06, abort, says(0, { taken }), runs('v4')),
  ],
  [
    'EAR-07',
    ofCall(EAR_07, returned(2), says(0, { managed: 2 }), runs('v4', came())),
    ofCall(EAR_07, returned(2), says(0), runs('v4', came())),
    ofCall(EAR_07, returned(2), says(-2, { managed: 2 }), runs('v4', came())),
    ofCall(EAR_07, returned(2), says(0, { managed: 2 }), runs('v3', came(PAGE))),
    ofCall(EAR_07, returned(1, NAME + 1), says(0, { managed: 1 }), runs('v3', came(PAGE))),
  ],
  [
    'EAR-08',
    ofSystem(EAR_08, wrote(AT), runs('v4', final, preserves(1))),
    ofSystem(EAR_08, wrote(), runs('v4', final, preserves(1))),
    ofSystem(EAR_08, wrote(AT, AT + 1), runs('v4', final, preserves(1))),
  ],
  [
    'PHS-10',
    ofSystem(PHS_10, reads(1), runs('v4', final)),
    ofSystem(PHS_10, reads(0), runs('v4', final)),
    ofSystem(PHS_10, reads(1), runs('6.18')),
    ofSystem(PHS_10, reads(undefined), runs('v5')),
  ],
];

/** Cases in which a refusal, or less than everything, is right. */
export const EARLY_KEEPS: readonly (readonly [string, Case])[] = [
  ['EAR-01', ofCall(EAR_01, finalize, says(-22), runs('v5', crowded))],
  ['EAR-01', ofCall(EAR_01, finalize, says(-12), runs('v5', full))],
  ['EAR-03', ofCall(EAR_03, remove, says(-2), runs('v5'))],
  ['EAR-04', ofCall(EAR_04, jump, says(-22), runs('v5', loaded, crowded))],
  ['EAR-05', ofCall(EAR_05, finalize, says(-22), runs('v4', preserves(RANGES)))],
  ['EAR-05', ofCall(EAR_05, finalize, says(0), runs('v4', preserves(RANGES, REGION)))],
  ['EAR-05', ofCall(EAR_05, finalize, says(0), runs('v4', final, crowded))],
  ['EAR-07', ofCall(EAR_07, returned(2), says(0, { managed: 1 }), runs('v4', came(PAGE)))],
  ['EAR-07', ofCall(EAR_07, returned(2), says(0, { managed: 0 }), runs('v4', came(PAGE + 1)))],
  ['EAR-07', ofCall(EAR_07, returned(2), says(0, { managed: 2 }), runs('v4', came(PAGE, 1)))],
  ['EAR-07', ofCall(EAR_07, returned(1, NAME + 1), says(0), runs('v4', came(PAGE)))],
];

/** Cases in which a rule says nothing. */
export const EARLY_SILENCE: readonly (readonly [string, Case])[] = [
  ['EAR-01', ofCall(EAR_01, finalize, says(-17), runs('v5', final))],
  ['EAR-02', ofCall(EAR_02, add, says(0), runs('v5'))],
  ['EAR-02', ofCall(EAR_02, add, says(-16), runs('v5', named, final))],
  ['EAR-03', ofCall(EAR_03, remove, says(-16), runs('v5', named, final))],
  ['EAR-04', ofCall(EAR_04, jump, says(-22), runs('v5'))],
  ['EAR-04', ofCall(EAR_04, jump, says(1), runs('v5', loaded))],
  ['EAR-07', ofCall(EAR_07, returned(1), says(-2), runs('v4', came()))],
  ['EAR-07', ofCall(EAR_07, returned(1, NAME + 1), says(-2), runs('v4', came(PAGE, 1)))],
  ['EAR-08', ofSystem(EAR_08, wrote(AT), runs('v4'))],
  ['PHS-10', ofSystem(PHS_10, reads(1), (s) => s.kho.set(KHO_OFF))],
];
