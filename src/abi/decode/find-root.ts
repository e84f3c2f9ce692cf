/**
 * Finds, by content alone, where a handover begins in a heap of pages.
 *
 * An archive does not name its pages. The outgoing root is the page that reads as a handover tree
 * whose tracker is there; blobs are device trees too, and a tree that came in from the kernel
 * before may still lie around. The scratch array is the page that begins
 * with aligned areas and is nothing else.
 */
import { PHYS_BITS, type PageShift } from '../description/page-size.ts';
import {
  SCRATCH_ARRAY_ALIGN,
  SCRATCH_ENTRY_ADDRESS,
  SCRATCH_ENTRY_BYTES,
  SCRATCH_ENTRY_SIZE,
} from '../description/scratch-array.ts';
import { WIRE_GENERATIONS } from '../description/generations.ts';
import type { Archive } from './archive.ts';
import { hex, u64, type Damage } from './bytes.ts';
import { decodeHandover, readRootAt, readTrackerOf, type DecodedHandover } from './handover.ts';
import { isFdt } from './subtrees.ts';

/** A page that may be the root, and how much speaks for it. */
interface Candidate {
  readonly phys: number;
  readonly score: number;
}

/** All strings a kernel ever put into a root begin so. */
const ROOT_PREFIX = 'kho-v';

/** How many pages with the magic of a device tree are looked into. */
const MAX_CANDIDATES = 4096;

/** Addresses of pages that may be the root, likeliest first. */
export const findRoots = (archive: Archive): readonly number[] => {
  const pageBytes = 2 ** archive.pageShift;
  const candidates: Candidate[] = [];
  for (const pfn of archive.pfns) {
    const page = archive.page(pfn);
    if (page === undefined || !isFdt(page)) continue;
    const score = rate(archive, pfn * pageBytes);
    if (score > 0) candidates.push({ phys: pfn * pageBytes, score });
    if (candidates.length >= MAX_CANDIDATES) break;
  }
  candidates.sort((a, b) => b.score - a.score || a.phys - b.phys);
  const best = candidates[0]?.score ?? 0;
  return candidates.filter((candidate) => candidate.score === best).map(({ phys }) => phys);
};

/** What speaks for a page: its string, a tracker that is there, and that it is preserved itself. */
const rate = (archive: Archive, phys: number): number => {
  const root = readRootAt(archive, phys, undefined);
  if (typeof root === 'string') return 0;
  let score = root.compatible.startsWith(ROOT_PREFIX) ? 4 : 0;
  const found = readTrackerOf(archive, root);
  if (found !== undefined) {
    score += 2;
    const { content } = found;
    if (content.trackerPages.length > 0) score += 2;
    if (content.damage.length === 0) score += 1;
    if (content.preserved.some((block) => block.phys === phys)) score += 4;
  }
  if (root.subtrees.length > 0) score += 1;
  return score;
};

/** Addresses and lengths of pages that read as a scratch array and are nothing else. */
export const findScratchArrays = (
  archive: Archive,
  handover: DecodedHandover,
): readonly { readonly phys: number; readonly bytes: number }[] => {
  const pageBytes = 2 ** archive.pageShift;
  const taken = new Set<number>(handover.trackerPages.map((page) => page.phys));
  for (const block of handover.preserved) if (block.order === 0) taken.add(block.phys);
  for (const blob of handover.subtrees) taken.add(Math.floor(blob.phys / pageBytes) * pageBytes);
  if (handover.fdt !== undefined) taken.add(handover.fdt);
  const found: { phys: number; bytes: number }[] = [];
  for (const pfn of archive.pfns) {
    const page = archive.page(pfn);
    if (page === undefined || taken.has(pfn * pageBytes)) continue;
    const entries = scratchEntries(page, archive.pageShift);
    if (entries > 0) found.push({ phys: pfn * pageBytes, bytes: entries * SCRATCH_ENTRY_BYTES });
  }
  // The array travels as a segment on a 64 KiB boundary, except where it was never moved.
  const aligned = found.filter(({ phys }) => phys % SCRATCH_ARRAY_ALIGN === 0);
  return aligned.length === 1 ? aligned : found;
};

/** An array has low memory, the global area and one area for every node. */
const FEWEST_ENTRIES = 3;

/**
 * Number of entries if the page begins like a scratch array, otherwise 0. What follows the array in
 * its page is nobody's, so the array is taken to end where aligned areas end.
 */
const scratchEntries = (page: Uint8Array, pageShift: PageShift): number => {
  const align = loosestAlignment(pageShift);
  const fits = Math.floor(page.length / SCRATCH_ENTRY_BYTES);
  let total = 0;
  let entries = 0;
  for (; entries < fits; entries++) {
    const address = u64(page, entries * SCRATCH_ENTRY_BYTES + SCRATCH_ENTRY_ADDRESS);
    const bytes = u64(page, entries * SCRATCH_ENTRY_BYTES + SCRATCH_ENTRY_SIZE);
    if (address === 0 || address + bytes > 2 ** PHYS_BITS) break;
    if (address / align !== Math.floor(address / align)) break;
    if (bytes / align !== Math.floor(bytes / align)) break;
    total += bytes;
  }
  return entries >= FEWEST_ENTRIES && total > 0 ? entries : 0;
};

/** The alignment that areas of every generation have. */
const loosestAlignment = (pageShift: PageShift): number =>
  Math.min(...WIRE_GENERATIONS.map((generation) => generation.scratchAlignment[pageShift]));

/** What an archive held: the handover, undefined when no page reads as a root. */
export interface Found {
  readonly handover: DecodedHandover | undefined;
  readonly damage: readonly Damage[];
}

/** Decodes the handover in an archive, beginning with nothing but its pages. */
export const decodeArchive = (archive: Archive): Found => {
  const damage: Damage[] = [...archive.damage];
  const roots = findRoots(archive);
  const [fdt] = roots;
  if (fdt === undefined) {
    damage.push({ where: 'archive', what: 'no page of it reads as the root of a handover' });
    return { handover: undefined, damage };
  }
  if (roots.length > 1) {
    const all = roots.map(hex).join(', ');
    damage.push({ where: 'archive', what: `several pages read as the root: ${all}` });
  }
  const bare = decodeHandover(archive, { fdt });
  const arrays = findScratchArrays(archive, bare);
  const [array] = arrays;
  if (array === undefined || arrays.length > 1) {
    const what = array === undefined ? 'no page reads' : `${arrays.length} pages read`;
    damage.push({ where: 'scratch', what: `${what} as a scratch array` });
  }
  if (array === undefined) return { handover: bare, damage };
  const handover = decodeHandover(archive, {
    fdt,
    scratchArray: array.phys,
    scratchBytes: array.bytes,
  });
  return { handover, damage };
};
