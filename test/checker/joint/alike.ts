/** What the search rests on, as properties of a scope. */
import { expect } from 'vitest';
import { Random } from '#model/random';
import type { JointScope } from '#model/scopes/joint';
import type { Step } from '#model/step';
import type { Pair } from '#src/checker/joint/pair';
import { pairOf, stepsAt } from './searching.ts';

/** Makes these steps on a machine that is switched on anew. */
const replay = (pair: Pair, steps: readonly Step[]): void => {
  expect(pair.boot()).toBeUndefined();
  for (const step of steps) expect(pair.judge(step)).toBeUndefined();
};

/**
 * Along a random walk: going back to where a walk was is being there, as if nothing had been done
 * since, and so is making all steps again.
 */
export const expectRestored = (scope: JointScope, length: number): void => {
  const { pair, number } = pairOf(scope);
  const random = new Random(length);
  const path: Step[] = [];
  expect(pair.boot()).toBeUndefined();
  for (let at = 0; at < length; at++) {
    const here = number();
    const again = pair.save();
    for (let astray = 0; astray < 3; astray++) {
      const steps = [...stepsAt(scope, pair, at + astray).values()];
      expect(pair.judge(random.pick(steps))).toBeUndefined();
    }
    again();
    expect(number(), `back before step ${at}`).toBe(here);
    const step = random.pick([...stepsAt(scope, pair, at).values()]);
    expect(pair.judge(step)).toBeUndefined();
    path.push(step);
  }
  const end = number();
  replay(pair, path);
  expect(number(), 'all steps again').toBe(end);
};

/** A state by one way that leads to it. */
interface Way {
  readonly again: () => void;
  readonly depth: number;
  readonly state: number;
}

/** Where every step leads to from the end of a way, by the names of the steps. */
const futureOf = (
  scope: JointScope,
  pair: Pair,
  number: () => number,
  { again, depth }: Way,
): Map<string, Way> => {
  again();
  const future = new Map<string, Way>();
  for (const [name, step] of stepsAt(scope, pair, depth)) {
    again();
    expect(pair.judge(step)).toBeUndefined();
    future.set(name, { again: pair.save(), depth: depth + 1, state: number() });
  }
  return future;
};

/**
 * Visits every state of a scope on every way that leads to it from a state that was met first, and
 * expects that the same steps lead to the same states from there as on the first way. So whatever
 * a system keeps to itself and does not tell of shows.
 */
export const expectAlike = (scope: JointScope): void => {
  const { pair, number } = pairOf(scope);
  expect(pair.boot()).toBeUndefined();
  const futures = new Map<number, Map<string, number>>();
  const queue: Way[] = [{ again: pair.save(), depth: 0, state: number() }];
  let others = 0;
  for (const way of queue) {
    const { depth, state } = way;
    const ways = futureOf(scope, pair, number, way);
    const future = new Map([...ways].map(([name, next]) => [name, next.state]));
    const first = futures.get(state);
    if (first !== undefined) {
      others++;
      expect(future, `state ${state}, ${depth} steps from the start`).toEqual(first);
      continue;
    }
    futures.set(state, future);
    queue.push(...ways.values());
  }
  expect(others).toBeGreaterThan(0);
};
