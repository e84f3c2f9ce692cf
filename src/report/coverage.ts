/**
 * What a run exercised of the law: a line for every rule, and the rules that nobody met.
 *
 * At most 80 columns; what the figures mean is said in the legend.
 */
import type { Colors } from './colors.ts';
import { wrap } from './counterexample.ts';

export interface RuleCoverage {
  readonly id: string;
  readonly strength: string;
  /** Whether the kernel is of a generation that the rule is about. */
  readonly applies: boolean;
  readonly judged: number;
  readonly tried: number;
  readonly refused: number;
  readonly decisive: number;
}

export interface Coverage {
  readonly kernel: string;
  readonly faults: readonly string[];
  /** Names of the suites that were asked for; all of them when empty. */
  readonly suites: readonly string[];
  readonly seed: number;
  readonly traces: number;
  readonly calls: number;
  readonly kexecs: number;
  readonly chapters: readonly {
    readonly title: string;
    readonly rules: readonly RuleCoverage[];
  }[];
  /** Ids of rules that apply and were never judged. */
  readonly neverExercised: readonly string[];
  /** Ids of rules that were judged and never refused a near miss. */
  readonly neverRefused: readonly string[];
  /** Ids of rules that refused near misses, but never one that no other rule refused. */
  readonly neverDecisive: readonly string[];
  /** Of the last two, those of which it is known why: the rule and the reason. */
  readonly repeating: readonly { readonly id: string; readonly why: string }[];
  /** Outcomes that exist and that no call had. */
  readonly neverReached: readonly string[];
}

const LEGEND = [
  'judged: how often the premise of the rule was met',
  'tried: how often near misses were tried where the rule had a say: what was answered or seen, ' +
    'with one thing changed',
  'refuses: how often the rule refused a near miss then; a rule that never does concerns what ' +
    'these changes do not touch',
  'decisive: how often it refused one that no other rule of its kind refused; a rule that never ' +
    'does repeats others as far as these changes go',
];

const count = (value: number): string => value.toLocaleString('en-US');

const HEAD = '  rule    strength         judged     tried   refuses  decisive';

const ruleLine = (rule: RuleCoverage, colors: Colors): string => {
  const head = `  ${rule.id}  ${rule.strength.padEnd(9)}`;
  if (!rule.applies) return colors.dim(`${head} not about this kernel`);
  if (rule.judged === 0) return colors.yellow(`${head} ${'never'.padStart(13)}`);
  const figures = [rule.tried, rule.refused, rule.decisive].map((n) => count(n).padStart(9));
  const line = `${head} ${count(rule.judged).padStart(13)} ${figures.join(' ')}`;
  return rule.decisive === 0 ? colors.yellow(line) : line;
};

const named = (what: string, names: readonly string[]): string[] =>
  names.length === 0 ? [] : ['', ...wrap(`${what}: ${names.join(', ')}`, 0)];

/** Rules that repeat what others say, and what they stand there for. */
const reasons = (repeating: Coverage['repeating']): string[] => {
  if (repeating.length === 0) return [];
  const lines = repeating.flatMap(({ id, why }) => wrap(`${id}: ${why}`, 2));
  return ['', 'never decisive, for a reason:', ...lines];
};

/** The text, without a final newline. */
export const coverageText = (coverage: Coverage, colors: Colors): string => {
  const { kernel, traces, calls, kexecs, seed, suites, faults } = coverage;
  const what = `${count(traces)} traces, ${count(calls)} calls, ${count(kexecs)} handovers`;
  const lines = [...wrap(`Coverage of the law: Linux ${kernel}, ${what}, seed ${seed}`, 0)];
  if (suites.length > 0) lines.push(...wrap(`suites: ${suites.join(', ')}`, 2));
  if (faults.length > 0) lines.push(...wrap(`faults in place: ${faults.join(', ')}`, 2));
  lines.push('', colors.dim(HEAD));
  for (const { title, rules } of coverage.chapters) {
    lines.push('', colors.bold(title), ...rules.map((rule) => ruleLine(rule, colors)));
  }
  lines.push(
    ...named('never exercised', coverage.neverExercised),
    ...named('never refused a near miss', coverage.neverRefused),
    ...named('never decisive, as others refused the same', coverage.neverDecisive),
    ...reasons(coverage.repeating),
    ...named('outcomes never reached', coverage.neverReached),
    '',
    ...LEGEND.flatMap((text) => wrap(text, 0)),
  );
  return lines.join('\n');
};
