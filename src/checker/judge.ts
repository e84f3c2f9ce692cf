/**
 * The rules of a generation, sorted by what they look at, each with its place in the counters.
 */
import { ACTIONS } from '#spec/call';
import type { ActionName } from '#spec/call';
import type { Generation } from '#spec/generations';
import type { HandoverRule } from '#spec/handover';
import { rulesOf } from '#spec/law';
import type { AnswerRule, FrameSightRule, Rule, StateRule, SystemSightRule } from '#spec/rules';
import { ruleIndex } from './tally.ts';
import type { Entry } from './teeth.ts';

const entries = <R extends Rule>(rules: readonly R[]): readonly Entry<R>[] =>
  rules.map((rule) => ({ rule, index: ruleIndex(rule.id) }));

/** Rules about a frame, at most: each has a bit in a note. */
export const RULES_MAX = 30;
/** The bit of a note that says that some rule looks at other frames as well. */
export const LOOKS_FURTHER = 1 << RULES_MAX;

export class Judge {
  readonly byAction: Readonly<Record<ActionName, readonly Entry<AnswerRule>[]>>;
  readonly state: readonly Entry<StateRule>[];
  readonly frame: readonly Entry<FrameSightRule>[];
  readonly system: readonly Entry<SystemSightRule>[];
  readonly handover: readonly Entry<HandoverRule>[];
  /** Of the rules about a frame, those about sights first: one bit each that may look further. */
  readonly mayLookFurther: number;

  constructor(generation: Generation) {
    const rules = rulesOf(generation);
    const answers = rules.filter((rule) => rule.kind === 'answer');
    this.byAction = Object.fromEntries(
      ACTIONS.map((action) => [
        action,
        entries(answers.filter((rule) => rule.on.includes(action))),
      ]),
    ) as Record<ActionName, Entry<AnswerRule>[]>;
    this.state = entries(rules.filter((rule) => rule.kind === 'state'));
    const sights = rules.filter((rule) => rule.kind === 'sight');
    this.frame = entries(sights.filter((rule) => rule.each === 'frame'));
    this.system = entries(sights.filter((rule) => rule.each === 'system'));
    this.handover = entries(
      rules.filter((rule) => rule.kind === 'handover' && rule.severity !== 'info'),
    ) as Entry<HandoverRule>[];
    this.mayLookFurther = [...this.frame, ...this.state].reduce(
      (bits, { rule }, at) => (rule.looksFurther === undefined ? bits : bits | (1 << at)),
      0,
    );
    if (this.frame.length + this.state.length > RULES_MAX) throw new Error('too many rules');
  }
}

const judges = new Map<Generation, Judge>();

/** The judge of a generation, always the same one. */
export const judgeOf = (generation: Generation): Judge => {
  let judge = judges.get(generation);
  if (judge === undefined) {
    judge = new Judge(generation);
    judges.set(generation, judge);
  }
  return judge;
};
