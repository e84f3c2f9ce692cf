/** Pinning and moving: what their effects leave behind, and what a caller's mistake looks like. */
import { describe, expect, it } from 'vitest';
import { NEWEST_KERNEL } from '#model/kernels';
import { SUBTREE_NAMES, buildMachine } from '#model/machines';
import { sparseState } from '#model/sparse-carrier';
import type { SparseState } from '#model/sparse-carrier';
import { CELLS, FREE, MOVABLE, PINNED, setUse } from '#spec/state';
import { ACTION } from '#spec/law';
import { MOV_03 } from '#spec/movability';
import { Lockstep } from '#src/checker/lockstep';
import type { Violation } from '#src/checker/lockstep';
import { Tally } from '#src/checker/tally';
import { KhoMachine } from '#src/kho/kho-machine';
import { MOVABILITY_KEEPS, MOVABILITY_SILENCE } from './movability-witnesses.ts';
import { call, fresh, says, sees } from './witnesses.ts';

const FROM = 0x800;
const TO = 0x1000;

/** A movable block of four frames in scratch, the first and the last of which were written. */
const withBlock = (): SparseState => {
  const s = fresh();
  setUse(s, FROM, 4, MOVABLE);
  s.block.set(FROM, 3);
  s.content.set(FROM, 7);
  s.content.set(FROM + 3, 8);
  return s;
};

const FRAME_CELLS = Object.entries(CELLS).filter(([, cell]) => cell.kind === 'frame');

/** Every cell of the frames that are not empty. */
const framesOf = (s: SparseState): string[] => {
  const frames: string[] = [];
  s.eachFrame((pfn) => {
    const cells = FRAME_CELLS.map(([name]) => [name, s[name as 'use'].get(pfn)] as const);
    const set = cells.filter(([, value]) => value !== 0).map(([name, value]) => `${name} ${value}`);
    frames.push(`${pfn.toString(16)}: ${set.join(', ')}`);
  });
  return frames;
};

const after = (action: 'pin' | 'unpin' | 'migrate', value: number, from = FROM): string[] => {
  const s = withBlock();
  ACTION[action].effect(s, call(action, { pfn: from, order: 2, node: -1 }), says(value));
  return framesOf(s);
};

describe('a block that moves', () => {
  it.each([
    ['pin', PINNED],
    ['migrate', MOVABLE],
  ] as const)('by %s takes its content and its order along, and leaves nothing', (name, use) => {
    expect(after(name, TO)).toEqual([
      `1000: use ${use}, block 3, content 7`,
      `1001: use ${use}`,
      `1002: use ${use}`,
      `1003: use ${use}, content 8`,
    ]);
  });

  it('stays as it was when there is no room', () => {
    for (const name of ['pin', 'migrate'] as const) {
      for (const errno of [-12, -16]) expect(after(name, errno)).toEqual(framesOf(withBlock()));
    }
  });

  it('is pinned where it is when it need not move, and may move again when it is unpinned', () => {
    expect(after('pin', FROM)[0]).toBe(`800: use ${PINNED}, block 3, content 7`);
    const s = withBlock();
    const pinned = call('pin', { pfn: FROM, order: 2, node: -1 });
    ACTION.pin.effect(s, pinned, says(FROM));
    expect(s.use.get(FROM + 4)).toBe(FREE);
    ACTION.unpin.effect(s, call('unpin', { pfn: FROM, order: 2 }), says(0));
    expect(framesOf(s)).toEqual(framesOf(withBlock()));
  });

  it('is told by the names of the kernel, with the node that was asked for', () => {
    const fields = { pfn: FROM, order: 2, node: 1 };
    const name = (): string => '';
    expect(ACTION.pin.shows(call('pin', fields), name)).toBe(
      'pin_user_pages(0x800, order 2, node 1)',
    );
    expect(ACTION.migrate.shows(call('migrate', { ...fields, node: -1 }), name)).toBe(
      'migrate_pages(0x800, order 2)',
    );
    expect(ACTION.unpin.shows(call('unpin', fields), name)).toBe(
      'unpin_user_pages(0x800, order 2)',
    );
  });
});

