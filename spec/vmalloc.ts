/**
 * Chapter: vmalloc areas.
 *
 * An area of virtual memory is made of blocks that lie anywhere, in an order of its own. KHO keeps
 * the blocks like any pages, and beside them a list of chunks: pages of its own that name the
 * blocks in the order in which they are mapped. Who preserves an area gets a descriptor (first
 * chunk, pages, order, flags) and hands it on by means of his own.
 *
 * In the state an area is known by its first frame: `vmNext` leads from block to block, `vmOrder`
 * and `vmFlags` stand at the first, and `vmList` ties it to the first chunk, and that one to it.
 * Frame 0 is in no area and no chunk: where a chunk says 0, nothing follows.
 */
import { bookOwnPages, freeOutsideScratch, takeSinglePages } from './allocation.ts';
import { ANY_NODE, rangesTouch } from './call.ts';
import type { Answer, Call, Ranges } from './call.ts';
import { EINVAL, ENOENT, ENOMEM, EOPNOTSUPP } from './errno.ts';
import { onOneNode } from './machine.ts';
import { isHeldRange } from './restore.ts';
import { ranShort } from './shortage.ts';
import { core, hex, kernel } from './rules.ts';
import type { Action, AnswerRule, Chapter, ChunkList, SystemSightRule } from './rules.ts';
import { FREE, allAre, clearFrames, touchesScratch } from './state.ts';
import type { State } from './state.ts';

const ABI = 'include/linux/kho/abi/kexec_handover.h';

/** The area was made by vmalloc, not by mapping pages of somebody else. */
export const AREA_ALLOC = 1;
/** The area may be mapped by huge pages. */
export const AREA_HUGE = 2;
/** Any other property that an area may have: mapped to users, executable, … */
export const AREA_OTHER = 4;

/** Blocks that one chunk names: a page of addresses but the first one. */
export const chunkEntries = (pageShift: number): number => 2 ** pageShift / 8 - 1;

/** Chunks that an area of so many blocks takes; a chunk that is full is followed by another. */
export const chunksOf = (pageShift: number, blocks: number): number =>
  Math.floor(blocks / chunkEntries(pageShift)) + 1;

/** Whether an area starts at `pfn`. */
const isArea = (s: State, pfn: number): boolean => s.vmOrder.get(pfn) > 0;

/** Order of the blocks of the area that starts at `first`. */
const orderOf = (s: State, first: number): number => s.vmOrder.get(first) - 1;

/** Number of blocks of the area, or of chunks of the list, that starts at `first`. */
const lengthOf = (s: State, first: number): number => {
  let length = 0;
  for (let pfn = first; pfn !== 0; pfn = s.vmNext.get(pfn)) length++;
  return length;
};

/** Pages of the area that starts at `first`. */
export const areaPages = (s: State, first: number): number =>
  lengthOf(s, first) * 2 ** orderOf(s, first);

/** Whether `ranges` are the blocks of an area of the given order, in mapping order. */
const areBlocks = (s: State, first: number, order: number, ranges: Ranges): boolean => {
  let at = 0;
  for (let pfn = first; pfn !== 0; pfn = s.vmNext.get(pfn), at++) {
    if (at >= ranges.length) return false;
    if (ranges.first(at) !== pfn || ranges.count(at) !== 2 ** order) return false;
  }
  return at === ranges.length;
};

/** Where `areBlocks` first fails, for people to read. */
const firstStranger = (s: State, first: number, order: number, ranges: Ranges): string => {
  let at = 0;
  for (let pfn = first; pfn !== 0; pfn = s.vmNext.get(pfn), at++) {
    if (at >= ranges.length) return `block ${at} is ${hex(pfn)} and is missing`;
    if (ranges.first(at) === pfn && ranges.count(at) === 2 ** order) continue;
    const found = `${ranges.count(at)} pages at ${hex(ranges.first(at))}`;
    return `block ${at} should be ${2 ** order} pages at ${hex(pfn)}, is ${found}`;
  }
  return `${ranges.length} blocks are named, the area has ${at}`;
};

