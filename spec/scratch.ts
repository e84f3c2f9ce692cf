/**
 * Chapter: scratch.
 *
 * Scratch areas are memory that never holds anything preserved. The next kernel is copied there and
 * lives there alone until it knows what it must not touch. The first kernel of a chain reserves
 * them; every later one takes over the very same areas.
 */
import type { Source } from './algebra/rule.ts';
import { COLD, NO_KHO, REVIVED, rangesTouch } from './call.ts';
import type { Answer, Call, Ranges } from './call.ts';
import { concepts, core, kernel, range } from './rules.ts';
import type { AnswerRule, Chapter } from './rules.ts';
import { ageOf } from './generations.ts';
import { onOneNode } from './machine.ts';
import type { HugePages, Machine } from './machine.ts';
import {
  ageOfBooting,
  areaName,
  areaTooLarge,
  areaWithoutRoom,
  areasOf,
  asksForNothing,
  askedFrames,
  lineOf,
  scratchAlignOf,
  slotOfArea,
} from './scratch-sizes.ts';
import {
  KHO,
  KHO_ON,
  WITHOUT_HANDOVER,
  confinesImages,
  insideScratch,
  keptFrames,
} from './state.ts';
import type { State } from './state.ts';

/** The first generation that widens scratch. */
const WIDENS_SINCE = '7.3';

/** Whether this answer is that of a kernel that booted without a handover. */
const bootedCold = (answer: Answer): boolean => answer.value === COLD;
const bootedRevived = (answer: Answer): boolean => answer.value === REVIVED;

/** Whether the kernel that boots is one whose KHO is built in and not switched off. */
const wantsKho = (s: State, { action, value }: Call): boolean =>
  (action === 'kexec' ? s.nextKernel.get() : value) === KHO_ON;

const kernelParameters = (section: string): Source => ({
  document: 'Documentation/admin-guide/kernel-parameters.txt',
  section,
});

/** Areas of a kernel that revives a handover against those of its predecessor. */
const isInherited = (s: State, first: number, count: number, area: number): boolean => {
  const slot = slotOfArea(s.machine, area, s.loads.get());
  return first === s.areaFirst.get(slot) && count === s.areaCount.get(slot);
};

const everyArea = (
  areas: Ranges,
  test: (first: number, count: number, slot: number) => boolean,
) => {
  for (let slot = 0; slot < areas.length; slot++) {
    if (!test(areas.first(slot), areas.count(slot), slot)) return false;
  }
  return true;
};

const describe = (areas: Ranges): string => {
  const parts: string[] = [];
  for (let i = 0; i < areas.length; i++) {
    parts.push(areas.count(i) === 0 ? 'nothing' : range(areas.first(i), areas.count(i)));
  }
  return parts.length === 0 ? 'none' : parts.join(', ');
};

const overlaps = (areas: Ranges): boolean => {
  for (let a = 0; a < areas.length; a++) {
    for (let b = a + 1; b < areas.length; b++) {
      if (areas.count(a) === 0 || areas.count(b) === 0) continue;
      const startsBefore = areas.first(a) < areas.first(b) + areas.count(b);
      if (startsBefore && areas.first(b) < areas.first(a) + areas.count(a)) return true;
    }
  }
  return false;
};

export const SCR_01: AnswerRule = {
  kind: 'answer',
  id: 'SCR-01',
  says:
    'The first kernel of a chain reserves one area of low memory, one for any node and one for ' +
    'each node with memory, each of the size that its command line asks for.',
  sources: [
    concepts('Scratch Regions'),
    kernelParameters('kho_scratch='),
    core('kho_reserve_scratch'),
    core('scratch_size_update'),
  ],
  strength: 'promised',
  on: ['coldBoot', 'kexec'],
  when: (_s, _call, answer) => bootedCold(answer),
  holds: (s, call, answer) => {
    const asked = askedFrames(s, call, answer);
    return (
      answer.areas.length === asked.length &&
      everyArea(answer.areas, (_first, count, area) => count === asked[area])
    );
  },
  tell: (s, call, answer) => {
    const asked = askedFrames(s, call, answer).join(', ');
    return `areas of ${asked} frames were asked for, got ${describe(answer.areas)}`;
  },
};