describe('a rule of movability', () => {
  it.each(MOVABILITY_SILENCE)('%s says nothing where its premise is not met', (_id, each) => {
    expect(each().asked).toBe(false);
  });

  it.each(MOVABILITY_KEEPS)('%s allows a refusal that nobody can help', (_id, each) => {
    expect(each()).toMatchObject({ asked: true, holds: true });
  });

  it('looks at as many pageblocks of a large machine as of a small one', () => {
    const GIB = 2 ** 18;
    const nodes = [8192 * GIB, 8192 * GIB];
    const scratch = { lowmem: GIB, global: 64 * GIB, perNode: 64 * GIB };
    const s = sparseState(buildMachine({ pageShift: 12, nodes, scratch }));
    const areas = [GIB, 100 * GIB, 200 * GIB, 9000 * GIB];
    areas.forEach((first, slot) => {
      s.areaFirst.set(slot, first);
      s.areaCount.set(slot, slot === 0 ? GIB : 64 * GIB);
    });
    const wrong = 164 * GIB - 512;
    const isScratch = (pfn: number): boolean =>
      areas.some((first, slot) => pfn >= first && pfn < first + s.areaCount.get(slot));
    const looks = (test: (pfn: number) => boolean): [number, number] => {
      let reports = 0;
      const seen = sees({ migrateType: (pfn) => (test(pfn) ? 4 : 1) });
      return [MOV_03.find(s, seen, () => reports++), reports];
    };
    const [count, reports] = looks(isScratch);
    expect(reports).toBe(0);
    expect(count).toBeLessThan(120);
    expect(looks((pfn) => isScratch(pfn) && pfn !== wrong)[1]).toBe(1);
    expect(looks((pfn) => isScratch(pfn) || pfn === 164 * GIB)[1]).toBe(1);
    expect(looks((pfn) => isScratch(pfn) || pfn === 100 * GIB - 512)[1]).toBe(1);
  });
});

/** A small machine and the law beside it; calls until a rule breaks. */
const lockstep = () => {
  const scratch = { lowmem: 1024, global: 1024, perNode: 1024 };
  const machine = buildMachine({ pageShift: 12, nodes: [9 * 1024], scratch });
  const { compatible, release, generation } = NEWEST_KERNEL;
  const system = new KhoMachine(machine, { compatible, release }, SUBTREE_NAMES);
  const both = new Lockstep(system, sparseState(machine), generation, new Tally());
  let last = 0;
  let violation: Violation | undefined;
  const ask = (...of: Parameters<typeof call>): number => {
    violation ??= both.call(call(...of), ({ value }) => {
      last = value;
    });
    return last;
  };
  ask('coldBoot');
  return { ask, broken: () => violation?.rule.id };
};

/** Takes movable blocks until one lies outside scratch, which is the last to be used. */
const movableOutside = (ask: (...of: Parameters<typeof call>) => number): number => {
  for (let i = 0; i < 3; i++) ask('allocPages', { order: 10, node: -1, value: 1 });
  return ask('allocPages', { order: 0, node: -1, value: 1 });
};

describe('preserving movable memory outside scratch', () => {
  it('is accepted by the kernel and reported by the law', () => {
    const { ask, broken } = lockstep();
    const pfn = movableOutside(ask);
    expect(ask('preserveFolio', { pfn })).toBe(0);
    expect(broken()).toBe('MOV-10');
  });

  it('is fine when it was pinned, until it is unpinned', () => {
    const { ask, broken } = lockstep();
    const pfn = movableOutside(ask);
    expect(ask('pin', { pfn, node: -1 })).toBe(pfn);
    expect(ask('preserveFolio', { pfn })).toBe(0);
    expect(ask('migrate', { pfn, node: -1 })).toBe(-16);
    expect(broken()).toBeUndefined();
    expect(ask('unpin', { pfn })).toBe(0);
    expect(broken()).toBe('MOV-10');
  });
});

describe('under pressure', () => {
  it('unmovable requests are refused while scratch is free, movable ones are served', () => {
    const { ask, broken } = lockstep();
    const unmovable = (order: number): number => ask('allocPages', { order, node: -1 });
    for (let order = 10; order >= 0; order--) while (unmovable(order) >= 0);
    const pfn = ask('allocPages', { order: 0, node: -1, value: 1 });
    expect(pfn).toBeGreaterThanOrEqual(0);
    expect(ask('pin', { pfn, node: -1 })).toBe(-12);
    const moved = ask('migrate', { pfn, node: -1 });
    expect(moved).toBeGreaterThanOrEqual(0);
    expect(moved).not.toBe(pfn);
    expect(ask('preserveFolio', { pfn: moved })).toBe(-22);
    expect(broken()).toBeUndefined();
  });
});
