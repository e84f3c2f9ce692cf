/**
 * The plain engine: closures of a scope on accessors, states as keys of a set. Nothing is
 * tabulated, proven or emitted; every engine must come to its counts.
 */
import type { AnyScope } from '#model/scopes/scope';
import { carrierOf, initialRow } from './carrier.ts';
import type { Carrier } from './carrier.ts';
import { laneAt, laneMask, layoutOf } from './layout.ts';
import type { Layout } from './layout.ts';
import { laneClasses, orbitSize } from './symmetry.ts';
import { canonicalizer } from './trace.ts';

export interface PlainCounts {
  readonly states: number;
  readonly transitions: number;
  readonly depth: number;
  readonly deadlocks: number;
  readonly neverEnabled: readonly string[];
  /** States and transitions that those found stand for; without symmetry these are the same. */
  readonly concreteStates: number;
  readonly concreteTransitions: number;
  /** Id of the first rule that broke, and after how many steps. */
  readonly broken: string | undefined;
  readonly brokenDepth: number;
}

/** A state and the one before it, on carriers, with the rules that look at them. */
class Pair {
  readonly here: Carrier;
  readonly before: Carrier;
  private readonly scope: AnyScope;
  private readonly layout: Layout;

  constructor(scope: AnyScope, layout: Layout) {
    this.scope = scope;
    this.layout = layout;
    this.here = carrierOf(scope, layout);
    this.before = carrierOf(scope, layout);
  }

  lanes(of: Int32Array): Int32Array {
    return Int32Array.from(this.layout.frames, (_, p) => {
      const { word, shift } = laneAt(this.layout, p);
      return (of[word]! >>> shift) & laneMask(this.layout);
    });
  }

  brokenHere(): string | undefined {
    const { state } = this.here;
    return this.scope.invariants.find(
      ({ frame, whole }) =>
        (whole !== undefined && !whole(state)) ||
        (frame !== undefined && !this.layout.frames.every((pfn) => frame(state, pfn))),
    )?.id;
  }

  brokenBetween(): string | undefined {
    const { scope, layout, here, before } = this;
    if (scope.stepRules === undefined) return undefined;
    const [from, to] = [this.lanes(before.row), this.lanes(here.row)];
    const globals = here.row.subarray(layout.laneWords);
    const all = globals.some((value, w) => value !== before.row[layout.laneWords + w]);
    return scope.stepRules.find((rule) =>
      layout.frames.some(
        (pfn, p) => (all || from[p] !== to[p]) && !rule.frame(before.state, here.state, pfn),
      ),
    )?.id;
  }
}

/** Explores a scope the plain way; stops at the first rule that breaks. */
export const explorePlainly = (scope: AnyScope, symmetry: boolean): PlainCounts => {
  const layout = layoutOf(scope);
  const canonical = symmetry ? canonicalizer(scope, layout) : () => {};
  const classes = symmetry ? laneClasses(scope, layout) : [];
  const pair = new Pair(scope, layout);
  const { row, state } = pair.here;
  const seen = new Set<string>();
  const never = new Set(scope.transitions.map(({ name }) => name));
  const counts = { transitions: 0, deadlocks: 0, concreteStates: 0, concreteTransitions: 0 };
  let [level, depth, brokenDepth] = [[] as Int32Array[], 0, -1];
  const enter = (into: Int32Array[]): void => {
    canonical(row);
    const key = row.join();
    if (seen.has(key)) return;
    seen.add(key);
    into.push(row.slice());
  };
  row.set(initialRow(scope, layout));
  let broken = pair.brokenHere();
  enter(level);
  const expand = (from: Int32Array, next: Int32Array[]): number => {
    let enabled = 0;
    for (const transition of scope.transitions) {
      row.set(from);
      if (!transition.enabled(state)) continue;
      enabled++;
      never.delete(transition.name);
      pair.before.row.set(from);
      transition.effect(state);
      broken ??= pair.brokenHere() ?? pair.brokenBetween();
      enter(next);
    }
    return enabled;
  };
  while (level.length > 0 && broken === undefined) {
    const next: Int32Array[] = [];
    for (const from of level) {
      const enabled = expand(from, next);
      const orbit = orbitSize(pair.lanes(from), classes);
      counts.transitions += enabled;
      counts.concreteStates += orbit;
      counts.concreteTransitions += orbit * enabled;
      if (enabled === 0) counts.deadlocks++;
      if (broken === undefined) continue;
      brokenDepth = depth + 1;
      break;
    }
    level = next;
    if (level.length > 0) depth++;
  }
  const neverEnabled = [...never];
  return { ...counts, states: seen.size, depth, neverEnabled, broken, brokenDepth };
};
