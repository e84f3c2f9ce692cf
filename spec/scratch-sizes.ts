/**
 * How large scratch has to be on a machine, and whether there is room for it.
 *
 * A cold kernel knows its command line and what it reserved before it turns to scratch. HugeTLB
 * pages of boot (from 7.3 on) and the scratch array itself do not count (note 060). Frames of a
 * reservation count for the node that they lie on, and as low memory if they lie below its border.
 *
 * Invariant: all sizes are frames, except where a name says bytes; Infinity is more than any
 * machine has.
 */
import { rangesTouch } from './call.ts';
import type { Answer, Call } from './call.ts';
import type { Machine, NodeRange } from './machine.ts';
import { ageOf, generationOfAge } from './generations.ts';
import { areaBytes, requestWithout } from './scratch-option.ts';
import type { AskedScratch, EarlyBytes } from './scratch-option.ts';
import type { State } from './state.ts';

/** Age of the first kernels that align scratch to the largest block of the page allocator. */
const LARGE_BLOCKS_SINCE = ageOf('7.2');
/** Age of the first kernels that do not count HugeTLB pages of boot. */
const HUGE_APART_SINCE = ageOf('7.3');

/** Index of the command line that a booting kernel got. */
export const lineOf = (s: State, { action, name }: Call): number =>
  action === 'coldBoot' ? name : action === 'kexec' ? s.line.get() : 0;

/** Nodes with memory, in order: each has an area of its own. */
export const usedNodes = ({ nodes }: Machine): readonly number[] =>
  nodes.flatMap(({ count }, node) => (count > 0 ? [node] : []));

/** Areas that a kernel with scratch has: low memory, any node, each node with memory. */
export const areasOf = (machine: Machine, age = 0): number => slotsOf(machine, age).length;

/** Slot of `areaFirst` and `areaCount` for an area by its place in the scratch array. */
export const slotOfArea = (machine: Machine, area: number, age = 0): number =>
  slotsOf(machine, age)[area] ?? 2 + machine.nodes.length;

/**
 * Slots of the areas that a kernel of that age has, in the order of its array: the series v4 had
 * none of low memory, the ones before it a single area.
 */
const slotsOf = (machine: Machine, age: number): readonly number[] => {
  if (age >= ageOf('v3')) return [1];
  const nodes = usedNodes(machine).map((node) => 2 + node);
  return age >= ageOf('v4') ? [1, ...nodes] : [0, 1, ...nodes];
};

/** Of something for every area of a newer kernel, what a kernel of that age has. */
const forAreasOf = <T>(age: number, all: readonly T[]): readonly T[] => {
  if (age >= ageOf('v3')) return all.slice(1, 2);
  return age >= ageOf('v4') ? all.slice(1) : all;
};

/** Age of the kernel that a call starts. */
export const ageOfBooting = (s: State, { action, order }: Call): number => {
  if (action !== 'coldBoot') return s.loads.get();
  return order === 0 ? s.installed.get() : order - 1;
};

/** What a command line asks a kernel of that age for, if it says anything that is not refused. */
const requestOf = ({ scratchLines }: Machine, line: number, age: number): AskedScratch =>
  scratchLines?.[line]?.requests[age] ?? requestWithout(generationOfAge(age));

/** Frames that scratch areas of a kernel of that age are multiples of. */
export const scratchAlignOf = (machine: Machine, age: number): number =>
  age > LARGE_BLOCKS_SINCE
    ? (machine.oldScratchAlign ?? machine.scratchAlign)
    : machine.scratchAlign;

/** Bytes of `[start, start + bytes)` that lie in `[low, high)`. */
const overlap = (start: number, bytes: number, low: number, high: number): number =>
  Math.max(0, Math.min(start + bytes, high) - Math.max(start, low));

/** Visits what a cold kernel had reserved when it turned to scratch, in bytes; pages are exact. */
const eachReserved = (
  { machine }: State,
  answer: Answer,
  age: number,
  visit: (start: number, bytes: number, counts: boolean) => void,
): void => {
  const pageBytes = 2 ** machine.pageShift;
  const { early, huge, regions, array } = answer;
  for (let i = 0; i < early.length; i++) {
    if (array !== 0 && early.first(i) === array) continue;
    const counts = age > HUGE_APART_SINCE || !rangesTouch(huge, early.first(i), early.count(i));
    visit(early.first(i) * pageBytes, early.count(i) * pageBytes, counts);
  }
  for (let i = 0; i < regions.length; i++) {
    if (regions.count(i) > 0) visit(regions.first(i), regions.count(i), true);
  }
};

