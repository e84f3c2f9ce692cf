/**
 * Near misses of which one mistake changes several things at once, and none of them alone.
 *
 * A kernel that forgets a region, gives up on scratch or restores one order too many answers
 * something that fits together; a change of one number in it would be refused by rules that are
 * about the numbers only. Nothing here is random, and nothing that is judged is changed.
 */
import type { Answer, Call, Ranges } from '#spec/call';
import { COLD, NO_KHO } from '#spec/call';
import { ENOENT } from '#spec/errno';
import type { ShownFiles } from '#spec/debugfs';
import type { Seen } from '#spec/rules';
import { FREE, isKept, touchesScratch } from '#spec/state';
import type { State } from '#spec/state';
import type { NearSight } from './near-misses.ts';

const EADDRNOTAVAIL = 99;
/** Free frames are looked for at so many places. */
const PLACES = 64;
/** Frames that a free place has at least, and that it is aligned to. */
const RUN = 64;

const NONE: Ranges = { length: 0, first: () => 0, count: () => 0 };

const withEntry = (of: Ranges, at: number, first: number, count: number): Ranges => ({
  length: Math.max(of.length, at + 1),
  first: (i) => (i === at ? first : of.first(i)),
  count: (i) => (i === at ? count : of.count(i)),
});

const added = (of: Ranges, first: number, count: number): Ranges =>
  withEntry(of, of.length, first, count);

/** A free, aligned run of frames outside scratch, or -1. */
const freeRun = (s: State): number => {
  const step = Math.max(RUN, Math.floor(s.machine.end / PLACES / RUN) * RUN);
  for (let first = step; first + RUN <= s.machine.end; first += step) {
    let isFree = !touchesScratch(s, first, RUN);
    for (let pfn = first; isFree && pfn < first + RUN; pfn++) isFree = s.use.get(pfn) === FREE;
    if (isFree) return first;
  }
  return -1;
};

/** A frame that is handed over when somebody jumps, or -1. */
const keptFrame = (s: State): number => {
  let found = -1;
  s.someFrame((pfn) => {
    if (isKept(s, pfn)) found = pfn;
    return found >= 0;
  });
  return found;
};

/** A kernel that found no place for scratch, although there is one. */
const givenUp = (answer: Answer): Answer => ({
  ...answer,
  value: NO_KHO,
  areas: NONE,
  fdt: 0,
  array: 0,
  metadata: 0,
  memblock: 0,
  memblockBytes: 0,
});

/** Boots: scratch given up or overlapping, a region missing or elsewhere, a page of somebody's. */
const nearBoots = (s: State, answer: Answer): Answer[] => {
  const near: Answer[] = [];
  const { areas, regions, taken } = answer;
  const pageBytes = 2 ** s.machine.pageShift;
  if (answer.value === COLD) near.push(givenUp(answer));
  for (let area = 1; area < areas.length; area++) {
    const moved = withEntry(areas, area, areas.first(0), areas.count(area));
    near.push({ ...answer, areas: moved });
  }
  const kept = keptFrame(s);
  if (kept >= 0) near.push({ ...answer, taken: added(taken, kept, 1) });
  const places = [freeRun(s), kept, areas.length > 0 ? areas.first(0) : -1];
  for (let slot = 0; slot < regions.length; slot++) {
    const bytes = regions.count(slot);
    if (bytes === 0) continue;
    near.push({ ...answer, regions: withEntry(regions, slot, 0, 0) });
    for (const place of places) {
      if (place < 0) continue;
      near.push({ ...answer, regions: withEntry(regions, slot, place * pageBytes, bytes) });
    }
  }
  return near;
};

/** Loads: refused although there is room, or put into less memory than the image has. */
const nearLoads = (answer: Answer): Answer[] => {
  const { placed } = answer;
  if (answer.value !== 0) return [];
  const shorter = { ...placed, length: placed.length, count: (i: number) => placed.count(i) - 1 };
  return [
    { ...answer, value: -EADDRNOTAVAIL, placed: NONE },
    { ...answer, placed: { ...shorter, first: (i) => placed.first(i) } },
  ];
};

