/**
 * Chapter: memory that is taken and kept in one go.
 *
 * `kho_alloc_preserve` is for those who only want a blob to hand over: it takes the smallest block
 * that holds the size asked for, zeroes it and preserves it as one folio. Two calls undo it: one in
 * the same kernel, one in the next.
 */
import { bookOwnPages, freeOutsideScratch } from './allocation.ts';
import { ANY_NODE } from './call.ts';
import type { Call } from './call.ts';
import { E2BIG, EINVAL, ENOENT, ENOMEM } from './errno.ts';
import { onOneNode } from './machine.ts';
import { heldBlock } from './restore.ts';
import { core, hex, range } from './rules.ts';
import type { Action, AnswerRule, Chapter, FrameSightRule } from './rules.ts';
import { FREE, HELD, UNMOVABLE, allAre, clearFrames, setUse, touchesScratch } from './state.ts';
import type { State } from './state.ts';

/** Stamp of a page of zeros that nobody wrote since; no write has it. */
export const ZEROES = 0xfffffffe;

/** The same on a machine; small scopes have small stamps. */
export const zeroes = ({ machine }: State): number => machine.zeroStamp ?? ZEROES;

/** Order of the smallest block that holds so many bytes; `bytes` is at least 1. */
export const orderFor = (s: State, bytes: number): number => {
  let order = 0;
  while (2 ** (order + s.machine.pageShift) < bytes) order++;
  return order;
};

const tooLarge = (s: State, bytes: number): boolean => orderFor(s, bytes) > s.machine.maxOrder;

/** Whether a block was free memory outside scratch, aligned and on one node. */
const couldServe = (s: State, pfn: number, order: number): boolean => {
  const frames = 2 ** order;
  const stands = pfn % frames === 0 && onOneNode(s.machine, pfn, frames);
  return stands && allAre(s, pfn, frames, FREE) && !touchesScratch(s, pfn, frames);
};

const canBe = (s: State, bytes: number): boolean => bytes > 0 && !tooLarge(s, bytes);

export const APR_01: AnswerRule = {
  kind: 'answer',
  id: 'APR-01',
  says: 'Asking for no bytes at all is refused with -EINVAL.',
  sources: [core('kho_alloc_preserve')],
  strength: 'promised',
  since: '6.19',
  on: ['allocPreserve'],
  when: (_s, { value }) => value === 0,
  holds: (_s, _call, { value }) => value === -EINVAL,
  tell: (_s, _call, { value }) => `answered ${value} to 0 bytes`,
};

export const APR_02: AnswerRule = {
  kind: 'answer',
  id: 'APR-02',
  says: 'Asking for more than the largest block of the page allocator is refused with -E2BIG.',
  sources: [core('kho_alloc_preserve')],
  strength: 'promised',
  since: '6.19',
  on: ['allocPreserve'],
  when: (s, { value }) => tooLarge(s, value),
  holds: (_s, _call, { value }) => value === -E2BIG,
  tell: (_s, call, { value }) => `answered ${value} to ${call.value} bytes`,
};

export const APR_03: AnswerRule = {
  kind: 'answer',
  id: 'APR-03',
  says: 'Any other size is served by a free, aligned block outside scratch, or there is none.',
  sources: [core('kho_alloc_preserve')],
  strength: 'promised',
  since: '6.19',
  on: ['allocPreserve'],
  when: (s, { value }) => canBe(s, value),
  holds: (s, call, { value }) => {
    const order = orderFor(s, call.value);
    if (value >= 0) return couldServe(s, value, order);
    // The tracker may need pages, too: one for each level below its root.
    const enough =
      call.fails === 0 && order === 0 && freeOutsideScratch(s, ANY_NODE) > TRACKER_LEVELS;
    return value === -ENOMEM && !enough;
  },
  tell: (s, call, { value }) => {
    if (value < 0) return `answered ${value} with ${freeOutsideScratch(s, ANY_NODE)} pages free`;
    return `${range(value, 2 ** orderFor(s, call.value))} was in use, is scratch or lies askew`;
  },
};

/** Most pages that noting one block can take. */
const TRACKER_LEVELS = 5;

