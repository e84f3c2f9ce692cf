/** What a coordinator and its workers say to one another. */
import type { Memory } from './emit.ts';

/** What a worker is started with; it finds the scope by its name. */
export interface WorkerTask {
  readonly scope: string;
  readonly symmetry: boolean;
  readonly everyTransition: boolean;
  readonly workers: number;
  readonly demoted: readonly number[];
}

/** Expand what is queued; pairs of first id and end. `memory`: where it was moved to. */
export interface LevelOrder {
  readonly memory: Memory | undefined;
  readonly queue: Int32Array;
  readonly queued: number;
}

/** What a worker did with an order. Sums count from its start. */
export interface LevelReport {
  /** Ids that it found: pairs. */
  readonly found: readonly number[];
  /** Ids that it took and did not expand: pairs. */
  readonly left: readonly number[];
  readonly unused: readonly [number, number];
  readonly made: number;
  readonly transitions: number;
  readonly deadlocks: number;
  readonly brokenParent: number;
  readonly fired: Uint8Array;
}

/** A worker's answer: a report, a transition that is no product, or its error. */
export type WorkerAnswer =
  { readonly report: LevelReport } | { readonly notProduct: number } | { readonly error: string };

/** Places in `Memory.control`, each in a cache line of its own. */
export const NEXT_BLOCK = 0;
export const STOP = 16;
export const NEXT_QUEUED = 32;
export const CONTROL_PLACES = 48;
