/**
 * Taking note of what a rule reads, to know when asking it again would say the same.
 *
 * A rule is a pure function of the cells and the sights that it reads. If none of those that it
 * read last time has changed since, it reads the same again, and finds the same. Loops over frames
 * depend on nothing but the cells that their visitor reads, as empty frames make no difference.
 */
import type { Dated, SparseState } from '#model/sparse-carrier';
import type { Observables } from '#model/system';
import type { Seen } from '#spec/rules';
import type { State } from '#spec/state';

/** Places of cells that were read, each once. */
class Readings {
  readonly places: number[] = [];
  readonly #lastRead: Int32Array;
  #reading = 0;

  constructor(cells: number) {
    this.#lastRead = new Int32Array(cells);
  }

  start(): void {
    this.places.length = 0;
    this.#reading++;
  }

  note(place: number): void {
    if (this.#lastRead[place] === this.#reading) return;
    this.#lastRead[place] = this.#reading;
    this.places.push(place);
  }
}

/** What a rule read and found. */
export interface Reading {
  /** By the clock of the carrier, when it was asked. */
  at: number;
  cells: readonly number[];
  /** What it saw of the parts that it looked at, by their place in `PARTS`; undefined elsewhere. */
  readonly parts: unknown[];
  places: number;
}

/**
 * Parts of a sight that can be compared: by what they are, by what they answer, or by the stamp
 * that the system gives them.
 */
const PARTS: readonly (readonly [keyof Seen, 'value' | 'call' | 'stamp'])[] = [
  ['handover', 'value'],
  ['freeFrames', 'value'],
  ['kexecCount', 'value'],
  ['passedOver', 'value'],
  ['regions', 'call'],
  ['debugfs', 'call'],
  ['migrateType', 'stamp'],
];

/** Parts that depend on nothing. */
const CONSTANT: readonly (keyof Seen)[] = ['nameIndex'];

/** A state and a sight that take note of what is read of them. */
export class Noting {
  readonly state: State;
  readonly seen: Seen;
  readonly #source: SparseState;
  readonly #sees: Observables;
  readonly #readings: Readings;
  readonly #cells: readonly Dated[];
  #current: Seen;
  /** Parts that were looked at, by their place; and whether one was that cannot be compared. */
  readonly #looked = new Uint8Array(PARTS.length);
  #isVolatile = false;

  constructor(state: SparseState, sees: Observables, seen: Seen) {
    this.#sees = sees;
    this.#source = state;
    this.#current = seen;
    const names = Object.entries(state).filter(
      ([, cell]) => (cell as Partial<Dated>).changedAt !== undefined,
    );
    this.#cells = names.map(([, cell]) => cell as unknown as Dated);
    this.#readings = new Readings(names.length);
    this.state = this.#notingState(names);
    this.seen = this.#notingSeen(seen);
  }

  #notingState(cells: readonly [string, unknown][]): State {
    const source = this.#source;
    const readings = this.#readings;
    let visited = false;
    const visits = <T>(visit: (pfn: number) => T) => {
      visited = false;
      return (pfn: number): T => {
        visited = true;
        return visit(pfn);
      };
    };
    // A loop over nothing read nothing, and may find something next time.
    const looped = <T>(answer: T): T => {
      if (!visited) this.#isVolatile = true;
      return answer;
    };
    const noting = {
      machine: source.machine,
      eachFrame: (visit: (pfn: number) => void) => looped(source.eachFrame(visits(visit))),
      someFrame: (test: (pfn: number) => boolean) => looped(source.someFrame(visits(test))),
      countFrames: (test: (pfn: number) => boolean) => looped(source.countFrames(visits(test))),
    };
    cells.forEach(([name, cell], place) => {
      const get = (): unknown => {
        readings.note(place);
        return cell;
      };
      Object.defineProperty(noting, name, { get, enumerable: true });
    });
    return noting as unknown as State;
  }

  #notingSeen(example: Seen): Seen {
    const noting: Partial<Seen> = {};
    for (const name of Object.keys(example) as (keyof Seen)[]) {
      const at = PARTS.findIndex(([part]) => part === name);
      Object.defineProperty(noting, name, { get: () => this.#look(name, at), enumerable: true });
    }
    return noting as Seen;
  }

  #look(name: keyof Seen, at: number): unknown {
    if (at >= 0) this.#looked[at] = 1;
    else if (!CONSTANT.includes(name)) this.#isVolatile = true;
    return this.#current[name];
  }

  /** What a part is now; NaN, which equals nothing, where nobody can tell. */
  #partAt(at: number): unknown {
    const [name, how] = PARTS[at]!;
    if (how === 'stamp') return this.#sees.typesChanged?.() ?? Number.NaN;
    return how === 'value' ? this.#current[name] : (this.#current[name] as () => unknown)();
  }

  /** What is seen now. */
  look(seen: Seen): void {
    this.#current = seen;
  }

  /** Whether a rule would read what it read before. */
  isAsBefore({ at, cells, parts }: Reading): boolean {
    for (const place of cells) if (this.#cells[place]!.changedAt > at) return false;
    for (let part = 0; part < parts.length; part++) {
      if (parts[part] !== undefined && parts[part] !== this.#partAt(part)) return false;
    }
    return true;
  }

  /** Asks a rule, and notes what it reads; undefined when that cannot be compared. */
  ask(find: (s: State, seen: Seen) => number): { places: number; reading: Reading | undefined } {
    this.#readings.start();
    this.#looked.fill(0);
    this.#isVolatile = false;
    const at = this.#source.changes.now;
    const places = find(this.state, this.seen);
    if (this.#isVolatile) return { places, reading: undefined };
    const parts: unknown[] = [];
    for (let part = 0; part < PARTS.length; part++) {
      if (this.#looked[part] === 1) parts[part] = this.#partAt(part);
    }
    return { places, reading: { at, cells: [...this.#readings.places], parts, places } };
  }
}
