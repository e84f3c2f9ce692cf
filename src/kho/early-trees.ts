/**
 * Trees of the series before the merge: one device tree for all users, written in one go.
 *
 * Users announce what they hand over; the tree with all of it is written when somebody finalizes,
 * and copied into a segment of the image later. Its room is what user space allows for it
 * (`fdt_max`, before that `dt_max`): the model's user space allows one page, so that the limit is
 * met.
 *
 * A `nodes` tree (v5) has one node for preserved memory, which points to the tracker, one node per
 * user with the address of what it preserved, and one for the regions that `reserve_mem=` named.
 * Nodes of users stand in the order in which they came; in the kernel it is that of a hash.
 *
 * A `users` tree (v3, v4) says in `mem` properties what is preserved. Each user of the model has a
 * node with one range; memory that is only kept is listed in one node, block by block.
 */
import { FdtError, FdtReader, FdtWriter } from 'fdt-ts';
import { COMPATIBLE_PROPERTY, MEM_NODE, USER_NODE } from '#src/abi/description/root-tree';
import { MEMBLOCK, RESERVE_MEM } from '#src/abi/description/sub-blobs';
import type { RootFormat } from '#src/abi/description/generation';
import type { Platform } from './boot.ts';
import type { Decisions } from './decisions.ts';
import { EEXIST, EINVAL, ENOENT } from './errno.ts';
import type { OutgoingTree } from './outgoing-tree.ts';
import { readU64, writeU64 } from './physical-memory.ts';
import type { Region } from './reserve-mem.ts';

const u64 = (value: number): Uint8Array => {
  const bytes = new Uint8Array(8);
  writeU64(bytes, 0, value);
  return bytes;
};

/** A range of memory in bytes, as a `mem` property has it. */
export interface MemRange {
  readonly phys: number;
  readonly bytes: number;
}

/** What one user hands over: where it starts, in bytes, and its size. */
interface UserNode {
  readonly name: string;
  readonly phys: number;
  readonly bytes: number;
}

/** What trees of users have in common. */
abstract class TreeOfUsers implements OutgoingTree {
  written = false;
  readonly holdsRegions = true as const;
  protected users: UserNode[] = [];
  protected regions: readonly Region[] = [];
  readonly #platform: Platform;
  readonly #frame: number;

  constructor(platform: Platform, frame: number) {
    this.#platform = platform;
    this.#frame = frame;
  }

