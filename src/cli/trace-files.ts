/** Trace files on disk: saved under `.kho/traces`, read with every field looked at. */
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import type { Field } from '#model/kinds/kind';
import { PAGE_SHIFTS, maxPageOrder, shapeProblem } from '#model/machines';
import { LINES_MAX } from '#model/kinds/reserve-mem';
import { STEP_NAMES, kindOf } from '#model/step';
import type { Step, StepName } from '#model/step';
import { TRACE_FORMAT, TRACE_VERSION, traceFileText } from '#model/trace-file';
import type { TraceFile } from '#model/trace-file';
import { UsageError } from './io.ts';

const whole = (min: number, max: number) =>
  v.pipe(v.number(), v.integer(), v.minValue(min), v.maxValue(max));

const FRAMES_MAX = 2 ** 32;
/** Frames that the steps of one trace may take together, so that every trace ends. */
const TAKEN_MAX = 2 ** 18;
/** What a step that takes all there is counts as; machines where it does are small. */
const HOG_COUNTS_AS = 1024;
/** Size of a file beyond which it is not read. */
const BYTES_MAX = 2 ** 26;
const STEPS_MAX = 100_000;
const id = whole(0, 0xfffff);
const back = whole(-1, FRAMES_MAX);

const place = v.variant('at', [
  v.strictObject({ at: v.literal('slot'), slot: whole(0, 255), back }),
  v.strictObject({ at: v.literal('end of memory'), back }),
  v.strictObject({ at: v.literal('power of two'), log2: whole(0, 32), back }),
  v.strictObject({ at: v.literal('node border'), node: whole(0, 63), back }),
  v.strictObject({ at: v.literal('start of scratch'), area: whole(0, 65), back }),
  v.strictObject({ at: v.literal('end of scratch'), area: whole(0, 65), back }),
]);

const fieldSchema = (field: Field) => {
  switch (field.is) {
    case 'object':
      return id;
    case 'place':
      return place;
    case 'flag':
      return v.boolean();
    case 'number':
      return whole(field.min, field.max);
  }
};

/** What a step of one kind must look like: what the kind declares, and nothing else. */
const stepSchema = (name: StepName) => {
  const fields = Object.entries<Field>(kindOf(name).fields);
  return v.strictObject({
    id,
    do: v.literal(name),
    ...Object.fromEntries(fields.map(([key, field]) => [key, fieldSchema(field)])),
  });
};

const step = v.variant('do', STEP_NAMES.map(stepSchema)) as unknown as v.GenericSchema<Step>;

const size = whole(0, FRAMES_MAX);

const commandLines = v.pipe(
  v.array(v.pipe(v.string(), v.maxLength(1024))),
  v.minLength(1),
  v.maxLength(LINES_MAX),
);

const scratchLines = v.pipe(
  v.array(v.nullable(v.pipe(v.string(), v.maxLength(64)))),
  v.minLength(1),
  v.maxLength(LINES_MAX),
);

const traceFile = v.strictObject({
  format: v.literal(TRACE_FORMAT),
  version: v.literal(TRACE_VERSION),
  kernel: v.string(),
  faults: v.array(v.string()),
  machine: v.strictObject({
    pageShift: v.picklist(PAGE_SHIFTS),
    nodes: v.pipe(v.array(whole(0, FRAMES_MAX)), v.minLength(1), v.maxLength(64)),
    scratch: v.strictObject({ lowmem: size, global: size, perNode: size }),
    scratchLines: v.exactOptional(scratchLines),
    lowFrames: v.exactOptional(whole(1, FRAMES_MAX)),
    widenFrames: v.exactOptional(whole(1, FRAMES_MAX)),
    hugePages: v.exactOptional(v.strictObject({ order: whole(0, 13), count: whole(1, 64) })),
    reserveMem: v.exactOptional(commandLines),
    deferredInit: v.exactOptional(v.boolean()),
    manyNames: v.exactOptional(v.boolean()),
    cells: v.exactOptional(v.tuple([whole(1, 2), whole(1, 2)])),
    crash: v.exactOptional(whole(1, 2 ** 13)),
  }),
  expect: v.strictObject({
    outcome: v.picklist(['breaks', 'holds']),
    rule: v.exactOptional(v.string()),
    step: v.exactOptional(whole(-1, 1_000_000)),
  }),
  steps: v.pipe(v.array(step), v.maxLength(STEPS_MAX)),
});

/** What is wrong with a file whose fields are each right, as `where: what`; '' when nothing is. */
const contradiction = ({ machine, steps }: TraceFile): string => {
  const problem = shapeProblem(machine);
  if (problem !== '') return `machine: ${problem}`;
  const ids = new Set<number>();
  let taken = 0;
  for (const [index, each] of steps.entries()) {
    if (ids.has(each.id)) return `steps.${index}.id: there is a step ${each.id} before it`;
    ids.add(each.id);
    if (each.do === 'alloc') {
      const most = maxPageOrder(machine.pageShift);
      if (each.order > most) return `steps.${index}.order: the largest block has order ${most}`;
      taken += 2 ** each.order;
    }
    if (each.do === 'claim') taken += each.count;
    if (each.do === 'claim large') taken += 2 ** each.order;
    if (each.do === 'hog') taken += HOG_COUNTS_AS;
    if (taken > TAKEN_MAX) {
      return `steps.${index}: up to here the steps take more than ${TAKEN_MAX} frames`;
    }
  }
  return '';
};

const readText = (path: string): string => {
  try {
    const stats = statSync(path);
    if (!stats.isFile() && !stats.isFIFO()) {
      throw new UsageError(`cannot read the trace file ${path}: it is not a file`);
    }
    if (stats.size > BYTES_MAX) {
      throw new UsageError(`${path} is no trace file: it has more than ${BYTES_MAX} bytes`);
    }
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof UsageError) throw error;
    const code = (error as NodeJS.ErrnoException).code ?? 'unreadable';
    throw new UsageError(`cannot read the trace file ${path}: ${code}`);
  }
};

/** Reads a trace file; anything wrong with it is one sentence that says where. */
export const readTraceFile = (path: string): TraceFile => {
  const text = readText(path);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new UsageError(`${path} is not JSON (truncated?): ${why}`);
  }
  const parsed = v.safeParse(traceFile, json, { abortEarly: true });
  const wrong = parsed.success ? contradiction(parsed.output) : issueText(parsed.issues[0]);
  if (parsed.success && wrong === '') return parsed.output;
  throw new UsageError(`${path} is no trace file of version ${TRACE_VERSION}: ${wrong}`);
};

const issueText = (issue: v.BaseIssue<unknown>): string =>
  `${v.getDotPath(issue) ?? 'the whole file'}: ${issue.message}`;

/** Writes a trace file below `.kho/traces` and returns its path. */
export const saveTraceFile = (file: TraceFile): string => {
  const text = traceFileText(file);
  const directory = join('.kho', 'traces');
  const name = `${(file.expect.rule ?? 'trace').toLowerCase()}-${fingerprint(text)}.json`;
  const path = join(directory, name);
  writeTraceFile(path, text, directory);
  return path;
};

const writeTraceFile = (path: string, text: string, directory: string): void => {
  try {
    mkdirSync(directory, { recursive: true });
    writeFileSync(path, text);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unwritable';
    throw new UsageError(`cannot write ${path}: ${code}`);
  }
};

/** Eight hexadecimal digits that differ when texts do (FNV-1a). */
const fingerprint = (text: string): string => {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193) >>> 0;
  }
  return hash.toString(16).padStart(8, '0');
};
