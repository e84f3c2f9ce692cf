/** Every kernel keeps the law, alone and after others; the matrix comes out of running pairs. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { machineShapes, planOf, tracePlans } from '#model/generators';
import { KERNELS, kernelByName } from '#model/kernels';
import { GENERATIONS } from '#spec/generations';
import { randomRun } from '#src/checker/random-run';
import { Tally } from '#src/checker/tally';
import { kernelMatrix } from '#src/cli/abi-matrix';
import { kernelsNamed, runnerFor } from '#src/cli/systems';

const shapes = machineShapes({ nodesMin: 1, nodesMax: 4 });

const rulesBroken = (first: string, next: readonly string[], traces: number): string[] => {
  const kernels = kernelsNamed(first, next);
  const choices = kernels.map(({ generation }) => GENERATIONS.indexOf(generation));
  const plans = tracePlans(shapes, 60, [], kernels.length === 1 ? [] : choices);
  const { tally, counterexamples } = randomRun(runnerFor(kernels[0]!, []), plans, 3, {
    traces,
    first: true,
  });
  expect(tally.kexecs).toBeGreaterThan(0);
  return counterexamples.map(({ rule }) => rule);
};

describe('random traces', () => {
  it.each(KERNELS.map(({ name }) => name))('on Linux %s break no rule', (name) => {
    expect(rulesBroken(name, [], 15)).toEqual([]);
  });

  it.each([
    ['6.16', ['6.17']],
    ['6.18', ['7.3']],
    ['7.1', ['6.19', '7.2']],
    ['7.3', ['7.2', '7.1']],
  ])('on Linux %s with %j to follow break no rule', (first, next) => {
    expect(rulesBroken(first, next, 15)).toEqual([]);
  });

  it('find that 6.17 and 6.18 write other bitmaps under one name', () => {
    expect(rulesBroken('6.17', ['6.18'], 40)).not.toEqual([]);
  });
});

const REFERENCE = JSON.parse(
  readFileSync(join(import.meta.dirname, '../fixtures/abi-matrix.json'), 'utf8'),
) as { versions: string[]; outcome: Readonly<Record<string, string[]>> };

const LETTERS = { same: '=', refused: 'R', misread: 'C', panic: 'P', ignored: 'L' } as const;

describe('the matrix of kernels', () => {
  const matrix = kernelMatrix();

  it.each(REFERENCE.versions)('says of %s what sources say, each with a trace', (name) => {
    const writer = kernelByName(name)!;
    const row = KERNELS.map((reader) => matrix.pair(writer, reader, 3));
    expect(row.map(({ outcome }) => LETTERS[outcome])).toEqual(REFERENCE.outcome[name]);
    for (const { outcome, reader, witness } of row) {
      expect(witness === undefined).toBe(outcome === 'same' || outcome === 'refused');
      if (witness === undefined) continue;
      expect(witness.trace.steps.length).toBeLessThanOrEqual(4);
      const { violation } = runnerFor(writer, []).run(planOf(witness.trace), new Tally());
      expect([reader.name, violation?.rule.id]).toEqual([reader.name, witness.rule]);
      for (let at = 0; at < witness.trace.steps.length; at++) {
        const steps = witness.trace.steps.filter((_, index) => index !== at);
        const tried = matrix.attempt(writer, reader, { ...witness.trace, steps });
        expect(tried?.outcome).not.toBe(outcome);
      }
    }
  });
});
