/** Images of all kinds on a machine: what is loaded, what counts at a jump, what a crash finds. */
import { describe, expect, it } from 'vitest';
import { call } from '#model/call';
import type { Call } from '#model/call';
import { SUBTREE_NAMES, buildMachine, plainShape } from '#model/machines';
import { decisionsWith, faultById } from '#src/kho/faults';
import { KhoMachine } from '#src/kho/kho-machine';

const CRASH_FRAMES = 24;
const SHAPE = { ...plainShape(64), crash: CRASH_FRAMES };
/** Frames of every scratch area. */
const AREA = 1024;
const METADATA = 0;
const [MEMBLOCK, A, A_AT_1] = ['memblock', 'a', 'a@1'].map((name) => SUBTREE_NAMES.indexOf(name));

const NO_ROOM = -99;
const INVALID = -22;

/** A machine that was switched on. */
const machineWith = (...faults: readonly string[]): KhoMachine => {
  const decisions = decisionsWith(faults.map((id) => faultById(id)!));
  const build = { compatible: 'kho-v4', release: '7.3.4', decisions };
  const machine = new KhoMachine(buildMachine(SHAPE), build, SUBTREE_NAMES);
  expect(machine.call(call('coldBoot')).value).toBe(0);
  return machine;
};

type Fields = Partial<Omit<Call, 'action'>>;

const answers = (machine: KhoMachine, action: Call['action'], fields: Fields = {}): number =>
  machine.call(call(action, fields)).value;

/** A preserved page, written with `stamp`. */
const preserved = (machine: KhoMachine, stamp: number): number => {
  const pfn = answers(machine, 'allocPages', { node: -1 });
  answers(machine, 'write', { pfn, value: stamp });
  expect(answers(machine, 'preserveFolio', { pfn })).toBe(0);
  return pfn;
};

describe('an image of the next kernel', () => {
  it.each([
    [AREA + 1, NO_ROOM],
    [AREA, 0],
    [1, 0],
    [0, 0],
  ])('of %i frames is answered with %i', (count, value) => {
    expect(answers(machineWith(), 'kexecFileLoad', { count })).toBe(value);
  });

  it('stays loaded when another one is too large', () => {
    const machine = machineWith();
    expect(answers(machine, 'kexecFileLoad')).toBe(0);
    expect(answers(machine, 'kexecFileLoad', { count: AREA + 1, value: 1 })).toBe(NO_ROOM);
    expect(answers(machine, 'kexec')).toBe(1);
  });

  it('is replaced by the one that is loaded later, however that is loaded', () => {
    const machine = machineWith();
    answers(machine, 'kexecFileLoad');
    answers(machine, 'kexecLoad', { pfn: 64, count: 8 });
    expect(answers(machine, 'kexec')).toBe(0);
    answers(machine, 'kexecLoad', { pfn: 64, count: 8 });
    answers(machine, 'kexecFileLoad');
    expect(answers(machine, 'kexec')).toBe(1);
  });

  it('is gone when it is unloaded, and when the machine jumped', () => {
    const machine = machineWith();
    answers(machine, 'kexecFileLoad');
    expect(answers(machine, 'kexecUnload')).toBe(0);
    expect(answers(machine, 'kexec')).toBe(INVALID);
    answers(machine, 'kexecFileLoad');
    expect(answers(machine, 'kexecUnload', { value: 1 })).toBe(0);
    expect(answers(machine, 'kexec')).toBe(1);
    expect(answers(machine, 'kexec')).toBe(INVALID);
  });

  it('hands over what was done after it was loaded', () => {
    const machine = machineWith();
    answers(machine, 'kexecFileLoad');
    const pfn = preserved(machine, 7);
    answers(machine, 'addSubtree', { name: A!, pfn, value: 3 });
    expect(answers(machine, 'kexec')).toBe(1);
    expect(answers(machine, 'retrieveSubtree', { name: A! })).toBe(pfn);
    expect(answers(machine, 'restoreFolio', { pfn })).toBe(0);
    expect(machine.sees.content(pfn)).toBe(7);
  });
});

describe('a kernel without KHO', () => {
  it.each([
    [1, -2],
    [2, -95],
  ])('number %i loses the handover, and answers a lookup with %i', (value, lookup) => {
    const machine = machineWith();
    const pfn = preserved(machine, 7);
    answers(machine, 'addSubtree', { name: A!, pfn, value: 3 });
    answers(machine, 'kexecFileLoad', { value });
    expect(answers(machine, 'kexec')).toBe(2);
    expect(answers(machine, 'khoIsEnabled')).toBe(0);
    expect(answers(machine, 'isKhoBoot')).toBe(0);
    expect(answers(machine, 'retrieveSubtree', { name: A! })).toBe(lookup);
    expect(answers(machine, 'restoreFolio', { pfn })).toBe(-2);
    expect([machine.sees.fdt(), machine.sees.scratchArray()]).toEqual([0, 0]);
    expect(machine.sees.use(pfn)).toBe(0);
    expect(answers(machine, 'kexecFileLoad', { count: AREA + 1 })).toBe(0);
    expect(answers(machine, 'kexec')).toBe(0);
    expect(answers(machine, 'khoIsEnabled')).toBe(1);
  });
});

