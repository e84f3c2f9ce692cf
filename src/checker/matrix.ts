/**
 * Which kernel may follow which: found out by running them, pair by pair.
 *
 * Every pair runs the same traces: a machine with a named region is filled with the default content
 * of a handover (reserve_mem, test data, a live update session, memory of several orders all over
 * the machine), loads the next kernel and jumps. What happened then is the outcome of the trace; a
 * pair has the worst outcome of its traces. Nothing in here knows what differs between kernels.
 */
import { planOf } from '#model/generators';
import type { KernelProfile } from '#model/kernels';
import { plainShape } from '#model/machines';
import type { MachineShape } from '#model/machines';
import { SLOTS } from '#model/place';
import { Random } from '#model/random';
import type { Step, Trace } from '#model/step';
import type { Machine, System } from '#model/system';
import { GENERATIONS } from '#spec/generations';
import { readsAlike } from '#src/abi/decode/read-as';
import { NO_JUMP, OUTCOMES, outcomeOf } from './jump-outcomes.ts';
import type { Outcome } from './jump-outcomes.ts';
import { TraceRunner } from './run-trace.ts';
import { Tally } from './tally.ts';

export type { Outcome };

/** Makes the system of a machine that is switched on with some kernel. */
export type MachineMaker = (machine: Machine, kernel: KernelProfile) => System;

/** One trace of a pair, and what happened. */
export interface Attempt {
  readonly outcome: Outcome;
  /** The rule that broke, where one did. */
  readonly rule: string | undefined;
  /** Index of the step that broke it. */
  readonly brokenAt: number;
  readonly trace: Trace;
}

export interface PairResult {
  readonly writer: KernelProfile;
  readonly reader: KernelProfile;
  readonly outcome: Outcome;
  /** How many traces had each outcome. */
  readonly seen: Readonly<Partial<Record<Outcome, number>>>;
  /** A smallest trace with the outcome, where it is neither `same` nor `refused`. */
  readonly witness: Attempt | undefined;
}

/** Subtree names of the test data and of an ordinary user, in the table of names. */
const TEST_DATA = 3;
const ORDINARY = 4;
const OBJECTS = 6;
const ORDER_MAX = 4;

/** Steps at the end of a trace that load the next kernel and jump. */
const JUMP_STEPS = 2;

const SHAPE: MachineShape = { ...plainShape(64), reserveMem: ['16K:4K:rmA'] };

/** Steps that make the default content, and more of it in every further trace. */
const contentOf = (random: Random): Step[] => {
  const steps: Step[] = [];
  const add = (step: Record<string, unknown>): number => {
    const id = steps.length;
    steps.push({ id, ...step } as unknown as Step);
    return id;
  };
  const keep = (of: number): void => {
    add({ do: 'preserve', of });
    add({ do: 'write', of, page: 0 });
  };
  for (let i = 0; i < OBJECTS; i++) {
    const place = { at: 'slot', slot: random.below(SLOTS), back: random.below(9) };
    const range = add({ do: 'claim', place, count: random.between(1, 40) });
    keep(range);
    if (i < 2)
      add({ do: 'add subtree', of: range, name: i === 0 ? TEST_DATA : ORDINARY, bytes: 1 });
    const order = random.between(0, ORDER_MAX);
    keep(add({ do: 'alloc', node: -1, order, movable: false }));
  }
  add({ do: 'start live update', nth: 0 });
  const session = add({ do: 'create session', count: 1, nth: 0 });
  const file = add({ do: 'preserve memfd', of: session, count: 1, pages: 3, nth: 0 });
  add({ do: 'write memfd', of: file, page: 1 });
  return steps;
};

/** The trace that fills a machine and jumps into `reader`. */
export const traceOfPair = (reader: KernelProfile, seed: number): Trace => {
  const steps = contentOf(new Random(seed));
  const id = steps.length;
  const kernel = GENERATIONS.indexOf(reader.generation);
  const end: readonly Step[] = [
    { id, do: 'load kernel', kernel },
    { id: id + 1, do: 'kexec', damage: 0 },
  ];
  return { machine: SHAPE, steps: [...steps, ...end] };
};

/** Runs the traces of pairs of kernels. */
export class Matrix {
  readonly #make: MachineMaker;

  constructor(make: MachineMaker) {
    this.#make = make;
  }

  /**
   * Runs `traces` traces of a pair; the same number gives the same traces.
   *
   * @param shrinks whether a smallest trace is looked for
   */
  pair(writer: KernelProfile, reader: KernelProfile, traces: number, shrinks = true): PairResult {
    const seen: Partial<Record<Outcome, number>> = {};
    let worst: Attempt | undefined;
    for (let seed = 1; seed <= traces; seed++) {
      const attempt = this.attempt(writer, reader, traceOfPair(reader, seed));
      if (attempt === undefined) continue;
      seen[attempt.outcome] = (seen[attempt.outcome] ?? 0) + 1;
      if (worst === undefined || rank(attempt.outcome) > rank(worst.outcome)) worst = attempt;
    }
    if (worst === undefined) throw new Error(`${writer.name} never jumped into ${reader.name}`);
    const { outcome } = worst;
    const needsWitness = shrinks && outcome !== 'same' && outcome !== 'refused';
    const witness = needsWitness ? this.#smallest(writer, reader, worst) : undefined;
    return { writer, reader, outcome, seen, witness };
  }

  /** Runs one trace of a pair; undefined when it never jumped. */
  attempt(writer: KernelProfile, reader: KernelProfile, trace: Trace): Attempt | undefined {
    let system: System | undefined;
    let fdt = 0;
    const make = (machine: Machine): System => {
      system = this.#make(machine, writer);
      system.atJump = (told) => (fdt = told.fdt);
      return system;
    };
    const runner = new TraceRunner(make, writer);
    let answer: number | undefined;
    const result = runner.run(planOf(trace), new Tally(), ({ call, value }) => {
      if (call.action === 'kexec') answer = value;
    });
    if (answer === undefined || NO_JUMP.includes(answer)) return undefined;
    const rule = result.violation?.rule.id;
    const { memory } = system!.sees;
    const alike = readsAlike(memory, fdt, writer.generation, reader.generation);
    const misreads = answer < 0 && !alike;
    const outcome = outcomeOf(answer, rule, misreads);
    return {
      outcome,
      rule,
      brokenAt: result.brokenAt,
      trace: { ...trace, steps: result.executed },
    };
  }

  /** Drops steps while the outcome stays; where the jump alone shows it, all others at once. */
  #smallest(writer: KernelProfile, reader: KernelProfile, found: Attempt): Attempt {
    let smallest = found;
    const jump = { ...found.trace, steps: found.trace.steps.slice(-JUMP_STEPS) };
    const alone = this.attempt(writer, reader, jump);
    if (alone?.outcome === found.outcome) smallest = alone;
    for (let at = smallest.trace.steps.length - 1; at >= 0; at--) {
      const steps = smallest.trace.steps.filter((_, index) => index !== at);
      const tried = this.attempt(writer, reader, { ...smallest.trace, steps });
      if (tried?.outcome !== found.outcome) continue;
      smallest = tried;
      at = Math.min(at, smallest.trace.steps.length);
    }
    const { reserveMem: _, ...machine } = smallest.trace.machine;
    const plain = this.attempt(writer, reader, { ...smallest.trace, machine });
    return plain?.outcome === found.outcome ? plain : smallest;
  }
}

const rank = (outcome: Outcome): number => OUTCOMES.indexOf(outcome);
