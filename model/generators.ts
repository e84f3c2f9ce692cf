/**
 * fast-check generators: machines, and plans of traces.
 *
 * fast-check chooses the machine, the length and a seed; the steps are drawn while the trace runs,
 * because only then is it known which of them apply. A plan that was run knows its steps, and then
 * shrinks by dropping some of them.
 */
import fc from 'fast-check';
import { earlyProblem, maxPageOrder, shapeProblem } from './machines.ts';
import type { MachineShape } from './machines.ts';
import { COMMAND_LINES, VAST_COMMAND_LINES } from './reserve-mem.ts';
import { EARLY_SCRATCH_LINES, SCRATCH_LINES } from './scratch-lines.ts';
import { kindOf } from './step.ts';
import type { Step, StepName, Trace } from './step.ts';
import { tightShape } from './tight-scratch.ts';
import { vastShape } from './vast-machines.ts';

/** A trace to be run: its steps are fixed, or drawn from `seed` until there are `length`. */
export interface TracePlan {
  readonly machine: MachineShape;
  readonly seed: number;
  readonly length: number;
  /** Fixed steps; undefined when they are to be drawn. */
  readonly steps: readonly Step[] | undefined;
  /** Kinds of step that are drawn more often. */
  readonly wants: readonly StepName[];
  /** Kernels that steps may load, as indices of `GENERATIONS`; none but the first when absent. */
  readonly kernels?: readonly number[];
}

/** One trace in so many has sessions of live update. */
const TRACES_PER_SESSIONS = 5;

/** Whether the steps that are drawn of a plan have sessions of live update. */
export const withSessions = ({ seed, wants }: Pick<TracePlan, 'seed' | 'wants'>): boolean =>
  seed % TRACES_PER_SESSIONS === 0 || wants.some((name) => kindOf(name).only === 'sessions');

/** Bounds of the machines that are generated. */
export interface MachineBounds {
  readonly nodesMin: number;
  readonly nodesMax: number;
  /** log2 of the page size in bytes; 12 when absent. */
  readonly pageShift?: number;
  /** Memory in frames, divided among the nodes; absent: eight to ten largest blocks a node. */
  readonly frames?: number;
  /** Whether kernels of v4 or before run, which read `kho_scratch=` in their own way. */
  readonly hasOwnOption?: boolean;
}

/** One machine in so many; small numbers are drawn more often than that. */
const VAST_ONE_IN = 96;
const VAST = 29;
const ROOT_CELLS = [
  [1, 1],
  [1, 2],
  [2, 1],
  [2, 2],
] as const;
const TIGHT_ONE_IN = 24;
const TIGHT = 13;
const MANY_NAMES_ONE_IN = 96;
const MANY_NAMES = 19;
/** Pages larger than this hold more names than anybody reads. */
const NAMES_PAGE_SHIFT = 12;

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
      /** Which command lines with `kho_scratch=`; most machines have none. */
      options: fc.nat({ max: 2 * SCRATCH_LINES.length - 1 }),
      /** Number of a node that has no memory; mostly there is none. */
      empty: fc.nat({ max: 11 }),
      /** log2 of the blocks by which scratch is widened, in parts of the largest block. */
      widen: fc.nat({ max: 5 }),
      huge: fc.nat({ max: 5 }),
      /** Largest blocks below the border of low memory; for many it stays at 4 GiB. */
      low: fc.integer({ min: 5, max: 25 }),
      /** One machine in so many has as much memory as there can be. */
      vast: fc.nat({ max: VAST_ONE_IN - 1 }),
      /** How the next kernel is told of its handover: by a device tree on half of the machines. */
      cells: fc.nat({ max: 2 * ROOT_CELLS.length - 1 }),
      /** On one machine in so many scratch only just fits, or just not. */
      tight: fc.nat({ max: TIGHT_ONE_IN - 1 }),
      /** One machine in so many has names enough to fill a page with those of one length. */
      names: fc.nat({ max: MANY_NAMES_ONE_IN - 1 }),
    })
    .map(({ nodes, quarters, crash, lines, crooked, deferred, vast, names, cells, ...more }) => {
      const pageShift = bounds.pageShift ?? 12;
      const block = 2 ** maxPageOrder(pageShift);
      const shifts = crooked.map((frames) => frames % block);
      const base =
        bounds.frames === undefined
          ? Math.floor((quarters * block) / 4)
          : Math.floor(bounds.frames / nodes);
      const small = {
        pageShift,
        nodes: Array.from({ length: nodes }, (_, node) => base + borderShift(node, nodes, shifts)),
        scratch: { lowmem: block, global: block, perNode: block },
      };
      const isVast = vast === VAST && bounds.frames === undefined;
      const plain = isVast ? vastShape(pageShift, nodes, shifts[0]!, block) : small;
      const shape = {
        ...plain,
        ...(deferred ? { deferredInit: true } : {}),
        ...(names === MANY_NAMES && pageShift === NAMES_PAGE_SHIFT ? { manyNames: true } : {}),
      };
      const told = (isVast ? VAST_COMMAND_LINES[lines % 4] : undefined) ?? COMMAND_LINES[lines];
      const mayBeEmpty = nodes < bounds.nodesMax;
      const draw = mayBeEmpty ? more : { ...more, empty: Infinity };
      const named = withLines(shape, told);
      const sized = withOwnOption(withScratch(named, draw, block), bounds, draw);
      return withCells(withCrash(sized, crash), ROOT_CELLS[cells]);
    });

