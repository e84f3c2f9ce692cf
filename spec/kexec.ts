/**
 * Chapter: loading, jumping, booting.
 *
 * A kernel image is loaded beforehand; the handover is whatever stands in memory when the machine
 * jumps. The next kernel believes it or it does not: a tree that it cannot take is refused as a
 * whole, and then it boots as if there had been none.
 */
import { bookOwnPages } from './allocation.ts';
import { COLD, FIRST_BLOB_DAMAGE, NEXT_KERNELS, NO_KHO, REVIVED, TREE_DAMAGE } from './call.ts';
import type { Answer, Call, Ranges } from './call.ts';
import { EADDRNOTAVAIL, EINVAL } from './errno.ts';
import { ROOT_STRING, generationOfAge } from './generations.ts';
import {
  MEMBLOCK_NAME,
  METADATA_BYTES,
  METADATA_NAME,
  forgetTree,
  handTreeOver,
  nameBlob,
  unnameAll,
} from './handover-tree.ts';
import { forgetSessions, handSessionsOver } from './live-update-actions.ts';
import { isPutOff, jumpFinalizes, preserveOwn } from './phases.ts';
import { bookRegions } from './reserve-mem.ts';
import { concepts, core, kernel, range } from './rules.ts';
import type { Action, AnswerRule, Chapter, SystemSightRule } from './rules.ts';
import { areaWithoutRoom, areasOf, asksForNothing, slotOfArea } from './scratch-sizes.ts';
import {
  EARLY,
  HELD,
  KHO,
  KHO_OFF,
  KHO_ON,
  NO_IMAGE,
  WITH_HANDOVER,
  WITHOUT_HANDOVER,
  areaSlots,
  clearFrame,
  isKept,
  isWritten,
  rootsMatch,
  runsBefore,
  setUse,
  keptOrders,
} from './state.ts';
import type { State } from './state.ts';

/** Whether the loaded image carries a handover, for a kernel that would take one. */
export const isHandover = (s: State): boolean =>
  s.loaded.get() === WITH_HANDOVER && s.nextKernel.get() === KHO_ON;

export const KEX_01: AnswerRule = {
  kind: 'answer',
  id: 'KEX-01',
  says: 'An image is loaded, or there is no room for it in scratch.',
  sources: [core('kho_locate_mem_hole'), core('kho_fill_kimage')],
  strength: 'observed',
  on: ['kexecFileLoad'],
  when: () => true,
  holds: (_s, _call, { value }) => value === 0 || value === -EADDRNOTAVAIL,
  tell: (_s, _call, { value }) => `answered ${value}`,
};

export const KEX_02: AnswerRule = {
  kind: 'answer',
  id: 'KEX-02',
  says: 'Segments of an image do not overlap.',
  sources: [kernel('kernel/kexec_core.c', 'sanity_check_segment_list')],
  strength: 'observed',
  on: ['kexecFileLoad'],
  when: (_s, _call, { placed }) => placed.length > 1,
  holds: (_s, _call, { placed }) => {
    for (let i = 1; i < placed.length; i++) {
      for (let j = 0; j < i; j++) {
        const end = placed.first(j) + placed.count(j);
        if (placed.first(i) < end && placed.first(j) < placed.first(i) + placed.count(i)) {
          return false;
        }
      }
    }
    return true;
  },
  tell: () => 'two segments share a frame',
};

export const KEX_03: AnswerRule = {
  kind: 'answer',
  id: 'KEX-03',
  says: 'Without a loaded image there is no kexec.',
  sources: [kernel('kernel/kexec_core.c', 'kernel_kexec')],
  strength: 'observed',
  on: ['kexec'],
  when: (s) => s.loaded.get() === NO_IMAGE,
  holds: (_s, _call, answer) => answer.value === -EINVAL,
  tell: (_s, _call, answer) => `nothing was loaded, answered ${answer.value}`,
};

