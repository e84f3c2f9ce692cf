/**
 * Exhaustive exploration of a scope: every state that its law can reach, level by level.
 *
 * Counts, depth and verdict do not depend on the number of workers. Nor does a counterexample: when
 * several workers meet one, one worker searches again as far as it, and tells its trace.
 */
import type { AnyScope } from '#model/scopes/scope';
import { searchAlone } from './alone.ts';
import { layoutOf } from './layout.ts';
import type { Layout } from './layout.ts';
import { bytesOf } from './memory.ts';
import { searchTogether } from './together.ts';
import { NotProduct, Program } from './program.ts';
import { neverEnabled, rowsTo } from './progress.ts';
import type { Ending, Exploration, ExploreOptions, Stopped } from './progress.ts';
import { stepsAlong } from './trace.ts';
import type { Violation } from './trace.ts';

/** What came out, and what a checkpoint needs where the search was stopped. */
export interface Outcome {
  readonly exploration: Exploration;
  readonly stopped: Stopped | undefined;
}

const search = async (
  scope: AnyScope,
  layout: Layout,
  options: ExploreOptions,
): Promise<Ending> => {
  const demoted = new Set<number>();
  for (;;) {
    try {
      if (options.workers <= 1) return searchAlone(scope, layout, options, demoted);
      return await searchTogether(scope, layout, options, demoted);
    } catch (error) {
      if (!(error instanceof NotProduct) || demoted.has(error.transition)) throw error;
      // What one answer of an action does, the others most likely do: one new start for all.
      const name = scope.transitions[error.transition]?.name;
      demoted.add(error.transition);
      scope.transitions.forEach((each, number) => {
        if (name === undefined || each.name === name) demoted.add(number);
      });
    }
  }
};

const violationOf = (
  scope: AnyScope,
  layout: Layout,
  symmetry: boolean,
  { memory, brokenParent, broken }: Ending,
): Violation => {
  const program = new Program(scope, layout, new Set());
  const rows = rowsTo(memory, layout, brokenParent);
  const initial = program.brokenRule(rows[0]!);
  if (initial === undefined) rows.push(broken);
  const rule =
    initial ?? program.brokenRule(broken) ?? program.brokenStep(rows.at(-2)!, broken) ?? '?';
  const says = [...scope.invariants, ...(scope.stepRules ?? [])].find(({ id }) => id === rule);
  return { rule, says: says?.says ?? '', steps: stepsAlong(scope, layout, rows, symmetry) };
};

/** Explores a scope; throws a ScopeError where the scope cannot be explored. */
export const explore = async (scope: AnyScope, options: ExploreOptions): Promise<Outcome> => {
  const layout = layoutOf(scope);
  const begin = performance.now();
  const cpu = process.cpuUsage();
  let ending = await search(scope, layout, options);
  if (ending.brokenParent >= 0 && options.workers > 1) {
    ending = await search(scope, layout, {
      ...options,
      workers: 1,
      timeLimit: undefined,
      resume: undefined,
    });
  }
  const used = process.cpuUsage(cpu);
  const { progress, memory, setupMilliseconds, stopped } = ending;
  const milliseconds = performance.now() - begin - setupMilliseconds;
  const violation =
    ending.brokenParent < 0 ? null : violationOf(scope, layout, options.symmetry, ending);
  const exploration: Exploration = {
    scope: scope.name,
    states: progress.states,
    transitions: progress.transitions,
    depth: progress.depth,
    complete: stopped === null && violation === null,
    stopped,
    symmetry: options.symmetry,
    workers: options.workers,
    milliseconds: Math.round(milliseconds),
    cpuMilliseconds: Math.round((used.user + used.system) / 1000),
    setupMilliseconds: Math.round(setupMilliseconds),
    bytesPerState: Math.round((bytesOf(memory) / progress.states) * 10) / 10,
    deadlocks: progress.deadlocks,
    neverEnabled: neverEnabled(scope, progress.fired),
    violation,
  };
  if (stopped === null) return { exploration, stopped: undefined };
  const rows = memory.rows.subarray(0, progress.idEnd * layout.words);
  const parents = memory.parents.subarray(0, progress.idEnd);
  return { exploration, stopped: { progress, rows, parents } };
};
