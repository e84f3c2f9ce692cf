/**
 * The law and a system side by side, at one point of a trace after the other.
 *
 * A step is judged as lockstep judges the last step of a trace, everything compared at its end.
 * Where both were before can be remembered, and made again: the system says how.
 */
import { call } from '#model/call';
import type { KernelProfile } from '#model/kernels';
import { buildMachine } from '#model/machines';
import type { MachineShape } from '#model/machines';
import { scopeOf, sparseState } from '#model/sparse-carrier';
import type { SparseState } from '#model/sparse-carrier';
import type { Step } from '#model/step';
import type { Stateful, System } from '#model/system';
import { World } from '#model/world';
import { GENERATIONS, ageOf, generationOfAge } from '#spec/generations';
import type { Generation } from '#spec/generations';
import { CELLS } from '#spec/state';
import { FULL_EVERY, Lockstep } from '../lockstep.ts';
import type { Violation } from '../lockstep.ts';
import type { SystemMaker } from '../run-trace.ts';
import { Tally } from '../tally.ts';
import { saveLaw, saveWorld } from './saved.ts';

/** A system that says what it is. */
export type StatefulSystem = System & Stateful;

const isStateful = (system: System): system is StatefulSystem =>
  system.state !== undefined && system.save !== undefined;

const FIRST_WITHOUT_RANGES = GENERATIONS.indexOf('v5');
const FIRST_WITH_SIZES = GENERATIONS.indexOf('7.1');

const SLOT_CELLS = Object.values(CELLS).filter((cell) => cell.kind === 'slot');

export class Pair {
  readonly state: SparseState;
  system: StatefulSystem;
  world: World;
  /** How many slots each of the law's cells has that has slots. */
  readonly slots: readonly number[];
  readonly #make: SystemMaker;
  readonly #kernel: KernelProfile;
  readonly #tally = new Tally();

  /** @param others kernels that steps bring, as indices of `GENERATIONS` */
  constructor(
    make: SystemMaker,
    kernel: KernelProfile,
    shape: MachineShape,
    others: readonly number[] = [],
  ) {
    this.#make = make;
    this.#kernel = kernel;
    const all = [GENERATIONS.indexOf(kernel.generation), ...others];
    const hasOldTrees = all.some((each) => each < FIRST_WITH_SIZES);
    const hasOwnOption = all.some((each) => each < FIRST_WITHOUT_RANGES);
    this.state = sparseState(buildMachine(shape, { hasOldTrees, hasOwnOption }));
    const scope = scopeOf(this.state.machine);
    this.slots = SLOT_CELLS.map((cell) => cell.slots!(scope));
    this.system = this.#newSystem();
    this.world = new World(this.state);
  }

  #newSystem(): StatefulSystem {
    const system = this.#make(this.state.machine);
    if (!isStateful(system)) throw new TypeError('this system does not say what it is');
    return system;
  }

  /** Nothing is noted: where both are next, everything is another. */
  #lockstepOf(generation: Generation): Lockstep {
    return new Lockstep(this.system, this.state, generation, this.#tally, FULL_EVERY, false);
  }

  /** Switches a new machine on, and judges it. */
  boot(): Violation | undefined {
    const { state } = this;
    state.clear();
    state.installed.set(ageOf(this.#kernel.generation));
    state.runs.set(state.installed.get());
    this.system = this.#newSystem();
    this.world = new World(state);
    const lockstep = this.#lockstepOf(this.#kernel.generation);
    return lockstep.call(call('coldBoot'), () => {}) ?? lockstep.compareRest();
  }

  /**
   * Takes a step, if it applies, and judges it and everything there is after it.
   *
   * @param isKnown whether the state that the step led to was compared before: what a comparison
   *   finds depends on nothing else
   */
  judge(step: Step, isKnown = (): boolean => false): Violation | undefined {
    const { state, world } = this;
    const generation = generationOfAge(state.runs.get());
    const lockstep = this.#lockstepOf(generation);
    for (const made of world.calls(step)) {
      const violation = lockstep.call(made, (answer) => world.settle(step, made, answer));
      if (violation !== undefined) return violation;
    }
    return isKnown() ? undefined : lockstep.compareRest();
  }

  /** Remembers this point; what is returned comes back to it, as often as one likes. */
  save(): () => void {
    const law = saveLaw(this.state, this.slots);
    const world = saveWorld(this.world);
    const { system } = this;
    const systemAgain = system.save();
    return () => {
      law();
      this.world = world();
      this.system = system;
      systemAgain();
    };
  }
}
