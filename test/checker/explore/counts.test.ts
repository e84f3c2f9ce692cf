/** What the packed engine counts: closed forms, the plain engine, symmetry, rules that break. */
import { describe, expect, it } from 'vitest';
import { explore } from '#src/checker/explore/explore';
import { explorePlainly } from '#src/checker/explore/plain';
import type { Exploration, ExploreOptions } from '#src/checker/explore/progress';
import {
  REFERENCE_BROKEN,
  REFERENCE_SMALL,
  referenceScope,
  referenceStates,
} from '#model/reference/reference';
import type { AnyScope } from '#model/scopes/scope';
import { awkward, stepBroken, twoNodes } from './scopes.ts';

const BASE: ExploreOptions = { symmetry: false, workers: 1, everyTransition: true };

const found = async (scope: AnyScope, more: Partial<ExploreOptions> = {}): Promise<Exploration> =>
  (await explore(scope, { ...BASE, ...more })).exploration;

const sameCounts = (packed: Exploration, plain: ReturnType<typeof explorePlainly>): void => {
  const { states, transitions, depth, deadlocks, neverEnabled } = packed;
  expect({ states, transitions, depth, deadlocks, neverEnabled }).toEqual({
    states: plain.states,
    transitions: plain.transitions,
    depth: plain.depth,
    deadlocks: plain.deadlocks,
    neverEnabled: plain.neverEnabled,
  });
};

describe('the reference model', () => {
  it.each([
    [1, 3, 2],
    [2, 2, 3],
    [0, 4, 3],
    [3, 0, 2],
  ])('has the states of its closed form: %i scratch, %i other, %i kernels', async (s, o, k) => {
    const size = { scratch: s, other: o, kernels: k };
    const scope = referenceScope('size', size);
    const { states, complete } = await found(scope);
    expect(states).toBe(referenceStates(size));
    expect(complete).toBe(true);
  });

  it('has the closed form that the race is about', () => {
    expect(referenceStates({ scratch: 2, other: 6, kernels: 3 })).toBe(8_973_960);
  });

  it('with symmetry has its known count, and stands for every plain state', async () => {
    const plain = await found(REFERENCE_SMALL);
    const symmetric = await found(REFERENCE_SMALL, { symmetry: true });
    const judged = explorePlainly(REFERENCE_SMALL, true);
    expect(plain.states).toBe(REFERENCE_SMALL.expected!.states);
    expect(plain.transitions).toBe(REFERENCE_SMALL.expected!.transitions);
    expect(symmetric.states).toBe(REFERENCE_SMALL.expectedSymmetric!.states);
    expect(symmetric.transitions).toBe(REFERENCE_SMALL.expectedSymmetric!.transitions);
    sameCounts(symmetric, judged);
    expect(judged.concreteStates).toBe(plain.states);
    expect(judged.concreteTransitions).toBe(plain.transitions);
  });

  it('has 36,078 states for 8 frames with symmetry', async () => {
    const scope = referenceScope('eight', { scratch: 2, other: 6, kernels: 3 });
    expect((await found(scope, { symmetry: true })).states).toBe(36_078);
  });
});

describe('the packed engine agrees with the plain one', () => {
  const scopes: readonly AnyScope[] = [REFERENCE_SMALL, awkward, twoNodes()];
  it.each(scopes.map((scope) => [scope.name, scope] as const))('on %s', async (_, scope) => {
    const plain = explorePlainly(scope, false);
    for (const everyTransition of [true, false]) {
      sameCounts(await found(scope, { everyTransition }), plain);
    }
  });

  it('on nodes and frames that may be exchanged', async () => {
    const plain = explorePlainly(twoNodes(), false);
    const symmetric = explorePlainly(twoNodes(), true);
    sameCounts(await found(twoNodes(), { symmetry: true }), symmetric);
    expect(symmetric.states).toBeLessThan(plain.states);
    expect(symmetric.concreteStates).toBe(plain.states);
    expect(symmetric.concreteTransitions).toBe(plain.transitions);
  });

  it('and the sums show where a symmetry is declared that is none', () => {
    const scope = twoNodes(true);
    const { concreteTransitions } = explorePlainly(scope, true);
    expect(concreteTransitions).not.toBe(explorePlainly(scope, false).transitions);
  });

  it('on what is never enabled', async () => {
    expect((await found(awkward)).neverEnabled).toEqual(['never']);
  });
});

describe('a rule that breaks', () => {
  const scopes: readonly AnyScope[] = [REFERENCE_BROKEN, stepBroken];
  it.each(scopes.map((scope) => [scope.name, scope] as const))(
    'is told by the shortest trace: %s',
    async (_, scope) => {
      const plain = explorePlainly(scope, false);
      for (const everyTransition of [true, false]) {
        const { violation, complete, depth } = await found(scope, { everyTransition });
        expect(complete).toBe(false);
        expect(violation?.rule).toBe(plain.broken);
        expect(violation?.steps.length).toBe(plain.brokenDepth);
        expect(depth).toBe(plain.brokenDepth - 1);
      }
    },
  );

  it('gives a trace of concrete frames with symmetry too', async () => {
    const plain = await found(REFERENCE_BROKEN);
    const symmetric = await found(REFERENCE_BROKEN, { symmetry: true });
    expect(symmetric.violation?.steps.length).toBe(plain.violation?.steps.length);
    expect(symmetric.violation?.steps.map(({ shows }) => shows).toSorted()).toEqual([
      'alloc(1, unmovable)',
      'alloc(2, unmovable)',
      'kexec()',
      'load()',
      'preserve(1)',
      'preserve(2)',
    ]);
  });

  it('is seen in the initial state', async () => {
    const scope: AnyScope = {
      ...REFERENCE_SMALL,
      invariants: [{ id: 'NOT-01', says: 'Nothing is ever right.', whole: () => false }],
    };
    const { violation } = await found(scope);
    expect(violation).toMatchObject({ rule: 'NOT-01', steps: [] });
  });
});

describe('a scope that cannot be explored', () => {
  it('is refused by the cell that leaves its values', async () => {
    const scope: AnyScope = { ...awkward, cells: { ...awkward.cells, turn: KERNEL } };
    await expect(found(scope)).rejects.toThrow(/cell turn was set to 3/);
  });
});

const KERNEL = { kind: 'kernel', values: 2 } as const;
