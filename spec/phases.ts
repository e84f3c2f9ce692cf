/**
 * Chapter: phases.
 *
 * Up to 7.0 what is handed over has to be written down before the jump. Up to 6.18 somebody
 * finalizes: from then on nothing may change until the jump, or until somebody aborts, which takes
 * every preservation back; an image gets the handover only if it is loaded in between. In 6.19 and
 * 7.0 finalizing can be repeated at any time, a jump does it once more, and nothing is ever frozen.
 * From 7.1 on memory always says what is handed over, and there is nothing to finalize.
 */
import { bookOwnPages, keptTaking } from './allocation.ts';
import { eachBlock } from './blocks.ts';
import type { Call } from './call.ts';
import { EBUSY, EEXIST, EINVAL, ENOENT, ENOMEM } from './errno.ts';
import { MEMBLOCK_NAME, outgoingFits, unnameBlob } from './handover-tree.ts';
import { eachRegion } from './reserve-mem.ts';
import { hex, kernel } from './rules.ts';
import type { Action, AnswerRule, Chapter, Seen, SystemSightRule } from './rules.ts';
import { ranShort } from './shortage.ts';
import { KHO, KHO_ON, WITH_HANDOVER, isEarly, runsAs, runsBefore } from './state.ts';
import type { State } from './state.ts';

/** A symbol of KHO's core file where it stood up to 6.18. */
const before = (symbol: string) => kernel('kernel/kexec_handover.c', symbol);
/** The same in 6.19 and 7.0. */
const then = (symbol: string) => kernel('kernel/liveupdate/kexec_handover.c', symbol);

const isFinal = (s: State): boolean => s.final.get() === 1;

export const PHS_01: AnswerRule = {
  kind: 'answer',
  id: 'PHS-01',
  says: 'Finalizing what is final already is refused with -EEXIST.',
  sources: [before('kho_out_finalize_set')],
  strength: 'observed',
  since: 'v5',
  until: '6.18',
  on: ['finalize'],
  when: isFinal,
  holds: (_s, _call, { value }) => value === -EEXIST,
  tell: (_s, _call, { value }) => `it was finalized before, answered ${value}`,
};

export const PHS_02: AnswerRule = {
  kind: 'answer',
  id: 'PHS-02',
  says: 'What is not final can be finalized, unless the tree has no room or memory is short.',
  sources: [before('kho_finalize'), before('kho_mem_serialize')],
  strength: 'promised',
  since: '6.16',
  until: '6.18',
  on: ['finalize'],
  when: (s) => !isFinal(s),
  holds: (s, call, answer) =>
    answer.value === 0
      ? outgoingFits(s)
      : answer.value === -ENOMEM && (!outgoingFits(s) || ranShort(s, call, answer)),
  tell: (s, _call, { value }) =>
    `the tree ${outgoingFits(s) ? 'fits its page' : 'does not fit its page'}, answered ${value}`,
};

export const PHS_03: AnswerRule = {
  kind: 'answer',
  id: 'PHS-03',
  says: 'Aborting succeeds where it was finalized, and is refused with -ENOENT where it was not.',
  sources: [before('kho_out_finalize_set'), before('kho_abort')],
  strength: 'observed',
  since: 'v5',
  until: '6.18',
  on: ['abort'],
  when: () => true,
  holds: (s, _call, { value }) => value === (isFinal(s) ? 0 : -ENOENT),
  tell: (s, _call, { value }) =>
    `it was ${isFinal(s) ? '' : 'not '}finalized before, answered ${value}`,
};

export const PHS_04: AnswerRule = {
  kind: 'answer',
  id: 'PHS-04',
  says: 'While it is final nothing changes: preserving, naming and the like answer -EBUSY.',
  sources: [before('kho_preserve_folio'), before('kho_preserve_phys')],
  strength: 'promised',
  until: '6.18',
  on: [
    'preserveFolio',
    'preservePages',
    'unpreserveFolio',
    'unpreservePages',
    'addSubtree',
    'removeSubtree',
  ],
  when: isFinal,
  holds: (_s, _call, { value, taken }) => value === -EBUSY && taken.length === 0,
  tell: (_s, { action }, { value, taken }) =>
    `${action} was answered with ${value} and took ${taken.length} pages`,
};

