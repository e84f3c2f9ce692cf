/**
 * Editing a blob in place, byte for byte as libfdt does.
 *
 * Invariants
 * - Every call first checks that the blocks lie in the order reservations, structure, strings
 *   inside `totalSize` <= `bytes.length`; nothing is written outside.
 * - A call that throws leaves the tree as it was; NOSPACE never leaves half an edit.
 * - The bytes depend on nothing but the calls: a new node goes behind its parent's properties and
 *   before the older children, a new property before the older ones, a new name to the end of the
 *   strings, and names stay there after their property is gone. Padding behind a value keeps what
 *   was there before; padding behind a node name is zero.
 */
import {
  findName,
  isU64,
  moveBytes,
  readU32,
  writeName,
  writeU32,
  writeU64,
  writeU64Little,
} from './bytes.ts';
import {
  BADLAYOUT,
  BADOFFSET,
  BADVALUE,
  BADVERSION,
  EXISTS,
  NOSPACE,
  NOTFOUND,
  OUTSIDE,
  toError,
} from './error.ts';
import {
  AT_BOOT_CPU,
  AT_LAST_COMPATIBLE,
  AT_MAGIC,
  AT_RESERVATIONS,
  AT_STRINGS,
  AT_STRINGS_SIZE,
  AT_STRUCT,
  AT_STRUCT_SIZE,
  AT_TOTAL_SIZE,
  AT_VERSION,
  HEADER_SIZE,
  INT_MAX,
  MAGIC,
  PROPERTY_HEADER_SIZE,
  RESERVATION_SIZE,
  TAG_BEGIN_NODE,
  TAG_END,
  TAG_END_NODE,
  TAG_NOP,
  TAG_PROPERTY,
  TAG_SIZE,
  VERSION_LAST,
  VERSION_LEAF_NAMES,
  VERSION_STRUCT_SIZE,
  alignTag,
} from './format.ts';
import { FdtReader } from './read.ts';
import { Tree } from './tree.ts';
import { encodeString, encodeU32 } from './values.ts';
import type { Endian } from './values.ts';

export class FdtEditor extends FdtReader {
  /**
   * Copies the blob in `source` to `buffer`, which may be the same memory or overlap it, and makes
   * it editable: version 17, total size `buffer.length`, blocks in order. Versions 16 and 17.
   * Throws NOSPACE if it does not fit, TRUNCATED if `source` ends early (libfdt fdt_rw.c,
   * fdt_open_into).
   */
  static openInto(source: Uint8Array, buffer: Uint8Array): FdtEditor {
    const old = new Tree(source).load();
    const result = open(old, buffer);
    if (result < 0) throw toError(result, old.where);
    return new FdtEditor(buffer);
  }

  /** Loads the header; refuses a blob that cannot be edited (libfdt fdt_rw.c, fdt_rw_probe_). */
  private edit(name: string): Tree {
    const tree = this.prepare(name);
    this.answer(tree.probe());
    if (tree.version < VERSION_STRUCT_SIZE) this.answer(BADVERSION);
    if (isMisordered(tree, RESERVATION_SIZE, tree.structSize)) this.answer(BADLAYOUT);
    if (tree.totalSize > tree.bytes.length) this.answer(OUTSIDE);
    if (tree.version > VERSION_LAST) writeU32(tree.bytes, AT_VERSION, VERSION_LAST);
    return tree;
  }

  /**
   * A new empty node under `parent`; its offset. Throws EXISTS if {@link subnodeOffset} finds one
   * of that name, NOSPACE, BADOFFSET, BADSTRUCTURE (libfdt fdt_rw.c, fdt_add_subnode).
   */
  addSubnode(parent: number, name: string): number {
    const tree = this.edit(name);
    const found = tree.findSubnode(parent, name, 0, name.length);
    if (found !== NOTFOUND) this.answer(found < 0 ? found : EXISTS);
    let next = this.answer(tree.enter(parent));
    let node: number;
    do {
      node = next;
      next = tree.next(node);
    } while (tree.tag === TAG_PROPERTY || tree.tag === TAG_NOP);
    const nameSize = alignTag(name.length + 1);
    this.answer(spliceStruct(tree, node, 0, TAG_SIZE + nameSize + TAG_SIZE));
    const at = tree.structAt + node;
    writeU32(tree.bytes, at, TAG_BEGIN_NODE);
    tree.bytes.fill(0, at + TAG_SIZE, at + TAG_SIZE + nameSize);
    writeName(tree.bytes, at + TAG_SIZE, name);
    writeU32(tree.bytes, at + TAG_SIZE + nameSize, TAG_END_NODE);
    return node;
  }