/** Whether nothing happened to the tree, or nothing that concerns more than one blob. */
const isSound = ({ value }: Call): boolean => value === 0 || value >= FIRST_BLOB_DAMAGE;

export const KEX_04: AnswerRule = {
  kind: 'answer',
  id: 'KEX-04',
  says: 'The next kernel takes a whole and compatible handover over.',
  sources: [concepts('KHO FDT'), core('kho_populate')],
  strength: 'promised',
  on: ['kexec'],
  when: (s, call, { value }) =>
    isHandover(s) && rootsMatch(s) && isSound(call) && !isPutOff(s, value),
  holds: (_s, _call, answer) => answer.value === REVIVED,
  tell: (_s, _call, answer) => `the handover was whole, the next kernel answered ${answer.value}`,
};

/** Whether a kernel took nothing over; SCR-09 says whether it must have KHO then. */
export const startsAnew = (value: number): boolean => value === COLD || value === NO_KHO;

export const KEX_05: AnswerRule = {
  kind: 'answer',
  id: 'KEX-05',
  says: 'The next kernel refuses a tree that is broken or of another ABI, and boots cold.',
  sources: [core('kho_populate')],
  strength: 'observed',
  since: '6.19',
  on: ['kexec'],
  when: (s, call, { value }) =>
    isHandover(s) && rootsMatch(s) && !isSound(call) && !isPutOff(s, value),
  holds: (_s, _call, { value }) => startsAnew(value),
  tell: (_s, _call, answer) => `the tree was broken, the next kernel answered ${answer.value}`,
};

const touchesKept = (s: State, ranges: Ranges): number => {
  for (let i = 0; i < ranges.length; i++) {
    const end = ranges.first(i) + ranges.count(i);
    for (let pfn = ranges.first(i); pfn < end; pfn++) if (isKept(s, pfn)) return pfn;
  }
  return -1;
};

export const KEX_06: AnswerRule = {
  kind: 'answer',
  id: 'KEX-06',
  says: 'No page that was handed over serves the next kernel’s own boot.',
  sources: [concepts('Scratch Regions'), core('kho_mem_retrieve')],
  strength: 'promised',
  on: ['kexec'],
  when: (_s, _call, answer) => answer.value === 1,
  holds: (s, _call, { early, taken }) => touchesKept(s, early) < 0 && touchesKept(s, taken) < 0,
  tell: (s, _call, { early, taken }) =>
    `${range(Math.max(touchesKept(s, early), touchesKept(s, taken)), 1)} was handed over and is ` +
    'in use by the next kernel itself',
};

export const KEX_07: AnswerRule = {
  kind: 'answer',
  id: 'KEX-07',
  says: 'A machine that is switched on finds no handover and comes up with KHO ready.',
  sources: [concepts('Scratch Regions')],
  strength: 'promised',
  on: ['coldBoot'],
  when: (s, call, answer) =>
    call.value === KHO_ON &&
    areaWithoutRoom(s, call, answer) < 0 &&
    !asksForNothing(s, call, answer),
  holds: (_s, _call, answer) => answer.value === COLD,
  tell: (_s, _call, answer) => `answered ${answer.value}`,
};

export const KEX_08: AnswerRule = {
  kind: 'answer',
  id: 'KEX-08',
  says: 'A kernel whose root string is another one refuses the whole handover, and boots cold.',
  sources: [core('kho_populate'), concepts('KHO FDT')],
  strength: 'promised',
  acrossRoots: true,
  on: ['kexec'],
  when: (s, _call, { value }) => isHandover(s) && !rootsMatch(s) && !isPutOff(s, value),
  holds: (_s, _call, { value }) => startsAnew(value),
  tell: (s, _call, { value }) =>
    `${ROOT_STRING[generationOfAge(s.runs.get())]} was handed to a kernel that takes ` +
    `${ROOT_STRING[generationOfAge(s.loads.get())]}, which answered ${value}`,
};

