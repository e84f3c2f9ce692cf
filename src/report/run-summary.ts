/**
 * The summary of a run: which promises were tried how often, and what the traces were like.
 */
import type { Colors } from './colors.ts';
import { wrap } from './counterexample.ts';

export interface SuiteLine {
  readonly name: string;
  readonly says: string;
  readonly exercised: number;
  readonly rules: number;
  /** Times that a rule of the suite was judged. */
  readonly judged: number;
  /** Ids of its rules that broke. */
  readonly broken: readonly string[];
}

/** What was counted, and how often; ascending. */
export type Distribution = readonly (readonly [what: number, times: number])[];

export interface RunSummary {
  readonly kernel: string;
  readonly seed: number;
  readonly traces: number;
  readonly generated: number;
  readonly steps: number;
  readonly kexecs: number;
  readonly longestChain: number;
  /** Traces by the largest number of handovers in a row, ascending. */
  readonly chains: Distribution;
  readonly seconds: number;
  readonly suites: readonly SuiteLine[];
  readonly never: readonly string[];
  /** Outcomes of calls that exist and that a full run did not reach. */
  readonly missing: readonly string[];
  /** Outcomes that so few kernels of the run know that it had too few traces to reach them. */
  readonly rare: readonly string[];
  /** Calls by action, with refusals by error. */
  readonly outcomes: readonly {
    readonly action: string;
    readonly calls: number;
    readonly refused: string;
  }[];
  /** Traces by the number of nodes. */
  readonly nodes: Distribution;
  /** Folios that were preserved, by order. */
  readonly orders: Distribution;
  readonly verdict: 'holds' | 'broken' | 'inconclusive';
  readonly brokenRules: number;
  /** What is known to follow between two kernels, and followed. */
  readonly deviations: readonly DeviationLine[];
}

/** A pair of kernels whose ABIs differ, and what became of the handovers from one to the other. */
export interface DeviationLine {
  readonly writer: string;
  readonly reader: string;
  readonly outcome: string;
  /** Why, as short phrases. */
  readonly reasons: readonly string[];
  /** The rule that was broken in the trace at `path`. */
  readonly rule: string;
  readonly traces: number;
  readonly steps: number;
  readonly path: string;
}

const WIDTH = 80;
const PROMISE_WIDTH = 43;

const count = (value: number): string => value.toLocaleString('en-US');

/** The text, without a final newline. */
export const runSummaryText = (summary: RunSummary, colors: Colors): string => {
  const lines = [
    `Linux ${summary.kernel}, ${count(summary.traces)} traces, seed ${summary.seed}`,
    '',
    colors.dim('  suite         rules   judged        promise'),
    ...summary.suites.flatMap((suite) => suiteLines(suite, colors)),
    '',
    ...distribution(summary),
  ];
  if (summary.deviations.length > 0) lines.push('', ...deviationLines(summary.deviations));
  if (summary.never.length > 0) {
    lines.push('', ...wrap(`never exercised: ${summary.never.join(', ')}`, 2));
  }
  if (summary.missing.length > 0) {
    lines.push('', ...wrap(`outcomes never reached: ${summary.missing.join(', ')}`, 2));
  }
  if (summary.rare.length > 0) {
    const few = 'not reached, and not asked for, as few of these kernels know them';
    lines.push('', ...wrap(`${few}: ${summary.rare.join(', ')}`, 2));
  }
  lines.push('', verdictLine(summary, colors));
  return lines.join('\n');
};

const deviationLines = (deviations: readonly DeviationLine[]): string[] => [
  '  between kernels of different ABIs: foretold from the bytes, and it came so',
  ...deviations.flatMap(({ writer, reader, outcome, reasons, rule, traces, steps, path }) => [
    `    ${`${writer} → ${reader}`.padEnd(12)} ${outcome.padEnd(8)} ` +
      `${count(traces)} trace${traces === 1 ? '' : 's'}, ${rule} in ${steps} steps`,
    ...wrap(reasons.join('; '), 17),
    `      npx kho-check replay ${path}`,
  ]),
];

