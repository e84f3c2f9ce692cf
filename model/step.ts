/**
 * Steps: what is generated, shrunk and saved.
 *
 * A step names an object by the step that made it (`of`) and a place by a word, never by a frame
 * number. So any step can be dropped and the rest still runs: a step whose object is gone, or whose
 * place does not exist on the machine, is skipped.
 */
import type { MachineShape } from './machines.ts';

/** A place in memory, by a word; `back` frames before it. */
export type Place =
  | { readonly at: 'slot'; readonly slot: number; readonly back: number }
  | { readonly at: 'node border'; readonly node: number; readonly back: number }
  | { readonly at: 'start of scratch'; readonly area: number; readonly back: number }
  | { readonly at: 'end of scratch'; readonly area: number; readonly back: number };

export type StepWhat =
  /** Take a block from the page allocator. */
  | {
      readonly do: 'alloc';
      readonly node: number;
      readonly order: number;
      readonly movable: boolean;
    }
  /** Take a given range of single pages. */
  | { readonly do: 'claim'; readonly place: Place; readonly count: number }
  | { readonly do: 'free'; readonly of: number }
  /** Write a page of an object, counted from its start. */
  | { readonly do: 'write'; readonly of: number; readonly page: number }
  | { readonly do: 'preserve'; readonly of: number }
  | { readonly do: 'unpreserve'; readonly of: number }
  | { readonly do: 'restore'; readonly of: number }
  /** Ask for something that was not handed over: a shorter or longer range of an object. */
  | { readonly do: 'restore part'; readonly of: number; readonly count: number }
  /** Ask to preserve a range that reaches into scratch. */
  | { readonly do: 'preserve scratch'; readonly place: Place; readonly count: number }
  /** Name a preserved object in the outgoing tree. */
  | {
      readonly do: 'add subtree';
      readonly of: number;
      readonly name: number;
      readonly bytes: number;
    }
  /** Name one object by many long names, until the page is full or `count` names are added. */
  | { readonly do: 'crowd tree'; readonly of: number; readonly count: number }
  | { readonly do: 'remove subtree'; readonly of: number }
  | { readonly do: 'retrieve subtree'; readonly name: number }
  | { readonly do: 'load' }
  /** Jump; `damage` is an index of `TREE_DAMAGE`. */
  | { readonly do: 'kexec'; readonly damage: number }
  | { readonly do: 'cold boot' };

/** A step with the number that other steps know it by. */
export type Step = StepWhat & { readonly id: number };

export type StepName = Step['do'];

/** A trace: a machine and the steps that are tried on it. The machine is switched on first. */
export interface Trace {
  readonly machine: MachineShape;
  readonly steps: readonly Step[];
}
