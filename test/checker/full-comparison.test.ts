/**
 * Comparing what a call may have touched, and everything now and then, finds what comparing
 * everything after every call finds: the same rule, at the same call where it is about a frame, and
 * else not later than the schedule says.
 */
import { describe, expect, it } from 'vitest';
import { ruleById } from '#spec/law';
import { FULL_EVERY } from '#src/checker/lockstep';
import { Tally } from '#src/checker/tally';
import { FAULTS } from '#src/kho/faults';
import { PLANS, runnerWith } from './breaking.ts';

const PLANS_MAX = 12;

/** Whether a rule looks at one frame at a time. */
const isAboutFrames = (id: string): boolean => {
  const rule = ruleById(id);
  return rule?.kind === 'state' || (rule?.kind === 'sight' && rule.each === 'frame');
};

/** Faults that frames give away, and some of the others. */
const TRIED = FAULTS.filter(({ rule }, at) => isAboutFrames(rule) || at % 24 === 0);

/** Which rule broke and after how many calls; '' when none did. */
const outcome = (runner: ReturnType<typeof runnerWith>, at: number): [string, number] => {
  const tally = new Tally();
  const { violation } = runner.run(PLANS[at]!, tally);
  return [violation?.rule.id ?? '', tally.calls];
};

describe('what the steps touched, compared', () => {
  it('breaks the rules that comparing everything breaks', () => {
    let broken = 0;
    let aboutFrames = 0;
    for (const fault of TRIED) {
      const usual = runnerWith([fault]);
      for (let at = 0; at < PLANS_MAX; at++) {
        const [rule, calls] = outcome(usual, at);
        if (rule === '') continue;
        const [fullRule, fullCalls] = outcome(runnerWith([fault], 1), at);
        const told = `${fault.id}, plan ${at}`;
        expect(rule, told).toBe(fullRule);
        expect(calls, told).toBeGreaterThanOrEqual(fullCalls);
        expect(calls - fullCalls, told).toBeLessThanOrEqual(isAboutFrames(rule) ? 0 : FULL_EVERY);
        broken++;
        if (isAboutFrames(rule)) aboutFrames++;
        break;
      }
    }
    expect(broken).toBeGreaterThan(5);
    expect(aboutFrames).toBeGreaterThan(3);
  });
});
