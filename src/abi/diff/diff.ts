/**
 * Two ABIs side by side: every change, who it breaks, and what becomes of a handover either way.
 *
 * A change that breaks something is an error unless a version in front of it changed as well. The
 * outcome of a direction is the worst of what is met there, after the versions that a reader looks
 * at first: the root's, then those within.
 */
import type { AbiDescription, DocFinding } from '../headers/description.ts';
import { worstOf, type Finding as Met, type Outcome } from '../verdict/outcome.ts';
import {
  note,
  placeText,
  SEVERITIES,
  type AbiFinding,
  type Change,
  type Effects,
  type Sides,
} from './finding.ts';
import { grammarChanges } from './grammar.ts';
import { constantChanges, meaningChanges } from './meaning.ts';
import { portFindings } from './port.ts';
import { ABI_RULES, categoryOf } from './rules.ts';
import { sourceFindings } from './source.ts';
import { chainOf, isTestFamily, ROOT_FAMILY, Versions } from './strings.ts';
import { versionFindings } from './version-rules.ts';
import { wireChanges } from './wire.ts';

/** The result of a comparison. */
export interface AbiDiff {
  readonly outcome: Effects;
  readonly findings: readonly AbiFinding[];
  /** How many rules were asked. */
  readonly rulesRun: number;
  /** How many structures were seen on both sides together, each once. */
  readonly structs: number;
}

/** Changes that a handover meets even where the root's string differs: what is read before it. */
const BEFORE_ROOT = /^struct kho_data\b/;

const asFinding = (change: Change, versions: Versions): AbiFinding => {
  const cover = versions.covering(change.families);
  const isError = change.breaks && cover === undefined;
  const family = change.families[0];
  const string = family === undefined ? undefined : versions.of(family);
  const macro = (string?.new ?? string?.old)?.macro.name;
  const covered = `none: ${cover} is a new version`;
  const action = isError
    ? macro === undefined
      ? 'decide: no version covers it'
      : `make ${macro} a new version`
    : change.breaks
      ? covered
      : 'none';
  return {
    rule: change.rule,
    category: categoryOf(change.rule),
    severity: isError ? 'error' : change.breaks ? 'info' : (change.severity ?? 'info'),
    message: change.message,
    impact:
      change.breaks && !isError ? `${change.impact}, were it not for ${cover}` : change.impact,
    action,
    old: placeText(change.old),
    new: placeText(change.new),
    subject: change.subject,
  };
};

/** What a reader meets at strings that differ: a family whose reader panics, or drops its part. */
const atString = (family: string, versions: Versions): Outcome | undefined => {
  if (isTestFamily(family) || !versions.differs(family)) return undefined;
  if (family === ROOT_FAMILY) return 'refused';
  return chainOf(family).includes('luo') && family !== 'memfd' ? 'panic' : 'ignored';
};

/** The outcome in one direction. */
const outcomeOf = (
  direction: keyof Effects,
  versions: Versions,
  changes: readonly Change[],
): Outcome => {
  const met = (outcome: Outcome): Met => ({ outcome, reason: '' });
  const early = changes.filter(({ subject }) => BEFORE_ROOT.test(subject));
  if (versions.differs(ROOT_FAMILY)) {
    const before = early
      .filter(({ breaks }) => breaks)
      .map(({ effects }) => met(effects[direction]));
    return worstOf([...before, met('refused')]);
  }
  const strings = versions.families().flatMap((family) => atString(family, versions) ?? []);
  const others = changes.flatMap(({ families, effects }) =>
    versions.covering(families) === undefined ? [effects[direction]] : [],
  );
  return worstOf([...strings, ...others].map(met));
};

/** What comments say wrongly; what was wrong before is told, but is nobody's change. */
const docNotes = ({ old, new: next }: Sides): readonly AbiFinding[] => {
  const key = ({ rule, subject }: DocFinding): string => `${rule} ${subject}`;
  const before = new Map(old.docs.map((finding) => [key(finding), finding]));
  return next.docs.map((finding) => {
    const was = before.get(key(finding));
    const isOwner = finding.rule === 'DOC-05';
    const severity = was === undefined && !isOwner ? 'warning' : 'info';
    const texts = {
      message: finding.message,
      impact: isOwner
        ? 'two versions have to be looked at when the inner structure changes'
        : 'whoever writes a reader from the comment writes a wrong one',
      action: isOwner ? 'none' : 'correct the comment',
      subject: finding.subject,
    };
    return note(finding.rule, severity, texts, { old: was, new: finding });
  });
};

const rank = ({ severity }: AbiFinding): number => SEVERITIES.indexOf(severity);

/** Compares two ABIs. */
export const diffAbi = (old: AbiDescription, next: AbiDescription): AbiDiff => {
  const sides: Sides = { old, new: next };
  const versions = new Versions(old, next);
  const changes = [
    ...wireChanges(sides, versions),
    ...constantChanges(sides, versions),
    ...meaningChanges(sides, versions),
    ...grammarChanges(sides, versions),
  ];
  const findings = [
    ...changes.map((change) => asFinding(change, versions)),
    ...versionFindings(sides, versions, changes),
    ...docNotes(sides),
    ...portFindings(sides),
    ...sourceFindings(sides),
  ];
  const structs = new Set([...old.structs, ...next.structs].map(({ name }) => name));
  return {
    outcome: {
      oldToNew: outcomeOf('oldToNew', versions, changes),
      newToOld: outcomeOf('newToOld', versions, changes),
    },
    findings: findings
      .map((finding, at) => ({ finding, at }))
      .sort((a, b) => rank(a.finding) - rank(b.finding) || a.at - b.at)
      .map(({ finding }) => finding),
    rulesRun: ABI_RULES.length,
    structs: structs.size,
  };
};
