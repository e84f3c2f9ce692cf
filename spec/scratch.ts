/**
 * Chapter: scratch.
 *
 * Scratch areas are memory that never holds anything preserved. The next kernel is copied there and
 * lives there alone until it knows what it must not touch. The first kernel of a chain reserves
 * them; every later one takes over the very same areas.
 */
import type { Answer, Ranges } from './call.ts';
import { concepts, core, range } from './rules.ts';
import type { AnswerRule, Chapter } from './rules.ts';
import { onOneNode } from './machine.ts';
import type { Machine } from './machine.ts';
import { KHO_ON, WITHOUT_HANDOVER, areaSlots, insideScratch } from './state.ts';
import type { State } from './state.ts';

/** Whether this answer is that of a kernel that booted without a handover. */
const bootedCold = (answer: Answer): boolean => answer.value === 0;
const bootedRevived = (answer: Answer): boolean => answer.value === 1;

const roundUp = (frames: number, align: number): number => Math.ceil(frames / align) * align;

/** Frames that area number `slot` has to have. */
const askedFrames = (machine: Machine, slot: number): number => {
  const { lowmem, global, perNode } = machine.scratch;
  const asked = slot === 0 ? lowmem : slot === 1 ? global : perNode;
  return roundUp(asked, machine.scratchAlign);
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
  for (let i = 0; i < areas.length; i++) parts.push(range(areas.first(i), areas.count(i)));
  return parts.length === 0 ? 'no area' : parts.join(', ');
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
    'each node with memory, each of the size asked for.',
  sources: [concepts('Scratch Regions'), core('kho_reserve_scratch')],
  strength: 'promised',
  on: ['coldBoot', 'kexec'],
  when: (_s, _call, answer) => bootedCold(answer),
  holds: (s, _call, { areas }) =>
    areas.length === areaSlots(s.machine) &&
    everyArea(areas, (_first, count, slot) => count === askedFrames(s.machine, slot)),
  tell: (s, _call, { areas }) => {
    const asked = Array.from({ length: areaSlots(s.machine) }, (_, i) => askedFrames(s.machine, i));
    return `areas of ${asked.join(', ')} frames were asked for, got ${describe(areas)}`;
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
  holds: (s, _call, { areas }) =>
    everyArea(
      areas,
      (first, count) =>
        first % s.machine.scratchAlign === 0 && count % s.machine.scratchAlign === 0,
    ),
  tell: (s, _call, { areas }) => `not aligned to ${s.machine.scratchAlign}: ${describe(areas)}`,
};

export const SCR_03: AnswerRule = {
  kind: 'answer',
  id: 'SCR-03',
  says:
    'Scratch areas are contiguous memory, do not overlap, and are where they belong: the first ' +
    'below 4 GiB, those of a node on that node.',
  sources: [concepts('Scratch Regions'), core('kho_reserve_scratch')],
  strength: 'promised',
  on: ['coldBoot', 'kexec'],
  when: (_s, _call, answer) => answer.value >= 0 && answer.areas.length > 0,
  holds: (s, _call, { areas }) =>
    !overlaps(areas) &&
    everyArea(areas, (first, count, slot) => count === 0 || belongs(s, first, count, slot)),
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
    areas.length === areaSlots(s.machine) &&
    everyArea(
      areas,
      (first, count, slot) => first === s.areaFirst.get(slot) && count === s.areaCount.get(slot),
    ),
  tell: (_s, _call, { areas }) => `after the kexec: ${describe(areas)}`,
};

export const SCR_05: AnswerRule = {
  kind: 'answer',
  id: 'SCR-05',
  says: 'Until its page allocator is up, a kernel that revives a handover allocates in scratch.',
  sources: [concepts('Scratch Regions'), core('kho_populate')],
  strength: 'promised',
  on: ['kexec'],
  when: (s, _call, answer) =>
    bootedRevived(answer) && answer.early.length > 0 && s.loaded.get() !== WITHOUT_HANDOVER,
  holds: (s, _call, { early }) =>
    everyArea(early, (first, count) => insideScratch(s, first, count)),
  tell: (s, _call, { early }) => {
    for (let i = 0; i < early.length; i++) {
      if (!insideScratch(s, early.first(i), early.count(i))) {
        return `${range(early.first(i), early.count(i))} was reserved early, outside scratch`;
      }
    }
    return 'an early reservation lies outside scratch';
  },
};

export const SCR_06: AnswerRule = {
  kind: 'answer',
  id: 'SCR-06',
  says: 'The segments of a loaded image are destined for scratch.',
  sources: [concepts('Scratch Regions'), core('kho_locate_mem_hole')],
  strength: 'promised',
  on: ['kexecFileLoad'],
  when: (s, _call, answer) => answer.value === 0 && s.kho.get() === KHO_ON,
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

export const SCRATCH: Chapter = {
  title: 'Scratch',
  says: 'Areas that never hold anything preserved, and where every next kernel starts.',
  rules: [SCR_01, SCR_02, SCR_03, SCR_04, SCR_05, SCR_06, SCR_07],
  actions: [],
};