/** Whether `ranges` are exactly the frames of the chunks that start at `first`, in any order. */
const areChunks = (s: State, first: number, ranges: Ranges): boolean => {
  let frames = 0;
  for (let i = 0; i < ranges.length; i++) frames += ranges.count(i);
  let chunks = 0;
  for (let pfn = first; pfn !== 0; pfn = s.vmNext.get(pfn), chunks++) {
    if (!rangesTouch(ranges, pfn, 1)) return false;
  }
  return frames === chunks;
};

/** First frame of the area that the list starting at `chunk` names; 0 when there is none. */
const areaOfList = (s: State, chunk: number): number =>
  chunk !== 0 && !isArea(s, chunk) ? s.vmList.get(chunk) : 0;

/** Whether a descriptor is one that the previous kernel left and that was not restored yet. */
export const isHeldArea = (s: State, { pfn, count, order, value }: Call): boolean => {
  const first = areaOfList(s, pfn);
  if (first === 0 || orderOf(s, first) !== order || value >= AREA_OTHER) return false;
  if (areaPages(s, first) !== count) return false;
  for (let chunk = pfn; chunk !== 0; chunk = s.vmNext.get(chunk)) {
    if (!isHeldRange(s, chunk, 1)) return false;
  }
  for (let block = first; block !== 0; block = s.vmNext.get(block)) {
    if (!isHeldRange(s, block, 2 ** order)) return false;
  }
  return true;
};

/** What the descriptor of a call or an answer says. */
const descriptor = (pages: number, order: number, flags: number): string =>
  `${pages} pages, order ${order}, flags ${flags}`;

/** Index of the first block that no area may have, or -1. */
const badBlock = (pages: Ranges, good: (pfn: number, frames: number) => boolean): number => {
  for (let i = 0; i < pages.length; i++) {
    if (!good(pages.first(i), pages.count(i))) return i;
  }
  return -1;
};

const wasFree = (s: State, pfn: number, count: number): boolean =>
  allAre(s, pfn, count, FREE) && !touchesScratch(s, pfn, count);

export const VML_01: AnswerRule = {
  kind: 'answer',
  id: 'VML-01',
  says: 'The pages of an area were free and lie outside scratch.',
  sources: [kernel('mm/vmalloc.c', 'vm_area_alloc_pages')],
  strength: 'observed',
  on: ['vmalloc'],
  when: (_s, _call, answer) => answer.value >= 0,
  holds: (s, _call, { pages }) => badBlock(pages, (p, n) => wasFree(s, p, n)) < 0,
  tell: (s, _call, { pages }) => {
    const at = badBlock(pages, (p, n) => wasFree(s, p, n));
    return `block ${at}, at ${hex(pages.first(at))}, was in use or is scratch`;
  },
};

/** Whether the blocks have the size asked for, lie where one may, and are as many as asked for. */
const isWellMade = (s: State, { count, order }: Call, { value, pages }: Answer): boolean => {
  const size = 2 ** order;
  const stands = (pfn: number, frames: number): boolean =>
    pfn !== 0 && frames === size && pfn % size === 0 && onOneNode(s.machine, pfn, size);
  if (pages.length * size !== count || pages.first(0) !== value) return false;
  const firsts = new Set<number>();
  for (let i = 0; i < pages.length; i++) firsts.add(pages.first(i));
  return firsts.size === pages.length && badBlock(pages, stands) < 0;
};

export const VML_02: AnswerRule = {
  kind: 'answer',
  id: 'VML-02',
  says: 'An area has the pages asked for, in aligned blocks, each on one node and none twice.',
  sources: [kernel('mm/vmalloc.c', 'vm_area_alloc_pages')],
  strength: 'observed',
  on: ['vmalloc'],
  when: (_s, _call, answer) => answer.value >= 0,
  holds: isWellMade,
  tell: (_s, { count, order }, { pages }) =>
    `asked for ${count} pages in blocks of order ${order}, got ${pages.length} blocks`,
};