export const PHS_05: AnswerRule = {
  kind: 'answer',
  id: 'PHS-05',
  says: 'Finalizing succeeds any number of times, unless no page is left to write a list in.',
  sources: [then('kho_finalize'), then('kho_mem_serialize')],
  strength: 'promised',
  since: '6.19',
  until: '7.0',
  on: ['finalize'],
  when: () => true,
  holds: (s, call, answer) =>
    answer.value === 0 || (answer.value === -ENOMEM && ranShort(s, call, answer)),
  tell: (_s, _call, { value }) => `answered ${value}`,
};

export const PHS_06: AnswerRule = {
  kind: 'answer',
  id: 'PHS-06',
  says: 'There is nothing to abort any more: the attempt is refused with -EINVAL.',
  sources: [kernel('kernel/liveupdate/kexec_handover_debugfs.c', 'kho_out_finalize_set')],
  strength: 'observed',
  since: '6.19',
  until: '7.0',
  on: ['abort'],
  when: () => true,
  holds: (_s, _call, { value }) => value === -EINVAL,
  tell: (_s, _call, { value }) => `answered ${value}`,
};

export const PHS_07: AnswerRule = {
  kind: 'answer',
  id: 'PHS-07',
  says: 'What cannot be finalized keeps no page that was taken for it.',
  sources: [before('kho_mem_serialize'), before('kho_abort')],
  strength: 'observed',
  since: '6.16',
  until: '7.0',
  on: ['finalize'],
  when: (_s, _call, { value }) => value < 0,
  holds: (_s, _call, answer) => keptTaking(answer) === 0,
  tell: (_s, _call, answer) => `${keptTaking(answer)} frames stay taken`,
};

export const PHS_08: AnswerRule = {
  kind: 'answer',
  id: 'PHS-08',
  says: 'A jump that has to finalize is refused for lack of memory only when no page is left.',
  sources: [kernel('kernel/liveupdate/luo_core.c', 'liveupdate_reboot'), then('kho_finalize')],
  strength: 'assumed',
  since: '6.19',
  until: '7.0',
  on: ['kexec'],
  when: (_s, _call, { value }) => value === -ENOMEM,
  holds: (s, call, answer) => ranShort(s, call, answer) && keptTaking(answer) === 0,
  tell: (_s, _call, { value, taken }) => `answered ${value} after ${taken.length} pages`,
};

export const PHS_09: SystemSightRule = {
  kind: 'sight',
  each: 'system',
  id: 'PHS-09',
  says: 'What was written down names only preserved blocks, and while it is final all of them.',
  sources: [before('kho_mem_serialize'), then('kho_mem_serialize')],
  strength: 'promised',
  since: 'v5',
  until: '7.0',
  find: (s, seen, report) => {
    const { preserved, pageShift } = seen.handover;
    for (const { phys, order } of preserved) {
      const pfn = phys / 2 ** pageShift;
      if (((s.kept.get(pfn) >>> order) & 1) === 0) {
        report(() => `order ${order} at ${hex(pfn)} was written down; nobody preserved it`);
      }
    }
    if (!isFinal(s)) return preserved.length;
    const kept = keptBlocks(s);
    if (preserved.length < kept) {
      report(() => `${kept} blocks are preserved, ${preserved.length} were written down`);
    }
    return Math.max(1, preserved.length);
  },
};

export const PHS_10: SystemSightRule = {
  kind: 'sight',
  each: 'system',
  id: 'PHS-10',
  says: 'The file that is written to finalize reads 1 while it is final, and otherwise 0.',
  sources: [before('kho_out_finalize_get'), before('active_show')],
  strength: 'observed',
  until: '6.18',
  find: (s, seen, report) => {
    if (s.kho.get() !== KHO_ON) return 0;
    const { phase } = seen.debugfs();
    if (phase !== s.final.get()) report(() => `it reads ${phase ?? 'nothing'}`);
    return 1;
  },
};

