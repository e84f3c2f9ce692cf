/**
 * Making a counterexample smaller.
 *
 * Every candidate is run; one that breaks the same rule with fewer or simpler steps is taken. Steps
 * are dropped in chunks, then one by one, then in pairs; steps are about one object where they were
 * about several, and one step does what two did; images are loaded right before the jump; then
 * arguments become smaller, and last the machine. Passes repeat until none of them helps. The
 * result never has more steps than the start, and every order in here is fixed, so the same trace
 * always ends as the same one.
 */
import { planOf } from '#model/generators';
import type { Field } from '#model/kinds/kind';
import { plainShape, shapeProblem } from '#model/machines';
import type { MachineShape } from '#model/machines';
import { simplerSteps } from '#model/simplify';
import { kindOf } from '#model/step';
import type { Step, Trace } from '#model/step';
import { deviationKey } from './jumps.ts';
import type { TraceRunner } from './run-trace.ts';
import { Tally } from './tally.ts';

export interface Minimized {
  readonly trace: Trace;
  /** Traces that were run on the way. */
  readonly executions: number;
}

/** Candidates that are run at most. */
const EXECUTIONS_MAX = 20_000;
/** Pairs are tried on traces up to this length. */
const PAIRS_UP_TO = 40;

const LOADS: ReadonlySet<string> = new Set(['load', 'load with']);

class Minimizer {
  executions = 0;
  #trace: Trace;
  readonly #runner: TraceRunner;
  readonly #rule: string;
  /** The known deviation that breaks the rule; empty where none does. */
  readonly #known: string;

  constructor(runner: TraceRunner, trace: Trace, rule: string) {
    this.#known = deviationKey(runner.run(planOf(trace), new Tally()).known);
    this.#runner = runner;
    this.#trace = trace;
    this.#rule = rule;
  }

  get trace(): Trace {
    return this.#trace;
  }

  /**
   * Takes a candidate if it breaks the same rule, and as known or unknown a way as before; what it
   * did not execute is dropped with it.
   */
  #try(candidate: Trace): boolean {
    if (this.executions >= EXECUTIONS_MAX) return false;
    this.executions++;
    const result = this.#runner.run(planOf(candidate), new Tally());
    if (result.violation?.rule.id !== this.#rule) return false;
    if (deviationKey(result.known) !== this.#known) return false;
    this.#trace = { machine: candidate.machine, steps: result.executed };
    return true;
  }

  #trySteps(steps: readonly Step[]): boolean {
    return this.#try({ machine: this.#trace.machine, steps });
  }

