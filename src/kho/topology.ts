/**
 * What a kernel learns about its machine from firmware: nodes and page size.
 *
 * This is an implementation's own reading of a machine; the law has another.
 */
import type { Machine } from '#model/system';

export class Topology {
  readonly pageShift: number;
  readonly pageBytes: number;
  readonly end: number;
  readonly maxOrder: number;
  readonly lowmemEnd: number;
  readonly #firsts: readonly number[];
  readonly #ends: readonly number[];

  constructor(machine: Machine) {
    this.pageShift = machine.pageShift;
    this.pageBytes = 2 ** machine.pageShift;
    this.end = machine.end;
    this.maxOrder = machine.maxOrder;
    this.lowmemEnd = machine.lowmemEnd;
    this.#firsts = machine.nodes.map((node) => node.first);
    this.#ends = machine.nodes.map((node) => node.first + node.count);
  }

  get nodes(): number {
    return this.#firsts.length;
  }

  first(node: number): number {
    return this.#firsts[node]!;
  }

  /** One past the last frame of a node. */
  endOf(node: number): number {
    return this.#ends[node]!;
  }

  /** The node of a frame, or -1 where there is no memory. */
  nodeOf(pfn: number): number {
    for (let node = this.#ends.length - 1; node >= 0; node--) {
      if (pfn >= this.#firsts[node]!) return pfn < this.#ends[node]! ? node : -1;
    }
    return -1;
  }
}
