/**
 * A search by several workers on shared memory, level by level.
 *
 * A state is entered by whoever first writes its id into the hash slot; ids are handed out in
 * blocks, so their order differs from run to run. What is counted does not: all states of a level
 * are expanded before any of the next.
 */
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { AnyScope } from '#model/scopes/scope';
import { copyOf, firstMemory, firstRow, rehashAll } from './alone.ts';
import { BLOCK, machineOf } from './emit.ts';
import type { Machine, Memory } from './emit.ts';
import type { Layout } from './layout.ts';
import { grown, nextCapacity } from './memory.ts';
import { NEXT_BLOCK, NEXT_QUEUED, STOP } from './messages.ts';
import type { LevelOrder, LevelReport, WorkerAnswer, WorkerTask } from './messages.ts';
import { NotProduct, Program } from './program.ts';
import { nonEmpty } from './progress.ts';
import type { Ending, ExploreOptions, Progress } from './progress.ts';

/** Ids that a worker takes at once. */
const TAKE = 1024;

/**
 * A worker, from the file beside this one. Compiled, node runs it as it is; from sources, tests and
 * developers run it through the loader that runs this file.
 */
const startWorker = (task: WorkerTask): Worker => {
  if (!import.meta.url.endsWith('.ts')) {
    return new Worker(new URL('./worker.js', import.meta.url), { workerData: task });
  }
  const required = createRequire(import.meta.url).resolve('tsx/esm/api');
  const loader = pathToFileURL(required.replace(/\.cjs$/, '.mjs')).href;
  const file = new URL('./worker.ts', import.meta.url).href;
  const names = [loader, file].map((name) => JSON.stringify(name));
  const script = `import(${names[0]}).then((tsx) => {tsx.register(); return import(${names[1]});})`;
  return new Worker(script, { eval: true, workerData: task, execArgv: ['--conditions=source'] });
};

/** Workers that wait for orders. */
class Crew {
  private readonly workers: Worker[];

  constructor(task: WorkerTask) {
    this.workers = Array.from({ length: task.workers }, () => startWorker(task));
  }

  private static ask(worker: Worker, order: LevelOrder): Promise<WorkerAnswer> {
    return new Promise((resolve, reject) => {
      worker.once('error', reject);
      worker.once('message', (answer: WorkerAnswer) => {
        worker.off('error', reject);
        resolve(answer);
      });
      // A thread has no origin.
      // oxlint-disable-next-line unicorn/require-post-message-target-origin
      worker.postMessage(order);
    });
  }

  /** Gives all workers the same order; answers when every one has reported. */
  async obey(order: LevelOrder): Promise<LevelReport[]> {
    const answers = await Promise.all(this.workers.map((worker) => Crew.ask(worker, order)));
    return answers.map((answer) => {
      if ('notProduct' in answer) throw new NotProduct(answer.notProduct);
      if ('error' in answer) throw new Error(`a worker failed: ${answer.error}`);
      return answer.report;
    });
  }

  async dismiss(): Promise<void> {
    await Promise.all(this.workers.map((worker) => worker.terminate()));
  }
}

const queueOf = (todo: readonly number[]): Int32Array => {
  const pieces: number[] = [];
  for (let i = 0; i < todo.length; i += 2) {
    for (let from = todo[i]!; from < todo[i + 1]!; from += TAKE) {
      pieces.push(from, Math.min(todo[i + 1]!, from + TAKE));
    }
  }
  const queue = new Int32Array(new SharedArrayBuffer(Math.max(4, pieces.length * 4)));
  queue.set(pieces);
  return queue;
};

/** What the coordinator keeps between levels. */
interface Search {
  readonly progress: Progress;
  readonly before: { states: number; transitions: number; deadlocks: number; holes: number[] };
  memory: Memory;
}

/** Adds what the workers report to the progress; answers the id whose successor broke a rule. */
const takeIn = (search: Search, reports: readonly LevelReport[], queue: Int32Array): number => {
  const { progress, before, memory } = search;
  const sum = (of: (report: LevelReport) => number): number =>
    reports.reduce((total, report) => total + of(report), 0);
  progress.states = before.states + sum((r) => r.made);
  progress.transitions = before.transitions + sum((r) => r.transitions);
  progress.deadlocks = before.deadlocks + sum((r) => r.deadlocks);
  const taken = Math.min(queue.length, 2 * Atomics.load(memory.control, NEXT_QUEUED));
  progress.todo = nonEmpty([...queue.subarray(taken), ...reports.flatMap((r) => r.left)]);
  for (const { found } of reports) for (const id of found) progress.next.push(id);
  progress.idEnd = Atomics.load(memory.control, NEXT_BLOCK) * BLOCK;
  progress.holes = nonEmpty([...before.holes, ...reports.flatMap((r) => r.unused)]);
  for (const { fired } of reports) fired.forEach((value, i) => (progress.fired[i]! |= value));
  return reports.find((r) => r.brokenParent >= 0)?.brokenParent ?? -1;
};

