/** Every rule of the law has a witness that keeps it and one that breaks it, and tells how. */
import { describe, expect, it } from 'vitest';
import { ALC_01, ALC_02, ALC_03, ALC_04, ALC_05, ALC_06, ALC_07 } from '#spec/allocation';
import { CNT_01, CNT_02 } from '#spec/content';
import {
  TRE_01,
  TRE_02,
  TRE_03,
  TRE_04,
  TRE_05,
  TRE_06,
  TRE_07,
  TRE_08,
} from '#spec/handover-tree';
import { KEX_01, KEX_02, KEX_03, KEX_04, KEX_05, KEX_06, KEX_07 } from '#spec/kexec';
import { RULES } from '#spec/law';
import { MOV_01, MOV_02 } from '#spec/movability';
import { PRS_01, PRS_02, PRS_03, PRS_04, PRS_05, PRS_06, PRS_07 } from '#spec/preservation';
import { RST_01, RST_02, RST_03, RST_04, RST_05 } from '#spec/restore';
import { SCR_01, SCR_02, SCR_03, SCR_04, SCR_05, SCR_06, SCR_07 } from '#spec/scratch';
import { EARLY, HELD, KHO, MOVABLE, UNMOVABLE, setUse } from '#spec/state';
import { TRK_01, TRK_02, TRK_03 } from '#spec/tracker';
import { AREA_KEEPS, AREA_SILENCE, AREA_WITNESSES } from './area-witnesses.ts';
import {
  SCRATCH_LINE_BREAKS,
  SCRATCH_LINE_KEEPS,
  SCRATCH_LINE_SILENCE,
  SCRATCH_LINE_WITNESSES,
} from './scratch-witnesses.ts';
import { RESERVE_MEM_KEEPS, RESERVE_MEM_WITNESSES } from './reserve-mem-witnesses.ts';
import { EARLY_KEEPS, EARLY_SILENCE, EARLY_WITNESSES } from './early-witnesses.ts';
import { DEBUGFS_FORGIVEN, DEBUGFS_SILENCE, DEBUGFS_WITNESSES } from './debugfs-witnesses.ts';
import { LOADING_SILENCE, LOADING_WITNESSES } from './loading-witnesses.ts';
import {
  LIVE_UPDATE_KEEPS,
  LIVE_UPDATE_SILENCE,
  LIVE_UPDATE_WITNESSES,
} from './live-update-witnesses.ts';
import { MOVABILITY_WITNESSES } from './movability-witnesses.ts';
import { PHASES_KEEPS, PHASES_SILENCE, PHASES_WITNESSES } from './phases-witnesses.ts';
import { SHORTAGE_SILENCE, SHORTAGE_WITNESSES } from './shortage-witnesses.ts';
import {
  AREAS,
  call,
  nothing,
  ofCall,
  ofFrame,
  ofSight,
  ofSystem,
  says,
  sees,
} from './witnesses.ts';
import type { Pair, Setup, Witness } from './witnesses.ts';

/** Frames outside scratch where things are put. */
const AT = 0x1000;
const SCRATCH = 0x800;

const used =
  (first: number, count: number, use: number): Setup =>
  (s) =>
    setUse(s, first, count, use);

const kept =
  (pfn: number, order: number, use: number): Setup =>
  (s) => {
    s.kept.set(pfn, 2 ** order);
    setUse(s, pfn, 2 ** order, use);
  };

const held =
  (...blocks: readonly Pair[]): Setup =>
  (s) => {
    for (const [pfn, order] of blocks) {
      setUse(s, pfn, 2 ** order, HELD);
      s.block.set(pfn, order + 1);
    }
  };

const boot = (areas: readonly Pair[], value = 0) => says(value, { areas });
const cold = call('coldBoot');
const jump = call('kexec');
const swapped = (slot: number, area: Pair): Pair[] => AREAS.map((a, i) => (i === slot ? area : a));