/** The machine with command lines that name regions, where there is room for them. */
const withLines = (shape: MachineShape, lines: readonly string[] | undefined): MachineShape => {
  const named = lines === undefined ? shape : { ...shape, reserveMem: lines };
  return shapeProblem(named) === '' ? named : shape;
};

/** What is drawn of a machine that concerns scratch. */
interface ScratchDraw {
  readonly options: number;
  readonly empty: number;
  readonly widen: number;
  readonly huge: number;
  readonly low: number;
  readonly tight: number;
}

/** The shape if a law can be tried on it, and the one before if not. */
const orElse = (shape: MachineShape, before: MachineShape): MachineShape =>
  shapeProblem(shape) === '' ? shape : before;

/** Low memory of more blocks than this ends at 4 GiB. */
const LOW_BLOCKS_MAX = 15;
/** Blocks by which scratch is widened: the largest block of the allocator, or a part of it. */
const WIDEN_PARTS = [16, 8, 4, 1] as const;
/** Sizes of HugeTLB pages: log2 of their frames. */
const HUGE_ORDERS = [5, 6] as const;
/** Sixteen frames above the middle of a block: a border that nothing is aligned to. */
const LOW_FRAMES_OFF = 16;

/** The lines in turn from one of them on: each is the first that some machine boots with. */
const linesFrom = <T>(lines: readonly T[] | undefined, first: number): readonly T[] | undefined =>
  lines?.map((_, i) => lines[(i + first) % lines.length]!);

/** The machine with its own ideas of scratch, one after the other, where there is room. */
const withScratch = (plain: MachineShape, draw: ScratchDraw, block: number): MachineShape => {
  const lines = linesFrom(SCRATCH_LINES[draw.options], draw.low);
  const part = WIDEN_PARTS[draw.widen];
  const order = HUGE_ORDERS[draw.huge];
  const low = Math.floor((draw.low + 0.5) * block) + LOW_FRAMES_OFF;
  let shape = plain;
  if (part !== undefined) shape = { ...shape, widenFrames: block / part };
  if (draw.empty <= plain.nodes.length) {
    const nodes = [...plain.nodes.slice(0, draw.empty), 0, ...plain.nodes.slice(draw.empty)];
    shape = { ...shape, nodes };
  }
  if (lines !== undefined) shape = orElse({ ...shape, scratchLines: lines }, shape);
  if (draw.low <= LOW_BLOCKS_MAX) shape = orElse({ ...shape, lowFrames: low }, shape);
  if (draw.tight === TIGHT) shape = orElse(tightShape(shape, block, draw.low), shape);
  if (order === undefined) return shape;
  return orElse({ ...shape, hugePages: { order, count: 1 + 5 * (draw.options % 3) } }, shape);
};

/**
 * For kernels with an option of their own, every other machine that would have no lines gets some
 * that are meant for them; the others keep theirs where it is certain what those kernels make of
 * them.
 */
const withOwnOption = (
  shape: MachineShape,
  { hasOwnOption = false }: MachineBounds,
  { options, low }: ScratchDraw,
): MachineShape => {
  if (!hasOwnOption) return shape;
  const { scratchLines: _, ...plain } = shape;
  const lines = linesFrom(EARLY_SCRATCH_LINES[options - SCRATCH_LINES.length], low);
  const suits = (tried: MachineShape): boolean =>
    shapeProblem(tried) === '' && earlyProblem(tried) === '';
  const own = { ...shape, ...(lines === undefined ? {} : { scratchLines: lines }) };
  return suits(own) ? own : suits(shape) ? shape : plain;
};

/** Frames for a crash kernel: enough to boot in, and no more. */
const CRASH_FRAMES = 24;

/** The machine with memory for a crash kernel, if it is to have some and there is room. */
const withCrash = (shape: MachineShape, crash: boolean): MachineShape => {
  const reserved = { ...shape, crash: CRASH_FRAMES };
  return crash && shapeProblem(reserved) === '' ? reserved : shape;
};

/** The machine with a device tree, if its addresses fit the cells. */
const withCells = (shape: MachineShape, cells: readonly [number, number] | undefined) =>
  cells === undefined ? shape : orElse({ ...shape, cells }, shape);

/** How much longer or shorter a node is than its share; shifts add up to 0. */
const borderShift = (node: number, nodes: number, crooked: readonly number[]): number => {
  const before = node === 0 ? 0 : crooked[node - 1]!;
  const after = node === nodes - 1 ? 0 : crooked[node]!;
  return after - before;
};

/**
 * Plans of traces of up to `stepsMax` steps.
 *
 * @param kernels kernels that steps may load, as indices of `GENERATIONS`
 */
export const tracePlans = (
  machines: fc.Arbitrary<MachineShape>,
  stepsMax: number,
  wants: readonly StepName[] = [],
  kernels: readonly number[] = [],
): fc.Arbitrary<TracePlan> =>
  fc
    .record({
      machine: machines,
      seed: fc.nat({ max: 0xfffffffe }),
      length: fc.integer({ min: Math.ceil(stepsMax / 4), max: stepsMax }),
    })
    .map((plan) => ({ ...plan, wants, kernels, steps: undefined }));

/** A plan that runs a trace exactly. */
export const planOf = (trace: Trace): TracePlan => ({
  machine: trace.machine,
  seed: 0,
  length: trace.steps.length,
  steps: trace.steps,
  wants: [],
});
