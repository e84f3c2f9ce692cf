/**
 * What a joint state is, exactly: the cells of the law, the world of objects, and the system.
 *
 * A state is written down as numbers, part by part; equal parts get one number, so that a state is
 * in the end a number itself, and two states have the same if and only if all their parts are
 * equal. Nothing is hashed into fewer bits: what is remembered is the text of every part.
 *
 * Left out is what means nothing: the numbers of steps that made objects, and the values of content
 * stamps. Stamps are named in the order in which they are met, frames ascending, so that states
 * which differ in nothing but the order of writes are one.
 */
import type { Stateful } from '#model/system';
import type { Session, Sessions } from '#model/sessions';
import type { World } from '#model/world';
import type { Declaration, FrameCells, KernelCell, SlotCells } from '#spec/algebra/cells';
import { CELLS } from '#spec/state';
import type { State } from '#spec/state';

/** What stands before a value. */
const NOTHING = 0;
const NUMBER = 1;
const FALSE = 2;
const TRUE = 3;
const TEXT = 4;
const LIST = 5;
const PAIRS = 6;
const PART = 7;

/** Bytes of a number. */
const WIDTH = 8;
/** Stamps from this one on are not those of a write: zeroes, memory that was written over. */
const RESERVED_STAMPS = 0xfffffff0;

const cells = Object.entries(CELLS) as [string, Declaration<'frame' | 'slot' | 'kernel'>][];
const namesOf = (kind: string): readonly string[] =>
  cells.filter(([, cell]) => cell.kind === kind).map(([name]) => name);
const [FRAME_CELLS, SLOT_CELLS, KERNEL_CELLS] = ['frame', 'slot', 'kernel'].map(namesOf) as [
  readonly string[],
  readonly string[],
  readonly string[],
];

/** Stands for the session of a file that has none. */
const NOBODYS = -2;

const isStateful = (value: object): value is Stateful =>
  'state' in value && typeof value.state === 'function';

/** Bytes as they were, and the number of their part. */
interface Written {
  readonly copy: Uint8Array;
  readonly part: number;
}

/** Numbers states. One per search: what it gave a number to it never forgets. */
export class Identities {
  /** Bytes that texts take, roughly. */
  bytes = 0;
  /** How many slots each of the cells has that have slots. */
  readonly #slots: readonly number[];
  readonly #parts = new Map<string, number>();
  readonly #words = new Map<string, number>();
  readonly #stamps = new Map<number, number>();
  /** What bytes were when they were written down last, and as which part. */
  readonly #pages = new WeakMap<ArrayBufferView, Written>();
  #buffer = new Float64Array(1 << 12);
  #bytes = Buffer.from(this.#buffer.buffer);
  #top = 0;

  /** @param slots how many slots each cell has that has slots, in the order of declaration */
  constructor(slots: readonly number[]) {
    this.#slots = slots;
  }

  /** Number of a state: counted from 0, in the order in which parts and states were first met. */
  of(state: State, world: World, system: Stateful): number {
    this.#stamps.clear();
    this.#top = 0;
    this.#lawOf(state);
    this.#worldOf(world);
    this.#value(system);
    return this.#close(0);
  }

