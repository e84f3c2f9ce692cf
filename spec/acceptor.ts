/**
 * The law as an acceptor: whether it allows an answer, and which rule does not.
 *
 * Lockstep, conformance and exploration ask this one question of the same rules. Rules are pure;
 * so is this.
 */
import type { ActionName, Answer, Call } from './call.ts';
import { ACTIONS } from './call.ts';
import type { Generation } from './generations.ts';
import { rulesOf } from './law.ts';
import type { AnswerRule } from './rules.ts';
import type { State } from './state.ts';

/** The answer rules of a generation that speak of each action, in reading order. */
export type AnswerRules = Readonly<Record<ActionName, readonly AnswerRule[]>>;

/**
 * Sorts the answer rules of a generation by action.
 *
 * @param except ids of rules that are left out: what would the law be without them?
 */
export const answerRules = (
  generation: Generation,
  except: readonly string[] = [],
): AnswerRules => {
  const rules = rulesOf(generation).filter(
    (rule): rule is AnswerRule => rule.kind === 'answer' && !except.includes(rule.id),
  );
  return Object.fromEntries(
    ACTIONS.map((action) => [action, rules.filter((rule) => rule.on.includes(action))]),
  ) as unknown as AnswerRules;
};

/** The first rule that an answer breaks; undefined when the law allows it. */
export const brokenRule = (
  rules: AnswerRules,
  s: State,
  call: Call,
  answer: Answer,
): AnswerRule | undefined => {
  for (const rule of rules[call.action]) {
    if (rule.when(s, call, answer) && !rule.holds(s, call, answer)) return rule;
  }
  return undefined;
};
