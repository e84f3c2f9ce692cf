/** Kinds of step: kernels that are told something else about scratch. */
import { call } from '../call.ts';
import { lineCount } from '../scratch-lines.ts';
import { NO_CALLS, number } from './kind.ts';
import type { Kind, StepBase } from './kind.ts';
import { LINES_MAX } from './reserve-mem.ts';

/** Switch the machine off and on, with another command line. */
export interface BootWith extends StepBase {
  readonly do: 'boot with';
  readonly line: number;
}

export const bootWith: Kind<BootWith> = {
  says: 'switch the machine off and on, with another command line',
  weight: 0.6,
  silenceable: true,
  needs: 'memory',
  fields: { line: number(1, LINES_MAX - 1) },
  weightNow: (weight, { state: { machine } }) =>
    machine.scratchLines !== undefined && lineCount(machine) > 1 ? weight : 0,
  draw: ({ random, world }) => ({ line: random.between(1, lineCount(world.state.machine) - 1) }),
  calls: ({ state: { machine } }, { line }) =>
    line < lineCount(machine) ? [call('coldBoot', { name: line })] : NO_CALLS,
  settle: (world) => world.forgetAll(),
};
