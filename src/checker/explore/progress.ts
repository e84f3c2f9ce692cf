/**
 * How far a search has come, and what it answers. Both are plain values.
 *
 * Ids are numbered as states are found. `todo` lists those of the level at hand that were not
 * expanded yet, `next` those found for the level after it; both as pairs of first id and end.
 */
import type { AnyScope } from '#model/scopes/scope';
import type { Memory } from './emit.ts';
import type { Layout } from './layout.ts';
import type { Violation } from './trace.ts';

export interface Progress {
  todo: number[];
  next: number[];
  /** Distance from the initial state of the level at hand. */
  depth: number;
  states: number;
  /** All ids in use are below it; a search by several workers leaves a few unused. */
  idEnd: number;
  /** Ids below `idEnd` that stand for no state; pairs. */
  holes: number[];
  transitions: number;
  deadlocks: number;
  /** Whether each transition was ever enabled. */
  fired: Uint8Array;
}

export const initialProgress = (scope: AnyScope): Progress => ({
  todo: [0, 1],
  next: [],
  depth: 0,
  states: 1,
  idEnd: 1,
  holes: [],
  transitions: 0,
  deadlocks: 0,
  fired: new Uint8Array(scope.transitions.length),
});

export interface ExploreOptions {
  readonly symmetry: boolean;
  readonly workers: number;
  /** Bytes that rows, parents and hash slots may take; unlimited when absent. */
  readonly memoryLimit?: number | undefined;
  /** Milliseconds; unlimited when absent. */
  readonly timeLimit?: number | undefined;
  /** State rules on every transition, or once per new state. */
  readonly everyTransition: boolean;
  readonly onProgress?: ((progress: Readonly<Progress>) => void) | undefined;
  /** A search that was stopped, to go on with. */
  readonly resume?: Stopped | undefined;
}

/** A search that did not end: what a checkpoint holds. */
export interface Stopped {
  readonly progress: Progress;
  readonly rows: Int32Array;
  readonly parents: Int32Array;
}

/** What an exploration found out. */
export interface Exploration {
  readonly scope: string;
  readonly states: number;
  readonly transitions: number;
  /** Largest distance from the initial state. */
  readonly depth: number;
  readonly complete: boolean;
  readonly stopped: null | 'memory' | 'time';
  readonly symmetry: boolean;
  readonly workers: number;
  /** The search alone. */
  readonly milliseconds: number;
  /** CPU time of the search alone, all threads. */
  readonly cpuMilliseconds: number;
  readonly setupMilliseconds: number;
  /** Rows, parents and hash slots at the end, divided by the states found. */
  readonly bytesPerState: number;
  readonly deadlocks: number;
  /** Names of actions that were enabled in no state that was expanded. */
  readonly neverEnabled: readonly string[];
  readonly violation: Violation | null;
}

/** How a search ended. */
export interface Ending {
  readonly stopped: null | 'memory' | 'time';
  readonly memory: Memory;
  readonly progress: Progress;
  /** Id whose successor broke a rule, and that successor; -1 when nothing broke. */
  readonly brokenParent: number;
  readonly broken: Int32Array;
  readonly setupMilliseconds: number;
}

/** States that an engine makes room for at first. */
export const capacityHint = (scope: AnyScope, symmetry: boolean): number => {
  const expected = symmetry ? scope.expectedSymmetric : scope.expected;
  return (expected?.states ?? 1 << 12) + 2 * scope.transitions.length + 64;
};

export const neverEnabled = (scope: AnyScope, fired: Uint8Array): readonly string[] => {
  const names = new Set(scope.transitions.map(({ name }) => name));
  scope.transitions.forEach(({ name }, i) => {
    if (fired[i] === 1) names.delete(name);
  });
  return [...names];
};

/** Rows from the initial state to an id, by its parents. */
export const rowsTo = (memory: Memory, layout: Layout, id: number): Int32Array[] => {
  const rows: Int32Array[] = [];
  for (let at = id; ; at = memory.parents[at]!) {
    rows.push(memory.rows.slice(at * layout.words, (at + 1) * layout.words));
    if (at === 0) return rows.reverse();
  }
};

/** Pairs of first id and end, without those that are empty. */
export const nonEmpty = (pairs: readonly number[]): number[] => {
  const kept: number[] = [];
  for (let i = 0; i < pairs.length; i += 2) {
    if (pairs[i]! < pairs[i + 1]!) kept.push(pairs[i]!, pairs[i + 1]!);
  }
  return kept;
};
