/**
 * Drawing the next step: one that applies now, by weights that vary from trace to trace.
 *
 * First a kind of step is chosen among those that apply, then an object it applies to. A kind that
 * a trace draws rarely or never makes other traces reach further (swarm testing).
 */
import { TREE_DAMAGE } from '#spec/call';
import { CROWD_FIRST, CROWD_NAMES } from './machines.ts';
import type { Random } from './random.ts';
import type { Place, Step, StepName, StepWhat } from './step.ts';
import type { World, WorldObject } from './world.ts';

/** How often each kind of step is drawn, relative to the others. */
export type Weights = Readonly<Record<StepName, number>>;

export const ORDINARY_WEIGHTS: Weights = {
  alloc: 16,
  claim: 8,
  free: 6,
  write: 10,
  preserve: 20,
  unpreserve: 5,
  restore: 16,
  'restore part': 2,
  'preserve scratch': 2,
  'add subtree': 5,
  'crowd tree': 1,
  'remove subtree': 3,
  'retrieve subtree': 3,
  load: 10,
  kexec: 12,
  'cold boot': 0.3,
};

const STEP_NAMES = Object.keys(ORDINARY_WEIGHTS) as StepName[];

/** Kinds of step that a swarm may silence; without the others a trace goes nowhere. */
const SILENCEABLE: readonly StepName[] = [
  'claim',
  'free',
  'unpreserve',
  'restore part',
  'preserve scratch',
  'add subtree',
  'crowd tree',
  'remove subtree',
  'retrieve subtree',
  'cold boot',
];

/** How much more often a trace that makes a long chain loads and jumps. */
const CHAIN_FACTOR = 4;

/** How much more often a kind of step is drawn that was asked for. */
const WANTED_FACTOR = 3;

/**
 * Weights of one trace: each kind rarer, as usual, or more frequent; some silent.
 *
 * @param wants kinds that are drawn more often and never silenced
 */
export const swarmWeights = (random: Random, wants: readonly StepName[] = []): Weights => {
  const weights = { ...ORDINARY_WEIGHTS };
  for (const name of STEP_NAMES) {
    const wanted = wants.includes(name);
    if (wanted) weights[name] *= WANTED_FACTOR;
    const silent = !wanted && SILENCEABLE.includes(name) && random.oneIn(5);
    weights[name] *= silent ? 0 : random.pick([0.25, 1, 1, 1, 4]);
  }
  if (random.oneIn(2)) {
    weights.load *= CHAIN_FACTOR;
    weights.kexec *= CHAIN_FACTOR;
    weights['cold boot'] = 0;
  }
  return weights;
};

/** What a draw chooses from: the objects that a kind of step applies to. */
type Candidates = Readonly<Record<StepName, (object: WorldObject) => boolean>>;

const never = (): boolean => false;

const CANDIDATES: Candidates = {
  alloc: never,
  claim: never,
  'preserve scratch': never,
  'retrieve subtree': never,
  load: never,
  kexec: never,
  'cold boot': never,
  free: (o) => o.status === 'owned' && !o.preserved,
  write: (o) => o.status === 'owned',
  preserve: (o) => o.status === 'owned' && !o.preserved && !o.movable,
  unpreserve: (o) => o.status === 'owned' && o.preserved && o.names === 0,
  restore: (o) => o.status === 'held',
  'restore part': (o) => o.status === 'held' && o.kind === 'range',
  'add subtree': (o) => o.status === 'owned' && o.preserved,
  'crowd tree': (o) => o.status === 'owned' && o.preserved,
  'remove subtree': (o) => o.status === 'owned' && o.names === 1,
};

/** The same, for asking what must be refused or must change nothing. */
const UNUSUAL: Partial<Candidates> = {
  preserve: (o) => o.status === 'owned' && (o.preserved || o.movable),
  unpreserve: (o) => o.status === 'owned' && !o.preserved && !o.movable,
  restore: (o) => o.status === 'owned' && !o.movable,
};

/** Limits that keep a trace small enough to read. */
const OBJECTS_MAX = 24;

/** One trace in so many damages trees. */
const TRACES_PER_DAMAGE = 4;

/** Draws steps for one trace. */
export class Drawer {
  readonly #random: Random;
  readonly #weights: Weights;
  readonly #candidates: WorldObject[] = [];
  /** Whether trees are damaged in this trace; a damaged tree ends a chain. */
  readonly #damages: boolean;
  #nextId = 0;

  constructor(random: Random, weights: Weights) {
    this.#random = random;
    this.#weights = weights;
    this.#damages = random.oneIn(TRACES_PER_DAMAGE);
  }

  /** The next step, given what the world looks like. */
  next(world: World): Step {
    const what = this.#draw(world);
    return { id: this.#nextId++, ...what };
  }

  #draw(world: World): StepWhat {
    for (;;) {
      const name = this.#chooseName(world);
      const what = this.#fill(name, world);
      if (what !== undefined) return what;
    }
  }

