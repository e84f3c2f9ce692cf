/**
 * Chapter: preservation.
 *
 * A caller that owns memory asks KHO to keep it. KHO notes blocks, nothing else: the caller goes on
 * owning and using the memory. Taking a preservation back is its exact inverse.
 */
import type { Answer, Call } from './call.ts';
import { eachBlock, firstOrder } from './blocks.ts';
import { EBUSY, EINVAL, ENOMEM } from './errno.ts';
import type { PreservedBlock } from './handover.ts';
import { keptTaking, bookOwnPages } from './allocation.ts';
import { concepts, core, hex, range } from './rules.ts';
import type { Action, AnswerRule, Chapter, Seen, StateRule, SystemSightRule } from './rules.ts';
import { FREE, HELD, USES, touchesScratch, everyKeptFrame, keptOrders } from './state.ts';
import type { State } from './state.ts';

const frames = (call: Call): number =>
  call.action === 'preserveFolio' || call.action === 'unpreserveFolio'
    ? 2 ** call.order
    : call.count;

/** Whether nothing may change until it is handed over or given up; see the chapter on phases. */
const isFinal = (s: State): boolean => s.final.get() === 1;

const PRESERVE = ['preserveFolio', 'preservePages'] as const;
const UNPRESERVE = ['unpreserveFolio', 'unpreservePages'] as const;

export const PRS_01: AnswerRule = {
  kind: 'answer',
  id: 'PRS-01',
  says: 'Memory that touches scratch is refused with -EINVAL.',
  sources: [concepts('Scratch Regions'), core('kho_preserve_pages')],
  strength: 'promised',
  since: '6.18',
  on: PRESERVE,
  when: (s, call) => !isFinal(s) && touchesScratch(s, call.pfn, frames(call)),
  holds: (_s, _call, answer) => answer.value === -EINVAL,
  tell: (_s, call, answer) =>
    `${range(call.pfn, frames(call))} touches scratch, answered ${answer.value}`,
};

export const PRS_02: AnswerRule = {
  kind: 'answer',
  id: 'PRS-02',
  says: 'Memory outside scratch is accepted, unless there is no page left to note it in.',
  sources: [core('kho_preserve_folio'), core('kho_radix_add_key')],
  strength: 'promised',
  on: PRESERVE,
  when: (s, call) => !isFinal(s) && !touchesScratch(s, call.pfn, frames(call)),
  holds: (_s, _call, answer) => answer.value === 0 || answer.value === -ENOMEM,
  tell: (_s, call, answer) => `${range(call.pfn, frames(call))}: answered ${answer.value}`,
};

export const PRS_03: AnswerRule = {
  kind: 'answer',
  id: 'PRS-03',
  says: 'A block that cannot be noted keeps no page for itself.',
  sources: [core('kho_radix_add_key')],
  strength: 'observed',
  on: PRESERVE,
  when: (s, call, answer) =>
    answer.value < 0 && firstOrder(s.machine, call.pfn, frames(call)) === Math.log2(frames(call)),
  holds: (_s, _call, answer) => keptTaking(answer) === 0,
  tell: (_s, _call, answer) => `${keptTaking(answer)} frames stay taken`,
};

export const PRS_04: AnswerRule = {
  kind: 'answer',
  id: 'PRS-04',
  says: 'Taking a preservation back succeeds and needs no memory.',
  sources: [core('kho_unpreserve_folio'), core('kho_unpreserve_pages')],
  strength: 'promised',
  on: UNPRESERVE,
  when: (s) => !isFinal(s),
  holds: (_s, _call, answer) => answer.value === 0 && answer.taken.length === 0,
  tell: (_s, _call, answer) => `answered ${answer.value}, took ${answer.taken.length} ranges`,
};

export const PRS_05: StateRule = {
  kind: 'state',
  id: 'PRS-05',
  says: 'Nothing is both free and preserved.',
  sources: [concepts('Kexec Handover Subsystem: overview'), core('kho_preserve_folio')],
  strength: 'promised',
  looksFurther: (s, pfn) => s.kept.get(pfn) > 1,
  when: (s, pfn) => s.kept.get(pfn) !== 0,
  holds: (s, pfn) =>
    everyKeptFrame(s, pfn, (frame) => s.use.get(frame) !== FREE && s.use.get(frame) !== HELD),
  tell: (s, pfn) =>
    `the block at ${hex(pfn)} is preserved; its first frame is ${USES[s.use.get(pfn)]}`,
};

export const PRS_06: StateRule = {
  kind: 'state',
  id: 'PRS-06',
  says: 'Nothing preserved lies in scratch.',
  sources: [concepts('Scratch Regions')],
  strength: 'promised',
  when: (s, pfn) => s.kept.get(pfn) !== 0,
  holds: (s, pfn) => everyKeptFrame(s, pfn, (frame) => !touchesScratch(s, frame, 1)),
  tell: (_s, pfn) => `the preserved block at ${hex(pfn)} reaches into scratch`,
};

