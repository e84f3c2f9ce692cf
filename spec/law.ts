/**
 * The law: its chapters in reading order, and what follows from them.
 *
 * Start with the chapters; each opens with what it is about. Everything here is derived.
 */
import { ALLOCATION } from './allocation.ts';
import { appliesTo } from './generations.ts';
import type { Generation } from './generations.ts';
import type { ActionName } from './call.ts';
import { CONTENT } from './content.ts';
import { HANDOVER_RULES } from './handover.ts';
import { HANDOVER_TREE } from './handover-tree.ts';
import { KEXEC } from './kexec.ts';
import { MOVABILITY } from './movability.ts';
import { PRESERVATION } from './preservation.ts';
import { RESTORE } from './restore.ts';
import type { Action, Chapter, Rule } from './rules.ts';
import { SCRATCH } from './scratch.ts';
import { TRACKER } from './tracker.ts';

const A_HANDOVER: Chapter = {
  title: 'A handover, looked at on its own',
  says: 'What the bytes that one kernel leaves for the next must satisfy, however they came to be.',
  rules: HANDOVER_RULES,
  actions: [],
};

export const CHAPTERS: readonly Chapter[] = [
  SCRATCH,
  MOVABILITY,
  ALLOCATION,
  PRESERVATION,
  TRACKER,
  RESTORE,
  CONTENT,
  HANDOVER_TREE,
  KEXEC,
  A_HANDOVER,
];

/** Every rule, in reading order. */
export const RULES: readonly Rule[] = CHAPTERS.flatMap((chapter) => chapter.rules);

/** Every action, by its name. */
export const ACTION: Readonly<Record<ActionName, Action>> = Object.fromEntries(
  CHAPTERS.flatMap((chapter) => chapter.actions.map((action) => [action.name, action])),
) as Record<ActionName, Action>;

/** The rules that a generation has to keep. */
export const rulesOf = (generation: Generation): readonly Rule[] =>
  RULES.filter((rule) => appliesTo(generation, rule.since, rule.until));

/** The rule with this id, or undefined. */
export const ruleById = (id: string): Rule | undefined => RULES.find((rule) => rule.id === id);
