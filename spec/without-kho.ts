/**
 * Chapter: kernels without KHO.
 *
 * A kernel may have KHO switched off (`kho=off`), not built in, or off because it is a kdump kernel
 * that lives in the memory of a crashed one. None of them takes a handover over or has scratch;
 * what was handed to it is lost (decision note 041). Callers of KHO ask kho_is_enabled() first: of
 * the rest the law defines only the lookup of a blob and restoring, which find nothing.
 *
 * After a crash, memory is as the crashed kernel left it, preserved or not: that is what a kdump
 * kernel is for. It uses nothing but the memory that was reserved for it.
 */
import { NO_KHO, REVIVED } from './call.ts';
import type { Answer, Call } from './call.ts';
import { EINVAL, EOPNOTSUPP } from './errno.ts';
import { forgetTree, unnameAll } from './handover-tree.ts';
import { forgetSessions } from './live-update-actions.ts';
import { insideCrashMemory } from './loading.ts';
import { concepts, core, kernel, range } from './rules.ts';
import type { Action, AnswerRule, Chapter } from './rules.ts';
import {
  EARLY,
  FREE,
  KHO_KDUMP,
  KHO_MISSING,
  KHO_ON,
  LEFT,
  NO_IMAGE,
  areaSlots,
  clearFrame,
  setUse,
} from './state.ts';
import type { State } from './state.ts';

const option = { document: 'Documentation/admin-guide/kernel-parameters.txt', section: 'kho=' };

/** Which kernel a boot starts, in the values of `kho`. */
const kernelOf = (s: State, { action, value }: Call): number =>
  action === 'crash' ? KHO_KDUMP : action === 'kexec' ? s.nextKernel.get() : value;

const hasNoKho = ({ value, areas, fdt }: Answer): boolean =>
  value === NO_KHO && areas.length === 0 && fdt === 0;

const tellBoot = (_s: State, _call: Call, { value, areas, fdt }: Answer): string =>
  `${value === REVIVED ? 'it took a handover over' : `it answered ${value}`}, has ` +
  `${areas.length} scratch areas and ${fdt === 0 ? 'no' : 'a'} tree`;

export const OFF_01: AnswerRule = {
  kind: 'answer',
  id: 'OFF-01',
  says: 'A kernel whose KHO is off or not built in takes nothing over and has no scratch.',
  sources: [option, core('kho_parse_enable')],
  strength: 'assumed',
  on: ['coldBoot', 'kexec'],
  when: (s, call, { value }) => value >= 0 && kernelOf(s, call) !== KHO_ON,
  holds: (_s, _call, answer) => hasNoKho(answer),
  tell: tellBoot,
};

export const OFF_02: AnswerRule = {
  kind: 'answer',
  id: 'OFF-02',
  says: 'The call kho_is_enabled() tells whether this kernel has KHO.',
  sources: [core('kho_is_enabled')],
  strength: 'promised',
  on: ['khoIsEnabled'],
  when: () => true,
  holds: (s, _call, { value }) => value === (s.kho.get() === KHO_ON ? 1 : 0),
  tell: (s, _call, { value }) =>
    `KHO is ${s.kho.get() === KHO_ON ? 'on' : 'off'}, answered ${value}`,
};

export const OFF_03: AnswerRule = {
  kind: 'answer',
  id: 'OFF-03',
  says: 'The call is_kho_boot() tells whether this kernel took a handover over.',
  sources: [core('is_kho_boot')],
  strength: 'promised',
  on: ['isKhoBoot'],
  when: () => true,
  holds: (s, _call, { value }) => value === s.revived.get(),
  tell: (s, _call, { value }) =>
    `this kernel took ${s.revived.get() === 1 ? 'a' : 'no'} handover over, answered ${value}`,
};

export const OFF_04: AnswerRule = {
  kind: 'answer',
  id: 'OFF-04',
  says: 'A kernel without KHO built in answers the lookup of a blob with -EOPNOTSUPP.',
  sources: [kernel('include/linux/kexec_handover.h', 'kho_retrieve_subtree')],
  strength: 'observed',
  on: ['retrieveSubtree'],
  when: (s) => s.kho.get() === KHO_MISSING,
  holds: (_s, _call, { value }) => value === -EOPNOTSUPP,
  tell: (_s, _call, { value }) => `answered ${value}`,
};