  readonly #named = (stamp: number): number => {
    if (stamp === 0 || stamp >= RESERVED_STAMPS) return stamp;
    let name = this.#stamps.get(stamp);
    if (name === undefined) {
      name = this.#stamps.size + 1;
      this.#stamps.set(stamp, name);
    }
    return name;
  };

  /** Frames in runs of equal ones, then slots, then single cells. */
  #lawOf(state: State): void {
    const row = state as unknown as Readonly<Record<string, FrameCells & SlotCells & KernelCell>>;
    const columns = FRAME_CELLS.map((name) => row[name]!);
    const content = FRAME_CELLS.indexOf('content');
    const start = this.#top;
    const width = columns.length;
    let run = -1;
    state.eachFrame((pfn) => {
      const at = this.#top;
      this.#room(width + 2);
      this.#add(pfn);
      this.#add(1);
      for (let i = 0; i < width; i++) {
        const value = columns[i]!.get(pfn);
        this.#add(i === content ? this.#named(value) : value);
      }
      if (run < 0 || !this.#extends(run, at, width)) run = at;
    });
    this.#close(start);
    const slots = this.#top;
    for (const [at, name] of SLOT_CELLS.entries()) this.#slotsOf(row[name]!, this.#slots[at]!);
    this.#close(slots);
    for (const name of KERNEL_CELLS) this.#number((row[name] as KernelCell).get());
  }

  /** Slots that are not 0, and how many there are of them. */
  #slotsOf(slots: SlotCells, count: number): void {
    const at = this.#top;
    this.#single(0);
    for (let slot = 0; slot < count; slot++) {
      const value = slots.get(slot);
      if (value === 0) continue;
      this.#buffer[at]!++;
      this.#single(slot);
      this.#single(value);
    }
  }

  /** Makes the frame at `at` one more of the run at `run` if it follows it and is like it. */
  #extends(run: number, at: number, width: number): boolean {
    const buffer = this.#buffer;
    if (buffer[at] !== buffer[run]! + buffer[run + 1]!) return false;
    for (let i = 2; i < width + 2; i++) if (buffer[at + i] !== buffer[run + i]) return false;
    buffer[run + 1]!++;
    this.#top = at;
    return true;
  }

  /** Everything that the world shows of itself, and its objects in the order of their making. */
  #worldOf(world: World): void {
    const start = this.#top;
    for (const [name, value] of Object.entries(world)) {
      if (name === 'state' || name === 'kernels' || name === 'luo') continue;
      if (name !== 'alive') this.#value(value);
    }
    if (world.luo.any) this.#sessionsOf(world.luo);
    for (const object of world.alive) {
      for (const [name, value] of Object.entries(object)) {
        if (name === 'calls') this.#text(object.calls.noun);
        else if (name !== 'id') this.#value(value);
      }
    }
    this.#close(start);
  }

  /** Of several that one step made, the first is the one that steps speak of. */
  #sessionsOf({ sessions, files }: Sessions): void {
    const first = (list: readonly { readonly id: number }[], id: number): number =>
      list.findIndex((each) => each.id === id);
    const of = (session: Session | undefined): number =>
      session === undefined ? NOBODYS : sessions.indexOf(session);
    this.#list(
      sessions.map(({ id, name, side, retrieved }) => {
        return [first(sessions, id), name, side, retrieved];
      }),
    );
    this.#list(
      files.map(({ id, token, session, came, pages, count, retrieved }) => {
        return [first(files, id), token, of(session), of(came), pages, count, retrieved];
      }),
    );
  }

  #value(value: unknown): void {
    if (typeof value === 'number') this.#number(value);
    else if (typeof value === 'string') this.#text(value);
    else if (typeof value === 'boolean') this.#single(value ? TRUE : FALSE);
    else if (value === undefined || value === null) this.#single(NOTHING);
    else if (typeof value === 'object') this.#object(value);
    else throw new TypeError(`a ${typeof value} says nothing of a state`);
  }

  #object(value: object): void {
    if (ArrayBuffer.isView(value)) this.#bytesOf(value);
    else if (Array.isArray(value)) this.#list(value);
    else if (value instanceof Map || value instanceof Set) this.#list([...value]);
    else if (isStateful(value)) {
      const start = this.#top;
      this.#value(value.state(this.#named));
      this.#close(start);
    } else {
      const entries = Object.entries(value);
      this.#single(PAIRS);
      this.#single(entries.length);
      for (const [name, each] of entries) {
        this.#text(name);
        this.#value(each);
      }
    }
  }

  #list(values: ArrayLike<unknown>): void {
    this.#single(LIST);
    this.#single(values.length);
    for (let i = 0; i < values.length; i++) this.#value(values[i]);
  }

  /** Bytes as a part: their number, and those that are not 0, four at a time where they can be. */
  #bytesOf(view: ArrayBufferView): void {
    const { buffer, byteOffset, byteLength } = view;
    const bytes =
      view instanceof Uint8Array ? view : new Uint8Array(buffer, byteOffset, byteLength);
    const last = this.#pages.get(view);
    if (last !== undefined && Buffer.compare(last.copy, bytes) === 0) {
      this.#room(2);
      this.#add(PART);
      this.#add(last.part);
      return;
    }
    const part = this.#writeBytes(bytes);
    this.#pages.set(view, { copy: bytes.slice(), part });
  }

  #writeBytes(bytes: Uint8Array): number {
    const start = this.#top;
    this.#single(bytes.length);
    const whole = bytes.byteOffset % 4 === 0 && bytes.length % 4 === 0;
    const words = whole ? new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4) : bytes;
    for (let i = 0; i < words.length; i++) {
      if (words[i] === 0) continue;
      this.#single(i);
      this.#single(words[i]!);
    }
    return this.#close(start);
  }

  #text(text: string): void {
    let word = this.#words.get(text);
    if (word === undefined) {
      word = this.#words.size;
      this.#words.set(text, word);
    }
    this.#room(2);
    this.#add(TEXT);
    this.#add(word);
  }

  #number(value: number): void {
    this.#room(2);
    this.#add(NUMBER);
    this.#add(value);
  }

  #single(value: number): void {
    this.#room(1);
    this.#add(value);
  }

  #add(value: number): void {
    this.#buffer[this.#top++] = value;
  }

  #room(count: number): void {
    if (this.#top + count <= this.#buffer.length) return;
    const wider = new Float64Array(this.#buffer.length * 2);
    wider.set(this.#buffer);
    this.#buffer = wider;
    this.#bytes = Buffer.from(wider.buffer);
  }

  /** Ends the part that began at `start`: its number stands in its place. */
  #close(start: number): number {
    const text = this.#bytes.toString('latin1', start * WIDTH, this.#top * WIDTH);
    let part = this.#parts.get(text);
    if (part === undefined) {
      part = this.#parts.size;
      this.#parts.set(text, part);
      this.bytes += text.length + ENTRY_BYTES;
    }
    this.#top = start;
    this.#room(2);
    this.#add(PART);
    this.#add(part);
    return part;
  }
}

/** What a part takes beside its text, roughly. */
const ENTRY_BYTES = 64;
