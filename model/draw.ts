/**
 * Drawing the next step: one that applies now, by weights that vary from trace to trace.
 *
 * First a kind of step is chosen among those that apply, then an object it applies to. A kind that
 * a trace draws rarely or never makes other traces reach further (swarm testing).
 */
import type { Kind, StepBase } from './kinds/kind.ts';
import type { Place } from './place.ts';
import { SLOTS } from './place.ts';
import type { Random } from './random.ts';
import { KINDS, STEP_NAMES, kindOf } from './step.ts';
import type { Step, StepName } from './step.ts';
import { CHAIN_FACTOR, chooseWeighted, drawSilence, makesChain, swarmFactor } from './swarm.ts';
import type { World } from './world.ts';
import type { WorldObject } from './world-object.ts';

/** How often each kind of step is drawn, relative to the others. */
export type Weights = Readonly<Record<StepName, number>>;

export const ORDINARY_WEIGHTS = Object.fromEntries(
  STEP_NAMES.map((name) => [name, KINDS[name].weight]),
) as Weights;

/** Kinds of step that end a chain whatever the next kernel does. */
const CHAIN_ENDS: readonly StepName[] = [
  'cold boot',
  'boot without KHO',
  'load anywhere',
  'crash',
  'boot kernel',
];
/** How much more often a kind of step is drawn that was asked for. */
const WANTED_FACTOR = 3;
/** One draw in so many asks for something that must be refused or changes nothing. */
const UNUSUAL_ONE_IN = 12;
/** One range in so many has about as many frames as an area has that fills a chunk, or two. */
const LARGE_ONE_IN = 40;
const LARGE_COUNTS = [510, 511, 512, 1022, 1023] as const;
/** Where there are more frames than this, few places but powers of two say anything. */
const MANY_FRAMES = 2 ** 24;
/** log2 of the first frame that only such machines have room for, with pages of 4 KiB. */
const FIRST_LARGE_POWER = 14;
/** How far before a power of two ranges start: at it, and so that they cross it. */
const BACK_FROM_POWER = [0, 0, 1, 1, 2, 7] as const;
/** One trace in so many damages trees; a damaged tree ends a chain. */
const TRACES_PER_DAMAGE = 4;
/** One trace in so many boots kernels without KHO, too; each ends a chain. */
const TRACES_PER_STRAY = 4;

/**
 * Weights of one trace: each kind rarer, as usual, or more frequent; some silent.
 *
 * @param wants kinds that are drawn more often and never silenced
 * @param has what the trace has: kernels with phases, several kernels, sessions
 */
export const swarmWeights = (
  random: Random,
  wants: readonly StepName[] = [],
  has: readonly NonNullable<Kind<StepBase>['only']>[] = [],
): Weights => {
  const weights = { ...ORDINARY_WEIGHTS };
  const silentOneIn = drawSilence(random);
  for (const name of STEP_NAMES) {
    const { only } = kindOf(name);
    if (only !== undefined && !has.includes(only)) {
      weights[name] = 0;
      continue;
    }
    const wanted = wants.includes(name);
    if (wanted) weights[name] *= WANTED_FACTOR;
    const maySilence = !wanted && KINDS[name].silenceable;
    weights[name] *= swarmFactor(random, maySilence ? silentOneIn : 0);
  }
  if (makesChain(random)) {
    weights.load *= CHAIN_FACTOR;
    weights.kexec *= CHAIN_FACTOR;
    for (const name of CHAIN_ENDS) weights[name] = 0;
  }
  return weights;
};

/** What a kind of step draws its arguments from. */
export class Draw {
  readonly random: Random;
  /** Whether trees are damaged in this trace. */
  readonly damages: boolean;
  /** Whether kernels without KHO are booted in this trace. */
  readonly strays: boolean;
  #stays: boolean | undefined;
  #world: World | undefined;
  readonly #candidates: WorldObject[] = [];

  constructor(random: Random) {
    this.random = random;
    this.damages = random.oneIn(TRACES_PER_DAMAGE);
    this.strays = random.oneIn(TRACES_PER_STRAY);
  }

  /** The world that the next step is drawn for. */
  get world(): World {
    return this.#world!;
  }

  set world(world: World) {
    this.#world = world;
  }

  /**
   * Whether most images of this trace are of the running kernel: where two kernels misread each
   * other, a trace ends with the first jump between them. Drawn where somebody asks.
   */
  get stays(): boolean {
    this.#stays ??= this.random.oneIn(2);
    return this.#stays;
  }

