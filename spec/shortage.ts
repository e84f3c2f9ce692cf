/**
 * Chapter: when memory is short, and when all of it is given back.
 *
 * Any page that a call asks the page allocator for may be refused: because there is none, or
 * because the world makes the n-th request of this call fail. A call that is refused for it has
 * changed nothing that anybody can see but empty pages of the tracker (see decision 005). And when
 * everything was taken back, restored and freed, the memory is whole again.
 */
import { freeOutsideScratch, managedFrames } from './allocation.ts';
import { ANY_NODE } from './call.ts';
import type { Answer, Call } from './call.ts';
import { ENOMEM } from './errno.ts';
import { concepts, core, hex, kernel } from './rules.ts';
import type { AnswerRule, Chapter, Seen, SystemSightRule } from './rules.ts';
import {
  FREE,
  HELD,
  KHO,
  KHO_ON,
  MOVABLE,
  PINNED,
  REGION,
  UNMOVABLE,
  areaSlots,
  runsBefore,
} from './state.ts';
import type { State } from './state.ts';

/**
 * Visits the free runs of frames outside scratch on a node, ascending; `end` is exclusive.
 *
 * @param node a node, or `ANY_NODE` for all, one after the other
 */
export const eachFreeRun = (
  s: State,
  node: number,
  visit: (first: number, end: number) => void,
): void => {
  for (let n = 0; n < s.machine.nodes.length; n++) {
    if (node !== ANY_NODE && n !== node) continue;
    const { first, count } = s.machine.nodes[n]!;
    let from = first;
    s.eachFrame((pfn) => {
      if (pfn < from || pfn >= first + count || s.use.get(pfn) === FREE) return;
      eachOutside(s, from, pfn, visit);
      from = pfn + 1;
    });
    eachOutside(s, from, first + count, visit);
  }
};

/** Visits the parts of `[first, end)` that no scratch area touches. */
const eachOutside = (
  s: State,
  first: number,
  end: number,
  visit: (first: number, end: number) => void,
): void => {
  let from = first;
  while (from < end) {
    let stop = end;
    let next = end;
    for (let area = 0; area < areaSlots(s.machine); area++) {
      const start = s.areaFirst.get(area);
      const after = start + s.areaCount.get(area);
      if (start === after || after <= from || start >= stop) continue;
      stop = Math.max(start, from);
      next = after;
    }
    if (stop > from) visit(from, stop);
    from = next;
  }
};

/** Order of the largest block that starts at `first` and ends at or before `end`. */
export const largestAt = (first: number, end: number, maxOrder: number): number => {
  let order = 0;
  while (order < maxOrder && first % 2 ** (order + 1) === 0 && first + 2 ** (order + 1) <= end) {
    order++;
  }
  return order;
};

/** Whether some block of this order is free outside scratch on the nodes that `node` permits. */
export const blockIsFree = (s: State, node: number, order: number): boolean => {
  const size = 2 ** order;
  let found = false;
  eachFreeRun(s, node, (first, end) => {
    if (Math.ceil(first / size) * size + size <= end) found = true;
  });
  return found;
};

const takenFrames = ({ taken }: Answer): number => {
  let frames = 0;
  for (let i = 0; i < taken.length; i++) frames += taken.count(i);
  return frames;
};

/** Free pages that KHO can have: frame 0 is none, as an address of 0 stands for nothing. */
const pagesForKho = (s: State): number =>
  freeOutsideScratch(s, ANY_NODE) - (s.use.get(0) === FREE ? 1 : 0);

/** Whether the world made an allocation of this call fail that the call got to. */
export const wasMadeToFail = ({ fails }: Call, answer: Answer): boolean =>
  fails > 0 && takenFrames(answer) < fails;

/** Whether a call that takes single pages for KHO could not get one more. */
export const ranShort = (s: State, call: Call, answer: Answer): boolean =>
  wasMadeToFail(call, answer) || pagesForKho(s) - takenFrames(answer) <= 0;

export const MEM_01: AnswerRule = {
  kind: 'answer',
  id: 'MEM-01',
  says: 'A preservation is refused for lack of memory only when a page could not be had.',
  sources: [core('kho_radix_add_key'), core('kho_radix_alloc_node')],
  strength: 'promised',
  since: 'v5',
  on: ['preserveFolio', 'preservePages'],
  when: (_s, _call, answer) => answer.value === -ENOMEM,
  holds: ranShort,
  tell: (s, call, answer) =>
    `answered ${-ENOMEM} after ${takenFrames(answer)} pages, with ${pagesForKho(s)} free before` +
    (call.fails > 0 ? `; request ${call.fails} was to fail` : ''),
};

