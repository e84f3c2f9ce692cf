/**
 * Proving that a counterexample is as short as it can be, where `joint/proof.ts` cannot: the states
 * that it leads to are too large to be remembered.
 *
 * Every sequence of fewer steps is run, specification beside implementation, on the same machine:
 * steps of the counterexample and the ordinary ones that lead from kernel to kernel, in any order,
 * as often as they fit, each on any object that was made before. Shorter sequences come first, so
 * the first one that breaks the rule is a shortest one.
 *
 * A sequence whose last step does not apply is the sequence without it, and one that breaks another
 * rule ends there: nothing that begins with either is run. That is all that is left out.
 */
import { planOf } from '#model/generators';
import type { MachineShape } from '#model/machines';
import type { Letter } from '#model/scopes/joint';
import { KINDS } from '#model/step';
import type { Step, Trace } from '#model/step';
import { alphabetOf, lettersOf, ROADS } from './alphabet.ts';
import type { Alphabet } from './alphabet.ts';
import type { TraceRunner } from './run-trace.ts';
import { Tally } from './tally.ts';

export interface Shortest {
  readonly method: 'runs';
  /** The shortest trace that is known now: the given one, or one that is shorter. */
  readonly trace: Trace;
  /** No trace of up to so many of these steps breaks the rule. */
  readonly proven: number;
  /** Whether that is all shorter traces. */
  readonly complete: boolean;
  /** What ended it, if it did not come to its end. */
  readonly stopped: null | 'runs' | 'time';
  /** Traces that were run. */
  readonly executions: number;
  /** What traces were made of: no simpler variants. */
  readonly alphabet: Alphabet;
}

/** A letter as the next step of a sequence, once for every object that it may be about. */
const spelled = (letter: Letter, id: number, makers: readonly number[]): readonly Step[] =>
  'of' in KINDS[letter.do].fields
    ? makers.map((of) => ({ ...letter, id, of }) as Step)
    : [{ ...letter, id } as Step];

/** Numbers of the steps that others may name: those that are about no object themselves. */
const makersIn = (steps: readonly Step[]): readonly number[] =>
  steps.filter((step) => !('of' in step) && !ROADS.some((road) => road.do === step.do)).map(idOf);

const idOf = ({ id }: Step): number => id;

class Search {
  executions = 0;
  readonly #runner: TraceRunner;
  readonly #machine: MachineShape;
  readonly #rule: string;
  readonly alphabet: Alphabet;
  readonly #letters: readonly Letter[];
  readonly #most: number;
  readonly #end: number;

  constructor(runner: TraceRunner, trace: Trace, rule: string, most: number, time: number) {
    this.#end = performance.now() + time;
    this.#runner = runner;
    this.#machine = trace.machine;
    this.#rule = rule;
    this.alphabet = { ...alphabetOf(trace.steps), simpler: [] };
    this.#letters = lettersOf(this.alphabet);
    this.#most = most;
  }

  /** What ends the search now. */
  get stopped(): Shortest['stopped'] {
    if (this.executions >= this.#most) return 'runs';
    return performance.now() > this.#end ? 'time' : null;
  }

  /**
   * Runs all sequences that are one step longer than these.
   *
   * @returns those that broke nothing; or one that broke the rule; or nothing when out of runs
   */
  extend(
    sequences: readonly (readonly Step[])[],
  ): readonly (readonly Step[])[] | Trace | undefined {
    const sound: (readonly Step[])[] = [];
    for (const steps of sequences) {
      const makers = makersIn(steps);
      for (const letter of this.#letters) {
        for (const step of spelled(letter, steps.length, makers)) {
          if (this.stopped !== null) return undefined;
          const longer = [...steps, step];
          const outcome = this.#try(longer);
          if (outcome === 'breaks') return { machine: this.#machine, steps: longer };
          if (outcome === 'sound') sound.push(longer);
        }
      }
    }
    return sound;
  }

  #try(steps: readonly Step[]): 'breaks' | 'sound' | 'no further' {
    this.executions++;
    const trace = { machine: this.#machine, steps };
    const { executed, violation } = this.#runner.run(planOf(trace), new Tally());
    if (violation?.rule.id === this.#rule) return 'breaks';
    return violation === undefined && executed.length === steps.length ? 'sound' : 'no further';
  }
}

/**
 * The shortest trace that breaks `rule` on the machine of `trace`, of the steps of `trace`.
 *
 * @param trace breaks `rule`
 * @param most traces that are run at most
 * @param time milliseconds at most
 */
export const shortest = (
  runner: TraceRunner,
  trace: Trace,
  rule: string,
  most: number,
  time = Infinity,
): Shortest => {
  const search = new Search(runner, trace, rule, most, time);
  const { alphabet } = search;
  let sequences: readonly (readonly Step[])[] = [[]];
  for (let length = 1; length < trace.steps.length; length++) {
    const next = search.extend(sequences);
    const { executions } = search;
    const proven = length - 1;
    const told = { method: 'runs', proven, executions, alphabet } as const;
    if (next === undefined) return { ...told, trace, complete: false, stopped: search.stopped };
    if ('steps' in next) return { ...told, trace: next, complete: true, stopped: null };
    sequences = next;
  }
  const proven = Math.max(0, trace.steps.length - 1);
  const { executions } = search;
  return { method: 'runs', trace, proven, complete: true, stopped: null, executions, alphabet };
};