export const SCR_02: AnswerRule = {
  kind: 'answer',
  id: 'SCR-02',
  says: 'A scratch area starts and ends at the alignment that the page allocator needs.',
  sources: [core('kho_reserve_scratch')],
  strength: 'observed',
  on: ['coldBoot', 'kexec'],
  when: (_s, _call, answer) => answer.value >= 0,
  holds: (s, call, { areas }) => {
    const align = scratchAlignOf(s.machine, ageOfBooting(s, call));
    return everyArea(areas, (first, count) => first % align === 0 && count % align === 0);
  },
  tell: (s, call, { areas }) => {
    const align = scratchAlignOf(s.machine, ageOfBooting(s, call));
    return `not aligned to ${align}: ${describe(areas)}`;
  },
};

export const SCR_03: AnswerRule = {
  kind: 'answer',
  id: 'SCR-03',
  says:
    'Scratch areas are contiguous memory, do not overlap, and are where they belong: the first ' +
    'in low memory, those of a node on that node.',
  sources: [concepts('Scratch Regions'), core('kho_reserve_scratch')],
  strength: 'promised',
  on: ['coldBoot', 'kexec'],
  when: (_s, _call, answer) => answer.value >= 0 && answer.areas.length > 0,
  holds: (s, call, { areas }) => {
    const slotOf = (area: number): number => slotOfArea(s.machine, area, ageOfBooting(s, call));
    return (
      !overlaps(areas) &&
      everyArea(areas, (first, count, i) => count === 0 || belongs(s, first, count, slotOf(i)))
    );
  },
  tell: (_s, _call, { areas }) => `misplaced: ${describe(areas)}`,
};

const belongs = (s: State, first: number, count: number, slot: number): boolean => {
  if (slot === 0) return first + count <= s.machine.lowmemEnd && isMemory(s.machine, first, count);
  if (slot === 1) return isMemory(s.machine, first, count);
  const node = s.machine.nodes[slot - 2];
  return node !== undefined && first >= node.first && first + count <= node.first + node.count;
};

/** Whether the range is memory throughout; it may cross from one node to the next. */
const isMemory = (machine: Machine, first: number, count: number): boolean => {
  let covered = 0;
  for (const node of machine.nodes) {
    const from = Math.max(first, node.first);
    const to = Math.min(first + count, node.first + node.count);
    if (to > from) covered += to - from;
  }
  return covered === count && (count === 0 || onOneNode(machine, first, 1));
};

export const SCR_04: AnswerRule = {
  kind: 'answer',
  id: 'SCR-04',
  says: 'A kernel that revived a handover has the very scratch areas of its predecessor.',
  sources: [concepts('Scratch Regions'), core('kho_populate')],
  strength: 'promised',
  on: ['kexec'],
  when: (_s, _call, answer) => bootedRevived(answer),
  holds: (s, _call, { areas }) =>
    areas.length === areasOf(s.machine, s.loads.get()) &&
    everyArea(areas, (first, count, area) => isInherited(s, first, count, area)),
  tell: (_s, _call, { areas }) => `after the kexec: ${describe(areas)}`,
};

/** Whether a kernel may use a range before it knows what was handed over. */
const mayBeEarly = (s: State, first: number, count: number): boolean =>
  insideScratch(s, first, count) || widens(s, first, count);

export const SCR_05: AnswerRule = {
  kind: 'answer',
  id: 'SCR-05',
  says:
    'Until its page allocator is up, a kernel that revives a handover allocates in scratch, or ' +
    'in a block by which it may widen scratch, as nothing in it was handed over.',
  sources: [concepts('Scratch Regions'), core('kho_populate'), core('kho_extend_scratch')],
  strength: 'promised',
  on: ['kexec'],
  when: (s, _call, answer) =>
    bootedRevived(answer) && answer.early.length > 0 && s.loaded.get() !== WITHOUT_HANDOVER,
  holds: (s, _call, { early }) => everyArea(early, (first, count) => mayBeEarly(s, first, count)),
  tell: (s, _call, { early }) => {
    for (let i = 0; i < early.length; i++) {
      if (!mayBeEarly(s, early.first(i), early.count(i))) {
        return `${range(early.first(i), early.count(i))} was reserved early, outside scratch`;
      }
    }
    return 'an early reservation lies outside scratch';
  },
};

