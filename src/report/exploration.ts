/** What an exhaustive exploration found, as text and as JSON. */
import type { Exploration } from '../checker/explore/progress.ts';
import type { Colors } from './colors.ts';
import { wrap } from './counterexample.ts';

/** The document of `explore --json`, without a line break. `violation`: path of the saved trace. */
export const explorationJson = (found: Exploration, violation: string | null): string =>
  JSON.stringify({
    scope: found.scope,
    states: found.states,
    transitions: found.transitions,
    depth: found.depth,
    complete: found.complete,
    stopped: found.stopped,
    symmetry: found.symmetry,
    workers: found.workers,
    milliseconds: found.milliseconds,
    setupMilliseconds: found.setupMilliseconds,
    bytesPerState: found.bytesPerState,
    deadlocks: found.deadlocks,
    neverEnabled: found.neverEnabled,
    violation,
  });

const number = (value: number): string => value.toLocaleString('en-US');

const traceText = (found: Exploration, colors: Colors): string => {
  const { violation } = found;
  if (violation === null) return '';
  const { rule, says, steps } = violation;
  const width = String(steps.length).length;
  return [
    `${colors.red(colors.bold(rule))}  broken after ${steps.length} steps, and no sooner`,
    ...wrap(says, 2),
    '',
    ...steps.map(({ shows }, i) => `  ${String(i + 1).padStart(width)}  ${shows}`),
    '',
    '',
  ].join('\n');
};

const verdictText = (found: Exploration, colors: Colors): string => {
  if (found.violation !== null) return colors.red(`broken: ${found.violation.rule}`);
  if (found.complete) return colors.green('holds in every state that can be reached');
  return colors.yellow(`inconclusive: stopped by the ${found.stopped} limit`);
};

/** What came out, for a terminal of 80 columns; ends with a line break. */
export const explorationText = (found: Exploration, colors: Colors): string => {
  const { states, transitions, depth, milliseconds, deadlocks, neverEnabled } = found;
  const per = found.symmetry ? ' up to symmetry' : '';
  const rate = Math.round((states / Math.max(1, milliseconds)) * 1000);
  const never = neverEnabled.length === 0 ? 'none' : neverEnabled.join(', ');
  return [
    traceText(found, colors) + colors.bold(found.scope),
    `  states         ${number(states)}${per}`,
    `  transitions    ${number(transitions)}`,
    `  depth          ${number(depth)}${found.complete ? '' : ', not all of it expanded'}`,
    `  deadlocks      ${number(deadlocks)}`,
    ...wrap(never, 17).map((line, i) => (i === 0 ? `  never enabled  ${line.trim()}` : line)),
    `  time           ${milliseconds} ms, ${number(rate)} states a second`,
    `  set-up         ${found.setupMilliseconds} ms`,
    `  memory         ${found.bytesPerState} bytes a state`,
    '',
    verdictText(found, colors),
    '',
  ].join('\n');
};
