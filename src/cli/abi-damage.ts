/**
 * `kho-check abi damage`: what every kernel makes of a handover in which bytes are wrong, and of
 * one that another generation wrote under its own string.
 *
 * What a kernel goes wrong with and does not notice has to be a named finding that a real kernel
 * has as well; anything else is a fault, and the exit status says so.
 */
import { KERNELS } from '#model/kernels';
import type { KernelProfile } from '#model/kernels';
import { planOf } from '#model/generators';
import { SUBTREE_NAMES } from '#model/machines';
import type { Memory, Told } from '#model/system';
import { ROOT_STRING } from '#spec/generations';
import type { Generation } from '#spec/generations';
import { REST, fieldsOf } from '#src/abi/decode/fields';
import type { Field } from '#src/abi/decode/fields';
import { DAMAGE_OUTCOMES, DamageBench } from '../checker/damage.ts';
import type { Damaged, DamageOutcome } from '../checker/damage.ts';
import { DAMAGE_FINDINGS, findingOf } from '../checker/damage-findings.ts';
import { traceOfPair } from '../checker/matrix.ts';
import { TraceRunner } from '../checker/run-trace.ts';
import { Tally } from '../checker/tally.ts';
import { KhoMachine } from '../kho/kho-machine.ts';
import { damageText } from '../report/damage.ts';
import { EXIT, UsageError } from './io.ts';
import type { Io } from './io.ts';
import { buildOf } from './systems.ts';
import { sourceText } from './tell.ts';

export interface AbiDamageOptions {
  /** Kernels to look at; all when empty. */
  readonly kernel: readonly string[];
  /** Of the bytes of each field, the first and every so manieth, but four at least; 1: all. */
  readonly every: number;
  readonly json: boolean;
}

/** What bytes are changed by: the lowest bit, the highest, all. */
export const FLIPS: readonly number[] = [0x01, 0x80, 0xff];

/** What a row is called that is about pages of which the end is missing. */
const CUT = 'cut short, zeros';

/** The trace that fills the machine; another one would do as well. */
const SEED = 1;

/** Outcomes of one field, or of one other generation's handover, with one kernel. */
export interface DamageCell {
  readonly kernel: Generation;
  readonly part: string;
  readonly field: string;
  readonly seen: Readonly<Partial<Record<DamageOutcome, number>>>;
  /** Findings that explain what was silent. */
  readonly findings: readonly string[];
  /** Silent corruptions that no finding explains: their effects, and where. */
  readonly unexplained: readonly string[];
}

/** A kernel that has jumped into another one, ready to do so again. */
const benchOf = (
  writer: KernelProfile,
  reader: KernelProfile,
  meant?: DamageBench,
): DamageBench => {
  let system: KhoMachine | undefined;
  let told: Told | undefined;
  const make = (machine: ConstructorParameters<typeof KhoMachine>[0]): KhoMachine => {
    const others = () => buildOf(reader, []);
    system = new KhoMachine(machine, buildOf(writer, []), SUBTREE_NAMES, others);
    system.keepsJumps = true;
    system.atJump = (each) => (told = each);
    return system;
  };
  const runner = new TraceRunner(make, writer);
  runner.run(planOf(traceOfPair(reader, SEED)), new Tally());
  if (system === undefined || told === undefined || told.fdt === 0) {
    throw new Error(`${writer.name} handed nothing over`);
  }
  return new DamageBench(system, told, meant);
};

/** Collects what became of one field. */
class Cell {
  readonly #of: Pick<DamageCell, 'kernel' | 'part' | 'field'>;
  readonly #seen: Partial<Record<DamageOutcome, number>> = {};
  readonly #findings = new Set<string>();
  readonly #unexplained: string[] = [];

  constructor(of: Pick<DamageCell, 'kernel' | 'part' | 'field'>) {
    this.#of = of;
  }

