/**
 * `kho-check inspect PATH`: decodes what a real kernel handed over, and judges it by the law.
 *
 * PATH is a capture (a directory with a page archive), a copy of debugfs, a page archive or a bare
 * device tree; which one is told by content. Invariants: everything shown is decoded from the bytes
 * that a kernel left. What a recorder believed (`scratch.json`, `meta.json`) is only compared with
 * that, and what a recorder decoded itself is never opened.
 *
 * It also says what each released kernel would do with the handover; that is no finding.
 *
 * Exit status: 0 every rule holds · 1 a finding that is an error, damage included · 2 the input
 * cannot be recognised.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import { DEBUGFS_RULES, RECORDING_RULES } from '#spec/debugfs';
import type { Witnesses, WitnessRule } from '#spec/debugfs';
import { appliesTo, GENERATIONS } from '#spec/generations';
import type { Generation } from '#spec/generations';
import { HANDOVER_RULES } from '#spec/handover';
import type { Area, Damage } from '#spec/handover';
import { looksLikeArchive, readArchive, type Archive } from '../abi/decode/archive.ts';
import { readMemory, tellBlob } from '../abi/decode/blobs.ts';
import { debugfsName, readDebugfs, type DebugfsCopy } from '../abi/decode/debugfs.ts';
import { decodeArchive } from '../abi/decode/find-root.ts';
import { decodeBareTree, type DecodedHandover } from '../abi/decode/handover.ts';
import { InputError } from '../abi/decode/input-error.ts';
import { readSessions, tellSessions, type LuoContent } from '../abi/decode/luo-sessions.ts';
import { readLuo, readOldLuo } from '../abi/decode/luo.ts';
import { isFdt } from '../abi/decode/subtrees.ts';
import { isZstd } from '../abi/decode/zstd.ts';
import { pageShiftOf } from '../abi/description/page-size.ts';
import { LUO } from '../abi/description/sub-blobs.ts';
import { likelyWriters, takesOf } from '../abi/verdict/takes.ts';
import type { InspectFinding, InspectVerdict, InspectView } from '../report/inspect-view.ts';
import { inspectJson } from '../report/inspect-json.ts';
import { inspectText } from '../report/inspect.ts';

/** How `inspect` is to print. */
export interface InspectOptions {
  /** One JSON document instead of text. */
  readonly json: boolean;
  /** Whether the text goes to a terminal that shows colour; no colour when absent. */
  readonly color?: boolean;
}

/** Where `inspect` prints. */
export interface InspectIo {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
}

/** Everything that was read and is to be judged. */
interface Subject {
  readonly path: string;
  readonly kind: string;
  readonly handover: DecodedHandover;
  /** Memory, when there is some. */
  readonly memory: Archive | undefined;
  readonly copy: DebugfsCopy | undefined;
  readonly recordedScratch: readonly Area[] | undefined;
  readonly recordedPage: number | undefined;
}

/** What was recorded beside an archive, by file name. */
type Beside = ReadonlyMap<string, Uint8Array>;

/** Names of archives inside a capture; the first that is there is read. */
const ARCHIVES = ['pages.bin.zst', 'pages.bin', 'pages_order0.bin.zst', 'pages_order0.bin'];
const SCRATCH_RECORD = 'scratch.json';
const META_RECORD = 'meta.json';

/** No file larger than this is read. */
const MAX_FILE_BYTES = 2147483648;

/** Findings of one rule before the rest is only counted. */
const MAX_FINDINGS = 64;

const HINT =
  'name a capture directory, a copy of /sys/kernel/debug/kho, a page archive or a device tree blob';

/** Inspects `path`, prints, and answers the exit status. */
export const inspect = (path: string, options: InspectOptions, io: InspectIo): number => {
  try {
    const view = examine(path);
    if (options.json) io.out(`${inspectJson(view)}\n`);
    else io.out(inspectText(view, { color: options.color ?? false }));
    return { holds: 0, broken: 1 }[view.verdict];
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    io.err(`kho-check: ${error.message}\n`);
    return 2;
  }
};

