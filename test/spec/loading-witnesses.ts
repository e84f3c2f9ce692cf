/**
 * Witnesses of the chapters about ways to load and about kernels without KHO, and of what was said
 * of the tree together with them.
 *
 * The machine of `fresh` asks for 24 frames for a crash kernel; its largest area has 0x400.
 */
import { TRE_05, TRE_06, TRE_08, TRE_09 } from '#spec/handover-tree';
import { KEX_04, KEX_05, KEX_07 } from '#spec/kexec';
import { LOD_01, LOD_02, LOD_03, LOD_04, LOD_05, LOD_06, LOD_07, LOD_08 } from '#spec/loading';
import { SCR_05, SCR_06 } from '#spec/scratch';
import { KHO_KDUMP, KHO_MISSING, KHO_OFF, WITHOUT_HANDOVER, WITH_HANDOVER } from '#spec/state';
import { OFF_01, OFF_02, OFF_03, OFF_04, OFF_05, OFF_06, OFF_07 } from '#spec/without-kho';
import { AREAS, call, nothing, ofCall, ofSystem, says, sees } from './witnesses.ts';
import type { Case, Setup, Witness } from './witnesses.ts';

const AT = 0x1000;
/** Memory for a crash kernel. */
const CRASH = 0x1800;
const CRASH_FRAMES = 24;

const ofFrames = (count: number) => call('kexecFileLoad', { count });
const crashOf = (count: number) => call('kexecCrashLoad', { count });
const cold = call('coldBoot');
const coldOff = call('coldBoot', { value: KHO_OFF });
const jump = call('kexec');
const crash = call('crash');
const look = call('retrieveSubtree', { name: 2 });

const kho =
  (value: number): Setup =>
  (s) =>
    s.kho.set(value);

/** An image is loaded. */
const image =
  (loaded: number, kernel = 0): Setup =>
  (s) => {
    s.loaded.set(loaded);
    s.nextKernel.set(kernel);
  };

/** Memory for a crash kernel is reserved, and one is loaded. */
const crashLoaded: Setup = (s) => {
  crashReserved(s);
  s.crashLoaded.set(1);
};

function crashReserved(s: Parameters<Setup>[0]): void {
  s.crashFirst.set(CRASH);
  s.crashCount.set(CRASH_FRAMES);
}

/** A blob came, and cannot be retrieved. */
const cameBroken: Setup = (s) => {
  s.inFrame.set(2, AT + 1);
  s.inBytes.set(2, 64);
  s.inFault.set(2, 1);
};

const booted = (value: number, first: number, count: number) =>
  says(value, {
    early: [
      [AT, 8],
      [CRASH, CRASH_FRAMES],
    ],
    crashFirst: first,
    crashCount: count,
  });

