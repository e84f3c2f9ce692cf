/**
 * Chapter: ways to load.
 *
 * There is one place for the image of the next kernel and one for that of a crash kernel. A load
 * that succeeds replaces what was there, a load that fails leaves the image of the next kernel
 * alone, and an unload leaves the place empty. Only kexec_file_load(2) under a kernel with KHO
 * makes an image that carries a handover; nothing of the handover is copied when it is loaded.
 *
 * `Call.count` is the size of an image in frames, 0 for an ordinary one.
 */
import { NEXT_KERNELS, REVIVED } from './call.ts';
import type { Answer, Call, Ranges } from './call.ts';
import { EADDRNOTAVAIL } from './errno.ts';
import { bookImage, kernelText, startsAnew } from './kexec.ts';
import { core, hex, kernel, range } from './rules.ts';
import type { Action, AnswerRule, Chapter } from './rules.ts';
import { KHO_ON, NO_IMAGE, WITHOUT_HANDOVER, areaSlots, confinesImages, isEarly } from './state.ts';
import type { State } from './state.ts';

/** `Call.value` of `kexecUnload`. */
export const UNLOAD_NEXT = 0;
export const UNLOAD_CRASH = 1;

const file = (symbol: string) => kernel('kernel/kexec_file.c', symbol);

/**
 * Frames that go with an image: a ramdisk and the aligned scratch array; before the merge the tree
 * and the array of its ranges, too.
 */
const companions = (s: State): number => (isEarly(s) ? 56 : 40);

/** Frames of the largest area of scratch. */
const largestArea = (s: State): number => {
  let frames = 0;
  for (let area = 0; area < areaSlots(s.machine); area++) {
    frames = Math.max(frames, s.areaCount.get(area));
  }
  return frames;
};

export const LOD_01: AnswerRule = {
  kind: 'answer',
  id: 'LOD-01',
  says: 'An image that is larger than every scratch area is refused with -EADDRNOTAVAIL.',
  sources: [core('kho_locate_mem_hole'), file('locate_mem_hole_callback')],
  strength: 'observed',
  repeats: 'KEX-01, SCR-06 and LOD-03 refuse all of it together; here is why',
  on: ['kexecFileLoad'],
  when: (s, call) => confinesImages(s) && call.count > largestArea(s),
  holds: (_s, _call, { value }) => value === -EADDRNOTAVAIL,
  tell: (s, { count }, { value }) =>
    `${count} frames do not fit an area of ${largestArea(s)}, answered ${value}`,
};

export const LOD_02: AnswerRule = {
  kind: 'answer',
  id: 'LOD-02',
  says: 'An image is loaded when a scratch area has room for it and what goes with it.',
  sources: [core('kho_locate_mem_hole')],
  strength: 'assumed',
  on: ['kexecFileLoad'],
  when: (s, call) => confinesImages(s) && call.count + companions(s) <= largestArea(s),
  holds: (_s, _call, { value }) => value === 0,
  tell: (s, { count }, { value }) =>
    `${count} frames fit an area of ${largestArea(s)}, answered ${value}`,
};

const largest = (ranges: Ranges): number => {
  let frames = 0;
  for (let i = 0; i < ranges.length; i++) frames = Math.max(frames, ranges.count(i));
  return frames;
};

export const LOD_03: AnswerRule = {
  kind: 'answer',
  id: 'LOD-03',
  says: 'A segment of a loaded image has room for all of it.',
  sources: [file('kexec_add_buffer')],
  strength: 'observed',
  on: ['kexecFileLoad', 'kexecCrashLoad'],
  when: (_s, call, { value }) => value === 0 && call.count > 0,
  holds: (_s, { count }, { placed }) => largest(placed) >= count,
  tell: (_s, { count }, { placed }) =>
    `the image has ${count} frames, its largest segment ${largest(placed)}`,
};

export const LOD_04: AnswerRule = {
  kind: 'answer',
  id: 'LOD-04',
  says: 'A load by kexec_load(2), and any load without KHO, takes an image for any memory.',
  sources: [kernel('kernel/kexec.c', 'do_kexec_load'), core('kho_locate_mem_hole')],
  strength: 'observed',
  on: ['kexecLoad', 'kexecFileLoad'],
  when: (s, call) => call.action === 'kexecLoad' || !confinesImages(s),
  holds: (_s, _call, { value }) => value === 0,
  tell: (_s, _call, { value }) => `answered ${value}`,
};

export const LOD_05: AnswerRule = {
  kind: 'answer',
  id: 'LOD-05',
  says: 'Unloading succeeds, whether anything was loaded or not.',
  sources: [file('kexec_file_load')],
  strength: 'observed',
  on: ['kexecUnload'],
  when: () => true,
  holds: (_s, _call, { value }) => value === 0,
  tell: (_s, _call, { value }) => `answered ${value}`,
};

