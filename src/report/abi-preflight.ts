/** Whether a host may hand over to a kernel, as a short answer. */
import type { Outcome } from '../abi/verdict/outcome.ts';
import type { Colors } from './colors.ts';
import { wrap } from './counterexample.ts';

/** What there is to tell. */
export interface PreflightReport {
  readonly old: string;
  readonly new: string;
  /** Undefined where nobody can tell. */
  readonly outcome: Outcome | undefined;
  readonly reasons: readonly string[];
  readonly notes: readonly string[];
}

const ANSWERS: Readonly<Record<Outcome, string>> = {
  same: 'yes: all of it is taken over',
  ignored: 'in part: something that is handed over is not looked at',
  refused: 'no: the new kernel boots cold, and what was preserved is lost',
  misread: 'no: the new kernel takes other memory for preserved, and corrupts it',
  panic: 'no: the new kernel ends while it reads the handover',
};

/** The answer, without a final newline. */
export const preflightText = (report: PreflightReport, colors: Colors): string => {
  const { outcome, reasons, notes } = report;
  const answer =
    outcome === undefined ? 'nobody can tell: the writer is not known' : ANSWERS[outcome];
  const shade =
    outcome === 'same' ? colors.green : outcome === 'ignored' ? colors.yellow : colors.red;
  return [
    ...wrap(`${report.old} → ${report.new}`, 0),
    ...wrap(answer, 2).map((line) => shade(line)),
    ...reasons.flatMap((reason) => wrap(reason, 4)),
    ...notes.flatMap((each) => wrap(each, 2)),
  ].join('\n');
};
