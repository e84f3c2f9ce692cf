/**
 * `kho-check conform --recorded DIR`: recorded traces of real kernels, judged.
 *
 * Reads every recording in a directory, with every field looked at, and composes what each is
 * compared with: our kernel as intended, and with the faults that the recorded release has.
 */
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import * as v from 'valibot';
import { CallAnswer, RangeList, call } from '#model/call';
import { KERNELS } from '#model/kernels';
import type { KernelProfile } from '#model/kernels';
import { SUBTREE_NAMES, maxPageOrder } from '#model/machines';
import type { Call } from '#spec/call';
import type { Machine, NodeRange } from '#spec/machine';
import { conform } from '../checker/conform.ts';
import type { BootRecorded, Conformance, ReplayedKernel } from '../checker/conform.ts';
import type { RecordedCall, RecordedKey, Recording } from '../checker/recording.ts';
import type { Platform } from '../kho/boot.ts';
import { decisionsWith, faultById } from '../kho/faults.ts';
import type { Fault } from '../kho/faults.ts';
import { createTree } from '../kho/handover-tree.ts';
import { isLuoAction, isMachineAction } from '../kho/images.ts';
import { Kernel } from '../kho/kernel.ts';
import { PhysicalMemory } from '../kho/physical-memory.ts';
import { KernelPanic } from '../kho/radix-tracker.ts';
import { writeScratchArray } from '../kho/scratch.ts';
import { Topology } from '../kho/topology.ts';
import { conformJson, conformText } from '../report/conform.ts';
import type { ConformReport } from '../report/conform.ts';
import { EXIT, UsageError } from './io.ts';
import type { Io } from './io.ts';

/** How `conform` is called. */
export interface ConformOptions {
  /** Directory of recordings. */
  readonly recorded: string;
  readonly json: boolean;
}

/** What the releases that can be recorded decide otherwise when they restore: S1 and S14. */
export const SHIPPED_FAULTS = ['restore-loses-blocks', 'restore-partly'] as const;

/** Judges every recording of a directory; answers the exit status. */
export const conformRecorded = (options: ConformOptions, io: Io): number => {
  const files = readRecordings(options.recorded).map(judgeRecording);
  const report: ConformReport = { directory: options.recorded, verdict: verdictOf(files), files };
  if (options.json) io.out(`${conformJson(report)}\n`);
  else io.out(`${conformText(report, io.colors)}\n`);
  if (report.verdict === 'inconclusive') return EXIT.inconclusive;
  return report.verdict === 'unknown' ? EXIT.broken : EXIT.holds;
};

const verdictOf = (files: readonly Conformance[]): ConformReport['verdict'] => {
  if (files.some((file) => file.unknown.length > 0 || !file.keysEqual)) return 'unknown';
  if (files.every((file) => file.operations + file.restores === 0)) return 'inconclusive';
  const deviates = files.some((file) => Object.values(file.deviations).some((n) => n > 0));
  return deviates ? 'deviates' : 'conforms';
};

/** Judges one recording. */
export const judgeRecording = (recording: Recording): Conformance => {
  const profile = profileOf(recording.kernel)!;
  return conform(recording, {
    generation: profile.generation,
    intended: bootRecorded(profile, []),
    shipped: bootRecorded(
      profile,
      SHIPPED_FAULTS.map((id) => faultById(id)!),
    ),
  });
};

/** The profile of a release such as 7.3.4. */
const profileOf = (release: string): KernelProfile | undefined =>
  KERNELS.find(({ name }) => release === name || release.startsWith(`${name}.`));

/** Frames of the node that a replayed kernel has for its own pages. */
const OWN_FRAMES = 2 ** 16;
/** Frames between that node and the recorded memory. */
const OWN_GAP = 2 ** 16;

/** Makes kernels of ours for recordings. */
export const bootRecorded =
  (profile: KernelProfile, faults: readonly Fault[]): BootRecorded =>
  (recording) =>
    new RecordedMachine(recording, profile, faults);

/**
 * A machine that was handed the recorded scratch areas, and nothing else.
 *
 * All recorded memory outside scratch is reserved when the first kernel boots: its tracker pages
 * and its tree lie on a node of their own, where no recorded call reaches them.
 */
