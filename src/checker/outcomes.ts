/**
 * Which outcomes of calls exist, and which of them a run never reached.
 *
 * An action says itself which errors it is refused with; beside them there is success, and of a
 * jump two kinds of it: the next kernel took the handover over, or it did not.
 */
import { ACTIONS } from '#spec/call';
import { ERRNO_NAMES } from '#spec/errno';
import { GENERATIONS, appliesTo } from '#spec/generations';
import type { Generation } from '#spec/generations';
import { ACTION, hasAction } from '#spec/law';

/** An error number as people read it; negative, as answers have it. */
const errorText = (error: number): string => `-${ERRNO_NAMES[-error] ?? -error}`;

/**
 * Outcomes that exist and did not occur.
 *
 * @param outcomes calls by action and, if refused, error number, as a tally has them
 * @param kexecs jumps after which the next kernel took the handover over
 * @param generations of the kernels that ran; the newest when absent
 * @param isAsked whether an outcome is asked for that only so large a part of them knows
 */
export const missingOutcomes = (
  outcomes: ReadonlyMap<string, number>,
  kexecs: number,
  generations: readonly Generation[] = [GENERATIONS.at(-1)!],
  isAsked: (part: number) => boolean = () => true,
): readonly string[] =>
  ACTIONS.flatMap((action) => {
    const having = generations.filter((generation) => hasAction(generation, action));
    const missing: string[] = [];
    const { refusals = [], refusalSpans = {} } = ACTION[action];
    const exists = (answer: number): boolean => {
      const { since, until } = refusalSpans[answer] ?? {};
      const some = having.filter((generation) => appliesTo(generation, since, until));
      return some.length > 0 && isAsked(some.length / generations.length);
    };
    const succeeded = outcomes.get(action) ?? 0;
    if (succeeded === 0 && exists(0)) missing.push(`${action} ok`);
    for (const error of refusals) {
      if (!exists(error)) continue;
      if (!outcomes.has(`${action} ${error}`)) missing.push(`${action} ${errorText(error)}`);
    }
    if (action !== 'kexec' || !isAsked(1)) return missing;
    if (kexecs === 0) missing.push('kexec with a handover');
    if (succeeded === kexecs) missing.push('kexec without a handover');
    return missing;
  });