  #chooseName(world: World): StepName {
    const loaded = world.state.loaded.get() === 1;
    let total = 0;
    for (const name of STEP_NAMES) total += this.#weightOf(name, world, loaded);
    let left = (this.#random.below(1 << 20) / (1 << 20)) * total;
    for (const name of STEP_NAMES) {
      left -= this.#weightOf(name, world, loaded);
      if (left < 0) return name;
    }
    return 'alloc';
  }

  #weightOf(name: StepName, world: World, loaded: boolean): number {
    const weight = this.#weights[name];
    switch (name) {
      case 'load':
        return loaded ? weight / 20 : weight;
      case 'kexec':
        return loaded ? weight / this.#reluctance(world) : weight / 40;
      case 'alloc':
      case 'claim':
        return world.alive.length >= OBJECTS_MAX ? 0 : weight;
      case 'crowd tree':
        return world.crowded ? weight / 20 : weight;
      default:
        return weight;
    }
  }

  /** A jump says little while nothing is preserved, or while much is held that it would lose. */
  #reluctance(world: World): number {
    let preserved = 0;
    let held = 0;
    for (const object of world.alive) {
      if (object.preserved) preserved++;
      if (object.status === 'held') held++;
    }
    return preserved === 0 ? 3 : held > 0 ? 2 : 1;
  }

  #fill(name: StepName, world: World): StepWhat | undefined {
    const random = this.#random;
    switch (name) {
      case 'alloc':
        return this.#alloc(world);
      case 'claim':
        return { do: name, place: this.#place(world), count: this.#count() };
      case 'preserve scratch':
        return { do: name, place: this.#scratchEdge(world), count: random.between(2, 9) };
      case 'retrieve subtree':
        return { do: name, name: random.below(CROWD_FIRST) };
      case 'load':
      case 'cold boot':
        return { do: name };
      case 'kexec':
        return { do: name, damage: this.#damages && random.oneIn(8) ? this.#damage() : 0 };
      default:
        return this.#fillObject(name, world);
    }
  }

  #fillObject(name: StepName, world: World): StepWhat | undefined {
    const object = this.#choose(name, world);
    if (object === undefined) return undefined;
    const of = object.id;
    switch (name) {
      case 'write':
        return { do: name, of, page: this.#page(object) };
      case 'restore part':
        return { do: name, of, count: this.#otherCount(object) };
      case 'add subtree':
        return {
          do: name,
          of,
          name: this.#random.between(1, CROWD_FIRST - 1),
          bytes: this.#bytes(object),
        };
      case 'crowd tree':
        return { do: name, of, count: CROWD_NAMES };
      case 'free':
      case 'preserve':
      case 'unpreserve':
      case 'restore':
      case 'remove subtree':
        return { do: name, of };
      default:
        return undefined;
    }
  }

  #choose(name: StepName, world: World): WorldObject | undefined {
    const unusual = this.#random.oneIn(12) ? UNUSUAL[name] : undefined;
    const test = unusual ?? CANDIDATES[name];
    const candidates = this.#candidates;
    candidates.length = 0;
    for (const object of world.alive) if (test(object)) candidates.push(object);
    return candidates.length === 0 ? undefined : this.#random.pick(candidates);
  }

  #alloc(world: World): StepWhat {
    const random = this.#random;
    const nodes = world.state.machine.nodes.length;
    const order = random.oneIn(24) ? random.pick([9, 10]) : random.below(random.between(1, 6));
    const node = random.oneIn(3) ? random.below(nodes) : -1;
    return { do: 'alloc', node, order, movable: random.oneIn(6) };
  }

  /** Mostly small counts; sometimes one that makes several blocks. */
  #count(): number {
    return this.#random.oneIn(3) ? this.#random.between(9, 70) : this.#random.between(1, 8);
  }

  #otherCount({ count }: WorldObject): number {
    return this.#random.oneIn(2) && count > 1 ? this.#random.between(1, count - 1) : count + 1;
  }

  #place(world: World): Place {
    const random = this.#random;
    const nodes = world.state.machine.nodes.length;
    if (nodes > 1 && random.oneIn(2)) {
      return { at: 'node border', node: random.below(nodes - 1), back: random.below(33) };
    }
    if (random.oneIn(8)) return this.#scratchEdge(world);
    return { at: 'slot', slot: random.below(16), back: random.below(9) };
  }

  #scratchEdge(world: World): Place {
    const random = this.#random;
    const area = random.below(world.state.machine.nodes.length + 2);
    return random.oneIn(2)
      ? { at: 'start of scratch', area, back: random.below(9) }
      : { at: 'end of scratch', area, back: random.below(9) };
  }

  #damage(): number {
    return this.#random.between(1, DAMAGES);
  }

  #page({ count }: WorldObject): number {
    return this.#random.pick([0, count - 1, this.#random.below(count)]);
  }

  #bytes({ count }: WorldObject): number {
    return this.#random.pick([1, 73, 4096, count * 4096]);
  }
}

const DAMAGES = TREE_DAMAGE.length - 1;