class RecordedMachine implements ReplayedKernel {
  readonly memory: PhysicalMemory;
  readonly #platform: Platform;
  readonly #answer = new CallAnswer();
  readonly #areas: readonly NodeRange[];
  #kernel: Kernel | undefined;

  constructor({ machine, areas }: Recording, profile: KernelProfile, faults: readonly Fault[]) {
    const own: NodeRange = { first: machine.end + OWN_GAP, count: OWN_FRAMES };
    const { first, count } = own;
    const ours: Machine = { ...machine, nodes: [...machine.nodes, own], end: first + count };
    this.memory = new PhysicalMemory(machine.pageShift);
    this.#areas = areas;
    this.#platform = {
      machine: ours,
      topology: new Topology(ours),
      memory: this.memory,
      decisions: decisionsWith(faults),
      compatible: profile.compatible,
      release: profile.release,
    };
    // An empty handover: tree, tracker root and scratch array on the last frames of that node.
    const [tree, root, array] = [ours.end - 1, ours.end - 2, ours.end - 3] as const;
    const { pageBytes } = this.#platform.topology;
    this.memory.zeroPage(root);
    createTree(this.memory.zeroPage(tree), profile.compatible, root * pageBytes);
    const image = outside(areas, machine.end);
    image.add(array, ours.end - array);
    this.#boot(image, tree, array);
  }

  fdt(): number {
    return (this.#kernel?.tree ?? 0) * this.#platform.topology.pageBytes;
  }

  call(asked: Call): CallAnswer {
    this.#answer.reset();
    const { action } = asked;
    if (isMachineAction(action) || isLuoAction(action)) {
      throw new Error(`a replayed kernel does not carry out ${action}`);
    }
    this.#answer.value = this.#running[action](asked);
    return this.#answer;
  }

  kexec(): number {
    const kernel = this.#running;
    this.#answer.reset();
    const image = new RangeList();
    const value = kernel.placeSegments(image);
    return value < 0 ? value : this.#boot(image, kernel.tree, image.first(image.length - 1));
  }

  mark(pfn: number): number {
    const { held } = this.#running.booted;
    const index = held.markedAt(pfn);
    return index < 0 ? -1 : held.order(index);
  }

  get #running(): Kernel {
    if (this.#kernel === undefined) throw new Error('no kernel runs on the replayed machine');
    return this.#kernel;
  }

  /** Boots from the handover at frame `tree`; answers 1 when the kernel took it over. */
  #boot(image: RangeList, tree: number, array: number): number {
    const { pageBytes } = this.#platform.topology;
    writeScratchArray(this.memory.zeroPage(array), this.#areas, pageBytes);
    const parameters = {
      image,
      fdt: tree * pageBytes,
      scratchArray: array * pageBytes,
      scratchBytes: this.#areas.length * 16,
    };
    this.#answer.reset();
    try {
      this.#kernel = Kernel.boot(this.#platform, parameters, this.#answer, SUBTREE_NAMES);
    } catch (error) {
      if (!(error instanceof KernelPanic)) throw error;
      this.#kernel = undefined;
      return -1;
    }
    return this.#answer.value;
  }
}

/** What of `[0, end)` lies in no area. */
const outside = (areas: readonly NodeRange[], end: number): RangeList => {
  const found = new RangeList();
  let pfn = 0;
  for (const { first, count } of [...areas].sort((a, b) => a.first - b.first)) {
    if (first > pfn) found.add(pfn, first - pfn);
    pfn = Math.max(pfn, first + count);
  }
  if (end > pfn) found.add(pfn, end - pfn);
  return found;
};

const PAGE_SHIFT = 12;
const PAGE = 2 ** PAGE_SHIFT;
const BYTES_MAX = 2 ** 44;
/** Largest order of a key, and frames that a recording may have preserved, so that it ends. */
const ORDER_MAX = 20;
const PRESERVED_MAX = 2 ** 21;
const FILE_BYTES_MAX = 2 ** 26;
const OPERATIONS_MAX = 20_000;

const whole = (min: number, max: number) =>
  v.pipe(v.number(), v.integer(), v.minValue(min), v.maxValue(max));
const bytes = whole(0, BYTES_MAX);
const pages = v.pipe(bytes, v.multipleOf(PAGE, 'is no multiple of the page size, 4096'));
const text = (pattern: RegExp, example: string) =>
  v.pipe(v.string(), v.regex(pattern, `is not of the form '${example}'`));
