/**
 * A worker of a search by several: takes ids from the queue of the level, expands them into memory
 * that all workers share, and reports when the queue is empty, memory is short, or it was told to
 * stop.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { scopeByName } from '#model/scopes/named';
import { machineOf } from './emit.ts';
import { layoutOf } from './layout.ts';
import { NEXT_QUEUED, STOP } from './messages.ts';
import type { LevelOrder, LevelReport, WorkerAnswer, WorkerTask } from './messages.ts';
import { NotProduct, Program } from './program.ts';

const begin = (task: WorkerTask): ((order: LevelOrder) => LevelReport) => {
  const scope = scopeByName(task.scope);
  if (scope === undefined) throw new Error(`no scope ${task.scope}`);
  const layout = layoutOf(scope);
  const program = new Program(scope, layout, new Set(task.demoted));
  const { symmetry, everyTransition, workers } = task;
  const broken = new Int32Array(layout.words);
  const machine = machineOf(program, { symmetry, everyTransition, shared: true }, broken, workers);
  let control = new Int32Array(0);
  return ({ memory, queue, queued }) => {
    if (memory !== undefined) {
      machine.attach(memory, 0);
      control = memory.control as Int32Array<ArrayBuffer>;
    }
    const left: number[] = [];
    while (Atomics.load(control, STOP) === 0) {
      const at = Atomics.add(control, NEXT_QUEUED, 1) * 2;
      if (at >= queued) break;
      const reached = machine.expand(queue[at]!, queue[at + 1]!);
      if (machine.brokenParent() >= 0) Atomics.store(control, STOP, 1);
      if (reached === queue[at + 1]!) continue;
      left.push(reached, queue[at + 1]!);
      break;
    }
    return {
      found: machine.takeRanges(),
      left,
      unused: machine.unused(),
      made: machine.count(),
      transitions: machine.transitions(),
      deadlocks: machine.deadlocks(),
      brokenParent: machine.brokenParent(),
      fired: program.fired,
    };
  };
};

const answerTo = (run: () => LevelReport): WorkerAnswer => {
  try {
    return { report: run() };
  } catch (error) {
    if (error instanceof NotProduct) return { notProduct: error.transition };
    return { error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
};

let work: ((order: LevelOrder) => LevelReport) | undefined;

parentPort?.on('message', (order: LevelOrder) => {
  const answer = answerTo(() => {
    work ??= begin(workerData as WorkerTask);
    return work(order);
  });
  // A thread has no origin.
  // oxlint-disable-next-line unicorn/require-post-message-target-origin
  parentPort?.postMessage(answer);
});
