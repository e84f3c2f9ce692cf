/**
 * Chapter: only movable pages live in scratch.
 *
 * Scratch is declared CMA, so that its memory is of use while a kernel runs. Whatever lives there
 * is given up at the next kexec; so nothing may live there that somebody could preserve. A movable
 * page has no fixed place: the kernel moves it when it likes. Whoever wants to preserve it pins it
 * for long, which takes it out of scratch first; from then on it stays where it is.
 */
import { freeOutsideScratch } from './allocation.ts';
import { ANY_NODE, MIGRATE_CMA, UNMOVABLE_REQUEST } from './call.ts';
import type { Answer, Call } from './call.ts';
import { EBUSY, ENOMEM } from './errno.ts';
import { nodeOf, onOneNode, pageblockFrames } from './machine.ts';
import { concepts, core, hex, kernel, range } from './rules.ts';
import type { Action, AnswerRule, Chapter, StateRule, SystemSightRule } from './rules.ts';
import {
  EARLY,
  FREE,
  MOVABLE,
  PINNED,
  USES,
  allAre,
  areaSlots,
  clearFrames,
  setUse,
  touchesScratch,
  everyKeptFrame,
} from './state.ts';
import type { State } from './state.ts';

export const MOV_01: AnswerRule = {
  kind: 'answer',
  id: 'MOV-01',
  says: 'An unmovable request is never served from scratch.',
  sources: [concepts('Scratch Regions'), core('kho_release_scratch')],
  strength: 'promised',
  on: ['allocPages'],
  when: (_s, call, answer) => call.value === UNMOVABLE_REQUEST && answer.value >= 0,
  holds: (s, call, answer) => !touchesScratch(s, answer.value, 2 ** call.order),
  tell: (_s, call, answer) =>
    `an unmovable request got ${range(answer.value, 2 ** call.order)}, which is scratch`,
};

export const MOV_02: StateRule = {
  kind: 'state',
  id: 'MOV-02',
  says: 'What lives in scratch is movable, or was put there by early boot.',
  sources: [concepts('Scratch Regions')],
  strength: 'promised',
  when: (s, pfn) => s.use.get(pfn) !== FREE && touchesScratch(s, pfn, 1),
  holds: (s, pfn) => s.use.get(pfn) === MOVABLE || s.use.get(pfn) === EARLY,
  tell: (s, pfn) => `frame ${hex(pfn)} lies in scratch and is ${USES[s.use.get(pfn)]}`,
};

/** Pageblocks of one area, and of one node, that are looked at; its ends are always among them. */
const LOOKS = 16;

/**
 * Visits at most `LOOKS` pageblocks of `[first, first + count)`, spread evenly, both ends included.
 * Cost does not follow the size of the range.
 */
const eachPageblock = (
  s: State,
  first: number,
  count: number,
  visit: (pfn: number) => void,
): void => {
  const size = pageblockFrames(s.machine);
  const from = Math.floor(first / size);
  const last = Math.floor((first + count - 1) / size);
  const step = Math.max(1, (last - from) / (LOOKS - 1));
  for (let block = from; block < last; block += step) visit(Math.floor(block) * size);
  visit(last * size);
};

export const MOV_03: SystemSightRule = {
  kind: 'sight',
  each: 'system',
  id: 'MOV-03',
  says: 'A pageblock is CMA if, and only if, it lies in scratch.',
  sources: [
    concepts('Scratch Regions'),
    core('kho_init'),
    kernel('include/linux/kexec_handover.h', 'kho_scratch_migratetype'),
    kernel('mm/mm_init.c', 'deferred_init_memmap'),
  ],
  strength: 'promised',
  find: (s, seen, report) => {
    const size = pageblockFrames(s.machine);
    let looks = 0;
    const look = (pfn: number): void => {
      if (nodeOf(s.machine, pfn) < 0) return;
      looks++;
      const cma = seen.migrateType(pfn) === MIGRATE_CMA;
      if (cma === touchesScratch(s, pfn, size)) return;
      report(() => `${range(pfn, size)} are ${cma ? 'CMA and no' : 'not CMA and'} scratch`);
    };
    for (let area = 0; area < areaSlots(s.machine); area++) {
      const first = s.areaFirst.get(area);
      const count = s.areaCount.get(area);
      if (count === 0) continue;
      look(Math.floor((first - 1) / size) * size);
      eachPageblock(s, first, count, look);
      look(Math.floor((first + count + size - 1) / size) * size);
    }
    for (const { first, count } of s.machine.nodes) {
      if (count > 0) eachPageblock(s, first, count, look);
    }
    return looks;
  },
};

