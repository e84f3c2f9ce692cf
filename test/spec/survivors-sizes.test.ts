/**
 * What mutants of the law got away with, a fourth time: how many names of one length a tree has
 * room for, what is nothing, and what an empty frame forgets.
 */
import { describe, expect, it } from 'vitest';
import { ageOf } from '#spec/generations';
import type { Generation } from '#spec/generations';
import { ruleById } from '#spec/law';
import { earlyTreeFits } from '#spec/early-trees';
import { TRE_07, hasRoomFor, nameBlob } from '#spec/handover-tree';
import { fileTokens, sessionNames } from '#spec/live-update-state';
import { ownerClaims } from '#spec/claims';
import { CELLS, HELD, clearFrame } from '#spec/state';
import type { State } from '#spec/state';
import { kept, made, prepared } from './borders.ts';
import { call, says, sees } from './witnesses.ts';

const NAMES = 400;
const AT = 0x1000;

/** A state without blobs on a machine of which all names have one length. */
const withNames = (chars: number, generation: Generation): State =>
  prepared(
    (s) => {
      s.runs.set(ageOf(generation));
      for (let name = 0; name < NAMES; name++) s.outFrame.set(name, 0);
    },
    {
      nameBytes: Array.from({ length: NAMES }, () => chars),
      reserveMem: { names: ['log'], lines: [{ text: '', entries: [] }] },
    },
  );

describe('a tree of 4 KiB has room', () => {
  it.each([
    [3, 75],
    [7, 70],
    [8, 65],
    [15, 61],
    [31, 49],
  ])('for names of %i characters: %i', (chars, count) => {
    const s = withNames(chars, '7.3');
    let name = 0;
    while (hasRoomFor(s, name)) nameBlob(s, name++, AT, 1);
    expect(name).toBe(count);
  });

  // Bytes, v4: 111 for the frame, 4 for `mem`, 48 for the list, 72 for a region, 40 for a name;
  // v5: 168 for the frame and what is preserved, 8 for `address`, 55 for the list, 80 and 32.
  it.each([
    ['v4', 0, 99],
    ['v4', 64, 96],
    ['v5', 0, 122],
    ['v5', 64, 118],
  ] as const)(
    'in %s, with a region of %i bytes, for names of 3 characters: %i',
    (age, bytes, most) => {
      const s = withNames(3, age);
      s.regionBytes.set(0, bytes);
      let name = 0;
      for (; earlyTreeFits(s); name++) s.outFrame.set(name, AT + 1);
      expect(name - 1).toBe(most);
    },
  );
});

describe('nothing', () => {
  it('is what rules about the tree find in one that is not written', () => {
    const s = prepared((state) => state.runs.set(ageOf('6.18')));
    expect(TRE_07.find(s, sees(), () => expect.unreachable())).toBe(0);
  });

  it('is known of live update where nobody has it', () => {
    const { liveUpdate: _, ...machine } = withNames(3, '7.3').machine;
    const s = { ...withNames(3, '7.3'), machine };
    expect([fileTokens(s), sessionNames(s)]).toEqual([0, 0]);
  });

  it('is left of a frame that is emptied', () => {
    const s = prepared(() => {});
    const cells = Object.keys(CELLS).filter(
      (name) => CELLS[name as keyof typeof CELLS].kind === 'frame',
    ) as 'use'[];
    for (const cell of cells) s[cell].set(AT, 1);
    clearFrame(s, AT);
    expect(cells.map((cell) => s[cell].get(AT))).toEqual(cells.map(() => 0));
  });

  it('is claimed where nobody preserved anything, frame 0 and those after it', () => {
    const s = prepared(() => {});
    expect([0, 1, 2].map((pfn) => ownerClaims(s, pfn))).toEqual([false, false, false]);
    s.use.set(0, HELD);
    s.block.set(0, 2);
    s.use.set(1, HELD);
    s.use.set(2, HELD);
    expect([0, 1, 2].map((pfn) => ownerClaims(s, pfn))).toEqual([true, true, false]);
  });

  it('widens scratch on a machine whose kernels do not', () => {
    const early = made(call('kexec'), says(1, { early: [[0x3ff, 1]] }), kept(AT, 0), {
      widenFrames: 0,
    });
    expect(early('SCR-05')).toBe('breaks');
  });
});

describe('a rule about debugfs', () => {
  it('says what it repeats, as the rule does that it was made of', () => {
    expect(ruleById('DBG-03')!.repeats).toContain('DBG-10');
    expect(ruleById('DBG-01')!.repeats).toBeUndefined();
  });
});
