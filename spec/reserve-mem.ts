/**
 * Chapter: memory with a name.
 *
 * `reserve_mem=size:align:name` on a kernel's command line sets a region aside before the page
 * allocator is up, for whoever asks for it by its name. A kernel with KHO keeps its regions for the
 * next one and lists them in the `memblock` blob. The next kernel revives a region that its own
 * command line names again with the same size, if the place suits its alignment.
 *
 * Decisions, where sources are silent or kernels deviate (decision note 012):
 *
 * - A region may begin and end inside of a page. KHO keeps pages; so every page that a region
 *   touches is kept, and no page belongs to two regions. Kernels since 6.18 round down to whole
 *   pages and put small regions side by side.
 * - A region that is not revived is memory that nobody handed over, outside of scratch: what lies
 *   in scratch cannot be kept. Kernels allocate in scratch on a KHO boot and have a note about it.
 * - Releasing a region undoes all of it: pages, preservation and entry of the blob. Kernels forget
 *   the latter two.
 *
 * `regionStart` and `regionBytes` have a slot for each name that some command line of the machine
 * has. What a boot reserves is read from its answer: where a region lies is the kernel's choice.
 */
import { bookOwnPages } from './allocation.ts';
import { eachBlock } from './blocks.ts';
import { COLD, FIRST_BLOB_DAMAGE, FIRST_METADATA_DAMAGE, REVIVED, rangesTouch } from './call.ts';
import type { Answer, Call, Ranges } from './call.ts';
import { ENOENT } from './errno.ts';
import { MEMBLOCK_NAME, nameBlob, unnameBlob } from './handover-tree.ts';
import { onOneNode } from './machine.ts';
import type { Machine } from './machine.ts';
import { REGIONS_MAX } from './reserve-mem-option.ts';
import type { ReserveMemEntry } from './reserve-mem-option.ts';
import { kernel } from './rules.ts';
import type { Action, AnswerRule, Chapter, SystemSightRule } from './rules.ts';
import { KHO_ON, REGION, clearFrames, isKept, isWritten, runsBefore, setUse } from './state.ts';
import { lineOf } from './scratch-sizes.ts';
import type { State } from './state.ts';

const BOOTS = ['coldBoot', 'kexec'] as const;

const option = {
  document: 'Documentation/admin-guide/kernel-parameters.txt',
  section: 'reserve_mem',
};
const abi = {
  document: 'include/linux/kho/abi/memblock.h',
  section: 'memblock kexec handover ABI',
};
const memblock = (symbol: string) => kernel('mm/memblock.c', symbol);

const names = (s: State): readonly string[] => s.machine.reserveMem?.names ?? [];

const nameOf = (s: State, slot: number): string => names(s)[slot] ?? `number ${slot}`;

/** First frame that `bytes` bytes from `start` on touch. */
const firstFrame = (machine: Machine, start: number): number =>
  Math.floor(start / 2 ** machine.pageShift);

/** Frames that they touch. */
const frameCount = (machine: Machine, start: number, bytes: number): number =>
  bytes === 0
    ? 0
    : Math.ceil((start + bytes) / 2 ** machine.pageShift) - firstFrame(machine, start);

/** Options of the command line that the booting kernel got. */
const entries = (s: State, call: Call): readonly ReserveMemEntry[] => {
  return s.machine.reserveMem?.lines[lineOf(s, call)]?.entries ?? [];
};

const same = (s: State, answer: Answer, slot: number, entry: ReserveMemEntry): boolean =>
  bytesOf(answer, slot) === entry.bytes && nameOf(s, slot) === entry.name;

/** Bytes of the region of that number, 0 when there is none. */
const bytesOf = ({ regions }: Answer, slot: number): number =>
  slot >= 0 && slot < regions.length ? regions.count(slot) : 0;

const suits = (start: number, { align }: ReserveMemEntry): boolean => start % align === 0;

/**
 * The first option that names `slot` and was not refused because eight regions were there before;
 * undefined when there is none. An option whose region did not fit leaves its name to later ones.
 */
const askedFor = (
  s: State,
  call: Call,
  answer: Answer,
  slot: number,
): ReserveMemEntry | undefined => {
  const reserved = new Set<string>();
  for (const entry of entries(s, call)) {
    if (reserved.size === REGIONS_MAX) return undefined;
    const at = names(s).indexOf(entry.name);
    const isThere = same(s, answer, at, entry);
    if (at === slot && (isThere || bytesOf(answer, slot) === 0)) return entry;
    if (isThere) reserved.add(entry.name);
  }
  return undefined;
};

