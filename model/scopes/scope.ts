/**
 * What a scope is: a law, cut down until every one of its states can be visited.
 *
 * A scope names the frames that exist, how many values each declared cell may hold, the state it
 * begins in, every transition that is tried, and the rules that are judged. Its closures are those
 * of the law, or thin wrappers around them; engines run them on carriers of their own, and nothing
 * else about a scope tells an engine which law it is.
 *
 * Invariants that engines rely on:
 * - closures are pure functions of the cells: they keep nothing, and read and write through `s`;
 * - `enabled` and rules write nothing; `effect` is only called where `enabled` holds;
 * - a frame that is not listed is empty for ever, and a cell never leaves its declared values;
 *   an engine stops with an error that names the cell where one does;
 * - an effect leaves an empty frame that it does not name empty (see spec/algebra/cells.ts).
 */
import type { Declaration, Scope as Bounds } from '#spec/algebra/cells';

/** The values of a cell: 0 to a largest one, or exactly those listed (one value costs no bits). */
export type Values = number | readonly number[];

/** A cell as it is in one scope. Values of a frame cell include 0. */
export interface ScopedCell {
  readonly kind: 'frame' | 'slot' | 'kernel';
  readonly values: Values;
  /** Number of slots, for slot cells. */
  readonly slots?: number;
}

/** One transition, its arguments and its answer fixed: one call that got one answer. */
export interface Transition<S> {
  /** The action's name; whether it is ever enabled is reported by this name. */
  readonly name: string;
  /** The call as a trace shows it, with what it answered. */
  readonly shows: string;
  /** Whether it is made and accepted here. */
  readonly enabled: (s: S) => boolean;
  readonly effect: (s: S) => void;
}

/** An invariant: of every listed frame (`frame`), or of the state as a whole (`whole`). */
export interface Invariant<S> {
  readonly id: string;
  readonly says: string;
  readonly frame?: (s: S, pfn: number) => boolean;
  readonly whole?: (s: S) => boolean;
}

/**
 * A rule about a transition: the state before and the state after, for every frame that it changed;
 * for every listed frame when it changed a slot or kernel cell. It reads that frame, slots and
 * kernel cells alone.
 */
export interface StepRule<S> {
  readonly id: string;
  readonly says: string;
  readonly frame: (before: S, after: S, pfn: number) => boolean;
}

/**
 * Blocks of frames that may be exchanged with one another as wholes, all of the same length; a
 * block of one frame is that frame. Classes are declared from the inside out: a class whose blocks
 * are nodes comes after the classes of the frames within each node.
 */
export type SymmetryClass = readonly (readonly number[])[];

/** What a complete exploration must come to. */
export interface Expected {
  readonly states: number;
  readonly transitions: number;
}

export interface Scope<S> {
  readonly name: string;
  /** One sentence: what this scope is for. */
  readonly says: string;
  /** Chapters of the law that it exercises, by title. */
  readonly chapters: readonly string[];
  /** Frames that may hold something, ascending. */
  readonly frames: readonly number[];
  readonly cells: Readonly<Record<string, ScopedCell>>;
  /** What `s` has beside cells and loops, such as `machine`. */
  readonly constants?: Readonly<Record<string, unknown>>;
  /** Makes the initial state of one whose cells are all 0 (or their only value). */
  readonly initial: (s: S) => void;
  readonly transitions: readonly Transition<S>[];
  readonly invariants: readonly Invariant<S>[];
  readonly stepRules?: readonly StepRule<S>[];
  /** No class: no symmetry is declared. */
  readonly symmetry?: readonly SymmetryClass[];
  /** Exact counts of the plain exploration; also the capacity that engines begin with. */
  readonly expected?: Expected;
  /** Exact counts with symmetry. */
  readonly expectedSymmetric?: Expected;
}

/** A scope of whatever law. */
export type AnyScope = Scope<never>;

/**
 * The cells of a table of declarations within bounds. `narrowed` replaces the values of some cells
 * by fewer: what is known never to be reached need not be counted.
 */
export const scopedCells = (
  table: Readonly<Record<string, Declaration<'frame' | 'slot' | 'kernel'>>>,
  bounds: Bounds,
  narrowed: Readonly<Record<string, Values>> = {},
): Readonly<Record<string, ScopedCell>> =>
  Object.fromEntries(
    Object.entries(table).map(([name, { kind, max, slots }]) => {
      const values = narrowed[name] ?? max(bounds);
      return [
        name,
        slots === undefined ? { kind, values } : { kind, values, slots: slots(bounds) },
      ];
    }),
  );