export const MEM_02: AnswerRule = {
  kind: 'answer',
  id: 'MEM-02',
  says: 'A block is refused only when no block of its size is free: what is freed grows together.',
  sources: [kernel('mm/page_alloc.c', '__free_one_page')],
  strength: 'assumed',
  on: ['allocPages'],
  when: (_s, call, answer) => answer.value < 0 && call.fails === 0,
  holds: (s, { node, order }) => !blockIsFree(s, node, order),
  tell: (_s, { node, order }, { value }) =>
    `answered ${value} while a block of order ${order} is free` +
    (node === ANY_NODE ? '' : ` on node ${node}`),
};

export const MEM_03: AnswerRule = {
  kind: 'answer',
  id: 'MEM-03',
  says: 'A request that is to fail does fail: a call gets fewer pages than come before it.',
  sources: [kernel('mm/fail_page_alloc.c', 'should_fail_alloc_page')],
  strength: 'assumed',
  on: ['preserveFolio', 'preservePages'],
  when: (_s, { fails }) => fails > 0,
  holds: (_s, { fails }, answer) => takenFrames(answer) < fails,
  tell: (_s, { fails }, answer) =>
    `request ${fails} was to fail, the call took ${takenFrames(answer)} pages`,
};

/** Whether nobody has memory but who had it when the kernel was up, and nothing is held. */
const isTidy = (s: State): boolean =>
  !s.someFrame((pfn) => {
    const use = s.use.get(pfn);
    return use === MOVABLE || use === PINNED || use === UNMOVABLE || use === HELD;
  });

/** Frames of the tree and of the blobs in pages of KHO's own that it names. */
const namedFrames = (s: State, { handover }: Seen): number[] => {
  const { fdt, subtrees, pageShift } = handover;
  const named = fdt === undefined ? [] : [fdt / 2 ** pageShift];
  for (const { phys } of subtrees) named.push(Math.floor(phys / 2 ** pageShift));
  return [...new Set(named)].filter((pfn) => s.use.get(pfn) !== REGION);
};

export const MEM_04: SystemSightRule = {
  kind: 'sight',
  each: 'system',
  id: 'MEM-04',
  says: 'When everything was taken back or restored, only the kernel’s own blocks are preserved.',
  sources: [core('kho_init'), core('kho_unpreserve_pages')],
  strength: 'promised',
  find: (s, seen, report) => {
    if (s.kho.get() !== KHO_ON || !isTidy(s)) return 0;
    const { preserved, pageShift } = seen.handover;
    const named = namedFrames(s, seen);
    for (const { phys, order } of preserved) {
      const pfn = phys / 2 ** pageShift;
      if (s.use.get(pfn) === REGION || (order === 0 && named.includes(pfn))) continue;
      report(() => `order ${order} at ${hex(pfn)} is still preserved; nobody has it any more`);
    }
    return 1;
  },
};

export const MEM_05: SystemSightRule = {
  kind: 'sight',
  each: 'system',
  id: 'MEM-05',
  says: 'When everything was given back, the memory is whole: nothing is missing but what booted.',
  sources: [concepts('Scratch Regions'), core('kho_restore_page')],
  strength: 'promised',
  repeats: 'ALC-07, TRK-03 and TRE-07 refuse all of it; here is their sum',
  find: (s, seen, report) => {
    if (s.kho.get() !== KHO_ON || !isTidy(s)) return 0;
    const memory = managedFrames(s);
    const booted = s.countFrames((pfn) => s.use.get(pfn) !== FREE && s.use.get(pfn) !== KHO);
    // What a tracker of bitmaps has is in sight only when it is written down.
    const own = runsBefore(s, '7.1')
      ? s.countFrames((pfn) => s.use.get(pfn) === KHO)
      : namedFrames(s, seen).length + seen.handover.trackerPages.length;
    const missing = memory - booted - own - seen.freeFrames;
    if (missing !== 0) {
      report(() => `${memory - booted - own} frames should be free, ${seen.freeFrames} are`);
    }
    return 1;
  },
};

export const SHORTAGE: Chapter = {
  title: 'When memory is short, and when all is given back',
  says: 'A refusal changes nothing, is never made up, and in the end nothing is missing.',
  rules: [MEM_01, MEM_02, MEM_03, MEM_04, MEM_05],
  actions: [],
};
