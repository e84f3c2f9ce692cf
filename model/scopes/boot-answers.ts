/**
 * Answers that a booting kernel might give: where its scratch lies, what it reserved, and which
 * pages it took for its tree and its blobs.
 */
import { COLD, NO_KHO, REVIVED } from '#spec/call';
import type { Call } from '#spec/call';
import type { CallAnswer } from '../call.ts';
import { NO_IMAGE, isKept } from '#spec/state';
import type { State } from '#spec/state';
import { combinations, framesOf, offer, sequences } from './offer.ts';
import type { Offer } from './offer.ts';
import { MEMBLOCK_BYTES } from './small-world.ts';
import type { SmallWorld, Span } from './small-world.ts';

/** What a kernel reserves before its page allocator is up. */
interface Reserved {
  readonly areas: readonly Span[];
  readonly early: readonly Span[];
  readonly crash: Span;
  /** First byte and bytes of the region of each name; 0 bytes for none. */
  readonly regions: readonly Span[];
}

const NOWHERE: Span = [0, 0];
const NO_SPANS: readonly Span[] = [];

/** Regions that a kernel may have: of each name none, or one of a size that some line gives it. */
const regionsOf = ({ machine, regionPlaces }: SmallWorld): readonly (readonly Span[])[] => {
  const { reserveMem, pageShift } = machine;
  if (reserveMem === undefined) return [NO_SPANS];
  const entries = reserveMem.lines.flatMap((line) => line.entries);
  const ofName = (name: string): readonly Span[] => {
    const sizes = new Set(entries.filter((entry) => entry.name === name).map((e) => e.bytes));
    const places = regionPlaces.map((pfn) => pfn * 2 ** pageShift);
    return [NOWHERE, ...[...sizes].flatMap((bytes) => places.map((at): Span => [at, bytes]))];
  };
  return combinations(reserveMem.names.map(ofName));
};

/** What may be reserved by a kernel that answers `value`. */
const reservations = (world: SmallWorld, { action }: Call, value: number): readonly Reserved[] => {
  const regions = regionsOf(world);
  const all = (areas: readonly Span[], early: readonly Span[], crash: Span): Reserved[] =>
    regions.map((each) => ({ areas, early, crash, regions: each }));
  const atOnce = world.crash[1] === 0 ? NO_SPANS : [world.crash];
  if (action === 'crash') return [{ areas: [], early: atOnce, crash: NOWHERE, regions: [] }];
  if (value === NO_KHO) return all([], atOnce, world.crash);
  if (value === COLD) return world.plans.flatMap((areas) => all(areas, atOnce, world.crash));
  return world.plans.flatMap((areas) => [
    ...all(areas, NO_SPANS, NOWHERE),
    ...world.early.flatMap((span) => [
      ...all(areas, [span], NOWHERE),
      ...(world.crash[1] > 0 ? all(areas, [span], [span[0], world.crash[1]]) : []),
    ]),
  ]);
};

const meets = ([first, count]: Span, pfn: number): boolean => pfn >= first && pfn < first + count;

/** Frames that nothing is reserved in; frame 0 is no page of KHO's. */
const leftFrames = ({ machine }: SmallWorld, reserved: Reserved): readonly number[] => {
  const { areas, early, crash, regions } = reserved;
  const pageBytes = 2 ** machine.pageShift;
  const pages = regions.map(([start, bytes]): Span => [start / pageBytes, bytes / pageBytes]);
  const spans = [...areas, ...early, crash, ...pages];
  return framesOf(machine).filter((pfn) => pfn > 0 && !spans.some((span) => meets(span, pfn)));
};

/**
 * Whether `pages` are the first of `left` that nobody handed over, in this order. A kernel that
 * takes a handover over is offered only where there is an image: it looks at many frames.
 */
const areLowest =
  (left: readonly number[], pages: readonly number[], revived: boolean) =>
  (s: State): boolean => {
    let at = 0;
    if (revived && s.loaded.get() === NO_IMAGE) return false;
    for (const pfn of left) {
      if (at === pages.length) return true;
      if (pfn === pages[at]) {
        if (revived && isKept(s, pfn)) return false;
        at++;
      } else if (!revived || !isKept(s, pfn)) return false;
    }
    return at === pages.length;
  };

const fill = (
  answer: CallAnswer,
  reserved: Reserved,
  pages: readonly number[],
  metadata: boolean,
): void => {
  for (const [first, count] of reserved.areas) answer.areas.add(first, count);
  for (const [first, count] of reserved.early) answer.early.add(first, count);
  for (const [start, bytes] of reserved.regions) answer.regions.add(start, bytes);
  [answer.crashFirst, answer.crashCount] = reserved.crash;
  for (const pfn of pages) answer.taken.add(pfn, 1);
  const left = [...pages];
  answer.fdt = left.shift() ?? 0;
  if (metadata) answer.metadata = left.shift() ?? 0;
  answer.memblock = left.shift() ?? 0;
  if (answer.memblock !== 0) answer.memblockBytes = MEMBLOCK_BYTES;
};

/** Pages of KHO's own that a kernel takes: for the tree, the metadata, the list of regions. */
const ownPages = ({ metadata }: SmallWorld, { regions }: Reserved): number =>
  1 + (metadata ? 1 : 0) + (regions.some(([, bytes]) => bytes > 0) ? 1 : 0);

const isAscending = (list: readonly number[]): boolean =>
  list.every((value, at) => at === 0 || list[at - 1]! < value);

/** The answers of a kernel that reserved this. */
const withPages = (world: SmallWorld, reserved: Reserved, value: number): readonly Offer[] => {
  if (value === NO_KHO) return [offer(value, (answer) => fill(answer, reserved, [], false))];
  const length = ownPages(world, reserved);
  if (world.bootPages === 'any') {
    const all = framesOf(world.machine).filter((pfn) => pfn > 0);
    return sequences(all, length).map((pages) =>
      offer(value, (answer) => fill(answer, reserved, pages, world.metadata)),
    );
  }
  const left = leftFrames(world, reserved);
  const choices = sequences(left, length).filter(isAscending);
  const lowest = value === REVIVED ? choices : choices.slice(0, 1);
  return lowest.map((pages) => ({
    ...offer(value, (answer) => fill(answer, reserved, pages, world.metadata)),
    chosen: areLowest(left, pages, value === REVIVED),
  }));
};

/** The answers of a boot that is offered to answer one of `values`. */
export const boots = (world: SmallWorld, call: Call, values: readonly number[]): readonly Offer[] =>
  values.flatMap((value) =>
    reservations(world, call, value).flatMap((reserved) => withPages(world, reserved, value)),
  );
