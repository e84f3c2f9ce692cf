/**
 * Objects of the world: what steps make and other steps speak of.
 *
 * What differs between kinds of object is which calls they are kept and given back by; that is
 * their interface. Everything else an object knows is what became of it.
 */
import type { Call } from '#spec/call';
import { call } from './call.ts';

/** `owned`: the running kernel has it; `held`: handed over and not restored; `gone`: neither. */
export type Status = 'owned' | 'held' | 'gone';

/** The calls that an object is freed, kept and restored by. */
export interface ObjectCalls {
  /** What people call such an object. */
  readonly noun: string;
  readonly free: (object: WorldObject) => Call;
  readonly preserve: (object: WorldObject) => Call;
  readonly unpreserve: (object: WorldObject) => Call;
  readonly restore: (object: WorldObject) => Call;
}

/** A block of the page allocator, kept as a folio. */
export const FOLIO: ObjectCalls = {
  noun: 'folio',
  free: ({ pfn, order }) => call('freePages', { pfn, order }),
  preserve: ({ pfn, order }) => call('preserveFolio', { pfn, order }),
  unpreserve: ({ pfn, order }) => call('unpreserveFolio', { pfn, order }),
  restore: ({ pfn }) => call('restoreFolio', { pfn }),
};

/** A range of single pages. */
export const RANGE: ObjectCalls = {
  noun: 'range',
  free: ({ pfn, count }) => call('freeContig', { pfn, count }),
  preserve: ({ pfn, count }) => call('preservePages', { pfn, count }),
  unpreserve: ({ pfn, count }) => call('unpreservePages', { pfn, count }),
  restore: ({ pfn, count }) => call('restorePages', { pfn, count }),
};

/** An area of virtual memory: blocks anywhere, and while it is preserved a list of them. */
export const VMALLOC: ObjectCalls = {
  noun: 'area',
  free: ({ pfn, count, order }) => call('vfree', { pfn, count, order }),
  preserve: ({ pfn, count, order }) => call('preserveVmalloc', { pfn, count, order }),
  unpreserve: (area) => call('unpreserveVmalloc', descriptorOf(area)),
  restore: (area) => call('restoreVmalloc', descriptorOf(area)),
};

/** What its owner was told when an area was preserved, as arguments of a call. */
const descriptorOf = ({ list, count, order, flags }: WorldObject) => ({
  pfn: list,
  count,
  order,
  value: flags,
});

/** What an object is made with. */
export interface Making {
  readonly calls: ObjectCalls;
  readonly pfn: number;
  readonly order: number;
  readonly count: number;
  readonly movable: boolean;
  /** First frames of the blocks of an area, in mapping order. */
  readonly blocks?: readonly number[];
  /** Flags of an area. */
  readonly flags?: number;
}

export class WorldObject {
  /** Number of the step that made it. */
  readonly id: number;
  /** How it is kept and given back; a kernel that knows ranges alone makes a folio a range. */
  calls: ObjectCalls;
  /** First frame; follows when the kernel moves the object. */
  pfn: number;
  /** log2 of the number of frames of a block; 0 for a range. */
  order: number;
  /** Number of frames. */
  readonly count: number;
  /** Whether the kernel may move it: it was taken as movable and is not pinned. */
  movable: boolean;
  /** Whether it is movable memory that is pinned for long. */
  pinned = false;
  readonly blocks: readonly number[] | undefined;
  readonly flags: number;
  /** What preserving an area answered: the frame of the first chunk; 0 when there is no list. */
  list = 0;
  status: Status = 'owned';
  /** Whether its owner gave it back while users that named it did not (up to v4). */
  returned = false;
  preserved = false;
  /** How many names of the outgoing tree point to it. */
  names = 0;

  constructor(id: number, making: Making) {
    this.id = id;
    this.calls = making.calls;
    this.pfn = making.pfn;
    this.order = making.order;
    this.count = making.count;
    this.movable = making.movable;
    this.blocks = making.blocks;
    this.flags = making.flags ?? 0;
  }

  /** The kernel that holds it knows nothing but where it is and how long. */
  becomeRange(): void {
    this.calls = RANGE;
    this.order = 0;
  }

  /** Frame of a page of it, counted from its start. */
  frame(page: number): number {
    if (this.blocks === undefined) return this.pfn + page;
    return this.blocks[Math.floor(page / 2 ** this.order)]! + (page % 2 ** this.order);
  }

  /** Frames that follow each other in memory, from the first one on. */
  get run(): number {
    return this.blocks === undefined ? this.count : 2 ** this.order;
  }
}