  run(): void {
    this.#trySteps(this.#trace.steps);
    let before: string;
    do {
      before = JSON.stringify(this.#trace);
      this.#dropChunks();
      if (this.#trace.steps.length <= PAIRS_UP_TO) {
        this.#dropPairs();
        this.#shareObjects();
        this.#joinSteps();
      }
      this.#loadLate();
      this.#simplifySteps();
      this.#simplifyMachine();
    } while (JSON.stringify(this.#trace) !== before && this.executions < EXECUTIONS_MAX);
    this.#renumber();
  }

  #dropChunks(): void {
    for (let size = this.#trace.steps.length >> 1; size >= 1; size >>= 1) {
      for (let at = this.#trace.steps.length - size; at >= 0; at -= size) {
        const { steps } = this.#trace;
        if (at < steps.length) this.#trySteps([...steps.slice(0, at), ...steps.slice(at + size)]);
      }
    }
  }

  #dropPairs(): void {
    for (let i = 0; i < this.#trace.steps.length; i++) {
      for (let j = i + 1; j < this.#trace.steps.length; j++) {
        const without = this.#trace.steps.filter((_, at) => at !== i && at !== j);
        if (this.#trySteps(without)) j = i;
      }
    }
  }

  /** Has steps speak of objects that were made before those that they speak of. */
  #shareObjects(): void {
    for (let at = 0; at < this.#trace.steps.length; at++) {
      const step = this.#trace.steps[at]!;
      if (!('of' in step)) continue;
      const named = this.#trace.steps.flatMap((each) => ('of' in each ? [each.of] : []));
      for (const of of [...new Set(named)].sort((a, b) => a - b)) {
        if (of >= step.of) break;
        const steps = [...this.#trace.steps];
        steps[at] = { ...step, of };
        if (this.#trySteps(steps)) break;
      }
    }
  }

  /** Makes one step of two that are alike but for how many of something they are about. */
  #joinSteps(): void {
    for (let at = 0; at + 1 < this.#trace.steps.length; at++) {
      const { steps } = this.#trace;
      const joined = joinedOf(steps[at]!, steps[at + 1]!);
      if (joined === undefined) continue;
      const gone = steps[at + 1]!.id;
      const after = steps.slice(at + 2).map((step) => {
        return 'of' in step && step.of === gone ? { ...step, of: joined.id } : step;
      });
      if (this.#trySteps([...steps.slice(0, at), joined, ...after])) at--;
    }
  }

  /**
   * Moves every load to right before the jump it is for, or the load that takes its place: it
   * matters nowhere else. Loads do not overtake each other, or they would do so for ever.
   */
  #loadLate(): void {
    for (let at = 0; at < this.#trace.steps.length; at++) {
      const { steps } = this.#trace;
      if (!LOADS.has(steps[at]!.do)) continue;
      const end = steps.findIndex(
        (step, index) => index > at && (step.do === 'kexec' || LOADS.has(step.do)),
      );
      if (end <= at + 1) continue;
      const between = steps.slice(at + 1, end);
      this.#trySteps([...steps.slice(0, at), ...between, steps[at]!, ...steps.slice(end)]);
    }
  }

  #simplifySteps(): void {
    for (let at = 0; at < this.#trace.steps.length; at++) {
      for (const simpler of simplerSteps(this.#trace.steps[at]!)) {
        const steps = [...this.#trace.steps];
        steps[at] = simpler;
        if (this.#trySteps(steps)) break;
      }
    }
  }

  #simplifyMachine(): void {
    for (const machine of simplerMachines(this.#trace.machine)) {
      if (this.#try({ machine, steps: this.#trace.steps })) return;
    }
  }

  /** Numbers steps from 0 in the order in which they stand. */
  #renumber(): void {
    const number = new Map(this.#trace.steps.map((step, index) => [step.id, index]));
    const renumbered = this.#trace.steps.map((step) => {
      const id = number.get(step.id)!;
      return 'of' in step ? { ...step, id, of: number.get(step.of) ?? step.of } : { ...step, id };
    });
    this.#trySteps(renumbered);
  }
}

/** One step for two that differ in their count alone; undefined where there is none. */
const joinedOf = (one: Step, other: Step): Step | undefined => {
  if (!('count' in one) || !('count' in other)) return undefined;
  const count = one.count + other.count;
  const field = (kindOf(one.do).fields as Readonly<Record<string, Field>>)['count'];
  if (field?.is !== 'number' || count > field.max) return undefined;
  const isAlike =
    JSON.stringify({ ...one, id: 0, count }) === JSON.stringify({ ...other, id: 0, count });
  return isAlike ? { ...one, count } : undefined;
};

/** Two nodes that meet one frame after an aligned border, in frames. */
const CROOKED_PAIR = [8193, 8191];

/** The machine without one of the things that it need not have. */
const without = (machine: MachineShape, extra: string): MachineShape =>
  Object.fromEntries(
    Object.entries(machine).filter(([key]) => key !== extra),
  ) as unknown as MachineShape;

/** Machines that people find simpler, simplest first. */
const simplerMachines = (machine: MachineShape): MachineShape[] => {
  const shapes: MachineShape[] = [];
  const { pageShift: _, nodes: __, scratch: ___, ...extras } = machine;
  const bare = [plainShape(), { ...plainShape(), nodes: CROOKED_PAIR }];
  const lessOf = Object.keys(extras).map((extra) => without(machine, extra));
  const full = Object.keys(extras).length === 0 ? [] : bare.map((s) => ({ ...s, ...extras }));
  for (const shape of [...bare, ...lessOf, ...full]) {
    if (shapeProblem(shape) !== '') continue;
    if (JSON.stringify(machine) === JSON.stringify(shape)) return shapes;
    shapes.push(shape);
  }
  for (let nodes = 2; nodes < machine.nodes.length; nodes++) {
    shapes.push({ ...machine, nodes: machine.nodes.slice(0, nodes) });
  }
  return shapes;
};

/** The smallest trace found that breaks the same rule as `trace` does. */
export const minimize = (runner: TraceRunner, trace: Trace, rule: string): Minimized => {
  const minimizer = new Minimizer(runner, trace, rule);
  minimizer.run();
  return { trace: minimizer.trace, executions: minimizer.executions };
};
