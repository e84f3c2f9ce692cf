/**
 * Claims on memory that was handed over, in kernels up to v4: every node that named a page has one.
 *
 * Held memory is claimed by its owner, or given back by one node after the other; a page is free
 * when the last of them gave it back.
 *
 * Source: kho_claim_mem, kho_return_mem of the series v4; kho_populate_refcount of v3.
 */
import type { Call, CallAnswer } from '#model/call';
import { blockOrder } from './blocks.ts';
import type { Booted, Platform } from './boot.ts';
import { ENOENT } from './errno.ts';

export class Claims {
  readonly #platform: Platform;
  readonly #booted: Booted;
  readonly #answer: CallAnswer;

  constructor(platform: Platform, booted: Booted, answer: CallAnswer) {
    this.#platform = platform;
    this.#booted = booted;
    this.#answer = answer;
  }

  /** Held blocks that a range consists of, or undefined when it is not held as such. */
  #blocksOf(first: number, count: number, withinNode: boolean): number[] | undefined {
    const { topology } = this.#platform;
    const blocks: number[] = [];
    for (let head = first; head < first + count;) {
      const order = blockOrder(topology, head, first + count, withinNode);
      const block = this.#booted.held.heldAt(head, order);
      if (block < 0) return undefined;
      blocks.push(block);
      head += 2 ** order;
    }
    return blocks;
  }

  /** Makes a held range single pages of the caller; answers 0 or -ENOENT. */
  claim({ pfn, count }: Call): number {
    const blocks = this.#blocksOf(pfn, count, this.#platform.decisions.restoreSplitsAtNodes);
    if (blocks === undefined) return -ENOENT;
    const { held, allocator } = this.#booted;
    for (const block of blocks) held.release(block, true);
    for (let page = pfn; page < pfn + count; page++) allocator.adopt(page, 0);
    this.#answer.managed += count;
    return 0;
  }

  /**
   * Ends the claim of one node: that of a user where the call has a name, else the owner's. Answers
   * 0, or -ENOENT where there is none.
   */
  giveBack({ pfn, count, name }: Call): number {
    const { decisions } = this.#platform;
    const { held, allocator } = this.#booted;
    const splits = name === 0 && decisions.restoreSplitsAtNodes;
    const blocks = this.#blocksOf(pfn, count, splits);
    if (blocks === undefined) return -ENOENT;
    for (const block of blocks) held.release(block, true);
    for (let page = pfn; page < pfn + count; page++) {
      if (decisions.returnCountsClaims && held.holds(page)) continue;
      allocator.adopt(page, 0);
      allocator.free(page, 0);
      this.#answer.managed++;
    }
    return 0;
  }
}
