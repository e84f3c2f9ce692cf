/**
 * Running one trace: from switching the machine on to its last step or the first broken rule.
 */
import { call } from '#model/call';
import type { Call } from '#model/call';
import { Drawer, swarmWeights } from '#model/draw';
import { withSessions } from '#model/generators';
import type { TracePlan } from '#model/generators';
import type { KernelProfile } from '#model/kernels';
import { buildMachine } from '#model/machines';
import type { MachineShape, MachineUse } from '#model/machines';
import { Random } from '#model/random';
import { sparseState } from '#model/sparse-carrier';
import type { SparseState } from '#model/sparse-carrier';
import type { Step, Trace } from '#model/step';
import type { Machine, System } from '#model/system';
import { World } from '#model/world';
import { boots } from '#spec/call';
import { GENERATIONS, ageOf } from '#spec/generations';
import type { Answer } from '#spec/call';
import type { State } from '#spec/state';
import { JumpWatch } from './jumps.ts';
import type { JudgeOfJumps, KnownDeviation } from './jumps.ts';
import { FULL_EVERY, Lockstep } from './lockstep.ts';
import type { Violation } from './lockstep.ts';
import type { Tally } from './tally.ts';

/** Makes the system under test for a machine. */
export type SystemMaker = (machine: Machine) => System;

/** One executed call, for people to read. */
export interface ExecutedCall {
  readonly step: Step | undefined;
  readonly call: Call;
  /** What the system answered; NaN when a rule broke before the call was made. */
  readonly value: number;
}

/** Told of every call, accepted or not, with the state of the law after it. */
export type Watch = (executed: ExecutedCall, state: State) => void;

export interface TraceResult {
  /** The steps that executed at least one call, in order. */
  readonly executed: readonly Step[];
  readonly violation: Violation | undefined;
  /** Index in `executed` of the step that broke the rule; -1 for the first boot. */
  readonly brokenAt: number;
  /** What is known to follow between two kernels, where that is what broke the rule. */
  readonly known: KnownDeviation | undefined;
}

const FIRST_WITHOUT_RANGES = GENERATIONS.indexOf('v5');
const FIRST_WITH_SIZES = GENERATIONS.indexOf('7.1');

/** Kernels that steps bring, as indices of `GENERATIONS`. */
const broughtBy = (steps: readonly Step[] | undefined): readonly number[] =>
  steps?.flatMap((step) =>
    step.do === 'load kernel' || step.do === 'boot kernel' ? [step.kernel] : [],
  ) ?? [];

/** Runs traces against systems of one kind, reusing what can be reused. */
export class TraceRunner {
  readonly #make: SystemMaker;
  readonly #kernel: KernelProfile;
  readonly #fullEvery: number;
  readonly #judge: JudgeOfJumps | undefined;
  readonly #states = new Map<string, SparseState>();

  /**
   * @param fullEvery calls between two full comparisons
   * @param judge tells what is known to follow between two kernels; nothing is when absent
   */
  constructor(
    make: SystemMaker,
    kernel: KernelProfile,
    fullEvery = FULL_EVERY,
    judge?: JudgeOfJumps,
  ) {
    this.#judge = judge;
    this.#make = make;
    this.#kernel = kernel;
    this.#fullEvery = fullEvery;
  }

  #stateFor(shape: MachineShape, use: MachineUse): SparseState {
    const key = JSON.stringify([shape, use]);
    const known = this.#states.get(key);
    if (known !== undefined) {
      known.clear();
      return known;
    }
    if (this.#states.size > 64) this.#states.clear();
    const state = sparseState(buildMachine(shape, use));
    this.#states.set(key, state);
    return state;
  }

