/**
 * `kho-check abi check [NEW] --baseline OLD`: a kernel tree against what it has to get along with,
 * in a form that a CI job can use.
 *
 * Exit status: 0 nothing breaks · 1 an error, or a suppression that is not needed · 2 wrong usage ·
 * 3 nothing was compared, or something could not be read.
 */
import { ABI_RULES } from '../abi/diff/rules.ts';
import { githubText, junitText, sarifText } from '../report/abi-formats.ts';
import { diffText } from '../report/abi-diff.ts';
import { compareSides, SENTENCES, statusOf } from './abi-diff.ts';
import { readSide } from './abi-sources.ts';
import { isDay, readSuppressions, sift } from './abi-suppressions.ts';
import { UsageError } from './io.ts';
import type { Io } from './io.ts';

export interface AbiCheckOptions {
  readonly baseline: string;
  readonly git?: string | undefined;
  readonly format: 'text' | 'json' | 'sarif' | 'github' | 'junit';
  readonly json: boolean;
  readonly suppress?: string | undefined;
  /** A day as 2026-11-30; the day it is when absent. */
  readonly today?: string | undefined;
}

/** What is said of suppressions, beside the rules of a comparison. */
const OWN_RULES = [
  { id: 'SUPPRESS-01', says: 'A suppression suppresses something.' },
  { id: 'SUPPRESS-02', says: 'A suppression has not ended.' },
];

/** Compares, sifts and prints; answers the exit status. */
export const abiCheck = async (what: string, options: AbiCheckOptions, io: Io): Promise<number> => {
  const today = options.today ?? new Date().toISOString().slice(0, 10);
  if (!isDay(today)) throw new UsageError(`--today: ${today} is no day, such as 2026-11-30`);
  const decisions = options.suppress === undefined ? [] : readSuppressions(options.suppress);
  const [before, after] = [readSide(options.baseline, options), readSide(what, options)];
  const compared = await compareSides(before, after, 0);
  const sifted = sift(compared.findings, decisions, options.suppress ?? '', today);
  const report = { ...compared, ...sifted };
  const rules = [...ABI_RULES, ...OWN_RULES];
  switch (options.json ? 'json' : options.format) {
    case 'json':
      io.out(`${JSON.stringify(report)}\n`);
      break;
    case 'sarif':
      io.out(`${sarifText(report, rules)}\n`);
      break;
    case 'github':
      io.out(`${githubText(report)}\n`);
      break;
    case 'junit':
      io.out(`${junitText(report, rules)}\n`);
      break;
    case 'text': {
      io.out(`${diffText({ ...report, says: SENTENCES, all: false }, io.colors)}\n`);
      const count = sifted.suppressed.length;
      if (count > 0) io.out(`${count} suppressed, see ${options.suppress}\n`);
    }
  }
  return statusOf(before, after, report);
};