export const KEX_09: SystemSightRule = {
  kind: 'sight',
  each: 'system',
  id: 'KEX-09',
  says: 'What a kernel’s own users handed over is looked at by the next one, or all is refused.',
  sources: [concepts('KHO FDT'), kernel('kernel/liveupdate/luo_core.c', 'luo_early_startup')],
  strength: 'assumed',
  find: (s, seen, report) => {
    if (s.revived.get() === 0) return 0;
    for (const part of seen.passedOver) {
      report(() => `${part} was handed over; this kernel did not look at it`);
    }
    return 1;
  },
};

/** Notes a page that a booting kernel preserved for itself and named in its tree. */
const bookBlob = (s: State, name: number, frame: number, bytes: number): void => {
  if (!runsBefore(s, '6.19')) s.kept.set(frame, 1);
  nameBlob(s, name, frame, bytes);
};

/** Books what a kernel reserved and took while it booted, and what it preserved for itself. */
const bookBoot = (s: State, answer: Answer, kernelKind: number): void => {
  const { early, taken, fdt, metadata, memblock } = answer;
  for (let i = 0; i < early.length; i++) setUse(s, early.first(i), early.count(i), EARLY);
  for (let i = 0; i < taken.length; i++) setUse(s, taken.first(i), taken.count(i), KHO);
  unnameAll(s);
  s.kho.set(kernelKind);
  s.fdt.set(fdt);
  if (kernelKind === KHO_ON) {
    if (!runsBefore(s, '6.19')) s.kept.set(fdt, 1);
    if (metadata !== 0) bookBlob(s, METADATA_NAME, metadata, METADATA_BYTES);
  }
  bookRegions(s, answer);
  if (memblock !== 0) bookBlob(s, MEMBLOCK_NAME, memblock, answer.memblockBytes);
  s.crashFirst.set(answer.crashFirst);
  s.crashCount.set(answer.crashCount);
  s.loaded.set(NO_IMAGE);
  s.nextKernel.set(KHO_ON);
  s.loads.set(s.runs.get());
  s.final.set(0);
  s.crashLoaded.set(0);
  s.line.set(0);
};

/** Nothing of the kernel before is left. Of a kernel without room for scratch, KHO is off. */
export const bootCold = (s: State, answer: Answer, asked: number): void => {
  const kernelKind = asked === KHO_ON && answer.value === NO_KHO ? KHO_OFF : asked;
  s.eachFrame((pfn) => clearFrame(s, pfn));
  for (let slot = 0; slot < areaSlots(s.machine); slot++) {
    s.areaFirst.set(slot, 0);
    s.areaCount.set(slot, 0);
  }
  const areas = Math.min(answer.areas.length, areasOf(s.machine, s.runs.get()));
  for (let area = 0; area < areas; area++) {
    const slot = slotOfArea(s.machine, area, s.runs.get());
    s.areaFirst.set(slot, answer.areas.first(area));
    s.areaCount.set(slot, answer.areas.count(area));
  }
  forgetTree(s);
  forgetSessions(s);
  s.revived.set(0);
  s.kexecs.set(0);
  bookBoot(s, answer, kernelKind);
};

/** Every preserved block is held now, with its content; every other frame is empty. */
const handOver = (s: State): void => {
  s.eachFrame((pfn) => {
    if (s.use.get(pfn) === HELD) s.use.set(pfn, KHO);
  });
  s.eachFrame((pfn) => {
    const orders = keptOrders(s, pfn);
    for (let at = orders.length - 1; at >= 0; at--) {
      const order = orders[at]!;
      setUse(s, pfn, 2 ** order, HELD);
      s.block.set(pfn, order + 1);
    }
  });
  s.eachFrame((pfn) => {
    if (s.use.get(pfn) !== HELD) clearFrame(s, pfn);
    else if (s.kept.get(pfn) === 0) s.block.set(pfn, 0);
  });
  s.eachFrame((pfn) => {
    s.kept.set(pfn, 0);
    s.blob.set(pfn, 0);
  });
};

