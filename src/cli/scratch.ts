/**
 * `kho-check scratch`: how much memory KHO will take on a machine, and where.
 *
 * The answer is that of a released kernel, with its bugs: people ask what theirs will do. That the
 * option is refused or that KHO ends up off is an answer too, so the exit status is 0 whenever the
 * question makes sense.
 */
import { pageShiftOf } from '#src/abi/description/page-size';
import type { PageShift } from '#src/abi/description/page-size';
import { DEFAULT_PERCENT, parseScratchOption, shippedGrammar } from '../kho/scratch-option.ts';
import type { ScratchGrammar, ScratchOption, SizeName } from '../kho/scratch-option.ts';
import {
  SCRATCH_SERIES,
  guessEarly,
  percentOf,
  planScratch,
  shippedReserving,
  wantedAreas,
} from '../kho/scratch-plan.ts';
import type {
  Bank,
  EarlyReserved,
  ScratchMachine,
  ScratchPlan,
  ScratchReserving,
} from '../kho/scratch-plan.ts';
import { scratchJson, scratchText, sizeText } from '../report/scratch.ts';
import { EXIT, UsageError } from './io.ts';
import type { Io } from './io.ts';
import { byteSize } from './numbers.ts';

/** Arguments as the command line gives them; numbers are bytes, but for `nodes`. */
export interface ScratchOptions {
  /** Memory of the machine, or of each of its nodes: one size, or several with commas. */
  readonly memory: string;
  readonly nodes?: number;
  readonly option?: string;
  readonly earlyReserved?: number;
  readonly kernel: string;
  /** `4K`, `16K` or `64K`. */
  readonly pageSize: string;
  readonly lowMemory?: number;
  readonly json: boolean;
}

const MIB = 2 ** 20;
const LOW_END = 2 ** 32;
const MEMORY_MIN = 32 * MIB;
const MEMORY_MAX = 2 ** 44;
/** Where common x86-64 machines stop having memory below 4 GiB when they have more than that. */
const LOW_MEMORY = 2 * 2 ** 30;
/** What a kernel and its initrd need at the least to be loaded in one piece. */
const IMAGE_BYTES = 64n * BigInt(MIB);

/** One size, or one per node; a node may have none. */
const memorySizes = (text: string): readonly number[] => {
  const sizes = text.split(',');
  const read = byteSize('--memory');
  return sizes.map((size) => (size === '0' && sizes.length > 1 ? 0 : read(size)));
};

const pageShiftNamed = (text: string): PageShift => {
  const shift = pageShiftOf(byteSize('--page-size')(text));
  if (shift !== undefined) return shift;
  throw new UsageError(`--page-size takes 4K, 16K or 64K, not '${text}'`);
};

/** Answers the question; the exit status is 0. */
export const scratch = (options: ScratchOptions, io: Io): number => {
  const { kernel } = options;
  if (!SCRATCH_SERIES.includes(kernel)) {
    throw new UsageError(`no kernel '${kernel}' is known; there are ${SCRATCH_SERIES.join(', ')}`);
  }
  const shape = machineOf(options);
  const value = options.option?.replace(/^kho_scratch=/, '') ?? null;
  const grammar = shippedGrammar(kernel);
  const usual = grammar.scale === 'never' ? '' : `${DEFAULT_PERCENT}%`;
  const parsed = parseScratchOption(value ?? usual, grammar);
  checkEarly(options, shape);
  const { early, reserved } = guessEarly(shape, options.earlyReserved);
  const machine = { ...shape, reserved };
  const rules = shippedReserving(kernel, shape.pageShift);
  const plan = planOf(parsed, early, machine, rules, grammar);
  const warnings = warningsOf(parsed, plan, machine, {
    early,
    isGuessed: options.earlyReserved === undefined,
    names: grammar.names,
    asksFor: wantedAreas(parsed, early, machine, rules).reduce((sum, { bytes }) => sum + bytes, 0n),
  });
  const report = {
    option: value,
    kernel,
    pageBytes: 2 ** shape.pageShift,
    memoryBytes: memoryOf(shape.banks),
    nodes: shape.nodes,
    accepted: parsed.kind !== 'refused',
    fallback: parsed.kind === 'refused',
    enabled: plan.enabled,
    meaning: meaningOf(value, parsed, grammar),
    areas: plan.areas,
    warnings,
  };
  io.out(`${options.json ? scratchJson(report) : scratchText(report, io.colors)}\n`);
  return EXIT.holds;
};