const SCRATCH_WITNESSES: readonly Witness[] = [
  [
    'SCR-01',
    ofCall(SCR_01, cold, boot(AREAS)),
    ofCall(SCR_01, cold, boot([])),
    ofCall(SCR_01, cold, boot(swapped(3, [0x2400, 0x800]))),
  ],
  [
    'SCR-02',
    ofCall(SCR_02, cold, boot(AREAS)),
    ofCall(SCR_02, cold, boot(swapped(0, [0x401, 0x400]))),
    ofCall(SCR_02, jump, boot(swapped(1, [0x800, 0x3ff]), 1)),
  ],
  [
    'SCR-03',
    ofCall(SCR_03, cold, boot(AREAS)),
    ofCall(SCR_03, cold, boot(swapped(1, [0x600, 0x400]))),
    ofCall(SCR_03, cold, boot(swapped(3, [0x1400, 0x400]))),
    ofCall(SCR_03, cold, boot(swapped(1, [0x3c00, 0x800]))),
    ofCall(SCR_03, cold, boot(swapped(0, [0x100000, 0x400]))),
  ],
  [
    'SCR-04',
    ofCall(SCR_04, jump, boot(AREAS, 1)),
    ofCall(SCR_04, jump, boot(swapped(2, [0x1000, 0x400]), 1)),
    ofCall(SCR_04, jump, boot(AREAS.slice(0, 3), 1)),
  ],
  [
    'SCR-05',
    ofCall(SCR_05, jump, says(1, { early: [[0x7ff, 1]] }), kept(AT, 0, UNMOVABLE)),
    ofCall(
      SCR_05,
      jump,
      says(1, {
        early: [
          [0x800, 4],
          [0x3ff, 1],
        ],
      }),
      kept(AT, 0, UNMOVABLE),
    ),
  ],
  [
    'SCR-06',
    ofCall(SCR_06, call('kexecFileLoad'), says(0, { placed: [[0x400, 8]] })),
    ofCall(SCR_06, call('kexecFileLoad'), says(0, { placed: [[0x3fe, 8]] })),
    ofCall(SCR_06, call('kexecFileLoad'), says(0)),
  ],
  [
    'SCR-07',
    ofCall(SCR_07, cold, says(0, { areas: AREAS, early: [[0x3f8, 8]] })),
    ofCall(SCR_07, cold, says(0, { areas: AREAS, early: [[0x3f9, 8]] })),
  ],
];

const alloc = (order: number, node = -1, value = 0) => call('allocPages', { order, node, value });
const contig = call('allocContig', { pfn: AT, count: 4 });

/** Everything of node 0 that is not scratch is taken. */
const nodeFull: Setup = (s) => {
  setUse(s, 0, 0x400, UNMOVABLE);
  setUse(s, 0x1000, 0x1000, UNMOVABLE);
};

const ALLOCATOR_WITNESSES: readonly Witness[] = [
  [
    'MOV-01',
    ofCall(MOV_01, alloc(2), says(AT)),
    ofCall(MOV_01, alloc(2), says(SCRATCH)),
    ofCall(MOV_01, alloc(3), says(0x3f9)),
  ],
  [
    'MOV-02',
    ofFrame(MOV_02, SCRATCH, used(SCRATCH, 1, MOVABLE)),
    ofFrame(MOV_02, SCRATCH, used(SCRATCH, 1, UNMOVABLE)),
    ofFrame(MOV_02, SCRATCH, used(SCRATCH, 1, HELD)),
  ],
  [
    'ALC-01',
    ofCall(ALC_01, alloc(1), says(AT)),
    ofCall(ALC_01, alloc(1), says(AT), used(AT + 1, 1, HELD)),
  ],
  [
    'ALC-02',
    ofCall(ALC_02, alloc(2, 1), says(0x2000)),
    ofCall(ALC_02, alloc(2), says(AT + 2)),
    ofCall(ALC_02, alloc(2, 1), says(AT)),
    ofCall(ALC_02, alloc(2), says(0x4000)),
  ],
  [
    'ALC-03',
    ofCall(ALC_03, alloc(0, 0), says(-12), nodeFull),
    ofCall(ALC_03, alloc(0), says(-12), nodeFull),
    ofCall(ALC_03, alloc(0, 1), says(-12)),
    ofCall(ALC_03, alloc(0, 0), says(-22), nodeFull),
  ],
  [
    'ALC-04',
    ofCall(ALC_04, contig, says(0)),
    ofCall(ALC_04, contig, says(-16)),
    ofCall(ALC_04, contig, says(0), used(AT + 3, 1, MOVABLE)),
    ofCall(ALC_04, call('allocContig', { pfn: 0x3ff, count: 2 }), says(0)),
  ],
  [
    'ALC-05',
    ofCall(ALC_05, call('freePages', { pfn: AT }), says(0)),
    ofCall(ALC_05, call('freePages', { pfn: AT }), says(-22)),
    ofCall(ALC_05, call('write', { pfn: AT }), says(0, { taken: [[AT, 1]] })),
  ],
  [
    'ALC-06',
    ofSight(ALC_06, AT, sees({ use: () => UNMOVABLE }), used(AT, 1, KHO)),
    ofSight(ALC_06, AT, sees({ use: () => MOVABLE }), used(AT, 1, KHO)),
    ofSight(ALC_06, AT, sees({ use: () => -1 }), used(AT, 1, EARLY)),
  ],
  [
    'ALC-07',
    ofSystem(ALC_07, sees({ freeFrames: 0x4000 - 3 }), used(AT, 3, HELD)),
    ofSystem(ALC_07, sees({ freeFrames: 0x4000 - 4 }), used(AT, 3, HELD)),
  ],
];

