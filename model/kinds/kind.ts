/**
 * A kind of step: everything there is to know about it in one place.
 *
 * How often it is drawn and with what arguments, which calls it stands for now, what it means for
 * the world when a call was answered. Its fields are declared, so that trace files are checked and
 * counterexamples are simplified without another word.
 */
import type { Answer, Call } from '#spec/call';
import type { Generation } from '#spec/generations';
import type { Draw } from '../draw.ts';
import type { World } from '../world.ts';

/** What every step has. */
export interface StepBase {
  /** The number that other steps know it by. */
  readonly id: number;
  readonly do: string;
}

/** What a field of a step may be. */
export type Field =
  /** Number of the step that made an object; never simplified. */
  | { readonly is: 'object' }
  | { readonly is: 'place' }
  | { readonly is: 'flag' }
  | {
      readonly is: 'number';
      readonly min: number;
      readonly max: number;
      /** The value that people find simplest; the smallest one when absent. */
      readonly simplest?: number;
    };

export const OBJECT: Field = { is: 'object' };
export const PLACE: Field = { is: 'place' };
export const FLAG: Field = { is: 'flag' };
export const number = (min: number, max: number, simplest = min): Field => ({
  is: 'number',
  min,
  max,
  simplest,
});

/** A step as it is drawn: it has no number yet. */
export type Drawn<S extends StepBase> = Omit<S, 'id' | 'do'>;

export interface Kind<S extends StepBase> {
  readonly says: string;
  /** How often it is drawn, relative to others. */
  readonly weight: number;
  /** Whether a trace may do without it; without the others a trace goes nowhere. */
  readonly silenceable: boolean;
  /**
   * What the running kernel must have for it: KHO when absent; `memory`, a page allocator for all
   * memory; `nothing`, not even that, which is all that a kdump kernel has.
   */
  readonly needs?: 'memory' | 'nothing';
  /** The first generation whose kernels have what it asks for; all have it when absent. */
  readonly since?: Generation;
  /** Older generations that have it as well. */
  readonly also?: readonly Generation[];
  /**
   * Which runs draw it at all: those with kernels that have phases, with several kernels, with
   * kernels up to v4, in which ranges stand in the tree; those of which the seed says that somebody
   * has sessions of live update.
   */
  readonly only?: 'phases' | 'mixed' | 'ranges' | 'sessions';
  readonly fields: { readonly [Name in Exclude<keyof S, 'id' | 'do'>]: Field };
  /** The weight in the present state; `weight` as it is when absent. */
  readonly weightNow?: (weight: number, world: World) => number;
  /** Arguments for a step that applies now, or undefined when there are none. */
  readonly draw: (draw: Draw) => Drawn<S> | undefined;
  /** The calls that a step stands for now; none when it does not apply. */
  readonly calls: (world: World, step: S) => readonly Call[];
  /** Takes note of an answer that the law accepted; nothing changes when absent. */
  readonly settle?: (world: World, step: S, made: Call, answer: Answer) => void;
}

export const NO_CALLS: readonly Call[] = [];
