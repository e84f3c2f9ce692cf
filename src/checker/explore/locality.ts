/**
 * Which closures of a scope look at one frame alone.
 *
 * A closure is run again and again on a row whose cells get their values when they are first read,
 * until every combination of values that it asks for was tried. What it then never touched it
 * cannot touch. Closures that ask for too many combinations, loop over frames or throw are not
 * proven; they are run in other ways, never wrongly.
 */
import type { AnyScope } from '#model/scopes/scope';
import { carrierOf } from './carrier.ts';
import { ScopeError } from './layout.ts';
import type { Layout } from './layout.ts';

/** What a closure may touch beside kernel and slot cells: one lane, or no lane (-1). */
export interface Locality {
  readonly lane: number;
  readonly writesGlobals: boolean;
}

/** Runs spent on one closure, and on all closures of a scope. */
const MOST_RUNS = 512;
/** Reads and writes of one run; on a state that no search meets a list may lead to itself. */
const MOST_TOUCHES = 4096;
const MOST_RUNS_IN_ALL = 50_000;

class NotLocal extends Error {}

/** Lane that a field of a lane word lies in. */
export const laneOfField = (layout: Layout, word: number, shift: number): number =>
  word * layout.lanesPerWord + Math.floor(shift / layout.laneBits);

interface Choice {
  readonly key: number;
  code: number;
  readonly size: number;
}

/** Tries closures on every row that differs for them. */
export class LocalityProver {
  private readonly layout: Layout;
  private readonly row: Int32Array;
  private readonly state: never;
  /** Choices of this run, in the order they were asked for. */
  private choices: Choice[] = [];
  private used = 0;
  private runs = 0;
  private touches = 0;
  private known = new Set<number>();
  private lane = -1;
  private writesGlobals = false;

  constructor(scope: AnyScope, layout: Layout) {
    this.layout = layout;
    const refuse = (): never => {
      throw new NotLocal();
    };
    const carrier = carrierOf(scope, layout, {
      read: (word, shift, mask, size) => this.read(word, shift, mask, size),
      write: (word, shift) => this.write(word, shift),
      empty: refuse,
      visit: refuse,
      asked: refuse,
    });
    this.row = carrier.row;
    this.state = carrier.state;
  }

  private touch(word: number, shift: number): void {
    if (++this.touches > MOST_TOUCHES) throw new NotLocal();
    if (word >= this.layout.laneWords) return;
    const lane = laneOfField(this.layout, word, shift);
    if (this.lane >= 0 && this.lane !== lane) throw new NotLocal();
    this.lane = lane;
  }

  private read(word: number, shift: number, mask: number, size: number): void {
    this.touch(word, shift);
    const key = word * 32 + shift;
    if (this.known.has(key)) return;
    this.known.add(key);
    if (this.used === this.choices.length) this.choices.push({ key, code: 0, size });
    const { code } = this.choices[this.used++]!;
    this.row[word] = (this.row[word]! & ~(mask << shift)) | (code << shift);
  }

  private write(word: number, shift: number): void {
    this.touch(word, shift);
    if (word >= this.layout.laneWords) this.writesGlobals = true;
    this.known.add(word * 32 + shift);
  }

  /** Takes the next combination; false when all were tried. */
  private advance(): boolean {
    this.choices.length = this.used;
    for (;;) {
      const last = this.choices.at(-1);
      if (last === undefined) return false;
      if (++last.code < last.size) return true;
      this.choices.pop();
    }
  }

  /** What `run` may touch, or undefined when that is not known. */
  prove(run: (state: never) => void): Locality | undefined {
    this.choices = [];
    this.lane = -1;
    this.writesGlobals = false;
    for (let runs = 0; runs < MOST_RUNS && this.runs < MOST_RUNS_IN_ALL; runs++) {
      this.runs++;
      this.row.fill(0);
      this.known = new Set();
      this.used = 0;
      this.touches = 0;
      try {
        run(this.state);
      } catch (error) {
        // A value that the scope does not declare: a state that no search will ask about.
        if (!(error instanceof ScopeError)) return undefined;
      }
      if (!this.advance()) return { lane: this.lane, writesGlobals: this.writesGlobals };
    }
    return undefined;
  }
}
