/**
 * Chapter: the tracker's own pages.
 *
 * KHO notes what is preserved in pages that it takes from the page allocator. They are not
 * preserved themselves: the next kernel reads them before it hands out a single page outside
 * scratch, and then they are ordinary memory again.
 */
import { rangesTouch } from './call.ts';
import type { Answer, Call } from './call.ts';
import { concepts, core, hex, kernel, range } from './rules.ts';
import type { AnswerRule, Chapter, SystemSightRule } from './rules.ts';
import { FREE, KHO, USES, allAre, isKept, touchesScratch } from './state.ts';
import type { State } from './state.ts';

const TAKES = [
  'preserveFolio',
  'preservePages',
  'preserveVmalloc',
  'allocPreserve',
  'addSubtree',
  'finalize',
  'luoStart',
  'luoCreateSession',
  'luoPreserveFile',
] as const;

export const TRK_01: AnswerRule = {
  kind: 'answer',
  id: 'TRK-01',
  says: 'The pages that KHO takes for itself were free.',
  sources: [core('kho_radix_add_key')],
  strength: 'observed',
  since: 'v5',
  on: TAKES,
  when: (_s, _call, answer) => answer.taken.length > 0,
  holds: (s, _call, { taken }) => {
    for (let i = 0; i < taken.length; i++) {
      if (!allAre(s, taken.first(i), taken.count(i), FREE)) return false;
    }
    return true;
  },
  tell: (s, _call, { taken }) => {
    for (let i = 0; i < taken.length; i++) {
      const use = s.use.get(taken.first(i));
      if (use !== FREE) return `${range(taken.first(i), taken.count(i))} was ${USES[use]}`;
    }
    return 'KHO took a page that was not free';
  },
};

const inScratch = (s: State, call: Call, answer: Answer): number => {
  const boots = call.action === 'coldBoot' || call.action === 'kexec';
  for (let i = 0; i < answer.taken.length; i++) {
    const first = answer.taken.first(i);
    const count = answer.taken.count(i);
    const touches = boots
      ? rangesTouch(answer.areas, first, count)
      : touchesScratch(s, first, count);
    if (touches) return first;
  }
  return -1;
};

export const TRK_02: AnswerRule = {
  kind: 'answer',
  id: 'TRK-02',
  says: 'The pages that KHO takes for itself, at boot and later, lie outside scratch.',
  sources: [concepts('Scratch Regions'), core('kho_radix_alloc_node'), core('kho_init')],
  strength: 'promised',
  on: ['coldBoot', 'kexec', ...TAKES],
  when: (_s, _call, answer) => answer.taken.length > 0,
  holds: (s, call, answer) => inScratch(s, call, answer) < 0,
  tell: (s, call, answer) => `KHO took ${range(inScratch(s, call, answer), 1)}, which is scratch`,
};

export const TRK_03: SystemSightRule = {
  kind: 'sight',
  each: 'system',
  id: 'TRK-03',
  says: 'The tracker is made of the pages that KHO took and still owns, and of no others.',
  sources: [core('kho_radix_add_key'), core('kho_radix_del_key')],
  strength: 'observed',
  since: '7.1',
  find: (s, seen, report) => {
    const { trackerPages, pageShift } = seen.handover;
    for (const page of trackerPages) {
      const pfn = page.phys / 2 ** pageShift;
      if (s.use.get(pfn) !== KHO || isKept(s, pfn)) {
        report(() => `the tracker page ${hex(pfn)} is ${USES[s.use.get(pfn)]} memory`);
      }
    }
    const own = s.countFrames((pfn) => s.use.get(pfn) === KHO && !isKept(s, pfn));
    if (own > trackerPages.length) {
      report(() => `KHO owns ${own} pages for its tracker, ${trackerPages.length} are in use`);
    }
    return trackerPages.length;
  },
};

export const TRK_04: SystemSightRule = {
  kind: 'sight',
  each: 'system',
  id: 'TRK-04',
  says: 'Lists and bitmaps are pages that KHO took, still owns, and does not preserve.',
  sources: [kernel('kernel/kexec_handover.c', 'new_chunk'), core('kho_mem_serialize')],
  strength: 'observed',
  since: 'v5',
  until: '7.0',
  find: (s, seen, report) => {
    const { trackerPages, pageShift } = seen.handover;
    for (const page of trackerPages) {
      const pfn = Math.floor(page.phys / 2 ** pageShift);
      if (s.use.get(pfn) !== KHO || isKept(s, pfn)) {
        report(() => `${hex(pfn)} is in the tracker, and ${USES[s.use.get(pfn)]} memory`);
      }
    }
    return trackerPages.length;
  },
};

export const TRACKER: Chapter = {
  title: "The tracker's own pages",
  says: 'They come from free memory outside scratch and are nobody else’s while a kernel runs.',
  rules: [TRK_01, TRK_02, TRK_03, TRK_04],
  actions: [],
};
