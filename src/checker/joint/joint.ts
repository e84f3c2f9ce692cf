/**
 * Exhaustive search of specification × implementation: every state that the steps of a scope reach,
 * level by level, every step judged as lockstep does.
 *
 * A state is the law's, the world's and the system's together, told apart exactly (identity.ts).
 * The first step that breaks a rule, or the rule that is asked for, ends the search: all traces of
 * the scope with fewer steps were run, or go on like one that was, so no shorter one breaks it. A
 * trace ends at the first rule that it breaks, everything compared after every step.
 */
import { getHeapStatistics } from 'node:v8';
import type { KernelProfile } from '#model/kernels';
import { makersIn, makesObject, objectsIn } from '#model/scopes/joint';
import type { JointScope, Letter } from '#model/scopes/joint';
import { KINDS } from '#model/step';
import type { Step, Trace } from '#model/step';
import type { World } from '#model/world';
import type { Violation } from '../lockstep.ts';
import type { SystemMaker } from '../run-trace.ts';
import { Identities } from './identity.ts';
import { Pair } from './pair.ts';

export interface JointOptions {
  /**
   * Whether a trace that breaks a rule is what is looked for; any is when absent. One that is not
   * ends where it breaks the rule, and the search goes on with others.
   */
  readonly isWanted?: ((trace: Trace, violation: Violation) => boolean) | undefined;
  /** Steps of a trace at most; unlimited when absent. */
  readonly depthLimit?: number | undefined;
  /** Milliseconds; unlimited when absent. */
  readonly timeLimit?: number | undefined;
  /** Bytes that states may take, roughly; most of what there is when absent. */
  readonly memoryLimit?: number | undefined;
  readonly onProgress?: ((found: JointProgress) => void) | undefined;
}

export interface JointProgress {
  readonly states: number;
  readonly transitions: number;
  /** Distance from the machine that was switched on, in steps. */
  readonly depth: number;
}

export interface JointResult extends JointProgress {
  /** Whether every state was visited and every step tried there. */
  readonly complete: boolean;
  readonly stopped: null | 'memory' | 'time' | 'depth';
  readonly deadlocks: number;
  /** Kinds of step that applied in no state. */
  readonly neverEnabled: readonly string[];
  /** The search alone. */
  readonly milliseconds: number;
  readonly setupMilliseconds: number;
  /** Bytes that a state takes, roughly. */
  readonly bytesPerState: number;
  /** A shortest trace of the scope that breaks a rule, and how. */
  readonly broken: { readonly trace: Trace; readonly violation: Violation } | undefined;
}

/** A state by how it was reached first. */
interface Node {
  readonly parent: Node | undefined;
  readonly step: Step | undefined;
  readonly depth: number;
  /** Goes there; until it was expanded. */
  again: (() => void) | undefined;
}

/** What a node and its place in the set of states take, roughly. */
const NODE_BYTES = 160;

/** Memory is looked at once for so many states. */
const MEMORY_EVERY = 64;
/** Part of the memory for objects that states may take where nobody says. */
const MEMORY_PART = 0.75;

const memoryThereIs = (): number => MEMORY_PART * getHeapStatistics().heap_size_limit;

const memoryTaken = (): number => {
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
};

interface Broken {
  readonly steps: readonly Step[];
  readonly violation: Violation;
}

/** The steps that lead to a node, first one first. */
const pathTo = (node: Node): Step[] => {
  const steps: Step[] = [];
  for (let at: Node | undefined = node; at?.step !== undefined; at = at.parent) steps.push(at.step);
  return steps.reverse();
};

/** A letter as step number `id`, once for everything that it may be about. */
const spelled = (letter: Letter, id: number, makers: readonly number[]): readonly Step[] =>
  'of' in KINDS[letter.do].fields
    ? makers.map((of) => ({ id, ...letter, of }) as Step)
    : [{ id, ...letter } as Step];

export class JointSearch {
  readonly #scope: JointScope;
  readonly #pair: Pair;
  readonly #identities: Identities;
  readonly #options: JointOptions;
  readonly #seen = new Set<number>();
  readonly #enabled = new Set<string>();
  readonly #setup: number;
  #transitions = 0;
  #deadlocks = 0;
  readonly #before = memoryTaken();
  #grown = 0;
  #asked = 0;

  constructor(
    scope: JointScope,
    kernel: KernelProfile,
    make: SystemMaker,
    options: JointOptions = {},
  ) {
    const begin = performance.now();
    this.#scope = scope;
    this.#options = options;
    const others = scope.letters.flatMap((each) =>
      each.do === 'load kernel' || each.do === 'boot kernel' ? [each.kernel] : [],
    );
    this.#pair = new Pair(make, kernel, scope.machine, others);
    this.#identities = new Identities(this.#pair.slots);
    this.#setup = performance.now() - begin;
  }

