/** Witnesses of the chapter about debugfs: files that keep its rules, and files that break them. */
import { DBG_08, DBG_09, DBG_10, DBG_11, DBG_12, DBG_13, DBG_14 } from '#spec/debugfs-sight';
import { WHAT_DEBUGFS_SHOWS } from '#spec/debugfs-sight';
import type { CopiedBlob, CopiedSide, CopiedTree, ShownFiles } from '#spec/debugfs';
import type { Subtree } from '#spec/handover';
import type { SystemSightRule } from '#spec/rules';
import { EARLY, HELD } from '#spec/state';
import { AREAS, nothing, ofSystem, sees, showing } from './witnesses.ts';
import type { Case, Setup, Witness } from './witnesses.ts';

/** Frame of a blob; the name `LUO` has index 2. */
const AT = 0x1000;
const NAME = 2;
const LUO: Subtree = { name: 'LUO', phys: AT * 4096, bytes: 73 };

const tree = (subtrees: readonly Subtree[] = [], change: Partial<CopiedTree> = {}): CopiedTree => ({
  bytes: 200,
  claimed: 200,
  subtrees,
  damage: [],
  ...change,
});

const file = (name = 'LUO', bytes = 73, fault?: string): CopiedBlob => ({ name, bytes, fault });

const side = (of: CopiedTree | undefined, ...blobs: readonly CopiedBlob[]): CopiedSide => ({
  tree: of,
  blobs,
});

/** A blob was added. */
const added: Setup = (s) => {
  s.outFrame.set(NAME, AT + 1);
  s.outBytes.set(NAME, 73);
};

/** A handover was revived, and a blob came with it. */
const came: Setup = (s) => {
  s.revived.set(1);
  s.counted.set(1);
  s.use.set(AT, HELD);
  s.blob.set(AT, 1);
  s.inFrame.set(NAME, AT + 1);
  s.inBytes.set(NAME, 73);
};

/** The same, and its memory was given back. */
const wentAgain: Setup = (s) => {
  came(s);
  s.use.set(AT, EARLY);
  s.blob.set(AT, 0);
};

const written =
  (setup: Setup): Setup =>
  (s) => {
    setup(s);
    s.use.set(AT, HELD);
    s.content.set(AT, 77);
  };

const shown = (rule: SystemSightRule, files: Partial<ShownFiles>, setup = nothing): Case =>
  ofSystem(rule, sees({ debugfs: () => showing(files) }), setup);

const rule = (id: string): SystemSightRule =>
  WHAT_DEBUGFS_SHOWS.rules.find((each) => each.id === id) as SystemSightRule;

const PHYS = AREAS.map(([first]) => first * 4096);
const BYTES = AREAS.map(([, count]) => count * 4096);

const OF_THE_LAW: readonly Witness[] = [
  [
    'DBG-08',
    shown(DBG_08, { out: side(tree(), file()) }, added),
    shown(DBG_08, { out: side(tree()) }, added),
    shown(DBG_08, {}, added),
    shown(DBG_08, { out: side(tree(), file()) }),
    shown(DBG_08, { out: side(tree(), file('LUO', 74)) }, added),
    shown(DBG_08, { out: side(tree(), file('nobody-knows')) }),
  ],
  [
    'DBG-09',
    shown(DBG_09, { out: side(tree()) }),
    shown(DBG_09, { out: side(tree()), differsAt: 40 }),
  ],
  [
    'DBG-10',
    shown(DBG_10, { scratchPhys: PHYS, scratchLen: BYTES }),
    shown(DBG_10, {}),
    shown(DBG_10, { scratchPhys: PHYS.slice(1), scratchLen: BYTES }),
    shown(DBG_10, { scratchPhys: PHYS.toReversed(), scratchLen: BYTES }),
    shown(DBG_10, { scratchPhys: PHYS, scratchLen: BYTES.map((bytes) => bytes / 4096) }),
  ],
  [
    'DBG-11',
    shown(DBG_11, { in: side(tree()) }, came),
    shown(DBG_11, {}, came),
    shown(DBG_11, { in: side(undefined, file()) }, came),
    shown(DBG_11, { in: side(tree()) }),
  ],
  [
    'DBG-12',
    shown(DBG_12, { in: side(tree([LUO])) }, came),
    shown(DBG_12, { in: side(tree()) }, came),
    shown(DBG_12, { in: side(tree([{ ...LUO, phys: 0x2000 }])) }, came),
    shown(DBG_12, { in: side(tree([{ ...LUO, bytes: 1 }])) }, came),
    shown(DBG_12, { in: side(tree([LUO, { ...LUO, name: 'nobody-knows' }])) }, came),
  ],
  [
    'DBG-13',
    shown(DBG_13, { in: side(tree([LUO]), file()) }, came),
    shown(DBG_13, { in: side(tree([LUO])) }, came),
    shown(DBG_13, { in: side(tree([LUO]), file()) }, wentAgain),
    shown(DBG_13, { in: side(tree([LUO]), file('LUO', 4096)) }, came),
    shown(DBG_13, { in: side(tree([LUO]), file(), file('nobody-knows')) }, came),
  ],
  [
    'DBG-14',
    shown(DBG_14, { in: side(tree([LUO]), file()), stampOf: () => 77 }, written(came)),
    shown(DBG_14, { in: side(tree([LUO]), file()), stampOf: () => 78 }, written(came)),
    shown(DBG_14, { out: side(tree([LUO]), file()) }, written(added)),
  ],
];