/** The first region for which `test` does not hold, or -1. */
const firstRegion = (
  { regions }: Answer,
  test: (slot: number, start: number, bytes: number) => boolean,
): number => {
  for (let slot = 0; slot < regions.length; slot++) {
    const bytes = regions.count(slot);
    if (bytes > 0 && !test(slot, regions.first(slot), bytes)) return slot;
  }
  return -1;
};

const describe = (s: State, answer: Answer, slot: number): string =>
  bytesOf(answer, slot) === 0
    ? `'${nameOf(s, slot)}' is not there`
    : `'${nameOf(s, slot)}' has ${bytesOf(answer, slot)} bytes from 0x` +
      answer.regions.first(slot).toString(16);

const unasked = (s: State, call: Call, answer: Answer): number =>
  firstRegion(answer, (slot, start) => {
    const entry = askedFor(s, call, answer, slot);
    return entry !== undefined && same(s, answer, slot, entry) && suits(start, entry);
  });

export const RSV_01: AnswerRule = {
  kind: 'answer',
  id: 'RSV-01',
  says:
    'A kernel has the regions that its command line names, with their sizes, at multiples of ' +
    'their alignments, each name once and at most eight.',
  sources: [option, memblock('reserve_mem')],
  strength: 'promised',
  on: BOOTS,
  when: (_s, _call, answer) => answer.value >= 0 && answer.regions.length > 0,
  holds: (s, call, answer) => unasked(s, call, answer) < 0,
  tell: (s, call, answer) =>
    `${describe(s, answer, unasked(s, call, answer))}, which the command line does not ask for`,
};

/** A name that is asked for and missing although there is room, or -1. */
const missing = (s: State, call: Call, answer: Answer): number => {
  for (let slot = 0; slot < names(s).length; slot++) {
    if (bytesOf(answer, slot) > 0) continue;
    const entry = askedFor(s, call, answer, slot);
    if (entry !== undefined && hasRoom(s, answer, entry)) return slot;
  }
  return -1;
};

/** Whether there is a place for a region, with a page to spare if it may begin inside of one. */
const hasRoom = (s: State, answer: Answer, { bytes, align }: ReserveMemEntry): boolean => {
  const pageBytes = 2 ** s.machine.pageShift;
  const count = Math.ceil(bytes / pageBytes) + (align < pageBytes ? 1 : 0);
  const step = Math.max(1, align / pageBytes);
  return s.machine.nodes.some(({ first, count: size }) => {
    let pfn = Math.ceil(first / step) * step;
    while (pfn + count <= first + size) {
      if (isFreeAtBoot(s, answer, pfn, count)) return true;
      pfn += step;
    }
    return false;
  });
};

const isFreeAtBoot = (s: State, answer: Answer, first: number, count: number): boolean => {
  const { areas, early, crashFirst, crashCount } = answer;
  const taken =
    rangesTouch(areas, first, count) ||
    rangesTouch(early, first, count) ||
    meet(first, count, crashFirst, crashCount);
  if (taken || firstRegion(answer, (slot) => !sharesFrame(s, answer, slot, first, count)) >= 0) {
    return false;
  }
  for (let pfn = first; answer.value === REVIVED && pfn < first + count; pfn++) {
    if (isKept(s, pfn)) return false;
  }
  return true;
};

const sharesFrame = (
  { machine }: State,
  { regions }: Answer,
  slot: number,
  first: number,
  count: number,
): boolean => {
  const start = firstFrame(machine, regions.first(slot));
  const end = start + frameCount(machine, regions.first(slot), regions.count(slot));
  return start < first + count && first < end;
};

export const RSV_02: AnswerRule = {
  kind: 'answer',
  id: 'RSV-02',
  says: 'A region that the command line names is there, unless no memory is left for it.',
  sources: [option, memblock('reserve_mem')],
  strength: 'promised',
  on: BOOTS,
  when: (s, call, answer) => answer.value >= 0 && entries(s, call).length > 0,
  holds: (s, call, answer) => missing(s, call, answer) < 0,
  tell: (s, call, answer) =>
    `there is room for '${nameOf(s, missing(s, call, answer))}', which was not reserved`,
};

/** Whether a jump damages the list of regions, so that none of them is found again. */
const isListDamaged = ({ name, value }: Call): boolean =>
  name === MEMBLOCK_NAME && value >= FIRST_BLOB_DAMAGE && value < FIRST_METADATA_DAMAGE;