const folio = call('preserveFolio', { pfn: AT, order: 3 });
const folioInScratch = call('preserveFolio', { pfn: SCRATCH, order: 3 });
const pages = call('preservePages', { pfn: 0xffe, count: 4 });
const unpreserve = call('unpreserveFolio', { pfn: AT, order: 3 });
const preservedAt = (order: number) =>
  sees({ handover: { preserved: [{ phys: AT * 4096, order }] } });

const PRESERVATION_WITNESSES: readonly Witness[] = [
  [
    'PRS-01',
    ofCall(PRS_01, folioInScratch, says(-22)),
    ofCall(PRS_01, folioInScratch, says(0)),
    ofCall(PRS_01, pages, says(-12)),
  ],
  [
    'PRS-02',
    ofCall(PRS_02, folio, says(-12)),
    ofCall(PRS_02, folio, says(-22)),
    ofCall(PRS_02, call('preservePages', { pfn: AT, count: 4 }), says(1)),
  ],
  [
    'PRS-03',
    ofCall(PRS_03, folio, says(-12, { taken: [[AT + 9, 1]], given: [[AT + 9, 1]] })),
    ofCall(PRS_03, folio, says(-12, { taken: [[AT + 9, 1]] })),
  ],
  [
    'PRS-04',
    ofCall(PRS_04, unpreserve, says(0)),
    ofCall(PRS_04, unpreserve, says(-2)),
    ofCall(PRS_04, unpreserve, says(0, { taken: [[AT, 1]] })),
  ],
  [
    'PRS-05',
    ofFrame(PRS_05, AT, kept(AT, 3, UNMOVABLE)),
    ofFrame(PRS_05, AT, kept(AT, 3, 0)),
    ofFrame(PRS_05, AT, (s) => {
      kept(AT, 3, UNMOVABLE)(s);
      s.use.set(AT + 7, 0);
    }),
  ],
  [
    'PRS-06',
    ofFrame(PRS_06, AT, kept(AT, 3, UNMOVABLE)),
    ofFrame(PRS_06, SCRATCH, kept(SCRATCH, 0, MOVABLE)),
    ofFrame(PRS_06, 0x3fc, kept(0x3fc, 3, UNMOVABLE)),
  ],
  [
    'PRS-07',
    ofSystem(PRS_07, preservedAt(3), kept(AT, 3, UNMOVABLE)),
    ofSystem(PRS_07, preservedAt(2), kept(AT, 3, UNMOVABLE)),
    ofSystem(PRS_07, sees({ handover: { preserved: [] } }), kept(AT, 3, UNMOVABLE)),
  ],
  [
    'TRK-01',
    ofCall(TRK_01, folio, says(0, { taken: [[0x20, 1]] })),
    ofCall(
      TRK_01,
      folio,
      says(0, {
        taken: [
          [0x20, 1],
          [0x21, 1],
        ],
      }),
      used(0x21, 1, EARLY),
    ),
  ],
  [
    'TRK-02',
    ofCall(TRK_02, folio, says(0, { taken: [[0x20, 1]] })),
    ofCall(TRK_02, folio, says(0, { taken: [[SCRATCH, 1]] })),
    ofCall(TRK_02, cold, says(0, { taken: [[0x3000, 1]], areas: [[0x3000, 0x400]] })),
  ],
  [
    'TRK-03',
    ofSystem(TRK_03, tracker(AT), used(AT, 1, KHO)),
    ofSystem(TRK_03, tracker(AT), used(AT, 1, UNMOVABLE)),
    ofSystem(TRK_03, tracker(AT), used(AT, 2, KHO)),
    ofSystem(TRK_03, tracker(AT), kept(AT, 0, KHO)),
  ],
];