const bootRevived = (s: State, call: Call, answer: Answer): void => {
  handOver(s);
  handTreeOver(s, call);
  handSessionsOver(s);
  for (let name = 0; name < s.machine.nameBytes.length; name++) {
    const frame = s.inFrame.get(name) - 1;
    if (frame >= 0 && s.use.get(frame) === HELD) s.blob.set(frame, 1);
  }
  s.revived.set(1);
  s.kexecs.set(s.kexecs.get() + 1);
  bookBoot(s, answer, KHO_ON);
};

/** The option that a call gives a kernel, as people read it; nothing for an ordinary kernel. */
export const kernelText = (value: number): string =>
  value === KHO_ON ? '' : (NEXT_KERNELS[value] ?? '?');

export const coldBoot: Action = {
  name: 'coldBoot',
  says: 'switch the machine off and on',
  shows: ({ name, order, value }) => {
    const series = order === 0 ? '' : `Linux ${generationOfAge(order - 1)}`;
    const line = name === 0 ? '' : `command line ${name}`;
    return ['switch on', series, line, kernelText(value)].filter(Boolean).join(', ');
  },
  effect: (s, call, answer) => {
    s.runs.set(call.order === 0 ? s.installed.get() : call.order - 1);
    bootCold(s, answer, call.value);
  },
};

export const kexecFileLoad: Action = {
  name: 'kexecFileLoad',
  says: 'load the next kernel',
  refusals: [-EADDRNOTAVAIL],
  shows: ({ name, count, order, value }) => {
    const size = count === 0 ? '' : `image of ${count} frames`;
    const series = order === 0 ? '' : `Linux ${generationOfAge(order - 1)}`;
    const line = name === 0 ? '' : `command line ${name}`;
    return `kexec_file_load(${[series, size, line, kernelText(value)].filter(Boolean).join(', ')})`;
  },
  effect: (s, call, answer) => {
    const attaches = isWritten(s) || jumpFinalizes(s);
    if (answer.value === 0) bookImage(s, call, s.kho.get() === KHO_ON && attaches);
  },
};

/** Books an image that replaces what was loaded before. */
export const bookImage = (s: State, { name, order, value }: Call, handover: boolean): void => {
  s.loads.set(order === 0 ? s.runs.get() : order - 1);
  s.loaded.set(handover ? WITH_HANDOVER : WITHOUT_HANDOVER);
  s.nextKernel.set(value);
  s.line.set(name);
};

export const kexec: Action = {
  name: 'kexec',
  says: 'jump to the loaded kernel',
  refusals: [-EINVAL],
  shows: ({ name, value }, nameOf) => {
    if (value === 0) return '── kexec ──';
    const blob = value < FIRST_BLOB_DAMAGE ? '' : ` ('${nameOf(name)}')`;
    return `── kexec ── tree damaged: ${TREE_DAMAGE[value]}${blob}`;
  },
  effect: (s, call, answer) => {
    if (isPutOff(s, answer.value)) bookOwnPages(s, answer);
    if (answer.value < 0) return;
    if (isHandover(s) && jumpFinalizes(s)) preserveOwn(s);
    s.runs.set(s.loads.get());
    if (answer.value === REVIVED) bootRevived(s, call, answer);
    else if (answer.value === COLD || answer.value === NO_KHO) {
      bootCold(s, answer, s.nextKernel.get());
    }
  },
};

export const KEXEC: Chapter = {
  title: 'Loading, jumping, booting',
  says: 'What stands in memory at the jump is handed over; a tree that cannot be taken is refused.',
  rules: [KEX_01, KEX_02, KEX_03, KEX_04, KEX_05, KEX_06, KEX_07, KEX_08, KEX_09],
  actions: [kexecFileLoad, kexec, coldBoot],
};