/** What comes of an option; the first series has no KHO where no scratch is asked for. */
const planOf = (
  parsed: ScratchOption,
  early: EarlyReserved,
  machine: ScratchMachine,
  rules: ScratchReserving,
  { refusesZero }: ScratchGrammar,
): ScratchPlan => {
  const plan = planScratch(parsed, early, machine, rules);
  const isAsked = refusesZero !== 'never' || plan.areas.some(({ bytes }) => bytes > 0n);
  return isAsked ? plan : { ...plan, enabled: false, areas: [] };
};

const memoryOf = (banks: readonly Bank[]): number =>
  banks.reduce((sum, { start, end }) => sum + end - start, 0);

type Shape = Omit<ScratchMachine, 'reserved'>;

const machineOf = (options: ScratchOptions): Shape => {
  const pageShift = pageShiftNamed(options.pageSize);
  const sizes = nodeSizes(options, 2 ** pageShift);
  const total = sizes.reduce((sum, size) => sum + size, 0);
  if (total < MEMORY_MIN || total > MEMORY_MAX) {
    throw new UsageError('--memory takes 32M to 16T in all');
  }
  const { lowMemory = total > LOW_MEMORY ? LOW_MEMORY : total } = options;
  if (lowMemory > Math.min(total, LOW_END)) {
    throw new UsageError('--low-memory takes at most 4G, and not more than there is memory');
  }
  const banks: Bank[] = [];
  let before = 0;
  sizes.forEach((size, node) => {
    const cut = Math.min(Math.max(lowMemory, before), before + size);
    if (cut > before) banks.push({ node, start: before, end: cut });
    const high = LOW_END - lowMemory;
    if (before + size > cut) banks.push({ node, start: cut + high, end: before + size + high });
    before += size;
  });
  return { pageShift, banks, nodes: sizes.length, lowEnd: LOW_END };
};

/** Memory of each node: as given, or in equal parts of whole pages. */
const nodeSizes = (options: ScratchOptions, page: number): readonly number[] => {
  const { nodes } = options;
  const memory = memorySizes(options.memory);
  if (memory.length > 1) {
    if (memory.length > 64) throw new UsageError('--memory takes at most 64 nodes');
    if (nodes !== undefined && nodes !== memory.length) {
      throw new UsageError(`--memory names ${memory.length} nodes and --nodes says ${nodes}`);
    }
    return memory.map((size) => Math.floor(size / page) * page);
  }
  const count = nodes ?? 1;
  const each = Math.floor(memory[0]! / count / page) * page;
  const rest = Math.floor(memory[0]! / page) * page - each * (count - 1);
  return Array.from({ length: count }, (_, node) => (node === count - 1 ? rest : each));
};

const checkEarly = ({ earlyReserved }: ScratchOptions, { banks }: Shape): void => {
  if (earlyReserved !== undefined && earlyReserved >= memoryOf(banks)) {
    throw new UsageError('--early-reserved takes less than there is memory');
  }
};

const DEFAULT_TEXT = `${DEFAULT_PERCENT} % of what the kernel reserves for itself early`;

