/**
 * Scratch areas: reserved once by the first kernel of a chain, then handed on as an array.
 */
import {
  SCRATCH_ENTRY_ADDRESS,
  SCRATCH_ENTRY_BYTES,
  SCRATCH_ENTRY_SIZE,
} from '#src/abi/description/scratch-array';
import type { Generation } from '#src/abi/description/generation';
import { NEWEST_GENERATION } from '#src/abi/description/generations';
import type { Machine } from '#model/system';
import type { Decisions } from './decisions.ts';
import type { Memblock } from './memblock.ts';
import { parseScratchOption } from './scratch-option.ts';
import type { ScratchOption } from './scratch-option.ts';
import { wantedAreas } from './scratch-plan.ts';
import type { EarlyReserved, ScratchMachine, WantedArea } from './scratch-plan.ts';
import type { PageShift } from '#src/abi/description/page-size';
import { readU64, writeU64 } from './physical-memory.ts';
import type { Topology } from './topology.ts';

/** One scratch area in frames; an area may be empty. */
export interface ScratchArea {
  readonly first: number;
  readonly count: number;
}

/** A cold machine that is about to reserve scratch. */
export interface ScratchHost {
  readonly machine: Machine;
  readonly topology: Topology;
  readonly decisions: Decisions;
  /** Which areas there are; those of the newest when absent. */
  readonly generation?: Generation;
}

/** What the command line says of `kho_scratch=`. */
const optionOf = ({ machine, topology, decisions }: ScratchHost, line: number): ScratchOption => {
  const { scratch, scratchLines } = machine;
  if (scratchLines === undefined) {
    const bytes = (frames: number): bigint => BigInt(frames) * BigInt(topology.pageBytes);
    const lowmem = bytes(scratch.lowmem);
    const global = bytes(scratch.global);
    const perNode = bytes(scratch.perNode);
    return { kind: 'sizes', lowmem, global, perNode, overflowed: false, rest: '' };
  }
  const text = scratchLines[line]?.text ?? (decisions.scratchMustBeAsked ? '' : undefined);
  if (text === undefined) return { kind: 'refused', why: 'there is none' };
  return parseScratchOption(text, decisions.scratchGrammar);
};

/** The areas that a command line asks for. */
const wantedBy = (
  host: ScratchHost,
  line: number,
  early: EarlyReserved,
  align: number,
): readonly WantedArea[] => {
  const { topology, decisions } = host;
  const { pageBytes } = topology;
  const banks = Array.from({ length: topology.nodes }, (_, node) => ({
    start: topology.first(node) * pageBytes,
    end: topology.endOf(node) * pageBytes,
    node,
  })).filter(({ start, end }) => start < end);
  const machine: ScratchMachine = {
    pageShift: topology.pageShift as PageShift,
    banks,
    nodes: topology.nodes,
    reserved: [],
    lowEnd: topology.lowmemEnd * pageBytes,
  };
  return wantedAreas(optionOf(host, line), early, machine, {
    align: align * pageBytes,
    roundsNamedSizes: decisions.roundsNamedScratch,
    skipsNodesWithoutMemory: decisions.skipsNodesWithoutMemory,
    saturates: decisions.scratchSizesSaturate,
    names: (host.generation ?? NEWEST_GENERATION).scratch.sizes,
  });
};

/** Frames at whose multiples areas start and end. */
const alignmentOf = (machine: Machine, { scratchAlignment }: Decisions): number =>
  scratchAlignment === 'pageblock'
    ? (machine.oldScratchAlign ?? machine.scratchAlign)
    : machine.scratchAlign;

/** What comes of reserving scratch: the areas in order, up to the one that fits nowhere. */
export interface ReservedScratch {
  readonly areas: readonly ScratchArea[];
  /** Whether there is a place for every one of them. */
  readonly fits: boolean;
}

/**
 * Reserves an area of low memory, one for any node and one per node with memory; those of them
 * that the generation has.
 *
 * @param memblock knows what is reserved, and permits all memory
 * @param line index of the command line
 * @param early what the kernel had reserved for itself
 */
export const reserveScratch = (
  host: ScratchHost,
  memblock: Memblock,
  line: number,
  early: EarlyReserved,
): ReservedScratch => {
  const { machine, topology, decisions } = host;
  const align = decisions.alignsScratch ? alignmentOf(machine, decisions) : 1;
  const areas: ScratchArea[] = [];
  const wanted = wantedBy(host, line, early, align);
  if (decisions.scratchMustBeAsked && wanted.every(({ bytes }) => bytes === 0n)) {
    return { areas, fits: false };
  }
  for (const { area, node, bytes } of wanted) {
    const isLow = area === 'lowmem' && decisions.lowScratchBelowLimit;
    const low = node === null ? 1 : Math.max(1, topology.first(node));
    const high = node !== null ? topology.endOf(node) : isLow ? topology.lowmemEnd : topology.end;
    if (bytes > BigInt(Number.MAX_SAFE_INTEGER)) return { areas, fits: false };
    const count = Math.ceil(Number(bytes) / topology.pageBytes);
    if (count === 0 && (node === null || low < high)) {
      areas.push({ first: Math.max(0, memblock.placeOfNothing(align, low, high)), count });
      continue;
    }
    const first = memblock.allocate(count, align, low, high);
    if (first < 0) return { areas, fits: false };
    areas.push({ first, count });
  }
  return { areas, fits: true };
};

/** Writes the array that the next kernel gets. */
export const writeScratchArray = (
  page: Uint8Array,
  areas: readonly ScratchArea[],
  pageBytes: number,
): void => {
  areas.forEach(({ first, count }, index) => {
    const entry = index * SCRATCH_ENTRY_BYTES;
    writeU64(page, entry + SCRATCH_ENTRY_ADDRESS, first * pageBytes);
    writeU64(page, entry + SCRATCH_ENTRY_SIZE, count * pageBytes);
  });
};

/** Reads the array of the previous kernel: `bytes` of it. */
export const readScratchArray = (
  page: Uint8Array,
  bytes: number,
  pageBytes: number,
): ScratchArea[] => {
  const areas: ScratchArea[] = [];
  for (let entry = 0; entry + SCRATCH_ENTRY_BYTES <= bytes; entry += SCRATCH_ENTRY_BYTES) {
    areas.push({
      first: readU64(page, entry + SCRATCH_ENTRY_ADDRESS) / pageBytes,
      count: readU64(page, entry + SCRATCH_ENTRY_SIZE) / pageBytes,
    });
  }
  return areas;
};
