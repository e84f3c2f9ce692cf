/**
 * Findings that somebody decided to live with: a file that names each, with a reason and the day on
 * which the decision ends. One that nothing needs any more, or that has ended, is a finding itself.
 */
import { readFileSync } from 'node:fs';
import * as v from 'valibot';
import { note, type AbiFinding } from '../abi/diff/finding.ts';
import { UsageError } from './io.ts';

const DAY = /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])$/;

const schema = v.array(
  v.strictObject({
    rule: v.pipe(v.string(), v.regex(/^[A-Z]+-\d\d$/, 'is no id of a rule, such as WIRE-04')),
    subject: v.pipe(v.string(), v.minLength(1)),
    reason: v.pipe(v.string(), v.minLength(10, 'says too little; give a reason')),
    until: v.pipe(v.string(), v.regex(DAY, 'is no day, such as 2026-11-30')),
  }),
);

/** One decision. */
export type Suppression = v.InferOutput<typeof schema>[number];

/** Whether a text is a day. */
export const isDay = (text: string): boolean => DAY.test(text);

/** Reads the file. */
export const readSuppressions = (path: string): readonly Suppression[] => {
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    const why = error instanceof SyntaxError ? 'is no JSON' : 'cannot be read';
    throw new UsageError(`${path} ${why}; it is a list of {rule, subject, reason, until}`);
  }
  const parsed = v.safeParse(schema, json);
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  const where = issue.path?.map(({ key }) => String(key)).join('.') ?? 'the top';
  throw new UsageError(`${path}: ${where}: ${issue.message}`);
};

/** What is left of findings, what was suppressed, and what is wrong with suppressions. */
export interface Sifted {
  readonly findings: readonly AbiFinding[];
  readonly suppressed: readonly (AbiFinding & {
    readonly reason: string;
    readonly until: string;
  })[];
}

const complain = (path: string, { rule, subject, until }: Suppression, ended: boolean) => {
  const what = `the suppression of ${rule} ${subject}`;
  return note(ended ? 'SUPPRESS-02' : 'SUPPRESS-01', 'error', {
    message: ended ? `${what} ended on ${until}` : `${what} suppresses nothing`,
    impact: ended ? 'what it hid is told again' : 'it would hide the same mistake made anew',
    action: ended ? 'decide again, or mend what it hid' : 'take it out of the file',
    subject: `${path}: ${rule} ${subject}`,
  });
};

/**
 * Takes out what is suppressed on the day `today` (both days as 2026-11-30, the end date included).
 *
 * A version that is missing only because of suppressed changes stays: it is a finding of its own.
 */
export const sift = (
  findings: readonly AbiFinding[],
  decisions: readonly Suppression[],
  path: string,
  today: string,
): Sifted => {
  const used = new Set<Suppression>();
  const decisionOn = (finding: AbiFinding): Suppression | undefined =>
    decisions.find(({ rule, subject }) => rule === finding.rule && subject === finding.subject);
  const suppressed: Sifted['suppressed'][number][] = [];
  const left = findings.filter((finding) => {
    const decision = decisionOn(finding);
    if (decision === undefined) return true;
    used.add(decision);
    if (decision.until < today) return true;
    suppressed.push({ ...finding, reason: decision.reason, until: decision.until });
    return false;
  });
  const wrong = decisions.flatMap((decision) => {
    const ended = decision.until < today;
    return ended || !used.has(decision) ? [complain(path, decision, ended)] : [];
  });
  return { findings: [...wrong, ...left], suppressed };
};