const meaningOf = (
  value: string | null,
  parsed: ScratchOption,
  { names }: ScratchGrammar,
): string => {
  const shown = value === null ? '' : `kho_scratch=${shownValue(value)}`;
  switch (parsed.kind) {
    case 'refused':
      return (
        `${shown} is refused: ${parsed.why}. The kernel says "Malformed early option" and keeps ` +
        `its default, ${DEFAULT_TEXT}.`
      );
    case 'scale':
      if (value === null) return `Without kho_scratch= the areas take ${DEFAULT_TEXT}.`;
      return `${shown} takes ${parsed.percent} % of what the kernel reserves for itself early.`;
    case 'sizes':
      if (value === null) return 'Without kho_scratch= no scratch is asked for.';
      return `${shown} asks for ${asked(names.map((name) => PLACES[name](parsed)))}.`;
  }
};

type Sizes = Extract<ScratchOption, { kind: 'sizes' }>;

/** What an option asks for, area by area. */
const PLACES: Readonly<Record<SizeName, (sizes: Sizes) => string>> = {
  lowmem: ({ lowmem }) => `${sizeText(lowmem)} of low memory`,
  global: ({ global }) => `${sizeText(global)} on any node`,
  node: ({ perNode }) => `${sizeText(perNode)} on each node`,
};

const asked = (parts: readonly string[]): string =>
  parts.length === 1 ? parts[0]! : `${parts.slice(0, -1).join(', ')} and ${parts.at(-1)}`;

const SHOWN_MAX = 48;

/** A value fit to be shown: short, and without what could move the cursor. */
const shownValue = (value: string): string => {
  const plain = value.replace(/[^\x20-\x7e]/g, '?');
  const cut = plain.length > SHOWN_MAX ? `${plain.slice(0, SHOWN_MAX)}…` : plain;
  return /^[^\s']+$/.test(cut) ? cut : `'${cut}'`;
};

interface Context {
  readonly early: EarlyReserved;
  readonly isGuessed: boolean;
  readonly asksFor: bigint;
  /** Sizes that the option can name. */
  readonly names: readonly SizeName[];
}

const warningsOf = (
  parsed: ScratchOption,
  plan: ScratchPlan,
  machine: ScratchMachine,
  { early, isGuessed, asksFor, names }: Context,
): string[] => {
  const warnings: string[] = [];
  if (parsed.kind !== 'sizes' && percentOf(parsed) > 0 && isGuessed) {
    warnings.push(
      `sizes and addresses are estimated for a kernel that reserves ` +
        `${Math.round(early.total / MIB)} MiB early; --early-reserved says how much it is`,
    );
  } else if (plan.enabled && asksFor > 0n) {
    warnings.push('addresses are estimated: they depend on what else is reserved early');
  }
  if (parsed.kind === 'sizes' && parsed.overflowed) {
    warnings.push('one of the sizes does not fit 64 bits, and the kernel computes with another');
  }
  const nth = ['first', 'second', 'third'][names.length - 1];
  if (parsed.kind === 'sizes' && parsed.rest !== '') {
    warnings.push(`the kernel ignores what follows the ${nth} size`);
  }
  if (plan.failed !== undefined) warnings.push(failureText(plan, machine));
  const largest = plan.areas.reduce((most, { bytes }) => (bytes > most ? bytes : most), 0n);
  if (plan.enabled && largest === 0n) {
    warnings.push(
      'KHO is on without any scratch: no image can be loaded (kexec_file_load answers ' +
        'EADDRNOTAVAIL), so nothing can be handed over',
    );
  } else if (plan.enabled && largest < IMAGE_BYTES) {
    warnings.push(
      `the largest area has ${sizeText(largest)}: a kernel and its initrd, which have to be ` +
        'loaded into scratch, may not fit',
    );
  }
  return warnings;
};

const failureText = ({ failed }: ScratchPlan, { banks }: ScratchMachine): string => {
  const { area, node, bytes } = failed!;
  const where =
    area === 'lowmem' ? 'in low memory' : area === 'global' ? 'on any node' : `on node ${node}`;
  if (area === 'node' && !banks.some((bank) => bank.node === node)) {
    return `node ${node} has no memory, on which this kernel fails: KHO is off`;
  }
  return `there is no room for ${sizeText(bytes)} ${where}: KHO is off`;
};
