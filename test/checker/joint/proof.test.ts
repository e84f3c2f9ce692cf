/**
 * Proofs by a search of law × implementation: they say what running every sequence says, they find
 * what is shorter, and a limit leaves nothing proven that is not. `test/campaigns/shortest.slow.ts`
 * proves the whole corpus.
 */
import { describe, expect, it } from 'vitest';
import type { Step } from '#model/step';
import { alphabetOf, lettersOf } from '#src/checker/alphabet';
import { isSearchable } from '#src/checker/joint/proof';
import { minimize } from '#src/checker/minimize';
import { shortest } from '#src/checker/shortest';
import { faultsNamed, kernelNamed, runnerFor } from '#src/cli/systems';
import { breaks, corpus, prove } from './proving.ts';

const step = (id: number, rest: object): Step => ({ id, ...rest }) as Step;

describe('a proof by joint states', () => {
  it.each(['unpreserve-first-block', 'blob-unchecked'])(
    'comes to what running every sequence comes to: %s',
    (name) => {
      const file = corpus(name);
      const runner = runnerFor(kernelNamed(file.kernel), faultsNamed(file.faults));
      const run = shortest(runner, file, file.expect.rule!, 20_000);
      const proof = prove(file);
      expect([proof.proven, proof.complete]).toEqual([run.proven, run.complete]);
      expect(proof.trace.steps).toHaveLength(run.trace.steps.length);
      expect(proof.states).toBeLessThan(run.executions);
    },
  );

  it('speaks of sessions, and of kernels with phases', () => {
    for (const name of ['file-in-two-sessions', 'abort-stays-final']) {
      const file = corpus(name);
      const { complete, proven, trace } = prove(file);
      expect([complete, proven, trace.steps]).toEqual([true, file.steps.length - 1, file.steps]);
    }
  });

  it('finds a shorter trace, which breaks the rule when it is run', () => {
    const file = corpus('unpreserve-first-block');
    const longer = { ...file, steps: [step(7, { do: 'load' }), ...file.steps] };
    expect(breaks(file, longer)).toBe(true);
    const { trace, proven, complete } = prove(longer);
    expect([trace.steps.length, proven, complete]).toEqual([3, 2, true]);
    expect(breaks(file, trace)).toBe(true);
  });

  it('goes on where another rule breaks, and takes no such trace for one', () => {
    const file = corpus('unpreserve-first-block');
    const others = { ...file, faults: [...file.faults, 'kexecs-not-counted'] };
    expect(prove(others)).toMatchObject({
      complete: true,
      proven: 2,
      trace: { steps: file.steps },
    });
    const second = prove({ ...others, expect: { outcome: 'breaks', rule: 'TRE-08' } });
    expect(second.trace.steps.map((each) => each.do)).toEqual(['load', 'kexec']);
  });

  it.each([
    ['time', { timeLimit: -1 }, 0],
    ['memory', { memoryLimit: 1024 }, 0],
  ])('is none when the %s limit ends it', (stopped, limits, proven) => {
    const file = corpus('restore-ignores-nodes');
    const proof = prove(file, limits);
    expect(proof).toMatchObject({ complete: false, stopped, proven, trace: file });
  });

  it('leaves alone what is too large to be remembered', () => {
    expect(isSearchable(corpus('restore-twice').steps)).toBe(true);
    expect(isSearchable([step(0, { do: 'preserve scattered', pages: 9 })])).toBe(false);
  });
});

describe('an alphabet', () => {
  const claim = { do: 'claim', place: { at: 'node border', node: 0, back: 1 }, count: 9 } as const;

  it('is the steps of a trace, the roads, and simpler steps, each once', () => {
    const { own, roads, simpler } = alphabetOf([
      step(0, claim),
      step(1, { do: 'preserve', of: 0 }),
      step(2, { do: 'preserve', of: 0 }),
      step(3, { do: 'load' }),
    ]);
    expect(own).toEqual([claim, { do: 'preserve' }, { do: 'load' }]);
    expect(roads).toEqual([{ do: 'kexec', damage: 0 }, { do: 'cold boot' }]);
    const counts = simpler.flatMap((each) =>
      'count' in each && each.count !== claim.count ? [each.count] : [],
    );
    expect(counts).toEqual([1, 2, 8]);
    expect(simpler).toContainEqual({ ...claim, place: { at: 'slot', slot: 0, back: 0 } });
  });

  it('has no letter twice', () => {
    for (const name of ['s18', 'order-lost', 'session-retrieved-twice']) {
      const letters = lettersOf(alphabetOf(corpus(name).steps)).map((each) => JSON.stringify(each));
      expect(new Set(letters).size).toBe(letters.length);
    }
  });
});

describe('a counterexample that is made smaller', () => {
  const smaller = (name: string, steps: readonly Step[]): readonly Step[] => {
    const file = { ...corpus(name), steps };
    const runner = runnerFor(kernelNamed(file.kernel), faultsNamed(file.faults));
    expect(breaks(file, file)).toBe(true);
    return minimize(runner, file, file.expect.rule!).trace.steps;
  };
  const page = { do: 'alloc', node: -1, order: 0, movable: false };

  it('is about one object where it was about two', () => {
    const steps = [
      step(0, page),
      step(1, { do: 'preserve', of: 0 }),
      step(2, page),
      step(3, { do: 'preserve', of: 2 }),
      step(4, { do: 'add subtree', of: 0, name: 5, bytes: 1 }),
      step(5, { do: 'add subtree', of: 2, name: 5, bytes: 1 }),
    ];
    expect(smaller('duplicate-names', steps)).toHaveLength(4);
  });

  it('does in one step what it did in two', () => {
    const create = (id: number, count: number) => step(id, { do: 'create session', count, nth: 0 });
    const start = step(0, { do: 'start live update', nth: 0 });
    const same = step(4, { do: 'create same session', of: 1 });
    const steps = [start, create(1, 49), create(2, 1), create(3, 1), same];
    expect(smaller('s3', steps)).toHaveLength(3);
  });
});
