/**
 * The law: its chapters in reading order, and what follows from them.
 *
 * Start with the chapters; each opens with what it is about. Everything here is derived.
 */
import { ALLOCATION } from './allocation.ts';
import { ALLOC_PRESERVE } from './alloc-preserve.ts';
import { ROOT_STRING, appliesTo } from './generations.ts';
import type { Generation } from './generations.ts';
import type { ActionName } from './call.ts';
import { CONTENT } from './content.ts';
import { WHAT_DEBUGFS_SHOWS } from './debugfs-sight.ts';
import { EARLY_SERIES } from './early-series.ts';
import { HANDOVER_RULES } from './handover.ts';
import { HANDOVER_TREE } from './handover-tree.ts';
import { KEXEC } from './kexec.ts';
import { LIVE_UPDATE } from './live-update.ts';
import { LOADING } from './loading.ts';
import { MOVABILITY } from './movability.ts';
import { PHASES } from './phases.ts';
import { PRESERVATION } from './preservation.ts';
import { RESERVE_MEM } from './reserve-mem.ts';
import { RESTORE } from './restore.ts';
import type { Action, Chapter, Rule } from './rules.ts';
import { SCRATCH } from './scratch.ts';
import { SHORTAGE } from './shortage.ts';
import { TRACKER } from './tracker.ts';
import { VMALLOC } from './vmalloc.ts';
import { WITHOUT_KHO } from './without-kho.ts';

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
  VMALLOC,
  ALLOC_PRESERVE,
  CONTENT,
  HANDOVER_TREE,
  RESERVE_MEM,
  LIVE_UPDATE,
  SHORTAGE,
  PHASES,
  EARLY_SERIES,
  KEXEC,
  LOADING,
  WITHOUT_KHO,
  WHAT_DEBUGFS_SHOWS,
  A_HANDOVER,
];

/** Every rule, in reading order. */
export const RULES: readonly Rule[] = CHAPTERS.flatMap((chapter) => chapter.rules);

/** Every action, by its name. */
export const ACTION: Readonly<Record<ActionName, Action>> = Object.fromEntries(
  CHAPTERS.flatMap((chapter) => chapter.actions.map((action) => [action.name, action])),
) as Record<ActionName, Action>;

/** Whether the kernels of a generation have an action. */
export const hasAction = (generation: Generation, action: ActionName): boolean =>
  appliesTo(generation, ACTION[action].since, ACTION[action].until) ||
  (ACTION[action].also ?? []).includes(generation);

/** The rules that a generation has to keep. */
export const rulesOf = (generation: Generation): readonly Rule[] =>
  RULES.filter(
    (rule) =>
      appliesTo(generation, rule.since, rule.until) &&
      (rule.kind !== 'answer' || rule.on.some((action) => hasAction(generation, action))),
  );

/** The rules that kernels of these generations have to keep when they follow each other. */
export const rulesAmong = (generations: readonly Generation[]): readonly Rule[] => {
  const roots = new Set(generations.map((generation) => ROOT_STRING[generation]));
  const asked = new Set(generations.flatMap(rulesOf));
  return RULES.filter((rule) => asked.has(rule) && (!rule.acrossRoots || roots.size > 1));
};

/** The rule with this id, or undefined. */
export const ruleById = (id: string): Rule | undefined => RULES.find((rule) => rule.id === id);
