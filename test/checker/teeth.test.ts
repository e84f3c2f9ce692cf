/** Near misses differ in one thing, leave nothing changed, and tell which rules have teeth. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { call } from '#model/call';
import { machineShapes, tracePlans } from '#model/generators';
import { NEWEST_KERNEL } from '#model/kernels';
import { SUBTREE_NAMES } from '#model/machines';
import { ALC_01, ALC_02 } from '#spec/allocation';
import { CNT_01 } from '#spec/content';
import { ACTIONS, NO_KHO } from '#spec/call';
import type { Answer } from '#spec/call';
import { ACTION } from '#spec/law';
import { EARLY, FREE, HELD } from '#spec/state';
import { eachNearState, nearAnswers, nearFrames } from '#src/checker/near-misses';
import { wholeMisses } from '#src/checker/near-wholes';
import { missingOutcomes } from '#src/checker/outcomes';
import { randomRun } from '#src/checker/random-run';
import { TraceRunner } from '#src/checker/run-trace';
import { Tally, ruleIndex } from '#src/checker/tally';
import { tryAnswers, tryFrames } from '#src/checker/teeth';
import { INTENDED } from '#src/kho/decisions';
import { KhoMachine } from '#src/kho/kho-machine';
import { fresh, says, sees } from '../spec/witnesses.ts';

const AT = 0x1000;

describe('near misses', () => {
  it('of an answer are answers of their own, and differ from it', () => {
    const answer = says(AT, { taken: [[AT, 1]] });
    const near = nearAnswers(fresh(), answer);
    expect(near.length).toBeGreaterThan(20);
    const text = (of: typeof answer): string =>
      JSON.stringify([of, of.taken.length, of.taken.first(0), of.taken.count(0)]);
    for (const each of near) expect(text(each as typeof answer)).not.toBe(text(answer));
    expect([answer.value, answer.taken.length]).toEqual([AT, 1]);
  });

  it('of a frame change its owner or what it holds', () => {
    const seen = sees({ use: () => HELD, content: () => 7 });
    for (const near of nearFrames(seen, AT)) {
      expect([near.use(AT), near.content(AT)]).not.toEqual([HELD, 7]);
    }
  });

  it('of a state are put back', () => {
    const s = fresh();
    s.use.set(AT, EARLY);
    s.content.set(AT, 5);
    const looked: number[][] = [];
    const all = [s.use, s.block, s.kept, s.content, s.vmOrder];
    const cells = (): number[] => all.map((cell) => cell.get(AT));
    eachNearState(s, AT, () => looked.push(cells()));
    expect(cells()).toEqual([EARLY, 0, 0, 5, 0]);
    expect(looked.length).toBeGreaterThan(6);
    expect(looked).not.toContainEqual(cells());
  });
});

describe('misses of which one mistake changes several things', () => {
  const boot = call('coldBoot');
  const booted = says(0, {
    areas: [
      [0x400, 0x400],
      [0x800, 0x400],
    ],
    regions: [
      [4096, 64],
      [0, 0],
    ],
  });
  const told = (of: Answer) => [of.value, of.areas.length, of.areas.first(1), of.regions.count(0)];

  it('are a kernel that gave up on scratch, areas that overlap, a region that is missing', () => {
    const near = wholeMisses(fresh(), boot, booted).map(told);
    expect(near).toContainEqual([NO_KHO, 0, 0, 64]);
    expect(near).toContainEqual([0, 2, 0x400, 64]);
    expect(near).toContainEqual([0, 2, 0x800, 0]);
    expect(told(booted)).toEqual([0, 2, 0x800, 64]);
  });

  it('are a folio restored with another order, and as many pages', () => {
    const near = wholeMisses(fresh(), call('restoreFolio'), says(2, { managed: 4 }));
    expect(near.map(({ value, managed }) => [value, managed])).toEqual([
      [-2, 0],
      [3, 8],
      [1, 2],
    ]);
  });

  it('are an image that is refused, or has too little room', () => {
    const loaded = says(0, { placed: [[0x400, 8]] });
    const near = wholeMisses(fresh(), call('kexecFileLoad'), loaded);
    expect(near.map((of) => [of.value, of.placed.length, of.placed.count(0)])).toEqual([
      [-99, 0, 0],
      [0, 1, 7],
    ]);
  });

  it('are a request that should have failed, and nothing where there was none to fail', () => {
    const s = fresh();
    const short = call('preservePages', { pfn: AT, count: 3, fails: 2 });
    const [near] = wholeMisses(s, short, says(0));
    expect([near!.taken.length, near!.taken.count(0)]).toEqual([1, 2]);
    expect(s.use.get(near!.taken.first(0))).toBe(FREE);
    expect(wholeMisses(s, call('preservePages', { pfn: AT, count: 3 }), says(0))).toEqual([]);
  });
});

const entry = <R extends { readonly id: string }>(rule: R) => ({ rule, index: ruleIndex(rule.id) });

describe('a rule is decisive', () => {
  it('when it alone refuses a near miss', () => {
    const tally = new Tally();
    const s = fresh();
    const made = call('allocPages', { order: 0, node: 0 });
    tryAnswers(tally, [entry(ALC_02)], s, made, says(AT));
    const [index] = [ruleIndex('ALC-02')];
    expect([tally.tried[index], tally.refused[index], tally.decisive[index]]).toEqual([1, 1, 1]);
  });

  it('and not when another refuses the same', () => {
    const tally = new Tally();
    const made = call('allocPages', { order: 0, node: 0 });
    const twice = { rule: ALC_01, index: ruleIndex('ALC-03') };
    const s = fresh();
    s.use.set(s.areaFirst.get(0), HELD);
    tryAnswers(tally, [entry(ALC_01), twice], s, made, says(AT));
    const index = ruleIndex('ALC-01');
    expect([tally.tried[index], tally.refused[index], tally.decisive[index]]).toEqual([1, 1, 0]);
  });

  it('about a frame too', () => {
    const tally = new Tally();
    const s = fresh();
    s.use.set(AT, HELD);
    s.content.set(AT, 7);
    tryFrames(tally, [entry(CNT_01)], [], s, sees({ use: () => HELD, content: () => 7 }));
    expect(tally.decisive[ruleIndex('CNT-01')]).toBe(1);
  });
});

const plans = tracePlans(machineShapes({ nodesMin: 1, nodesMax: 2 }), 40);
const { compatible, release } = NEWEST_KERNEL;

const runner = (): TraceRunner =>
  new TraceRunner(
    (machine) =>
      new KhoMachine(machine, { compatible, release, decisions: INTENDED }, SUBTREE_NAMES),
    NEWEST_KERNEL,
  );

it('a random run counts teeth and is the same run with and without them', () => {
  const budget = { traces: 12, first: false };
  const { tally } = randomRun(runner(), plans, 5, budget);
  const plain = new Tally();
  fc.check(
    fc.property(plans, (plan) => {
      runner().run(plan, plain);
    }),
    { seed: 5, numRuns: 12 },
  );
  expect([...tally.outcomes]).toEqual([...plain.outcomes]);
  expect([...tally.rules]).toEqual([...plain.rules]);
  expect(plain.tried.every((times) => times === 0)).toBe(true);
  expect(tally.decisive[ruleIndex('TRE-08')]).toBeGreaterThan(0);
  for (const [index, tried] of tally.tried.entries()) {
    expect(tally.refused[index]).toBeLessThanOrEqual(tried);
    expect(tally.decisive[index]).toBeLessThanOrEqual(tally.refused[index]!);
  }
});

it('a trace that throws is not a trace that holds', () => {
  const broken = new TraceRunner(() => {
    throw new Error('no such machine');
  }, NEWEST_KERNEL);
  expect(() => randomRun(broken, plans, 1, { traces: 3, first: false })).toThrow(/no such machine/);
});

describe('outcomes', () => {
  const every = new Map<string, number>();
  for (const action of ACTIONS) {
    every.set(action, 10);
    for (const error of ACTION[action].refusals ?? []) every.set(`${action} ${error}`, 1);
  }

  it('that exist and were all reached', () => {
    expect(missingOutcomes(every, 4)).toEqual([]);
  });

  it('that were not reached are named', () => {
    const some = new Map(every);
    some.delete('addSubtree -17');
    some.delete('freePages');
    expect(missingOutcomes(some, 10)).toEqual([
      'freePages ok',
      'addSubtree -EEXIST',
      'kexec without a handover',
    ]);
    expect(missingOutcomes(new Map(), 0)).toContain('kexec with a handover');
  });

  it('are errors that have names', () => {
    for (const action of ACTIONS) {
      for (const error of ACTION[action].refusals ?? []) expect(error).toBeLessThan(0);
    }
    expect(missingOutcomes(new Map(), 0).join(' ')).not.toMatch(/-\d/);
  });
});