  /** Removes a node and all below it (libfdt fdt_rw.c, fdt_del_node). */
  deleteNode(node: number): void {
    const tree = this.edit('');
    const end = this.answer(tree.nodeEnd(node));
    this.answer(spliceStruct(tree, node, end - node, 0));
  }

  /** Renames a node; siblings of that name are not looked for (libfdt fdt_rw.c, fdt_set_name). */
  setName(node: number, name: string): void {
    const tree = this.edit(name);
    const at = this.answer(tree.nameAt(node));
    const offset = at - tree.structAt;
    const oldSize = alignTag(tree.nameLength + 1);
    this.answer(spliceStruct(tree, offset, oldSize, alignTag(name.length + 1)));
    writeName(tree.bytes, at, name);
    tree.bytes[at + name.length] = 0;
  }

  /**
   * Gives a property the value, resizing or creating it. `value` may be a view into this blob.
   * Throws NOSPACE with nothing changed (libfdt fdt_rw.c, fdt_setprop).
   */
  setProperty(node: number, name: string, value: Uint8Array): void {
    const safe = this.apart(value);
    this.bytes.set(safe, this.makeRoom(node, name, safe.length));
  }

  /** The text with a NUL behind it (libfdt fdt_setprop_string). */
  setPropertyString(node: number, name: string, value: string): void {
    this.setProperty(node, name, encodeString(value));
  }

  /** `value` is 0 to 2^32 - 1; big-endian unless told (libfdt fdt_setprop_u32). */
  setPropertyU32(node: number, name: string, value: number, endian: Endian = 'big'): void {
    this.setProperty(node, name, encodeU32(value, endian));
  }

  /** `value` is 0 to 2^64 - 1; KHO values are little-endian (libfdt fdt_setprop_u64). */
  setPropertyU64(node: number, name: string, value: bigint, endian: Endian = 'big'): void {
    if (!isU64(value)) this.answer(BADVALUE);
    const at = this.makeRoom(node, name, 8);
    if (endian === 'little') writeU64Little(this.bytes, at, value);
    else writeU64(this.bytes, at, value);
  }

  /**
   * Overwrites a value by one of the same length; nothing moves. Throws NOTFOUND, and NOSPACE if
   * the length differs (libfdt fdt_wip.c, fdt_setprop_inplace).
   */
  setPropertyInPlace(node: number, name: string, value: Uint8Array): void {
    const present = this.property(node, name);
    if (present === undefined) this.answer(NOTFOUND);
    else if (present.length !== value.length) this.answer(NOSPACE);
    else present.set(value);
  }

  /** Puts bytes behind the value, or creates the property (libfdt fdt_rw.c, fdt_appendprop). */
  appendProperty(node: number, name: string, value: Uint8Array): void {
    const safe = this.apart(value);
    const tree = this.edit(name);
    const property = tree.findProperty(node, name, 0, name.length);
    if (property < 0) {
      this.bytes.set(safe, this.answer(addProperty(tree, node, name, safe.length)));
      return;
    }
    const at = this.answer(tree.valueAt(property));
    const oldSize = tree.valueLength;
    this.answer(resize(tree, property, oldSize, oldSize + safe.length));
    this.bytes.set(safe, at + oldSize);
  }

  /** Throws NOTFOUND if there is none (libfdt fdt_rw.c, fdt_delprop). */
  deleteProperty(node: number, name: string): void {
    const tree = this.edit(name);
    const property = this.answer(tree.findProperty(node, name, 0, name.length));
    this.answer(tree.valueAt(property));
    const size = PROPERTY_HEADER_SIZE + alignTag(tree.valueLength);
    this.answer(spliceStruct(tree, property, size, 0));
  }

