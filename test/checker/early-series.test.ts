/** The patch series before the merge keep the law, alone and where others refuse them. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { machineShapes, tracePlans } from '#model/generators';
import { EARLY_SERIES } from '#model/kernels';
import { GENERATIONS } from '#spec/generations';
import { Tally } from '#src/checker/tally';
import { kernelMatrix } from '#src/cli/abi-matrix';
import { kernelNamed, kernelsNamed, runnerFor } from '#src/cli/systems';

const shapes = machineShapes({ nodesMin: 1, nodesMax: 4 });

/** Rules that break in a few traces of kernels that follow each other. */
const broken = (first: string, next: readonly string[] = []): string[] => {
  const kernels = kernelsNamed(first, next);
  const choices = kernels.map(({ generation }) => GENERATIONS.indexOf(generation));
  const plans = tracePlans(shapes, 60, [], kernels.length === 1 ? [] : choices);
  const runner = runnerFor(kernels[0]!, []);
  const tally = new Tally();
  const results = fc.sample(plans, { seed: 5, numRuns: 5 }).map((plan) => runner.run(plan, tally));
  expect(tally.kexecs).toBeGreaterThan(0);
  return results.flatMap(({ violation }) => violation?.rule.id ?? []);
};

describe('the series before the merge', () => {
  it.each(EARLY_SERIES.map(({ name }) => name))('%s breaks no rule', (name) => {
    expect(broken(name)).toEqual([]);
  });

  it('is refused by kernels that demand another string, and refuses them', () => {
    expect(broken('v5', ['7.3'])).toEqual([]);
    expect(broken('7.1', ['v4'])).toEqual([]);
  });

  it('hands over nothing to kernels that know its string and another form', () => {
    const matrix = kernelMatrix();
    const row = (writer: string) =>
      ['v3', 'v4', 'v5', '6.16', '7.0', '7.3'].map((reader) => {
        const pair = matrix.pair(kernelNamed(writer), kernelNamed(reader), 1, false);
        return pair.outcome;
      });
    expect(row('v3')).toEqual(['same', 'panic', 'misread', 'misread', 'refused', 'refused']);
    expect(row('v4')).toEqual(['panic', 'same', 'misread', 'misread', 'refused', 'refused']);
    expect(row('v5')).toEqual(['misread', 'misread', 'same', 'misread', 'refused', 'refused']);
  });
});