export const VML_03: AnswerRule = {
  kind: 'answer',
  id: 'VML-03',
  says: 'An area of single pages is refused only when too few pages are free.',
  sources: [kernel('mm/vmalloc.c', '__vmalloc_area_node')],
  strength: 'assumed',
  on: ['vmalloc'],
  when: (_s, { order }, { value }) => value < 0 && order === 0,
  holds: (s, { count, fails }, { value }) =>
    value === -ENOMEM && (fails > 0 || freeOutsideScratch(s, ANY_NODE) <= count),
  tell: (s, { count }, { value }) =>
    `answered ${value} to ${count} pages with ${freeOutsideScratch(s, ANY_NODE)} free`,
};

export const VML_04: AnswerRule = {
  kind: 'answer',
  id: 'VML-04',
  says: 'Freeing an area always succeeds, and takes nothing.',
  sources: [kernel('mm/vmalloc.c', 'vfree')],
  strength: 'observed',
  on: ['vfree'],
  when: () => true,
  holds: (_s, _call, { value, taken }) => value === 0 && taken.length === 0,
  tell: (_s, _call, { value }) => `answered ${value}`,
};

export const VML_05: AnswerRule = {
  kind: 'answer',
  id: 'VML-05',
  says: 'What is no vmalloc area is refused with -EINVAL.',
  sources: [core('kho_preserve_vmalloc')],
  strength: 'promised',
  on: ['preserveVmalloc'],
  when: (s, { pfn }) => !isArea(s, pfn),
  holds: (_s, _call, { value }) => value === -EINVAL,
  tell: (_s, { pfn }, { value }) => `no area starts at ${hex(pfn)}, answered ${value}`,
};

const hasOtherFlags = (s: State, pfn: number): boolean =>
  isArea(s, pfn) && (s.vmFlags.get(pfn) & AREA_OTHER) !== 0;

export const VML_06: AnswerRule = {
  kind: 'answer',
  id: 'VML-06',
  says: 'An area that cannot be made again from its description is refused with -EOPNOTSUPP.',
  sources: [core('KHO_VMALLOC_SUPPORTED_FLAGS'), core('kho_preserve_vmalloc')],
  strength: 'promised',
  on: ['preserveVmalloc'],
  when: (s, { pfn }) => hasOtherFlags(s, pfn),
  holds: (_s, _call, { value }) => value === -EOPNOTSUPP,
  tell: (_s, { pfn }, { value }) =>
    `the area at ${hex(pfn)} has flags that KHO does not know, answered ${value}`,
};

export const VML_07: AnswerRule = {
  kind: 'answer',
  id: 'VML-07',
  says: 'Any other area is accepted, unless there is no page left to note it in.',
  sources: [core('kho_preserve_vmalloc')],
  strength: 'promised',
  on: ['preserveVmalloc'],
  when: (s, { pfn }) => isArea(s, pfn) && !hasOtherFlags(s, pfn),
  holds: (_s, _call, { value }) => value > 0 || value === -ENOMEM,
  tell: (_s, { pfn }, { value }) => `the area at ${hex(pfn)}: answered ${value}`,
};

const accepted = (_s: State, _call: Call, answer: Answer): boolean => answer.value > 0;

export const VML_08: AnswerRule = {
  kind: 'answer',
  id: 'VML-08',
  says: 'The chunks name the blocks of the area, every one, in the order in which they are mapped.',
  sources: [core('kho_preserve_vmalloc'), kernel(ABI, 'struct kho_vmalloc_chunk')],
  strength: 'promised',
  on: ['preserveVmalloc'],
  when: accepted,
  holds: (s, { pfn }, { pages }) => areBlocks(s, pfn, orderOf(s, pfn), pages),
  tell: (s, { pfn }, { pages }) => firstStranger(s, pfn, orderOf(s, pfn), pages),
};

/** Whether every chunk but the last is full, and a full one is not the last. */
const areFilled = (s: State, first: number, chunks: Ranges): boolean => {
  const { pageShift } = s.machine;
  if (chunks.length !== chunksOf(pageShift, lengthOf(s, first))) return false;
  for (let i = 0; i < chunks.length - 1; i++) {
    if (chunks.count(i) !== chunkEntries(pageShift)) return false;
  }
  return true;
};