  /** Overwrites a node and all below it by NOP tags; no offset changes (libfdt fdt_nop_node). */
  nopNode(node: number): void {
    const tree = this.prepare('');
    const end = this.answer(tree.nodeEnd(node));
    this.fillNop(node, end);
  }

  /** Overwrites a property by NOP tags; no offset changes (libfdt fdt_wip.c, fdt_nop_property). */
  nopProperty(node: number, name: string): void {
    const tree = this.prepare(name);
    const property = this.answer(tree.findProperty(node, name, 0, name.length));
    if (tree.version < VERSION_LEAF_NAMES) this.answer(BADVERSION);
    this.answer(tree.valueAt(property));
    this.fillNop(property, property + PROPERTY_HEADER_SIZE + tree.valueLength);
  }

  private fillNop(from: number, to: number): void {
    const { bytes, structAt } = this.tree;
    if (structAt + alignTag(to) > bytes.length) this.answer(OUTSIDE);
    for (let offset = from; offset < to; offset += TAG_SIZE) {
      writeU32(bytes, structAt + offset, TAG_NOP);
    }
  }

  /** Appends a reservation; 0 to 2^64 - 1 each (libfdt fdt_rw.c, fdt_add_mem_rsv). */
  addReservation(address: bigint, size: bigint): void {
    if (!isU64(address) || !isU64(size)) this.answer(BADVALUE);
    const tree = this.edit('');
    const at = this.answer(tree.reservationAt(this.answer(tree.countReservations())));
    this.answer(spliceReservations(tree, at, 0, 1));
    writeU64(tree.bytes, at, address);
    writeU64(tree.bytes, at + 8, size);
  }

  /** Removes reservation `index`; throws NOTFOUND (libfdt fdt_rw.c, fdt_del_mem_rsv). */
  deleteReservation(index: number): void {
    const tree = this.edit('');
    const count = this.answer(tree.countReservations());
    if (!Number.isInteger(index) || index < 0) this.answer(BADOFFSET);
    if (index >= count) this.answer(NOTFOUND);
    this.answer(spliceReservations(tree, this.answer(tree.reservationAt(index)), 1, 0));
  }

  /**
   * Moves the blocks together and sets the total size to what they take; that size, in bytes. The
   * buffer keeps its length, and stale bytes behind the blob (libfdt fdt_rw.c, fdt_pack).
   */
  pack(): number {
    const tree = this.edit('');
    const count = this.answer(tree.countReservations());
    const reservationsSize = (count + 1) * RESERVATION_SIZE;
    this.answer(packBlocks(tree, tree.bytes, 0, reservationsSize, tree.structSize));
    const structEnd = add32(HEADER_SIZE + reservationsSize, tree.structSize);
    const size = add32(structEnd, tree.stringsSize);
    writeU32(tree.bytes, AT_TOTAL_SIZE, size);
    return size;
  }

  /** `value`, copied if an edit of this blob could move it. */
  private apart(value: Uint8Array): Uint8Array {
    return value.buffer === this.bytes.buffer ? value.slice() : value;
  }

  /** Position of the value of the property, which has `length` bytes from now on. */
  private makeRoom(node: number, name: string, length: number): number {
    const tree = this.edit(name);
    const property = tree.findProperty(node, name, 0, name.length);
    if (property === NOTFOUND) return this.answer(addProperty(tree, node, name, length));
    const at = this.answer(property < 0 ? property : tree.valueAt(property));
    this.answer(resize(tree, property, tree.valueLength, length));
    return at;
  }
}

/** 32-bit addition, as libfdt's: absurd sizes wrap around, and some blobs get away with it. */
function add32(a: number, b: number): number {
  return (a + b) >>> 0;
}

/** Whether editing would have to reorder the blocks (libfdt fdt_rw.c, fdt_blocks_misordered_). */
function isMisordered(tree: Tree, reservationsSize: number, structSize: number): boolean {
  return (
    tree.reservationsAt < HEADER_SIZE ||
    tree.structAt < add32(tree.reservationsAt, reservationsSize) ||
    tree.stringsAt < add32(tree.structAt, structSize) ||
    tree.totalSize < add32(tree.stringsAt, tree.stringsSize)
  );
}