export const APR_04: FrameSightRule = {
  kind: 'sight',
  each: 'frame',
  id: 'APR-04',
  says: 'Memory that was taken to be preserved reads zero until it is written.',
  sources: [core('kho_alloc_preserve')],
  strength: 'promised',
  repeats: 'CNT-01 and CNT-02 refuse all of it; zeros are a promise of its own',
  since: '6.19',
  when: (s, _seen, pfn) => s.content.get(pfn) === zeroes(s),
  holds: (s, seen, pfn) => seen.content(pfn) === zeroes(s),
  tell: (_s, seen, pfn) => `frame ${hex(pfn)} should be zero, holds ${hex(seen.content(pfn))}`,
};

export const APR_05: AnswerRule = {
  kind: 'answer',
  id: 'APR-05',
  says: 'Freeing what is preserved succeeds and needs no memory.',
  sources: [core('kho_unpreserve_free')],
  strength: 'promised',
  since: '6.19',
  on: ['unpreserveFree'],
  when: () => true,
  holds: (_s, _call, { value, taken }) => value === 0 && taken.length === 0,
  tell: (_s, _call, { value }) => `answered ${value}`,
};

export const APR_06: AnswerRule = {
  kind: 'answer',
  id: 'APR-06',
  says: 'A folio that was handed over can be freed at once, all of it.',
  sources: [core('kho_restore_free')],
  strength: 'promised',
  since: '6.19',
  on: ['restoreFree'],
  when: (s, { pfn }) => heldBlock(s, pfn) > 0,
  holds: (s, { pfn }, { value, managed }) =>
    value === heldBlock(s, pfn) - 1 && managed === 2 ** value,
  tell: (s, { pfn }, { value, managed }) =>
    `${range(pfn, 1)} was handed over with order ${heldBlock(s, pfn) - 1}, ` +
    `answered ${value}, ${managed} pages came under management`,
};

export const APR_07: AnswerRule = {
  kind: 'answer',
  id: 'APR-07',
  says: 'What was not handed over, or was restored already, is not freed.',
  sources: [core('kho_restore_free')],
  strength: 'promised',
  since: '6.19',
  on: ['restoreFree'],
  when: (s, { pfn }) => heldBlock(s, pfn) === 0,
  holds: (_s, _call, { value, managed }) => value === -ENOENT && managed === 0,
  tell: (_s, { pfn }, { value }) => `${range(pfn, 1)} is not held, answered ${value}`,
};

/** Bytes as people read them. */
const bytesText = (bytes: number): string =>
  bytes > 0 && bytes % 1024 === 0 ? `${bytes / 1024} KiB` : `${bytes} bytes`;

export const allocPreserve: Action = {
  name: 'allocPreserve',
  since: '6.19',
  says: 'take zeroed memory and keep it for the next kernel',
  refusals: [-EINVAL, -E2BIG, -ENOMEM],
  shows: ({ value }) => `kho_alloc_preserve(${bytesText(value)})`,
  effect: (s, call: Call, answer) => {
    bookOwnPages(s, answer);
    const { value } = answer;
    if (value < 0) return;
    const order = orderFor(s, call.value);
    setUse(s, value, 2 ** order, UNMOVABLE);
    s.block.set(value, order + 1);
    s.kept.set(value, 2 ** order);
    for (let pfn = value; pfn < value + 2 ** order; pfn++) s.content.set(pfn, zeroes(s));
  },
};

export const unpreserveFree: Action = {
  name: 'unpreserveFree',
  since: '6.19',
  says: 'stop keeping a folio and give it back',
  shows: ({ pfn }) => `kho_unpreserve_free(${hex(pfn)})`,
  effect: (s, { pfn, order }) => clearFrames(s, pfn, 2 ** order),
};

export const restoreFree: Action = {
  name: 'restoreFree',
  since: '6.19',
  says: 'give a folio back that the previous kernel kept',
  refusals: [-ENOENT],
  shows: ({ pfn }) => `kho_restore_free(${hex(pfn)})`,
  effect: (s, { pfn }, { value }) => {
    if (value >= 0 && s.use.get(pfn) === HELD) clearFrames(s, pfn, 2 ** value);
  },
};

export const ALLOC_PRESERVE: Chapter = {
  title: 'Taking and keeping in one go',
  says: 'Zeroed memory, preserved as one folio; freed in this kernel or in the next.',
  rules: [APR_01, APR_02, APR_03, APR_04, APR_05, APR_06, APR_07],
  actions: [allocPreserve, unpreserveFree, restoreFree],
};
