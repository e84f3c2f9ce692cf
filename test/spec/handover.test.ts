/** Every rule about a handover has a witness that satisfies it and one that breaks it. */
import { describe, expect, it } from 'vitest';
import { DEBUGFS_RULES, RECORDING_RULES } from '#spec/debugfs';
import type { CopiedSide, Witnesses, WitnessRule } from '#spec/debugfs';
import { HANDOVER_RULES } from '#spec/handover';
import type { Handover } from '#spec/handover';

const MIB = 1048576;

/** A handover that keeps every rule. */
const GOOD: Handover = {
  pageShift: 12,
  compatible: 'kho-v4',
  fdt: 0x100000,
  scratchArray: 0x900000,
  tracker: 0x102000,
  scratch: [
    { phys: 64 * MIB, bytes: 16 * MIB },
    { phys: 80 * MIB, bytes: 4 * MIB },
    { phys: 64 * MIB, bytes: 0 },
  ],
  preserved: [
    { phys: 0x100000, order: 0 },
    { phys: 0x200000, order: 9 },
    { phys: 0x400000, order: 0 },
  ],
  trackerPages: [
    { phys: 0x102000, level: 5 },
    { phys: 0x103000, level: 4 },
  ],
  subtrees: [
    { name: 'one', phys: 0x200010, bytes: 32 },
    // Reaches over the border of two blocks, which is one stretch of preserved memory.
    { name: 'two', phys: 0x3ff000, bytes: 8192 },
  ],
  damage: [],
};

/** Findings of all rules about `change` applied to the good handover, as `rule: message`. */
const findings = (change: Partial<Handover>): string[] => {
  const found: string[] = [];
  const handover = { ...GOOD, ...change };
  for (const rule of HANDOVER_RULES) {
    rule.find(handover, (tell) => void found.push(`${rule.id}: ${tell()}`));
  }
  return found;
};

const damage = (where: string): Partial<Handover> => ({ damage: [{ where, what: 'is broken' }] });

/** For every rule, a change that breaks it and nothing else. */
const BREAKS: readonly (readonly [string, Partial<Handover>])[] = [
  ['HND-01', damage('fdt(header)')],
  ['HND-02', { compatible: 'kho-v9' }],
  ['HND-03', { tracker: undefined }],
  ['HND-03', { tracker: 0 }],
  ['HND-03', { tracker: 0x102010 }],
  ['HND-04', damage('tracker(root)')],
  ['HND-05', { preserved: [...GOOD.preserved, { phys: 0x801000, order: 1 }] }],
  ['HND-06', { preserved: [...GOOD.preserved, { phys: 0x202000, order: 1 }] }],
  ['HND-06', { preserved: [...GOOD.preserved, { phys: 0x400000, order: 0 }] }],
  ['HND-07', { preserved: [...GOOD.preserved, { phys: 64 * MIB, order: 0 }] }],
  ['HND-07', { preserved: [...GOOD.preserved, { phys: 84 * MIB - 4096, order: 0 }] }],
  ['HND-07', { preserved: [...GOOD.preserved, { phys: 64 * MIB, order: 12 }] }],
  ['HND-08', { fdt: 0x101000 }],
  ['HND-09', { subtrees: [{ name: 'none', phys: 0x200000, bytes: 0 }] }],
  ['HND-10', { subtrees: [{ name: 'out', phys: 0x401000, bytes: 1 }] }],
  ['HND-10', { subtrees: [{ name: 'over', phys: 0x400fff, bytes: 2 }] }],
  ['HND-11', { subtrees: [GOOD.subtrees[0]!, GOOD.subtrees[0]!] }],
  ['HND-12', { trackerPages: [{ phys: 64 * MIB, level: 5 }] }],
  ['HND-13', { trackerPages: [{ phys: 0x201000, level: 5 }] }],
  ['HND-15', { scratchArray: undefined }],
  ['HND-15', { scratch: [{ phys: 64 * MIB, bytes: 0 }] }],
  ['HND-16', damage('scratch(0x1000)')],
  ['HND-17', { scratch: [{ phys: 66 * MIB, bytes: 4 * MIB }] }],
  ['HND-17', { scratch: [{ phys: 64 * MIB, bytes: 2 * MIB }] }],
  ['HND-18', { scratch: [...GOOD.scratch, { phys: 76 * MIB, bytes: 4 * MIB }] }],
  ['HND-19', damage('blob(x)')],
  ['HND-19', damage('archive')],
];

