/** The sparse carrier is what a plain map would be; and the law never fills a frame unnamed. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CallAnswer, RangeList } from '#model/call';
import { buildMachine, plainShape } from '#model/machines';
import { sparseState } from '#model/sparse-carrier';
import type { SparseState } from '#model/sparse-carrier';
import { ACTIONS } from '#spec/call';
import type { Call } from '#spec/call';
import { ACTION } from '#spec/law';
import type { State } from '#spec/state';
import { FRAME_CELLS, naiveState } from './naive-carrier.ts';
import type { FrameCell } from './naive-carrier.ts';

const LAST = 2 ** 32 - 1;
const MACHINE = { ...buildMachine(plainShape()), end: LAST + 1 };
const MAX: Readonly<Record<FrameCell, number>> = { use: 5, block: 12, kept: LAST, content: LAST };

/** Frames where words, chunks and 31-bit numbers end; close together, so that they meet. */
const pfn = fc.oneof(
  fc.constantFrom(0, 1, 30, 31, 32, 1023, 1024, 1025, 2 ** 31 - 1, 2 ** 31, LAST - 1024, LAST),
  fc.nat(200),
  fc.integer({ min: 0, max: LAST }),
);

const setting = fc.constantFrom(...FRAME_CELLS).chain((cell) =>
  fc.record({
    cell: fc.constant(cell),
    pfn,
    value: fc.oneof(fc.constant(0), fc.constant(MAX[cell]), fc.integer({ min: 1, max: 5 })),
  }),
);
type Setting = typeof setting extends fc.Arbitrary<infer T> ? T : never;

const apply = (s: State, settings: readonly Setting[]): void => {
  for (const { cell, pfn: at, value } of settings) s[cell].set(at, value);
};

const framesOf = (s: State): number[] => {
  const frames: number[] = [];
  s.eachFrame((at) => frames.push(at));
  return frames;
};

const cellsAt = (s: State, at: number): number[] => FRAME_CELLS.map((cell) => s[cell].get(at));

const isAscending = (values: readonly number[]): boolean =>
  values.every((value, i) => i === 0 || values[i - 1]! < value);

describe('the sparse carrier', () => {
  it('gives back what was set, and visits the frames that are not empty, ascending', () => {
    const sparse = sparseState(MACHINE);
    const property = fc.property(fc.array(setting, { maxLength: 60 }), pfn, (settings, other) => {
      sparse.clear();
      const naive = naiveState(MACHINE);
      apply(sparse, settings);
      apply(naive, settings);
      for (const at of [other, ...settings.map((each) => each.pfn)]) {
        expect(cellsAt(sparse, at)).toEqual(cellsAt(naive, at));
      }
      expect(framesOf(sparse)).toEqual(naive.filled());
    });
    fc.assert(property, { numRuns: 400 });
  });

  it('stops at the first frame that fits, and counts those that fit', () => {
    const property = fc.property(fc.array(setting, { maxLength: 30 }), pfn, (settings, from) => {
      const sparse = sparseState(MACHINE);
      apply(sparse, settings);
      const fitting = framesOf(sparse).filter((at) => at >= from);
      const asked: number[] = [];
      const some = sparse.someFrame((at) => asked.push(at) > 0 && at >= from);
      expect(some).toBe(fitting.length > 0);
      if (some) expect(asked.at(-1)).toBe(fitting[0]);
      expect(sparse.countFrames((at) => at >= from)).toBe(fitting.length);
    });
    fc.assert(property, { numRuns: 200 });
  });

  it('bears sets during a loop: what stays filled is visited once, what is empty never', () => {
    const during = fc.array(fc.array(setting, { maxLength: 3 }), { maxLength: 8 });
    const property = fc.property(fc.array(setting, { maxLength: 30 }), during, (before, sets) => {
      const sparse = sparseState(MACHINE);
      apply(sparse, before);
      const filled = framesOf(sparse);
      const visited: number[] = [];
      const emptied = new Set<number>();
      sparse.eachFrame((at) => {
        expect(cellsAt(sparse, at)).not.toEqual([0, 0, 0, 0]);
        visited.push(at);
        apply(sparse, sets[visited.length] ?? []);
        for (const each of filled) {
          if (cellsAt(sparse, each).every((value) => value === 0)) emptied.add(each);
        }
      });
      expect(isAscending(visited)).toBe(true);
      for (const at of filled) if (!emptied.has(at)) expect(visited).toContain(at);
      const after = framesOf(sparse);
      expect(isAscending(after)).toBe(true);
      const naive = naiveState(MACHINE);
      apply(naive, [...before, ...sets.slice(1, visited.length + 1).flat()]);
      expect(after).toEqual(naive.filled());
    });
    fc.assert(property, { numRuns: 300 });
  });

  it('has nothing beyond the last frame that there can be, and takes nothing there', () => {
    const sparse = sparseState(MACHINE);
    for (const frame of [0, 5, LAST]) sparse.content.set(frame, 1);
    for (const beyond of [LAST + 1, LAST + 6, 2 ** 40]) {
      expect(cellsAt(sparse, beyond)).toEqual([0, 0, 0, 0]);
      sparse.use.set(beyond, 0);
      expect(() => sparse.use.set(beyond, 1)).toThrow(RangeError);
    }
    expect(framesOf(sparse)).toEqual([0, 5, LAST]);
  });

  it('forgets everything when it is cleared, slots and kernel cells too', () => {
    const sparse = sparseState(MACHINE);
    for (let round = 0; round < 3; round++) {
      expect(framesOf(sparse)).toEqual([]);
      expect([sparse.outFrame.get(3), sparse.areaFirst.get(1), sparse.kexecs.get()]).toEqual([
        0, 0, 0,
      ]);
      for (const at of [5, 5000, LAST]) {
        expect(cellsAt(sparse, at)).toEqual([0, 0, 0, 0]);
        sparse.content.set(at, LAST);
      }
      sparse.outFrame.set(3, LAST);
      sparse.areaFirst.set(1, LAST);
      sparse.kexecs.set(7);
      expect(framesOf(sparse)).toEqual([5, 5000, LAST]);
      sparse.clear();
    }
  });
});

