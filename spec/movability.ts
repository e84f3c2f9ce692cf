/**
 * Chapter: only movable pages live in scratch.
 *
 * Scratch is declared CMA, so that its memory is of use while a kernel runs. Whatever lives there
 * is given up at the next kexec; so nothing may live there that somebody could preserve.
 */
import { UNMOVABLE_REQUEST } from './call.ts';
import { concepts, core, hex, range } from './rules.ts';
import type { AnswerRule, Chapter, StateRule } from './rules.ts';
import { EARLY, FREE, MOVABLE, USES, touchesScratch } from './state.ts';

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

export const MOVABILITY: Chapter = {
  title: 'Movability',
  says: 'Scratch is CMA: movable pages may use it, unmovable ones never do.',
  rules: [MOV_01, MOV_02],
  actions: [],
};
