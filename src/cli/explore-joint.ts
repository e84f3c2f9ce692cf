/**
 * `kho-check explore --against implementation`: every state that the steps of a small scope reach,
 * the law beside our implementation, and the shortest trace that breaks a rule where one does.
 */
import { kernelByName } from '#model/kernels';
import type { KernelProfile } from '#model/kernels';
import { SUBTREE_NAMES } from '#model/machines';
import { JOINT_SCOPES, jointScopeByName } from '#model/scopes/joint';
import type { JointScope } from '#model/scopes/joint';
import { TRACE_FORMAT, TRACE_VERSION } from '#model/trace-file';
import type { TraceFile } from '#model/trace-file';
import { generationOfAge } from '#spec/generations';
import { JointSearch } from '../checker/joint/joint.ts';
import type { JointProgress, JointResult } from '../checker/joint/joint.ts';
import type { SystemMaker } from '../checker/run-trace.ts';
import type { Fault } from '../kho/faults.ts';
import { KhoMachine } from '../kho/kho-machine.ts';
import type { KernelBuild } from '../kho/kho-machine.ts';
import { jointJson, jointText } from '../report/joint.ts';
import { wrap } from '../report/counterexample.ts';
import { EXIT, UsageError } from './io.ts';
import type { Io } from './io.ts';
import { progressTeller } from './progress.ts';
import { buildOf, faultsNamed, kernelNamed, runnerFor } from './systems.ts';
import { tellCounterexample } from './tell.ts';
import { saveTraceFile } from './trace-files.ts';

export interface JointCommandOptions {
  readonly scope?: string;
  readonly kernel?: string;
  readonly fault: readonly string[];
  /** Bytes. */
  readonly memoryLimit?: number;
  /** Milliseconds. */
  readonly time?: number;
  readonly symmetry: boolean;
  readonly workers: number;
  readonly resume?: string;
  readonly rules: 'every' | 'new';
  readonly list: boolean;
  readonly json: boolean;
}

const listed = (json: boolean, io: Io): number => {
  if (json) {
    const scopes = JOINT_SCOPES.map(({ name, says, kernel, letters, expected }) => ({
      name,
      says,
      kernel,
      steps: letters.length,
      states: expected?.states ?? null,
      transitions: expected?.transitions ?? null,
    }));
    io.out(`${JSON.stringify({ scopes })}\n`);
    return EXIT.holds;
  }
  for (const { name, says, kernel, expected } of JOINT_SCOPES) {
    const size =
      expected === undefined ? '' : `, ${expected.states.toLocaleString('en-US')} states`;
    io.out(`${io.colors.bold(name)}  Linux ${kernel}${size}\n`);
    for (const line of wrap(says, 2)) io.out(`${line}\n`);
  }
  return EXIT.holds;
};

const scopeNamed = (name: string | undefined): JointScope => {
  const scope = jointScopeByName(name ?? '');
  if (scope !== undefined) return scope;
  const known = JOINT_SCOPES.map((each) => each.name).join(', ');
  throw new UsageError(
    name === undefined
      ? `explore --against implementation needs --scope NAME: one of ${known}`
      : `there is no scope '${name}' of law and implementation; there are ${known}`,
  );
};

/** What such a search does not do, said before it is tried. */
const refuseOthers = ({ symmetry, workers, resume, rules }: JointCommandOptions): void => {
  const asked = [
    symmetry ? '--symmetry' : '',
    workers > 1 ? '--workers' : '',
    resume === undefined ? '' : '--resume',
    rules === 'new' ? '--rules new' : '',
  ].find((option) => option !== '');
  if (asked === undefined) return;
  throw new UsageError(`${asked} is for --against law; leave it out with implementation`);
};

const fileOf = (
  { broken }: JointResult,
  kernel: string,
  faults: readonly string[],
): TraceFile | undefined =>
  broken && {
    format: TRACE_FORMAT,
    version: TRACE_VERSION,
    kernel,
    faults,
    machine: broken.trace.machine,
    steps: broken.trace.steps,
    expect: {
      outcome: 'breaks',
      rule: broken.violation.rule.id,
      step: broken.trace.steps.length - 1,
    },
  };

const historyOf = ({ states, transitions, depth }: JointResult): string => {
  const [found, made] = [states, transitions].map((n) => n.toLocaleString('en-US'));
  const tried = `all were tried, ${found} states and ${made} transitions.`;
  return depth === 0
    ? 'Broken by switching the machine on.'
    : `No trace of this scope with fewer steps breaks a rule: ${tried}`;
};

/** Makes machines that run our implementation, of one kernel and of what a load may bring. */
export const systemMaker = (kernel: KernelProfile, faults: readonly Fault[]): SystemMaker => {
  const build = buildOf(kernel, faults);
  const others = (age: number): KernelBuild =>
    buildOf(kernelByName(generationOfAge(age)) ?? kernel, faults);
  return (machine) => new KhoMachine(machine, build, SUBTREE_NAMES, others);
};

/** Searches a scope; answers the exit status. */
export const exploreJoint = (options: JointCommandOptions, io: Io): number => {
  if (options.list) return listed(options.json, io);
  refuseOthers(options);
  const scope = scopeNamed(options.scope);
  const kernel = kernelNamed(options.kernel ?? scope.kernel);
  const faults = faultsNamed(options.fault);
  const found = new JointSearch(scope, kernel, systemMaker(kernel, faults), {
    timeLimit: options.time,
    memoryLimit: options.memoryLimit,
    onProgress: progressTeller<JointProgress>(io),
  }).run();
  if (io.liveProgress) io.err('\r\u001b[K');
  const question = { scope: scope.name, kernel: kernel.name, faults: options.fault };
  const file = fileOf(found, kernel.name, options.fault);
  const path = file === undefined ? null : saveTraceFile(file);
  if (options.json) io.out(`${jointJson(question, found, path)}\n`);
  else {
    if (file !== undefined && path !== null) {
      const runner = runnerFor(kernel, faults);
      io.out(`${tellCounterexample(runner, file, historyOf(found), path, io.colors)}\n\n`);
    }
    io.out(jointText(question, found, io.colors));
  }
  if (found.broken !== undefined) return EXIT.broken;
  return found.complete ? EXIT.holds : EXIT.inconclusive;
};