/** Whether the region of that name has to be revived. */
const isDue = (s: State, call: Call, answer: Answer, slot: number): boolean => {
  if (s.regionBytes.get(slot) === 0 || isListDamaged(call)) return false;
  const entry = askedFor(s, call, answer, slot);
  return (
    entry !== undefined &&
    entry.bytes === s.regionBytes.get(slot) &&
    suits(s.regionStart.get(slot) - 1, entry)
  );
};

const firstName = (s: State, test: (slot: number) => boolean): number => {
  for (let slot = 0; slot < names(s).length; slot++) if (test(slot)) return slot;
  return -1;
};

const isRevived = (s: State, answer: Answer, slot: number): boolean =>
  answer.regions.first(slot) === s.regionStart.get(slot) - 1 &&
  bytesOf(answer, slot) === s.regionBytes.get(slot);

export const RSV_03: AnswerRule = {
  kind: 'answer',
  id: 'RSV-03',
  says:
    'A region that is named again with the same size lies where it lay, if that suits the ' +
    'alignment that is asked for now.',
  sources: [abi, memblock('reserve_mem_kho_revive')],
  strength: 'promised',
  on: ['kexec'],
  when: (s, call, answer) =>
    answer.value === REVIVED && firstName(s, (slot) => isDue(s, call, answer, slot)) >= 0,
  holds: (s, call, answer) =>
    firstName(s, (slot) => isDue(s, call, answer, slot) && !isRevived(s, answer, slot)) < 0,
  tell: (s, call, answer) => {
    const slot = Math.max(
      0,
      firstName(s, (at) => isDue(s, call, answer, at) && !isRevived(s, answer, at)),
    );
    const start = Math.max(0, s.regionStart.get(slot) - 1);
    return (
      `'${nameOf(s, slot)}' had ${s.regionBytes.get(slot)} bytes from 0x${start.toString(16)}; ` +
      `now ${describe(s, answer, slot)}`
    );
  },
};

/** A region that was not due and touches what the previous kernel handed over, or -1. */
const usurped = (s: State, call: Call, answer: Answer): number =>
  firstRegion(answer, (slot, start, bytes) => {
    if (isDue(s, call, answer, slot)) return true;
    const first = firstFrame(s.machine, start);
    const end = first + frameCount(s.machine, start, bytes);
    for (let pfn = first; pfn < end; pfn++) if (isKept(s, pfn)) return false;
    return true;
  });

export const RSV_04: AnswerRule = {
  kind: 'answer',
  id: 'RSV-04',
  says: 'A region that is new, or has another size or alignment, is made of nothing handed over.',
  sources: [memblock('reserve_mem_kho_revive')],
  strength: 'observed',
  on: ['kexec'],
  when: (s, call, answer) =>
    answer.value === REVIVED && firstRegion(answer, (slot) => isDue(s, call, answer, slot)) >= 0,
  holds: (s, call, answer) => usurped(s, call, answer) < 0,
  tell: (s, call, answer) =>
    `${describe(s, answer, usurped(s, call, answer))}, which was handed over as something else`,
};

const inScratch = (s: State, answer: Answer): number =>
  firstRegion(answer, (_slot, start, bytes) => {
    const first = firstFrame(s.machine, start);
    return !rangesTouch(answer.areas, first, frameCount(s.machine, start, bytes));
  });

export const RSV_05: AnswerRule = {
  kind: 'answer',
  id: 'RSV-05',
  says: 'No region lies in scratch.',
  sources: [
    memblock('reserve_mem'),
    kernel('kernel/liveupdate/kexec_handover.c', 'kho_preserve_pages'),
  ],
  strength: 'assumed',
  on: BOOTS,
  when: (_s, _call, answer) => firstRegion(answer, () => false) >= 0,
  holds: (s, _call, answer) => inScratch(s, answer) < 0,
  tell: (s, _call, answer) => `${describe(s, answer, inScratch(s, answer))}, which is scratch`,
};

/** Whether two ranges have a frame in common. */
const meet = (first: number, count: number, start: number, size: number): boolean =>
  size > 0 && start < first + count && first < start + size;