export const VML_09: AnswerRule = {
  kind: 'answer',
  id: 'VML-09',
  says: 'Every chunk but the last is full, and a full one is never the last.',
  sources: [core('kho_preserve_vmalloc'), core('kho_vmalloc_unpreserve_chunk')],
  strength: 'observed',
  on: ['preserveVmalloc'],
  when: accepted,
  holds: (s, { pfn }, { chunks }) => areFilled(s, pfn, chunks),
  tell: (s, { pfn }, { chunks }) => {
    const blocks = lengthOf(s, pfn);
    const expected = chunksOf(s.machine.pageShift, blocks);
    return `${blocks} blocks take ${expected} chunks, ${chunks.length} were made`;
  },
};

/** Index of the first chunk that KHO did not take for itself in this call, or -1. */
const strangeChunk = ({ chunks, taken, given }: Answer): number => {
  for (let i = 0; i < chunks.length; i++) {
    const pfn = chunks.first(i);
    if (!rangesTouch(taken, pfn, 1) || rangesTouch(given, pfn, 1)) return i;
  }
  return -1;
};

export const VML_10: AnswerRule = {
  kind: 'answer',
  id: 'VML-10',
  says: 'The chunks are pages that KHO took for this area and did not give back.',
  sources: [core('new_vmalloc_chunk')],
  strength: 'observed',
  on: ['preserveVmalloc'],
  when: accepted,
  holds: (_s, _call, answer) => strangeChunk(answer) < 0,
  tell: (_s, _call, answer) =>
    `the chunk ${hex(answer.chunks.first(strangeChunk(answer)))} is no page that KHO took`,
};

export const VML_11: AnswerRule = {
  kind: 'answer',
  id: 'VML-11',
  says: 'The descriptor of an area says how many pages it has, in which order, with which flags.',
  sources: [core('kho_preserve_vmalloc'), kernel(ABI, 'struct kho_vmalloc')],
  strength: 'promised',
  on: ['preserveVmalloc'],
  when: accepted,
  holds: (s, { pfn }, { total, order, flags }) =>
    total === areaPages(s, pfn) && order === orderOf(s, pfn) && flags === s.vmFlags.get(pfn),
  tell: (s, { pfn }, { total, order, flags }) => {
    const area = descriptor(areaPages(s, pfn), orderOf(s, pfn), s.vmFlags.get(pfn));
    return `the area has ${area}; the descriptor says ${descriptor(total, order, flags)}`;
  },
};

export const VML_12: AnswerRule = {
  kind: 'answer',
  id: 'VML-12',
  says: 'An area is refused for lack of memory only when a page could not be had.',
  sources: [core('kho_preserve_vmalloc'), core('new_vmalloc_chunk')],
  strength: 'promised',
  on: ['preserveVmalloc'],
  when: (_s, _call, { value }) => value === -ENOMEM,
  holds: ranShort,
  tell: (s, call, { taken }) =>
    `KHO had taken ${taken.length} pages, ${freeOutsideScratch(s, ANY_NODE)} were free before` +
    (call.fails > 0 ? `; request ${call.fails} was to fail` : ''),
};

/** What is wrong with the list of an area as memory has it; '' when nothing is. */
const listFault = (s: State, first: number, list: ChunkList): string => {
  if (list.damage !== undefined) return list.damage;
  let at = 0;
  for (let pfn = s.vmList.get(first); pfn !== 0; pfn = s.vmNext.get(pfn), at++) {
    if (at >= list.chunks.length) return `the list ends before the chunk ${hex(pfn)}`;
    if (list.chunks.first(at) !== pfn) return `${hex(list.chunks.first(at))} is none of its chunks`;
  }
  if (at !== list.chunks.length) return `the list goes on after its ${at} chunks`;
  const order = orderOf(s, first);
  return areBlocks(s, first, order, list.pages) ? '' : firstStranger(s, first, order, list.pages);
};

