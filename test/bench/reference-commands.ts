/**
 * fast-check's own loop for models, on a toy: what its users get out of the box.
 *
 * Eight frames, three kernels, a model of byte arrays against a system of bit masks; the same small
 * state space that other engines race on. Nothing of kho-check runs in here.
 */
import fc from 'fast-check';

export const FRAMES = 8;
const SCRATCH = 2;
const KERNELS = 3;
const ENOENT = 2;
const EBUSY = 16;

export type Name =
  'movable' | 'unmovable' | 'free' | 'preserve' | 'unpreserve' | 'restore' | 'load' | 'kexec';

/**
 * Bugs that the toy can have. `again`: what is taken back and preserved again is lost; `second`:
 * what was restored and preserved again loses its content; `buddy`: taking back drops the frame's
 * neighbour; `third`: the third of the preserved frames loses its content.
 */
export type Bug = 'again' | 'second' | 'buddy' | 'third';

export class Model {
  readonly use = new Uint8Array(FRAMES);
  readonly kept = new Uint8Array(FRAMES);
  readonly held = new Uint8Array(FRAMES);
  readonly content = new Uint8Array(FRAMES);
  kernel = 0;
  loaded = false;

  can(name: Name, p: number): boolean {
    switch (name) {
      case 'movable':
        return this.use[p] === 0 && this.held[p] === 0;
      case 'unmovable':
        return p >= SCRATCH && this.use[p] === 0 && this.held[p] === 0;
      case 'free':
        return this.use[p] !== 0 && this.kept[p] === 0;
      case 'preserve':
        return p >= SCRATCH && this.use[p] === 2 && this.kept[p] === 0 && !this.loaded;
      case 'unpreserve':
        return this.kept[p] === 1 && !this.loaded;
      case 'restore':
        return this.held[p] === 1;
      case 'load':
        return !this.loaded;
      case 'kexec':
        return this.loaded && this.kernel < KERNELS - 1;
    }
  }

  do(name: Name, p: number): void {
    switch (name) {
      case 'movable':
      case 'unmovable':
        this.use[p] = name === 'movable' ? 1 : 2;
        this.content[p] = this.kernel + 1;
        return;
      case 'free':
        this.use[p] = 0;
        this.content[p] = 0;
        return;
      case 'preserve':
      case 'unpreserve':
        this.kept[p] = name === 'preserve' ? 1 : 0;
        return;
      case 'restore':
        this.held[p] = 0;
        this.use[p] = 2;
        return;
      case 'load':
        this.loaded = true;
        return;
      case 'kexec':
        this.#kexec();
    }
  }

  #kexec(): void {
    for (let p = 0; p < FRAMES; p++) {
      this.held[p] = this.kept[p]!;
      if (this.kept[p] === 0) this.content[p] = 0;
      this.kept[p] = 0;
      this.use[p] = 0;
    }
    this.kernel++;
    this.loaded = false;
  }
}

export class Real {
  readonly #bug: Bug | undefined;
  #movable = 0;
  #unmovable = 0;
  #kept = 0;
  #held = 0;
  #kernel = 0;
  readonly #content = new Uint8Array(FRAMES);
  /** Frames that were taken back, and that were restored, since the last jump. */
  #takenBack = 0;
  #restored = 0;

  constructor(bug?: Bug) {
    this.#bug = bug;
  }

  #owned(bit: number): boolean {
    return ((this.#movable | this.#unmovable) & bit) !== 0;
  }

  do(name: Name, p: number): number {
    const bit = 1 << p;
    switch (name) {
      case 'movable':
        if (this.#owned(bit)) return -EBUSY;
        this.#movable |= bit;
        this.#content[p] = this.#kernel + 1;
        return 0;
      case 'unmovable':
        if (this.#owned(bit)) return -EBUSY;
        this.#unmovable |= bit;
        this.#content[p] = this.#kernel + 1;
        return 0;
      case 'free':
        this.#movable &= ~bit;
        this.#unmovable &= ~bit;
        this.#restored &= ~bit;
        this.#content[p] = 0;
        return 0;
      case 'preserve':
        if (this.#bug !== 'again' || (this.#takenBack & bit) === 0) this.#kept |= bit;
        return 0;
      case 'unpreserve':
        this.#kept &= ~bit;
        this.#takenBack |= bit;
        if (this.#bug === 'buddy') this.#kept &= ~(1 << (p ^ 1));
        return 0;
      case 'restore':
        if ((this.#held & bit) === 0) return -ENOENT;
        this.#held &= ~bit;
        this.#unmovable |= bit;
        this.#restored |= bit;
        return this.#content[p]!;
      case 'load':
        return 0;
      case 'kexec':
        this.#kexec();
        return 0;
    }
  }

  #kexec(): void {
    let kept = 0;
    for (let q = 0; q < FRAMES; q++) {
      const isKept = ((this.#kept >> q) & 1) === 1;
      if (isKept) kept++;
      const third = this.#bug === 'third' && kept === 3;
      const second = this.#bug === 'second' && ((this.#restored >> q) & 1) === 1;
      if (!isKept || third || second) this.#content[q] = 0;
    }
    this.#held = this.#kept;
    this.#kept = this.#movable = this.#unmovable = 0;
    this.#takenBack = this.#restored = 0;
    this.#kernel++;
  }
}

let executed = 0;

class Command implements fc.Command<Model, Real> {
  readonly name: Name;
  readonly p: number;

  constructor(name: Name, p: number) {
    this.name = name;
    this.p = p;
  }

  check(model: Readonly<Model>): boolean {
    return model.can(this.name, this.p);
  }

  run(model: Model, real: Real): void {
    executed++;
    const want = this.name === 'restore' ? model.content[this.p]! : 0;
    model.do(this.name, this.p);
    if (real.do(this.name, this.p) !== want) throw new Error(`mismatch in ${this.toString()}`);
  }

  toString(): string {
    return `${this.name}(${this.p})`;
  }
}

const ON_FRAMES = ['movable', 'unmovable', 'free', 'preserve', 'unpreserve', 'restore'] as const;

const COMMANDS = [
  ...ON_FRAMES.map((name) => fc.nat(FRAMES - 1).map((p) => new Command(name, p))),
  fc.constant(new Command('load', 0)),
  fc.constant(new Command('kexec', 0)),
];

/** Runs fast-check's loop (maxCommands 50, size max); answers the number of executed commands. */
export const runReferenceCommands = (traces: number, seed: number): number => {
  executed = 0;
  fc.assert(
    fc.property(fc.commands(COMMANDS, { maxCommands: 50, size: 'max' }), (commands) => {
      fc.modelRun(() => ({ model: new Model(), real: new Real() }), commands);
    }),
    { numRuns: traces, seed },
  );
  return executed;
};
