/**
 * A deliberately broken implementation is caught, told in a handful of steps, and replayed.
 *
 * Every fault of the catalogue switches one decision; ordinary traces have to find it by the rule
 * that was written down for it. Here a few are looked for; `test/campaigns/breaks.slow.ts` looks
 * for all of them, and `corpus.test.ts` replays the minimal trace of each.
 */
import { describe, expect, test } from 'vitest';
import { planOf } from '#model/generators';
import { ruleById } from '#spec/law';
import { minimize } from '#src/checker/minimize';
import { Tally } from '#src/checker/tally';
import { FAULTS } from '#src/kho/faults';
import { expectCaught, firstFailing, runnerWith } from './breaking.ts';

/** Faults that are looked for here: of several chapters, and quick to be found. */
const SAMPLE = ['blob-size-rounded', 'alloc-preserve-dirty', 'jump-without-list', 'any-area'];

describe('a deliberately broken implementation', () => {
  test('is broken in at least twelve different ways, each with a rule of the law', () => {
    expect(FAULTS.length).toBeGreaterThanOrEqual(12);
    for (const fault of FAULTS) expect(ruleById(fault.rule), fault.id).toBeDefined();
    expect(new Set(FAULTS.map((fault) => fault.id)).size).toBe(FAULTS.length);
  });

  expectCaught(FAULTS.filter(({ id }) => SAMPLE.includes(id)));

  test('every step of a minimal trace is needed', () => {
    const fault = FAULTS.find(({ id }) => id === 'restore-ignores-nodes')!;
    const broken = runnerWith([fault]);
    const { trace } = minimize(broken, firstFailing(broken, fault.rule)!, fault.rule);
    for (let at = 0; at < trace.steps.length; at++) {
      const steps = trace.steps.filter((_, i) => i !== at);
      const { violation } = broken.run(planOf({ ...trace, steps }), new Tally());
      expect(violation?.rule.id, `without step ${at}`).not.toBe(fault.rule);
    }
  });
});
