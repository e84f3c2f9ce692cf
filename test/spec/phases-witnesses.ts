/** Witnesses for the rules about phases, live update, and kernels that follow each other. */
import { ageOf } from '#spec/generations';
import type { Generation } from '#spec/generations';
import { KEX_08, KEX_09 } from '#spec/kexec';
import {
  PHS_01,
  PHS_02,
  PHS_03,
  PHS_04,
  PHS_05,
  PHS_06,
  PHS_07,
  PHS_08,
  PHS_09,
} from '#spec/phases';
import { EARLY, KHO, UNMOVABLE, WITH_HANDOVER, setUse } from '#spec/state';
import { TRK_04 } from '#spec/tracker';
import { call, ofCall, ofSystem, says, sees } from './witnesses.ts';
import type { Case, Setup, Witness } from './witnesses.ts';

const AT = 0x1000;
const PAGE = 4096;
/** First of the names that fill a page, and how many it takes. */
const CROWD = 10;
const MANY = 95;

const finalize = call('finalize');
const abort = call('abort');
const jump = call('kexec');
const folio = call('preserveFolio', { pfn: AT, order: 3 });

const runs =
  (generation: Generation, ...also: readonly Setup[]): Setup =>
  (s) => {
    s.runs.set(ageOf(generation));
    for (const setup of also) setup(s);
  };

const final: Setup = (s) => s.final.set(1);

/** A tree with more names than its page has room for. */
const crowded: Setup = (s) => {
  for (let name = CROWD; name < CROWD + MANY; name++) s.outFrame.set(name, AT + 1);
};

/** No page is free outside scratch. */
const full: Setup = (s) => setUse(s, 0, s.machine.end, UNMOVABLE);

const owns: Setup = (s) => {
  s.use.set(AT, UNMOVABLE);
  s.kept.set(AT, 1);
};

const follows =
  (writer: Generation, reader: Generation): Setup =>
  (s) => {
    s.loaded.set(WITH_HANDOVER);
    s.runs.set(ageOf(writer));
    s.loads.set(ageOf(reader));
  };

const wrote = (...heads: readonly number[]) =>
  sees({ handover: { preserved: heads.map((pfn) => ({ phys: pfn * PAGE, order: 0 })) } });

const listed = (...pages: readonly number[]) =>
  sees({ handover: { trackerPages: pages.map((phys) => ({ phys, level: 0 })) } });

const taken = [[0x20, 1]] as const;

