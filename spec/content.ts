/**
 * Chapter: content.
 *
 * The point of it all: memory that was preserved reads the same in every later kernel that it is
 * handed to, however many kexecs lie between.
 */
import { concepts, hex, kernel } from './rules.ts';
import type { Chapter, FrameSightRule } from './rules.ts';
import { HELD } from './state.ts';

export const CNT_01: FrameSightRule = {
  kind: 'sight',
  each: 'frame',
  id: 'CNT-01',
  says: 'Memory that was handed over reads as it was written, over any number of kexecs.',
  sources: [concepts('Kexec Handover Subsystem: overview'), concepts('KHO FDT')],
  strength: 'promised',
  when: (s, _seen, pfn) => s.use.get(pfn) === HELD && s.content.get(pfn) !== 0,
  holds: (s, seen, pfn) => seen.content(pfn) === s.content.get(pfn),
  tell: (s, seen, pfn) =>
    `frame ${hex(pfn)} held ${hex(s.content.get(pfn))} and reads ${hex(seen.content(pfn))}`,
};

export const CNT_02: FrameSightRule = {
  kind: 'sight',
  each: 'frame',
  id: 'CNT-02',
  says: 'Memory that somebody owns reads as its owner wrote it.',
  sources: [kernel('mm/page_alloc.c', '__alloc_frozen_pages_noprof')],
  strength: 'observed',
  when: (s, _seen, pfn) => s.use.get(pfn) !== HELD && s.content.get(pfn) !== 0,
  holds: (s, seen, pfn) => seen.content(pfn) === s.content.get(pfn),
  tell: (s, seen, pfn) =>
    `frame ${hex(pfn)} was written ${hex(s.content.get(pfn))} and reads ${hex(seen.content(pfn))}`,
};

export const CONTENT: Chapter = {
  title: 'Content',
  says: 'Preserved memory reads the same after any number of kexecs.',
  rules: [CNT_01, CNT_02],
  actions: [],
};
