/**
 * Chapter: the live update orchestrator, as far as it is a user of KHO.
 *
 * It writes its state into memory of its own that it preserves and names like any other user. The
 * law knows nothing of the content; whether the next kernel looks at it is asked of every boot.
 */
import { hex, kernel } from './rules.ts';
import type { Action, AnswerRule, Chapter } from './rules.ts';

/** Index of the name that it hands its state over by. */
export const LUO_NAME = 2;
/** Pages that one session takes: its head, sessions, files, a memfd, its data, bound objects. */
export const LUO_PAGES = 6;

export const LUO_01: AnswerRule = {
  kind: 'answer',
  id: 'LUO-01',
  says: 'Writing a session into memory that is there already succeeds, and takes nothing.',
  sources: [kernel('kernel/liveupdate/luo_session.c', 'luo_session_serialize')],
  strength: 'assumed',
  since: '6.19',
  on: ['luoSerialize'],
  when: () => true,
  holds: (_s, _call, { value, taken }) => value === 0 && taken.length === 0,
  tell: (_s, _call, { value }) => `answered ${value}`,
};

export const luoSerialize: Action = {
  name: 'luoSerialize',
  says: 'write a session with one memfd into memory that is preserved',
  since: '6.19',
  shows: ({ pfn }) => `luo_session_serialize(into ${hex(pfn)})`,
  effect: (s, { pfn }) => {
    for (let page = pfn; page < pfn + LUO_PAGES; page++) s.content.set(page, 0);
  },
};

export const LIVE_UPDATE: Chapter = {
  title: 'Live update',
  says: 'The orchestrator preserves and names its state like any other user of KHO.',
  rules: [LUO_01],
  actions: [luoSerialize],
};