export const LOADING_WITNESSES: readonly Witness[] = [
  [
    'LOD-01',
    ofCall(LOD_01, ofFrames(0x401), says(-99)),
    ofCall(LOD_01, ofFrames(0x401), says(0)),
    ofCall(LOD_01, ofFrames(0x401), says(-12)),
  ],
  [
    'LOD-02',
    ofCall(LOD_02, ofFrames(0x400 - 40), says(0)),
    ofCall(LOD_02, ofFrames(0x400 - 40), says(-99)),
    ofCall(LOD_02, ofFrames(0), says(-99)),
  ],
  [
    'LOD-03',
    ofCall(
      LOD_03,
      ofFrames(16),
      says(0, {
        placed: [
          [0x800, 4],
          [0x400, 16],
        ],
      }),
    ),
    ofCall(
      LOD_03,
      ofFrames(16),
      says(0, {
        placed: [
          [0x800, 4],
          [0x400, 15],
        ],
      }),
    ),
    ofCall(LOD_03, crashOf(16), says(0)),
  ],
  [
    'LOD-04',
    ofCall(LOD_04, call('kexecLoad', { pfn: AT, count: 8 }), says(0)),
    ofCall(LOD_04, call('kexecLoad', { pfn: AT, count: 8 }), says(-99)),
    ofCall(LOD_04, ofFrames(0), says(-99), kho(KHO_OFF)),
  ],
  [
    'LOD-05',
    ofCall(LOD_05, call('kexecUnload'), says(0)),
    ofCall(LOD_05, call('kexecUnload'), says(-22)),
  ],
  [
    'LOD-06',
    ofCall(LOD_06, jump, says(0), image(WITHOUT_HANDOVER)),
    ofCall(LOD_06, jump, says(1), image(WITHOUT_HANDOVER)),
  ],
  [
    'LOD-07',
    ofCall(LOD_07, crashOf(24), says(0, { placed: [[CRASH, 24]] }), crashReserved),
    ofCall(LOD_07, crashOf(24), says(0, { placed: [[CRASH + 1, 24]] }), crashReserved),
    ofCall(LOD_07, crashOf(24), says(0, { placed: [[CRASH - 1, 24]] }), crashReserved),
    ofCall(LOD_07, crashOf(24), says(0), crashReserved),
    ofCall(LOD_07, crashOf(24), says(-99), crashReserved),
    ofCall(LOD_07, crashOf(25), says(0, { placed: [[CRASH, 24]] }), crashReserved),
    ofCall(LOD_07, crashOf(0), says(0, { placed: [[0, 0]] })),
  ],
  [
    'LOD-08',
    ofCall(LOD_08, cold, booted(0, CRASH, 24)),
    ofCall(LOD_08, cold, booted(0, CRASH, 23)),
    ofCall(LOD_08, cold, booted(0, 0, 0)),
    ofCall(LOD_08, jump, booted(1, CRASH + 1, 24)),
    ofCall(LOD_08, jump, booted(1, CRASH - 1, 24)),
  ],
  [
    'OFF-01',
    ofCall(OFF_01, coldOff, says(2)),
    ofCall(OFF_01, coldOff, says(0)),
    ofCall(OFF_01, coldOff, says(2, { areas: AREAS })),
    ofCall(OFF_01, coldOff, says(2, { fdt: AT })),
    ofCall(OFF_01, jump, says(1), image(WITH_HANDOVER, KHO_MISSING)),
  ],
  [
    'OFF-02',
    ofCall(OFF_02, call('khoIsEnabled'), says(1)),
    ofCall(OFF_02, call('khoIsEnabled'), says(0)),
    ofCall(OFF_02, call('khoIsEnabled'), says(1), kho(KHO_OFF)),
    ofCall(OFF_02, call('khoIsEnabled'), says(1), kho(KHO_KDUMP)),
  ],
  [
    'OFF-03',
    ofCall(OFF_03, call('isKhoBoot'), says(1), (s) => s.revived.set(1)),
    ofCall(OFF_03, call('isKhoBoot'), says(0), (s) => s.revived.set(1)),
    ofCall(OFF_03, call('isKhoBoot'), says(1)),
  ],
  [
    'OFF-04',
    ofCall(OFF_04, look, says(-95), kho(KHO_MISSING)),
    ofCall(OFF_04, look, says(-2), kho(KHO_MISSING)),
  ],
  [
    'OFF-05',
    ofCall(OFF_05, crash, says(2), crashLoaded),
    ofCall(OFF_05, crash, says(1), crashLoaded),
    ofCall(OFF_05, crash, says(-22), crashLoaded),
    ofCall(OFF_05, crash, says(2, { areas: [[CRASH, 2]] }), crashLoaded),
    ofCall(OFF_05, crash, says(2, { fdt: CRASH }), crashLoaded),
  ],
  [
    'OFF-06',
    ofCall(
      OFF_06,
      crash,
      says(2, {
        early: [
          [CRASH, 8],
          [CRASH + 22, 2],
        ],
      }),
      crashLoaded,
    ),
    ofCall(
      OFF_06,
      crash,
      says(2, {
        early: [
          [CRASH, 8],
          [CRASH + 23, 2],
        ],
      }),
      crashLoaded,
    ),
    ofCall(OFF_06, crash, says(2, { taken: [[CRASH - 1, 1]] }), crashLoaded),
  ],
  [
    'OFF-07',
    ofCall(OFF_07, crash, says(-22), crashReserved),
    ofCall(OFF_07, crash, says(2), crashReserved),
    ofCall(OFF_07, crash, says(0), crashReserved),
  ],
  [
    'TRE-09',
    ofCall(TRE_09, look, says(-22), cameBroken),
    ofCall(TRE_09, look, says(AT), cameBroken),
    ofCall(TRE_09, look, says(-2), cameBroken),
  ],
];

/** Rules that leave a call to another one. */
export const LOADING_SILENCE: readonly (readonly [string, Case])[] = [
  ['LOD-01', ofCall(LOD_01, ofFrames(0x400), says(-99))],
  ['LOD-01', ofCall(LOD_01, ofFrames(0x401), says(0), kho(KHO_OFF))],
  ['LOD-02', ofCall(LOD_02, ofFrames(0x400 - 39), says(-99))],
  ['LOD-02', ofCall(LOD_02, ofFrames(0), says(0), kho(KHO_MISSING))],
  ['LOD-03', ofCall(LOD_03, ofFrames(0), says(0))],
  ['LOD-04', ofCall(LOD_04, ofFrames(0x401), says(-99))],
  ['LOD-06', ofCall(LOD_06, jump, says(0), image(WITH_HANDOVER))],
  ['LOD-06', ofCall(LOD_06, jump, says(2), image(WITHOUT_HANDOVER, KHO_OFF))],
  ['OFF-01', ofCall(OFF_01, cold, says(0))],
  ['OFF-01', ofCall(OFF_01, coldOff, says(-1000))],
  ['OFF-04', ofCall(OFF_04, look, says(-2), kho(KHO_OFF))],
  ['OFF-05', ofCall(OFF_05, crash, says(-22), crashReserved)],
  ['OFF-07', ofCall(OFF_07, crash, says(2), crashLoaded)],
  ['TRE-05', ofCall(TRE_05, look, says(-22), cameBroken)],
  ['TRE-06', ofCall(TRE_06, look, says(-95), kho(KHO_MISSING))],
  ['TRE-08', ofSystem(TRE_08, sees({ kexecCount: -1 }), kho(KHO_OFF))],
  ['TRE-09', ofCall(TRE_09, look, says(-2), nothing)],
  ['SCR-05', ofCall(SCR_05, jump, says(1, { early: [[AT, 1]] }), image(WITHOUT_HANDOVER))],
  ['SCR-06', ofCall(SCR_06, ofFrames(0), says(0, { placed: [[AT, 8]] }), kho(KHO_OFF))],
  ['KEX-04', ofCall(KEX_04, jump, says(0), image(WITHOUT_HANDOVER))],
  ['KEX-04', ofCall(KEX_04, jump, says(2), image(WITH_HANDOVER, KHO_OFF))],
  ['KEX-05', ofCall(KEX_05, call('kexec', { value: 5 }), says(1), image(WITH_HANDOVER))],
  ['KEX-05', ofCall(KEX_05, call('kexec', { value: 2 }), says(2), image(WITH_HANDOVER, KHO_OFF))],
  ['KEX-07', ofCall(KEX_07, coldOff, says(2))],
];
