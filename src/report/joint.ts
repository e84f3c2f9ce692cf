/** What a search of specification × implementation found, as text and as JSON. */
import type { JointResult } from '../checker/joint/joint.ts';
import type { Colors } from './colors.ts';
import { wrap } from './counterexample.ts';

/** What was searched. */
export interface JointQuestion {
  readonly scope: string;
  readonly kernel: string;
  /** Faults that the implementation has, by id. */
  readonly faults: readonly string[];
}

/** The document of `explore --against implementation --json`, without a line break. */
export const jointJson = (
  { scope, kernel, faults }: JointQuestion,
  found: JointResult,
  violation: string | null,
): string =>
  JSON.stringify({
    scope,
    states: found.states,
    transitions: found.transitions,
    depth: found.depth,
    complete: found.complete,
    stopped: found.stopped,
    symmetry: false,
    workers: 1,
    milliseconds: found.milliseconds,
    setupMilliseconds: found.setupMilliseconds,
    bytesPerState: found.bytesPerState,
    deadlocks: found.deadlocks,
    neverEnabled: found.neverEnabled,
    violation,
    against: 'implementation',
    kernel,
    faults,
    rule: found.broken?.violation.rule.id ?? null,
    steps: found.broken?.trace.steps.length ?? null,
  });

const number = (value: number): string => value.toLocaleString('en-US');

const verdict = (found: JointResult, colors: Colors): string => {
  if (found.broken !== undefined) {
    const { length } = found.broken.trace.steps;
    const steps = `${length} step${length === 1 ? '' : 's'}`;
    const { rule } = found.broken.violation;
    return colors.red(`broken: ${rule.id} in ${steps}, the fewest of any trace of this scope`);
  }
  if (found.complete) return colors.green('holds in every state that can be reached');
  return colors.yellow(`inconclusive: stopped by the ${found.stopped} limit`);
};

/** How deep the search went. */
const depthText = ({ depth, complete, broken }: JointResult): string => {
  if (complete) return `${depth}`;
  return broken === undefined ? `${depth}, not all of it expanded` : `${depth}, to the first break`;
};

/** What came out, for a terminal of 80 columns; ends with a line break. */
export const jointText = (
  { scope, kernel, faults }: JointQuestion,
  found: JointResult,
  colors: Colors,
): string => {
  const { states, transitions, milliseconds, deadlocks, neverEnabled } = found;
  const rate = Math.round((transitions / Math.max(1, milliseconds)) * 1000);
  const never = neverEnabled.length === 0 ? 'none' : neverEnabled.join(', ');
  const broken = faults.length === 0 ? '' : ` with ${faults.join(', ')}`;
  return [
    colors.bold(`${scope}, law beside implementation`),
    ...wrap(`kernel         Linux ${kernel}${broken}`, 2),
    `  states         ${number(states)}`,
    `  transitions    ${number(transitions)}`,
    `  depth          ${depthText(found)}`,
    `  deadlocks      ${number(deadlocks)}`,
    ...wrap(never, 17).map((line, i) => (i === 0 ? `  never enabled  ${line.trim()}` : line)),
    `  time           ${number(milliseconds)} ms, ${number(rate)} transitions a second`,
    `  memory         ${number(found.bytesPerState)} bytes a state`,
    '',
    verdict(found, colors),
    '',
  ].join('\n');
};
