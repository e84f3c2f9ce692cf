/**
 * Chapter: the page allocator, as far as KHO leans on it.
 *
 * The law does not choose frames. It asks of every frame that was handed out that nobody had it,
 * and that it is where the caller wanted it.
 */
import { ANY_NODE, UNMOVABLE_REQUEST, rangesTouch } from './call.ts';
import type { Answer, Call } from './call.ts';
import { EBUSY, ENOMEM } from './errno.ts';
import { onOneNode } from './machine.ts';
import { concepts, core, hex, kernel, range } from './rules.ts';
import type { Action, AnswerRule, Chapter, FrameSightRule, SystemSightRule } from './rules.ts';
import {
  FREE,
  KHO,
  KHO_KDUMP,
  LEFT,
  MOVABLE,
  UNMOVABLE,
  USES,
  allAre,
  areaSlots,
  clearFrames,
  setUse,
  touchesScratch,
} from './state.ts';
import type { State } from './state.ts';

const got = (answer: Answer): boolean => answer.value >= 0;

/** Free frames outside scratch on the nodes that a request permits. */
export const freeOutsideScratch = (s: State, node: number): number => {
  const permitted = (pfn: number): boolean => node === ANY_NODE || isOnNode(s, pfn, node);
  let memory = 0;
  for (let n = 0; n < s.machine.nodes.length; n++) {
    if (node === ANY_NODE || n === node) memory += s.machine.nodes[n]!.count;
  }
  for (let area = 0; area < areaSlots(s.machine); area++) {
    if (permitted(s.areaFirst.get(area))) memory -= s.areaCount.get(area);
  }
  return (
    memory -
    s.countFrames((pfn) => s.use.get(pfn) !== FREE && permitted(pfn) && !touchesScratch(s, pfn, 1))
  );
};

export const ALC_01: AnswerRule = {
  kind: 'answer',
  id: 'ALC-01',
  says: 'Pages that are handed out were free.',
  sources: [kernel('mm/page_alloc.c', '__alloc_frozen_pages_noprof')],
  strength: 'observed',
  on: ['allocPages'],
  when: (_s, _call, answer) => got(answer),
  holds: (s, call, answer) => allAre(s, answer.value, 2 ** call.order, FREE),
  tell: (s, call, answer) => {
    for (let pfn = answer.value; pfn < answer.value + 2 ** call.order; pfn++) {
      const use = s.use.get(pfn);
      if (use !== FREE) return `frame ${hex(pfn)} was handed out while it was ${USES[use]}`;
    }
    return 'a frame was handed out that was not free';
  },
};

export const ALC_02: AnswerRule = {
  kind: 'answer',
  id: 'ALC-02',
  says: 'A block starts at a multiple of its size and lies on one node, the one asked for.',
  sources: [kernel('mm/page_alloc.c', '__find_buddy_pfn'), core('kho_alloc_preserve')],
  strength: 'observed',
  on: ['allocPages'],
  when: (_s, _call, answer) => got(answer),
  holds: (s, { order, node }, { value }) =>
    value % 2 ** order === 0 &&
    onOneNode(s.machine, value, 2 ** order) &&
    (node === ANY_NODE || isOnNode(s, value, node)),
  tell: (_s, call, answer) =>
    `asked for order ${call.order} on node ${call.node}, got frame ${hex(answer.value)}`,
};

/** Whether a frame is on a node. */
export const isOnNode = (s: State, pfn: number, node: number): boolean => {
  const { first, count } = s.machine.nodes[node]!;
  return pfn >= first && pfn < first + count;
};

export const ALC_03: AnswerRule = {
  kind: 'answer',
  id: 'ALC-03',
  says: 'A single page is refused only when no page of the permitted nodes is free.',
  sources: [kernel('mm/page_alloc.c', 'get_page_from_freelist')],
  strength: 'assumed',
  on: ['allocPages'],
  when: (_s, call, answer) => !got(answer) && call.order === 0,
  holds: (s, call, { value }) =>
    value === -ENOMEM && (call.fails > 0 || freeOutsideScratch(s, call.node) === 0),
  tell: (s, call, answer) =>
    `answered ${answer.value} with ${freeOutsideScratch(s, call.node)} pages free`,
};

export const ALC_04: AnswerRule = {
  kind: 'answer',
  id: 'ALC-04',
  says: 'A range is handed out if, and only if, all of it is free and none of it is scratch.',
  sources: [kernel('mm/page_alloc.c', 'alloc_contig_frozen_range_noprof')],
  strength: 'assumed',
  on: ['allocContig'],
  when: () => true,
  holds: (s, { pfn, count }, { value }) => {
    const available = allAre(s, pfn, count, FREE) && !touchesScratch(s, pfn, count);
    return value === (available ? 0 : -EBUSY);
  },
  tell: (_s, { pfn, count }, { value }) => `${range(pfn, count)}: answered ${value}`,
};

export const ALC_05: AnswerRule = {
  kind: 'answer',
  id: 'ALC-05',
  says: 'Freeing and writing always succeed, and take nothing.',
  sources: [kernel('mm/page_alloc.c', '__free_frozen_pages')],
  strength: 'observed',
  on: ['freePages', 'freeContig', 'write'],
  when: () => true,
  holds: (_s, _call, answer) => answer.value === 0 && answer.taken.length === 0,
  tell: (_s, _call, answer) => `answered ${answer.value}`,
};