/**
 * Reads and judges whatever `path` names.
 *
 * @throws InputError when it cannot be read or recognised
 */
export const examine = (path: string): InspectView => judge(readSubject(path));

const readSubject = (path: string): Subject => {
  if (!stat(path).isDirectory()) return readBlob(path, readInput(path));
  const names = list(path);
  if (names.length === 0) throw new InputError(path, 'the directory is empty', HINT);
  const archive = ARCHIVES.find((name) => names.includes(name));
  if (archive !== undefined) {
    const wanted = names.filter(
      (name) => name === SCRATCH_RECORD || name === META_RECORD || isFlatCopy(name),
    );
    const beside = new Map(wanted.map((name) => [name, readInput(join(path, name))]));
    return readCapture(path, join(path, archive), readInput(join(path, archive)), beside);
  }
  const copy = readDebugfs(readCopy(path, names));
  if (copy !== undefined) return ofCopy(path, copy);
  const generation = names.find((name) => /^gen\d+$/.test(name));
  const hint =
    generation === undefined ? HINT : `name one generation, as in ${join(path, generation)}`;
  throw new InputError(path, 'no page archive and no copy of debugfs is in it', hint);
};

const isFlatCopy = (name: string): boolean =>
  name.endsWith('.bin') && debugfsName(name) !== undefined;

/** The files of a debugfs copy, in either spelling. */
const readCopy = (path: string, names: readonly string[]): Map<string, Uint8Array> => {
  const files = new Map<string, Uint8Array>();
  for (const name of names.filter(isFlatCopy)) files.set(name, readInput(join(path, name)));
  for (const side of ['out', 'in'].filter((name) => names.includes(name))) {
    if (!stat(join(path, side)).isDirectory()) continue;
    for (const name of list(join(path, side))) {
      const file = join(path, side, name);
      if (!stat(file).isDirectory()) files.set(`${side}/${name}`, readInput(file));
      else if (name === 'sub_fdts') {
        for (const blob of list(file)) {
          files.set(`${side}/${name}/${blob}`, readInput(join(file, blob)));
        }
      }
    }
  }
  return files;
};

/** Reads a file on its own: a device tree or a page archive, told by content. */
const readBlob = (path: string, bytes: Uint8Array): Subject => {
  if (bytes.length === 0) throw new InputError(path, 'the file is empty', HINT);
  if (isFdt(bytes)) {
    const handover = decodeBareTree(bytes, 12);
    return { ...NOTHING_ELSE, path, kind: 'device tree', handover };
  }
  if (isZstd(bytes) || looksLikeArchive(bytes)) return readCapture(path, path, bytes, new Map());
  throw new InputError(path, 'neither a device tree nor a page archive', HINT);
};

const NOTHING_ELSE = {
  memory: undefined,
  copy: undefined,
  recordedScratch: undefined,
  recordedPage: undefined,
} as const;

/** Reads a copy of debugfs that is all there is. */
const ofCopy = (path: string, copy: DebugfsCopy): Subject => {
  const tree = copy.out?.tree ?? copy.in?.tree;
  const { scratchPhys = [], scratchLen = [] } = copy;
  const scratch = scratchPhys
    .map((phys, i) => ({ phys, bytes: scratchLen[i] ?? Number.NaN }))
    .filter(({ phys, bytes }) => Number.isSafeInteger(phys) && Number.isSafeInteger(bytes));
  const handover: DecodedHandover = {
    ...noHandover(12, []),
    compatible: tree?.compatible ?? '',
    tracker: tree?.tracker,
    scratch,
    subtrees: tree?.subtrees ?? [],
    writers: tree?.writers ?? [],
  };
  return { ...NOTHING_ELSE, path, kind: 'debugfs copy', handover, copy };
};

const noHandover = (pageShift: number, damage: readonly Damage[]): DecodedHandover => ({
  pageShift,
  compatible: '',
  fdt: undefined,
  scratchArray: undefined,
  tracker: undefined,
  scratch: [],
  preserved: [],
  trackerPages: [],
  subtrees: [],
  damage,
  lost: [],
  writers: [],
});

