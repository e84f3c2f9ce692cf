/**
 * Scratch areas: reserved once by the first kernel of a chain, then handed on as an array.
 */
import {
  SCRATCH_ENTRY_ADDRESS,
  SCRATCH_ENTRY_BYTES,
  SCRATCH_ENTRY_SIZE,
} from '#src/abi/description/scratch-array';
import type { Machine } from '#model/system';
import type { Decisions } from './decisions.ts';
import type { Memblock } from './memblock.ts';
import { readU64, writeU64 } from './physical-memory.ts';
import type { Topology } from './topology.ts';

/** One scratch area in frames; an area may be empty. */
export interface ScratchArea {
  readonly first: number;
  readonly count: number;
}

/**
 * Reserves an area of low memory, one for any node and one per node.
 *
 * @returns the areas, or undefined when one of them does not fit anywhere
 */
export const reserveScratch = (
  machine: Machine,
  topology: Topology,
  memblock: Memblock,
  decisions: Decisions,
): ScratchArea[] | undefined => {
  const align = decisions.alignsScratch ? machine.scratchAlign : 1;
  const { lowmem, global, perNode } = machine.scratch;
  const areas: ScratchArea[] = [];
  const reserve = (asked: number, low: number, high: number): boolean => {
    const count = Math.ceil(asked / align) * align;
    const first = count === 0 ? 0 : memblock.allocate(count, align, low, high);
    areas.push({ first, count });
    return first >= 0;
  };
  let fits = reserve(lowmem, 0, topology.lowmemEnd) && reserve(global, 0, topology.end);
  for (let node = 0; fits && node < topology.nodes; node++) {
    fits = reserve(perNode, topology.first(node), topology.endOf(node));
  }
  return fits ? areas : undefined;
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
