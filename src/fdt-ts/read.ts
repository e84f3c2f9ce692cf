/**
 * Reading a blob in place: nodes by offset, properties by name. Nothing is copied; a value is a
 * view into the blob and changes with it.
 *
 * Invariants
 * - No check is made that libfdt does not make: a blob that {@link checkHeader} refuses may still
 *   answer. Call it first where libfdt's users do.
 * - A call answers, says `undefined` for "not there", or throws `FdtError`; it always returns, and
 *   reads no byte outside `bytes`. The address of `bytes` in its buffer is irrelevant.
 * - Node and property offsets are bytes from the start of the structure block; the root is node 0.
 *   An offset is good until the blob is edited.
 */
import { checkName, readName, readU32, readU64, sameName } from './bytes.ts';
import { BADOFFSET, BADPATH, NOTFOUND, OUTSIDE, toError } from './error.ts';
import { AT_BOOT_CPU, INT_MAX, PROPERTY_HEADER_SIZE, TAG_SIZE } from './format.ts';
import { Tree } from './tree.ts';

const SLASH = '/';

/** A property: its name, a view of its value, and its offset in the structure block. */
export interface FdtProperty {
  readonly name: string;
  readonly value: Uint8Array;
  readonly offset: number;
}

/** A memory reservation, in bytes of physical address space. */
export interface FdtReservation {
  readonly address: bigint;
  readonly size: bigint;
}

/** Counts begin tags minus end tags over successive {@link FdtReader.nextNode} calls. */
export interface FdtDepth {
  depth: number;
}

export class FdtReader {
  protected readonly tree: Tree;

  /** A view over `bytes`; makes no check. */
  constructor(bytes: Uint8Array) {
    this.tree = new Tree(bytes);
  }

  get bytes(): Uint8Array {
    return this.tree.bytes;
  }

  /** `totalsize` of the header, in bytes. Throws TRUNCATED if there is no such word. */
  get totalSize(): number {
    const size = this.tree.load().totalSize;
    return size < 0 ? this.answer(OUTSIDE) : size;
  }

  /** The physical id of the boot CPU (header word `boot_cpuid_phys`). */
  get bootCpu(): number {
    const { bytes } = this.tree.load();
    return bytes.length < AT_BOOT_CPU + 4 ? this.answer(OUTSIDE) : readU32(bytes, AT_BOOT_CPU);
  }

  /** `result`, or the exception it stands for. */
  protected answer(result: number): number {
    if (result < 0) throw toError(result, this.tree.where);
    return result;
  }

  /** Like {@link answer}, with `undefined` for NOTFOUND. */
  private answerOrNone(result: number): number | undefined {
    return result === NOTFOUND ? undefined : this.answer(result);
  }

  /** Throws BADVALUE for a name with NUL or characters above U+00FF, which no blob can hold. */
  protected prepare(name: string): Tree {
    this.answer(checkName(name));
    return this.tree.load();
  }

  /**
   * The tag at `offset` and the offset after it (libfdt fdt.c, fdt_next_tag). Tags are 1 begin
   * node, 2 end node, 3 property, 4 nop, 9 end. Throws TRUNCATED, BADSTRUCTURE, BADOFFSET.
   */
  nextTag(offset: number): { tag: number; next: number } {
    const tree = this.tree.load();
    const valid = Number.isInteger(offset) && offset >= 0 && offset < INT_MAX - TAG_SIZE;
    const next = this.answer(valid ? tree.next(offset) : BADOFFSET);
    return { tag: tree.tag, next };
  }

  /**
   * The node after `node` in blob order; below zero asks for the first. `cursor.depth` counts: when
   * it falls below zero, the sub tree in which counting began is over and the result is the offset
   * after its end tag. `undefined` after the last node (libfdt fdt.c, fdt_next_node).
   */
  nextNode(node: number, cursor?: FdtDepth): number | undefined {
    const tree = this.tree.load();
    tree.depth = cursor === undefined ? 0 : cursor.depth;
    const next = tree.nextNode(node, cursor !== undefined);
    if (cursor !== undefined) cursor.depth = tree.depth;
    return this.answerOrNone(next);
  }

  /** libfdt fdt.c, fdt_first_subnode: a malformed blob, too, has "no sub node". */
  firstSubnode(node: number): number | undefined {
    return this.answerOrNone(this.tree.load().firstSubnode(node));
  }

  /** The next child of the same parent (libfdt fdt.c, fdt_next_subnode). */
  nextSubnode(node: number): number | undefined {
    return this.answerOrNone(this.tree.load().nextSubnode(node));
  }

  /** The offsets of the children, in blob order. */
  *subnodes(node: number): Generator<number, void, undefined> {
    let child = this.firstSubnode(node);
    while (child !== undefined) {
      yield child;
      child = this.nextSubnode(child);
    }
  }

  /**
   * The node's name with its unit address; "" for the root. One character per byte. Throws
   * BADOFFSET if no node starts there (libfdt fdt_ro.c, fdt_get_name).
   */
  name(node: number): string {
    const at = this.answer(this.tree.load().nameAt(node));
    return readName(this.bytes, at, this.tree.nameLength);
  }

  /** The value of a property, a view and not a copy (libfdt fdt_ro.c, fdt_getprop). */
  property(node: number, name: string): Uint8Array | undefined {
    const tree = this.prepare(name);
    const offset = tree.findProperty(node, name, 0, name.length);
    if (offset === NOTFOUND) return undefined;
    const at = this.answer(offset < 0 ? offset : tree.valueAt(offset));
    return tree.bytes.subarray(at, at + tree.valueLength);
  }