/**
 * Whether memory says less than what a jump would hand over: 6.19 and 7.0 write it down anew then.
 */
export const isStale = (s: State, seen: Seen): boolean =>
  runsBefore(s, '7.1') && !isFinal(s) && seen.handover.preserved.length < keptBlocks(s);

/** Whether a jump writes down by itself what nobody wrote down. */
export const jumpFinalizes = (s: State): boolean => runsAs(s, 'v5') && !isFinal(s);

/** Whether a jump did not take place because what it had to write down could not be. */
export const isPutOff = (s: State, value: number): boolean =>
  value === -ENOMEM || (value === -EINVAL && s.loaded.get() === WITH_HANDOVER && runsAs(s, 'v5'));

const keptBlocks = (s: State): number => {
  let blocks = 0;
  s.eachFrame((pfn) => {
    for (let bits = s.kept.get(pfn); bits !== 0; bits = (bits & (bits - 1)) >>> 0) blocks++;
  });
  return blocks;
};

/** Whether `memblock` is the kernel's own list of regions, not the blob of somebody else. */
const listsRegions = (s: State): boolean => {
  const list = s.outFrame.get(MEMBLOCK_NAME) - 1;
  return list >= 0 && s.use.get(list) === KHO;
};

/**
 * Nothing stays preserved, and users are named no more; reserve_mem names itself again. Before the
 * merge only the tree is taken back, and users go on.
 */
const takeAllBack = (s: State): void => {
  s.final.set(0);
  if (isEarly(s)) return;
  s.eachFrame((pfn) => s.kept.set(pfn, 0));
  for (let name = 0; name < s.machine.nameBytes.length; name++) {
    if (name !== MEMBLOCK_NAME || !listsRegions(s)) unnameBlob(s, name);
  }
};

/** What the kernel's own users preserve when it is finalized: the tree, regions and their list. */
export const preserveOwn = (s: State): void => {
  s.final.set(1);
  if (!isEarly(s)) s.kept.set(s.fdt.get(), 1);
  if (listsRegions(s)) s.kept.set(s.outFrame.get(MEMBLOCK_NAME) - 1, 1);
  eachRegion(s, (first, count) =>
    eachBlock(s.machine, first, count, (head, order) =>
      s.kept.set(head, (s.kept.get(head) | (2 ** order)) >>> 0),
    ),
  );
};

export const finalize: Action = {
  name: 'finalize',
  says: 'write down what will be handed over',
  until: '7.0',
  refusals: [-EEXIST, -EINVAL],
  refusalSpans: { [-EEXIST]: { since: 'v5', until: '6.18' }, [-EINVAL]: { until: 'v5' } },
  shows: () => 'echo 1 > out/finalize',
  effect: (s, _call: Call, answer) => {
    const { value } = answer;
    if (value === -EEXIST) return;
    bookOwnPages(s, answer);
    if (!runsBefore(s, '6.19')) return;
    if (value === 0) preserveOwn(s);
    else takeAllBack(s);
  },
};

export const abort: Action = {
  name: 'abort',
  says: 'take back what was finalized, and all that was preserved',
  until: '7.0',
  refusals: [-ENOENT, -EINVAL],
  refusalSpans: {
    0: { until: '6.18' },
    [-ENOENT]: { since: 'v5', until: '6.18' },
    [-EINVAL]: { since: '6.19' },
  },
  shows: () => 'echo 0 > out/finalize',
  effect: (s, _call, answer) => {
    if (answer.value !== 0) return;
    takeAllBack(s);
    bookOwnPages(s, answer);
  },
};

export const PHASES: Chapter = {
  title: 'Phases',
  says: 'Older kernels write down what they hand over: once and frozen, then again at any time.',
  rules: [PHS_01, PHS_02, PHS_03, PHS_04, PHS_05, PHS_06, PHS_07, PHS_08, PHS_09, PHS_10],
  actions: [finalize, abort],
};
