/**
 * `npm run bench`: executed steps per CPU second, lockstep beside fast-check's bare commands loop.
 *
 * Both run in this process, one after the other, several times in turn; what is printed is the
 * median of each and their ratio. Rates alone mean little: machines differ and are shared.
 */
import fc from 'fast-check';
import { machineShapes, tracePlans } from '#model/generators';
import { NEWEST_KERNEL } from '#model/kernels';
import { runnerFor } from '#src/cli/systems';
import { Tally } from '#src/checker/tally';
import { runReferenceCommands } from './reference-commands.ts';

const ROUNDS = 5;
const TRACES = 400;
const REFERENCE_TRACES = 20_000;

const cpuSeconds = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};

const lockstepRate = (seed: number): number => {
  const runner = runnerFor(NEWEST_KERNEL, []);
  const tally = new Tally();
  const plans = tracePlans(machineShapes({ nodesMin: 1, nodesMax: 4 }), 100);
  const start = cpuSeconds();
  fc.check(
    fc.property(plans, (plan) => {
      const { violation } = runner.run(plan, tally);
      if (violation !== undefined) throw new Error(`${violation.rule.id}: ${violation.text}`);
    }),
    { seed, numRuns: TRACES },
  );
  return tally.steps / (cpuSeconds() - start);
};

const referenceRate = (seed: number): number => {
  const start = cpuSeconds();
  const executed = runReferenceCommands(REFERENCE_TRACES, seed);
  return executed / (cpuSeconds() - start);
};

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[values.length >> 1]!;

const format = (value: number): string => Math.round(value).toLocaleString('en-US').padStart(12);

const ours: number[] = [];
const theirs: number[] = [];
for (let round = 0; round <= ROUNDS; round++) {
  const a = lockstepRate(round + 1);
  const b = referenceRate(round + 1);
  if (round === 0) continue;
  ours.push(a);
  theirs.push(b);
}
const ratios = ours.map((rate, i) => rate / theirs[i]!);
process.stdout.write(
  [
    'executed steps per CPU second, median of five rounds',
    `${format(median(ours))}  lockstep: law, byte-exact kho-v4, observer; default world`,
    `${format(median(theirs))}  fast-check commands on a toy (maxCommands 50, size max)`,
    `${median(ratios).toFixed(4).padStart(12)}  ratio, pair by pair`,
    '',
  ].join('\n'),
);
