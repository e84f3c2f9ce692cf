/** The law holds on every kind of machine: all page sizes, one to four nodes, up to 16 TiB. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { machineShapes, tracePlans } from '#model/generators';
import type { MachineBounds } from '#model/generators';
import { NEWEST_KERNEL } from '#model/kernels';
import { SUBTREE_NAMES } from '#model/machines';
import { TraceRunner } from '#src/checker/run-trace';
import { Tally } from '#src/checker/tally';
import { KhoMachine } from '#src/kho/kho-machine';

const WORLDS: readonly (readonly [string, MachineBounds, number])[] = [
  ['pages of 4 KiB', { nodesMin: 1, nodesMax: 4, pageShift: 12 }, 60],
  ['pages of 16 KiB', { nodesMin: 1, nodesMax: 4, pageShift: 14 }, 60],
  ['pages of 64 KiB', { nodesMin: 1, nodesMax: 4, pageShift: 16 }, 20],
  ['16 TiB of memory', { nodesMin: 1, nodesMax: 4, frames: 2 ** 32 }, 60],
];

describe('a machine with', () => {
  test.each(WORLDS)('%s keeps the law', (_name, bounds, numRuns) => {
    const { compatible, release } = NEWEST_KERNEL;
    const runner = new TraceRunner(
      (machine) => new KhoMachine(machine, { compatible, release }, SUBTREE_NAMES),
      NEWEST_KERNEL,
    );
    const tally = new Tally();
    fc.assert(
      fc.property(tracePlans(machineShapes(bounds), 60), (plan) => {
        const { violation } = runner.run(plan, tally);
        expect(violation && `${violation.rule.id}: ${violation.text}`).toBeUndefined();
      }),
      { seed: 7, numRuns },
    );
    expect(tally.kexecs).toBeGreaterThan(numRuns);
    expect(tally.timesOf('RST-03')).toBeGreaterThan(0);
    expect(tally.timesOf('PRS-01')).toBeGreaterThan(0);
  });
});
