/**
 * Chapter: restoring.
 *
 * What was handed over belongs to nobody until somebody restores it: once, at the same address,
 * with the order it was preserved with. Anything else that is asked for is refused.
 */
import { takeSinglePages } from './allocation.ts';
import { everyBlock } from './blocks.ts';
import { ENOENT } from './errno.ts';
import { core, hex, range } from './rules.ts';
import type { Action, AnswerRule, Chapter } from './rules.ts';
import { HELD, UNMOVABLE, setUse } from './state.ts';
import type { State } from './state.ts';

/** 1 + order of the held block that starts at `pfn`; 0 when none does. */
export const heldBlock = (s: State, pfn: number): number =>
  s.use.get(pfn) === HELD ? s.block.get(pfn) : 0;

/** Whether the range is held in exactly the blocks that preserving it makes. */
export const isHeldRange = (s: State, first: number, count: number): boolean =>
  everyBlock(s.machine, first, count, (head, order) => heldBlock(s, head) === order + 1);

export const RST_01: AnswerRule = {
  kind: 'answer',
  id: 'RST-01',
  says: 'A folio that was handed over is restored at its address with its order.',
  sources: [core('kho_restore_folio')],
  strength: 'promised',
  since: 'v5',
  on: ['restoreFolio'],
  when: (s, call) => heldBlock(s, call.pfn) > 0,
  holds: (s, call, answer) => answer.value === heldBlock(s, call.pfn) - 1,
  tell: (s, call, answer) =>
    `${range(call.pfn, 1)} was handed over with order ${heldBlock(s, call.pfn) - 1}, ` +
    `answered ${answer.value}`,
};

export const RST_02: AnswerRule = {
  kind: 'answer',
  id: 'RST-02',
  says: 'What was not handed over, or was restored already, is not restored.',
  sources: [core('kho_restore_page')],
  strength: 'promised',
  since: '6.18',
  on: ['restoreFolio'],
  when: (s, call) => heldBlock(s, call.pfn) === 0,
  holds: (_s, _call, answer) => answer.value === -ENOENT,
  tell: (_s, call, answer) =>
    `${range(call.pfn, 1)} is not held, restoring it answered ${answer.value}`,
};

export const RST_03: AnswerRule = {
  kind: 'answer',
  id: 'RST-03',
  says: 'A range that was handed over is restored whole.',
  sources: [core('kho_restore_pages')],
  strength: 'promised',
  on: ['restorePages'],
  when: (s, call) => isHeldRange(s, call.pfn, call.count),
  holds: (_s, _call, answer) => answer.value === 0,
  tell: (_s, call, answer) =>
    `${range(call.pfn, call.count)} was handed over as one range; restoring it answered ` +
    `${answer.value === -ENOENT ? 'NULL' : answer.value} and left it held`,
};

export const RST_04: AnswerRule = {
  kind: 'answer',
  id: 'RST-04',
  says: 'A range that was not handed over as such is refused, and nothing of it is restored.',
  sources: [core('kho_restore_pages')],
  strength: 'assumed',
  since: '6.18',
  on: ['restorePages'],
  when: (s, call) => !isHeldRange(s, call.pfn, call.count),
  holds: (_s, _call, answer) => answer.value === -ENOENT,
  tell: (_s, call, answer) =>
    `${range(call.pfn, call.count)} is not held as one range, answered ${answer.value}`,
};

export const RST_05: AnswerRule = {
  kind: 'answer',
  id: 'RST-05',
  says: 'Restored pages, all of them and no others, come under the page allocator’s management.',
  sources: [core('kho_restore_page')],
  strength: 'observed',
  on: ['restoreFolio', 'restorePages'],
  when: () => true,
  holds: (_s, call, answer) => answer.managed === restoredFrames(call.action, call.count, answer),
  tell: (_s, call, answer) => {
    const expected = restoredFrames(call.action, call.count, answer);
    return `managed memory should grow by ${expected} frames, grew by ${answer.managed}`;
  },
};

const restoredFrames = (action: string, count: number, answer: { value: number }): number => {
  if (answer.value < 0) return 0;
  return action === 'restoreFolio' ? 2 ** answer.value : count;
};

export const restoreFolio: Action = {
  name: 'restoreFolio',
  since: 'v5',
  says: 'take over a folio from the previous kernel',
  refusals: [-ENOENT],
  shows: ({ pfn }) => `kho_restore_folio(${hex(pfn)})`,
  effect: (s, call, answer) => {
    if (answer.value >= 0) setUse(s, call.pfn, 2 ** answer.value, UNMOVABLE);
  },
};

export const restorePages: Action = {
  name: 'restorePages',
  since: '6.18',
  also: ['v3', 'v4', 'v5'],
  says: 'take over a range of pages from the previous kernel',
  refusals: [-ENOENT],
  shows: ({ pfn, count }) => `kho_restore_pages(${hex(pfn)}, ${count})`,
  effect: (s, call, answer) => {
    if (answer.value >= 0) takeSinglePages(s, call.pfn, call.count);
  },
};

export const RESTORE: Chapter = {
  title: 'Restoring',
  says: 'Once, at the same address, with the same order and count; nothing else is restored.',
  rules: [RST_01, RST_02, RST_03, RST_04, RST_05],
  actions: [restoreFolio, restorePages],
};
