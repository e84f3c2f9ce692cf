/**
 * Which outcomes of calls exist, and which of them a run never reached.
 *
 * An action says itself which errors it is refused with; beside them there is success, and of a
 * jump two kinds of it: the next kernel took the handover over, or it did not.
 */
import { ACTIONS } from '#spec/call';
import { ERRNO_NAMES } from '#spec/errno';
import { ACTION } from '#spec/law';

/** An error number as people read it; negative, as answers have it. */
const errorText = (error: number): string => `-${ERRNO_NAMES[-error] ?? -error}`;

/**
 * Outcomes that exist and did not occur.
 *
 * @param outcomes calls by action and, if refused, error number, as a tally has them
 * @param kexecs jumps after which the next kernel took the handover over
 */
export const missingOutcomes = (
  outcomes: ReadonlyMap<string, number>,
  kexecs: number,
): readonly string[] =>
  ACTIONS.flatMap((action) => {
    const missing: string[] = [];
    const succeeded = outcomes.get(action) ?? 0;
    if (succeeded === 0) missing.push(`${action} ok`);
    for (const error of ACTION[action].refusals ?? []) {
      if (!outcomes.has(`${action} ${error}`)) missing.push(`${action} ${errorText(error)}`);
    }
    if (action === 'kexec' && kexecs === 0) missing.push('kexec with a handover');
    if (action === 'kexec' && succeeded === kexecs) missing.push('kexec without a handover');
    return missing;
  });
