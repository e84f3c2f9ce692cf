/**
 * Comparing only what changed: that it leaves nothing out, and counts what comparing all counts.
 *
 * - Rules about a frame look at that frame alone unless they say otherwise, and beside it at cells
 *   that change only when a kernel boots.
 * - The system tells of every frame whose owner or content changed.
 * - A system that tells nothing has everything compared, with the same result.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { machineShapes, tracePlans } from '#model/generators';
import { NEWEST_KERNEL } from '#model/kernels';
import { SUBTREE_NAMES, buildMachine, plainShape } from '#model/machines';
import { STOP, sparseState } from '#model/sparse-carrier';
import type { SparseState } from '#model/sparse-carrier';
import type { Machine, Observables, System } from '#model/system';
import { boots } from '#spec/call';
import { RULES } from '#spec/law';
import type { FrameSightRule, Seen, StateRule } from '#spec/rules';
import { CELLS } from '#spec/state';
import type { State } from '#spec/state';
import { TraceRunner } from '#src/checker/run-trace';
import { Tally } from '#src/checker/tally';
import { buildOf } from '#src/cli/systems';
import { KhoMachine } from '#src/kho/kho-machine';

const machineOf = (machine: Machine): KhoMachine =>
  new KhoMachine(machine, buildOf(NEWEST_KERNEL, []), SUBTREE_NAMES);

const runTraces = (
  make: (machine: Machine) => System,
  traces: number,
  watch?: (state: State) => void,
): Tally => {
  const tally = new Tally();
  const runner = new TraceRunner(make, NEWEST_KERNEL);
  const plans = tracePlans(machineShapes({ nodesMin: 1, nodesMax: 2 }), 60);
  fc.assert(
    fc.property(plans, (plan) => {
      const { violation } = runner.run(plan, tally, (_executed, state) => watch?.(state));
      return violation === undefined;
    }),
    { seed: 11, numRuns: traces },
  );
  return tally;
};

const FRAME_RULES = RULES.filter(
  (rule): rule is StateRule | FrameSightRule =>
    rule.kind === 'state' || (rule.kind === 'sight' && rule.each === 'frame'),
);

/** A state that notes which cells of other frames, and which other cells, are read. */
const noting = (state: State, notes: Set<string>, at: () => number): State => {
  const noted = Object.entries(CELLS).map(([name, { kind }]) => {
    const cell = state[name as keyof typeof CELLS] as { get(at: number): number };
    const get = (place: number): number => {
      if (kind !== 'frame') notes.add(name);
      else if (place !== at()) notes.add('another frame');
      return cell.get(place);
    };
    return [name, { get }];
  });
  return { ...state, ...(Object.fromEntries(noted) as object) };
};

describe('what rules about a frame look at', () => {
  it('is that frame, unless they say so, and what changes only when a kernel boots', () => {
    const notes = new Set<string>();
    const further = new Set<string>();
    let pfn = 0;
    let look: Set<string> = notes;
    const seen = { use: () => 0, content: () => 0 } as unknown as Seen;
    let calls = 0;
    runTraces(machineOf, 2, (state) => {
      if (calls++ % 4 !== 0) return;
      const views = [notes, further].map((set) => noting(state, set, () => pfn));
      state.eachFrame((frame) => {
        pfn = frame;
        for (const rule of FRAME_RULES) {
          const asked = rule.kind === 'state' ? rule : bound(rule, seen);
          if (!asked.when(views[0]!, pfn)) continue;
          look = rule.looksFurther?.(state, pfn) === true ? further : notes;
          asked.holds(views[look === notes ? 0 : 1]!, pfn);
        }
      });
    });
    expect([...notes].sort()).toEqual(['areaCount', 'areaFirst', 'kho']);
    expect(further).toContain('another frame');
  });

  it('beside frames changes only when a kernel boots', () => {
    let before = '';
    let changes = 0;
    const runner = new TraceRunner(machineOf, NEWEST_KERNEL);
    const plans = tracePlans(machineShapes({ nodesMin: 1, nodesMax: 2 }), 60);
    const text = (s: State): string => {
      const slots = Array.from({ length: s.machine.nodes.length + 2 }, (_, slot) => slot);
      return [
        s.kho.get(),
        ...slots.flatMap((i) => [s.areaFirst.get(i), s.areaCount.get(i)]),
      ].join();
    };
    fc.assert(
      fc.property(plans, (plan) => {
        runner.run(plan, new Tally(), ({ call }, state) => {
          const now = text(state);
          if (now !== before) changes++;
          if (now !== before && !boots(call)) throw new Error(`${call.action} changed ${now}`);
          before = now;
        });
      }),
      { seed: 12, numRuns: 4 },
    );
    expect(changes).toBeGreaterThan(2);
  });
});