/** Replaces `oldSize` bytes at `at` by room for `newSize`; what follows moves. */
function splice(tree: Tree, at: number, oldSize: number, newSize: number): number {
  const used = add32(tree.stringsAt, tree.stringsSize);
  if (at + oldSize > used) return tree.fail(BADOFFSET, at);
  if (used - oldSize + newSize > tree.totalSize) return tree.fail(NOSPACE, at);
  moveBytes(tree.bytes, at + newSize, tree.bytes, at + oldSize, used - at - oldSize);
  return 0;
}

function spliceStruct(tree: Tree, offset: number, oldSize: number, newSize: number): number {
  const result = splice(tree, tree.structAt + offset, oldSize, newSize);
  if (result < 0) return result;
  tree.structSize = add32(tree.structSize, newSize - oldSize);
  tree.stringsAt = add32(tree.stringsAt, newSize - oldSize);
  writeU32(tree.bytes, AT_STRUCT_SIZE, tree.structSize);
  writeU32(tree.bytes, AT_STRINGS, tree.stringsAt);
  return 0;
}

function spliceReservations(tree: Tree, at: number, oldCount: number, newCount: number): number {
  const delta = (newCount - oldCount) * RESERVATION_SIZE;
  const result = splice(tree, at, oldCount * RESERVATION_SIZE, newCount * RESERVATION_SIZE);
  if (result < 0) return result;
  writeU32(tree.bytes, AT_STRUCT, tree.structAt + delta);
  writeU32(tree.bytes, AT_STRINGS, tree.stringsAt + delta);
  return 0;
}

function resize(tree: Tree, property: number, oldSize: number, newSize: number): number {
  const value = property + PROPERTY_HEADER_SIZE;
  const result = spliceStruct(tree, value, alignTag(oldSize), alignTag(newSize));
  if (result < 0) return result;
  writeU32(tree.bytes, tree.structAt + property + TAG_SIZE, newSize);
  return 0;
}

/** Position of the value of a new first property (libfdt fdt_rw.c, fdt_add_property_). */
function addProperty(tree: Tree, node: number, name: string, size: number): number {
  const property = tree.enter(node);
  if (property < 0) return property;
  const { bytes } = tree;
  const oldStringsSize = tree.stringsSize;
  const table = tree.stringsAt;
  // A size of 2^31 and more is negative to libfdt: nothing is found in such a table.
  const searched = oldStringsSize > INT_MAX ? 0 : oldStringsSize;
  if (table + searched > bytes.length) return tree.fail(OUTSIDE, table);
  const found = findName(bytes, table, table + searched, name);
  if (found < 0) {
    const result = splice(tree, table + oldStringsSize, 0, name.length + 1);
    if (result < 0) return result;
    writeName(bytes, table + oldStringsSize, name);
    bytes[table + oldStringsSize + name.length] = 0;
    tree.stringsSize += name.length + 1;
  }
  const result = spliceStruct(tree, property, 0, PROPERTY_HEADER_SIZE + alignTag(size));
  // Without room for the property its name must go again; the bytes of it stay behind the blob.
  if (result < 0) return result;
  writeU32(bytes, AT_STRINGS_SIZE, tree.stringsSize);
  const at = tree.structAt + property;
  writeU32(bytes, at, TAG_PROPERTY);
  writeU32(bytes, at + TAG_SIZE, size);
  writeU32(bytes, at + 2 * TAG_SIZE, found < 0 ? oldStringsSize : found - table);
  return at + PROPERTY_HEADER_SIZE;
}

/** Size of the structure block: version 16 has to walk it. */
function sizeOfStruct(tree: Tree): number {
  if (tree.version >= VERSION_STRUCT_SIZE) return tree.structSize;
  if (tree.version < VERSION_LEAF_NAMES) return BADVERSION;
  let offset = 0;
  do offset = tree.next(offset);
  while (tree.tag !== TAG_END);
  return offset;
}

