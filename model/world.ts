/**
 * The world: which objects there are, and what a step means right now.
 *
 * The world plays the caller of KHO, and plays it by the rules: it frees what it owns, names what
 * it preserved, and so on. Where KHO promises a refusal, the world also asks for what must be
 * refused. It follows objects through answers and kexecs; it knows nothing of the system but its
 * answers.
 */
import type { ActionName, Answer, Call } from '#spec/call';
import { COLD, NO_KHO, REVIVED } from '#spec/call';
import { EEXIST } from '#spec/errno';
import { generationOfAge } from '#spec/generations';
import type { Generation } from '#spec/generations';
import { MEMBLOCK_NAME } from '#spec/handover-tree';
import { hasAction } from '#spec/law';
import { KHO_KDUMP, KHO_ON, hasRanges, isEarly, runsBefore, touchesScratch } from '#spec/state';
import type { State } from '#spec/state';
import { NO_CALLS } from './kinds/kind.ts';
import type { Kind, StepBase } from './kinds/kind.ts';
import { Sessions } from './sessions.ts';
import { kindOf } from './step.ts';
import type { Step, StepName } from './step.ts';
import { WorldObject } from './world-object.ts';
import type { Making } from './world-object.ts';

/** Changes that nobody specified for the time in which everything is written down. */
const UNSPECIFIED: readonly ActionName[] = ['preserveVmalloc', 'releaseReserveMem'];

/** Whether a call ended every preservation: an abort, or before 6.19 finalizing that failed. */
const takesAllBack = (state: State, { action }: Call, { value }: Answer): boolean =>
  (action === 'abort' && value === 0) ||
  (action === 'finalize' && value < 0 && value !== -EEXIST && runsBefore(state, '6.19'));

/** The same, where users of the kernel do not go on as if nothing had been. */
const endsAll = (state: State, made: Call, answer: Answer): boolean =>
  !isEarly(state) && takesAllBack(state, made, answer);

export class World {
  readonly state: State;
  /** Kernels that steps may load, as indices of `GENERATIONS`; none where there is but one. */
  readonly kernels: readonly number[];
  readonly #objects = new Map<number, WorldObject>();
  /** Objects that are not gone, in the order in which they were made. */
  readonly alive: WorldObject[] = [];
  /** Sessions of the live update orchestrator, and their files. */
  readonly luo = new Sessions();
  /** Whether the tree was filled with many names since the last kexec. */
  crowded = false;
  /** Blocks that were taken for nothing but to make memory short. */
  readonly hogged: { readonly pfn: number; readonly order: number }[] = [];
  /** Whether everything was given back at least once since the last kexec. */
  tidied = false;

  constructor(state: State, kernels: readonly number[] = []) {
    this.state = state;
    this.kernels = kernels;
  }

  /** The object that a step made, unless it is gone. */
  object(id: number): WorldObject | undefined {
    const found = this.#objects.get(id);
    return found === undefined || found.status === 'gone' ? undefined : found;
  }

  /** Whether the running kernel has what a kind of step needs. */
  permits(name: StepName): boolean {
    return this.hasWhatItNeeds(kindOf(name));
  }

  /** The same, of the kind itself. */
  hasWhatItNeeds({
    needs,
    since,
    also,
  }: Pick<Kind<StepBase>, 'needs' | 'since' | 'also'>): boolean {
    if (since !== undefined && runsBefore(this.state, since) && !this.#runsOneOf(also))
      return false;
    const kho = this.state.kho.get();
    if (kho === KHO_ON) return true;
    return needs === 'nothing' || (needs === 'memory' && kho !== KHO_KDUMP);
  }

  #runsOneOf(also: readonly Generation[] | undefined): boolean {
    return also !== undefined && also.includes(generationOfAge(this.state.runs.get()));
  }

  /** The calls that a step stands for now; none when it does not apply. */
  calls(step: Step): readonly Call[] {
    if (!this.permits(step.do)) return NO_CALLS;
    const calls = kindOf(step.do).calls(this, step);
    if (!runsBefore(this.state, '7.1')) return calls;
    return calls.every((made) => this.#mayAsk(made)) ? calls : NO_CALLS;
  }

  /**
   * Whether an older kernel has what is asked for, and a caller that plays by the rules asks: not
   * for a change that is neither permitted nor refused while everything is written down, and not
   * for memory in scratch where nobody looks.
   */
  #mayAsk({ action, pfn, count, order, name }: Call): boolean {
    const { state } = this;
    if (!hasAction(generationOfAge(state.runs.get()), action)) return false;
    if (state.final.get() === 1 && UNSPECIFIED.includes(action)) return false;
    // Before the merge the kernel's own list of regions is a node of the tree, not a blob.
    if (action === 'addSubtree' && name === MEMBLOCK_NAME && isEarly(state)) return false;
    const preserves = action === 'preserveFolio' || action === 'preservePages';
    if (!preserves || !runsBefore(state, '6.18')) return true;
    return !touchesScratch(state, pfn, action === 'preserveFolio' ? 2 ** order : count);
  }

  /** Takes note of an answer that the law accepted. */
  settle(step: Step, made: Call, answer: Answer): void {
    if (endsAll(this.state, made, answer)) this.#takeAllBack();
    kindOf(step.do).settle?.(this, step, made, answer);
  }

  /** An object was made. */
  add(id: number, making: Making): void {
    const object = new WorldObject(id, making);
    this.#objects.set(id, object);
    this.alive.push(object);
  }

  /** An object was given back. */
  drop(id: number): void {
    const object = this.object(id);
    if (object === undefined) return;
    object.status = 'gone';
    this.alive.splice(this.alive.indexOf(object), 1);
  }

  /** Nothing is preserved any more; whoever listed an area forgets it, as the list is nobody's. */
  #takeAllBack(): void {
    for (let i = this.alive.length - 1; i >= 0; i--) {
      const object = this.alive[i]!;
      object.names = 0;
      if (object.preserved && object.blocks !== undefined) {
        object.status = 'gone';
        this.alive.splice(i, 1);
      }
      object.preserved = false;
    }
    this.crowded = false;
  }

  /** Nothing is left of what the world knew of the kernel before, objects aside. */
  #startAnew(): void {
    this.crowded = false;
    this.tidied = false;
    this.hogged.length = 0;
  }

  /** The next kernel took the handover over: what was preserved is held, the rest is gone. */
  crossOver(): void {
    this.#startAnew();
    if (this.state.luoLeft.get() === 1) this.luo.crossOver();
    else this.luo.forget();
    for (let i = this.alive.length - 1; i >= 0; i--) {
      const object = this.alive[i]!;
      object.names = 0;
      object.pinned = false;
      if (object.preserved) {
        object.status = 'held';
        object.preserved = false;
        if (hasRanges(this.state)) object.becomeRange();
      } else {
        object.status = 'gone';
        this.alive.splice(i, 1);
      }
    }
  }

  /** A jump was answered: the next kernel took the handover over, or nothing, or never ran. */
  jumped(value: number): void {
    if (value === REVIVED) this.crossOver();
    else if (value === COLD || value === NO_KHO) this.forgetAll();
  }

  /** The next kernel knows of nothing. */
  forgetAll(): void {
    this.#startAnew();
    this.luo.forget();
    for (const object of this.alive) object.status = 'gone';
    this.alive.length = 0;
  }
}