const listOf = <const Item extends v.GenericSchema>(item: Item) =>
  v.pipe(v.array(item), v.maxLength(OPERATIONS_MAX));

const preserving = text(/^u?pp 0x[0-9a-f]{1,8} \d{1,7}$/, 'pp 0x2000 4');
const restoring = text(/^rp 0x[0-9a-f]{1,8} \d{1,7}$/, 'rp 0x2000 4');
const key = v.strictTuple([pages, whole(0, ORDER_MAX)]);

const recordingSchema = v.object({
  kernel: text(/^[1-9]\d*\.\d+(?:\.\d+)?$/, '7.3.4'),
  node_ranges: v.pipe(
    v.array(v.strictTuple([whole(0, 63), bytes, bytes])),
    v.minLength(1),
    v.maxLength(1024),
  ),
  scratch: v.pipe(v.array(v.strictTuple([pages, pages])), v.minLength(1), v.maxLength(66)),
  base_keys: listOf(key),
  ops: listOf(v.strictTuple([preserving, text(/^(?:ok|err -\d{1,4})$/, 'err -22')])),
  keys_after: listOf(key),
  restore_ops: listOf(
    v.strictTuple([
      restoring,
      text(/^(?:ok pfn [0-9a-f]{1,8}|err -\d{1,4})$/, 'ok pfn 2000'),
      whole(-BYTES_MAX, BYTES_MAX),
    ]),
  ),
  pages_still_carrying_magic: listOf(v.strictTuple([whole(0, 2 ** 32 - 1), whole(0, 2 ** 32)])),
});
type Recorded = v.InferOutput<typeof recordingSchema>;

/** Reads every recording of a directory, in the order of their names. */
const readRecordings = (directory: string): Recording[] => {
  const paths = reading(directory, () => {
    if (!statSync(directory).isDirectory()) {
      throw new UsageError(`${directory} is not a directory; name one that holds recordings`);
    }
    return readdirSync(directory).filter((name) => name.endsWith('.json'));
  });
  return paths.sort(byNumber).map((name) => readRecording(join(directory, name)));
};

/** Names in order, numbers in them by value. */
const byNumber = (a: string, b: string): number =>
  a.localeCompare(b, 'en', { numeric: true }) || (a < b ? -1 : 1);

