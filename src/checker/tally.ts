/**
 * Counting: which rules were exercised, which actions ran and how they ended.
 *
 * A rule is exercised when its premise was met and it was judged; a rule that never was says
 * nothing about the system.
 */
import type { ActionName } from '#spec/call';
import { RULES } from '#spec/law';

const INDEX_OF_RULE = new Map(RULES.map((rule, index) => [rule.id, index]));

/** Place of a rule in the counters. */
export const ruleIndex = (id: string): number => INDEX_OF_RULE.get(id) ?? -1;

/** Near misses are tried at every so many chances, and at the first chances of each rule. */
const TRY_EVERY = 251;
const TRY_FIRST = 6;

export class Tally {
  /** How often each rule was exercised, by its place in the law. */
  readonly rules = new Float64Array(RULES.length);
  /** How often near misses were tried where a rule had a say; see `teeth.ts`. */
  readonly tried = new Float64Array(RULES.length);
  /** How often it refused one of them then. */
  readonly refused = new Float64Array(RULES.length);
  /** How often it was decisive: it refused one that no other rule refused. */
  readonly decisive = new Float64Array(RULES.length);
  readonly #outcomes = new Map<string, number>();
  /** Whether near misses are tried at all. */
  readonly triesNearMisses: boolean;
  /** Full comparisons that were made. */
  comparisons = 0;
  traces = 0;
  /** Steps that were drawn or read from a trace. */
  generated = 0;
  /** Steps of which at least one call was executed. */
  steps = 0;
  calls = 0;
  /** Kexecs after which the next kernel took the handover over. */
  kexecs = 0;
  /** Largest number of handovers in a row. */
  longestChain = 0;
  /** Traces by the largest number of handovers in a row that they reached. */
  readonly chains = new Map<number, number>();
  /** Traces by the number of nodes of their machine. */
  readonly nodes = new Map<number, number>();
  /** Folios that were preserved, by their order. */
  readonly orders = new Map<number, number>();

  constructor(options: { readonly triesNearMisses?: boolean } = {}) {
    this.triesNearMisses = options.triesNearMisses ?? false;
  }

  outcome(action: ActionName, value: number): void {
    this.calls++;
    const key = value < 0 ? `${action} ${value}` : action;
    this.#outcomes.set(key, (this.#outcomes.get(key) ?? 0) + 1);
  }

  /** A folio of this order was preserved. */
  preserved(order: number): void {
    this.orders.set(order, (this.orders.get(order) ?? 0) + 1);
  }

  /** Whether it is time to try near misses, at the so manieth chance. */
  isDue(chance: number): boolean {
    return this.triesNearMisses && chance % TRY_EVERY === 0;
  }

  /** Whether a rule that is judged now is worth trying near misses for. */
  isHardlyTried(index: number): boolean {
    return this.triesNearMisses && this.tried[index]! < TRY_FIRST;
  }

  /** How often a rule was exercised. */
  timesOf(rule: string): number {
    return this.rules[ruleIndex(rule)] ?? 0;
  }

  /** Calls by action and, if refused, error number. */
  get outcomes(): ReadonlyMap<string, number> {
    return this.#outcomes;
  }
}
