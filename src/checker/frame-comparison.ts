/**
 * Comparing frames: all of them, or those that something happened to since.
 *
 * A frame whose cells did not change in the law, and whose owner and content did not change in the
 * system, is as it was when its rules held last; only rules that look at other frames, too, are
 * asked again where their premise is met. A system that cannot tell what changed has every frame
 * compared, and so has one that just booted: what a kernel does not change while it runs, rules may
 * read without anybody noticing.
 *
 * A rule counts as exercised on every frame that meets its premise at a comparison, whether it was
 * asked anew or nothing had changed that it looks at.
 */
import { STOP } from '#model/sparse-carrier';
import type { FrameVisitor, SparseState } from '#model/sparse-carrier';
import type { Observables } from '#model/system';
import type { Reach, Seen } from '#spec/rules';
import { LOOKS_FURTHER, RULES_MAX } from './judge.ts';
import type { Judge } from './judge.ts';
import type { Violation } from './lockstep.ts';
import type { Tally } from './tally.ts';

/** The bit of a rule whose premise a frame meets, and the one that it looks further, if it does. */
const noteOf = ({ looksFurther }: Reach, at: number, s: SparseState, pfn: number): number =>
  looksFurther?.(s, pfn) === true ? LOOKS_FURTHER | (1 << at) : 1 << at;

export class FrameComparison implements FrameVisitor {
  readonly #state: SparseState;
  readonly #sees: Observables;
  readonly #tally: Tally;
  readonly #touch: (first: number, count: number) => void;
  /** Frames that meet the premise of each rule; sights first, then states. */
  readonly #met = new Float64Array(RULES_MAX);
  #judge: Judge;
  #seen: Seen | undefined;
  #isWhole = true;
  /** Whether something changed that nobody knows of. */
  #isBehind = true;
  #violation: Violation | undefined;

  constructor(state: SparseState, sees: Observables, judge: Judge, tally: Tally) {
    this.#state = state;
    this.#sees = sees;
    this.#judge = judge;
    this.#tally = tally;
    this.#touch = (first, count) => state.changes.touch(first, count);
  }

  /**
   * Compares what changed since the last comparison.
   *
   * @param all compares every frame; so does a judge who was not asked last
   */
  compare(seen: Seen, judge: Judge, all: boolean): Violation | undefined {
    const known = this.#sees.touched?.(this.#touch) ?? false;
    this.#isWhole = all || !known || this.#isBehind || judge !== this.#judge;
    this.#isBehind = false;
    if (this.#isWhole) this.#met.fill(0);
    this.#judge = judge;
    this.#seen = seen;
    this.#violation = undefined;
    this.#state.changes.visit(this, LOOKS_FURTHER, this.#isWhole);
    this.#count();
    return this.#violation;
  }

  /**
   * Compares what changed since any comparison, where the system can tell, and counts nothing.
   *
   * @param seen need not have more than owners and contents
   */
  compareChanged(seen: Seen, judge: Judge): Violation | undefined {
    if (this.#sees.touched?.(this.#touch) !== true || judge !== this.#judge) {
      this.#isBehind = true;
      return undefined;
    }
    this.#isWhole = false;
    this.#seen = seen;
    this.#violation = undefined;
    this.#state.changes.visit(this, LOOKS_FURTHER, false);
    return this.#violation;
  }

  #count(): void {
    const { frame, state } = this.#judge;
    const { rules } = this.#tally;
    for (let i = 0; i < frame.length; i++) rules[frame[i]!.index]! += this.#met[i]!;
    for (let i = 0; i < state.length; i++) rules[state[i]!.index]! += this.#met[frame.length + i]!;
  }

  /** One bit for each rule whose premise a frame meets, and one if some rule looks further. */
  frame(pfn: number, isOccupied: boolean, hasChanged: boolean, note: number): number {
    if (isOccupied && !hasChanged) return this.#lookFurther(pfn, note);
    const after = isOccupied ? this.#judgeFrame(pfn) : 0;
    if (this.#isWhole) this.#add(after, 1);
    else if (after !== note && after !== STOP) {
      this.#add(note, -1);
      this.#add(after, 1);
    }
    return after;
  }

  #add(note: number, by: number): void {
    for (let bits = note & ~LOOKS_FURTHER; bits > 0; bits &= bits - 1) {
      this.#met[31 - Math.clz32(bits & -bits)]! += by;
    }
  }

  #judgeFrame(pfn: number): number {
    const { frame, state } = this.#judge;
    const seen = this.#seen!;
    let met = 0;
    for (let i = 0; i < frame.length; i++) {
      const { rule } = frame[i]!;
      if (!rule.when(this.#state, seen, pfn)) continue;
      met |= noteOf(rule, i, this.#state, pfn);
      if (!rule.holds(this.#state, seen, pfn)) return this.#refuse(i, pfn);
    }
    for (let i = 0; i < state.length; i++) {
      const { rule } = state[i]!;
      if (!rule.when(this.#state, pfn)) continue;
      met |= noteOf(rule, frame.length + i, this.#state, pfn);
      if (!rule.holds(this.#state, pfn)) return this.#refuse(frame.length + i, pfn);
    }
    return met;
  }

  /** Asks again what may have changed although the frame did not. */
  #lookFurther(pfn: number, note: number): number {
    const { frame, state, mayLookFurther } = this.#judge;
    for (let bits = note & mayLookFurther; bits !== 0; bits &= bits - 1) {
      const at = 31 - Math.clz32(bits & -bits);
      const holds =
        at < frame.length
          ? frame[at]!.rule.holds(this.#state, this.#seen!, pfn)
          : state[at - frame.length]!.rule.holds(this.#state, pfn);
      if (!holds) return this.#refuse(at, pfn);
    }
    return note;
  }

  #refuse(at: number, pfn: number): typeof STOP {
    const { frame, state } = this.#judge;
    const sight = frame[at]?.rule;
    if (sight !== undefined) {
      this.#violation = { rule: sight, text: sight.tell(this.#state, this.#seen!, pfn) };
    } else {
      const { rule } = state[at - frame.length]!;
      this.#violation = { rule, text: rule.tell(this.#state, pfn) };
    }
    return STOP;
  }
}
