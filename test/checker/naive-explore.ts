/**
 * An exploration that is obviously right and slow: a state is an array of numbers, the set of
 * visited states is a Map of strings. What the engines count is compared with it.
 */
import type { AnyScope, Scope, ScopedCell } from '#model/scopes/scope';

/** A state on a carrier that is one array of numbers. */
export interface Naive {
  readonly state: Readonly<Record<string, unknown>>;
  /** Every cell, one after the other. */
  readonly row: number[];
  /** What stands where in the row, for people to read. */
  readonly labels: readonly string[];
}

const holds = ({ values }: ScopedCell, value: number): boolean =>
  typeof values === 'number'
    ? Number.isInteger(value) && value >= 0 && value <= values
    : values.includes(value);

/** An empty state of a scope. */
export const naiveState = (scope: AnyScope): Naive => {
  const row: number[] = [];
  const labels: string[] = [];
  const state: Record<string, unknown> = { ...scope.constants };
  for (const [name, cell] of Object.entries(scope.cells)) {
    const base = row.length;
    const places =
      cell.kind === 'kernel'
        ? [0]
        : cell.kind === 'frame'
          ? scope.frames
          : Array.from({ length: cell.slots ?? 0 }, (_, slot) => slot);
    for (const place of places) {
      row.push(typeof cell.values === 'number' || cell.values.includes(0) ? 0 : cell.values[0]!);
      labels.push(`${name}[${place}]`);
    }
    const put = (at: number, value: number): void => {
      if (at < 0 && value === 0) return;
      if (at < 0 || !holds(cell, value)) throw new RangeError(`${name} = ${value} at ${at}`);
      row[base + at] = value;
    };
    state[name] =
      cell.kind === 'kernel'
        ? { get: () => row[base], set: (value: number) => put(0, value) }
        : {
            get: (place: number) => {
              const at = places.indexOf(place);
              return at < 0 ? 0 : row[base + at];
            },
            set: (place: number, value: number) => put(places.indexOf(place), value),
          };
  }
  const loops = {
    eachFrame: (visit: (pfn: number) => void) => scope.frames.forEach((pfn) => visit(pfn)),
    someFrame: (test: (pfn: number) => boolean) => scope.frames.some((pfn) => test(pfn)),
    countFrames: (test: (pfn: number) => boolean) => scope.frames.filter((p) => test(p)).length,
  };
  return { state: { ...state, ...loops }, row, labels };
};

/** What an exploration came to. */
export interface Found {
  readonly states: number;
  readonly transitions: number;
  /** Steps of the longest of the shortest traces. */
  readonly depth: number;
  readonly deadlocks: number;
  readonly neverEnabled: readonly string[];
  /** Action and refusal, or action and `ok`, of every transition that was ever enabled. */
  readonly outcomes: ReadonlySet<string>;
  /** The first state in which an invariant is broken, and by what it was reached. */
  readonly violation: { readonly rule: string; readonly trace: readonly string[] } | undefined;
}

/** Explores a scope, breadth first; stops at the first invariant that is broken. */
export const naiveExplore = (any: AnyScope, most = Infinity): Found => {
  const scope = any as unknown as Scope<Naive['state']>;
  const { state, row } = naiveState(any);
  const put = (values: readonly number[]): void => values.forEach((v, i) => (row[i] = v));
  const key = (): string => String.fromCharCode(...row);
  const enabled = new Set<string>();
  const outcomes = new Set<string>();
  const seen = new Map<string, { from: string; by: string }>();
  const traceTo = (last: string): string[] => {
    const step = seen.get(last);
    return step === undefined || step.by === '' ? [] : [...traceTo(step.from), step.by];
  };
  const broken = (): string | undefined =>
    scope.invariants.find(
      ({ frame, whole }) =>
        (frame !== undefined && !scope.frames.every((pfn) => frame(state, pfn))) ||
        (whole !== undefined && !whole(state)),
    )?.id;
  scope.initial(state);
  let level = [[...row]];
  seen.set(key(), { from: '', by: '' });
  let [transitions, depth, deadlocks] = [0, 0, 0];
  let violation: Found['violation'];
  while (level.length > 0 && seen.size < most && violation === undefined) {
    const next: number[][] = [];
    for (const from of level) {
      put(from);
      const fromKey = key();
      const before = transitions;
      for (const { name, shows, enabled: may, effect } of scope.transitions) {
        if (!may(state)) continue;
        enabled.add(name);
        outcomes.add(`${name} ${/ = (-\d+)/.exec(shows)?.[1] ?? 'ok'}`);
        transitions++;
        effect(state);
        const to = key();
        if (!seen.has(to)) {
          seen.set(to, { from: fromKey, by: shows });
          next.push([...row]);
          const rule = broken();
          if (rule !== undefined) violation ??= { rule, trace: traceTo(to) };
        }
        put(from);
      }
      if (transitions === before) deadlocks++;
    }
    if (next.length > 0) depth++;
    level = next;
  }
  const names = new Set(scope.transitions.map(({ name }) => name));
  const neverEnabled = [...names].filter((name) => !enabled.has(name));
  return { states: seen.size, transitions, depth, deadlocks, neverEnabled, outcomes, violation };
};
