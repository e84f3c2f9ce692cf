/**
 * Executed steps per CPU second: lockstep beside fast-check's bare commands loop.
 *
 * Both run in this process, one after the other, several times in turn; what is printed is the
 * median of each and their ratio, pair by pair. Then one more round is sampled by the engine's own
 * profiler, which says where the time goes.
 */
import { Session } from 'node:inspector/promises';
import type { Profiler } from 'node:inspector';
import fc from 'fast-check';
import { machineShapes, tracePlans } from '#model/generators';
import { NEWEST_KERNEL } from '#model/kernels';
import { runnerFor } from '#src/cli/systems';
import { Tally } from '#src/checker/tally';
import { runReferenceCommands } from './reference-commands.ts';
import { cpuSeconds, median, show } from './section.ts';
import type { Section } from './section.ts';

const ROUNDS = 5;
const TRACES = 300;
const REFERENCE_TRACES = 20_000;
const STEPS_MAX = 100;

const runTraces = (seed: number): Tally => {
  const runner = runnerFor(NEWEST_KERNEL, []);
  const tally = new Tally();
  const plans = tracePlans(machineShapes({ nodesMin: 1, nodesMax: 4 }), STEPS_MAX);
  fc.assert(
    fc.property(plans, (plan) => {
      const { violation } = runner.run(plan, tally);
      if (violation !== undefined) throw new Error(`${violation.rule.id}: ${violation.text}`);
    }),
    { seed, numRuns: TRACES },
  );
  return tally;
};

/** Where time goes, by the room that the innermost function of ours is in. */
const ROOMS: readonly (readonly [RegExp, string])[] = [
  [/\/spec\//, 'the law: rules and effects'],
  [/\/model\/sparse-carrier/, 'its carrier'],
  [/\/model\//, 'drawing steps, the world'],
  [/\/src\/abi\//, 'the observer'],
  [/\/src\/fdt-ts\//, 'device trees'],
  [/\/src\/kho\//, 'the implementation'],
  [/\/src\/checker\//, 'the checker'],
  [/fast-check/, 'fast-check'],
];

const roomOf = (url: string): string =>
  ROOMS.find(([pattern]) => pattern.test(url))?.[1] ?? 'the engine: memory, compiler';

const sharesOf = ({ nodes, samples = [], timeDeltas = [] }: Profiler.Profile): string[] => {
  const room = new Map(nodes.map((node) => [node.id, roomOf(node.callFrame.url)]));
  const spent = new Map<string, number>();
  let total = 0;
  samples.forEach((sample, at) => {
    const where = room.get(sample)!;
    spent.set(where, (spent.get(where) ?? 0) + timeDeltas[at]!);
    total += timeDeltas[at]!;
  });
  return [...spent]
    .toSorted(([, a], [, b]) => b - a)
    .map(([where, time]) => `${where} ${Math.round((100 * time) / total)} %`);
};

const profile = async (seed: number): Promise<string[]> => {
  const session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.start');
  runTraces(seed);
  const { profile: taken } = await session.post('Profiler.stop');
  session.disconnect();
  return sharesOf(taken);
};

export const lockstep = async (): Promise<Section> => {
  const ours: number[] = [];
  const theirs: number[] = [];
  let executed = 0;
  let generated = 0;
  let kexecs = 0;
  for (let round = 0; round <= ROUNDS; round++) {
    const start = cpuSeconds();
    const tally = runTraces(round + 1);
    const between = cpuSeconds();
    const commands = runReferenceCommands(REFERENCE_TRACES, round + 1);
    const end = cpuSeconds();
    executed += tally.steps;
    generated += tally.generated;
    kexecs += tally.kexecs;
    if (round === 0) continue;
    ours.push(tally.steps / (between - start));
    theirs.push(commands / (end - between));
  }
  const shares = await profile(ROUNDS + 2);
  return {
    title: 'Lockstep',
    figures: [
      {
        what: 'executed steps per second, default world',
        ours: `${show(median(ours))} steps/s`,
        peer: `fast-check commands on a toy: ${show(median(theirs))}`,
        ratio: median(ours.map((rate, i) => rate / theirs[i]!)),
        bar: '≥ 0.25',
      },
      {
        what: 'executed of generated steps',
        ours: `${((100 * executed) / generated).toFixed(1)} %`,
        peer: '',
        bar: '≥ 95 %',
      },
    ],
    notes: [
      `Median of ${ROUNDS} rounds of ${TRACES} traces; a jump to another kernel every ` +
        `${show(executed / kexecs)} steps.`,
      `Where the time goes: ${shares.join(', ')}.`,
    ],
  };
};