function tracker(pfn: number) {
  return sees({ handover: { trackerPages: [{ phys: pfn * 4096, level: 0 }] } });
}

const restore = call('restoreFolio', { pfn: AT });
/** Across the border at 0x2000: preserving it made two blocks of two frames. */
const across = call('restorePages', { pfn: 0x1ffe, count: 4 });
const acrossHeld = held([0x1ffe, 1], [0x2000, 1]);

const RESTORE_WITNESSES: readonly Witness[] = [
  [
    'RST-01',
    ofCall(RST_01, restore, says(3), held([AT, 3])),
    ofCall(RST_01, restore, says(2), held([AT, 3])),
    ofCall(RST_01, restore, says(-2), held([AT, 3])),
  ],
  [
    'RST-02',
    ofCall(RST_02, restore, says(-2)),
    ofCall(RST_02, restore, says(0)),
    ofCall(RST_02, call('restoreFolio', { pfn: AT + 1 }), says(0), held([AT, 3])),
  ],
  [
    'RST-03',
    ofCall(RST_03, across, says(0), acrossHeld),
    ofCall(RST_03, across, says(-2), acrossHeld),
  ],
  [
    'RST-04',
    ofCall(RST_04, across, says(-2), held([0x1ffe, 1], [0x2000, 0], [0x2001, 0])),
    ofCall(RST_04, across, says(0), held([0x1ffe, 1])),
    ofCall(RST_04, across, says(0)),
  ],
  [
    'RST-05',
    ofCall(RST_05, restore, says(3, { managed: 8 })),
    ofCall(RST_05, restore, says(3, { managed: 7 })),
    ofCall(RST_05, across, says(0, { managed: 2 })),
    ofCall(RST_05, restore, says(-2, { managed: 1 })),
  ],
  [
    'CNT-01',
    ofSight(CNT_01, AT, sees({ content: () => 7 }), written(HELD)),
    ofSight(CNT_01, AT, sees({ content: () => 8 }), written(HELD)),
  ],
  [
    'CNT-02',
    ofSight(CNT_02, AT, sees({ content: () => 7 }), written(UNMOVABLE)),
    ofSight(CNT_02, AT, sees({ content: () => 0 }), written(UNMOVABLE)),
  ],
];

function written(use: number): Setup {
  return (s) => {
    s.use.set(AT, use);
    s.content.set(AT, 7);
  };
}

const add = call('addSubtree', { pfn: AT, name: 1, value: 64 });
const look = call('retrieveSubtree', { name: 1 });

const named: Setup = (s) => {
  s.outFrame.set(1, AT + 1);
  s.outBytes.set(1, 64);
};

const crowded: Setup = (s) => {
  for (let name = 8; name < s.machine.nameBytes.length; name++) s.outFrame.set(name, AT + 1);
};

const came: Setup = (s) => {
  s.inFrame.set(1, AT + 1);
  s.inBytes.set(1, 64);
};

const shows = (...subtrees: readonly (readonly [string, number, number])[]) =>
  sees({
    handover: {
      subtrees: subtrees.map(([name, pfn, bytes]) => ({ name, phys: pfn * 4096, bytes })),
    },
  });

const TREE_WITNESSES: readonly Witness[] = [
  ['TRE-01', ofCall(TRE_01, add, says(-17), named), ofCall(TRE_01, add, says(0), named)],
  ['TRE-02', ofCall(TRE_02, add, says(-12), crowded), ofCall(TRE_02, add, says(0), crowded)],
  [
    'TRE-03',
    ofCall(TRE_03, add, says(0)),
    ofCall(TRE_03, add, says(-12)),
    ofCall(TRE_03, add, says(-17)),
  ],
  [
    'TRE-04',
    ofCall(TRE_04, call('removeSubtree', { pfn: AT }), says(0)),
    ofCall(TRE_04, call('removeSubtree', { pfn: AT }), says(-2)),
  ],
  [
    'TRE-05',
    ofCall(TRE_05, look, says(AT, { bytes: 64 }), came),
    ofCall(TRE_05, look, says(AT, { bytes: 65 }), came),
    ofCall(TRE_05, look, says(AT + 1, { bytes: 64 }), came),
    ofCall(TRE_05, look, says(-2), came),
  ],
  ['TRE-06', ofCall(TRE_06, look, says(-2)), ofCall(TRE_06, look, says(AT))],
  [
    'TRE-07',
    ofSystem(TRE_07, shows(['memblock', AT, 64]), named),
    ofSystem(TRE_07, shows(['memblock', AT, 65]), named),
    ofSystem(TRE_07, shows(['memblock', AT + 1, 64]), named),
    ofSystem(TRE_07, shows(['unheard of', AT, 64]), named),
    ofSystem(TRE_07, shows(['memblock', AT, 64], ['memblock', AT, 64]), named),
    ofSystem(TRE_07, shows(), named),
  ],
  [
    'TRE-08',
    ofSystem(TRE_08, sees({ kexecCount: 5 }), (s) => s.counted.set(4)),
    ofSystem(TRE_08, sees({ kexecCount: 4 }), (s) => s.counted.set(4)),
    ofSystem(TRE_08, sees({ kexecCount: -1 }), nothing),
  ],
];

