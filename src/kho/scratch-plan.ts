/**
 * What a cold kernel reserves as scratch: how large each area is, and where it lies.
 *
 * Sizes come from the option, or from what the kernel had reserved for itself before. Areas are
 * taken from the top of memory downwards, first the one of low memory, then the one for any node,
 * then one per node. If one of them fits nowhere, none is kept and KHO is off.
 *
 * Invariants: addresses and ends of ranges are safe integers in bytes, ends exclusive; sizes are
 * bigints, because an option can ask for anything up to 2^64 - 1; an area never crosses from one
 * bank of memory into the next; an empty area lies nowhere.
 *
 * Sources: kernel/liveupdate/kexec_handover.c (scratch_size_update, scratch_size_node,
 * kho_reserve_scratch), mm/memblock.c (memblock_reserved_kern_size, memblock_alloc_range_nid).
 */
import { NEWEST_GENERATION, WIRE_GENERATIONS } from '#src/abi/description/generations';
import type { PageShift } from '#src/abi/description/page-size';
import { Memblock } from './memblock.ts';
import { DEFAULT_PERCENT } from './scratch-option.ts';
import type { ScratchOption, SizeName } from './scratch-option.ts';

/** A range of memory in bytes. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** A bank of memory: contiguous, on one node. */
export interface Bank extends ByteRange {
  readonly node: number;
}

/**
 * Bytes that a kernel had reserved for itself (RSRV_KERN in memblock) when it sizes scratch. From
 * 7.3 on boot-time HugeTLB pages do not count; before, whoever gives the numbers adds them.
 */
export interface EarlyReserved {
  /** Below `ScratchMachine.lowEnd`. */
  readonly low: number;
  readonly total: number;
  /** By node; what belongs to no node is in `total` alone. */
  readonly perNode: readonly number[];
}

/** A machine as its kernel sees it when it is about to reserve scratch. */
export interface ScratchMachine {
  readonly pageShift: PageShift;
  /** Every bank of memory, in any order. */
  readonly banks: readonly Bank[];
  /** Nodes that are online; one may have no bank. */
  readonly nodes: number;
  /** What is reserved already, by anyone. */
  readonly reserved: readonly ByteRange[];
  /** One past the last byte of low memory: 2^32 on x86-64; arm64 has a limit of its own. */
  readonly lowEnd: number;
}

/** What kernels do differently when they reserve. */
export interface ScratchReserving {
  /** Areas start at multiples of this many bytes. */
  readonly align: number;
  /** Round the sizes of `lowmem` and `global` up where the option names them. */
  readonly roundsNamedSizes: boolean;
  /** Leave nodes without memory out, rather than fail on them. */
  readonly skipsNodesWithoutMemory: boolean;
  /** Which areas there are; all three kinds when absent. */
  readonly names?: readonly SizeName[];
  /** Round named sizes up to no more than 64 bits hold, rather than to 0; no kernel does yet. */
  readonly saturates?: boolean;
}

/** Every series that has KHO, oldest first: patch series before the merge, then releases. */
export const SCRATCH_SERIES: readonly string[] = WIRE_GENERATIONS.flatMap(({ id, releases }) =>
  releases.length > 0 ? releases : [id],
);

/**
 * How the releases of a series reserve.
 *
 * That named sizes are rounded up is recorded for 7.3 and was not so from v5 to 7.1, which had
 * other code for them than for nodes; 7.2, which changed the alignment, is taken to be like 7.3.
 *
 * @param series one of `SCRATCH_SERIES`; one that is not known is taken for the newest
 */
export const shippedReserving = (series: string, pageShift: PageShift): ScratchReserving => {
  const generation =
    WIRE_GENERATIONS.find(({ id, releases }) => id === series || releases.includes(series)) ??
    NEWEST_GENERATION;
  const since = (first: string): boolean =>
    !SCRATCH_SERIES.includes(series) ||
    SCRATCH_SERIES.indexOf(series) >= SCRATCH_SERIES.indexOf(first);
  const hasLowmem = generation.scratch.sizes.includes('lowmem');
  return {
    align: generation.scratchAlignment[pageShift],
    roundsNamedSizes: since('7.2') || !hasLowmem,
    skipsNodesWithoutMemory: since('6.19'),
    ...(hasLowmem ? {} : { names: generation.scratch.sizes }),
  };
};

/** Which area it is: `node` has the number of its node. */
export interface AreaName {
  readonly area: 'lowmem' | 'global' | 'node';
  /** Number of the node, or null. */
  readonly node: number | null;
}

/** An area to reserve. */
export interface WantedArea extends AreaName {
  /** 0 to 2^64 - 1. */
  readonly bytes: bigint;
}

/** An area that was reserved. */
export interface PlannedArea extends WantedArea {
  /** Address in bytes; null for an empty area, of which kernels record a meaningless one. */
  readonly phys: number | null;
}

/** What comes of an option on a machine. */
export interface ScratchPlan {
  /** Whether KHO is on. */
  readonly enabled: boolean;
  /** The areas, in the order of the scratch array; none when KHO is off. */
  readonly areas: readonly PlannedArea[];
  /** The area that fits nowhere and turns KHO off. */
  readonly failed: WantedArea | undefined;
}