/** A small machine, so that a loop over all frames, empty or not, is cheap. */
const SMALL = {
  ...buildMachine({
    pageShift: 12,
    nodes: [40, 88],
    scratch: { lowmem: 8, global: 8, perNode: 8 },
  }),
  nameBytes: [14, 3, 5],
};
const FRAMES = 128;

const at = fc.nat(FRAMES / 2 - 1);
const ranges = fc.array(fc.tuple(at, fc.integer({ min: 1, max: 5 })), { maxLength: 2 });

const answer = fc
  .record({
    value: fc.oneof(fc.constantFrom(-22, -12, 0, 0, 1, 1), fc.integer({ min: 2, max: 4 })),
    taken: ranges,
    given: ranges,
    early: ranges,
    areas: ranges,
    fdt: at,
    metadata: at,
  })
  .map(({ value, fdt, metadata, ...lists }) => {
    const made = new CallAnswer();
    made.reset(value);
    Object.assign(made, { fdt, metadata });
    for (const [name, list] of Object.entries(lists)) {
      const target = made[name as keyof typeof lists];
      for (const [first, count] of list) target.add(first, count);
    }
    return made;
  });

const anyCall: fc.Arbitrary<Call> = fc.record({
  action: fc.constantFrom(...ACTIONS),
  pfn: at,
  count: fc.integer({ min: 1, max: 9 }),
  order: fc.nat(4),
  node: fc.constant(-1),
  name: fc.nat(2),
  value: fc.integer({ min: 0, max: 3 }),
  fails: fc.constant(0),
});

/** Frames that a call and its answer name, and those of blocks that are preserved. */
const namedBy = (s: State, call: Call, { value, ...said }: CallAnswer): Set<number> => {
  const named = new Set([said.fdt, said.metadata]);
  const add = (first: number, count: number): void => {
    for (let i = 0; i < count; i++) named.add(first + i);
  };
  add(call.pfn, Math.max(call.count, 2 ** call.order));
  if (value >= 0) {
    add(value, 2 ** call.order);
    add(call.pfn, 2 ** value);
  }
  for (const list of Object.values(said)) {
    if (!(list instanceof RangeList)) continue;
    for (let i = 0; i < list.length; i++) add(list.first(i), list.count(i));
  }
  s.eachFrame((head) => {
    for (let order = 0; order < 8; order++) {
      if ((s.kept.get(head) >>> order) & 1) add(head, 2 ** order);
    }
  });
  return named;
};

/** Every cell of a state, to compare states by. */
const picture = (s: State): unknown => [
  Array.from({ length: FRAMES }, (_, frame) => cellsAt(s, frame)),
  [0, 1, 2].map((name) => [s.outFrame, s.outBytes, s.inFrame, s.inBytes].map((c) => c.get(name))),
  [0, 1, 2, 3].map((area) => [s.areaFirst.get(area), s.areaCount.get(area)]),
  [s.loaded.get(), s.revived.get(), s.kexecs.get(), s.fdt.get()],
];

describe('every action of the law', () => {
  const steps = fc.array(fc.tuple(anyCall, answer), { minLength: 1, maxLength: 25 });

  it('leaves a frame empty that nobody named', () => {
    const sparse: SparseState = sparseState(SMALL);
    const property = fc.property(steps, (taken) => {
      sparse.clear();
      for (const [call, said] of taken) {
        const before = new Set(framesOf(sparse));
        const named = namedBy(sparse, call, said);
        ACTION[call.action].effect(sparse, call, said);
        const filled = framesOf(sparse).filter((frame) => !before.has(frame) && !named.has(frame));
        expect([call.action, filled]).toEqual([call.action, []]);
      }
    });
    fc.assert(property, { numRuns: 300 });
  });

  it('does the same whether loops skip empty frames or visit every one', () => {
    const property = fc.property(steps, (taken) => {
      const states = [sparseState(SMALL), naiveState(SMALL), naiveState(SMALL, FRAMES)] as const;
      for (const [call, said] of taken) {
        for (const s of states) ACTION[call.action].effect(s, call, said);
      }
      const [sparse, ...others] = states.map(picture);
      for (const other of others) expect(other).toEqual(sparse);
    });
    fc.assert(property, { numRuns: 150 });
  });
});
