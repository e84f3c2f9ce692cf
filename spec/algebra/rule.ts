/**
 * What a rule is.
 *
 * A rule says one thing that KHO promises, in our own words, and names where the promise comes
 * from. It is a pure predicate: it reads, it never writes, it never keeps anything. The sentence,
 * the source and the words of a failure stand beside the predicate and are read only when it fails.
 *
 * Four kinds of rule differ in what they look at, and when:
 *
 * - `answer`: a state, a call and the answer it got; asked at every call;
 * - `state`: one frame of a state; asked of what a call touched, and of all frames at every kexec;
 * - `sight`: a state and what an observer saw of a system; asked alike;
 * - `handover`: one decoded handover without any state; asked at every kexec, and by `inspect`.
 *
 * Every rule has a premise (`when`); a rule whose premise was never met was never exercised, and
 * says nothing. Ids are never reused and never renumbered.
 */
import type { Generation } from '../generations.ts';

/** Where a promise can be read: a document and its section, or a kernel file and a symbol in it. */
export type Source =
  | { readonly document: string; readonly section: string }
  | { readonly file: string; readonly symbol: string };

/**
 * How strong the promise is.
 *
 * - `promised`: a document of the kernel says so;
 * - `observed`: the code does so, no document says it;
 * - `assumed`: ours, needed to close a gap; a note in `spec/decisions` says why.
 */
export type Strength = 'promised' | 'observed' | 'assumed';

/** The part of a rule that people read. */
export interface RuleText {
  /** `XXX-NN`: chapter and number, never reused. */
  readonly id: string;
  /** The rule as one sentence of ours. */
  readonly says: string;
  readonly sources: readonly Source[];
  readonly strength: Strength;
  /** First generation it applies to; from the first one known when absent. */
  readonly since?: Generation;
  /** Last generation it applies to; to the newest one when absent. */
  readonly until?: Generation;
  /**
   * Why it never decides alone: which rules refuse together whatever it refuses, and what it is for
   * all the same. Absent: it is expected to be decisive.
   */
  readonly repeats?: string;
  /** Asked only where kernels follow each other that write different root strings. */
  readonly acrossRoots?: true;
}

/** How bad a finding is: `error` breaks a promise, `warning` may, `info` is worth knowing. */
export type Severity = 'error' | 'warning' | 'info';

/** Receives one finding; `tell` builds its sentence, and is called only when somebody reads it. */
export type Report = (tell: () => string) => void;
