/**
 * Chapter: before the merge.
 *
 * Users of the series v3 and v4 write one tree when the active phase begins, and say in it which
 * memory is preserved. Until it ends nothing may change; then the tree is gone and users go on. The
 * next kernel holds every page as long as some node that named it did not give it back.
 *
 * The series v5 has a tree of users’ nodes that anybody may change until it is finalized.
 * Finalizing flattens it, with all that the tree says; aborting takes the flat tree back and
 * nothing else. An image may be loaded at any time: the tree is copied into it right before the
 * jump, which finalizes if nobody did.
 */
import type { Call } from './call.ts';
import { EEXIST, EINVAL, ENOENT, ENOMEM } from './errno.ts';
import { earlyTreeFits } from './early-trees.ts';
import { anyUserClaims, ownerClaims } from './claims.ts';
import { hex, kernel, range } from './rules.ts';
import type { Action, AnswerRule, Chapter, SystemSightRule } from './rules.ts';
import { ranShort } from './shortage.ts';
import { isPutOff } from './phases.ts';
import { isHeldRange } from './restore.ts';
import { HELD, clearFrame, isKept } from './state.ts';
import type { State } from './state.ts';

/** A symbol of KHO's core file, of the series. */
const series = (symbol: string) => kernel('kernel/kexec_handover.c', symbol);

const LETTER = {
  document: 'cover letter of the series v5',
  section: 'v4 -> v5',
};

const isFinal = (s: State): boolean => s.final.get() === 1;

const fitting = (s: State): string =>
  `the tree ${earlyTreeFits(s) ? 'fits' : 'does not fit'} the room for it`;

export const EAR_01: AnswerRule = {
  kind: 'answer',
  id: 'EAR-01',
  says:
    'A state tree is finalized if there is room for it, and otherwise refused with -EINVAL; for ' +
    'its list memory may be short.',
  sources: [LETTER, series('kho_finalize'), series('kho_convert_tree')],
  strength: 'promised',
  since: 'v5',
  until: 'v5',
  on: ['finalize'],
  when: (s) => !isFinal(s),
  holds: (s, call, answer) =>
    answer.value === -ENOMEM
      ? ranShort(s, call, answer)
      : answer.value === (earlyTreeFits(s) ? 0 : -EINVAL),
  tell: (s, _call, { value }) => `${fitting(s)}, answered ${value}`,
};

export const EAR_02: AnswerRule = {
  kind: 'answer',
  id: 'EAR-02',
  says: 'A node that the state tree has already is refused with -EEXIST.',
  sources: [series('kho_add_node')],
  strength: 'promised',
  until: 'v5',
  on: ['addSubtree'],
  when: (s, call) => !isFinal(s) && s.outFrame.get(call.name) !== 0,
  holds: (_s, _call, { value }) => value === -EEXIST,
  tell: (_s, call, { value }) => `name ${call.name} exists, answered ${value}`,
};

/** Whether some node of the outgoing tree leads to the blob at `pfn`. */
const isNamed = (s: State, pfn: number): boolean => {
  for (let name = 0; name < s.machine.nameBytes.length; name++) {
    if (s.outFrame.get(name) === pfn + 1) return true;
  }
  return false;
};

export const EAR_03: AnswerRule = {
  kind: 'answer',
  id: 'EAR-03',
  says: 'A node is taken out of the state tree until it is final; one that is not there: -ENOENT.',
  sources: [LETTER, series('kho_remove_node')],
  strength: 'promised',
  until: 'v5',
  on: ['removeSubtree'],
  when: (s) => !isFinal(s),
  holds: (s, call, { value }) => value === (isNamed(s, call.pfn) ? 0 : -ENOENT),
  tell: (s, call, { value }) =>
    `the node was ${isNamed(s, call.pfn) ? '' : 'not '}there, answered ${value}`,
};

export const EAR_04: AnswerRule = {
  kind: 'answer',
  id: 'EAR-04',
  says: 'A jump finalizes what is not final, and is refused only where finalizing would be.',
  sources: [LETTER, series('kho_copy_fdt')],
  strength: 'promised',
  since: 'v5',
  until: 'v5',
  on: ['kexec'],
  when: (s, _call, { value }) => isPutOff(s, value),
  holds: (s, call, answer) =>
    !isFinal(s) && (answer.value === -ENOMEM ? ranShort(s, call, answer) : !earlyTreeFits(s)),
  tell: (s, _call, { value }) =>
    `it was ${isFinal(s) ? '' : 'not '}final, ${fitting(s)}, answered ${value}`,
};

/** The concepts document of the first series. */
const concepts = (section: string) => ({
  document: 'Documentation/kho/concepts.rst of the series v4',
  section,
});

export const EAR_05: AnswerRule = {
  kind: 'answer',
  id: 'EAR-05',
  says: 'The active phase begins if there is room for the tree, else -EINVAL; it begins only once.',
  sources: [concepts('KHO active phase'), series('active_store'), series('kho_serialize')],
  strength: 'promised',
  until: 'v4',
  on: ['finalize'],
  when: () => true,
  holds: (s, _call, { value, taken }) =>
    value === (isFinal(s) || earlyTreeFits(s) ? 0 : -EINVAL) && taken.length === 0,
  tell: (s, _call, { value }) =>
    `it was ${isFinal(s) ? '' : 'not '}active, ${fitting(s)}, answered ${value}`,
};

