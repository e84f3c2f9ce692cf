/**
 * The array `mem_cache` of the series v3: all ranges of the tree, whole pages, sorted and merged.
 *
 * It is made when an image is loaded and travels as a segment of its own, so that early boot need
 * not walk the tree. What it does not name is nobody's in the next kernel, whatever the tree says.
 *
 * Source: kho_alloc_mem_cache, kho_mem_cache_add, kho_reserve_previous_mem of the series v3.
 */
import type { Generation } from '#src/abi/description/generation';
import type { Decisions } from './decisions.ts';
import { rangesOfTree } from './early-trees.ts';
import type { MemRange } from './early-trees.ts';
import { readU64, writeU64 } from './physical-memory.ts';

const ENTRY_BYTES = 16;

/** Whether kernels of a generation are told of such an array. */
export const hasCache = ({ boot }: Generation): boolean =>
  boot.setupFields.includes('mem_cache_addr');

/** The ranges of a tree as whole pages, ascending; those that touch are one. */
export const mergedRanges = (
  tree: Uint8Array,
  pageBytes: number,
  { joinsRanges }: Decisions,
): readonly MemRange[] => {
  const pages = rangesOfTree(tree)
    .map(({ phys, bytes }) => ({
      start: Math.floor(phys / pageBytes) * pageBytes,
      end: Math.ceil((phys + bytes) / pageBytes) * pageBytes,
    }))
    .sort((a, b) => a.start - b.start);
  const merged: { start: number; end: number }[] = [];
  for (const { start, end } of pages) {
    const last = merged.at(-1);
    if (last === undefined || start > last.end) merged.push({ start, end });
    else last.end = joinsRanges(last.end, end);
  }
  return merged.map(({ start, end }) => ({ phys: start, bytes: end - start }));
};

/** Writes the array into a zeroed page; answers its size in bytes. */
export const writeCache = (page: Uint8Array, ranges: readonly MemRange[]): number => {
  ranges.forEach(({ phys, bytes }, at) => {
    writeU64(page, at * ENTRY_BYTES, phys);
    writeU64(page, at * ENTRY_BYTES + 8, bytes);
  });
  return ranges.length * ENTRY_BYTES;
};

/** Reads `bytes` of the array. */
export const readCache = (page: Uint8Array, bytes: number): readonly MemRange[] => {
  const ranges: MemRange[] = [];
  for (let at = 0; at + ENTRY_BYTES <= Math.min(bytes, page.length); at += ENTRY_BYTES) {
    ranges.push({ phys: readU64(page, at), bytes: readU64(page, at + 8) });
  }
  return ranges;
};

/** Whether a block of so many bytes lies in one of the ranges. */
export const isCached = (ranges: readonly MemRange[], phys: number, bytes: number): boolean =>
  ranges.some((range) => range.phys <= phys && phys + bytes <= range.phys + range.bytes);