const load = call('kexecFileLoad');
const loaded: Setup = (s) => s.loaded.set(1);
const broken = call('kexec', { value: 2 });

const KEXEC_WITNESSES: readonly Witness[] = [
  [
    'KEX-01',
    ofCall(KEX_01, load, says(-99)),
    ofCall(KEX_01, load, says(-12)),
    ofCall(KEX_01, load, says(1)),
  ],
  [
    'KEX-02',
    ofCall(
      KEX_02,
      load,
      says(0, {
        placed: [
          [0x408, 8],
          [0x400, 8],
        ],
      }),
    ),
    ofCall(
      KEX_02,
      load,
      says(0, {
        placed: [
          [0x407, 8],
          [0x400, 8],
        ],
      }),
    ),
  ],
  [
    'KEX-03',
    ofCall(KEX_03, jump, says(-22)),
    ofCall(KEX_03, jump, says(1)),
    ofCall(KEX_03, jump, says(0)),
  ],
  [
    'KEX-04',
    ofCall(KEX_04, jump, says(1), loaded),
    ofCall(KEX_04, jump, says(0), loaded),
    ofCall(KEX_04, jump, says(-1000), loaded),
  ],
  [
    'KEX-05',
    ofCall(KEX_05, broken, says(0), loaded),
    ofCall(KEX_05, broken, says(1), loaded),
    ofCall(KEX_05, broken, says(-1000), loaded),
  ],
  [
    'KEX-06',
    ofCall(KEX_06, jump, says(1, { early: [[AT + 8, 1]] }), kept(AT, 3, UNMOVABLE)),
    ofCall(KEX_06, jump, says(1, { early: [[AT + 7, 1]] }), kept(AT, 3, UNMOVABLE)),
    ofCall(KEX_06, jump, says(1, { taken: [[AT - 1, 2]] }), kept(AT, 3, UNMOVABLE)),
  ],
  [
    'KEX-07',
    ofCall(KEX_07, cold, says(0)),
    ofCall(KEX_07, cold, says(1)),
    ofCall(KEX_07, cold, says(-1000)),
  ],
];

const WITNESSES: readonly Witness[] = [
  ...SCRATCH_WITNESSES,
  ...SCRATCH_LINE_WITNESSES,
  ...ALLOCATOR_WITNESSES,
  ...PRESERVATION_WITNESSES,
  ...RESTORE_WITNESSES,
  ...TREE_WITNESSES,
  ...KEXEC_WITNESSES,
  ...RESERVE_MEM_WITNESSES,
  ...SHORTAGE_WITNESSES,
  ...PHASES_WITNESSES,
  ...EARLY_WITNESSES,
  ...LIVE_UPDATE_WITNESSES,
  ...MOVABILITY_WITNESSES,
  ...DEBUGFS_WITNESSES,
  ...LOADING_WITNESSES,
  ...AREA_WITNESSES,
];

