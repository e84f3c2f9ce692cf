/**
 * `kho-check hunt --canary`: one random known fault for each engine, which has to find it.
 *
 * A run that finds nothing says little unless something was there to be found. Random traces are
 * given a bug of history; the exhaustive search a fault that shows in one of its scopes.
 */
import { machineShapes, tracePlans } from '#model/generators';
import { Random } from '#model/random';
import { jointScopeByName } from '#model/scopes/joint';
import { hunt } from '../checker/hunt.ts';
import { JointSearch } from '../checker/joint/joint.ts';
import { faultById } from '../kho/faults.ts';
import { BUGS } from '../kho/history/history.ts';
import { systemMaker } from './explore-joint.ts';
import { EXIT } from './io.ts';
import type { Io } from './io.ts';
import { NODES, STEPS } from './hunt.ts';
import { huntedOn, kernelNamed, runnerFor } from './systems.ts';

export interface CanaryOptions {
  /** Traces that the random engine has. */
  readonly traces: number;
  /** Draws the faults; any number below 2^32. */
  readonly seed: number;
  readonly json: boolean;
}

/** What an engine made of its fault. */
interface Canary {
  readonly engine: 'random' | 'exhaustive';
  readonly fault: string;
  readonly where: string;
  readonly rule: string;
  readonly found: boolean;
  /** How far the engine went. */
  readonly after: string;
}

/** Faults that show in a scope of the exhaustive search, by the rule that it breaks there first. */
export const IN_SCOPES: readonly (readonly [scope: string, fault: string, rule: string])[] = [
  ['border', 'S1', 'RST-05'],
  ['border', 'unpreserve-first-block', 'PRS-07'],
  ['border', 'restore-ignores-nodes', 'RST-03'],
  ['page', 'restore-twice', 'RST-02'],
  ['page', 'kexecs-not-counted', 'TRE-08'],
  ['tree', 'subtree-stays', 'TRE-07'],
  ['regions', 'release-short', 'RSV-10'],
];

const random = (traces: number, seed: number, draw: Random): Canary => {
  const bug = draw.pick(BUGS);
  const kernel = huntedOn(bug);
  const plans = tracePlans(machineShapes({ ...NODES, pageShift: bug.pageShift ?? 12 }), STEPS);
  const { catches } = hunt(runnerFor(kernel, [bug]), bug.rule, plans, { seeds: [seed], traces });
  const needed = catches[0]?.traces ?? 0;
  return {
    engine: 'random',
    fault: bug.id,
    where: kernel.name,
    rule: bug.rule,
    found: needed > 0,
    after: `${needed > 0 ? needed : traces} traces`,
  };
};

const exhaustive = (draw: Random): Canary => {
  const [name, fault, rule] = draw.pick(IN_SCOPES);
  const scope = jointScopeByName(name)!;
  const kernel = kernelNamed(scope.kernel);
  const make = systemMaker(kernel, [faultById(fault)!]);
  const { broken, states } = new JointSearch(scope, kernel, make).run();
  return {
    engine: 'exhaustive',
    fault,
    where: name,
    rule,
    found: broken?.violation.rule.id === rule,
    after: `${states} states`,
  };
};

/** Gives each engine a fault; answers the exit status. */
export const canary = ({ traces, seed, json }: CanaryOptions, io: Io): number => {
  const draw = new Random(seed);
  const canaries = [random(traces, seed, draw), exhaustive(draw)];
  if (json) io.out(`${JSON.stringify({ seed, canaries })}\n`);
  else {
    for (const { engine, fault, where, rule, found, after } of canaries) {
      const text = `${engine}: ${fault} on ${where}, ${rule} ${found ? 'broken' : 'not broken'}`;
      io.out(`${found ? io.colors.green(text) : io.colors.red(text)} after ${after}\n`);
    }
    io.out(`again: npx kho-check hunt --canary --seed ${seed}\n`);
  }
  return canaries.every(({ found }) => found) ? EXIT.holds : EXIT.broken;
};
