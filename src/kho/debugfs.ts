/**
 * The debugfs directory of one running kernel: what user space can read of a handover.
 *
 * The kernel keeps a list of the blobs that it shows, as it names and drops them; a file is a
 * window on memory, made when it is read. A blob that was handed over is shown until the memory
 * that it starts in is given back.
 */
import { FdtError, FdtReader, checkHeader } from 'fdt-ts';
import type { DebugfsFile } from '#model/system';
import type { Booted, Platform } from './boot.ts';
import type { OutgoingTree } from './outgoing-tree.ts';
import { readU64 } from './physical-memory.ts';
import type { PhysicalMemory } from './physical-memory.ts';
import { generationOf } from './boot.ts';
import { SUBTREE_BLOB } from '#src/abi/description/root-tree';
import type { SubtreeNames } from '#src/abi/description/root-tree';

/** A blob that a file shows; address and size in bytes. */
interface ShownBlob {
  readonly name: string;
  readonly phys: number;
  readonly bytes: number;
}

/** The kernel whose outgoing tree is shown. */
interface ShownKernel {
  /** Frame of that tree. */
  readonly tree: number;
  readonly outgoing: OutgoingTree;
}

/** Every blob that a tree names with an address and, where sizes are given, a size. */
const subtreesOf = (
  page: Uint8Array,
  { address, bytes }: SubtreeNames,
  sizeAt: (phys: number) => number,
): ShownBlob[] => {
  const found: ShownBlob[] = [];
  try {
    const tree = new FdtReader(page);
    let node = tree.firstSubnode(0);
    while (node !== undefined) {
      const phys = tree.property(node, address);
      const size = bytes === undefined ? undefined : tree.property(node, bytes);
      if (phys?.length === 8 && (bytes === undefined || size?.length === 8)) {
        const at = readU64(phys, 0);
        const length = size === undefined ? sizeAt(at) : readU64(size, 0);
        found.push({ name: tree.name(node), phys: at, bytes: length });
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
  readonly #kernel: ShownKernel;
  /** Frame of the incoming tree, or -1. */
  readonly #incoming: number;
  readonly #out: ShownBlob[] = [];
  readonly #in: readonly ShownBlob[];
  /** Files that say the same as long as the kernel runs. */
  readonly #scratchPhys: DebugfsFile;
  readonly #scratchLen: DebugfsFile;
  /** Size of the outgoing tree when the kernel was up, in bytes. */
  #firstTreeBytes = 0;
  /** That tree itself, where it is shown as it was. */
  #firstTree: Uint8Array | undefined;

  /**
   * @param kernel whose outgoing tree is shown
   * @param offered frame of the tree that the kernel was told of, taken over or not; -1 for none
   */
  constructor(platform: Platform, booted: Booted, kernel: ShownKernel, offered: number) {
    this.#platform = platform;
    this.#booted = booted;
    this.#kernel = kernel;
    const { decisions, memory, topology } = platform;
    this.#incoming = decisions.showsAcceptedTreeOnly ? booted.incomingTree : offered;
    const page = this.#incoming < 0 ? undefined : memory.page(this.#incoming);
    const frameOf = ({ phys }: ShownBlob): number => Math.floor(phys / topology.pageBytes);
    const names = generationOf(platform).subtree ?? SUBTREE_BLOB;
    const named = page === undefined ? [] : subtreesOf(page, names, (at) => this.#sizeAt(at));
    this.#in = named.filter((blob) => blob.phys !== 0 && topology.nodeOf(frameOf(blob)) >= 0);
    for (const blob of this.#in) booted.allocator.watched.add(frameOf(blob));
    const unit = decisions.shownScratchUnit(topology.pageBytes);
    this.#scratchPhys = new Lines(booted.areas.map(({ first }) => first * unit));
    this.#scratchLen = new Lines(booted.areas.map(({ count }) => count * unit));
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
    const { tree } = this.#kernel;
    this.#firstTreeBytes = this.#treeBytes(tree);
    const { decisions, memory } = this.#platform;
    if (!decisions.showsTreeOfNow) this.#firstTree = memory.page(tree)?.slice();
  }

  /** Every blob but that of one name was taken out. */
  forget(kept: string): void {
    const left = this.#out.filter(({ name }) => name === kept);
    this.#out.splice(0, this.#out.length, ...left);
  }

  state(): unknown {
    return [this.#incoming, this.#out, this.#in, this.#firstTreeBytes];
  }

  save(): () => void {
    const out = [...this.#out];
    return () => this.#out.splice(0, this.#out.length, ...out);
  }

  /** Size of the device tree at an address; where there is none, a page. */
  #sizeAt(phys: number): number {
    const { memory, topology } = this.#platform;
    const page = memory.page(Math.floor(phys / topology.pageBytes));
    return page === undefined || checkHeader(page) !== undefined
      ? topology.pageBytes
      : new DataView(page.buffer, page.byteOffset).getUint32(4);
  }

  /** What the header of the tree in this frame says of its size. */
  #treeBytes(frame: number): number {
    const page = this.#platform.memory.page(frame);
    return page === undefined ? 0 : new DataView(page.buffer, page.byteOffset).getUint32(4);
  }

  /** Every file by its path below the directory; what a file shows is read when it is asked for. */
  files(): ReadonlyMap<string, DebugfsFile> {
    const { decisions, topology } = this.#platform;
    const { allocator, incomingTree } = this.#booted;
    const files = new Map<string, DebugfsFile>();
    const show = (path: string, phys: number, bytes: number): void => {
      files.set(path, new Window(this.#platform.memory, topology.pageBytes, phys, bytes));
    };
    files.set('out/scratch_phys', this.#scratchPhys);
    files.set('out/scratch_len', this.#scratchLen);
    const { tree, outgoing } = this.#kernel;
    const { phases, files: names } = generationOf(this.#platform);
    const treeName = names.out.includes('dt') ? 'dt' : 'fdt';
    // A file that is written to begin a phase and to end it says whether it lasts.
    const phase = phases.off === undefined ? undefined : phases.file?.split('/').at(-1);
    if (phase !== undefined) files.set(`out/${phase}`, outgoing.written ? YES : NO);
    if (outgoing.written && (incomingTree < 0 || decisions.showsTreeOnKhoBoots)) {
      const bytes = decisions.shownTreeBytes(this.#treeBytes(tree), this.#firstTreeBytes);
      show(`out/${treeName}`, tree * topology.pageBytes, bytes);
      const first = this.#firstTree?.subarray(0, bytes);
      if (first !== undefined) files.set(`out/${treeName}`, new Copy(first));
    }
    const hasBlobs = generationOf(this.#platform).files.out.includes('sub_fdts/');
    const blobs = outgoing.written && hasBlobs ? this.#out : [];
    const showBlob = (path: string, phys: number, bytes: number): void => {
      const frame = decisions.shownFrame(Math.floor(phys / topology.pageBytes));
      const at = frame * topology.pageBytes + (phys % topology.pageBytes);
      show(path, at + decisions.shownFrom, bytes);
    };
    for (const { name, phys, bytes } of blobs) showBlob(`out/sub_fdts/${name}`, phys, bytes);
    if (this.#incoming < 0) return files;
    const shown = decisions.shownIncoming(this.#treeBytes(this.#incoming));
    show(`in/${treeName}`, this.#incoming * topology.pageBytes, shown);
    for (const { name, phys, bytes } of hasBlobs ? this.#in : []) {
      const kept = allocator.watched.has(Math.floor(phys / topology.pageBytes));
      if (kept || !decisions.hidesFreedBlobs) showBlob(`in/sub_fdts/${name}`, phys, bytes);
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

/** A file that shows what memory held once. */
class Copy implements DebugfsFile {
  readonly stamp = 0;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get length(): number {
    return this.#bytes.length;
  }

  read(): Uint8Array {
    return this.#bytes;
  }
}

/** A file that says one thing. */
class Flag implements DebugfsFile {
  readonly stamp = 0;
  readonly #bytes: Uint8Array;

  constructor(value: 0 | 1) {
    this.#bytes = new Uint8Array([0x30 + value, 0x0a]);
  }

  get length(): number {
    return this.#bytes.length;
  }

  read(): Uint8Array {
    return this.#bytes;
  }
}

const YES = new Flag(1);
const NO = new Flag(0);

/** A file with one number a line, in hexadecimal. */
class Lines implements DebugfsFile {
  readonly stamp = 0;
  readonly #bytes: Uint8Array;

  constructor(numbers: readonly number[]) {
    const text = numbers.map((number) => `0x${number.toString(16)}\n`).join('');
    this.#bytes = Uint8Array.from(text, (character) => character.charCodeAt(0));
  }

  get length(): number {
    return this.#bytes.length;
  }

  read(): Uint8Array {
    return this.#bytes;
  }
}
