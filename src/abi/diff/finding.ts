/** What a comparison finds, and who says what it means. */
import type { AbiDescription, Place } from '../headers/description.ts';
import type { Outcome } from '../verdict/outcome.ts';
import { categoryOf, type Category } from './rules.ts';

/** From worst to mildest. */
export const SEVERITIES = ['error', 'warning', 'info'] as const;

export type Severity = (typeof SEVERITIES)[number];

/** One finding. */
export interface AbiFinding {
  readonly rule: string;
  readonly category: Category;
  readonly severity: Severity;
  /** What changed. */
  readonly message: string;
  /** What happens to whom, as a sentence. */
  readonly impact: string;
  /** What to do. */
  readonly action: string;
  /** `file:line` on either side, or null where there is nothing. */
  readonly old: string | null;
  readonly new: string | null;
  /** What it is about: the same thing has the same subject in every comparison. */
  readonly subject: string;
}

/** What a change does to a handover in one direction, unless a version stands before it. */
export interface Effects {
  /** The old kernel's data, read by the new one. */
  readonly oldToNew: Outcome;
  /** The new kernel's data, read by the old one. */
  readonly newToOld: Outcome;
}

/**
 * A change, before it is known whether a version covers it.
 *
 * `families` are the versions that would cover it, such as `memfd`; empty where none exists.
 */
export interface Change {
  readonly rule: string;
  readonly message: string;
  readonly subject: string;
  readonly families: readonly string[];
  readonly effects: Effects;
  readonly impact: string;
  readonly old: Place | undefined;
  readonly new: Place | undefined;
  /** Whether it breaks something where no version covers it. */
  readonly breaks: boolean;
  /** Severity where it does not break; info unless it says so. */
  readonly severity?: Severity;
  /** Targets on which it shows; undefined: all. */
  readonly targets?: readonly string[];
}

/** Both sides. */
export interface Sides {
  readonly old: AbiDescription;
  readonly new: AbiDescription;
}

export const NO_EFFECT: Effects = { oldToNew: 'same', newToOld: 'same' };
export const MISREAD: Effects = { oldToNew: 'misread', newToOld: 'misread' };

/** A place as `file:line`, or the file alone where the line is not known. */
export const placeText = (place: Place | undefined): string | null =>
  place === undefined ? null : place.line > 0 ? `${place.file}:${place.line}` : place.file;

/** A finding that needs no version. */
export const note = (
  id: string,
  severity: Severity,
  texts: Pick<AbiFinding, 'message' | 'impact' | 'action' | 'subject'>,
  places: { readonly old?: Place | undefined; readonly new?: Place | undefined } = {},
): AbiFinding => ({
  rule: id,
  category: categoryOf(id),
  severity,
  ...texts,
  old: placeText(places.old),
  new: placeText(places.new),
});
