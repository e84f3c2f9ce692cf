/** Trace files: what is written is what is read, and it can be read by people. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { machineShapes, tracePlans } from '#model/generators';
import { NEWEST_KERNEL } from '#model/kernels';
import { buildMachine, plainShape, shapeProblem } from '#model/machines';
import type { MachineShape } from '#model/machines';
import { TRACE_FORMAT, TRACE_VERSION, traceFileText } from '#model/trace-file';
import type { TraceFile } from '#model/trace-file';
import { Tally } from '#src/checker/tally';
import { runnerFor } from '#src/cli/systems';

const SHAPES = machineShapes({ nodesMin: 1, nodesMax: 4 });
const runner = runnerFor(NEWEST_KERNEL, []);

/** Files of steps that were really drawn. */
const files: fc.Arbitrary<TraceFile> = tracePlans(SHAPES, 30).map((plan) => ({
  format: TRACE_FORMAT,
  version: TRACE_VERSION,
  kernel: '7.3',
  faults: [],
  machine: plan.machine,
  expect: { outcome: 'holds' },
  steps: runner.run(plan, new Tally()).executed,
}));

describe('the text of a trace file', () => {
  it('is JSON that says what it was made of', () => {
    const property = fc.property(files, (file) => {
      expect(JSON.parse(traceFileText(file))).toEqual(file);
    });
    fc.assert(property, { numRuns: 25 });
    const empty = { ...fc.sample(files, 1)[0]!, steps: [] };
    expect(JSON.parse(traceFileText(empty))).toEqual(empty);
  });

  it('has one step a line, and ends with a newline', () => {
    const [file] = fc.sample(files, { seed: 1, numRuns: 1 });
    const lines = traceFileText(file!).split('\n');
    expect(lines.filter((line) => line.includes('"do":'))).toHaveLength(file!.steps.length);
    expect(lines.at(-1)).toBe('');
  });
});

const SCRATCH = { lowmem: 1024, global: 1024, perNode: 1024 };

describe('a machine', () => {
  it('that is generated can be tried', () => {
    const canBeTried = (shape: MachineShape): boolean => shapeProblem(shape) === '';
    fc.assert(fc.property(SHAPES, canBeTried));
    for (const nodes of [1, 2, 3, 4]) {
      const smallest = machineShapes({
        nodesMin: nodes,
        nodesMax: nodes,
        frames: nodes * 24 * 256,
      });
      fc.assert(fc.property(smallest, canBeTried));
    }
    expect(shapeProblem(plainShape())).toBe('');
  });

  it.each([
    ['has no scratch', { nodes: [16384], scratch: { lowmem: 0, global: 0, perNode: 0 } }],
    ['more than 4294967296 frames', { nodes: [2 ** 31, 2 ** 31, 20000], scratch: SCRATCH }],
    ['low memory is too small', { nodes: [5119], scratch: SCRATCH }],
    ['low memory is too small', { nodes: [2 ** 30], scratch: { ...SCRATCH, lowmem: 2 ** 20 } }],
    ['node 1 is too small', { nodes: [20000, 5119], scratch: SCRATCH }],
  ])('that %s cannot', (why, shape) => {
    expect(shapeProblem({ pageShift: 12, ...shape })).toContain(why);
  });

  it('that can be tried reserves its scratch, and boots', () => {
    const sizes = fc.constantFrom(0, 1, 1023, 1024, 1025, 3000);
    const shapes = fc
      .record({
        asked: fc.record({ lowmem: sizes, global: sizes, perNode: sizes }),
        spare: fc.array(fc.integer({ min: 16, max: 5000 }), { minLength: 1, maxLength: 4 }),
      })
      .map(({ asked, spare }) => {
        const areas = Object.values(asked).map((frames) => Math.ceil(frames / 1024) * 1024);
        const least = areas.reduce((sum, frames) => sum + frames, 2048);
        return { pageShift: 12, nodes: spare.map((more) => least + more), scratch: asked };
      })
      .filter((shape) => shapeProblem(shape) === '');
    const property = fc.property(shapes, (shape) => {
      const plan = { machine: shape, seed: 1, length: 3, steps: undefined, wants: [] };
      expect(runner.run(plan, new Tally()).violation?.text).toBeUndefined();
      expect(buildMachine(shape).end).toBe(shape.nodes.reduce((sum, count) => sum + count, 0));
    });
    fc.assert(property, { numRuns: 100 });
  });
});