  add(damaged: Damaged, where: () => string): void {
    const { outcome, effects } = damaged;
    this.#seen[outcome] = (this.#seen[outcome] ?? 0) + 1;
    if (outcome !== 'silent') return;
    const finding = findingOf(this.#of.part, this.#of.field, damaged, this.#of.kernel);
    if (finding === undefined) this.#unexplained.push(`${effects.join(', ')} ${where()}`);
    else this.#findings.add(finding.id);
  }

  get result(): DamageCell {
    return {
      ...this.#of,
      seen: this.#seen,
      findings: [...this.#findings].sort(),
      unexplained: this.#unexplained,
    };
  }
}

/** Flips bytes of every field of a kernel's handover to itself. */
export const flipAll = (
  kernel: KernelProfile,
  every: number,
  takes: (field: Field) => boolean = () => true,
): readonly DamageCell[] => {
  const bench = benchOf(kernel, kernel);
  const fields = bench.atJump((memory, told) => fieldsOf(memory, told)).filter(takes);
  const flipped = [...byName(fields)].map(([, those]) => flipFields(bench, kernel, those, every));
  return [...flipped, ...cutPages(bench, kernel, fields, every)];
};

/** Parts of which a page is worth cutting at any byte; the others are lists without an end. */
const isCutAnywhere = (part: string): boolean => part !== 'tracker' && part !== 'scratch array';

/** Cuts pages short: from some byte on they are zeros, or all of them. */
const cutPages = (
  bench: DamageBench,
  kernel: KernelProfile,
  fields: readonly Field[],
  every: number,
): readonly DamageCell[] => {
  const cells = new Map<string, Cell>();
  const pages = new Map(fields.map(({ pfn, part }) => [pfn, part]));
  for (const [pfn, part] of pages) {
    const cell = cells.get(part) ?? new Cell({ kernel: kernel.generation, part, field: CUT });
    cells.set(part, cell);
    const inPage = fields.filter((field) => field.pfn === pfn && field.name !== REST);
    const end = Math.max(...inPage.map(({ at, bytes }) => at + bytes));
    const step = isCutAnywhere(part) ? Math.min(every, Math.ceil(end / BYTES_MIN)) : end;
    for (let from = 0; from < end; from += step) {
      const cut = (memory: Memory): void => void memory.page(pfn)?.fill(0, from);
      cell.add(bench.change(cut), () => `from byte ${from} of frame ${pfn} on`);
    }
  }
  return [...cells.values()].map(({ result }) => result);
};

/** Fields of one name, which count as one. */
const byName = (fields: readonly Field[]): ReadonlyMap<string, readonly Field[]> => {
  const named = new Map<string, Field[]>();
  for (const field of fields) {
    const key = `${field.part} ${field.name}`;
    const those = named.get(key);
    if (those === undefined) named.set(key, [field]);
    else those.push(field);
  }
  return named;
};

/** Bytes of each field that are changed at the least, where it has so many. */
const BYTES_MIN = 4;

/** Changes the first byte of fields of one name, and every so manieth after it. */
const flipFields = (
  bench: DamageBench,
  kernel: KernelProfile,
  fields: readonly Field[],
  every: number,
): DamageCell => {
  const { part, name } = fields[0]!;
  const cell = new Cell({ kernel: kernel.generation, part, field: name });
  const total = fields.reduce((sum, { bytes }) => sum + bytes, 0);
  const step = Math.max(1, Math.min(every, Math.floor(total / BYTES_MIN)));
  let before = 0;
  for (const field of fields) {
    for (let at = (step - (before % step)) % step; at < field.bytes; at += step) {
      for (const flip of FLIPS) {
        cell.add(bench.flip(field, at, flip), () => `at ${field.at + at} by ${flip}`);
      }
    }
    before += field.bytes;
  }
  return cell.result;
};

const OTHER = 'another generation';

/** Writes the string of one generation over that of another in the root; both are as long. */
const renameRoot = (memory: Memory, { fdt }: Told, from: string, to: string): void => {
  const page = memory.page(fdt / 2 ** memory.pageShift);
  if (page === undefined) return;
  const bytes = Buffer.from(page.buffer, page.byteOffset, page.length);
  const at = bytes.indexOf(`${from}\0`, 0, 'latin1');
  if (at >= 0) bytes.write(to, at, 'latin1');
};

/** Hands a generation's handover to others, under the strings that they want. */
export const handForeign = (
  writer: KernelProfile,
  readers: readonly KernelProfile[],
): readonly DamageCell[] =>
  readers
    .filter((reader) => ROOT_STRING[writer.generation] !== ROOT_STRING[reader.generation])
    .map((reader) => {
      const bench = benchOf(writer, reader, benchOf(writer, writer));
      const [from, to] = [ROOT_STRING[writer.generation], ROOT_STRING[reader.generation]];
      const cell = new Cell({ kernel: reader.generation, part: OTHER, field: `of ${writer.name}` });
      cell.add(
        bench.change((memory, told) => renameRoot(memory, told, from, to)),
        () => '',
      );
      return cell.result;
    });

/** A kernel whose handover is pages that can be taken apart. */
const releasedKernel = (name: string): KernelProfile => {
  const found = KERNELS.find((kernel) => kernel.name === name);
  if (found !== undefined) return found;
  const known = KERNELS.map((kernel) => kernel.name).join(', ');
  throw new UsageError(`--kernel takes released series, not '${name}'; there are ${known}`);
};

/** Looks at every kernel asked for; answers the exit status. */
export const abiDamage = ({ kernel, every, json }: AbiDamageOptions, io: Io): number => {
  const kernels = kernel.length === 0 ? KERNELS : kernel.map(releasedKernel);
  const cells = kernels.flatMap((each) => {
    io.err(`${each.name}\n`);
    return flipAll(each, every);
  });
  cells.push(...KERNELS.flatMap((writer) => handForeign(writer, kernels)));
  const named = new Set(cells.flatMap(({ findings }) => findings));
  const findings = DAMAGE_FINDINGS.filter(({ id }) => named.has(id)).map(
    ({ id, says, why, sources }) => ({ id, says, why, sources: sources.map(sourceText) }),
  );
  const document = {
    kernels: kernels.map(({ name }) => name),
    outcomes: DAMAGE_OUTCOMES,
    every,
    cells,
    findings,
  };
  io.out(json ? `${JSON.stringify(document)}\n` : `${damageText(document, io.colors)}\n`);
  return cells.some(({ unexplained }) => unexplained.length > 0) ? EXIT.broken : EXIT.holds;
};