export const LOD_06: AnswerRule = {
  kind: 'answer',
  id: 'LOD-06',
  says: 'An image of kexec_load(2), or one loaded without KHO, carries no handover.',
  sources: [core('kho_fill_kimage')],
  strength: 'observed',
  on: ['kexec'],
  when: (s) => s.loaded.get() === WITHOUT_HANDOVER && s.nextKernel.get() === KHO_ON,
  holds: (_s, _call, { value }) => startsAnew(value),
  tell: (_s, _call, { value }) => `the next kernel answered ${value}`,
};

/** Whether every one of `ranges` lies in the memory of the crash kernel. */
export const insideCrashMemory = (s: State, ranges: Ranges): boolean => {
  const start = s.crashFirst.get();
  const end = start + s.crashCount.get();
  for (let i = 0; i < ranges.length; i++) {
    if (ranges.first(i) < start || ranges.first(i) + ranges.count(i) > end) return false;
  }
  return true;
};

export const LOD_07: AnswerRule = {
  kind: 'answer',
  id: 'LOD-07',
  says:
    'A crash image is loaded into the memory that is reserved for it, and refused with ' +
    '-EADDRNOTAVAIL when it is larger.',
  sources: [file('kexec_walk_resources'), core('kho_locate_mem_hole')],
  strength: 'observed',
  on: ['kexecCrashLoad'],
  when: () => true,
  holds: (s, { count }, { value, placed }) =>
    count > s.crashCount.get() || s.crashCount.get() === 0
      ? value === -EADDRNOTAVAIL
      : value === 0 && placed.length > 0 && insideCrashMemory(s, placed),
  tell: (s, { count }, { value, placed }) =>
    `${range(s.crashFirst.get(), s.crashCount.get())} are reserved; an image of ${count} frames ` +
    `was answered with ${value}, in ${placed.length} segments` +
    (placed.length > 0 ? `, the first at ${hex(placed.first(0))}` : ''),
};

const reservedCrash = ({ early, crashFirst, crashCount }: Answer): boolean => {
  for (let i = 0; i < early.length; i++) {
    const end = early.first(i) + early.count(i);
    if (early.first(i) <= crashFirst && crashFirst + crashCount <= end) return true;
  }
  return crashCount === 0;
};

/** Where scratch is all there is, it may be too full. */
const hasNoRoom = ({ value, crashCount }: Answer): boolean => value === REVIVED && crashCount === 0;

export const LOD_08: AnswerRule = {
  kind: 'answer',
  id: 'LOD-08',
  says: 'A kernel reserves the memory of its crash kernel early, and as much as was asked for.',
  sources: [kernel('kernel/crash_reserve.c', 'reserve_crashkernel_generic')],
  strength: 'observed',
  on: ['coldBoot', 'kexec'],
  when: (_s, _call, { value }) => value >= 0,
  holds: (s, _call, answer) =>
    (answer.crashCount === (s.machine.crashFrames ?? 0) || hasNoRoom(answer)) &&
    reservedCrash(answer),
  tell: (s, _call, { crashFirst, crashCount }) =>
    `${s.machine.crashFrames ?? 0} frames were asked for; the kernel has ${crashCount} from ` +
    hex(crashFirst),
};

export const kexecLoad: Action = {
  name: 'kexecLoad',
  says: 'load the next kernel by kexec_load(2), to a place that the caller chose',
  shows: ({ pfn, count, value }) =>
    `kexec_load(${[`${hex(pfn)}, ${count}`, kernelText(value)].filter(Boolean).join(', ')})`,
  effect: (s, call, answer) => {
    if (answer.value === 0) bookImage(s, call, false);
  },
};

export const kexecUnload: Action = {
  name: 'kexecUnload',
  says: 'unload the image of the next kernel, or of the crash kernel',
  shows: ({ value }: Call) => `kexec_file_load(unload${value === UNLOAD_NEXT ? '' : ', crash'})`,
  effect: (s, { value }, answer) => {
    if (answer.value !== 0) return;
    if (value === UNLOAD_CRASH) s.crashLoaded.set(0);
    else {
      s.loaded.set(NO_IMAGE);
      s.nextKernel.set(KHO_ON);
      s.loads.set(s.runs.get());
      s.line.set(0);
    }
  },
};

/** A crash image is unloaded before the next one is tried: what fails leaves none. */
export const kexecCrashLoad: Action = {
  name: 'kexecCrashLoad',
  says: 'load a crash kernel',
  refusals: [-EADDRNOTAVAIL],
  shows: ({ count }) => `kexec_file_load(crash${count === 0 ? '' : `, image of ${count} frames`})`,
  effect: (s, _call, answer) => s.crashLoaded.set(answer.value === 0 ? 1 : 0),
};

export const LOADING: Chapter = {
  title: 'Ways to load',
  says:
    'The later image counts, a failed load changes nothing, and only kexec_file_load(2) carries ' +
    `a handover; the next kernel may have ${NEXT_KERNELS.slice(1).join(' or be one ')}.`,
  rules: [LOD_01, LOD_02, LOD_03, LOD_04, LOD_05, LOD_06, LOD_07, LOD_08],
  actions: [kexecLoad, kexecUnload, kexecCrashLoad],
};