const bound = (rule: FrameSightRule, seen: Seen): Pick<StateRule, 'when' | 'holds'> => ({
  when: (s, pfn) => rule.when(s, seen, pfn),
  holds: (s, pfn) => rule.holds(s, seen, pfn),
});

/** A system that is checked, at every call, for telling of each frame that shows a change. */
class Checked implements System {
  readonly machine: Machine;
  readonly sees: Observables;
  readonly #system: System;
  readonly #shown: Float64Array;
  #ranges: [number, number][] = [];
  #known = false;

  constructor(machine: Machine) {
    this.machine = machine;
    this.#system = machineOf(machine);
    this.#shown = new Float64Array(machine.end);
    this.sees = { ...this.#system.sees, touched: (visit) => this.#tell(visit) };
  }

  #tell(visit: (first: number, count: number) => void): boolean {
    const known = this.#known;
    for (const [first, count] of known ? this.#ranges : []) visit(first, count);
    this.#ranges = [];
    this.#known = true;
    return known;
  }

  call(call: Parameters<System['call']>[0]): ReturnType<System['call']> {
    const answer = this.#system.call(call);
    const told = new Set<number>();
    const known = this.#system.sees.touched!((first, count) => {
      this.#ranges.push([first, count]);
      for (let pfn = first; pfn < first + count; pfn++) told.add(pfn);
    });
    this.#known &&= known;
    const { sees } = this.#system;
    for (let pfn = 0; pfn < this.machine.end; pfn++) {
      const shows = sees.use(pfn) * 2 ** 33 + sees.content(pfn);
      if (known && shows !== this.#shown[pfn] && !told.has(pfn)) {
        throw new Error(`${call.action}: frame ${pfn} changed, and nobody was told`);
      }
      this.#shown[pfn] = shows;
    }
    return answer;
  }
}

describe('what the system tells of', () => {
  it('is every frame whose owner or content changed', () => {
    const runner = new TraceRunner((machine) => new Checked(machine), NEWEST_KERNEL);
    const shapes = machineShapes({ nodesMin: 1, nodesMax: 1 });
    fc.assert(
      fc.property(tracePlans(shapes, 40), (plan) => {
        return runner.run(plan, new Tally()).violation === undefined;
      }),
      { seed: 13, numRuns: 3 },
    );
  });

  it('makes no difference to what is found and counted', () => {
    const silent = (machine: Machine): System => {
      const system = machineOf(machine);
      const sees: Observables = { ...system.sees };
      delete sees.touched;
      delete sees.typesChanged;
      return { machine, sees, call: (call) => system.call(call) };
    };
    const told = runTraces(machineOf, 3);
    const untold = runTraces(silent, 3);
    expect(told.rules).toEqual(untold.rules);
    expect(told.outcomes).toEqual(untold.outcomes);
    expect(told.comparisons).toBe(untold.comparisons);
  });
});

describe('the book of changes', () => {
  const state = (): SparseState => sparseState(buildMachine(plainShape()));
  const visited = (s: SparseState, watch = 0, all = false): number[][] => {
    const visits: number[][] = [];
    const frame = (pfn: number, isOccupied: boolean, changed: boolean, note: number): number => {
      visits.push([pfn, Number(isOccupied), Number(changed), note]);
      return isOccupied ? pfn % 4 : 0;
    };
    s.changes.visit({ frame }, watch, all);
    return visits;
  };

  it('has what changed once, what is watched every time, and all when asked', () => {
    const s = state();
    for (const pfn of [3, 1026, 40]) s.use.set(pfn, 1);
    expect(visited(s)).toEqual([3, 40, 1026].map((pfn) => [pfn, 1, 1, 0]));
    expect(visited(s)).toEqual([]);
    s.use.set(40, 0);
    s.use.set(3, 1);
    expect(visited(s)).toEqual([[40, 0, 1, 0]]);
    expect(visited(s, 2, true)).toEqual([
      [3, 1, 1, 3],
      [1026, 1, 1, 2],
    ]);
    expect(visited(s, 2)).toEqual([
      [3, 1, 0, 3],
      [1026, 1, 0, 2],
    ]);
  });

  it('has frames that somebody else touched, where there are chunks', () => {
    const s = state();
    s.use.set(31, 1);
    visited(s);
    s.changes.touch(30, 35);
    expect(visited(s).map(([pfn]) => pfn)).toEqual(Array.from({ length: 35 }, (_, i) => 30 + i));
    s.changes.touch(4096, 8);
    expect(visited(s)).toEqual([]);
  });

  it('keeps what a visit did not reach', () => {
    const s = state();
    for (const pfn of [3, 40]) s.use.set(pfn, 1);
    s.changes.visit({ frame: () => STOP }, 0, false);
    expect(visited(s).map(([pfn]) => pfn)).toEqual([3, 40]);
    s.clear();
    expect(visited(s)).toEqual([]);
  });
});
