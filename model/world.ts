/**
 * The world: which objects there are, and what a step means right now.
 *
 * The world plays the caller of KHO, and plays it by the rules: it frees what it owns, names what
 * it preserved, and so on. Where KHO promises a refusal, the world also asks for what must be
 * refused. It follows objects through answers and kexecs; it knows nothing of the system but its
 * answers.
 */
import type { Answer, Call } from '#spec/call';
import { HELD, areaSlots, touchesScratch } from '#spec/state';
import type { State } from '#spec/state';
import { isHeldRange } from '#spec/restore';
import { call } from './call.ts';
import { CROWD_FIRST, CROWD_NAMES } from './machines.ts';
import type { Place, Step } from './step.ts';

/** `owned`: the running kernel has it; `held`: handed over and not restored; `gone`: neither. */
export type Status = 'owned' | 'held' | 'gone';

/** Something that a step made: a block, or a range of single pages. */
export class WorldObject {
  readonly id: number;
  readonly kind: 'block' | 'range';
  readonly pfn: number;
  readonly order: number;
  readonly count: number;
  readonly movable: boolean;
  status: Status = 'owned';
  preserved = false;
  /** How many names of the outgoing tree point to it. */
  names = 0;

  constructor(id: number, made: Call, answer: Answer) {
    this.id = id;
    this.kind = made.action === 'allocPages' ? 'block' : 'range';
    this.pfn = this.kind === 'block' ? answer.value : made.pfn;
    this.order = made.order;
    this.count = this.kind === 'block' ? 2 ** made.order : made.count;
    this.movable = this.kind === 'block' && made.value !== 0;
  }
}

export class World {
  readonly state: State;
  readonly #objects = new Map<number, WorldObject>();
  /** Objects that are not gone, in the order in which they were made. */
  readonly alive: WorldObject[] = [];
  #crowded = false;

  constructor(state: State) {
    this.state = state;
  }

  /** Whether the tree was filled with many names since the last kexec. */
  get crowded(): boolean {
    return this.#crowded;
  }

  object(id: number): WorldObject | undefined {
    const found = this.#objects.get(id);
    return found === undefined || found.status === 'gone' ? undefined : found;
  }

  /** The calls that a step stands for now; none when it does not apply. */
  calls(step: Step): readonly Call[] {
    switch (step.do) {
      case 'alloc':
        return this.#alloc(step);
      case 'claim':
        return this.#claim(step);
      case 'preserve scratch':
        return this.#preserveScratch(step);
      case 'retrieve subtree':
        return [call('retrieveSubtree', { name: step.name })];
      case 'load':
        return [call('kexecFileLoad')];
      case 'kexec':
        return [call('kexec', { value: step.damage })];
      case 'cold boot':
        return [call('coldBoot')];
      default: {
        const object = this.object(step.of);
        return object === undefined ? [] : this.#onObject(step, object);
      }
    }
  }

