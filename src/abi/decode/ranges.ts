/**
 * Ranges of preserved memory that stand in the tree itself (before the merge), as blocks.
 *
 * An array is packed: u64 address, u64 length, both in bytes and in native byte order. A range that
 * begins or ends inside a page keeps the whole page.
 *
 * Source: the series v1 to v4 (struct kho_mem; kho_alloc_mem_cache in kernel/kexec_kho_out.c).
 */
import { PHYS_BITS } from '../description/page-size.ts';
import { powerOfTwo } from '../description/radix-key.ts';
import { hex, u64 } from './bytes.ts';

/** One entry of an array. */
export interface MemoryRange {
  /** Path of the node that names it. */
  readonly node: string;
  readonly phys: number;
  readonly bytes: number;
}

const ENTRY_BYTES = 16;

/** The entries of one array; bytes behind the last whole entry are left to the caller. */
export const readRanges = (node: string, bytes: Uint8Array): readonly MemoryRange[] =>
  Array.from({ length: Math.floor(bytes.length / ENTRY_BYTES) }, (_, index) => ({
    node,
    phys: u64(bytes, index * ENTRY_BYTES),
    bytes: u64(bytes, index * ENTRY_BYTES + 8),
  }));

/** Whether an array consists of whole entries. */
export const isWholeArray = (bytes: Uint8Array): boolean => bytes.length % ENTRY_BYTES === 0;

/** Receives the blocks. */
export interface BlockVisitor {
  block(pfn: number, order: number): void;
  damage(where: string, what: string): void;
}

/** Reports every range as the largest aligned blocks that make it up, each range once. */
export const splitRanges = (
  pageShift: number,
  ranges: readonly MemoryRange[],
  visitor: BlockVisitor,
): void => {
  const pageBytes = powerOfTwo(pageShift);
  const seen = new Set<string>();
  for (const { node, phys, bytes } of ranges) {
    const where = `tracker(${node})`;
    if (!(phys + bytes <= powerOfTwo(PHYS_BITS))) {
      visitor.damage(where, `names ${hex(phys)}, which no machine has`);
      continue;
    }
    // Several nodes may name the same memory, which is then preserved once.
    const first = Math.floor(phys / pageBytes);
    const end = Math.ceil((phys + bytes) / pageBytes);
    const key = `${first}+${end}`;
    if (seen.has(key)) continue;
    seen.add(key);
    splitRange(first, end - first, visitor);
  }
};

const splitRange = (pfn: number, pages: number, visitor: BlockVisitor): void => {
  let at = pfn;
  let left = pages;
  while (left > 0) {
    let order = 0;
    while (powerOfTwo(order + 1) <= left && Number.isInteger(at / powerOfTwo(order + 1))) {
      order++;
    }
    visitor.block(at, order);
    at += powerOfTwo(order);
    left -= powerOfTwo(order);
  }
};