export const OFF_05: AnswerRule = {
  kind: 'answer',
  id: 'OFF-05',
  says: 'A kdump kernel takes nothing over and has no scratch: its KHO is off.',
  sources: [core('kho_fill_kimage'), core('kho_reserve_scratch')],
  strength: 'observed',
  since: '7.3',
  on: ['crash'],
  when: (s) => s.crashLoaded.get() === 1,
  holds: (_s, _call, answer) => hasNoKho(answer),
  tell: tellBoot,
};

export const OFF_06: AnswerRule = {
  kind: 'answer',
  id: 'OFF-06',
  says: 'A kdump kernel boots in the memory that was reserved for it, and nowhere else.',
  sources: [concepts('Scratch Regions'), kernel('kernel/crash_core.c', '__crash_kexec')],
  strength: 'observed',
  on: ['crash'],
  when: (s, _call, { value }) => s.crashLoaded.get() === 1 && value >= 0,
  holds: (s, _call, { early, taken }) => insideCrashMemory(s, early) && insideCrashMemory(s, taken),
  tell: (s) => `it uses more than ${range(s.crashFirst.get(), s.crashCount.get())}`,
};

export const OFF_07: AnswerRule = {
  kind: 'answer',
  id: 'OFF-07',
  says: 'Without a crash image there is no kdump kernel.',
  sources: [kernel('kernel/crash_core.c', '__crash_kexec')],
  strength: 'observed',
  on: ['crash'],
  when: (s) => s.crashLoaded.get() === 0,
  holds: (_s, _call, { value }) => value === -EINVAL,
  tell: (_s, _call, { value }) => `nothing was loaded, answered ${value}`,
};

/** All memory is as it was left, but for that of the kdump kernel. */
const leaveAll = (s: State): void => {
  const first = s.crashFirst.get();
  const end = first + s.crashCount.get();
  s.eachFrame((pfn) => {
    const use = s.use.get(pfn);
    const content = s.content.get(pfn);
    clearFrame(s, pfn);
    if (use === FREE || (pfn >= first && pfn < end)) return;
    s.use.set(pfn, LEFT);
    s.content.set(pfn, content);
  });
};

export const crash: Action = {
  name: 'crash',
  says: 'crash, into the crash kernel that is loaded',
  refusals: [-EINVAL],
  shows: () => '── crash ──',
  effect: (s, _call, { value, early, taken }) => {
    if (value < 0) return;
    leaveAll(s);
    for (let i = 0; i < early.length; i++) setUse(s, early.first(i), early.count(i), EARLY);
    for (let i = 0; i < taken.length; i++) setUse(s, taken.first(i), taken.count(i), EARLY);
    for (let area = 0; area < areaSlots(s.machine); area++) {
      s.areaFirst.set(area, 0);
      s.areaCount.set(area, 0);
    }
    unnameAll(s);
    const regions = s.machine.reserveMem?.names.length ?? 0;
    for (let slot = 0; slot < regions; slot++) {
      s.regionStart.set(slot, 0);
      s.regionBytes.set(slot, 0);
    }
    forgetTree(s);
    forgetSessions(s);
    s.kho.set(KHO_KDUMP);
    s.revived.set(0);
    s.kexecs.set(0);
    s.fdt.set(0);
    s.loaded.set(NO_IMAGE);
    s.loads.set(s.runs.get());
    s.final.set(0);
    s.nextKernel.set(KHO_ON);
    s.crashLoaded.set(0);
    s.line.set(0);
  },
};

export const khoIsEnabled: Action = {
  name: 'khoIsEnabled',
  says: 'ask whether there is KHO',
  shows: () => 'kho_is_enabled()',
  effect: () => {},
};

export const isKhoBoot: Action = {
  name: 'isKhoBoot',
  since: '6.18',
  says: 'ask whether a handover was taken over',
  shows: () => 'is_kho_boot()',
  effect: () => {},
};

export const WITHOUT_KHO: Chapter = {
  title: 'Kernels without KHO',
  says: 'KHO that is off takes nothing over, says so, and touches nothing after a crash.',
  rules: [OFF_01, OFF_02, OFF_03, OFF_04, OFF_05, OFF_06, OFF_07],
  actions: [crash, khoIsEnabled, isKhoBoot],
};