const isRefused = (answer: Answer): boolean => answer.value < 0;
const frames = (call: Call): number => 2 ** call.order;
/** What was answered: an error number, or where the page is. */
const said = ({ value }: Answer): string => (value < 0 ? String(value) : hex(value));
const hasMoved = (call: Call, answer: Answer): boolean =>
  answer.value >= 0 && answer.value !== call.pfn;

export const MOV_04: AnswerRule = {
  kind: 'answer',
  id: 'MOV-04',
  says: 'What is pinned for long lies outside scratch, wherever it was before.',
  sources: [
    kernel('mm/gup.c', 'check_and_migrate_movable_folios'),
    kernel('include/linux/mm.h', 'folio_is_longterm_pinnable'),
    concepts('Scratch Regions'),
  ],
  strength: 'observed',
  on: ['pin'],
  when: (_s, _call, answer) => !isRefused(answer),
  holds: (s, call, answer) => !touchesScratch(s, answer.value, frames(call)),
  tell: (_s, call, answer) => `pinned in scratch: ${range(answer.value, frames(call))}`,
};

export const MOV_05: AnswerRule = {
  kind: 'answer',
  id: 'MOV-05',
  says: 'What lies outside scratch stays where it is when it is pinned.',
  sources: [kernel('mm/gup.c', 'collect_longterm_unpinnable_folios')],
  strength: 'observed',
  on: ['pin'],
  when: (s, call) => !touchesScratch(s, call.pfn, frames(call)),
  holds: (_s, call, answer) => answer.value === call.pfn,
  tell: (_s, call, answer) => `${range(call.pfn, frames(call))}: answered ${said(answer)}`,
};

export const MOV_06: AnswerRule = {
  kind: 'answer',
  id: 'MOV-06',
  says: 'A page moves to where all was free, in one block on one node, the one asked for.',
  sources: [
    kernel('mm/migrate.c', 'migrate_pages'),
    kernel('mm/migrate.c', 'alloc_migration_target'),
  ],
  strength: 'observed',
  on: ['pin', 'migrate'],
  when: (_s, call, answer) => hasMoved(call, answer),
  holds: (s, call, { value }) =>
    value % frames(call) === 0 &&
    onOneNode(s.machine, value, frames(call)) &&
    (call.node === ANY_NODE || nodeOf(s.machine, value) === call.node) &&
    allAre(s, value, frames(call), FREE),
  tell: (_s, call, { value }) =>
    `${range(call.pfn, frames(call))} went to ${range(value, frames(call))}` +
    (call.node === ANY_NODE ? '' : `, node ${call.node} was asked for`),
};

/** Whether a request outside scratch could be served for certain: a single page that is free. */
const couldServe = (s: State, call: Call): boolean =>
  call.fails === 0 && call.order === 0 && freeOutsideScratch(s, call.node) > 0;

export const MOV_07: AnswerRule = {
  kind: 'answer',
  id: 'MOV-07',
  says: 'Pinning and moving a movable page are refused only when there is no room to move it to.',
  sources: [
    kernel('mm/gup.c', 'migrate_longterm_unpinnable_folios'),
    kernel('mm/migrate.c', 'migrate_pages'),
  ],
  strength: 'observed',
  on: ['pin', 'migrate'],
  when: (s, call, answer) => isRefused(answer) && s.use.get(call.pfn) === MOVABLE,
  holds: (s, call, answer) => answer.value === -ENOMEM && !couldServe(s, call),
  tell: (s, call, answer) =>
    `${range(call.pfn, frames(call))}: answered ${answer.value}, ` +
    `${freeOutsideScratch(s, call.node)} frames outside scratch are free`,
};

