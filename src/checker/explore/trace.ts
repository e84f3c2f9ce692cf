/**
 * From the rows of a search back to a trace that a person can follow.
 *
 * With symmetry a row stands for its orbit. The trace begins in the initial state itself, and every
 * step is one whose canonical form is the next row: so each frame keeps its number throughout.
 */
import type { AnyScope } from '#model/scopes/scope';
import { carrierOf, initialRow } from './carrier.ts';
import { laneAt, laneMask } from './layout.ts';
import type { Layout } from './layout.ts';
import { laneClasses, sortBlocks } from './symmetry.ts';

/** A step of a counterexample: what happened, by the action's name and as the scope shows it. */
export interface TraceStep {
  readonly action: string;
  readonly shows: string;
}

/** Why a search ended early, with the shortest way there. */
export interface Violation {
  readonly rule: string;
  readonly says: string;
  readonly steps: readonly TraceStep[];
}

/** Brings rows of a scope into canonical form, in place. */
export const canonicalizer = (scope: AnyScope, layout: Layout): ((row: Int32Array) => void) => {
  const classes = laneClasses(scope, layout);
  const lanes = new Int32Array(layout.frames.length);
  const mask = laneMask(layout);
  return (row) => {
    if (classes.length === 0) return;
    for (let p = 0; p < lanes.length; p++) {
      const { word, shift } = laneAt(layout, p);
      lanes[p] = (row[word]! >>> shift) & mask;
    }
    for (const blocks of classes) sortBlocks(lanes, blocks);
    row.fill(0, 0, layout.laneWords);
    for (let p = 0; p < lanes.length; p++) {
      const { word, shift } = laneAt(layout, p);
      row[word]! |= lanes[p]! << shift;
    }
  };
};

const isSame = (a: ArrayLike<number>, b: ArrayLike<number>): boolean => {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
};

/** The steps that lead along these rows, the first of which is the initial state's. */
export const stepsAlong = (
  scope: AnyScope,
  layout: Layout,
  rows: readonly ArrayLike<number>[],
  symmetry: boolean,
): readonly TraceStep[] => {
  const canonical = symmetry ? canonicalizer(scope, layout) : () => {};
  const { row, state } = carrierOf(scope, layout);
  let here = initialRow(scope, layout);
  return rows.slice(1).map((next) => {
    const wanted = Int32Array.from(next);
    canonical(wanted);
    for (const { name, shows, enabled, effect } of scope.transitions) {
      row.set(here);
      if (!enabled(state)) continue;
      effect(state);
      const reached = row.slice();
      canonical(row);
      if (!isSame(row, wanted)) continue;
      here = reached;
      return { action: name, shows };
    }
    throw new Error(`scope ${scope.name}: no transition leads to the next row of a trace`);
  });
};
