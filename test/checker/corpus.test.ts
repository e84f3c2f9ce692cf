/**
 * The corpus: a minimal trace of every bug and of every synthetic fault, as `hunt` made it.
 *
 * With the fault in place the trace breaks the rule that was written down for it, at the step that
 * the file says; without it, every step is executed and nothing breaks. When a trace no longer
 * applies, `npx kho-check hunt ID --seeds 1 --corpus test/corpus` makes it anew.
 */
import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { planOf } from '#model/generators';
import { kernelByName } from '#model/kernels';
import { ruleById } from '#spec/law';
import { Tally } from '#src/checker/tally';
import { huntedOn, runnerFor } from '#src/cli/systems';
import { readTraceFile } from '#src/cli/trace-files';
import { FAULTS } from '#src/kho/faults';
import { BUGS, UNMODELLED } from '#src/kho/history/history';

const CORPUS = 'test/corpus';
const ALL = [...BUGS, ...FAULTS];
/** Few enough that nobody has to scroll, and many enough for the bugs that need a chain. */
const STEPS_MAX = 12;

const fileOf = (id: string): string => `${id.toLowerCase()}.json`;

describe('the catalogue', () => {
  const ids = [...ALL, ...UNMODELLED].map(({ id }) => id.toLowerCase());

  test('names everything once', () => {
    expect(ids.filter((id, at) => ids.indexOf(id) !== at)).toEqual([]);
  });

  test.each(ALL.map((fault) => [fault.id, fault] as const))(
    '%s names a rule and a kernel to which it applies',
    (_id, fault) => {
      expect(ruleById(fault.rule)).toBeDefined();
      expect(kernelByName(huntedOn(fault).name)).toBeDefined();
    },
  );

  test('has a trace of everything, and no other', () => {
    expect(readdirSync(CORPUS).sort()).toEqual(ALL.map(({ id }) => fileOf(id)).sort());
  });
});

describe('the minimal trace', () => {
  test.each(ALL.map((fault) => [fault.id, fault] as const))('of %s', (id, fault) => {
    const file = readTraceFile(`${CORPUS}/${fileOf(id)}`);
    const kernel = huntedOn(fault);
    expect([file.faults, file.kernel, file.expect.rule]).toEqual([[id], kernel.name, fault.rule]);
    expect(file.steps.length).toBeLessThanOrEqual(STEPS_MAX);

    const broken = runnerFor(kernel, [fault]).run(planOf(file), new Tally());
    expect([broken.violation?.rule.id, broken.brokenAt]).toEqual([fault.rule, file.expect.step]);
    expect(broken.executed).toEqual(file.steps);

    const intended = runnerFor(kernel, []).run(planOf(file), new Tally());
    expect(intended.violation?.rule.id).toBeUndefined();
    expect(intended.executed).toEqual(file.steps);
  });
});