  run(): JointResult {
    const begin = performance.now();
    const { timeLimit = Infinity, memoryLimit = memoryThereIs() } = this.#options;
    const { depthLimit = Infinity, onProgress } = this.#options;
    const violation = this.#pair.boot();
    const result = (depth: number, stopped: JointResult['stopped'], broken?: Broken) =>
      this.#result(performance.now() - begin, depth, stopped, broken);
    if (violation !== undefined) {
      const isWanted = this.#isWanted([], violation);
      return result(0, null, isWanted ? { steps: [], violation } : undefined);
    }
    this.#enter();
    const again = this.#pair.save();
    let level: readonly Node[] = [{ parent: undefined, step: undefined, depth: 0, again }];
    for (let depth = 0; ; depth++) {
      if (depth >= depthLimit) return result(depth, 'depth');
      const next: Node[] = [];
      for (const node of level) {
        if (performance.now() - begin > timeLimit) return result(depth, 'time');
        if (this.#memory > memoryLimit) return result(depth, 'memory');
        const broken = this.#expand(node, next);
        if (broken !== undefined) return result(depth + 1, null, broken);
        onProgress?.({ states: this.#seen.size, transitions: this.#transitions, depth });
      }
      if (next.length === 0) return result(depth, null);
      level = next;
    }
  }

  /** Bytes that are taken, those that lead back to states that wait for their turn among them. */
  get #memory(): number {
    if (this.#asked++ % MEMORY_EVERY === 0) this.#grown = memoryTaken() - this.#before;
    return Math.max(this.#grown, this.#bytes);
  }

  get #bytes(): number {
    return this.#identities.bytes + this.#seen.size * NODE_BYTES;
  }

  /** Whether the state that the pair is in was not met before. */
  #enter(): boolean {
    const { state, world, system } = this.#pair;
    const before = this.#seen.size;
    return this.#seen.add(this.#identities.of(state, world, system)).size > before;
  }

  #isWanted(steps: readonly Step[], violation: Violation): boolean {
    const { isWanted } = this.#options;
    return isWanted?.({ machine: this.#scope.machine, steps }, violation) ?? true;
  }

  /** Takes every step that applies in a node; answers the first one that broke a rule, and how. */
  #expand(node: Node, next: Node[]): Broken | undefined {
    const pair = this.#pair;
    const { depthLimit = Infinity } = this.#options;
    node.again!();
    const steps = this.#stepsOf(pair.world, node.depth);
    if (steps.length === 0) this.#deadlocks++;
    for (const [at, step] of steps.entries()) {
      if (at > 0) node.again!();
      this.#transitions++;
      let isNew = false;
      const violation = pair.judge(step, () => !(isNew = this.#enter()));
      if (violation !== undefined) {
        const trace = [...pathTo(node), step];
        if (this.#isWanted(trace, violation)) return { steps: trace, violation };
      } else if (isNew) {
        const depth = node.depth + 1;
        const again = depth < depthLimit ? pair.save() : undefined;
        next.push({ parent: node, step, depth, again });
      }
    }
    node.again = undefined;
    return undefined;
  }

  /** The steps that apply in a world and stay within the scope. */
  #stepsOf(world: World, id: number): readonly Step[] {
    const { letters, objects, kexecs } = this.#scope;
    const steps: Step[] = [];
    const makers = makersIn(world);
    for (const letter of letters) {
      if (objectsIn(world) >= objects && makesObject(letter)) continue;
      if (letter.do === 'kexec' && world.state.kexecs.get() >= kexecs) continue;
      for (const step of spelled(letter, id, makers)) {
        if (world.calls(step).length === 0) continue;
        this.#enabled.add(letter.do);
        steps.push(step);
      }
    }
    return steps;
  }

  #result(
    milliseconds: number,
    depth: number,
    stopped: JointResult['stopped'],
    broken?: Broken,
  ): JointResult {
    const { machine, letters } = this.#scope;
    const kinds = new Set(letters.map((letter) => letter.do));
    return {
      states: this.#seen.size,
      transitions: this.#transitions,
      depth,
      complete: stopped === null && broken === undefined,
      stopped,
      deadlocks: this.#deadlocks,
      neverEnabled: [...kinds].filter((kind) => !this.#enabled.has(kind)),
      milliseconds: Math.round(milliseconds),
      setupMilliseconds: Math.round(this.#setup),
      bytesPerState: Math.round(this.#bytes / Math.max(1, this.#seen.size)),
      broken: broken && {
        trace: { machine, steps: broken.steps },
        violation: broken.violation,
      },
    };
  }
}