const reading = <T>(path: string, read: () => T): T => {
  try {
    return read();
  } catch (error) {
    if (error instanceof UsageError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    throw new UsageError(`cannot read ${path}: ${code ?? 'unreadable'}`);
  }
};

/** Reads one recording; anything wrong with it is one sentence that says where. */
const readRecording = (path: string): Recording => {
  const content = reading(path, () => {
    const stats = statSync(path);
    if (!stats.isFile()) throw new UsageError(`${path} is not a file`);
    if (stats.size > FILE_BYTES_MAX) {
      throw new UsageError(`${path} is no recording: it has more than ${FILE_BYTES_MAX} bytes`);
    }
    return readFileSync(path, 'utf8');
  });
  let json: unknown;
  try {
    json = JSON.parse(content);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new UsageError(`${path} is not JSON (truncated?): ${why}`);
  }
  return parseRecording(path, json);
};

/** The recording that a JSON document is, or a `UsageError` that names the field. */
export const parseRecording = (path: string, json: unknown): Recording => {
  const fail = (where: string, what: string): never => {
    throw new UsageError(`${path} is no recorded trace: ${where}: ${what}`);
  };
  const parsed = v.safeParse(recordingSchema, json, { abortEarly: true });
  if (!parsed.success) {
    const issue = parsed.issues[0];
    return fail(v.getDotPath(issue) ?? 'the whole file', issue.message);
  }
  const recorded = parsed.output;
  const recording: Recording = {
    file: basename(path),
    kernel: recorded.kernel,
    machine: machineOf(recorded, fail),
    areas: recorded.scratch.map(([phys, size]) => ({ first: phys / PAGE, count: size / PAGE })),
    baseKeys: recorded.base_keys.map(keyOf),
    calls: recorded.ops.map(([asked, answer]) => recordedCall(asked, answer, 0)),
    keysAfter: recorded.keys_after.map(keyOf),
    restores: recorded.restore_ops.map((each) => recordedCall(...each)),
    marked: recorded.pages_still_carrying_magic.map(([pfn]) => pfn),
  };
  checkRecording(recording, fail);
  return recording;
};

type Fail = (where: string, what: string) => never;

const keyOf = ([phys, order]: readonly [number, number]): RecordedKey => ({
  pfn: phys / PAGE,
  order,
});

const ACTION_OF = { pp: 'preservePages', upp: 'unpreservePages', rp: 'restorePages' } as const;

const recordedCall = (asked: string, answer: string, managed: number): RecordedCall => {
  const [word, first, count] = asked.split(' ') as [keyof typeof ACTION_OF, string, string];
  const pfn = Number(first);
  const [outcome, , at] = answer.split(' ');
  return {
    call: call(ACTION_OF[word], { pfn, count: Number(count) }),
    text: asked,
    value: outcome === 'err' ? Number(answer.slice(4)) : 0,
    managed,
    address: at === undefined ? pfn : parseInt(at, 16),
  };
};

/** The machine of a recording: every node from its first frame to its last, holes included. */
const machineOf = ({ node_ranges: ranges, scratch }: Recorded, fail: Fail): Machine => {
  const nodes: { first: number; count: number }[] = [];
  let end = 0;
  for (const [index, [node, low, last]] of ranges.entries()) {
    const where = `node_ranges.${index}`;
    const first = Math.ceil(low / PAGE);
    const stop = Math.floor((last + 1) / PAGE);
    if (stop <= first) fail(where, 'it holds no whole page');
    if (first < end) fail(where, 'it does not ascend');
    if (node === nodes.length) nodes.push({ first, count: stop - first });
    else if (node === nodes.length - 1) nodes[node]!.count = stop - nodes[node]!.first;
    else
      fail(where, `node ${node} follows node ${nodes.length - 1}; only whole nodes are replayed`);
    end = stop;
  }
  if (end > 2 ** 32 - OWN_GAP - OWN_FRAMES) fail('node_ranges', 'there are 2^32 frames or more');
  if (scratch.length > nodes.length + 2) {
    fail('scratch', `${scratch.length} areas are more than ${nodes.length} nodes can have`);
  }
  return {
    pageShift: PAGE_SHIFT,
    nodes,
    end,
    maxOrder: maxPageOrder(12),
    scratch: { lowmem: 0, global: 0, perNode: 0 },
    scratchAlign: 2 ** maxPageOrder(12),
    lowmemEnd: 2 ** (32 - PAGE_SHIFT),
    nameBytes: SUBTREE_NAMES.map((name) => name.length),
  };
};

/** Looks at what the fields say together. */
const checkRecording = (recording: Recording, fail: Fail): void => {
  const { machine, areas, baseKeys, keysAfter, calls, restores } = recording;
  if (profileOf(recording.kernel) === undefined) {
    const known = KERNELS.map(({ name }) => name).join(', ');
    fail('kernel', `'${recording.kernel}' is not modelled; there is ${known}`);
  }
  const start = machine.nodes[0]!.first;
  const inMemory = (where: string, pfn: number, count: number): void => {
    if (pfn < start || pfn + count > machine.end) fail(where, 'it is not in the memory of a node');
  };
  areas.forEach(({ first, count }, index) => {
    if (count > 0) inMemory(`scratch.${index}`, first, count);
  });
  let preserved = 0;
  for (const [name, keys] of Object.entries({ base_keys: baseKeys, keys_after: keysAfter })) {
    keys.forEach(({ pfn, order }, index) => {
      inMemory(`${name}.${index}`, pfn, 2 ** order);
      if (pfn % 2 ** order !== 0) fail(`${name}.${index}`, `it is not aligned to order ${order}`);
      if (keys === baseKeys) preserved += 2 ** order;
    });
  }
  for (const [name, list] of Object.entries({ ops: calls, restore_ops: restores })) {
    list.forEach(({ call: { action, pfn, count } }, index) => {
      inMemory(`${name}.${index}`, pfn, count);
      if (action === 'preservePages') preserved += count;
    });
  }
  if (preserved > PRESERVED_MAX) {
    fail('ops', `more than ${PRESERVED_MAX} frames are preserved; record less at a time`);
  }
};
