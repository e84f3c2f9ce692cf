/**
 * The machine that a law is spoken about: what does not change while a trace runs.
 *
 * Memory is counted in frames of one page. A range is `[first, first + count)`; an `end` is always
 * exclusive. Frame numbers are safe integers: the end of 16 TiB is 2^32 and does not fit 32 bits.
 */

import type { ReserveMemEntry } from './reserve-mem-option.ts';
import type { AskedScratch } from './scratch-option.ts';

/** A contiguous run of frames on one NUMA node. */
export interface NodeRange {
  readonly first: number;
  readonly count: number;
}

/** Sizes asked for with `kho_scratch=lowmem,global,pernode`, in frames. */
export interface ScratchSizes {
  readonly lowmem: number;
  readonly global: number;
  readonly perNode: number;
}

/** A command line that a kernel of the machine may be booted with. */
export interface ReserveMemLine {
  /** Values of `reserve_mem=`, in order, with a space between them. */
  readonly text: string;
  /** The accepted ones as the law reads them. */
  readonly entries: readonly ReserveMemEntry[];
}

/** Command lines of a machine, and the names of regions that calls give by their index. */
export interface ReserveMem {
  /** The first is that of a machine that is switched on. */
  readonly lines: readonly ReserveMemLine[];
  /** Every name of any line, and one that no line has. */
  readonly names: readonly string[];
}

/** What a command line says of `kho_scratch=`. */
export interface ScratchLine {
  /** The value; undefined when the command line says nothing. */
  readonly text: string | undefined;
  /**
   * What it asks for as the law reads it, by the age of the generation that is told; the default
   * when it is refused or says nothing.
   */
  readonly requests: readonly AskedScratch[];
}

/** Pages that HugeTLB takes while a kernel boots; on x86-64 they have 1 GiB each. */
export interface HugePages {
  /** log2 of the frames of one. */
  readonly order: number;
  /** How many the command line asks for. */
  readonly count: number;
}

export interface Machine {
  /** log2 of the page size in bytes: 12, 14 or 16. */
  readonly pageShift: number;
  /** Node n is `nodes[n]`; ranges ascend, do not overlap and may leave holes. */
  readonly nodes: readonly NodeRange[];
  /** One past the last frame of the last node. */
  readonly end: number;
  /** Largest order that the page allocator hands out (MAX_PAGE_ORDER). */
  readonly maxOrder: number;
  /** What every kernel asks for, unless the machine has `scratchLines`. */
  readonly scratch: ScratchSizes;
  /** What command lines say of `kho_scratch=`, by their index; beyond the last one, nothing. */
  readonly scratchLines?: readonly ScratchLine[];
  /** Scratch areas start and end at multiples of this many frames. */
  readonly scratchAlign: number;
  /** The same for kernels up to 7.1, which go by pageblocks; the same number when absent. */
  readonly oldScratchAlign?: number;
  /** One past the last frame that counts as low memory (4 GiB, unless the machine is small). */
  readonly lowmemEnd: number;
  /**
   * Frames of the blocks, aligned to their size, by which a kernel that revives a handover widens
   * scratch until its page allocator is up (1 GiB); absent: it does not.
   */
  readonly widenFrames?: number;
  /** HugeTLB pages that every kernel takes at boot; absent: none. */
  readonly hugePages?: HugePages;
  /** Length in bytes, without NUL, of the name with each index; index 0 is `kexec-metadata`. */
  readonly nameBytes: readonly number[];
  /** What its command lines say of `reserve_mem=`; absent when none does. */
  readonly reserveMem?: ReserveMem;
  /** Frames that kernels reserve for a crash kernel (`crashkernel=`); absent when they do not. */
  readonly crashFrames?: number;
  /**
   * 32-bit cells of addresses and of sizes in the device tree by which kernels are told of a
   * handover, as on arm64; absent: they are told otherwise, as on x86.
   */
  readonly rootCells?: { readonly address: number; readonly size: number };
  /** Kernels set up most pageblocks in a second phase of boot; at once when absent. */
  readonly deferredInit?: boolean;
  /** Names of sessions and tokens of files that the orchestrator is asked with; none if absent. */
  readonly liveUpdate?: { readonly sessions: number; readonly files: number };
  /** Stamp that a page of zeros reads as; `ZEROES` when absent. No write has it. */
  readonly zeroStamp?: number;
}

/** The node that frame `pfn` is on, or -1 where there is no memory. */
export const nodeOf = (machine: Machine, pfn: number): number => {
  for (let node = 0; node < machine.nodes.length; node++) {
    const range = machine.nodes[node]!;
    if (pfn >= range.first && pfn < range.first + range.count) return node;
  }
  return -1;
};

/** Whether every frame of the range is memory of one and the same node. */
export const onOneNode = (machine: Machine, first: number, count: number): boolean => {
  const node = nodeOf(machine, first);
  if (node < 0) return false;
  const range = machine.nodes[node]!;
  return first + count <= range.first + range.count;
};

/**
 * Frames of a pageblock, the unit that has a migrate type: as many as the page middle directory
 * maps, but no more than the largest block has (`include/linux/pageblock-flags.h`,
 * `pageblock_order`).
 */
export const pageblockFrames = ({
  pageShift,
  maxOrder,
}: Pick<Machine, 'pageShift' | 'maxOrder'>): number => 2 ** Math.min(pageShift - 3, maxOrder);
