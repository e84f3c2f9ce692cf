/**
 * Answers that a system might give to a call: far more than are allowed.
 *
 * Exploration offers each of them to the law in every state; what no rule refuses is a transition.
 * So the law alone says what may happen, as it does in lockstep. Where it leaves a choice that
 * makes no difference to any rule, one is made here:
 *
 * - the page of a blob, a tree or a chunk is a whole page of its own;
 * - a kernel boots with one early reservation or none, by one of the world's plans of areas;
 * - a load places one segment, where an area or a machine begins;
 * - a preservation takes at most one page for KHO, keeps it if it succeeds and none if it does not;
 * - a region of `reserve_mem=` starts at the start of a page.
 */
import { COLD, NO_KHO, REVIVED } from '#spec/call';
import type { ActionName, Call } from '#spec/call';
import {
  E2BIG,
  EADDRNOTAVAIL,
  EBUSY,
  EEXIST,
  EINVAL,
  ENOENT,
  ENOMEM,
  EOPNOTSUPP,
} from '#spec/errno';
import { areas, keptAreas, restoredAreas, takenBackAreas } from './area-answers.ts';
import { boots } from './boot-answers.ts';
import { framesOf, numbers, offer } from './offer.ts';
import type { Offer } from './offer.ts';
import { MEMBLOCK_BYTES, blobSizes } from './small-world.ts';
import type { SmallWorld } from './small-world.ts';

/** Any frame, aligned or not, or one of the refusals. */
const places = ({ machine }: SmallWorld, ...refusals: readonly number[]): readonly Offer[] =>
  numbers(...framesOf(machine), ...refusals);

/** What restoring a folio may answer: an order, and that its frames are managed now. */
const orders = ({ machine }: SmallWorld): readonly Offer[] => {
  const restored = Array.from({ length: machine.maxOrder + 1 }, (_, order) =>
    managing(order, 2 ** order),
  );
  return [...restored, ...numbers(-ENOENT)];
};

/** An answer after which so many more frames are managed. */
const managing = (value: number, frames: number): Offer =>
  offer(value, (answer) => {
    answer.managed = frames;
  });

/** What preserving may answer: it takes up to `ownPages` pages for KHO when it succeeds. */
const preserved = (world: SmallWorld): readonly Offer[] => {
  const pages = world.ownPages === 0 ? [] : framesOf(world.machine);
  const took = pages.map((pfn) => offer(0, ({ taken }) => taken.add(pfn, 1)));
  return [...numbers(0), ...took, ...numbers(-EINVAL, -ENOMEM, -EBUSY)];
};

/** Where images may go: to the start of each area, of the crash memory, of the machine. */
const images = ({ plans, crash, machine }: SmallWorld, { count }: Call): readonly Offer[] => {
  const frames = Math.max(1, count);
  const starts = new Set([0, crash[0], machine.end - frames]);
  for (const plan of plans) for (const [first, size] of plan) if (size > 0) starts.add(first);
  const loaded = [...starts].map((first) => offer(0, ({ placed }) => placed.add(first, frames)));
  return [...loaded, ...numbers(-EADDRNOTAVAIL)];
};

/** What `count` things found at multiples of `unit` may be, each with one of the sizes. */
const found = (count: number, unit: number, sizes: Iterable<number>): readonly Offer[] =>
  [...sizes].flatMap((bytes) =>
    Array.from({ length: count }, (_, at) =>
      offer(at * unit, (answer) => {
        answer.bytes = bytes;
      }),
    ),
  );

const foundRegions = ({ machine }: SmallWorld): readonly Offer[] => {
  const entries = machine.reserveMem?.lines.flatMap((line) => line.entries) ?? [];
  const sizes = new Set(entries.map(({ bytes }) => bytes));
  return [...found(machine.end, 2 ** machine.pageShift, sizes), ...numbers(-ENOENT)];
};

/** Releasing a region: its pages come back, and with the last one the page of the blob. */
const releases = ({ machine }: SmallWorld): readonly Offer[] => {
  const frames = framesOf(machine);
  const made = frames.flatMap((pfn) => frames.map((managed) => [pfn, managed] as const));
  const last = made.map(([pfn, managed]) =>
    offer(0, (answer) => {
      answer.managed = managed;
      answer.given.add(pfn, 1);
    }),
  );
  const others = made.map(([pfn, managed]) =>
    offer(0, (answer) => {
      answer.managed = managed;
      answer.memblock = pfn;
      answer.memblockBytes = MEMBLOCK_BYTES;
    }),
  );
  return [...last, ...others, ...numbers(-ENOENT)];
};

const done = (): readonly Offer[] => numbers(0);

type Enumerate = (world: SmallWorld, call: Call) => readonly Offer[];

/** What is offered to the law as answers to a call of each action. */
const ANSWERS: Partial<Record<ActionName, Enumerate>> = {
  coldBoot: (world, call) => boots(world, call, [COLD, NO_KHO]),
  allocPages: (world) => places(world, -ENOMEM),
  allocContig: () => numbers(0, -EBUSY),
  freePages: done,
  freeContig: done,
  write: done,
  preserveFolio: preserved,
  unpreserveFolio: done,
  preservePages: preserved,
  unpreservePages: done,
  restoreFolio: orders,
  restorePages: (_world, { count }) => [managing(0, count), ...numbers(-ENOENT)],
  addSubtree: () => numbers(0, -EEXIST, -ENOMEM, -EBUSY),
  finalize: () => numbers(0, -EEXIST, -ENOMEM),
  abort: () => numbers(0, -ENOENT, -EINVAL),
  removeSubtree: done,
  retrieveSubtree: (world) => [
    ...found(world.machine.end, 1, blobSizes(world)),
    ...numbers(-ENOENT, -EINVAL, -EOPNOTSUPP),
  ],
  kexecFileLoad: images,
  kexec: (world, call) => [...boots(world, call, [COLD, REVIVED, NO_KHO]), ...numbers(-EINVAL)],
  vmalloc: areas,
  vfree: done,
  preserveVmalloc: keptAreas,
  unpreserveVmalloc: takenBackAreas,
  restoreVmalloc: restoredAreas,
  allocPreserve: (world) => places(world, -EINVAL, -E2BIG, -ENOMEM),
  unpreserveFree: done,
  restoreFree: orders,
  reserveMemFindByName: foundRegions,
  releaseReserveMem: releases,
  kexecLoad: () => numbers(0, -EADDRNOTAVAIL),
  kexecUnload: done,
  kexecCrashLoad: images,
  crash: (world, call) => [...boots(world, call, [NO_KHO]), ...numbers(-EINVAL)],
  khoIsEnabled: () => numbers(0, 1),
  isKhoBoot: () => numbers(0, 1),
  pin: (world) => places(world, -ENOMEM),
  unpin: done,
  migrate: (world) => places(world, -EBUSY, -ENOMEM),
};

/** The answers that exploration offers to the law for a call. */
export const answersTo = (world: SmallWorld, call: Call): readonly Offer[] => {
  const enumerate = ANSWERS[call.action];
  if (enumerate === undefined) throw new Error(`no answers are known to offer to ${call.action}`);
  return enumerate(world, call);
};
