/**
 * The outgoing tree of a running kernel: what it names, and when that is written.
 *
 * From 6.19 on the page lives from boot on and is edited in place. Before, users only announce what
 * they hand over, and the page is written in one go when somebody finalizes; until then, and after
 * an abort, there is no tree to see.
 */
import { FdtError, FdtWriter } from 'fdt-ts';
import {
  COMPATIBLE_PROPERTY,
  MEMORY_MAP_PROPERTY,
  SUBTREE_BLOB,
} from '#src/abi/description/root-tree';
import type { Generation } from '#src/abi/description/generation';
import type { Platform } from './boot.ts';
import { EEXIST, ENOENT, ENOMEM } from './errno.ts';
import { addSubtree, createTree, removeSubtree, setMap } from './handover-tree.ts';
import { startEarlyTree } from './early-trees.ts';
import type { MemRange } from './early-trees.ts';
import { writeU64 } from './physical-memory.ts';
import type { Region } from './reserve-mem.ts';
import type { Stateful } from '#model/system';

/** As something stateful, it says what it knows beside its page. */
export interface OutgoingTree extends Stateful {
  /** Whether the page holds what will be handed over. */
  readonly written: boolean;
  /** Names a blob; answers 0, -EEXIST or -ENOMEM. */
  add(name: string, phys: number, bytes: number): number;
  /** Takes the newest name of the blob at an address out; answers an error where that is one. */
  remove(phys: number): number | void;
  /** Writes the page, with the tracker at this address; answers 0 or -ENOMEM. */
  write(map: number): number;
  /** Forgets every name but `kept`; the page is no tree any more. */
  forget(kept: string): void;
  /** Whether regions stand in the tree itself, and `list` says which. */
  readonly holdsRegions?: true;
  list?(regions: readonly Region[]): void;
}

/** A page that is edited whenever a name comes or goes. */
class TreeInPlace implements OutgoingTree {
  readonly written = true;
  readonly #platform: Platform;
  readonly #frame: number;

  constructor(platform: Platform, frame: number, map: number) {
    this.#platform = platform;
    this.#frame = frame;
    createTree(platform.memory.zeroPage(frame), platform.compatible, map);
  }

  get #page(): Uint8Array {
    return this.#platform.memory.pageForWriting(this.#frame);
  }

  add(name: string, phys: number, bytes: number): number {
    const { decisions, generation } = this.#platform;
    return addSubtree(this.#page, name, phys, bytes, decisions, generation?.subtree);
  }

  remove(phys: number): number {
    const { decisions, generation } = this.#platform;
    const wasThere = removeSubtree(this.#page, phys, decisions, generation?.subtree);
    return wasThere || decisions.missingBlobIsGone ? 0 : -ENOENT;
  }

  write(map: number): number {
    setMap(this.#page, map);
    return 0;
  }

  state(): unknown {
    return this.#frame;
  }

  save(): () => void {
    return () => {};
  }

  forget(): void {}
}

const u64 = (value: number): Uint8Array => {
  const bytes = new Uint8Array(8);
  writeU64(bytes, 0, value);
  return bytes;
};

/** A page that is written once, of what users announced in the order in which they did. */
class TreeAtOnce implements OutgoingTree {
  written = false;
  readonly #platform: Platform;
  readonly #frame: number;
  #announced: { readonly name: string; readonly phys: number }[] = [];

  constructor(platform: Platform, frame: number) {
    this.#platform = platform;
    this.#frame = frame;
  }

  add(name: string, phys: number): number {
    const known = this.#announced.some((each) => each.name === name);
    if (known && this.#platform.decisions.checksDuplicateNames) return -EEXIST;
    this.#announced.push({ name, phys });
    return 0;
  }

  remove(phys: number): void {
    this.#announced = this.#announced.filter((each) => each.phys !== phys);
  }

  write(map: number): number {
    const { memory, compatible, generation } = this.#platform;
    const { address } = generation?.subtree ?? SUBTREE_BLOB;
    try {
      const writer = FdtWriter.create(memory.zeroPage(this.#frame));
      writer.finishReservemap();
      writer.beginNode('');
      writer.propertyString(COMPATIBLE_PROPERTY, compatible);
      writer.property(MEMORY_MAP_PROPERTY, u64(map));
      for (const { name, phys } of this.#announced) {
        writer.beginNode(name);
        writer.property(address, u64(phys));
        writer.endNode();
      }
      writer.endNode();
      writer.finish();
    } catch (error) {
      if (!(error instanceof FdtError)) throw error;
      return this.#platform.decisions.translatesTreeErrors ? -ENOMEM : -error.number;
    }
    this.written = true;
    return 0;
  }

  state(): unknown {
    return [this.written, this.#frame, this.#announced];
  }

  save(): () => void {
    const [written, announced] = [this.written, [...this.#announced]];
    return () => {
      this.written = written;
      this.#announced = [...announced];
    };
  }

  forget(kept: string): void {
    this.written = false;
    this.#announced = this.#announced.filter(({ name }) => name === kept);
  }
}

/** No tree: KHO is off. */
const NO_TREE: OutgoingTree = {
  written: false,
  add: () => 0,
  remove: () => {},
  write: () => 0,
  forget: () => {},
  state: () => 0,
  save: () => () => {},
};

/**
 * Starts the tree of a kernel in a page of its own.
 *
 * @param generation undefined where KHO is off
 * @param ranges what has to stand in the tree itself
 */
export const startTree = (
  platform: Platform,
  generation: Generation | undefined,
  frame: number,
  map: number,
  ranges: () => readonly MemRange[] = () => [],
): OutgoingTree => {
  if (generation === undefined) return NO_TREE;
  const { root } = generation;
  if (root.form !== 'pointers') return startEarlyTree(platform, root, frame, ranges);
  return generation.root.written === 'in-place'
    ? new TreeInPlace(platform, frame, map)
    : new TreeAtOnce(platform, frame);
};
