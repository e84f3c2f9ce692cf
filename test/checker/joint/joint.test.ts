/**
 * Specification × implementation, searched to the end: exact counts, shortest counterexamples, and
 * what both rest on: a state that is made again is that state, and states that are taken for one go
 * on alike. `test/campaigns/joint.slow.ts` does the same with the larger scopes.
 */
import { describe, expect, it } from 'vitest';
import { planOf } from '#model/generators';
import { shortest } from '#src/checker/shortest';
import { Tally } from '#src/checker/tally';
import { runnerWith } from '../breaking.ts';
import { faultById } from '#src/kho/faults';
import { expectAlike, expectRestored } from './alike.ts';
import { scopeNamed, search } from './searching.ts';

/** Scopes that are searched in no time. */
const SMALL = ['border', 'taken-and-kept', 'shortage', 'regions'];

describe('specification × implementation', () => {
  it.each(SMALL)('%s holds in every state, and there are exactly so many', (name) => {
    const { complete, states, transitions, neverEnabled, deadlocks } = search(name);
    expect({ states, transitions }).toEqual(scopeNamed(name).expected);
    expect({ complete, neverEnabled, deadlocks }).toEqual({
      complete: true,
      neverEnabled: [],
      deadlocks: 0,
    });
  });

  it.each([
    ['page', 'kexecs-not-counted', 'TRE-08', 2],
    ['border', 'unpreserve-first-block', 'PRS-07', 3],
    ['tree', 'subtree-stays', 'TRE-07', 4],
    ['border', 'restore-ignores-nodes', 'RST-03', 5],
    ['page', 'restore-twice', 'RST-02', 6],
    ['sessions', 'file-in-two-sessions', 'LUO-11', 4],
    ['sessions', 'session-loses-last-file', 'LUO-20', 5],
  ])('on %s, %s breaks %s in %d steps and no fewer', (name, id, rule, steps) => {
    const { broken, complete } = search(name, id);
    expect(complete).toBe(false);
    expect(broken?.violation.rule.id).toBe(rule);
    expect(broken?.trace.steps).toHaveLength(steps);
    const { violation } = runnerWith([faultById(id)!]).run(planOf(broken!.trace), new Tally());
    expect(violation?.rule.id, 'run again from the start').toBe(rule);
  });

  it('finds no longer trace than running every sequence does', () => {
    const { broken } = search('border', 'unpreserve-first-block');
    const runner = runnerWith([faultById('unpreserve-first-block')!]);
    const { trace, complete } = shortest(runner, broken!.trace, 'PRS-07', 10_000);
    expect(complete).toBe(true);
    expect(trace.steps).toHaveLength(broken!.trace.steps.length);
  });

  it('a machine that breaks a rule when it is switched on needs no step', () => {
    const { broken } = search('page', 'tree-not-preserved');
    expect(broken?.violation.rule.id).toBe('PRS-07');
    expect(broken?.trace.steps).toEqual([]);
  });
});

describe('a state of both', () => {
  it('is the same when it is made again, and when its steps are', () =>
    expectRestored(scopeNamed('page'), 20));

  it('goes on alike however it came', () => expectAlike({ ...scopeNamed('regions'), kexecs: 1 }));
});
