/**
 * Proving that a counterexample is as short as it can be, by a search of law × implementation.
 *
 * On the trace's own machine, every trace of fewer steps is tried that its alphabet makes: its own
 * steps, the ordinary ones from kernel to kernel, and simpler variants of its own, in any order, as
 * often as they fit, each on everything that was made before. Traces that lead to the same state of
 * both are one. A trace ends at the first rule it breaks, everything compared after every step; if
 * that is another rule, nothing that begins with it is tried. That is all that is left out.
 */
import type { KernelProfile } from '#model/kernels';
import type { Step, StepName, Trace } from '#model/step';
import { alphabetOf, lettersOf } from '../alphabet.ts';
import type { Alphabet } from '../alphabet.ts';
import type { SystemMaker } from '../run-trace.ts';
import type { Violation } from '../lockstep.ts';
import { JointSearch } from './joint.ts';
import type { JointOptions } from './joint.ts';

export interface JointProof {
  readonly method: 'joint';
  /** The shortest trace that is known now: the given one, or one that is shorter. */
  readonly trace: Trace;
  /** No trace of up to so many steps of the alphabet breaks the rule. */
  readonly proven: number;
  /** Whether that is all shorter traces. */
  readonly complete: boolean;
  readonly stopped: null | 'memory' | 'time';
  readonly states: number;
  readonly transitions: number;
  readonly alphabet: Alphabet;
}

/** Steps that write so many pages that states after them are not to be held side by side. */
const TOO_LARGE: readonly StepName[] = ['preserve scattered'];

/** Whether states that these steps lead to can be remembered. */
export const isSearchable = (steps: readonly Step[]): boolean =>
  steps.every((step) => !TOO_LARGE.includes(step.do));

/**
 * Looks for a trace that breaks `rule` in fewer steps than `trace` does.
 *
 * @param trace breaks `rule`; its steps are searchable
 * @param confirm whether a trace, run from its start, breaks the rule; one that does not is none
 */
export const proveShortest = (
  trace: Trace,
  rule: string,
  kernel: KernelProfile,
  make: SystemMaker,
  confirm: (shorter: Trace) => boolean,
  limits: Omit<JointOptions, 'isWanted' | 'depthLimit'> = {},
): JointProof => {
  const alphabet = alphabetOf(trace.steps);
  const letters = lettersOf(alphabet);
  const { machine, steps } = trace;
  const bounds = { objects: Infinity, kexecs: Infinity };
  const scope = { name: 'proof', says: '', kernel: kernel.name, machine, letters, ...bounds };
  const isWanted = (shorter: Trace, violation: Violation): boolean =>
    violation.rule.id === rule && confirm(shorter);
  const depthLimit = steps.length - 1;
  const options = { ...limits, isWanted, depthLimit };
  const found = new JointSearch(scope, kernel, make, options).run();
  const { states, transitions } = found;
  const searched = { method: 'joint', states, transitions, alphabet } as const;
  if (found.broken !== undefined) {
    const shorter = found.broken.trace;
    const proven = Math.max(0, shorter.steps.length - 1);
    return { ...searched, trace: shorter, proven, complete: true, stopped: null };
  }
  const { stopped } = found;
  if (stopped === 'memory' || stopped === 'time') {
    return { ...searched, trace, proven: found.depth, complete: false, stopped };
  }
  return { ...searched, trace, proven: Math.max(0, depthLimit), complete: true, stopped: null };
};