/** Memory and counts to begin with; ids of workers begin at a block of their own. */
const beginning = (
  scope: AnyScope,
  layout: Layout,
  options: ExploreOptions,
  machine: Machine,
): Search => {
  const slack = (1 + options.workers) * (scope.transitions.length + 2 * BLOCK) + 2 * BLOCK;
  const memory = firstMemory(scope, layout, options, slack, true);
  const progress = copyOf(options.resume, scope);
  machine.attach(memory, 0);
  if (options.resume === undefined) machine.insert(firstRow(scope, layout, options.symmetry), 0);
  else rehashAll(machine, progress);
  const block = Math.ceil(progress.idEnd / BLOCK);
  memory.control[NEXT_BLOCK] = block;
  const { states, transitions, deadlocks } = progress;
  const holes = [...progress.holes, progress.idEnd, block * BLOCK];
  return { progress, memory, before: { states, transitions, deadlocks, holes } };
};

/** Moves a search into larger memory, if the limit allows. */
const moved = (
  search: Search,
  layout: Layout,
  { memoryLimit = Infinity }: ExploreOptions,
  machine: Machine,
): boolean => {
  const { memory, progress } = search;
  const next = nextCapacity(layout.words, memory.parents.length, memoryLimit, 0);
  if (next === 0) return false;
  search.memory = grown(memory, layout.words, progress.idEnd, next, true);
  machine.attach(search.memory, 0);
  rehashAll(machine, progress);
  return true;
};

/** Searches a scope in several threads. */
export const searchTogether = async (
  scope: AnyScope,
  layout: Layout,
  options: ExploreOptions,
  demoted: ReadonlySet<number>,
): Promise<Ending> => {
  const begin = performance.now();
  const { symmetry, everyTransition, workers } = options;
  const crew = new Crew({
    scope: scope.name,
    symmetry,
    everyTransition,
    workers,
    demoted: [...demoted],
  });
  const program = new Program(scope, layout, demoted);
  const broken = new Int32Array(layout.words);
  const machine = machineOf(program, { symmetry, everyTransition, shared: false }, broken, 1);
  const search = beginning(scope, layout, options, machine);
  const { progress } = search;
  let setupMilliseconds = performance.now() - begin;
  const end = (stopped: Ending['stopped'], brokenParent: number): Ending => {
    return { stopped, memory: search.memory, progress, brokenParent, broken, setupMilliseconds };
  };
  const clock = setTimeout(
    () => Atomics.store(search.memory.control, STOP, 1),
    Math.min(options.timeLimit ?? 0x7fffffff, 0x7fffffff),
  );
  try {
    if (program.brokenRule(firstRow(scope, layout, symmetry)) !== undefined) return end(null, 0);
    let memory: Memory | undefined = search.memory;
    // Workers are ready when they have done nothing once.
    await crew.obey({ memory, queue: queueOf([]), queued: 0 });
    setupMilliseconds = performance.now() - begin;
    for (;;) {
      const queue = queueOf(progress.todo);
      Atomics.store(search.memory.control, NEXT_QUEUED, 0);
      const queued = progress.todo.length === 0 ? 0 : queue.length;
      const reports = await crew.obey({ memory, queue, queued });
      memory = undefined;
      const brokenParent = takeIn(search, reports, queue.subarray(0, queued));
      if (brokenParent >= 0) return end(null, brokenParent);
      options.onProgress?.(progress);
      if (Atomics.load(search.memory.control, STOP) !== 0) return end('time', -1);
      if (progress.todo.length > 0) {
        if (!moved(search, layout, options, machine)) return end('memory', -1);
        memory = search.memory;
        continue;
      }
      progress.todo = nonEmpty(progress.next);
      progress.next = [];
      if (progress.todo.length === 0) return end(null, -1);
      progress.depth++;
    }
  } finally {
    clearTimeout(clock);
    await crew.dismiss();
  }
};
