/**
 * Moving pages: for a long-term pin, and because the kernel likes to.
 *
 * A movable block goes elsewhere with its content, and its owner is told where. Nothing is changed
 * unless there is room; a block that is pinned stays where it is.
 */
import type { Platform } from './boot.ts';
import { EBUSY, ENOMEM } from './errno.ts';
import type { PageAllocator } from './page-allocator.ts';
import { MIGRATE_CMA } from './pageblocks.ts';
import type { MigrateTypes } from './pageblocks.ts';

/** A block of `2^order` frames, and the node it may go to; -1 for any. */
interface Block {
  readonly pfn: number;
  readonly order: number;
  readonly node: number;
}

export class Migration {
  readonly #platform: Platform;
  readonly #allocator: PageAllocator;
  readonly #types: MigrateTypes;

  constructor(platform: Platform, allocator: PageAllocator, types: MigrateTypes) {
    this.#platform = platform;
    this.#allocator = allocator;
    this.#types = types;
  }

  /** Pins a movable block, out of scratch if need be: its first frame, or -ENOMEM. */
  pin(block: Block): number {
    const { pinsOutsideScratch, pinMovesTo, pinsInPlace } = this.#platform.decisions;
    const isIn = this.#types.typeOf(block.pfn) === MIGRATE_CMA;
    const leaves = pinsOutsideScratch && (isIn || !pinsInPlace);
    const pfn = leaves ? this.#move(block, pinMovesTo === 'anywhere') : block.pfn;
    if (pfn >= 0) this.#allocator.setPinned(pfn, block.order, true);
    return pfn;
  }

  unpin({ pfn, order }: Block): number {
    const { decisions, topology } = this.#platform;
    if (order > decisions.largestUnpinned(topology.maxOrder)) return -EBUSY;
    this.#allocator.setPinned(pfn, order, false);
    return 0;
  }

  /** Moves a block that may be moved: its first frame, -EBUSY, or -ENOMEM. */
  migrate(block: Block): number {
    const owner = this.#allocator.ownerOf(block.pfn);
    const moves = this.#platform.decisions.movesPinned ? 'pinned' : 'movable';
    return owner === 'movable' || owner === moves ? this.#move(block, true) : -EBUSY;
  }

  #move({ pfn, order, node }: Block, scratchToo: boolean): number {
    const { memory, decisions } = this.#platform;
    const isFull = this.#allocator.freeFrames < decisions.framesSparedByMoves;
    const wanted = decisions.nodeToMoveTo(node);
    const to = isFull ? -1 : this.#allocator.allocate(order, wanted, true, scratchToo);
    if (to < 0) {
      if (!decisions.failedMovePutsBack) this.#allocator.free(pfn, order);
      return -ENOMEM;
    }
    if (decisions.movingCopies) memory.copy(pfn, to, 2 ** order);
    if (decisions.movingFrees) this.#allocator.free(pfn, order);
    return to;
  }
}