const FDT = 'fdt(/LUO)';
const broken = tree([], { damage: [{ where: FDT, what: 'is missing' }] });

const OF_A_COPY: readonly Witness[] = [
  [
    'DBG-01',
    shown(rule('DBG-01'), { out: side(tree()) }),
    shown(rule('DBG-01'), { out: side(tree([], { bytes: 199 })) }),
  ],
  [
    'DBG-02',
    shown(rule('DBG-02'), { out: side(tree()) }),
    shown(rule('DBG-02'), { out: side(undefined) }),
  ],
  [
    'DBG-03',
    shown(rule('DBG-03'), { out: side(tree()), scratchPhys: PHYS, scratchLen: BYTES }),
    shown(rule('DBG-03'), { out: side(tree()), scratchPhys: PHYS, scratchLen: [] }),
    shown(rule('DBG-03'), { out: side(tree()), scratchPhys: [Number.NaN], scratchLen: [1] }),
  ],
  [
    'DBG-04',
    shown(rule('DBG-04'), { out: side(tree()), in: side(tree()) }),
    shown(rule('DBG-04'), { out: side(broken) }),
    shown(rule('DBG-04'), { in: side(broken) }, came),
  ],
  [
    'DBG-05',
    shown(rule('DBG-05'), { in: side(tree([LUO])) }, wentAgain),
    shown(rule('DBG-05'), { in: side(tree([LUO])) }, came),
    shown(rule('DBG-05'), { out: side(tree([LUO])) }, wentAgain),
    shown(rule('DBG-05'), { in: side(tree([LUO]), file('LUO', 1)) }, came),
  ],
  [
    'DBG-06',
    shown(rule('DBG-06'), { in: side(tree([LUO]), file()) }),
    shown(rule('DBG-06'), { in: side(tree([LUO]), file('LUO', 73, 'its version is 0')) }, came),
  ],
  [
    'DBG-07',
    shown(rule('DBG-07'), { scratch: [], scratchPhys: [], scratchLen: [] }),
    shown(rule('DBG-07'), { scratch: [], scratchPhys: [1], scratchLen: [1] }),
  ],
];

export const DEBUGFS_WITNESSES: readonly Witness[] = [...OF_THE_LAW, ...OF_A_COPY];

/** The same, but what the previous kernel says of itself cannot be read. */
const cameUnreadable: Setup = (s) => {
  came(s);
  s.counted.set(0);
};

/** The same, but the blob has no address. */
const cameBroken: Setup = (s) => {
  came(s);
  s.inFault.set(NAME, 1);
};

/** Cases that keep their rule because debugfs shows what came, as it came. */
export const DEBUGFS_FORGIVEN: readonly (readonly [string, Case])[] = [
  ['DBG-04', shown(rule('DBG-04'), { in: side(broken) }, cameBroken)],
  ['DBG-05', shown(rule('DBG-05'), { in: side(tree([LUO])) }, cameBroken)],
  ['DBG-06', shown(rule('DBG-06'), { in: side(tree(), file('LUO', 1, 'x')) }, cameUnreadable)],
  ['DBG-12', shown(DBG_12, { in: side(tree([{ ...LUO, phys: 0 }])) }, cameBroken)],
  ['DBG-13', shown(DBG_13, { in: side(tree()) }, cameBroken)],
];

/** Cases in which a rule says nothing. */
export const DEBUGFS_SILENCE: readonly (readonly [string, Case])[] = [
  ['DBG-02', shown(rule('DBG-02'), {})],
  ['DBG-09', shown(DBG_09, { out: side(undefined), differsAt: 3 })],
  ['DBG-12', shown(DBG_12, { in: side(tree([LUO])) })],
  ['DBG-14', shown(DBG_14, { in: side(tree([LUO]), file()) }, came)],
];
