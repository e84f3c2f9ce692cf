/**
 * Teeth: which rules are decisive, counted by trying near misses.
 *
 * A rule that is judged refuses nothing on a kernel that works, so how often it was judged says
 * little. Now and then, at what was accepted, one thing is changed and the rules of the same kind
 * are asked again: answers by the rules about answers, frames by those about frames, and so on. The
 * rule that refuses alone is decisive. A rule that throws on what no system answers refuses it.
 */
import type { Report } from '#spec/algebra/rule';
import type { Answer, Call } from '#spec/call';
import type { HandoverRule } from '#spec/handover';
import type { AnswerRule, FrameSightRule, Rule, Seen, StateRule } from '#spec/rules';
import type { SystemSightRule } from '#spec/rules';
import { HELD } from '#spec/state';
import type { State } from '#spec/state';
import { eachNearState, nearAnswers, nearFrames, nearSights, partsRead } from './near-misses.ts';
import type { NearSight } from './near-misses.ts';
import { wholeMisses, wholeSights } from './near-wholes.ts';
import type { Tally } from './tally.ts';

/** A rule and its place in the tally. */
export interface Entry<R extends Rule> {
  readonly rule: R;
  readonly index: number;
}

type Entries<R extends Rule> = readonly Entry<R>[];

/** Frames that are looked at in one comparison. */
const FRAMES_TRIED = 24;

/** Whether a rule refuses; one that cannot even be asked does. */
const refuses = (ask: () => boolean): boolean => {
  try {
    return !ask();
  } catch {
    return true;
  }
};

/** Counts one moment: the rules that were judged in it, that refused something, and that alone. */
class Moment {
  readonly #tally: Tally;
  readonly #refused = new Set<number>();
  readonly #decisive = new Set<number>();

  constructor(tally: Tally) {
    this.#tally = tally;
  }

  /** One near miss, and which of these rules refuse it. */
  ask<R extends Rule>(entries: Entries<R>, isRefused: (rule: R) => boolean): void {
    let last = -1;
    let refusals = 0;
    for (const { rule, index } of entries) {
      if (!isRefused(rule)) continue;
      last = index;
      refusals++;
      this.#refused.add(index);
    }
    if (refusals === 1) this.#decisive.add(last);
  }

  /** @param judged places of the rules that were judged at the moment itself */
  end(judged: Iterable<number>): void {
    for (const index of new Set([...judged, ...this.#refused])) this.#tally.tried[index]!++;
    for (const index of this.#refused) this.#tally.refused[index]!++;
    for (const index of this.#decisive) this.#tally.decisive[index]!++;
  }
}

/** Tries answers near one that was accepted, before it has its effect. */
export const tryAnswers = (
  tally: Tally,
  rules: Entries<AnswerRule>,
  s: State,
  call: Call,
  answer: Answer,
): void => {
  const moment = new Moment(tally);
  const judged = new Set<number>();
  for (const { rule, index } of rules) if (rule.when(s, call, answer)) judged.add(index);
  for (const near of [...nearAnswers(s, answer), ...wholeMisses(s, call, answer)]) {
    moment.ask(rules, (rule) =>
      refuses(() => {
        const isAsked = rule.when(s, call, near);
        return !isAsked || rule.holds(s, call, near);
      }),
    );
  }
  moment.end(judged);
};

/** First frame that was handed over with something in it, which few are; or -1. */
const heldAndWritten = (s: State): number => {
  let found = -1;
  s.someFrame((pfn) => {
    if (s.use.get(pfn) === HELD && s.content.get(pfn) !== 0) found = pfn;
    return found >= 0;
  });
  return found;
};

/** Tries owners and contents near those seen, and states near the law's, on some frames. */
export const tryFrames = (
  tally: Tally,
  sights: Entries<FrameSightRule>,
  states: Entries<StateRule>,
  s: State,
  seen: Seen,
): void => {
  const frames: number[] = [];
  let every = 1;
  s.eachFrame(() => every++);
  every = Math.max(1, Math.floor(every / FRAMES_TRIED));
  let at = tally.comparisons % every;
  s.eachFrame((pfn) => {
    if (at++ % every === 0) frames.push(pfn);
  });
  const crossed = heldAndWritten(s);
  if (crossed >= 0 && !frames.includes(crossed)) frames.push(crossed);
  for (const pfn of frames) {
    const moment = new Moment(tally);
    const judged: number[] = [];
    for (const { rule, index } of sights) if (rule.when(s, seen, pfn)) judged.push(index);
    for (const { rule, index } of states) if (rule.when(s, pfn)) judged.push(index);
    for (const near of nearFrames(seen, pfn)) {
      moment.ask(sights, (rule) =>
        refuses(() => !rule.when(s, near, pfn) || rule.holds(s, near, pfn)),
      );
    }
    eachNearState(s, pfn, () =>
      moment.ask(states, (rule) => refuses(() => !rule.when(s, pfn) || rule.holds(s, pfn))),
    );
    moment.end(judged);
  }
};

/** Tries sights of the whole system, and handovers, near what was seen. */
export const trySights = (
  tally: Tally,
  sights: Entries<SystemSightRule>,
  handovers: Entries<HandoverRule>,
  s: State,
  seen: Seen,
): void => {
  const moment = new Moment(tally);
  const near = [...nearSights(seen), ...wholeSights(seen)];
  const judged = [
    ...tryFinders(moment, sights, seen, near, (rule, of, report) => rule.find(s, of, report)),
    ...tryFinders(moment, handovers, seen, near, (rule, of, report) =>
      rule.find(of.handover, report),
    ),
  ];
  moment.end(judged);
};

/** Asks the rules that look at what differs; answers the places of those that look at anything. */
const tryFinders = <R extends Rule>(
  moment: Moment,
  rules: Entries<R>,
  seen: Seen,
  sights: readonly NearSight[],
  find: (rule: R, of: Seen, report: Report) => number,
): readonly number[] => {
  const judged: number[] = [];
  const reads = new Map<R, ReadonlySet<keyof Seen>>();
  for (const { rule, index } of rules) {
    const look = (noting: Seen): void => {
      if (find(rule, noting, () => {}) > 0) judged.push(index);
    };
    reads.set(rule, partsRead(seen, look));
  }
  for (const near of sights) {
    moment.ask(rules, (rule) => {
      if (!near.parts.some((part) => reads.get(rule)!.has(part))) return false;
      return refuses(() => {
        let found = false;
        find(rule, near.seen, () => {
          found = true;
        });
        return !found;
      });
    });
  }
  return judged;
};
