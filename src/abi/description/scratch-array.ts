/**
 * The scratch array: one entry per area, [0] low memory, [1] global, [2…] one per node.
 *
 * It travels as a kexec segment of its own. An area may be empty, and an empty area may have the
 * address of another one.
 *
 * Source: include/linux/kexec_handover.h (struct kho_scratch),
 * kernel/liveupdate/kexec_handover.c (kho_reserve_scratch, kho_fill_kimage).
 */
import type { PageShift } from './page-size.ts';

/** Bytes of one entry: u64 address, u64 size, both in bytes. */
export const SCRATCH_ENTRY_BYTES = 16;
export const SCRATCH_ENTRY_ADDRESS = 0;
export const SCRATCH_ENTRY_SIZE = 8;

/** Alignment of the kexec segment that carries the array, in bytes. */
export const SCRATCH_ARRAY_ALIGN = 65536;

/** Alignment in bytes of areas and sizes, by log2 of the page size. */
export type ScratchAlignment = Readonly<Record<PageShift, number>>;

const MIB = 1048576;

/** 7.2 and later: at least the largest block of the buddy allocator. */
export const MAX_ORDER_ALIGNMENT: ScratchAlignment = { 12: 4 * MIB, 14: 32 * MIB, 16: 512 * MIB };

/** Up to 7.1: one pageblock, what CMA asks for; its size is a matter of configuration. */
export const PAGEBLOCK_ALIGNMENT: ScratchAlignment = { 12: 2 * MIB, 14: 32 * MIB, 16: 64 * MIB };
