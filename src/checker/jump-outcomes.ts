/**
 * What became of a handover between two kernels, in one word, judged by what happened.
 *
 * Nothing in here knows what differs between kernels.
 */
import { COLD, NO_KHO, REVIVED } from '#spec/call';
import { EINVAL, ENOMEM } from '#spec/errno';
import { KEX_04, KEX_09 } from '#spec/kexec';

/** What became of a handover, from best to worst. */
export const OUTCOMES = ['same', 'refused', 'ignored', 'misread', 'panic'] as const;

export type Outcome = (typeof OUTCOMES)[number];

/** Answers of a jump that did not take place. */
export const NO_JUMP: readonly number[] = [-EINVAL, -ENOMEM];

/**
 * What happened at a jump.
 *
 * @param answer what the jump answered
 * @param rule the rule that broke at it or right after it
 * @param misreads whether the reader would take other memory for preserved than the writer did
 */
export const outcomeOf = (answer: number, rule: string | undefined, misreads: boolean): Outcome => {
  if (answer < 0) return misreads ? 'misread' : 'panic';
  if (rule === KEX_09.id) return 'ignored';
  // A kernel that does not take what has its own string has taken nothing either; that there is no
  // room for the scratch that it wants then is another matter.
  const tookNothing = answer === COLD || answer === NO_KHO;
  if (tookNothing && rule === KEX_04.id) return 'refused';
  if (rule !== undefined) return 'misread';
  if (answer === REVIVED) return 'same';
  if (tookNothing) return 'refused';
  throw new Error(`a jump answered ${answer}, which means nothing`);
};