describe('a crash kernel', () => {
  it('is loaded into its own memory, or not at all', () => {
    const machine = machineWith();
    expect(answers(machine, 'crash')).toBe(INVALID);
    const { value, placed } = machine.call(call('kexecCrashLoad', { count: CRASH_FRAMES }));
    expect([value, placed.length, placed.count(0)]).toEqual([0, 1, CRASH_FRAMES]);
    expect(machine.sees.use(placed.first(0))).toBe(4);
    expect(answers(machine, 'kexecCrashLoad', { count: CRASH_FRAMES + 1 })).toBe(NO_ROOM);
    expect(answers(machine, 'crash')).toBe(INVALID);
  });

  it('leaves all other memory as it was', () => {
    const machine = machineWith();
    const pfn = preserved(machine, 7);
    expect(answers(machine, 'kexecCrashLoad')).toBe(0);
    const { value, early } = machine.call(call('crash'));
    const first = early.first(0);
    expect([value, early.count(0)]).toEqual([2, 8]);
    expect([machine.sees.content(pfn), machine.sees.use(pfn)]).toEqual([7, 7]);
    expect(machine.sees.freeFrames()).toBe(CRASH_FRAMES - 8 - 6);
    for (let i = 0; i < early.length; i++) {
      expect(Math.abs(early.first(i) - first)).toBeLessThan(CRASH_FRAMES);
    }
    expect(answers(machine, 'khoIsEnabled')).toBe(0);
  });

  it('needs memory that was reserved', () => {
    const build = { compatible: 'kho-v4', release: '7.3.4' };
    const machine = new KhoMachine(buildMachine(plainShape(64)), build, SUBTREE_NAMES);
    expect(machine.call(call('coldBoot')).crashCount).toBe(0);
    expect(answers(machine, 'kexecCrashLoad')).toBe(NO_ROOM);
  });
});

describe('a damaged blob', () => {
  const jumpWith = (value: number, name: number, ...faults: readonly string[]): KhoMachine => {
    const machine = machineWith(...faults);
    const pfn = preserved(machine, 7);
    answers(machine, 'addSubtree', { name: A!, pfn, value: 3 });
    answers(machine, 'addSubtree', { name: MEMBLOCK!, pfn, value: 4 });
    answers(machine, 'kexecFileLoad');
    expect(answers(machine, 'kexec', { value, name })).toBe(1);
    return machine;
  };

  it.each([5, 6, 7, 8, 9, 10, 11])('of kind %i is refused, its neighbours are not', (damage) => {
    const machine = jumpWith(damage, A!);
    expect(answers(machine, 'retrieveSubtree', { name: A! })).toBe(INVALID);
    const { value, bytes } = machine.call(call('retrieveSubtree', { name: MEMBLOCK! }));
    expect([value > 0, bytes]).toEqual([true, 4]);
    expect(answers(machine, 'isKhoBoot')).toBe(1);
  });

  it('that is too short for metadata is still a blob', () => {
    const machine = jumpWith(12, METADATA);
    const { value, bytes } = machine.call(call('retrieveSubtree', { name: METADATA }));
    expect([value > 0, bytes]).toEqual([true, 72]);
  });
});

describe('names of blobs', () => {
  const named = (...faults: readonly string[]): readonly number[] => {
    const machine = machineWith(...faults);
    const [one, other] = [preserved(machine, 1), preserved(machine, 2)];
    const added = [
      answers(machine, 'addSubtree', { name: A_AT_1!, pfn: one, value: 1 }),
      answers(machine, 'addSubtree', { name: A!, pfn: other, value: 2 }),
      answers(machine, 'addSubtree', { name: A!, pfn: other, value: 2 }),
    ];
    answers(machine, 'kexecFileLoad');
    answers(machine, 'kexec');
    const found = [A!, A_AT_1!].map((name) => answers(machine, 'retrieveSubtree', { name }));
    return [...added, ...found.map((pfn) => machine.sees.content(pfn))];
  };

  it('are compared as a whole', () => {
    expect(named()).toEqual([0, 0, -17, 2, 1]);
  });

  it('are compared up to the unit address by kernels that deviate', () => {
    expect(named('unit-addresses')).toEqual([0, -17, -17, 1, 1]);
  });
});