const suiteLines = (suite: SuiteLine, colors: Colors): string[] => {
  const untried = suite.exercised === 0 ? colors.yellow('?') : colors.green('✓');
  const mark = suite.broken.length > 0 ? colors.red('✗') : untried;
  const rules = `${suite.exercised}/${suite.rules}`;
  const words = wrap(suite.says, 0, PROMISE_WIDTH);
  const judged = count(suite.judged).padEnd(11);
  const head = `${mark} ${suite.name.padEnd(13)} ${rules.padEnd(7)} ${judged}`;
  return words.map((part, index) =>
    index === 0 ? `${head}  ${part}` : `${' '.repeat(WIDTH - PROMISE_WIDTH)}${part}`,
  );
};

const distribution = (summary: RunSummary): string[] => {
  const { traces } = summary;
  const rate = summary.seconds > 0 ? Math.round(summary.steps / summary.seconds) : 0;
  return [
    `  steps     ${count(summary.steps)} executed of ${count(summary.generated)} drawn, ` +
      `${count(rate)} a second`,
    `  kexecs    ${count(summary.kexecs)} handovers, longest chain ${summary.longestChain}`,
    `  chains    of kexecs  ${chainsText(summary.chains, traces)}`,
    `  machines  by number of nodes  ${spread(summary.nodes)}`,
    ...ordersText(summary.orders),
    '  calls     refused as they must be, where a number follows',
    ...pairs(summary.outcomes.map((outcome) => outcomeText(outcome))),
  ];
};

const spread = (counted: Distribution): string =>
  counted.map(([what, times]) => `${what}: ${count(times)}`).join('  ');

/** Chains in a few classes, in per cent. */
const CHAIN_CLASSES = [
  [0, 0, '0'],
  [1, 3, '1-3'],
  [4, 7, '4-7'],
  [8, Infinity, '8 or more'],
] as const;

const chainsText = (chains: Distribution, traces: number): string =>
  CHAIN_CLASSES.map(([low, high, name]) => {
    let times = 0;
    for (const [length, some] of chains) if (length >= low && length <= high) times += some;
    return `${name}: ${traces === 0 ? 0 : Math.round((100 * times) / traces)} %`;
  }).join('  ');

const ordersText = (orders: Distribution): string[] => {
  if (orders.length === 0) return [];
  const [first = '', ...more] = wrap(
    `folios preserved, by order  ${spread(orders)}`.replaceAll(': ', ':\u00a0'),
    12,
  );
  return [`  orders    ${first.trimStart()}`, ...more].map((line) =>
    line.replaceAll('\u00a0', ' ').trimEnd(),
  );
};

const outcomeText = ({ action, calls, refused }: RunSummary['outcomes'][number]): string =>
  `${action} ${count(calls)}${refused === '' ? '' : ` (${refused})`}`;

/** Two columns of texts, the second where there is room. */
const pairs = (texts: readonly string[]): string[] => {
  const lines: string[] = [];
  for (const text of texts) {
    const last = lines.at(-1);
    if (last !== undefined && last.length < 42 && text.length <= WIDTH - 42) {
      lines[lines.length - 1] = `${last.padEnd(42)}${text}`;
    } else {
      lines.push(`    ${text}`);
    }
  }
  return lines;
};

const unforetold = ({ deviations }: RunSummary): string =>
  deviations.length === 0 ? 'no rule broke' : 'no rule broke that was not foretold';

/** The suites of which nothing was seen, as the end of a sentence. */
const untried = ({ suites }: RunSummary): string => {
  const names = suites.filter(({ exercised }) => exercised === 0).map(({ name }) => name);
  return names.length === 0 ? '' : ` of ${names.join(', ')}`;
};

const verdictLine = (summary: RunSummary, colors: Colors): string => {
  const bound = `${count(summary.traces)} traces, ${count(summary.steps)} steps`;
  switch (summary.verdict) {
    case 'holds':
      return colors.green(`holds: ${unforetold(summary)} in ${bound}.`);
    case 'broken':
      return colors.red(
        `broken: ${summary.brokenRules} rule${summary.brokenRules === 1 ? '' : 's'} in ${bound}.`,
      );
    case 'inconclusive':
      return wrap(
        summary.missing.length > 0
          ? `inconclusive: no rule broke in ${bound}, but some outcomes were never reached.`
          : `inconclusive: ${bound} exercised too little to say anything${untried(summary)}.`,
        0,
      )
        .map((line) => colors.yellow(line))
        .join('\n');
  }
};