/** Restored with another order, and so many pages with it; or not at all. */
const nearFolios = (answer: Answer): Answer[] => {
  const { value } = answer;
  if (value < 0) return [];
  return [
    { ...answer, value: -ENOENT, managed: 0 },
    { ...answer, value: value + 1, managed: 2 ** (value + 1) },
    ...(value === 0 ? [] : [{ ...answer, value: value - 1, managed: 2 ** (value - 1) }]),
  ];
};

/** Answers of a kernel that made one mistake, and was consistent in it. */
export const wholeMisses = (s: State, call: Call, answer: Answer): Answer[] => {
  const { action, fails } = call;
  const near: Answer[] = [];
  if (action === 'coldBoot' || action === 'kexec') {
    if (answer.value >= 0) near.push(...nearBoots(s, answer));
  } else if (action === 'kexecFileLoad' || action === 'kexecCrashLoad') {
    near.push(...nearLoads(answer));
  } else if (action === 'restoreFolio') {
    near.push(...nearFolios(answer));
  } else if (action === 'vmalloc' && answer.pages.length > 0) {
    const { pages } = answer;
    const last = pages.length - 1;
    const kept = keptFrame(s);
    if (kept >= 0) near.push({ ...answer, pages: withEntry(pages, last, kept, pages.count(last)) });
  } else if (fails > 0 && answer.value >= 0) {
    const free = freeRun(s);
    if (free >= 0) near.push({ ...answer, taken: added(answer.taken, free, fails) });
  }
  return near;
};

const PAGE = 4096;

/** Sights of a system that made one mistake, and shows it wherever it can be seen. */
export const wholeSights = (seen: Seen): NearSight[] => {
  const { handover } = seen;
  const files = seen.debugfs();
  const last = handover.scratch.at(-1);
  const near: NearSight[] = [
    ...resurrected(files).map((shown) => ({
      seen: { ...seen, debugfs: () => shown },
      parts: ['debugfs' as const],
    })),
    { seen: { ...seen, passedOver: ['near miss'] }, parts: ['passedOver'] },
    { seen: { ...seen, chunkList: withoutLast(seen) }, parts: ['chunkList'] },
    { seen: { ...seen, luo: () => 'is changed' }, parts: ['luo'] },
    { seen: { ...seen, luo: withoutSession(seen) }, parts: ['luo'] },
  ];
  if (last === undefined) return near;
  const elsewhere = { ...last, phys: last.phys + PAGE };
  const overlapping = { ...last, phys: handover.scratch[0]!.phys };
  for (const area of [elsewhere, overlapping]) {
    const scratch = [...handover.scratch.slice(0, -1), area];
    const shown = {
      ...files,
      scratch,
      scratchPhys: scratch.map(({ phys }) => phys),
      scratchLen: scratch.map(({ bytes }) => bytes),
    };
    near.push({
      seen: { ...seen, handover: { ...handover, scratch }, debugfs: () => shown },
      parts: ['handover', 'debugfs'],
    });
  }
  return near;
};

/** Sessions of which the last was not written down. */
const withoutSession =
  (seen: Seen): Seen['luo'] =>
  (head) => {
    const left = seen.luo(head);
    return typeof left === 'string' ? left : { ...left, sessions: left.sessions.slice(0, -1) };
  };

/** Files that show a blob whose memory was given back: the tree that came still names it. */
const resurrected = (files: ShownFiles): ShownFiles[] => {
  const side = files.in;
  if (side?.tree === undefined) return [];
  const shown = new Set(side.blobs.map(({ name }) => name));
  const gone = side.tree.subtrees.filter(({ name }) => !shown.has(name));
  return gone.slice(0, 1).map(({ name, bytes }) => ({
    ...files,
    in: { ...side, blobs: [...side.blobs, { name, bytes, fault: undefined }] },
  }));
};

/** Lists of chunks that have lost the last block they name. */
const withoutLast =
  (seen: Seen): Seen['chunkList'] =>
  (chunk, order) => {
    const { pages, ...list } = seen.chunkList(chunk, order);
    const fewer = { ...pages, length: Math.max(0, pages.length - 1) };
    return {
      ...list,
      pages: { ...fewer, first: (i) => pages.first(i), count: (i) => pages.count(i) },
    };
  };