export const VML_13: SystemSightRule = {
  kind: 'sight',
  each: 'system',
  id: 'VML-13',
  says: 'The chunks of an area stay as they were written until it is taken back or restored.',
  sources: [core('new_vmalloc_chunk'), kernel(ABI, 'struct kho_vmalloc_chunk')],
  strength: 'promised',
  since: '6.18',
  find: (s, seen, report) => {
    let areas = 0;
    s.eachFrame((pfn) => {
      if (!isArea(s, pfn) || s.vmList.get(pfn) === 0) return;
      areas++;
      const list = seen.chunkList(s.vmList.get(pfn), orderOf(s, pfn));
      const fault = listFault(s, pfn, list);
      if (fault !== '') report(() => `the list of the area at ${hex(pfn)}: ${fault}`);
    });
    return areas;
  },
};

export const VML_14: AnswerRule = {
  kind: 'answer',
  id: 'VML-14',
  says: 'Taking an area back succeeds, needs no memory and frees its chunks, nothing else.',
  sources: [core('kho_unpreserve_vmalloc')],
  strength: 'promised',
  on: ['unpreserveVmalloc'],
  when: () => true,
  holds: (s, { pfn }, { value, taken, given }) =>
    value === 0 && taken.length === 0 && areChunks(s, pfn, given),
  tell: (s, { pfn }, { value, given }) =>
    `answered ${value}; of ${lengthOf(s, pfn)} chunks ${given.length} were freed`,
};

export const VML_15: AnswerRule = {
  kind: 'answer',
  id: 'VML-15',
  says: 'An area that was handed over comes back: the same pages in the same order, alike mapped.',
  sources: [core('kho_restore_vmalloc')],
  strength: 'promised',
  on: ['restoreVmalloc'],
  when: isHeldArea,
  holds: (s, call, { value, pages, order, flags }) =>
    value === 0 &&
    order === call.order &&
    flags === call.value &&
    areBlocks(s, areaOfList(s, call.pfn), call.order, pages),
  tell: (s, call, { value, pages, total, order, flags }) => {
    if (value !== 0) return `the list at ${hex(call.pfn)} is held, restoring it answered ${value}`;
    if (order === call.order && flags === call.value) {
      return firstStranger(s, areaOfList(s, call.pfn), call.order, pages);
    }
    const asked = descriptor(call.count, call.order, call.value);
    return `asked for ${asked}, got ${descriptor(total, order, flags)}`;
  },
};

export const VML_16: AnswerRule = {
  kind: 'answer',
  id: 'VML-16',
  says: 'A descriptor that was not handed over, or was restored, is refused and changes nothing.',
  sources: [core('kho_restore_vmalloc')],
  strength: 'assumed',
  on: ['restoreVmalloc'],
  when: (s, call) => !isHeldArea(s, call),
  holds: (_s, _call, { value, managed, given }) =>
    value === -ENOENT && managed === 0 && given.length === 0,
  tell: (_s, { pfn, count, order, value: flags }, { value, managed }) =>
    `no area of ${descriptor(count, order, flags)} is held with the list at ${hex(pfn)}; ` +
    `answered ${value}, ${managed} pages came under management`,
};

export const VML_17: AnswerRule = {
  kind: 'answer',
  id: 'VML-17',
  says: 'With a restored area its chunks come back to the page allocator, free.',
  sources: [core('kho_restore_vmalloc')],
  strength: 'promised',
  on: ['restoreVmalloc'],
  when: (_s, _call, { value }) => value >= 0,
  holds: (s, { pfn, count }, { given, managed }) =>
    areChunks(s, pfn, given) && managed === count + lengthOf(s, pfn),
  tell: (s, { pfn, count }, { given, managed }) =>
    `${count} pages and ${lengthOf(s, pfn)} chunks should come under management, ${managed} did; ` +
    `${given.length} chunks were freed`,
};