/** A region that is not memory of one node alone, or shares a page with something, or -1. */
const misplaced = (s: State, answer: Answer): number =>
  firstRegion(answer, (slot, start, bytes) => {
    const first = firstFrame(s.machine, start);
    const count = frameCount(s.machine, start, bytes);
    const { early, taken } = answer;
    return (
      onOneNode(s.machine, first, count) &&
      !meet(first, count, answer.crashFirst, answer.crashCount) &&
      !rangesTouch(early, first, count) &&
      !rangesTouch(taken, first, count) &&
      firstRegion(answer, (at) => at === slot || !sharesFrame(s, answer, at, first, count)) < 0
    );
  });

export const RSV_06: AnswerRule = {
  kind: 'answer',
  id: 'RSV-06',
  says: 'A region is memory of one node, and nothing else is in the pages that it touches.',
  sources: [memblock('memblock_alloc_range_nid')],
  strength: 'assumed',
  on: BOOTS,
  when: (_s, _call, answer) => firstRegion(answer, () => false) >= 0,
  holds: (s, _call, answer) => misplaced(s, answer) < 0,
  tell: (s, _call, answer) =>
    `${describe(s, answer, misplaced(s, answer))}, where it is not alone or not on one node`,
};

export const RSV_07: SystemSightRule = {
  kind: 'sight',
  each: 'system',
  id: 'RSV-07',
  says: 'The memblock blob lists exactly the regions that there are, with address and size.',
  sources: [abi, memblock('prepare_kho_fdt')],
  strength: 'promised',
  find: (s, seen, report) => {
    const expected = countRegions(s);
    if (expected === 0 || s.kho.get() !== KHO_ON || !isWritten(s)) return 0;
    const listed = seen.regions();
    if (typeof listed === 'string') {
      report(() => `the memblock blob cannot be read: ${listed}`);
      return expected;
    }
    for (const { name, start, size } of listed) {
      const slot = names(s).indexOf(name);
      const known = s.regionStart.get(slot) === start + 1 && s.regionBytes.get(slot) === size;
      if (slot < 0 || !known) {
        report(() => `the blob lists '${name}', ${size} bytes from 0x${start.toString(16)}`);
      }
    }
    if (listed.length !== expected) {
      report(() => `there are ${expected} regions, the blob lists ${listed.length}`);
    }
    return expected;
  },
};

const countRegions = (s: State): number => {
  let regions = 0;
  for (let slot = 0; slot < names(s).length; slot++) if (s.regionBytes.get(slot) > 0) regions++;
  return regions;
};

export const RSV_08: AnswerRule = {
  kind: 'answer',
  id: 'RSV-08',
  says: 'A region is found by its name, with its address and size; other names are not found.',
  sources: [memblock('reserve_mem_find_by_name')],
  strength: 'promised',
  on: ['reserveMemFindByName'],
  when: () => true,
  holds: (s, { name }, { value, bytes }) =>
    s.regionBytes.get(name) === 0
      ? value === -ENOENT
      : value === s.regionStart.get(name) - 1 && bytes === s.regionBytes.get(name),
  tell: (s, { name }, { value, bytes }) =>
    `'${nameOf(s, name)}' has ${s.regionBytes.get(name)} bytes; answered ${value}, ${bytes} bytes`,
};

export const RSV_09: AnswerRule = {
  kind: 'answer',
  id: 'RSV-09',
  says: 'A region is released by its name, which needs no memory; other names are not found.',
  sources: [memblock('reserve_mem_release_by_name')],
  strength: 'promised',
  on: ['releaseReserveMem'],
  when: () => true,
  holds: (s, { name }, { value, taken }) =>
    value === (s.regionBytes.get(name) === 0 ? -ENOENT : 0) && taken.length === 0,
  tell: (s, { name }, { value, taken }) =>
    `'${nameOf(s, name)}' has ${s.regionBytes.get(name)} bytes; answered ${value}, took ` +
    `${taken.length} ranges`,
};

const releasedFrames = (s: State, { name }: Call, { value }: Answer): number =>
  value === 0 ? frameCount(s.machine, s.regionStart.get(name) - 1, s.regionBytes.get(name)) : 0;

export const RSV_10: AnswerRule = {
  kind: 'answer',
  id: 'RSV-10',
  says: 'Releasing a region brings its pages, all and no others, under the allocator’s control.',
  sources: [memblock('reserve_mem_release_by_name'), memblock('free_reserved_area')],
  strength: 'promised',
  on: ['releaseReserveMem'],
  when: () => true,
  holds: (s, call, answer) => answer.managed === releasedFrames(s, call, answer),
  tell: (s, call, answer) =>
    `managed memory should grow by ${releasedFrames(s, call, answer)} frames, grew by ` +
    `${answer.managed}`,
};