  run(plan: TracePlan, tally: Tally, watch?: Watch): TraceResult {
    const kernels = plan.kernels ?? [];
    const first = GENERATIONS.indexOf(this.#kernel.generation);
    const all = [first, ...kernels, ...broughtBy(plan.steps)];
    const hasOldTrees = all.some((kernel) => kernel < FIRST_WITH_SIZES);
    const hasOwnOption = all.some((kernel) => kernel < FIRST_WITHOUT_RANGES);
    const state = this.#stateFor(plan.machine, { hasOldTrees, hasOwnOption });
    const has = [
      ...(hasOldTrees ? (['phases'] as const) : []),
      ...(kernels.length > 0 ? (['mixed'] as const) : []),
      ...(hasOwnOption ? (['ranges'] as const) : []),
      ...(withSessions(plan) ? (['sessions'] as const) : []),
    ];
    const system = this.#make(state.machine);
    const jumps = this.#judge && new JumpWatch(system, this.#judge);
    const lockstep = new Lockstep(system, state, this.#kernel.generation, tally, this.#fullEvery);
    const world = new World(state, kernels);
    state.installed.set(ageOf(this.#kernel.generation));
    state.runs.set(state.installed.get());
    tally.traces++;
    const run = new TraceRun(lockstep, world, tally, watch);
    const random = new Random(plan.seed);
    const drawer =
      plan.steps === undefined
        ? new Drawer(random, swarmWeights(random, plan.wants, has))
        : undefined;
    let violation = run.boot();
    for (let i = 0; violation === undefined && i < plan.length; i++) {
      const step = drawer === undefined ? plan.steps![i]! : drawer.next(world);
      violation = run.step(step);
    }
    violation ??= lockstep.compareRest();
    tally.chains.set(run.longestChain, (tally.chains.get(run.longestChain) ?? 0) + 1);
    const nodes = state.machine.nodes.length;
    tally.nodes.set(nodes, (tally.nodes.get(nodes) ?? 0) + 1);
    const known = violation && run.broken && jumps?.explains(run.broken, violation.rule.id);
    return { executed: run.executed, violation, brokenAt: run.executed.length - 1, known };
  }
}

/** The state of one run. */
class TraceRun {
  readonly executed: Step[] = [];
  longestChain = 0;
  /** The call at which a rule broke, and its answer. */
  broken: { readonly call: Call; readonly value: number } | undefined;
  readonly #lockstep: Lockstep;
  readonly #world: World;
  readonly #tally: Tally;
  readonly #watch: Watch | undefined;

  constructor(lockstep: Lockstep, world: World, tally: Tally, watch: Watch | undefined) {
    this.#lockstep = lockstep;
    this.#world = world;
    this.#tally = tally;
    this.#watch = watch;
  }

  boot(): Violation | undefined {
    return this.#execute(undefined, call('coldBoot'), () => {});
  }

  step(step: Step): Violation | undefined {
    this.#tally.generated++;
    const calls = this.#world.calls(step);
    if (calls.length === 0) return undefined;
    this.#tally.steps++;
    this.executed.push(step);
    for (const made of calls) {
      const violation = this.#execute(step, made, (answer) =>
        this.#world.settle(step, made, answer),
      );
      if (violation !== undefined) return violation;
    }
    this.longestChain = Math.max(this.longestChain, this.#world.state.kexecs.get());
    return undefined;
  }

  #execute(
    step: Step | undefined,
    made: Call,
    then: (answer: Answer) => void,
  ): Violation | undefined {
    let answered = false;
    const violation = this.#lockstep.call(made, (answer) => {
      answered = true;
      then(answer);
    });
    const jumps = boots(made) && made.action !== 'coldBoot';
    const asked = answered || !jumps || violation?.rule.kind === 'answer';
    const value = asked ? this.#lockstep.lastValue : Number.NaN;
    if (violation !== undefined) this.broken = { call: made, value };
    this.#watch?.({ step, call: made, value }, this.#world.state);
    return violation;
  }
}

/** The trace that a result shows, with a machine to run it on. */
export const traceOf = (plan: TracePlan, result: TraceResult): Trace => ({
  machine: plan.machine,
  steps: result.executed,
});
