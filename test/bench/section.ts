/** A section of `npm run bench`: figures, each beside a peer that ran in the same minute. */

/** One figure. */
export interface Figure {
  readonly what: string;
  /** Ours, with its unit: `12,345 steps/s`. */
  readonly ours: string;
  /** What it is held against, with its figure; empty when there is nothing. */
  readonly peer: string;
  /** Ours divided by the peer's, so that more is better; undefined when nothing was divided. */
  readonly ratio?: number | undefined;
  /** What is aimed at. */
  readonly bar: string;
}

export interface Section {
  readonly title: string;
  readonly figures: readonly Figure[];
  /** Lines below the table: what was run, what was skipped and why, where the rest goes. */
  readonly notes: readonly string[];
}

/** CPU seconds that this process has used. */
export const cpuSeconds = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};

/** CPU seconds that `work` uses. */
export const timed = (work: () => void): number => {
  const start = cpuSeconds();
  work();
  return cpuSeconds() - start;
};

export const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

/** A whole number with separators, or with two decimals when it is small. */
export const show = (value: number): string =>
  value >= 100 ? Math.round(value).toLocaleString('en-US') : value.toFixed(value < 10 ? 2 : 1);