const wrapped = (value: bigint): bigint => BigInt.asUintN(64, value);

/** Rounds up to a power of two; past the last multiple below 2^64 that wraps to 0, or saturates. */
const roundUp = (bytes: bigint, align: number, saturates = false): bigint => {
  const unit = BigInt(align);
  const rounded = wrapped(((bytes + unit - 1n) / unit) * unit);
  return saturates && rounded < bytes ? 2n ** 64n - unit : rounded;
};

/** `percent` of `bytes` as u64 arithmetic gives it: the product loses what is above 64 bits. */
const scaled = (bytes: number, percent: number): bigint =>
  wrapped(BigInt(bytes) * BigInt(percent)) / 100n;

/**
 * The areas that an option asks for, in the order in which they are reserved.
 *
 * @param option a refused one counts as the default
 * @param early what the kernel had reserved; not looked at when the option names sizes
 */
export const wantedAreas = (
  option: ScratchOption,
  early: EarlyReserved,
  machine: ScratchMachine,
  rules: ScratchReserving,
): readonly WantedArea[] => {
  const { align, names } = rules;
  const isUsed = (node: number): boolean =>
    !rules.skipsNodesWithoutMemory || machine.banks.some((bank) => bank.node === node);
  const nodes = Array.from({ length: machine.nodes }, (_, node) => node).filter(isUsed);
  const has = (area: SizeName): boolean => names === undefined || names.includes(area);
  const areas = (lowmem: bigint, global: bigint, perNode: (node: number) => bigint) => {
    const all: readonly WantedArea[] = [
      { area: 'lowmem', node: null, bytes: lowmem },
      { area: 'global', node: null, bytes: global },
      ...nodes.map((node) => ({
        area: 'node' as const,
        node,
        bytes: roundUp(perNode(node), align, rules.saturates),
      })),
    ];
    return all.filter(({ area }) => has(area));
  };
  const percent = percentOf(option);
  if (option.kind === 'sizes') {
    const named = (bytes: bigint) =>
      rules.roundsNamedSizes ? roundUp(bytes, align, rules.saturates) : bytes;
    return areas(named(option.lowmem), named(option.global), () => option.perNode);
  }
  const lowmem = has('lowmem') ? roundUp(scaled(early.low, percent), align) : 0n;
  const global = roundUp(wrapped(scaled(early.total, percent) - lowmem), align);
  return areas(lowmem, global, (node) => scaled(early.perNode[node] ?? 0, percent));
};

/** The scale that is in force; meaningless when the option names sizes. */
export const percentOf = (option: ScratchOption): number =>
  option.kind === 'scale' ? option.percent : DEFAULT_PERCENT;

/**
 * Reserves what an option asks for.
 *
 * @returns the areas; or that KHO is off, with the first area that fits nowhere
 */
export const planScratch = (
  option: ScratchOption,
  early: EarlyReserved,
  machine: ScratchMachine,
  rules: ScratchReserving,
): ScratchPlan => {
  const pageBytes = 2 ** machine.pageShift;
  const places = new Places(machine);
  const areas: PlannedArea[] = [];
  for (const wanted of wantedAreas(option, early, machine, rules)) {
    if (wanted.bytes === 0n && mayBeEmpty(machine, wanted)) {
      areas.push({ ...wanted, phys: null });
      continue;
    }
    const frame = places.take(wanted, rules.align / pageBytes);
    if (frame < 0) return { enabled: false, areas: [], failed: wanted };
    areas.push({ ...wanted, phys: frame * pageBytes });
  }
  return { enabled: true, areas, failed: undefined };
};

/**
 * Whether an area needs no room if it is empty. A node without memory fails even then; an empty
 * area of low memory is legal on machines without low memory.
 */
const mayBeEmpty = ({ banks }: ScratchMachine, { area, node }: AreaName): boolean =>
  area !== 'node' || banks.some((bank) => bank.node === node);

/** Early memory of a machine: one allocator that knows what is reserved, asked bank by bank. */
class Places {
  readonly #memblock = new Memblock();
  readonly #machine: ScratchMachine;
  readonly #banks: readonly Bank[];

  constructor(machine: ScratchMachine) {
    this.#machine = machine;
    this.#banks = [...machine.banks].sort((a, b) => b.start - a.start);
    const { first, end } = this.#framesOf;
    for (const bank of this.#banks) this.#memblock.permit(end(bank.start), first(bank.end));
    for (const range of machine.reserved) {
      this.#memblock.reserve(first(range.start), end(range.end) - first(range.start));
    }
  }

  /** Frame numbers of an address, rounded down and up. */
  get #framesOf() {
    const pageBytes = 2 ** this.#machine.pageShift;
    return {
      first: (address: number): number => Math.floor(address / pageBytes),
      end: (address: number): number => Math.ceil(address / pageBytes),
    };
  }

