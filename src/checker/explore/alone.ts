/**
 * A search by one worker: level by level, every state before those found later.
 *
 * The first rule that breaks ends it; what breaks it is as near to the initial state as anything
 * that breaks a rule.
 */
import type { AnyScope } from '#model/scopes/scope';
import { initialRow } from './carrier.ts';
import { machineOf } from './emit.ts';
import type { Machine, Memory } from './emit.ts';
import type { Layout } from './layout.ts';
import { grown, memoryFor, nextCapacity } from './memory.ts';
import { Program } from './program.ts';
import { capacityHint, initialProgress } from './progress.ts';
import type { Ending, ExploreOptions, Progress, Stopped } from './progress.ts';
import { canonicalizer } from './trace.ts';

/** Ids that are expanded between two looks at the clock. */
const CHUNK = 512;

/** The first row of a search: the initial state, in canonical form where symmetry is on. */
export const firstRow = (scope: AnyScope, layout: Layout, symmetry: boolean): Int32Array => {
  const row = initialRow(scope, layout);
  if (symmetry) canonicalizer(scope, layout)(row);
  return row;
};

/** Enters everything that is in memory into its hash slots. */
export const rehashAll = (machine: Machine, { holes, idEnd }: Progress): void => {
  let from = 0;
  const ordered = holes.length > 2 ? sortPairs(holes) : holes;
  for (let i = 0; i < ordered.length; i += 2) {
    machine.rehash(from, Math.min(ordered[i]!, idEnd));
    from = ordered[i + 1]!;
  }
  machine.rehash(from, idEnd);
};

const sortPairs = (pairs: readonly number[]): number[] =>
  Array.from({ length: pairs.length / 2 }, (_, i) => [pairs[2 * i]!, pairs[2 * i + 1]!] as const)
    .toSorted((a, b) => a[0] - b[0])
    .flat();

/** Memory that a search begins in, with what a stopped one had found. */
export const firstMemory = (
  scope: AnyScope,
  layout: Layout,
  options: ExploreOptions,
  slack: number,
  shared: boolean,
): Memory => {
  const { resume, memoryLimit = Infinity, symmetry } = options;
  const used = resume?.progress.idEnd ?? 0;
  const hint = Math.max(capacityHint(scope, symmetry) + slack, Math.ceil(used * 1.2) + slack);
  const least = used + slack + 2 * scope.transitions.length + 64;
  const capacity = Math.max(least, nextCapacity(layout.words, 1, memoryLimit, hint));
  const memory = memoryFor(layout.words, capacity, shared);
  if (resume !== undefined) {
    memory.rows.set(resume.rows);
    memory.parents.set(resume.parents);
  }
  return memory;
};

/** Copies a progress, so that a stopped search can be resumed more than once. */
export const copyOf = (stopped: Stopped | undefined, scope: AnyScope): Progress => {
  if (stopped === undefined) return initialProgress(scope);
  const { progress } = stopped;
  return {
    ...progress,
    todo: [...progress.todo],
    next: [...progress.next],
    holes: [...progress.holes],
    fired: progress.fired.slice(),
  };
};

/** Searches a scope in this thread. `demoted`: transitions known to be no products. */
export const searchAlone = (
  scope: AnyScope,
  layout: Layout,
  options: ExploreOptions,
  demoted: ReadonlySet<number>,
): Ending => {
  const begin = performance.now();
  const { symmetry, everyTransition, memoryLimit = Infinity } = options;
  const program = new Program(scope, layout, demoted);
  const broken = new Int32Array(layout.words);
  const machine = machineOf(program, { symmetry, everyTransition, shared: false }, broken, 1);
  const progress = copyOf(options.resume, scope);
  let memory = firstMemory(scope, layout, options, 0, false);
  const initial = firstRow(scope, layout, symmetry);
  if (options.resume === undefined) {
    machine.attach(memory, 0);
    machine.insert(initial, 0);
  } else {
    machine.attach(memory, progress.idEnd);
    rehashAll(machine, progress);
  }
  const [transitions, deadlocks] = [progress.transitions, progress.deadlocks];
  const holes = heldBy(progress.holes);
  const setupMilliseconds = performance.now() - begin;
  const end = (stopped: Ending['stopped'], brokenParent: number): Ending => {
    program.fired.forEach((value, i) => (progress.fired[i]! |= value));
    return { stopped, memory, progress, brokenParent, broken, setupMilliseconds };
  };
  if (program.brokenRule(initial) !== undefined) {
    broken.set(initial);
    return end(null, 0);
  }
  const grow = (): boolean => {
    const capacity = memory.parents.length;
    const next = nextCapacity(layout.words, capacity, memoryLimit, 0);
    if (next === 0) return false;
    memory = grown(memory, layout.words, machine.count(), next, false);
    machine.attach(memory, machine.count());
    rehashAll(machine, progress);
    return true;
  };
  for (;;) {
    const { todo } = progress;
    const levelStart = progress.idEnd;
    while (todo.length > 0) {
      const [from, to] = [todo[0]!, Math.min(todo[1]!, todo[0]! + CHUNK)];
      const reached = machine.expand(from, to);
      todo[0] = reached;
      if (todo[0] >= todo[1]!) todo.splice(0, 2);
      progress.idEnd = machine.count();
      progress.states = progress.idEnd - holes;
      progress.transitions = transitions + machine.transitions();
      progress.deadlocks = deadlocks + machine.deadlocks();
      if (machine.brokenParent() >= 0) return end(null, machine.brokenParent());
      options.onProgress?.(progress);
      const late = performance.now() - begin > (options.timeLimit ?? Infinity);
      const full = reached < to && !grow();
      if (full || (late && todo.length > 0)) {
        progress.next.push(levelStart, progress.idEnd);
        return end(full ? 'memory' : 'time', -1);
      }
    }
    progress.todo = [...progress.next, levelStart, progress.idEnd].filter(nonEmptyPair);
    progress.next = [];
    if (progress.todo.length === 0) return end(null, -1);
    progress.depth++;
  }
};

/** Keeps both numbers of a pair whose range is not empty. */
const nonEmptyPair = (_: number, i: number, all: readonly number[]): boolean =>
  all[i - (i % 2)]! < all[i - (i % 2) + 1]!;

const heldBy = (holes: readonly number[]): number => {
  let sum = 0;
  for (let i = 0; i < holes.length; i += 2) sum += holes[i + 1]! - holes[i]!;
  return sum;
};