  #alloc(step: Extract<Step, { do: 'alloc' }>): readonly Call[] {
    if (step.node >= this.state.machine.nodes.length) return [];
    const { node, order } = step;
    return [call('allocPages', { node, order, value: step.movable ? 1 : 0 })];
  }

  #claim(step: Extract<Step, { do: 'claim' }>): readonly Call[] {
    const pfn = this.resolve(step.place);
    if (pfn < 0 || pfn + step.count > this.state.machine.end) return [];
    return [call('allocContig', { pfn, count: step.count })];
  }

  #preserveScratch(step: Extract<Step, { do: 'preserve scratch' }>): readonly Call[] {
    const pfn = this.resolve(step.place);
    if (pfn < 0 || pfn + step.count > this.state.machine.end) return [];
    if (!touchesScratch(this.state, pfn, step.count)) return [];
    return [call('preservePages', { pfn, count: step.count })];
  }

  #onObject(step: Extract<Step, { of: number }>, object: WorldObject): readonly Call[] {
    const { pfn, order, count, status, kind, preserved, names } = object;
    const owned = status === 'owned';
    switch (step.do) {
      case 'free':
        if (!owned || preserved) return [];
        return [kind === 'block' ? call('freePages', { pfn, order }) : freeContig(object)];
      case 'write':
        if (!owned || step.page >= count) return [];
        return [call('write', { pfn: pfn + step.page, value: stampOf(step) })];
      case 'preserve':
        return owned && this.#mayPreserve(object) ? [preserveCall(object)] : [];
      case 'unpreserve':
        return owned && names === 0 && !object.movable ? [unpreserveCall(object)] : [];
      case 'restore':
        return this.#mayRestore(object) ? [restoreCall(object)] : [];
      case 'restore part':
        return status === 'held' && !isHeldRange(this.state, pfn, step.count)
          ? [call('restorePages', { pfn, count: step.count })]
          : [];
      case 'add subtree':
        if (!owned || !preserved || step.bytes > count * this.#pageBytes) return [];
        return [call('addSubtree', { pfn, name: step.name, value: step.bytes })];
      case 'crowd tree':
        return owned && preserved ? this.#crowd(object, step.count) : [];
      case 'remove subtree':
        return owned && names === 1 ? [call('removeSubtree', { pfn })] : [];
    }
  }

  get #pageBytes(): number {
    return 2 ** this.state.machine.pageShift;
  }

  /** Movable memory is preserved only where it must be refused: in scratch. */
  #mayPreserve({ movable, pfn, count }: WorldObject): boolean {
    return !movable || touchesScratch(this.state, pfn, count);
  }

  /** What is owned by now must be refused; asking for movable memory says nothing new. */
  #mayRestore({ movable, status, pfn }: WorldObject): boolean {
    if (movable) return false;
    return status === 'held' || this.state.use.get(pfn) !== HELD;
  }

  #crowd(object: WorldObject, count: number): readonly Call[] {
    const calls: Call[] = [];
    for (let i = 0; i < Math.min(count, CROWD_NAMES); i++) {
      calls.push(
        call('addSubtree', { pfn: object.pfn, name: CROWD_FIRST + i, value: this.#pageBytes }),
      );
    }
    return calls;
  }

  /** Frame of a place, or -1 when the machine has no such place. */
  resolve(place: Place): number {
    const { machine } = this.state;
    switch (place.at) {
      case 'slot':
        return slotFrame(machine.end, place.slot) - place.back;
      case 'node border': {
        const node = machine.nodes[place.node + 1];
        return node === undefined ? -1 : node.first - place.back;
      }
      case 'start of scratch':
      case 'end of scratch': {
        if (place.area >= areaSlots(machine)) return -1;
        const first = this.state.areaFirst.get(place.area);
        const size = place.at === 'end of scratch' ? this.state.areaCount.get(place.area) : 0;
        return first + size - place.back;
      }
    }
  }

  /** Takes note of an answer that the law accepted. */
  settle(step: Step, made: Call, answer: Answer): void {
    switch (made.action) {
      case 'allocPages':
        if (answer.value >= 0) this.#add(new WorldObject(step.id, made, answer));
        return;
      case 'allocContig':
        if (answer.value === 0) this.#add(new WorldObject(step.id, made, answer));
        return;
      case 'kexec':
        if (answer.value === 1) this.#crossOver();
        else if (answer.value === 0) this.#forgetAll();
        return;
      case 'coldBoot':
        this.#forgetAll();
        return;
      default:
        if ('of' in step) this.#settleObject(this.object(step.of), made, answer);
    }
  }

  #add(object: WorldObject): void {
    this.#objects.set(object.id, object);
    this.alive.push(object);
  }

  #settleObject(object: WorldObject | undefined, made: Call, answer: Answer): void {
    if (object === undefined || answer.value < 0) return;
    switch (made.action) {
      case 'freePages':
      case 'freeContig':
        this.#drop(object);
        return;
      case 'preserveFolio':
      case 'preservePages':
        object.preserved = true;
        return;
      case 'unpreserveFolio':
      case 'unpreservePages':
        object.preserved = false;
        return;
      case 'restoreFolio':
      case 'restorePages':
        object.status = 'owned';
        return;
      case 'addSubtree':
        object.names++;
        if (made.name >= CROWD_FIRST) this.#crowded = true;
        return;
      case 'removeSubtree':
        object.names--;
        return;
      default:
    }
  }

  #drop(object: WorldObject): void {
    object.status = 'gone';
    this.alive.splice(this.alive.indexOf(object), 1);
  }

  #crossOver(): void {
    this.#crowded = false;
    for (let i = this.alive.length - 1; i >= 0; i--) {
      const object = this.alive[i]!;
      object.names = 0;
      if (object.preserved) {
        object.status = 'held';
        object.preserved = false;
      } else {
        object.status = 'gone';
        this.alive.splice(i, 1);
      }
    }
  }

  #forgetAll(): void {
    this.#crowded = false;
    for (const object of this.alive) object.status = 'gone';
    this.alive.length = 0;
  }
}

/** A stamp that no other write of the same trace has, made of the step and the page. */
const stampOf = (step: { readonly id: number; readonly page: number }): number =>
  ((step.id + 1) * 2048 + (step.page % 2048)) % 0xfffffff0;

/** The slots are spread over memory, 16 of them, away from its ends. */
const slotFrame = (end: number, slot: number): number =>
  Math.floor((end * (2 * (slot % 16) + 1)) / 32 / 8) * 8;

const freeContig = ({ pfn, count }: WorldObject): Call => call('freeContig', { pfn, count });

const preserveCall = ({ kind, pfn, order, count }: WorldObject): Call =>
  kind === 'block' ? call('preserveFolio', { pfn, order }) : call('preservePages', { pfn, count });

const unpreserveCall = ({ kind, pfn, order, count }: WorldObject): Call =>
  kind === 'block'
    ? call('unpreserveFolio', { pfn, order })
    : call('unpreservePages', { pfn, count });

const restoreCall = ({ kind, pfn, count }: WorldObject): Call =>
  kind === 'block' ? call('restoreFolio', { pfn }) : call('restorePages', { pfn, count });