const readCapture = (path: string, file: string, bytes: Uint8Array, beside: Beside): Subject => {
  const scratchFile = beside.get(SCRATCH_RECORD);
  const metaFile = beside.get(META_RECORD);
  const recordedScratch =
    scratchFile && parse(join(path, SCRATCH_RECORD), scratchFile, SCRATCH_SCHEMA);
  const meta = metaFile && parse(join(path, META_RECORD), metaFile, META_SCHEMA);
  const recordedPage = meta?.page_size;
  const told = recordedPage === undefined ? undefined : pageShiftOf(recordedPage);
  const memory = readArchive(bytes, told, file);
  const found = decodeArchive(memory);
  const handover = found.handover ?? noHandover(memory.pageShift, []);
  const damage = [...found.damage, ...handover.damage];
  return {
    path,
    kind: beside.size > 0 ? 'capture' : 'page archive',
    handover: { ...handover, damage },
    memory,
    copy: readDebugfs(beside),
    recordedScratch: recordedScratch?.map(([phys, length]) => ({ phys, bytes: length })),
    recordedPage,
  };
};

const ADDRESS = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const SCRATCH_SCHEMA = v.array(v.tuple([ADDRESS, ADDRESS]));
const META_SCHEMA = v.looseObject({ page_size: v.optional(v.number()) });

const parse = <T>(
  path: string,
  bytes: Uint8Array,
  schema: v.BaseSchema<unknown, T, v.BaseIssue<unknown>>,
): T => {
  const hint = 'correct the file or take it away';
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    throw new InputError(path, 'is not JSON', hint);
  }
  const result = v.safeParse(schema, json);
  if (result.success) return result.output;
  const [issue] = result.issues;
  throw new InputError(`${path} ${v.getDotPath(issue) ?? ''}`.trimEnd(), issue.message, hint);
};

/** Asks every rule that applies and puts the view together. */
const judge = (subject: Subject): InspectView => {
  const { path, kind, handover } = subject;
  const { blobs, bytes, damage } = readBlobs(subject);
  const judged: DecodedHandover = { ...handover, damage: [...handover.damage, ...damage] };
  const taken = { handover, memory: subject.memory, blob: (name: string) => bytes.get(name) };
  const writers = likelyWriters(taken).map(({ id }) => id);
  const findings: InspectFinding[] = [];
  let rulesAsked = 0;
  for (const rule of HANDOVER_RULES.filter((each) => applies(each, writers))) {
    if (kind === 'debugfs copy' && rule.id === 'HND-03' && judged.tracker === undefined) continue;
    const ask = (report: (tell: () => string) => void): number => rule.find(judged, report);
    if (collect(rule, rule.severity, ask, findings) > 0) rulesAsked++;
  }
  const witnesses = witnessesOf(subject);
  for (const rule of [...DEBUGFS_RULES, ...RECORDING_RULES]) {
    if (!applies(rule, writers)) continue;
    if (collect(rule, severityOf(rule, subject), (r) => rule.find(witnesses, r), findings) > 0) {
      rulesAsked++;
    }
  }
  const broken = findings.some(({ severity }) => severity === 'error');
  const verdict: InspectVerdict = broken ? 'broken' : 'holds';
  const kernels = takesOf(taken);
  return { path, kind, verdict, handover: judged, writers, kernels, blobs, findings, rulesAsked };
};

const isGeneration = (id: string): id is Generation =>
  (GENERATIONS as readonly string[]).includes(id);

/** Whether a rule applies whoever of these wrote the handover; an unknown one counts as newest. */
const applies = (
  { since, until }: { readonly since?: Generation; readonly until?: Generation },
  writers: readonly string[],
): boolean => {
  const known = writers.filter(isGeneration);
  const asked = known.length === 0 ? GENERATIONS.slice(-1) : known;
  return asked.every((writer) => appliesTo(writer, since, until));
};