describe('the rules of a handover', () => {
  it('hold for a good one', () => {
    expect(findings({})).toEqual([]);
  });

  it.each(BREAKS)('%s is broken by %j, and it alone', (id, change) => {
    const found = findings(change);
    expect(found.length).toBeGreaterThan(0);
    expect([...new Set(found.map((each) => each.slice(0, 6)))]).toEqual([id]);
  });

  it('HND-14 is broken by a tracker on the root’s page or on a blob', () => {
    const on = (phys: number): string[] => findings({ trackerPages: [{ phys, level: 5 }] });
    expect(on(0x100000).join()).toContain('HND-14: the root');
    expect(on(0x3ff000).join()).toContain('HND-14: blob "two"');
  });

  it('are all broken by some witness', () => {
    const broken = new Set([...BREAKS.map(([id]) => id), 'HND-14']);
    expect(HANDOVER_RULES.map(({ id }) => id).filter((id) => !broken.has(id))).toEqual([]);
  });

  it('say nothing about what was not there to look at', () => {
    const bare = { fdt: undefined, scratchArray: undefined, scratch: [], preserved: [] };
    expect(findings({ ...bare, trackerPages: [] })).toEqual([]);
    const asked = HANDOVER_RULES.filter(
      (rule) => rule.find({ ...GOOD, ...bare, trackerPages: [] }, () => {}) > 0,
    );
    const silent = ['HND-05', 'HND-07', 'HND-08', 'HND-10', 'HND-12', 'HND-13', 'HND-15'];
    for (const id of silent) expect(asked.map((rule) => rule.id)).not.toContain(id);
  });

  it('ask older kernels for the alignment that they had', () => {
    const scratch = [{ phys: 66 * MIB, bytes: 2 * MIB }];
    expect(findings({ scratch, compatible: 'kho-v3' })).toEqual([]);
    expect(findings({ scratch }).join()).toContain('HND-17');
  });

  it('know every page size', () => {
    for (const [pageShift, align] of [
      [14, 32 * MIB],
      [16, 512 * MIB],
    ] as const) {
      const base = { pageShift, preserved: [], trackerPages: [], subtrees: [], tracker: 65536 };
      expect(findings({ ...base, scratch: [{ phys: align, bytes: align }] })).toEqual([]);
      const found = findings({ ...base, scratch: [{ phys: align / 2, bytes: align }] });
      expect(found.join()).toContain('HND-17');
    }
  });

  it('see an area of one byte', () => {
    const preserved = [{ phys: 0x40000000, order: 0 }];
    const found = (bytes: number) =>
      findings({ ...GOOD, preserved, scratch: [{ phys: 0x40000000, bytes }] }).join();
    expect(found(1)).toContain('HND-07');
    expect(found(0)).not.toContain('HND-07');
  });

  it('build no sentence unless somebody listens, and look at many blocks quickly', () => {
    const preserved = Array.from({ length: 200_000 }, (_, i) => ({
      phys: 0x40000000 + i * 8192,
      order: 0,
    }));
    // What looks at every pair of blocks does not come to an end before the test has to.
    const places = HANDOVER_RULES.map((rule) => rule.find({ ...GOOD, preserved }, () => {}));
    expect(places).toContain(preserved.length);
  });
});

const TREE = {
  bytes: 400,
  claimed: 400,
  subtrees: [{ name: 'LUO', phys: 0x1000, bytes: 32 }],
  damage: [],
};
const SIDE: CopiedSide = { tree: TREE, blobs: [{ name: 'LUO', bytes: 32, fault: undefined }] };
const AREA = { phys: 64 * MIB, bytes: 4 * MIB };

const FINE: Witnesses = {
  out: SIDE,
  in: SIDE,
  scratchPhys: [AREA.phys],
  scratchLen: [AREA.bytes],
  recordedScratch: [AREA],
  recordedPage: 4096,
  measuredPage: 4096,
  scratch: [AREA],
};

const WITNESS_RULES: readonly WitnessRule[] = [...DEBUGFS_RULES, ...RECORDING_RULES];

const told = (change: Partial<Witnesses>): string[] => {
  const found: string[] = [];
  for (const rule of WITNESS_RULES) {
    rule.find({ ...FINE, ...change }, (tell) => void found.push(`${rule.id}: ${tell()}`));
  }
  return found;
};

const tree = (change: Partial<typeof TREE>): CopiedSide => ({
  ...SIDE,
  tree: { ...TREE, ...change },
});

const FAULTS: readonly (readonly [string, Partial<Witnesses>])[] = [
  ['DBG-01', { out: tree({ bytes: 233 }) }],
  ['DBG-02', { out: { ...SIDE, tree: undefined } }],
  ['DBG-03', { scratchPhys: [1, 2] }],
  ['DBG-03', { scratchPhys: [Number.NaN], scratch: undefined }],
  ['DBG-04', { in: { ...SIDE, tree: { ...TREE, damage: [{ where: 'fdt', what: 'x' }] } } }],
  ['DBG-05', { out: { ...SIDE, blobs: [] } }],
  ['DBG-05', { in: { ...SIDE, blobs: [...SIDE.blobs, { ...SIDE.blobs[0]!, name: 'x' }] } }],
  ['DBG-05', { in: { ...SIDE, blobs: [{ ...SIDE.blobs[0]!, bytes: 31 }] } }],
  ['DBG-06', { in: { ...SIDE, blobs: [{ ...SIDE.blobs[0]!, fault: 'is freed memory' }] } }],
  ['DBG-07', { scratchLen: [AREA.bytes + 4096] }],
  ['REC-01', { recordedPage: 16384 }],
  ['REC-02', { recordedScratch: [] }],
];

describe('the rules of witnesses', () => {
  it('hold for good ones, and for none at all', () => {
    expect(told({})).toEqual([]);
    const none = Object.fromEntries(Object.keys(FINE).map((key) => [key, undefined]));
    expect(told(none)).toEqual([]);
    const looked = WITNESS_RULES.map((rule) =>
      rule.find({ ...FINE, ...(none as Partial<Witnesses>) }, () => {}),
    );
    expect(looked.every((count) => count === 0)).toBe(true);
  });

  it.each(FAULTS)('%s is broken by %j, and it alone', (id, change) => {
    expect([...new Set(told(change).map((each) => each.slice(0, 6)))]).toEqual([id]);
  });

  it('are all broken by some witness', () => {
    const broken = new Set(FAULTS.map(([id]) => id));
    expect(WITNESS_RULES.map(({ id }) => id).filter((id) => !broken.has(id))).toEqual([]);
  });
});

it('all rules have ids of their own and sources, unless they are about recordings', () => {
  const rules = [...HANDOVER_RULES, ...WITNESS_RULES];
  expect(new Set(rules.map(({ id }) => id)).size).toBe(rules.length);
  for (const { id, sources } of [...HANDOVER_RULES, ...DEBUGFS_RULES]) {
    expect(sources.length, id).toBeGreaterThan(0);
  }
});