/** What counts when a percentage is asked for. */
const earlyBytes = (s: State, answer: Answer, age: number): EarlyBytes => {
  const { machine } = s;
  const pageBytes = 2 ** machine.pageShift;
  const used = usedNodes(machine);
  let low = 0;
  let total = 0;
  const nodes = used.map(() => 0);
  eachReserved(s, answer, age, (start, bytes, counts) => {
    if (!counts) return;
    total += bytes;
    low += overlap(start, bytes, 0, machine.lowmemEnd * pageBytes);
    used.forEach((node, i) => {
      const { first, count } = machine.nodes[node]!;
      nodes[i]! += overlap(start, bytes, first * pageBytes, (first + count) * pageBytes);
    });
  });
  return { low, total, nodes };
};

/** Frames that each area has to have, in the order of the scratch array. */
export const askedFrames = (s: State, call: Call, answer: Answer): readonly number[] => {
  const { machine } = s;
  const age = ageOfBooting(s, call);
  const align = scratchAlignOf(machine, age);
  if (machine.scratchLines === undefined) {
    const up = (frames: number): number => Math.ceil(frames / align) * align;
    const { lowmem, global, perNode } = machine.scratch;
    const nodes = usedNodes(machine).map(() => up(perNode));
    return forAreasOf(age, [up(lowmem), up(global), ...nodes]);
  }
  const pageBytes = 2 ** machine.pageShift;
  const request = requestOf(machine, lineOf(s, call), age);
  const hasLowmem = age < ageOf('v4');
  const sizes = areaBytes(request, earlyBytes(s, answer, age), align * pageBytes, hasLowmem);
  return forAreasOf(
    age,
    sizes.map((bytes) => bytes / pageBytes),
  );
};

/**
 * Whether the kernel that boots is one of the first series, and nobody asks for scratch: it has no
 * default.
 */
export const asksForNothing = (s: State, call: Call, answer: Answer): boolean =>
  ageOfBooting(s, call) >= ageOf('v3') && askedFrames(s, call, answer)[0] === 0;

/** A range of frames that is taken. */
type Taken = readonly [first: number, end: number];

/** Where the area of a slot may lie. */
const homes = (machine: Machine, slot: number): readonly NodeRange[] => {
  if (slot >= 2) return [machine.nodes[slot - 2]!];
  const limit = slot === 0 ? machine.lowmemEnd : machine.end;
  return machine.nodes.map(({ first, count }) => ({
    first,
    count: Math.max(0, Math.min(first + count, limit) - first),
  }));
};

/** The highest place for so many frames beside what is taken, or -1; frame 0 is never one. */
const highestPlace = (
  machine: Machine,
  slot: number,
  frames: number,
  align: number,
  taken: readonly Taken[],
): number => {
  let best = -1;
  for (const { first, count } of homes(machine, slot)) {
    let at = Math.floor((first + count - frames) / align) * align;
    while (at >= Math.max(first, 1)) {
      const from = at;
      const hit = taken.find(([start, end]) => start < from + frames && from < end);
      if (hit === undefined) break;
      at = Math.floor((hit[0] - frames) / align) * align;
    }
    if (at >= Math.max(first, 1)) best = Math.max(best, at);
  }
  return best;
};

/** What was reserved when the kernel turned to scratch, in whole frames. */
const takenBefore = (s: State, answer: Answer): Taken[] => {
  const pageBytes = 2 ** s.machine.pageShift;
  const taken: Taken[] = [];
  eachReserved(s, answer, 0, (start, bytes) => {
    taken.push([Math.floor(start / pageBytes), Math.ceil((start + bytes) / pageBytes)]);
  });
  return taken;
};

/**
 * The first area that finds no place when areas are taken in the order of the array, each from the
 * top of memory down; -1 when all find one.
 */
export const areaWithoutRoom = (s: State, call: Call, answer: Answer): number => {
  const taken = takenBefore(s, answer);
  const age = ageOfBooting(s, call);
  const align = scratchAlignOf(s.machine, age);
  return askedFrames(s, call, answer).findIndex((frames, area) => {
    if (frames === 0) return false;
    const slot = slotOfArea(s.machine, area, age);
    const first = highestPlace(s.machine, slot, frames, align, taken);
    taken.push([first, first + frames]);
    return first < 0;
  });
};

/** The first area that no place is large enough for, even if it were the only one; or -1. */
export const areaTooLarge = (s: State, call: Call, answer: Answer): number => {
  const taken = takenBefore(s, answer);
  const age = ageOfBooting(s, call);
  const align = scratchAlignOf(s.machine, age);
  return askedFrames(s, call, answer).findIndex((frames, area) => {
    const slot = slotOfArea(s.machine, area, age);
    return frames > 0 && highestPlace(s.machine, slot, frames, align, taken) < 0;
  });
};

/** What an area of a kernel of that age is called, by its place in the array. */
export const areaName = (machine: Machine, area: number, age: number): string => {
  const slot = slotOfArea(machine, area, age);
  if (slot === 0) return 'the area of low memory';
  return slot === 1 ? 'the area for any node' : `the area of node ${slot - 2}`;
};
