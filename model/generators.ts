/**
 * fast-check generators: machines, and plans of traces.
 *
 * fast-check chooses the machine, the length and a seed; the steps are drawn while the trace runs,
 * because only then is it known which of them apply. A plan that was run knows its steps, and then
 * shrinks by dropping some of them.
 */
import fc from 'fast-check';
import { maxPageOrder, shapeProblem } from './machines.ts';
import type { MachineShape } from './machines.ts';
import { COMMAND_LINES } from './reserve-mem.ts';
import type { Step, StepName, Trace } from './step.ts';

/** A trace to be run: its steps are fixed, or drawn from `seed` until there are `length`. */
export interface TracePlan {
  readonly machine: MachineShape;
  readonly seed: number;
  readonly length: number;
  /** Fixed steps; undefined when they are to be drawn. */
  readonly steps: readonly Step[] | undefined;
  /** Kinds of step that are drawn more often. */
  readonly wants: readonly StepName[];
}

/** Bounds of the machines that are generated. */
export interface MachineBounds {
  readonly nodesMin: number;
  readonly nodesMax: number;
  /** log2 of the page size in bytes; 12 when absent. */
  readonly pageShift?: number;
  /** Memory in frames, divided among the nodes; absent: eight to ten largest blocks a node. */
  readonly frames?: number;
}

/** Machines of one to four nodes; most borders between nodes are aligned to nothing. */
export const machineShapes = (bounds: MachineBounds): fc.Arbitrary<MachineShape> =>
  fc
    .record({
      nodes: fc.integer({ min: bounds.nodesMin, max: bounds.nodesMax }),
      quarters: fc.integer({ min: 32, max: 40 }),
      /** Which command lines; most machines have none. */
      crash: fc.boolean(),
      lines: fc.nat({ max: 3 * COMMAND_LINES.length - 1 }),
      crooked: fc.array(fc.integer({ min: 0, max: 8191 }), { minLength: 4, maxLength: 4 }),
      deferred: fc.boolean(),
    })
    .map(({ nodes, quarters, crash, lines, crooked, deferred }) => {
      const pageShift = bounds.pageShift ?? 12;
      const block = 2 ** maxPageOrder(pageShift);
      const shifts = crooked.map((frames) => frames % block);
      const base =
        bounds.frames === undefined
          ? Math.floor((quarters * block) / 4)
          : Math.floor(bounds.frames / nodes);
      const shape = {
        pageShift,
        nodes: Array.from({ length: nodes }, (_, node) => base + borderShift(node, nodes, shifts)),
        scratch: { lowmem: block, global: block, perNode: block },
        ...(deferred ? { deferredInit: true } : {}),
      };
      return withCrash(withLines(shape, COMMAND_LINES[lines]), crash);
    });

/** The machine with command lines that name regions, where there is room for them. */
const withLines = (shape: MachineShape, lines: readonly string[] | undefined): MachineShape => {
  const named = lines === undefined ? shape : { ...shape, reserveMem: lines };
  return shapeProblem(named) === '' ? named : shape;
};

/** Frames for a crash kernel: enough to boot in, and no more. */
const CRASH_FRAMES = 24;

/** The machine with memory for a crash kernel, if it is to have some and there is room. */
const withCrash = (shape: MachineShape, crash: boolean): MachineShape => {
  const reserved = { ...shape, crash: CRASH_FRAMES };
  return crash && shapeProblem(reserved) === '' ? reserved : shape;
};

/** How much longer or shorter a node is than its share; shifts add up to 0. */
const borderShift = (node: number, nodes: number, crooked: readonly number[]): number => {
  const before = node === 0 ? 0 : crooked[node - 1]!;
  const after = node === nodes - 1 ? 0 : crooked[node]!;
  return after - before;
};

/** Plans of traces of up to `stepsMax` steps. */
export const tracePlans = (
  machines: fc.Arbitrary<MachineShape>,
  stepsMax: number,
  wants: readonly StepName[] = [],
): fc.Arbitrary<TracePlan> =>
  fc
    .record({
      machine: machines,
      seed: fc.nat({ max: 0xfffffffe }),
      length: fc.integer({ min: Math.ceil(stepsMax / 4), max: stepsMax }),
    })
    .map((plan) => ({ ...plan, wants, steps: undefined }));

/** A plan that runs a trace exactly. */
export const planOf = (trace: Trace): TracePlan => ({
  machine: trace.machine,
  seed: 0,
  length: trace.steps.length,
  steps: trace.steps,
  wants: [],
});
