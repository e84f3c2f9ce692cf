/**
 * Comparing what is seen of a system as a whole: by every rule, or by those that would read
 * something else than last time.
 *
 * Counts are the same either way: a rule that would find what it found is exercised as often again.
 */
import type { SparseState } from '#model/sparse-carrier';
import type { Observables } from '#model/system';
import type { Report } from '#spec/algebra/rule';
import type { Handover } from '#spec/handover';
import { isStale } from '#spec/phases';
import type { Rule, Seen } from '#spec/rules';
import type { Judge } from './judge.ts';
import type { Violation } from './lockstep.ts';
import { Noting } from './noting.ts';
import type { Reading } from './noting.ts';
import type { Tally } from './tally.ts';

export class SightComparison {
  readonly #state: SparseState;
  readonly #sees: Observables;
  readonly #tally: Tally;
  readonly #notes: boolean;
  /** What each rule about sights read last, by its place in the tally. */
  readonly #readings: (Reading | undefined)[] = [];
  #noting: Noting | undefined;
  /** The handover that was judged last, by whom, and how many places each rule looked at. */
  #handover: Handover | undefined;
  #judge: Judge | undefined;
  readonly #places: number[] = [];
  #text: string | undefined;
  /** Whether near misses are worth trying after this comparison. */
  isDue = false;

  /** @param notes whether what rules read is noted, to ask fewer of them the next time */
  constructor(state: SparseState, sees: Observables, tally: Tally, notes = true) {
    this.#notes = notes;
    this.#sees = sees;
    this.#state = state;
    this.#tally = tally;
  }

  /** @param all asks every rule anew, whatever it read last */
  compare(seen: Seen, judge: Judge, all: boolean): Violation | undefined {
    this.isDue = false;
    const violation = this.#notes
      ? this.#compareSights(this.#notingOf(seen), judge, all)
      : this.#judgeSights(seen, judge);
    if (violation !== undefined || isStale(this.#state, seen)) return violation;
    return this.#judgeHandover(seen, judge, all);
  }

  #notingOf(seen: Seen): Noting {
    this.#noting ??= new Noting(this.#state, this.#sees, seen);
    this.#noting.look(seen);
    return this.#noting;
  }

  /** Every rule, and nothing is noted. */
  #judgeSights(seen: Seen, judge: Judge): Violation | undefined {
    for (const { rule, index } of judge.system) {
      this.#text = undefined;
      this.#found(index, rule.find(this.#state, seen, this.#report));
      const violation = this.#violationOf(rule);
      if (violation !== undefined) return violation;
    }
    return undefined;
  }

  #compareSights(noting: Noting, judge: Judge, all: boolean): Violation | undefined {
    for (const { rule, index } of judge.system) {
      const before = this.#readings[index];
      if (!all && before !== undefined && noting.isAsBefore(before)) {
        this.#found(index, before.places);
        continue;
      }
      this.#text = undefined;
      const { places, reading } = noting.ask((s, seen) => rule.find(s, seen, this.#report));
      this.#readings[index] = reading;
      this.#found(index, places);
      const violation = this.#violationOf(rule);
      if (violation !== undefined) return violation;
    }
    return undefined;
  }

  /** Rules about a handover read nothing else, and a handover is never changed. */
  #judgeHandover({ handover }: Seen, judge: Judge, all: boolean): Violation | undefined {
    const asBefore = !all && handover === this.#handover && judge === this.#judge;
    this.#handover = undefined;
    for (const { rule, index } of judge.handover) {
      this.#text = undefined;
      if (!asBefore) this.#places[index] = rule.find(handover, this.#report);
      this.#found(index, this.#places[index]!);
      const violation = this.#violationOf(rule);
      if (violation !== undefined) return violation;
    }
    this.#handover = handover;
    this.#judge = judge;
    return undefined;
  }

  readonly #report: Report = (tell) => {
    this.#text ??= tell();
  };

  #violationOf(rule: Rule): Violation | undefined {
    return this.#text === undefined ? undefined : { rule, text: this.#text };
  }

  #found(index: number, places: number): void {
    this.#tally.rules[index]! += places;
    if (places > 0) this.isDue ||= this.#tally.isHardlyTried(index);
  }
}