  /** The first frame of a place for an area, or -1. Address 0 is never handed out. */
  take({ area, node, bytes }: WantedArea, align: number): number {
    const { lowEnd } = this.#machine;
    if (bytes > BigInt(Number.MAX_SAFE_INTEGER)) return -1;
    const { first, end } = this.#framesOf;
    const count = end(Number(bytes));
    for (const bank of this.#banks) {
      if (area === 'node' && bank.node !== node) continue;
      const high = area === 'lowmem' ? Math.min(bank.end, lowEnd) : bank.end;
      const low = Math.max(1, end(bank.start));
      const found = this.#memblock.allocate(count, align, low, first(high));
      if (found >= 0) return found;
    }
    return -1;
  }
}

/** A guess at what a kernel reserves early, and where. */
export interface EarlyGuess {
  readonly early: EarlyReserved;
  readonly reserved: readonly ByteRange[];
}

const MIB = 2 ** 20;
const IMAGE_AT = 16 * MIB;
const IMAGE_BYTES = 9 * MIB;
const INITRD_BYTES = 6 * MIB;
const BOUNCE_BYTES = 64 * MIB;
const PAGE_DESCRIPTOR_BYTES = 64;
/** Memory for each byte of the hash tables that a kernel makes early. */
const MEMORY_PER_HASH_BYTE = 512;

interface Piece {
  readonly bytes: number;
  /** The bank it lies in. */
  readonly bank: Bank;
  /** Whether it counts for the node of its bank. */
  readonly counts: boolean;
  readonly at: 'image' | 'top';
}

/**
 * Guesses what an x86-64 kernel of a distribution's size reserves early: its image, an initrd at
 * the top of low memory, bounce buffers where memory reaches above low memory, a descriptor for
 * every page at the top of its node, and hash tables. Checked against recordings of four machines
 * (512 MiB and 6 GiB, one and two nodes): within 5 MiB on each.
 *
 * @param total bytes to make of it all, where they are known; the parts keep their proportions
 */
export const guessEarly = (
  machine: Omit<ScratchMachine, 'reserved'>,
  total?: number,
): EarlyGuess => {
  const pieces = guessPieces(machine);
  const guessed = pieces.reduce((sum, { bytes }) => sum + bytes, 0);
  const factor = total === undefined ? 1 : total / guessed;
  const scaledPieces = pieces.map((piece) => ({
    ...piece,
    bytes: Math.floor(piece.bytes * factor),
  }));
  const sum = (test: (piece: Piece) => boolean): number =>
    scaledPieces.filter(test).reduce((bytes, piece) => bytes + piece.bytes, 0);
  const exact = total ?? sum(() => true);
  const isAllLow = machine.banks.every(({ end }) => end <= machine.lowEnd);
  const perNode = Array.from({ length: machine.nodes }, (_, node) =>
    sum(({ bank, counts }) => counts && bank.node === node),
  );
  return {
    early: {
      low: isAllLow ? exact : sum(({ bank }) => bank.end <= machine.lowEnd),
      total: exact,
      perNode,
    },
    reserved: place(scaledPieces),
  };
};

const guessPieces = ({ banks, lowEnd, pageShift }: Omit<ScratchMachine, 'reserved'>): Piece[] => {
  const ascending = [...banks].sort((a, b) => a.start - b.start);
  const lowest = ascending[0];
  const highest = ascending.at(-1);
  const lowTop = ascending.findLast((bank) => bank.end <= lowEnd) ?? lowest;
  if (lowest === undefined || highest === undefined || lowTop === undefined) return [];
  const memory = ascending.reduce((sum, { start, end }) => sum + end - start, 0);
  const pieces: Piece[] = [
    { bytes: IMAGE_BYTES, bank: lowest, counts: true, at: 'image' },
    { bytes: INITRD_BYTES, bank: lowTop, counts: true, at: 'top' },
    { bytes: memory / MEMORY_PER_HASH_BYTE, bank: highest, counts: false, at: 'top' },
  ];
  if (highest.end > lowEnd) {
    pieces.push({ bytes: BOUNCE_BYTES, bank: lowTop, counts: false, at: 'top' });
  }
  for (const node of new Set(ascending.map((bank) => bank.node))) {
    const own = ascending.filter((bank) => bank.node === node);
    const size = own.reduce((sum, { start, end }) => sum + end - start, 0);
    const bytes = (size / 2 ** pageShift) * PAGE_DESCRIPTOR_BYTES;
    pieces.push({ bytes, bank: own.at(-1)!, counts: true, at: 'top' });
  }
  return pieces;
};

/** Lays pieces out: the image where x86-64 has it, the others from the top of their bank down. */
const place = (pieces: readonly Piece[]): ByteRange[] => {
  const tops = new Map<Bank, number>();
  return pieces.map(({ bytes, bank, at }) => {
    if (at === 'image' && bank.end >= IMAGE_AT + bytes) {
      const start = Math.max(bank.start, IMAGE_AT);
      return { start, end: start + bytes };
    }
    const end = tops.get(bank) ?? bank.end;
    const start = Math.max(bank.start, end - bytes);
    tops.set(bank, start);
    return { start, end };
  });
};
