/**
 * The debugfs directory of one running kernel: what user space can read of a handover.
 *
 * The kernel keeps a list of the blobs that it shows, as it names and drops them; a file is a
 * window on memory, made when it is read. A blob that was handed over is shown until the memory
 * that it starts in is given back.
 */
import { FdtError, FdtReader } from 'fdt-ts';
import type { DebugfsFile } from '#model/system';
import type { Booted, Platform } from './boot.ts';
import { readU64 } from './physical-memory.ts';
import type { PhysicalMemory } from './physical-memory.ts';
import { SUBTREE_BLOB } from '#src/abi/description/root-tree';

/** A blob that a file shows; address and size in bytes. */
interface ShownBlob {
  readonly name: string;
  readonly phys: number;
  readonly bytes: number;
}

/** Every blob that a tree names with an address and a size of eight bytes each. */
const subtreesOf = (page: Uint8Array): ShownBlob[] => {
  const found: ShownBlob[] = [];
  const { address, bytes = 'blob-size' } = SUBTREE_BLOB;
  try {
    const tree = new FdtReader(page);
    let node = tree.firstSubnode(0);
    while (node !== undefined) {
      const phys = tree.property(node, address);
      const size = tree.property(node, bytes);
      if (phys?.length === 8 && size?.length === 8) {
        found.push({ name: tree.name(node), phys: readU64(phys, 0), bytes: readU64(size, 0) });
      }
      node = tree.nextSubnode(node);
    }
  } catch (error) {
    if (!(error instanceof FdtError)) throw error;
  }
  return found;
};

export class Debugfs {
  readonly #platform: Platform;
  readonly #booted: Booted;
  /** Frame of the outgoing tree, and of the incoming one or -1. */
  readonly #tree: number;
  readonly #incoming: number;
  readonly #out: ShownBlob[] = [];
  readonly #in: readonly ShownBlob[];
  /** Size of the outgoing tree when the kernel was up, in bytes. */
  #firstTreeBytes = 0;

  /**
   * @param tree frame of the outgoing tree
   * @param offered frame of the tree that the kernel was told of, taken over or not; -1 for none
   */
  constructor(platform: Platform, booted: Booted, tree: number, offered: number) {
    this.#platform = platform;
    this.#booted = booted;
    this.#tree = tree;
    const { decisions, memory, topology } = platform;
    this.#incoming = decisions.showsAcceptedTreeOnly ? booted.incomingTree : offered;
    const page = this.#incoming < 0 ? undefined : memory.page(this.#incoming);
    const frameOf = ({ phys }: ShownBlob): number => Math.floor(phys / topology.pageBytes);
    const named = page === undefined ? [] : subtreesOf(page);
    this.#in = named.filter((blob) => blob.phys !== 0 && topology.nodeOf(frameOf(blob)) >= 0);
    for (const blob of this.#in) booted.allocator.watched.add(frameOf(blob));
  }

  /** A blob was named in the outgoing tree. */
  add(name: string, phys: number, bytes: number): void {
    this.#out.push({ name, phys, bytes });
  }

  /** The blob at `phys` was taken out of the tree. */
  remove(phys: number): void {
    if (!this.#platform.decisions.hidesRemovedBlobs) return;
    const at = this.#out.findLastIndex((blob) => blob.phys === phys);
    if (at >= 0) this.#out.splice(at, 1);
  }

  /** The kernel is up: the tree has what it names itself. */
  ready(): void {
    this.#firstTreeBytes = this.#treeBytes(this.#tree);
  }

  /** What the header of the tree in this frame says of its size. */
  #treeBytes(frame: number): number {
    const page = this.#platform.memory.page(frame);
    return page === undefined ? 0 : new DataView(page.buffer, page.byteOffset).getUint32(4);
  }

  /** Every file by its path below the directory; what a file shows is read when it is asked for. */
  files(): ReadonlyMap<string, DebugfsFile> {
    const { decisions, topology } = this.#platform;
    const { areas, allocator, incomingTree } = this.#booted;
    const files = new Map<string, DebugfsFile>();
    const show = (path: string, phys: number, bytes: number): void => {
      files.set(path, new Window(this.#platform.memory, topology.pageBytes, phys, bytes));
    };
    const unit = decisions.shownScratchUnit(topology.pageBytes);
    files.set('out/scratch_phys', new Lines(areas.map(({ first }) => first * unit)));
    files.set('out/scratch_len', new Lines(areas.map(({ count }) => count * unit)));
    if (incomingTree < 0 || decisions.showsTreeOnKhoBoots) {
      const bytes = decisions.shownTreeBytes(this.#treeBytes(this.#tree), this.#firstTreeBytes);
      show('out/fdt', this.#tree * topology.pageBytes, bytes);
    }
    for (const { name, phys, bytes } of this.#out) show(`out/sub_fdts/${name}`, phys, bytes);
    if (this.#incoming < 0) return files;
    show('in/fdt', this.#incoming * topology.pageBytes, this.#treeBytes(this.#incoming));
    for (const { name, phys, bytes } of this.#in) {
      const kept = allocator.watched.has(Math.floor(phys / topology.pageBytes));
      if (kept || !decisions.hidesFreedBlobs) show(`in/sub_fdts/${name}`, phys, bytes);
    }
    return files;
  }
}

/** A file that shows memory as it is when it is read. */
class Window implements DebugfsFile {
  readonly length: number;
  readonly #memory: PhysicalMemory;
  readonly #pfn: number;
  readonly #offset: number;

  constructor(memory: PhysicalMemory, pageBytes: number, phys: number, bytes: number) {
    this.length = bytes;
    this.#memory = memory;
    this.#pfn = Math.floor(phys / pageBytes);
    this.#offset = phys % pageBytes;
  }

  get stamp(): number {
    return this.#memory.stamp(this.#pfn);
  }

  read(): Uint8Array | undefined {
    const page = this.#memory.page(this.#pfn);
    if (page === undefined || this.#offset + this.length > page.length) return undefined;
    return page.subarray(this.#offset, this.#offset + this.length);
  }
}

/** A file with one number a line, in hexadecimal. */
class Lines implements DebugfsFile {
  readonly stamp = 0;
  readonly #bytes: Uint8Array;

  constructor(numbers: readonly number[]) {
    const text = numbers.map((number) => `0x${number.toString(16)}\n`).join('');
    this.#bytes = new TextEncoder().encode(text);
  }

  get length(): number {
    return this.#bytes.length;
  }

  read(): Uint8Array {
    return this.#bytes;
  }
}
