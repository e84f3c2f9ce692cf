/**
 * Memory of the live update orchestrator: blocks that it takes and preserves during a call, and
 * what it gives back.
 *
 * Between `begin` and `done` or `undo` it remembers what was taken: a call that fails gives exactly
 * that back and says nothing of it; one that succeeds lists it in its answer.
 */
import type { Call, CallAnswer } from '#model/call';
import { call } from '#model/call';
import type { Booted, Platform } from './boot.ts';
import { ENOMEM } from './errno.ts';
import type { Tracker } from './tracker.ts';
import type { AreaPages } from './vmalloc.ts';

/** The kernel as the orchestrator uses it. */
export interface LuoKernel extends AreaPages {
  restoreFolio(call: Call): number;
}

/** What it works with. */
export interface LuoMemoryHost {
  readonly platform: Platform;
  readonly booted: Booted;
  readonly tracker: Tracker;
  readonly kernel: LuoKernel;
  readonly answer: CallAnswer;
}

export class LuoMemory implements AreaPages {
  readonly #host: LuoMemoryHost;
  /** Order of each block that was taken since `begin`, by its first frame. */
  readonly #taken = new Map<number, number>();

  constructor(host: LuoMemoryHost) {
    this.#host = host;
  }

  begin(): void {
    this.#taken.clear();
  }

  /** Lists in the answer what was taken, in the order in which it was. */
  done(): void {
    for (const [pfn, order] of this.#taken) this.#host.answer.chunks.add(pfn, 2 ** order);
    this.#taken.clear();
  }

  /** Gives back what was taken; answers -ENOMEM, as nothing but a lack of memory makes it fail. */
  undo(): number {
    for (const [pfn, order] of this.#taken) {
      this.#host.tracker.remove(pfn, order);
      this.#host.booted.allocator.free(pfn, order);
    }
    this.#taken.clear();
    return -ENOMEM;
  }

  /** How many blocks were taken since `begin`. */
  get taken(): number {
    return this.#taken.size;
  }

  /** A block of zeroed pages, preserved as a folio; -1 when there is none. Never frame 0. */
  take(order: number): number {
    const pfn = this.#allocate(order);
    if (pfn < 0) return -1;
    if (!this.#host.tracker.add(pfn, order, this.#host.kernel)) {
      this.#host.booted.allocator.free(pfn, order);
      return -1;
    }
    for (let page = pfn; page < pfn + 2 ** order; page++) this.#host.platform.memory.zeroPage(page);
    this.#taken.set(pfn, order);
    return pfn;
  }

  #allocate(order: number): number {
    const { decisions } = this.#host.platform;
    const { allocator } = this.#host.booted;
    const scratchToo = !decisions.scratchIsMovableOnly;
    const pfn = allocator.allocate(order, -1, false, scratchToo);
    if (pfn !== 0) return pfn;
    const other = allocator.allocate(order, -1, false, scratchToo);
    allocator.free(0, order);
    return other;
  }

  /** Stops preserving a block and gives it back. */
  release(pfn: number, order: number): void {
    this.#host.tracker.remove(pfn, order);
    this.#free(pfn, order);
  }

  #free(pfn: number, order: number): void {
    this.#host.booted.allocator.free(pfn, order);
    if (!this.#taken.delete(pfn)) this.#host.answer.given.add(pfn, 2 ** order);
  }

  /** Gives a folio back that the previous kernel kept; answers whether it was there. */
  restoreFree(pfn: number): boolean {
    const order = this.#host.kernel.restoreFolio(call('restoreFolio', { pfn }));
    if (order >= 0) this.#free(pfn, order);
    return order >= 0;
  }

  takePage(): number {
    const pfn = this.#allocate(0);
    if (pfn >= 0) this.#taken.set(pfn, 0);
    return pfn;
  }

  givePage(pfn: number): void {
    this.#free(pfn, 0);
  }

  takeBlock(order: number): number {
    const pfn = this.#host.kernel.takeBlock(order);
    for (let page = pfn; pfn >= 0 && page < pfn + 2 ** order; page++) this.#taken.set(page, 0);
    return pfn;
  }

  freeSingles(first: number, count: number): void {
    for (let page = first; page < first + count; page++) this.#free(page, 0);
  }

  preserveRange(first: number, count: number): number {
    return this.#host.kernel.preserveRange(first, count);
  }

  unpreserveRange(first: number, count: number): void {
    this.#host.kernel.unpreserveRange(first, count);
  }

  isHeld(first: number, count: number): boolean {
    return this.#host.kernel.isHeld(first, count);
  }

  takeOverRange(first: number, count: number): void {
    this.#host.kernel.takeOverRange(first, count);
  }
}