function open(old: Tree, buffer: Uint8Array): number {
  const total = old.probe();
  if (total < 0) return total;
  const count = old.countReservations();
  if (count < 0) return count;
  const reservationsSize = (count + 1) * RESERVATION_SIZE;
  const structSize = sizeOfStruct(old);
  if (structSize < 0) return structSize;
  if (old.bytes.length < HEADER_SIZE) return OUTSIDE;
  if (isMisordered(old, reservationsSize, structSize)) {
    return reorder(old, buffer, reservationsSize, structSize);
  }
  if (total > buffer.length) return NOSPACE;
  if (total > old.bytes.length) return OUTSIDE;
  moveBytes(buffer, 0, old.bytes, 0, total);
  writeU32(buffer, AT_VERSION, VERSION_LAST);
  writeU32(buffer, AT_STRUCT_SIZE, structSize);
  writeU32(buffer, AT_TOTAL_SIZE, buffer.length);
  return 0;
}

/** Builds the blob at the start of the buffer, or behind the old tree if they share memory. */
function reorder(old: Tree, buffer: Uint8Array, rsvSize: number, structSize: number): number {
  const newSize = HEADER_SIZE + rsvSize + structSize + old.stringsSize;
  if (buffer.length < newSize) return NOSPACE;
  let start = 0;
  if (old.bytes.buffer === buffer.buffer) {
    const oldStart = old.bytes.byteOffset - buffer.byteOffset;
    const oldEnd = oldStart + old.totalSize;
    if (newSize > oldStart && oldEnd > 0) start = oldEnd;
  }
  if (start + newSize > buffer.length) return NOSPACE;
  const result = packBlocks(old, buffer, start, rsvSize, structSize);
  if (result < 0) return result;
  moveBytes(buffer, 0, buffer, start, newSize);
  writeU32(buffer, AT_MAGIC, MAGIC);
  writeU32(buffer, AT_TOTAL_SIZE, buffer.length);
  writeU32(buffer, AT_VERSION, VERSION_LAST);
  writeU32(buffer, AT_LAST_COMPATIBLE, VERSION_LEAF_NAMES);
  // libfdt reads this word last. In place it has been overwritten by then, with what lay behind the
  // old tree: the same here, since the promise is libfdt's bytes and not better ones.
  writeU32(buffer, AT_BOOT_CPU, readU32(old.bytes, AT_BOOT_CPU));
  return 0;
}

/** Whether `size` bytes can go from `from` to `to`; a block already in place is not looked at. */
function checkMove(
  target: Uint8Array,
  to: number,
  source: Uint8Array,
  from: number,
  size: number,
): number {
  if (target === source && from === to) return 0;
  if (from + size > source.length) return OUTSIDE;
  return to + size > target.length ? BADLAYOUT : 0;
}

/**
 * Moves the three blocks to `start` and after, closely packed, or nothing on an error (libfdt
 * fdt_rw.c, fdt_packblocks_).
 */
function packBlocks(
  old: Tree,
  target: Uint8Array,
  start: number,
  rsvSize: number,
  structSize: number,
): number {
  const { bytes: source, reservationsAt, structAt, stringsAt, stringsSize } = old;
  const structTo = HEADER_SIZE + rsvSize;
  const stringsTo = add32(structTo, structSize);
  const blocks = [
    { to: start + HEADER_SIZE, from: reservationsAt, size: rsvSize },
    { to: start + structTo, from: structAt, size: structSize },
    { to: start + stringsTo, from: stringsAt, size: stringsSize },
  ];
  for (const { to, from, size } of blocks) {
    const result = checkMove(target, to, source, from, size);
    if (result < 0) return old.fail(result, from);
  }
  for (const { to, from, size } of blocks) moveBytes(target, to, source, from, size);
  writeU32(target, start + AT_RESERVATIONS, HEADER_SIZE);
  writeU32(target, start + AT_STRUCT, structTo);
  writeU32(target, start + AT_STRUCT_SIZE, structSize);
  writeU32(target, start + AT_STRINGS, stringsTo);
  writeU32(target, start + AT_STRINGS_SIZE, stringsSize);
  return 0;
}
