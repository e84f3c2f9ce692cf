/** The closures of the law do the same on the packed carrier and on the sparse one. */
import { describe, expect, it } from 'vitest';
import { carrierOf, initialRow } from '#src/checker/explore/carrier';
import { layoutOf } from '#src/checker/explore/layout';
import { lawScope } from '#model/scopes/law-scope';
import { LAW_SCOPES } from '#model/scopes/law-scopes';
import { sparseState } from '#model/sparse-carrier';
import type { CELLS, State } from '#spec/state';
import type { Scope } from '#model/scopes/scope';

const TRACES = 2;
const STEPS = 20;

/** Numbers below n, the same ones in every run. */
const randomFrom = (seed: number): ((n: number) => number) => {
  let x = seed;
  return (n) => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return (x >>> 0) % n;
  };
};

/** Every cell of a state, by name and place. */
const cellsOf = (scope: Scope<State>, s: State): Record<string, readonly number[]> =>
  Object.fromEntries(
    Object.entries(scope.cells).map(([name, { kind, slots = 0 }]) => {
      const cell = s[name as keyof typeof CELLS] as { get(at?: number): number };
      if (kind === 'kernel') return [name, [cell.get()]];
      const places = kind === 'frame' ? scope.frames : Array.from({ length: slots }, (_, i) => i);
      return [name, places.map((place) => cell.get(place))];
    }),
  );

const compare = (scope: Scope<State>, seed: number): number => {
  const layout = layoutOf(scope);
  const { row, state } = carrierOf(scope, layout);
  const packed = state as State;
  const sparse = sparseState(packed.machine);
  const random = randomFrom(seed);
  let made = 0;
  for (let trace = 0; trace < TRACES; trace++) {
    row.set(initialRow(scope, layout));
    sparse.clear();
    scope.initial(sparse);
    for (let i = 0; i < STEPS; i++) {
      const enabled = scope.transitions.filter((each) => each.enabled(packed));
      const alike = scope.transitions.filter((each) => each.enabled(sparse));
      expect(enabled.map(({ shows }) => shows)).toEqual(alike.map(({ shows }) => shows));
      const chosen = enabled[random(Math.max(1, enabled.length))];
      if (chosen === undefined) break;
      chosen.effect(packed);
      chosen.effect(sparse);
      made++;
      expect(cellsOf(scope, packed), chosen.shows).toEqual(cellsOf(scope, sparse));
      for (const { frame } of scope.invariants) {
        for (const pfn of scope.frames) {
          expect(frame?.(packed, pfn)).toBe(frame?.(sparse, pfn));
        }
      }
    }
  }
  return made;
};

describe('packed and sparse carriers agree on random traces of', () => {
  it.each(['movability', 'preservation', 'restore', 'chain3'])('%s', (name) => {
    const chosen = LAW_SCOPES.find((each) => each.name === name);
    expect(chosen).toBeDefined();
    expect(compare(lawScope(chosen!), 7)).toBeGreaterThan(TRACES * 5);
  });
});