export const vmalloc: Action = {
  name: 'vmalloc',
  since: '6.18',
  says: 'make an area of virtual memory',
  refusals: [-ENOMEM],
  shows: ({ count, order, value }) => {
    const blocks = order === 0 ? '' : `, blocks of order ${order}`;
    return `vmalloc(${count} pages${blocks}${value & AREA_OTHER ? ', for users' : ''})`;
  },
  effect: (s, { order, value: flags }, { value, pages }) => {
    if (value < 0) return;
    for (let i = 0; i < pages.length; i++) {
      takeSinglePages(s, pages.first(i), pages.count(i));
      if (i > 0) s.vmNext.set(pages.first(i - 1), pages.first(i));
    }
    s.vmOrder.set(value, order + 1);
    s.vmFlags.set(value, flags);
  },
};

export const vfree: Action = {
  name: 'vfree',
  since: '6.18',
  says: 'give an area back',
  shows: ({ pfn }) => `vfree(area at ${hex(pfn)})`,
  effect: (s, { pfn }) => {
    const size = 2 ** orderOf(s, pfn);
    for (let block = pfn; block !== 0;) {
      const next = s.vmNext.get(block);
      clearFrames(s, block, size);
      block = next;
    }
  },
};

/** Notes or forgets the preservation of every block of an area. */
const noteBlocks = (s: State, first: number, keep: boolean): void => {
  const bit = 2 ** orderOf(s, first);
  for (let block = first; block !== 0; block = s.vmNext.get(block)) {
    const kept = s.kept.get(block);
    s.kept.set(block, (keep ? kept | bit : kept & ~bit) >>> 0);
  }
};

export const preserveVmalloc: Action = {
  name: 'preserveVmalloc',
  since: '6.18',
  says: 'keep an area for the next kernel',
  refusals: [-EINVAL, -ENOMEM, -EOPNOTSUPP],
  shows: ({ pfn }) => `kho_preserve_vmalloc(area at ${hex(pfn)})`,
  effect: (s, { pfn }, answer) => {
    bookOwnPages(s, answer);
    if (answer.value < 0) return;
    const { chunks } = answer;
    for (let i = 0; i < chunks.length; i++) {
      s.kept.set(chunks.first(i), 1);
      if (i > 0) s.vmNext.set(chunks.first(i - 1), chunks.first(i));
    }
    s.vmList.set(pfn, answer.value);
    s.vmList.set(answer.value, pfn);
    noteBlocks(s, pfn, true);
  },
};

export const unpreserveVmalloc: Action = {
  name: 'unpreserveVmalloc',
  since: '6.19',
  says: 'stop keeping an area',
  shows: ({ pfn }) => `kho_unpreserve_vmalloc(list at ${hex(pfn)})`,
  effect: (s, { pfn }, answer) => {
    const first = areaOfList(s, pfn);
    if (first === 0) return;
    noteBlocks(s, first, false);
    s.vmList.set(first, 0);
    bookOwnPages(s, answer);
  },
};

export const restoreVmalloc: Action = {
  name: 'restoreVmalloc',
  since: '6.18',
  says: 'take over an area from the previous kernel',
  refusals: [-ENOENT],
  shows: ({ pfn, count, order, value }) =>
    `kho_restore_vmalloc(list at ${hex(pfn)}, ${descriptor(count, order, value)})`,
  effect: (s, { pfn, order, value: flags }, answer) => {
    const first = areaOfList(s, pfn);
    if (answer.value < 0 || first === 0) return;
    s.vmList.set(first, 0);
    s.vmFlags.set(first, flags);
    for (let block = first; block !== 0; block = s.vmNext.get(block)) {
      takeSinglePages(s, block, 2 ** order);
    }
    bookOwnPages(s, answer);
  },
};

export const VMALLOC: Chapter = {
  title: 'vmalloc areas',
  says: 'An area comes back page by page in its own order; the chunks that list it cost nothing.',
  rules: [
    VML_01,
    VML_02,
    VML_03,
    VML_04,
    VML_05,
    VML_06,
    VML_07,
    VML_08,
    VML_09,
    VML_10,
    VML_11,
    VML_12,
    VML_13,
    VML_14,
    VML_15,
    VML_16,
    VML_17,
  ],
  actions: [vmalloc, vfree, preserveVmalloc, unpreserveVmalloc, restoreVmalloc],
};