  get pageBytes(): number {
    return 2 ** this.world.state.machine.pageShift;
  }

  /** An object that passes `usual`; now and then one that passes `unusual` instead. */
  readonly choose = (
    usual: (object: WorldObject) => boolean,
    unusual?: (object: WorldObject) => boolean,
  ): WorldObject | undefined => {
    const test = unusual !== undefined && this.random.oneIn(UNUSUAL_ONE_IN) ? unusual : usual;
    const candidates = this.#candidates;
    candidates.length = 0;
    for (const object of this.world.alive) if (test(object)) candidates.push(object);
    return candidates.length === 0 ? undefined : this.random.pick(candidates);
  };

  /** The same, as the arguments of a step that has no others. */
  object(
    usual: (object: WorldObject) => boolean,
    unusual?: (object: WorldObject) => boolean,
  ): { readonly of: number } | undefined {
    const chosen = this.choose(usual, unusual);
    return chosen && { of: chosen.id };
  }

  /** Mostly few frames; sometimes a range that makes several blocks, or about half a pageblock. */
  count(): number {
    if (this.random.oneIn(LARGE_ONE_IN)) return this.random.pick(LARGE_COUNTS);
    return this.random.oneIn(3) ? this.random.between(9, 70) : this.random.between(1, 8);
  }

  /** Somewhere in memory, often where nodes meet. */
  place(): Place {
    const { random } = this;
    const { nodes, end } = this.world.state.machine;
    const isVast = end > MANY_FRAMES;
    if (isVast && random.oneIn(2)) return this.#powerOfTwo(FIRST_LARGE_POWER);
    if (nodes.length > 1 && random.oneIn(2)) {
      const node = random.below(nodes.length - 1);
      return { at: 'node border', node, back: random.between(-1, 32) };
    }
    if (random.oneIn(isVast ? 2 : 6)) return this.#powerOfTwo(0);
    if (random.oneIn(8)) return this.scratchEdge();
    if (random.oneIn(12)) return { at: 'end of memory', back: random.between(8, 80) };
    return { at: 'slot', slot: random.below(SLOTS), back: random.below(9) };
  }

  /** A power of two, or a little before it, from 2^least on. */
  #powerOfTwo(least: number): Place {
    const { random } = this;
    const powers = 1 + Math.floor(Math.log2(this.world.state.machine.end)) - least;
    return {
      at: 'power of two',
      log2: least + random.below(powers),
      back: random.pick(BACK_FROM_POWER),
    };
  }

  /** Where scratch begins or ends. */
  scratchEdge(): Place {
    const { random } = this;
    const area = random.below(this.world.state.machine.nodes.length + 2);
    return random.oneIn(2)
      ? { at: 'start of scratch', area, back: random.below(9) }
      : { at: 'end of scratch', area, back: random.below(9) };
  }
}

/** Kinds of step in the order of their names. */
const KIND_LIST = STEP_NAMES.map(kindOf);

/** Draws the steps of one trace. */
export class Drawer {
  readonly #draw: Draw;
  /** Weights of the trace, and those of the present state, by the place of a kind of step. */
  readonly #weights: Float64Array;
  readonly #now = new Float64Array(KIND_LIST.length);
  #nextId = 0;

  constructor(random: Random, weights: Weights) {
    this.#draw = new Draw(random);
    this.#weights = Float64Array.from(STEP_NAMES, (name) => weights[name]);
  }

  /** The next step, given what the world looks like. */
  next(world: World): Step {
    this.#draw.world = world;
    const total = this.#weigh(world);
    for (;;) {
      const chosen = chooseWeighted(this.#draw.random, this.#now, total);
      const at = chosen < 0 ? STEP_NAMES.indexOf('alloc') : chosen;
      const drawn = KIND_LIST[at]!.draw(this.#draw);
      if (drawn !== undefined) return { id: this.#nextId++, do: STEP_NAMES[at], ...drawn } as Step;
    }
  }

  /** Weighs every kind of step for the present state; answers the sum. */
  #weigh(world: World): number {
    let total = 0;
    for (let at = 0; at < KIND_LIST.length; at++) {
      const kind = KIND_LIST[at]!;
      const weight = this.#weights[at]!;
      let now = 0;
      if (world.hasWhatItNeeds(kind)) now = kind.weightNow?.(weight, world) ?? weight;
      this.#now[at] = now;
      total += now;
    }
    return total;
  }
}