/**
 * Whether nothing was handed over in the blocks that the range lies in: no preserved page, and no
 * page of KHO itself, which has the tracker that says what is preserved.
 */
const widens = (s: State, first: number, count: number): boolean => {
  const size = s.machine.widenFrames ?? 0;
  if (size === 0 || s.loads.get() > ageOf(WIDENS_SINCE)) return false;
  const low = Math.floor(first / size) * size;
  const high = Math.ceil((first + count) / size) * size;
  return !s.someFrame((pfn) => {
    if (pfn >= high) return false;
    const kept = keptFrames(s, pfn);
    return (kept > 0 && pfn + kept > low) || (pfn >= low && s.use.get(pfn) === KHO);
  });
};

export const SCR_06: AnswerRule = {
  kind: 'answer',
  id: 'SCR-06',
  says: 'The segments of a loaded image are destined for scratch.',
  sources: [concepts('Scratch Regions'), core('kho_locate_mem_hole')],
  strength: 'promised',
  on: ['kexecFileLoad'],
  when: (s, _call, answer) => answer.value === 0 && confinesImages(s),
  holds: (s, _call, { placed }) =>
    placed.length > 0 && everyArea(placed, (first, count) => insideScratch(s, first, count)),
  tell: (_s, _call, { placed }) => `segments at ${describe(placed)}`,
};

export const SCR_07: AnswerRule = {
  kind: 'answer',
  id: 'SCR-07',
  says: 'Scratch is reserved beside, not on top of, what a cold kernel reserved before.',
  sources: [core('kho_reserve_scratch')],
  strength: 'observed',
  on: ['coldBoot', 'kexec'],
  when: (_s, _call, answer) => bootedCold(answer),
  holds: (_s, _call, { areas, early }) =>
    everyArea(early, (first, count) =>
      everyArea(
        areas,
        (start, size) => size === 0 || first + count <= start || start + size <= first,
      ),
    ),
  tell: (_s, _call, { areas, early }) => `areas ${describe(areas)}, reserved ${describe(early)}`,
};

export const SCR_08: AnswerRule = {
  kind: 'answer',
  id: 'SCR-08',
  says: 'When there is no place for one of the areas, there are none, and KHO is off.',
  sources: [core('kho_reserve_scratch')],
  strength: 'observed',
  on: ['coldBoot', 'kexec'],
  when: (s, call, answer) =>
    wantsKho(s, call) &&
    (answer.value === COLD || answer.value === NO_KHO) &&
    areaTooLarge(s, call, answer) >= 0,
  holds: (_s, _call, { value, areas, fdt, array }) =>
    value === NO_KHO && areas.length === 0 && fdt === 0 && array === 0,
  tell: (s, call, answer) =>
    `there is no place for ` +
    `${areaName(s.machine, areaTooLarge(s, call, answer), ageOfBooting(s, call))}, answered ` +
    `${answer.value} with ${describe(answer.areas)}`,
};

export const SCR_09: AnswerRule = {
  kind: 'answer',
  id: 'SCR-09',
  says: 'KHO that is not switched off stays on while there is a place for every area.',
  sources: [core('kho_reserve_scratch'), kernelParameters('kho=')],
  strength: 'observed',
  on: ['coldBoot', 'kexec'],
  when: (s, call, answer) =>
    wantsKho(s, call) && (answer.value === COLD || answer.value === NO_KHO),
  holds: (s, call, answer) =>
    answer.value === COLD ||
    areaWithoutRoom(s, call, answer) >= 0 ||
    asksForNothing(s, call, answer),
  tell: (s, call, answer) =>
    `KHO is off although there is room for areas of ${askedFrames(s, call, answer).join(', ')}`,
};

