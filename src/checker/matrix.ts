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
import { COLD, REVIVED } from '#spec/call';
import { EINVAL, ENOMEM } from '#spec/errno';
import { GENERATIONS } from '#spec/generations';
import { LUO_PAGES } from '#spec/live-update';
import { KEX_09 } from '#spec/kexec';
import { readsAlike } from '#src/abi/decode/read-as';
import { TraceRunner } from './run-trace.ts';
import { Tally } from './tally.ts';

/** What became of a handover, from best to worst. */
export const OUTCOMES = ['same', 'refused', 'ignored', 'misread', 'panic'] as const;

export type Outcome = (typeof OUTCOMES)[number];

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

/** Answers of a jump that did not take place. */
const NO_JUMP: readonly number[] = [-EINVAL, -ENOMEM];

const SHAPE: MachineShape = { ...plainShape(64), reserveMem: ['16K:4K:rmA'] };

/** Steps that make the default content, and more of it in every further trace. */
const contentOf = (random: Random, pageBytes: number): Step[] => {
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
  const session = add({ do: 'alloc preserve', bytes: LUO_PAGES * pageBytes, nth: 0 });
  add({ do: 'live update', of: session });
  return steps;
};

/** The trace that fills a machine and jumps into `reader`. */
const traceOfPair = (reader: KernelProfile, seed: number): Trace => {
  const steps = contentOf(new Random(seed), 2 ** SHAPE.pageShift);
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

  /** Runs `traces` traces of a pair; the same number gives the same traces. */
  pair(writer: KernelProfile, reader: KernelProfile, traces: number): PairResult {
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
    const needsWitness = outcome !== 'same' && outcome !== 'refused';
    const witness = needsWitness ? this.#smallest(writer, reader, worst) : undefined;
    return { writer, reader, outcome, seen, witness };
  }

  /** Runs one trace of a pair; undefined when it never jumped. */
  attempt(writer: KernelProfile, reader: KernelProfile, trace: Trace): Attempt | undefined {
    let system: System | undefined;
    const runner = new TraceRunner((machine) => (system = this.#make(machine, writer)), writer);
    let fdt = 0;
    let answer: number | undefined;
    const result = runner.run(planOf(trace), new Tally(), ({ call, value }) => {
      if (call.action === 'kexecFileLoad') fdt = system!.sees.fdt();
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

  /** Drops steps while the outcome stays. */
  #smallest(writer: KernelProfile, reader: KernelProfile, found: Attempt): Attempt {
    let smallest = found;
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

/**
 * What happened at a jump.
 *
 * @param answer what the jump answered
 * @param rule the rule that broke at it or right after it
 * @param misreads whether the reader would take other memory for preserved than the writer did
 */
const outcomeOf = (answer: number, rule: string | undefined, misreads: boolean): Outcome => {
  if (answer < 0) return misreads ? 'misread' : 'panic';
  if (rule === KEX_09.id) return 'ignored';
  if (rule !== undefined) return 'misread';
  if (answer === REVIVED) return 'same';
  if (answer === COLD) return 'refused';
  throw new Error(`a jump answered ${answer}, which means nothing`);
};