export const PRS_07: SystemSightRule = {
  kind: 'sight',
  each: 'system',
  id: 'PRS-07',
  says: 'The tracker holds exactly the blocks that were preserved and not taken back.',
  sources: [core('kho_radix_add_key'), core('kho_radix_del_key'), core('kho_preserve_pages')],
  strength: 'promised',
  since: '7.1',
  find: (s, seen, report) => {
    const { preserved, pageShift } = seen.handover;
    for (const block of preserved) {
      const pfn = block.phys / 2 ** pageShift;
      if (((s.kept.get(pfn) >>> block.order) & 1) === 0) {
        report(() => `order ${block.order} at ${hex(pfn)} is in the tracker; nobody preserved it`);
      }
    }
    if (preserved.length < countKept(s)) report(() => firstLost(s, seen));
    return preserved.length;
  },
};

const countKept = (s: State): number => {
  let blocks = 0;
  s.eachFrame((pfn) => {
    for (let bits = s.kept.get(pfn); bits !== 0; bits = (bits & (bits - 1)) >>> 0) blocks++;
  });
  return blocks;
};

const firstLost = (s: State, seen: Seen): string => {
  const { preserved, pageShift } = seen.handover;
  const key = (block: PreservedBlock): string => `${block.phys / 2 ** pageShift}/${block.order}`;
  const found = new Set(preserved.map(key));
  let lost = 'a preserved block is not in the tracker';
  s.someFrame((pfn) => {
    const order = keptOrders(s, pfn).find((kept) => !found.has(`${pfn}/${kept}`));
    if (order === undefined) return false;
    lost = `order ${order} at ${hex(pfn)} was preserved and is not in the tracker`;
    return true;
  });
  return lost;
};

const keep = (s: State, head: number, order: number): void =>
  s.kept.set(head, (s.kept.get(head) | (2 ** order)) >>> 0);

const drop = (s: State, head: number, order: number): void =>
  s.kept.set(head, (s.kept.get(head) & ~(2 ** order)) >>> 0);

/** What a preservation that was accepted does to the state. */
const preserve = (s: State, answer: Answer, note: () => void): void => {
  bookOwnPages(s, answer);
  if (answer.value === 0) note();
};

export const preserveFolio: Action = {
  name: 'preserveFolio',
  says: 'keep a folio for the next kernel',
  refusals: [-EINVAL, -ENOMEM, -EBUSY],
  refusalSpans: {
    [-EINVAL]: { since: '6.18' },
    [-ENOMEM]: { since: 'v5' },
    [-EBUSY]: { until: '6.18' },
  },
  shows: ({ pfn, order }) => `kho_preserve_folio(${hex(pfn)}, order ${order})`,
  effect: (s, call, answer) => preserve(s, answer, () => keep(s, call.pfn, call.order)),
};

export const unpreserveFolio: Action = {
  name: 'unpreserveFolio',
  since: '6.19',
  also: ['v3', 'v4', 'v5'],
  refusals: [-EBUSY],
  refusalSpans: { [-EBUSY]: { until: 'v5' } },
  says: 'stop keeping a folio',
  shows: ({ pfn, order }) => `kho_unpreserve_folio(${hex(pfn)}, order ${order})`,
  effect: (s, call, { value }) => {
    if (value === 0) drop(s, call.pfn, call.order);
  },
};

export const preservePages: Action = {
  name: 'preservePages',
  says: 'keep a range of pages for the next kernel',
  refusals: [-EINVAL, -ENOMEM, -EBUSY],
  refusalSpans: {
    [-EINVAL]: { since: '6.18' },
    [-ENOMEM]: { since: 'v5' },
    [-EBUSY]: { until: '6.18' },
  },
  shows: ({ pfn, count }) => `kho_preserve_pages(${hex(pfn)}, ${count})`,
  effect: (s, call, answer) =>
    preserve(s, answer, () =>
      eachBlock(s.machine, call.pfn, call.count, (head, order) => keep(s, head, order)),
    ),
};

export const unpreservePages: Action = {
  name: 'unpreservePages',
  since: '6.19',
  also: ['v3', 'v4', 'v5'],
  refusals: [-EBUSY],
  refusalSpans: { [-EBUSY]: { until: 'v5' } },
  says: 'stop keeping a range of pages',
  shows: ({ pfn, count }) => `kho_unpreserve_pages(${hex(pfn)}, ${count})`,
  effect: (s, call, { value }) => {
    if (value !== 0) return;
    eachBlock(s.machine, call.pfn, call.count, (head, order) => drop(s, head, order));
  },
};

/** Whether a range is preserved exactly as `preservePages` would note it. */
export const isPreservedRange = (s: State, first: number, count: number): boolean => {
  let all = count > 0;
  eachBlock(s.machine, first, count, (head, order) => {
    if (((s.kept.get(head) >>> order) & 1) === 0) all = false;
  });
  return all;
};

export const PRESERVATION: Chapter = {
  title: 'Preservation',
  says: 'What is preserved is exactly what was asked for, and taking it back undoes it exactly.',
  rules: [PRS_01, PRS_02, PRS_03, PRS_04, PRS_05, PRS_06, PRS_07],
  actions: [preserveFolio, unpreserveFolio, preservePages, unpreservePages],
};