export const SCR_10: AnswerRule = {
  kind: 'answer',
  id: 'SCR-10',
  says: 'A kernel that revives a handover has as much scratch as before, whatever it is told.',
  sources: [kernelParameters('kho_scratch='), core('kho_memory_init')],
  strength: 'observed',
  repeats: 'SCR-04 refuses all of it; here stands what the documented option promises',
  on: ['kexec'],
  when: (s, call, answer) => {
    if (!bootedRevived(answer) || s.machine.scratchLines === undefined) return false;
    const asked = askedFrames(s, call, answer);
    return asked.some(
      (frames, i) => frames !== s.areaCount.get(slotOfArea(s.machine, i, s.loads.get())),
    );
  },
  holds: (s, _call, { areas }) =>
    everyArea(
      areas,
      (_first, count, i) => count === s.areaCount.get(slotOfArea(s.machine, i, s.loads.get())),
    ),
  tell: (s, call, { areas }) =>
    `command line ${lineOf(s, call)} asks for other sizes; now there are ${describe(areas)}`,
};

export const SCR_11: AnswerRule = {
  kind: 'answer',
  id: 'SCR-11',
  says: 'No HugeTLB page that a kernel takes at boot lies in scratch.',
  sources: [kernel('mm/memblock.c', 'memblock_alloc_hugetlb')],
  strength: 'observed',
  since: '7.3',
  on: ['coldBoot', 'kexec'],
  when: (_s, _call, { value, huge }) => value >= 0 && huge.length > 0,
  holds: (_s, _call, { huge, areas }) =>
    everyArea(huge, (first, count) => !rangesTouch(areas, first, count)),
  tell: (_s, _call, { huge, areas }) => `pages ${describe(huge)}, scratch ${describe(areas)}`,
};

const NO_HUGE_PAGES: HugePages = { order: 0, count: 0 };

const hugePagesText = ({ order, count }: HugePages): string =>
  `${count} pages of ${2 ** order} frames`;

export const SCR_12: AnswerRule = {
  kind: 'answer',
  id: 'SCR-12',
  says:
    'A HugeTLB page of boot is aligned to its size and memory of one node; there are as many as ' +
    'the command line asks for, or fewer after a handover.',
  sources: [
    kernel('mm/memblock.c', 'memblock_alloc_hugetlb'),
    kernel('mm/hugetlb.c', 'alloc_bootmem'),
  ],
  strength: 'assumed',
  since: '7.3',
  on: ['coldBoot', 'kexec'],
  when: (s, _call, { value }) => value >= 0 && s.machine.hugePages !== undefined,
  holds: (s, _call, { value, huge }) => {
    const { order, count } = s.machine.hugePages ?? NO_HUGE_PAGES;
    const size = 2 ** order;
    const suits = (first: number, frames: number): boolean =>
      frames === size && first % size === 0 && onOneNode(s.machine, first, frames);
    const enough = value === REVIVED ? huge.length <= count : huge.length === count;
    return enough && !overlaps(huge) && everyArea(huge, suits);
  },
  tell: (s, _call, { huge }) =>
    `${hugePagesText(s.machine.hugePages ?? NO_HUGE_PAGES)} were asked for, got ${describe(huge)}`,
};

export const SCR_13: AnswerRule = {
  kind: 'answer',
  id: 'SCR-13',
  says: 'A kernel of the first series that is asked for no scratch has none, and no KHO.',
  sources: [
    kernel('kernel/kexec_kho_out.c', 'kho_reserve'),
    kernel('kernel/kexec_kho_out.c', 'early_kho_scratch'),
  ],
  strength: 'observed',
  until: 'v3',
  on: ['coldBoot', 'kexec'],
  when: (s, call, answer) =>
    (answer.value === COLD || answer.value === NO_KHO) && asksForNothing(s, call, answer),
  holds: (_s, _call, { value, areas }) => value === NO_KHO && areas.length === 0,
  tell: (_s, _call, { value, areas }) =>
    `nobody asked for scratch, answered ${value} with ${describe(areas)}`,
};

export const SCRATCH: Chapter = {
  title: 'Scratch',
  says: 'Areas that never hold anything preserved, and where every next kernel starts.',
  rules: [
    SCR_01,
    SCR_02,
    SCR_03,
    SCR_04,
    SCR_05,
    SCR_06,
    SCR_07,
    SCR_08,
    SCR_09,
    SCR_10,
    SCR_11,
    SCR_12,
    SCR_13,
  ],
  actions: [],
};
