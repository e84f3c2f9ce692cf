/**
 * One law, two carriers: random traces of every named scope, taken on the sparse carrier of
 * lockstep, on the packed rows of exploration and on an array, agree at every step.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LAW_SCOPES } from '#model/scopes/law-scopes';
import { lawScope } from '#model/scopes/law-scope';
import type { AnyScope, Scope } from '#model/scopes/scope';
import { sparseState } from '#model/sparse-carrier';
import { carrierOf, initialRow } from '#src/checker/explore/carrier';
import { layoutOf } from '#src/checker/explore/layout';
import type { State } from '#spec/state';
import { naiveState } from './naive-explore.ts';

/** Every cell that a scope lists, by name and place. */
const picture = (scope: Scope<State>, s: State): string => {
  const cells: string[] = [];
  for (const [name, { kind, slots = 0 }] of Object.entries(scope.cells)) {
    const cell = s[name as keyof State] as unknown as { get: (place?: number) => number };
    const places =
      kind === 'frame'
        ? scope.frames
        : Array.from({ length: kind === 'slot' ? slots : 1 }, (_, i) => i);
    cells.push(`${name}: ${places.map((place) => cell.get(place)).join(' ')}`);
  }
  return cells.join('\n');
};

/** The scope on each carrier, in its initial state. */
const carriers = (scope: Scope<State>): readonly State[] => {
  const any = scope as unknown as AnyScope;
  const layout = layoutOf(any);
  const packed = carrierOf(any, layout);
  packed.row.set(initialRow(any, layout));
  const { machine } = scope.constants as { machine: State['machine'] };
  const sparse: State = sparseState(machine);
  const naive = naiveState(any).state as unknown as State;
  for (const s of [sparse, naive]) scope.initial(s);
  return [sparse, packed.state, naive];
};

describe('the sparse and the packed carrier', () => {
  it.each(LAW_SCOPES)('agree at every step of random traces of $name', (chosen) => {
    const scope = lawScope(chosen);
    const choices = fc.array(fc.nat(1_000_000), { minLength: 5, maxLength: 25 });
    let steps = 0;
    const trace = (picks: readonly number[]): void => {
      const [sparse, ...others] = carriers(scope);
      for (const pick of picks) {
        const enabled = scope.transitions.map(({ enabled: may }) => may(sparse!));
        for (const s of others) {
          const same = scope.transitions.every(({ enabled: may }, i) => may(s) === enabled[i]);
          expect(same).toBe(true);
        }
        const may = scope.transitions.filter((_, i) => enabled[i]);
        const taken = may[pick % may.length];
        if (taken === undefined) return;
        steps++;
        for (const s of [sparse!, ...others]) taken.effect(s);
        const expected = picture(scope, sparse!);
        for (const s of others) {
          expect(picture(scope, s)).toBe(expected);
          for (const { frame } of scope.invariants) {
            expect(scope.frames.every((pfn) => frame?.(s, pfn) ?? true)).toBe(true);
          }
        }
      }
    };
    fc.assert(fc.property(choices, trace), { numRuns: 6, seed: 4 });
    expect(steps).toBeGreaterThan(20);
  });
});
