/**
 * Trace files: a trace that travels.
 *
 * One JSON document with steps, not random numbers: it outlives changes of the generators. A trace
 * that was fixed becomes a regression test by changing one word of `expect`.
 */
import type { MachineShape } from './machines.ts';
import type { Step } from './step.ts';

export const TRACE_FORMAT = 'kho-check trace';
export const TRACE_VERSION = 1;

/** What a trace file says will happen. */
export interface Expectation {
  readonly outcome: 'breaks' | 'holds';
  /** Rule that breaks, and the index of the step that breaks it. */
  readonly rule?: string;
  readonly step?: number;
}

export interface TraceFile {
  readonly format: typeof TRACE_FORMAT;
  readonly version: typeof TRACE_VERSION;
  /** Kernel profile by name. */
  readonly kernel: string;
  /** Faults that the implementation is to have, by id. */
  readonly faults: readonly string[];
  readonly machine: MachineShape;
  readonly steps: readonly Step[];
  readonly expect: Expectation;
}

/** The text of a trace file: one step a line, so that differences are read easily. */
export const traceFileText = (file: TraceFile): string => {
  const { steps, ...head } = file;
  const lines = steps.map((step) => `    ${JSON.stringify(step)}`).join(',\n');
  const headText = JSON.stringify(head, null, 2).replace(/\n\}$/, '');
  return `${headText},\n  "steps": [\n${lines}\n  ]\n}\n`;
};