export const MOV_08: AnswerRule = {
  kind: 'answer',
  id: 'MOV-08',
  says: 'The kernel moves movable pages only, and none that is pinned.',
  sources: [
    kernel('mm/compaction.c', 'isolate_migratepages_block'),
    kernel('mm/migrate.c', 'folio_migrate_mapping'),
  ],
  strength: 'observed',
  on: ['migrate'],
  when: (s, call) => s.use.get(call.pfn) !== MOVABLE,
  holds: (_s, _call, answer) => answer.value === -EBUSY,
  tell: (s, call, answer) =>
    `${range(call.pfn, frames(call))}: ${USES[s.use.get(call.pfn)]}, answered ${said(answer)}`,
};

export const MOV_09: AnswerRule = {
  kind: 'answer',
  id: 'MOV-09',
  says: 'Unpinning always succeeds, and moves nothing by itself.',
  sources: [kernel('mm/gup.c', 'unpin_user_pages')],
  strength: 'observed',
  on: ['unpin'],
  when: () => true,
  holds: (_s, _call, answer) => answer.value === 0,
  tell: (_s, _call, answer) => `answered ${answer.value}`,
};

export const MOV_10: StateRule = {
  kind: 'state',
  id: 'MOV-10',
  says: 'What is preserved cannot move away: movable memory is pinned before, and stays pinned.',
  sources: [kernel('mm/memfd_luo.c', 'memfd_luo_preserve_folios'), concepts('Scratch Regions')],
  strength: 'assumed',
  looksFurther: (s, pfn) => s.kept.get(pfn) > 1,
  when: (s, pfn) => s.kept.get(pfn) !== 0,
  holds: (s, pfn) => everyKeptFrame(s, pfn, (frame) => s.use.get(frame) !== MOVABLE),
  tell: (_s, pfn) => `the block at ${hex(pfn)} is preserved, movable and not pinned`,
};

export const MOV_11: AnswerRule = {
  kind: 'answer',
  id: 'MOV-11',
  says: 'Moving a page takes as much memory as it gives back, and none for KHO.',
  sources: [kernel('mm/migrate.c', 'migrate_folio_move')],
  strength: 'observed',
  on: ['pin', 'unpin', 'migrate'],
  when: () => true,
  holds: (_s, _call, { taken, given, managed }) =>
    taken.length === 0 && given.length === 0 && managed === 0,
  tell: (_s, _call, { taken, given, managed }) =>
    `${taken.length} ranges taken, ${given.length} given back, managed memory grew by ${managed}`,
};

/** A block is somewhere else now, with its content; where it was is free. */
const move = (s: State, from: number, to: number, order: number): void => {
  if (to === from) return;
  for (let i = 0; i < 2 ** order; i++) s.content.set(to + i, s.content.get(from + i));
  s.block.set(to, order + 1);
  clearFrames(s, from, 2 ** order);
};

const where = ({ node }: Call): string => (node === ANY_NODE ? '' : `, node ${node}`);

export const pin: Action = {
  name: 'pin',
  says: 'pin a movable block for long; it leaves scratch first',
  refusals: [-ENOMEM],
  shows: (call) => `pin_user_pages(${hex(call.pfn)}, order ${call.order}${where(call)})`,
  effect: (s, { pfn, order }, { value }) => {
    if (value < 0) return;
    move(s, pfn, value, order);
    setUse(s, value, 2 ** order, PINNED);
  },
};

export const unpin: Action = {
  name: 'unpin',
  says: 'end a long-term pin',
  shows: ({ pfn, order }) => `unpin_user_pages(${hex(pfn)}, order ${order})`,
  effect: (s, { pfn, order }) => setUse(s, pfn, 2 ** order, MOVABLE),
};

export const migrate: Action = {
  name: 'migrate',
  says: 'the kernel moves a block elsewhere, as compaction does',
  refusals: [-EBUSY, -ENOMEM],
  shows: (call) => `migrate_pages(${hex(call.pfn)}, order ${call.order}${where(call)})`,
  effect: (s, { pfn, order }, { value }) => {
    if (value < 0) return;
    move(s, pfn, value, order);
    setUse(s, value, 2 ** order, MOVABLE);
  },
};

export const MOVABILITY: Chapter = {
  title: 'Movability',
  says: 'Scratch is CMA: movable pages may use it, unmovable ones never do, pinned ones leave it.',
  rules: [MOV_01, MOV_02, MOV_03, MOV_04, MOV_05, MOV_06, MOV_07, MOV_08, MOV_09, MOV_10, MOV_11],
  actions: [pin, unpin, migrate],
};