export const EAR_06: AnswerRule = {
  kind: 'answer',
  id: 'EAR-06',
  says: 'The active phase can be ended at any time, and takes nothing.',
  sources: [series('active_store'), series('kho_abort')],
  strength: 'observed',
  until: 'v4',
  on: ['abort'],
  when: () => true,
  holds: (_s, _call, { value, taken }) => value === 0 && taken.length === 0,
  tell: (_s, _call, { value }) => `answered ${value}`,
};

/** Whether whoever asks has a claim: the user of `name - 1`, or the owner for 0. */
const hasClaim = (s: State, { pfn, count, name }: Call): boolean =>
  name === 0
    ? isHeldRange(s, pfn, count)
    : s.inFrame.get(name - 1) === pfn + 1 && s.inReturned.get(name - 1) === 0;

/** Frames of the range that nobody else has a claim on. */
const lastClaims = (s: State, { pfn, count, name }: Call): number => {
  let frames = 0;
  for (let at = pfn; at < pfn + count; at++) {
    if (s.use.get(at) !== HELD) continue;
    const others = anyUserClaims(s, at, name - 1) || (name !== 0 && ownerClaims(s, at));
    if (!others) frames++;
  }
  return frames;
};

export const EAR_07: AnswerRule = {
  kind: 'answer',
  id: 'EAR-07',
  says: 'Memory that is given back is free when the last of those that it was named by did so.',
  sources: [concepts('KHO Device Tree'), series('kho_return_mem')],
  strength: 'promised',
  until: 'v4',
  on: ['returnMem'],
  when: hasClaim,
  holds: (s, call, { value, managed }) => value === 0 && managed === lastClaims(s, call),
  tell: (s, call, { value, managed }) =>
    `${lastClaims(s, call)} of ${range(call.pfn, call.count)} should be free then; answered ` +
    `${value}, and ${managed} are`,
};

/** Seen blocks as ascending, disjoint spans of frames: first, end, first, end… */
const spansOf = (
  blocks: readonly { readonly phys: number; readonly order: number }[],
  pageShift: number,
): readonly number[] => {
  const spans: number[] = [];
  for (const { phys, order } of [...blocks].sort((a, b) => a.phys - b.phys)) {
    const first = phys / 2 ** pageShift;
    const end = first + 2 ** order;
    const last = spans.length - 1;
    if (last > 0 && first <= spans[last]!) spans[last] = Math.max(spans[last]!, end);
    else spans.push(first, end);
  }
  return spans;
};

const covers = (spans: readonly number[], first: number, end: number): boolean => {
  for (let i = 0; i < spans.length; i += 2) {
    if (spans[i]! <= first && end <= spans[i + 1]!) return true;
  }
  return false;
};

export const EAR_08: SystemSightRule = {
  kind: 'sight',
  each: 'system',
  id: 'EAR-08',
  says: 'While it is active, `mem` properties of the tree name all that is preserved and no more.',
  sources: [concepts('KHO Device Tree'), series('kho_init_reserved_pages')],
  strength: 'promised',
  until: 'v4',
  find: (s, seen, report) => {
    if (!isFinal(s)) return 0;
    const { preserved, pageShift } = seen.handover;
    for (const { phys, order } of preserved) {
      const pfn = phys / 2 ** pageShift;
      if (isKept(s, pfn) && isKept(s, pfn + 2 ** order - 1)) continue;
      report(() => `order ${order} at ${hex(pfn)} is named; nobody preserved it`);
    }
    const spans = spansOf(preserved, pageShift);
    s.eachFrame((pfn) => {
      const kept = s.kept.get(pfn);
      if (kept === 0) return;
      const order = 31 - Math.clz32(kept);
      if (covers(spans, pfn, pfn + 2 ** order)) return;
      report(() => `order ${order} at ${hex(pfn)} is preserved, no node names it`);
    });
    return Math.max(1, preserved.length);
  },
};

export const returnMem: Action = {
  name: 'returnMem',
  until: 'v4',
  says: 'give back what a node of the previous kernel named',
  shows: ({ pfn, count, name }, nameOf) =>
    `kho_return_mem(${hex(pfn)}, ${count})${name === 0 ? '' : ` of '${nameOf(name - 1)}'`}`,
  effect: (s, { pfn, count, name }, { value }) => {
    if (value !== 0) return;
    if (name > 0) s.inReturned.set(name - 1, 1);
    for (let at = pfn; name === 0 && at < pfn + count; at++) s.block.set(at, 0);
    for (let at = pfn; at < pfn + count; at++) {
      const claimed = s.use.get(at) !== HELD || ownerClaims(s, at) || anyUserClaims(s, at);
      if (!claimed) clearFrame(s, at);
    }
  },
};

export const EARLY_SERIES: Chapter = {
  title: 'Before the merge',
  says: 'One tree for all users: in phases that freeze it, and later a tree that anybody changes.',
  rules: [EAR_01, EAR_02, EAR_03, EAR_04, EAR_05, EAR_06, EAR_07, EAR_08],
  actions: [returnMem],
};