  add(name: string, phys: number, bytes: number): number {
    const isList = this.regions.length > 0 && name === MEMBLOCK.name;
    const known = isList || this.users.some((each) => each.name === name);
    if (known && this.#platform.decisions.checksDuplicateNames) return -EEXIST;
    this.users.push({ name, phys, bytes });
    return 0;
  }

  remove(phys: number): number {
    const at = this.users.findLastIndex((each) => each.phys === phys);
    if (at < 0) return this.#platform.decisions.missesNodes ? -ENOENT : 0;
    this.users.splice(at, 1);
    return 0;
  }

  list(regions: readonly Region[]): void {
    this.regions = regions;
  }

  write(map: number): number {
    const { memory, compatible, decisions } = this.#platform;
    const page = memory.zeroPage(this.#frame);
    try {
      const writer = FdtWriter.create(page.subarray(0, decisions.earlyTreeRoom(page.length)));
      writer.finishReservemap();
      writer.beginNode('');
      writer.propertyString(COMPATIBLE_PROPERTY, compatible);
      this.writeContent(writer, map);
      writer.endNode();
      writer.finish();
    } catch (error) {
      if (!(error instanceof FdtError)) throw error;
      return -EINVAL;
    }
    this.written = true;
    return 0;
  }

  state(): unknown {
    return [this.written, this.#frame, this.users, this.regions];
  }

  save(): () => void {
    const [written, users, regions] = [this.written, [...this.users], this.regions];
    return () => {
      this.written = written;
      this.users = [...users];
      this.regions = regions;
    };
  }

  /** Writes what stands below the root. */
  protected abstract writeContent(writer: FdtWriter, map: number): void;

  /** The users stay, and hand over the same when the tree is written again. */
  forget(): void {
    this.written = false;
  }
}

/** The state tree of v5. */
class TreeOfNodes extends TreeOfUsers {
  readonly #map: { readonly node: string; readonly property: string };

  constructor(platform: Platform, frame: number, { map }: RootFormat) {
    super(platform, frame);
    this.#map = map!;
  }

  protected writeContent(writer: FdtWriter, map: number): void {
    writer.beginNode(this.#map.node);
    writer.property(this.#map.property, u64(map));
    writer.endNode();
    for (const { name, phys } of this.users) {
      writer.beginNode(name);
      writer.property(USER_NODE.address, u64(phys));
      writer.endNode();
    }
    if (this.regions.length > 0) this.#writeRegions(writer);
  }

  #writeRegions(writer: FdtWriter): void {
    writer.beginNode(MEMBLOCK.name);
    writer.propertyString(COMPATIBLE_PROPERTY, MEMBLOCK.compatible);
    for (const { name, start, bytes } of this.regions) {
      writer.beginNode(name);
      writer.propertyString(COMPATIBLE_PROPERTY, MEMBLOCK.areaCompatible);
      writer.property(MEMBLOCK.start, u64(start));
      writer.property(MEMBLOCK.size, u64(bytes));
      writer.endNode();
    }
    writer.endNode();
  }
}

/** A range as an entry of a `mem` property. */
const mem = (phys: number, bytes: number): Uint8Array => {
  const entry = new Uint8Array(16);
  writeU64(entry, 0, phys);
  writeU64(entry, 8, bytes);
  return entry;
};

/** The tree of v4 and before: whatever is preserved stands in `mem` properties. */
class TreeOfRanges extends TreeOfUsers {
  readonly #ranges: () => readonly MemRange[];
  readonly #decisions: Decisions;

  constructor(platform: Platform, frame: number, ranges: () => readonly MemRange[]) {
    super(platform, frame);
    this.#decisions = platform.decisions;
    this.#ranges = ranges;
  }

  protected writeContent(writer: FdtWriter): void {
    for (const { name, phys, bytes } of this.users) {
      writer.beginNode(name);
      writer.property(MEM_NODE.address, mem(phys, bytes));
      writer.endNode();
    }
    const all = this.#ranges();
    const ranges = all.slice(0, this.#decisions.writtenRanges(all.length));
    if (ranges.length > 0) writeAll(writer, ranges);
    if (this.regions.length > 0) this.#writeRegions(writer);
  }

  #writeRegions(writer: FdtWriter): void {
    writer.beginNode(RESERVE_MEM.name);
    writer.propertyString(COMPATIBLE_PROPERTY, RESERVE_MEM.compatible);
    for (const { name, start, bytes } of this.regions) {
      writer.beginNode(name);
      writer.propertyString(COMPATIBLE_PROPERTY, RESERVE_MEM.areaCompatible);
      writer.property(RESERVE_MEM.range, mem(start, bytes));
      writer.endNode();
    }
    writer.endNode();
  }
}

/** The node of a user that only keeps memory, and in it the one that says which. */
const KEEPER = 'memory';
const KEPT = 'kept';

const writeAll = (writer: FdtWriter, ranges: readonly MemRange[]): void => {
  const all = new Uint8Array(16 * ranges.length);
  ranges.forEach(({ phys, bytes }, at) => all.set(mem(phys, bytes), 16 * at));
  writer.beginNode(KEEPER);
  writer.beginNode(KEPT);
  writer.property(MEM_NODE.address, all);
  writer.endNode();
  writer.endNode();
};

/** Starts such a tree in a page of its own. */
export const startEarlyTree = (
  platform: Platform,
  root: RootFormat,
  frame: number,
  ranges: () => readonly MemRange[],
): OutgoingTree =>
  root.form === 'users'
    ? new TreeOfRanges(platform, frame, ranges)
    : new TreeOfNodes(platform, frame, root);

/** What `read` answers, or undefined where the tree cannot be read. */
const readable = <T>(read: () => T): T | undefined => {
  try {
    return read();
  } catch (error) {
    if (error instanceof FdtError) return undefined;
    throw error;
  }
};

/**
 * Address of the tracker that a tree of nodes gives, in bytes. One that gives none has nothing
 * preserved: 0.
 */
export const mapOfNodes = (tree: FdtReader, { map }: RootFormat): number =>
  readable(() => {
    const node = map === undefined ? undefined : tree.subnodeOffset(0, map.node);
    const value = node === undefined ? undefined : tree.property(node, map!.property);
    return value?.length === 8 ? readU64(value, 0) : 0;
  }) ?? 0;

/** Entries of every `mem` property of a tree, node by node. */
export const rangesOfTree = (
  page: Uint8Array,
  readRange: (entry: number) => number = (entry) => entry,
): readonly MemRange[] => {
  const ranges: MemRange[] = [];
  readable(() => {
    const tree = new FdtReader(page);
    const visit = (node: number): void => {
      const value = tree.property(node, MEM_NODE.address);
      for (let entry = 0; value !== undefined && 16 * entry < value.length; entry++) {
        const at = 16 * readRange(entry);
        if (at + 16 > value.length) continue;
        ranges.push({ phys: readU64(value, at), bytes: readU64(value, at + 8) });
      }
      for (const child of tree.subnodes(node)) visit(child);
    };
    visit(0);
  });
  return ranges;
};

/** What the user of a name handed over in a tree of ranges; -ENOENT where there is none. */
export const userOfTree = (
  page: Uint8Array,
  name: string,
  { matchesWholeNames }: Decisions,
): MemRange | number =>
  readable(() => {
    const tree = new FdtReader(page);
    const node = matchesWholeNames
      ? [...tree.subnodes(0)].find((child) => tree.name(child) === name)
      : tree.subnodeOffset(0, name);
    const value = node === undefined ? undefined : tree.property(node, MEM_NODE.address);
    if (value === undefined || value.length < 16) return -ENOENT;
    return { phys: readU64(value, 0), bytes: readU64(value, 8) };
  }) ?? -ENOENT;

/** Regions that an incoming tree of users lists. */
export const regionsOfTree = (page: Uint8Array): readonly Region[] =>
  readable(() => {
    const tree = new FdtReader(page);
    const ranges = tree.subnodeOffset(0, RESERVE_MEM.name);
    if (ranges !== undefined) return regionsInRanges(tree, ranges);
    const list = tree.subnodeOffset(0, MEMBLOCK.name);
    if (list === undefined) return [];
    if (tree.nodeCheckCompatible(list, MEMBLOCK.compatible) !== 'match') return [];
    const regions: Region[] = [];
    for (const node of tree.subnodes(list)) {
      const start = tree.property(node, MEMBLOCK.start);
      const size = tree.property(node, MEMBLOCK.size);
      if (start?.length !== 8 || size?.length !== 8) continue;
      regions.push({ name: tree.name(node), start: readU64(start, 0), bytes: readU64(size, 0) });
    }
    return regions;
  }) ?? [];

const regionsInRanges = (tree: FdtReader, list: number): readonly Region[] => {
  if (tree.nodeCheckCompatible(list, RESERVE_MEM.compatible) !== 'match') return [];
  const regions: Region[] = [];
  for (const node of tree.subnodes(list)) {
    const value = tree.property(node, RESERVE_MEM.range);
    if (value?.length !== 16) continue;
    regions.push({ name: tree.name(node), start: readU64(value, 0), bytes: readU64(value, 8) });
  }
  return regions;
};