/** What the page allocator shows for a frame: it cannot tell KHO's own pages from others. */
const shown = (use: number): number => (use === KHO ? UNMOVABLE : use);

export const ALC_06: FrameSightRule = {
  kind: 'sight',
  each: 'frame',
  id: 'ALC-06',
  says: 'The page allocator shows every frame as what the calls made of it.',
  sources: [core('kho_restore_page'), concepts('Scratch Regions')],
  strength: 'promised',
  when: (s, _seen, pfn) => s.kho.get() !== KHO_KDUMP || s.use.get(pfn) !== FREE,
  holds: (s, seen, pfn) => seen.use(pfn) === shown(s.use.get(pfn)),
  tell: (s, seen, pfn) =>
    `frame ${hex(pfn)} should be ${USES[shown(s.use.get(pfn))]}, is ${USES[seen.use(pfn)] ?? '?'}`,
};

/** Frames that a kernel may use: all, or what was reserved for it if it is a kdump kernel. */
export const managedFrames = (s: State): number => {
  if (s.kho.get() === KHO_KDUMP) return s.crashCount.get();
  let frames = 0;
  for (const node of s.machine.nodes) frames += node.count;
  return frames;
};

export const ALC_07: SystemSightRule = {
  kind: 'sight',
  each: 'system',
  id: 'ALC-07',
  says: 'No frame is lost: those that nobody owns are free.',
  sources: [core('kho_restore_page'), kernel('mm/mm_init.c', 'memblock_free_all')],
  strength: 'observed',
  find: (s, seen, report) => {
    const managed = managedFrames(s);
    const owned = s.countFrames((pfn) => s.use.get(pfn) !== FREE && s.use.get(pfn) !== LEFT);
    if (seen.freeFrames !== managed - owned) {
      report(() => `${managed - owned} frames should be free, ${seen.freeFrames} are`);
    }
    return 1;
  },
};

export const allocPages: Action = {
  name: 'allocPages',
  says: 'take a block from the page allocator',
  refusals: [-ENOMEM],
  shows: ({ order, node, value }) => {
    const where = node < 0 ? '' : `, node ${node}`;
    return `alloc_pages(order ${order}${value === UNMOVABLE_REQUEST ? '' : ', movable'}${where})`;
  },
  effect: (s, call, answer) => {
    if (!got(answer)) return;
    const use = call.value === UNMOVABLE_REQUEST ? UNMOVABLE : MOVABLE;
    setUse(s, answer.value, 2 ** call.order, use);
    s.block.set(answer.value, call.order + 1);
  },
};

export const allocContig: Action = {
  name: 'allocContig',
  says: 'take a given range, page by page',
  refusals: [-EBUSY],
  shows: ({ pfn, count }) => `alloc_contig_range(${hex(pfn)}, ${count})`,
  effect: (s, { pfn, count }, answer) => {
    if (answer.value === 0) takeSinglePages(s, pfn, count);
  },
};

/** Makes a range single unmovable pages. */
export const takeSinglePages = (s: State, first: number, count: number): void => {
  setUse(s, first, count, UNMOVABLE);
  for (let pfn = first; pfn < first + count; pfn++) s.block.set(pfn, 1);
};

export const freePages: Action = {
  name: 'freePages',
  says: 'give a block back',
  shows: ({ pfn, order }) => `free_pages(${hex(pfn)}, order ${order})`,
  effect: (s, call) => clearFrames(s, call.pfn, 2 ** call.order),
};

export const freeContig: Action = {
  name: 'freeContig',
  says: 'give a range of single pages back',
  shows: ({ pfn, count }) => `free_contig_range(${hex(pfn)}, ${count})`,
  effect: (s, call) => clearFrames(s, call.pfn, call.count),
};

export const write: Action = {
  name: 'write',
  says: 'write to an owned page',
  shows: ({ pfn, value }) => `write(${hex(pfn)}, ${hex(value)})`,
  effect: (s, call: Call) => s.content.set(call.pfn, call.value),
};

/** Books what KHO took from the page allocator and gave back during a call. */
export const bookOwnPages = (s: State, answer: Answer): void => {
  for (let i = 0; i < answer.taken.length; i++) {
    setUse(s, answer.taken.first(i), answer.taken.count(i), KHO);
  }
  for (let i = 0; i < answer.given.length; i++) {
    clearFrames(s, answer.given.first(i), answer.given.count(i));
  }
};

/** Whether a range was taken and not given back during the same call. */
export const keptTaking = (answer: Answer): number => {
  let frames = 0;
  for (let i = 0; i < answer.taken.length; i++) {
    if (!rangesTouch(answer.given, answer.taken.first(i), answer.taken.count(i))) {
      frames += answer.taken.count(i);
    }
  }
  return frames;
};

export const ALLOCATION: Chapter = {
  title: 'The page allocator',
  says: 'What is handed out was free, aligned and where it was asked for; nothing is lost.',
  rules: [ALC_01, ALC_02, ALC_03, ALC_04, ALC_05, ALC_06, ALC_07],
  actions: [allocPages, allocContig, freePages, freeContig, write],
};