  /** Length in bytes of a property's value, without looking at the value. */
  propertyLength(node: number, name: string): number | undefined {
    const tree = this.prepare(name);
    const offset = this.answerOrNone(tree.findProperty(node, name, 0, name.length));
    return offset === undefined ? undefined : readU32(tree.bytes, tree.structAt + offset + 4);
  }

  /** Offset of the node's first property (libfdt fdt_ro.c, fdt_first_property_offset). */
  firstProperty(node: number): number | undefined {
    return this.answerOrNone(this.tree.load().firstProperty(node));
  }

  /** Offset of the property after the one at `property`, of the same node. */
  nextProperty(property: number): number | undefined {
    return this.answerOrNone(this.tree.load().nextProperty(property));
  }

  /** The property at an offset (libfdt fdt_ro.c, fdt_getprop_by_offset). */
  propertyAt(property: number): FdtProperty {
    const tree = this.tree.load();
    const valueAt = this.answer(tree.valueAt(property));
    const valueEnd = valueAt + tree.valueLength;
    const nameOffset = readU32(tree.bytes, tree.structAt + property + PROPERTY_HEADER_SIZE - 4);
    const nameAt = this.answer(tree.stringAt(nameOffset | 0));
    const name = readName(tree.bytes, nameAt, tree.nameLength);
    return { name, value: tree.bytes.subarray(valueAt, valueEnd), offset: property };
  }

  /** The properties of a node, in blob order. */
  *properties(node: number): Generator<FdtProperty, void, undefined> {
    let offset = this.firstProperty(node);
    while (offset !== undefined) {
      yield this.propertyAt(offset);
      offset = this.nextProperty(offset);
    }
  }

  /**
   * The child of that name. A name without unit address also matches a child that has one: "LUO"
   * finds "LUO@1" (libfdt fdt_ro.c, fdt_subnode_offset).
   */
  subnodeOffset(parent: number, name: string): number | undefined {
    return this.answerOrNone(this.prepare(name).findSubnode(parent, name, 0, name.length));
  }

  /**
   * The node at "/a/b", or at "alias/b" with `alias` a property of "/aliases". Throws BADPATH for
   * an empty path and an unknown or malformed alias (libfdt fdt_ro.c, fdt_path_offset).
   */
  pathOffset(path: string): number | undefined {
    const tree = this.prepare(path);
    const total = tree.probe();
    if (total < 0) this.answer(total);
    if (path === '') return this.answer(BADPATH);
    if (path.startsWith(SLASH)) return this.answerOrNone(this.descend(0, path, 0));
    const end = path.includes(SLASH) ? path.indexOf(SLASH) : path.length;
    const alias = this.descend(0, this.aliasTarget(path, end), 0);
    return this.answerOrNone(this.descend(alias, path, end));
  }

  /** Follows `path` from character `from` on, starting at node `start`; an error is passed on. */
  private descend(start: number, path: string, from: number): number {
    let node = start;
    let at = from;
    for (;;) {
      while (path[at] === SLASH) at++;
      if (at >= path.length || node < 0) return node;
      const slash = path.indexOf(SLASH, at);
      const end = slash < 0 ? path.length : slash;
      node = this.tree.findSubnode(node, path, at, end);
      at = end;
    }
  }

  /** The path that an alias, characters [0, end) of `path`, stands for. */
  private aliasTarget(path: string, end: number): string {
    const { tree } = this;
    let at = this.descend(0, '/aliases', 0);
    if (at >= 0) at = tree.findProperty(at, path, 0, end);
    if (at >= 0) at = tree.valueAt(at);
    if (at === OUTSIDE) this.answer(at);
    const length = at < 0 ? 0 : tree.valueLength;
    const value = readName(tree.bytes, at, length);
    if (!value.startsWith(SLASH) || !value.endsWith('\0')) this.answer(BADPATH);
    return value.slice(0, value.indexOf('\0'));
  }

  /** Number of memory reservations (libfdt fdt_ro.c, fdt_num_mem_rsv). */
  numMemRsv(): number {
    return this.answer(this.tree.load().countReservations());
  }

  /** The memory reservations; the first entry of size 0 ends the list. */
  reservations(): FdtReservation[] {
    const count = this.numMemRsv();
    const found: FdtReservation[] = [];
    for (let index = 0; index < count; index++) {
      const at = this.answer(this.tree.reservationAt(index));
      found.push({ address: readU64(this.bytes, at), size: readU64(this.bytes, at + 8) });
    }
    return found;
  }

  /**
   * Whether `compatible` is among the strings of the node's "compatible" property; `undefined` if
   * the node has none (libfdt fdt_ro.c, fdt_node_check_compatible: 0, 1 and -NOTFOUND).
   */
  nodeCheckCompatible(node: number, compatible: string): 'match' | 'mismatch' | undefined {
    const value = this.property(node, 'compatible');
    if (value === undefined) return undefined;
    this.prepare(compatible);
    const at = value.byteOffset - this.bytes.byteOffset;
    return this.listHas(at, value.length, compatible) ? 'match' : 'mismatch';
  }

  /** Whether a string list has `wanted` (libfdt fdt_ro.c, fdt_stringlist_contains). */
  private listHas(start: number, length: number, wanted: string): boolean {
    const { bytes } = this;
    const end = start + length;
    let at = start;
    while (end - at >= wanted.length) {
      const stop = at + wanted.length;
      // As libfdt does, look one byte past a value without NUL: the padding ends the string.
      if (bytes[stop] === 0 && sameName(bytes, at, wanted, 0, wanted.length)) return true;
      const nul = bytes.indexOf(0, at);
      if (nul < 0) return false;
      at = nul + 1;
    }
    return false;
  }
}