describe('the law', () => {
  const cases = WITNESSES.map((each) => [each[0], each] as const);

  it.each(cases)('%s is kept by one witness and broken by others', (id, [, keeps, ...breaks]) => {
    const good = keeps();
    expect([id, good.asked, good.holds]).toEqual([id, true, true]);
    for (const [index, each] of breaks.entries()) {
      const { holds, asked, text } = each();
      expect([id, index, holds]).toEqual([id, index, false]);
      if (rule(id).kind !== 'sight') expect([id, index, asked]).toEqual([id, index, true]);
      expect(text, `${id} ${index}`).toMatch(/[a-z]{2,}/);
      expect(text, `${id} ${index}`).not.toMatch(/undefined|NaN|null|\[object|-0x/);
    }
  });

  const keeps = [
    ...RESERVE_MEM_KEEPS,
    ...AREA_KEEPS,
    ...SCRATCH_LINE_KEEPS,
    ...PHASES_KEEPS,
    ...EARLY_KEEPS,
  ];
  it.each(LIVE_UPDATE_KEEPS)('%s holds where lists grow or memory is short', (_id, each) => {
    expect(each()).toMatchObject({ asked: true, holds: true });
  });

  it.each(LIVE_UPDATE_SILENCE)('%s says nothing of other sessions and files', (_id, each) => {
    expect(each().asked).toBe(false);
  });

  it.each(keeps)('%s holds where nothing else is possible', (_id, each) => {
    expect(each()).toMatchObject({ asked: true, holds: true });
  });

  it.each(SCRATCH_LINE_BREAKS)('%s is broken where sizes and blocks are others', (_id, each) => {
    expect(each()).toMatchObject({ asked: true, holds: false });
  });

  it('has witnesses for every rule about calls, states and sights', () => {
    const witnessed = WITNESSES.map(([id]) => id);
    expect(new Set(witnessed).size).toBe(witnessed.length);
    const wanted = RULES.filter((each) => each.kind !== 'handover').map((each) => each.id);
    expect([...witnessed].sort()).toEqual([...wanted].sort());
  });

  it.each([
    ['KEX-03', ofCall(KEX_03, jump, says(1), loaded)],
    ['KEX-04', ofCall(KEX_04, broken, says(0), loaded)],
    ['KEX-05', ofCall(KEX_05, jump, says(1), loaded)],
    ['KEX-06', ofCall(KEX_06, jump, says(0, { early: [[AT, 1]] }), kept(AT, 3, UNMOVABLE))],
    ['SCR-01', ofCall(SCR_01, jump, says(1))],
    ['SCR-04', ofCall(SCR_04, jump, says(0))],
    ['SCR-06', ofCall(SCR_06, load, says(-99))],
    ['MOV-01', ofCall(MOV_01, alloc(0, -1, 1), says(SCRATCH))],
    ['MOV-01', ofCall(MOV_01, alloc(0), says(-12))],
    ['ALC-03', ofCall(ALC_03, alloc(1), says(-12))],
    ['PRS-01', ofCall(PRS_01, folio, says(0))],
    ['PRS-02', ofCall(PRS_02, folioInScratch, says(0))],
    ['PRS-03', ofCall(PRS_03, folio, says(0, { taken: [[AT, 1]] }))],
    ['RST-01', ofCall(RST_01, restore, says(0))],
    ['RST-03', ofCall(RST_03, across, says(-2))],
    ['RST-04', ofCall(RST_04, across, says(0), acrossHeld)],
    ['TRE-02', ofCall(TRE_02, add, says(0))],
    ['TRE-03', ofCall(TRE_03, add, says(-17), named)],
    ['TRE-06', ofCall(TRE_06, look, says(-2), came)],
  ])('%s says nothing where its premise is not met', (_id, each) => {
    expect(each().asked).toBe(false);
  });

  it.each(DEBUGFS_FORGIVEN)('%s is kept by what came broken', (_id, each) => {
    expect(each()).toMatchObject({ holds: true });
  });

  it.each(DEBUGFS_SILENCE)('%s says nothing where there is no such file', (_id, each) => {
    expect(each().asked).toBe(false);
  });

  it.each(LOADING_SILENCE)('%s says nothing of another kernel or image', (_id, each) => {
    expect(each().asked).toBe(false);
  });

  it.each(AREA_SILENCE)('%s says nothing of other areas and sizes', (_id, each) => {
    expect(each().asked).toBe(false);
  });

  it.each(SCRATCH_LINE_SILENCE)('%s says nothing of other kernels and machines', (_id, each) => {
    expect(each().asked).toBe(false);
  });

  it.each([...PHASES_SILENCE, ...EARLY_SILENCE])(
    '%s says nothing in another phase',
    (_id, each) => {
      expect(each().asked).toBe(false);
    },
  );

  it.each(SHORTAGE_SILENCE)('%s says nothing where nothing is short', (_id, each) => {
    expect(each().asked).toBe(false);
  });
});

function rule(id: string) {
  return RULES.find((each) => each.id === id)!;
}