export const PHASES_WITNESSES: readonly Witness[] = [
  [
    'PHS-01',
    ofCall(PHS_01, finalize, says(-17), runs('6.18', final)),
    ofCall(PHS_01, finalize, says(0), runs('6.18', final)),
    ofCall(PHS_01, finalize, says(-16), runs('6.18', final)),
  ],
  [
    'PHS-02',
    ofCall(PHS_02, finalize, says(0, { taken }), runs('6.18')),
    ofCall(PHS_02, finalize, says(-12), runs('6.18')),
    ofCall(PHS_02, finalize, says(0), runs('6.18', crowded)),
    ofCall(PHS_02, finalize, says(-17), runs('6.18', full)),
  ],
  [
    'PHS-03',
    ofCall(PHS_03, abort, says(-2), runs('6.18')),
    ofCall(PHS_03, abort, says(0), runs('6.18')),
    ofCall(PHS_03, abort, says(-2), runs('6.18', final)),
  ],
  [
    'PHS-04',
    ofCall(PHS_04, folio, says(-16), runs('6.18', final)),
    ofCall(PHS_04, folio, says(0), runs('6.18', final)),
    ofCall(PHS_04, folio, says(-16, { taken }), runs('6.18', final)),
  ],
  [
    'PHS-05',
    ofCall(PHS_05, finalize, says(0), runs('7.0')),
    ofCall(PHS_05, finalize, says(-17), runs('7.0')),
    ofCall(PHS_05, finalize, says(-12), runs('7.0')),
  ],
  [
    'PHS-06',
    ofCall(PHS_06, abort, says(-22), runs('7.0')),
    ofCall(PHS_06, abort, says(0), runs('7.0')),
  ],
  [
    'PHS-07',
    ofCall(PHS_07, finalize, says(-12, { taken, given: taken }), runs('6.18', full)),
    ofCall(PHS_07, finalize, says(-12, { taken }), runs('6.18', full)),
  ],
  [
    'PHS-08',
    ofCall(PHS_08, jump, says(-12), runs('7.0', full)),
    ofCall(PHS_08, jump, says(-12), runs('7.0')),
    ofCall(PHS_08, jump, says(-12, { taken }), runs('7.0', full)),
  ],
  [
    'PHS-09',
    ofSystem(PHS_09, wrote(AT), runs('6.18', final, owns)),
    ofSystem(PHS_09, wrote(AT, AT + 1), runs('6.18', final, owns)),
    ofSystem(PHS_09, wrote(), runs('6.18', final, owns)),
    ofSystem(PHS_09, wrote(AT + 1), runs('7.0', owns)),
  ],
  [
    'TRK-04',
    ofSystem(
      TRK_04,
      listed(AT * PAGE + 512),
      runs('6.17', (s) => s.use.set(AT, KHO)),
    ),
    ofSystem(TRK_04, listed(AT * PAGE), runs('6.17')),
    ofSystem(TRK_04, listed(AT * PAGE), runs('6.17', owns)),
    ofSystem(
      TRK_04,
      listed(AT * PAGE),
      runs('6.17', owns, (s) => s.use.set(AT, KHO)),
    ),
  ],
  [
    'KEX-08',
    ofCall(KEX_08, jump, says(0), follows('7.0', '7.1')),
    ofCall(KEX_08, jump, says(1), follows('7.0', '7.1')),
    ofCall(KEX_08, jump, says(1), follows('7.2', '7.1')),
    ofCall(KEX_08, jump, says(-1000), follows('7.1', '7.0')),
  ],
  [
    'KEX-09',
    ofSystem(KEX_09, sees(), (s) => s.revived.set(1)),
    ofSystem(KEX_09, sees({ passedOver: ['LUO/luo-flb'] }), (s) => s.revived.set(1)),
  ],
];

/** Cases in which a refusal is right. */
export const PHASES_KEEPS: readonly (readonly [string, Case])[] = [
  ['PHS-02', ofCall(PHS_02, finalize, says(-12), runs('6.18', crowded))],
  ['PHS-02', ofCall(PHS_02, finalize, says(-12), runs('6.18', full))],
  ['PHS-02', ofCall(PHS_02, call('finalize', { fails: 1 }), says(-12), runs('6.18'))],
  ['PHS-03', ofCall(PHS_03, abort, says(0), runs('6.18', final))],
  ['PHS-05', ofCall(PHS_05, finalize, says(-12), runs('7.0', full))],
  [
    'PHS-09',
    ofSystem(
      PHS_09,
      wrote(AT),
      runs('7.0', owns, (s) => s.kept.set(AT + 8, 1)),
    ),
  ],
];

/** Cases in which a rule says nothing. */
export const PHASES_SILENCE: readonly (readonly [string, Case])[] = [
  ['PHS-01', ofCall(PHS_01, finalize, says(0), runs('6.18'))],
  ['PHS-02', ofCall(PHS_02, finalize, says(-17), runs('6.18', final))],
  ['PHS-04', ofCall(PHS_04, folio, says(0), runs('6.18'))],
  ['PHS-07', ofCall(PHS_07, finalize, says(0, { taken }), runs('6.18'))],
  ['PHS-08', ofCall(PHS_08, jump, says(1), runs('7.0'))],
  ['KEX-08', ofCall(KEX_08, jump, says(1), follows('6.16', '7.0'))],
  ['KEX-08', ofCall(KEX_08, jump, says(-12), follows('7.0', '7.1'))],
  ['KEX-09', ofSystem(KEX_09, sees({ passedOver: ['LUO'] }), (s) => setUse(s, AT, 1, EARLY))],
];