const collect = (
  rule: { readonly id: string; readonly says: string },
  severity: InspectFinding['severity'],
  ask: (report: (tell: () => string) => void) => number,
  findings: InspectFinding[],
): number => {
  let count = 0;
  const add = (message: string): void =>
    void findings.push({ rule: rule.id, severity, message, says: rule.says });
  const looked = ask((tell) => {
    count++;
    if (count <= MAX_FINDINGS) add(tell());
  });
  if (count > MAX_FINDINGS) add(`${count - MAX_FINDINGS} more findings of this rule`);
  return looked;
};

const severityOf = (rule: WitnessRule, subject: Subject): InspectFinding['severity'] =>
  subject.memory === undefined ? rule.alone : rule.severity;

const witnessesOf = ({ copy, memory, handover, ...recorded }: Subject): Witnesses => {
  const measured = memory?.measuredShift;
  return {
    out: copy?.out,
    in: copy?.in,
    scratchPhys: copy?.scratchPhys,
    scratchLen: copy?.scratchLen,
    recordedScratch: recorded.recordedScratch,
    recordedPage: recorded.recordedPage,
    measuredPage: measured === undefined ? undefined : 2 ** measured,
    scratch: memory === undefined || handover.scratch.length === 0 ? undefined : handover.scratch,
  };
};

interface Blobs {
  readonly blobs: ReadonlyMap<string, readonly string[]>;
  /** Content of blobs by name, where it is there. */
  readonly bytes: ReadonlyMap<string, Uint8Array>;
  readonly damage: readonly Damage[];
}

/** What the blobs say, out of memory or out of a copy of debugfs. */
const readBlobs = ({ handover, memory, copy }: Subject): Blobs => {
  const blobs = new Map<string, readonly string[]>();
  const bytes = new Map<string, Uint8Array>();
  const damage: Damage[] = [];
  if (memory === undefined) {
    const side = copy?.out ?? copy?.in;
    for (const { name, lines, content } of side?.blobs ?? []) {
      blobs.set(name, lines);
      if (content !== undefined) bytes.set(name, content);
    }
    return { blobs, bytes, damage };
  }
  for (const { name, phys, bytes: length } of handover.subtrees) {
    const content = length === 0 ? undefined : readMemory(memory, phys, length);
    if (content === undefined) {
      damage.push({ where: `blob(${name})`, what: 'its bytes are not there' });
      continue;
    }
    bytes.set(name, content);
    const { lines, fault } = tellBlob(name, content);
    const inside = name === LUO.name ? followLuo(memory, handover, content) : NO_SESSIONS;
    blobs.set(name, [...lines, ...tellSessions(inside)]);
    for (const what of inside.faults) damage.push({ where: `blob(${name})`, what });
    if (fault !== undefined) damage.push({ where: `blob(${name})`, what: fault });
  }
  return { blobs, bytes, damage };
};

const NO_SESSIONS: LuoContent = { sessions: [], faults: [] };

/** What the orchestrator's blob leads to. */
const followLuo = (memory: Archive, { writers }: DecodedHandover, blob: Uint8Array): LuoContent => {
  const format = writers.at(-1)?.luo;
  const head = readOldLuo(blob) ?? readLuo(blob);
  if (format === undefined || typeof head === 'string') return NO_SESSIONS;
  return readSessions(memory, format, head.sessions);
};

/** Runs `read`; an error of the file system becomes an `InputError` about `path`. */
const guard = <T>(path: string, read: () => T): T => {
  try {
    return read();
  } catch (error) {
    if (error instanceof InputError) throw error;
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown reason';
    const what = code === 'ENOENT' ? 'there is no such file' : `cannot be read (${code})`;
    throw new InputError(path, what, HINT);
  }
};

const stat = (path: string): ReturnType<typeof statSync> & object =>
  guard(path, () => statSync(path));

const list = (path: string): readonly string[] => guard(path, () => readdirSync(path).sort());

const readInput = (path: string): Uint8Array => {
  const found = stat(path);
  if (!found.isFile()) throw new InputError(path, 'is not a regular file', HINT);
  if (found.size > MAX_FILE_BYTES) throw new InputError(path, 'is larger than 2 GiB', HINT);
  return guard(path, () => readFileSync(path));
};