/** Regions that a kernel has after a call that was answered so. */
const regionsAfter = (s: State, call: Call, answer: Answer): number => {
  if (call.action === 'releaseReserveMem') return countRegions(s) - 1;
  let regions = 0;
  for (let slot = 0; slot < answer.regions.length; slot++) {
    if (bytesOf(answer, slot) > 0) regions++;
  }
  return regions;
};

export const RSV_11: AnswerRule = {
  kind: 'answer',
  id: 'RSV-11',
  says: 'A kernel lists its regions in a blob while it has any, and has no such blob otherwise.',
  sources: [abi, memblock('reserve_mem_init')],
  strength: 'observed',
  since: '6.16',
  on: [...BOOTS, 'releaseReserveMem'],
  when: (s, call, answer) =>
    names(s).length > 0 &&
    (call.action === 'releaseReserveMem'
      ? answer.value === 0 && s.kho.get() === KHO_ON
      : answer.value === COLD || answer.value === REVIVED),
  holds: (s, call, answer) => (answer.memblock !== 0) === regionsAfter(s, call, answer) > 0,
  tell: (s, call, answer) =>
    `there are ${regionsAfter(s, call, answer)} regions and ` +
    (answer.memblock === 0 ? 'no blob' : `a blob at frame 0x${answer.memblock.toString(16)}`),
};

/** Books the regions of a kernel that booted: their memory, and that it is kept. */
export const bookRegions = (s: State, { regions }: { readonly regions: Ranges }): void => {
  for (let slot = 0; slot < names(s).length; slot++) {
    const bytes = slot < regions.length ? regions.count(slot) : 0;
    const start = bytes === 0 ? 0 : regions.first(slot);
    s.regionStart.set(slot, bytes === 0 ? 0 : start + 1);
    s.regionBytes.set(slot, bytes);
    const first = firstFrame(s.machine, start);
    const count = frameCount(s.machine, start, bytes);
    setUse(s, first, count, REGION);
    for (let pfn = first; pfn < first + count; pfn++) s.block.set(pfn, 0);
    if (s.kho.get() !== KHO_ON || runsBefore(s, '6.19')) continue;
    eachBlock(s.machine, first, count, (head, order) =>
      s.kept.set(head, (s.kept.get(head) | (2 ** order)) >>> 0),
    );
  }
};

/** Visits the frames of every region. */
export const eachRegion = (s: State, visit: (first: number, count: number) => void): void => {
  for (let slot = 0; slot < names(s).length; slot++) {
    const start = s.regionStart.get(slot) - 1;
    if (start < 0) continue;
    const bytes = s.regionBytes.get(slot);
    visit(firstFrame(s.machine, start), frameCount(s.machine, start, bytes));
  }
};

export const reserveMemFindByName: Action = {
  name: 'reserveMemFindByName',
  says: 'look a reserve_mem region up',
  refusals: [-ENOENT],
  shows: ({ name }, regionOf) => `reserve_mem_find_by_name('${regionOf(name)}')`,
  effect: () => {},
};

export const releaseReserveMem: Action = {
  name: 'releaseReserveMem',
  says: 'give a reserve_mem region back',
  refusals: [-ENOENT],
  shows: ({ name }, regionOf) => `reserve_mem_release_by_name('${regionOf(name)}')`,
  effect: (s, { name }, answer) => {
    if (answer.value !== 0) return;
    const start = s.regionStart.get(name) - 1;
    const count = frameCount(s.machine, start, s.regionBytes.get(name));
    clearFrames(s, firstFrame(s.machine, start), count);
    bookOwnPages(s, answer);
    s.regionStart.set(name, 0);
    s.regionBytes.set(name, 0);
    unnameBlob(s, MEMBLOCK_NAME);
    if (answer.memblock !== 0) nameBlob(s, MEMBLOCK_NAME, answer.memblock, answer.memblockBytes);
  },
};

export const RESERVE_MEM: Chapter = {
  title: 'Memory with a name',
  says: 'Named regions are kept, listed and revived at the same address, until they are released.',
  rules: [RSV_01, RSV_02, RSV_03, RSV_04, RSV_05, RSV_06, RSV_07, RSV_08, RSV_09, RSV_10, RSV_11],
  actions: [reserveMemFindByName, releaseReserveMem],
};
