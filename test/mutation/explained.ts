/**
 * Survivors that somebody looked at: mutants that mean the same, or that are accepted, and why.
 *
 * An entry names the line of the source by its text, not by its number, so that it lives as long as
 * the line does. One that is of no use any more is reported.
 */
import type { Outcome, Site } from './campaign.ts';

export interface Explained {
  readonly file: string;
  /** The line of the source, trimmed. */
  readonly source: string;
  /** The change as the id of the mutant has it. */
  readonly change: string;
  readonly reason: string;
}

const isOf = (entry: Explained, site: Site): boolean =>
  entry.file === site.file && entry.source === site.source && entry.change === site.mutant.change;

/** Why a survivor is accepted, or undefined. */
export const reasonFor = (entries: readonly Explained[], site: Site): string | undefined =>
  entries.find((entry) => isOf(entry, site))?.reason;

/** Entries about these files that no mutant has, or whose mutants were all tried and killed. */
export const uselessEntries = (
  entries: readonly Explained[],
  all: readonly Site[],
  outcomes: readonly Outcome[],
): readonly Explained[] => {
  const files = new Set(all.map((site) => site.file));
  const tried = new Map(outcomes.map(({ site, verdict }) => [site, verdict]));
  return entries.filter((entry) => {
    const sites = all.filter((site) => isOf(entry, site));
    const isOpen = sites.some((site) => (tried.get(site) ?? 'survived') === 'survived');
    return files.has(entry.file) && !isOpen;
  });
};
