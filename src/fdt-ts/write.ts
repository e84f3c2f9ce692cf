/**
 * Writing a blob from front to back: reservations, then nodes and properties in order, then
 * `finish`. Byte for byte as libfdt's sequential writer.
 *
 * Invariants
 * - All state is in the buffer (libfdt's unfinished-blob header), none in the object. The structure
 *   block grows upwards; the strings grow downwards from the end of the buffer, and until `finish`
 *   name offsets are negative, counted from there.
 * - A call that throws NOSPACE leaves what was written before intact.
 * - Nesting is the caller's business: a missing `endNode` is not noticed here but by `checkFull`.
 * - Padding behind values and names is what the buffer held: zero, since `create` clears it.
 */
import {
  checkName,
  findName,
  isU64,
  moveBytes,
  readU32,
  writeName,
  writeU32,
  writeU64,
} from './bytes.ts';
import {
  BADFLAGS,
  BADLAYOUT,
  BADMAGIC,
  BADSTATE,
  BADVALUE,
  NOSPACE,
  OUTSIDE,
  TRUNCATED,
  toError,
} from './error.ts';
import {
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
  MAGIC_UNFINISHED,
  NO_NAME_DEDUP,
  PROPERTY_HEADER_SIZE,
  RESERVATION_SIZE,
  TAG_BEGIN_NODE,
  TAG_END,
  TAG_END_NODE,
  TAG_PROPERTY,
  TAG_SIZE,
  VERSION_LAST,
  VERSION_LEAF_NAMES,
  alignTag,
} from './format.ts';
import { Tree } from './tree.ts';
import { encodeString, encodeU32, encodeU64 } from './values.ts';
import type { Endian } from './values.ts';

/** libfdt leaves the header room for whole reservation entries: 48 bytes, where `pack` uses 40. */
const FIRST_BLOCK_AT = Math.ceil(HEADER_SIZE / RESERVATION_SIZE) * RESERVATION_SIZE;

export class FdtWriter {
  private readonly tree: Tree;

  /** Goes on with an unfinished blob in `bytes`; {@link FdtWriter.create} starts one. */
  constructor(bytes: Uint8Array) {
    this.tree = new Tree(bytes);
  }

  /**
   * Clears `buffer` and starts a blob in it. `flags`: 0, or `NO_NAME_DEDUP` to store every property
   * name anew. Throws NOSPACE below 48 bytes, BADFLAGS (libfdt fdt_sw.c, fdt_create_with_flags).
   */
  static create(buffer: Uint8Array, flags = 0): FdtWriter {
    if (buffer.length < FIRST_BLOCK_AT) throw toError(NOSPACE, -1);
    if (flags !== 0 && flags !== NO_NAME_DEDUP) throw toError(BADFLAGS, -1);
    if (buffer.length > INT_MAX) throw toError(BADVALUE, -1);
    buffer.fill(0);
    writeU32(buffer, AT_MAGIC, MAGIC_UNFINISHED);
    writeU32(buffer, AT_TOTAL_SIZE, buffer.length);
    writeU32(buffer, AT_VERSION, VERSION_LAST);
    // While unfinished this word keeps the flags.
    writeU32(buffer, AT_LAST_COMPATIBLE, flags);
    writeU32(buffer, AT_RESERVATIONS, FIRST_BLOCK_AT);
    writeU32(buffer, AT_STRUCT, FIRST_BLOCK_AT);
    return new FdtWriter(buffer);
  }

  get bytes(): Uint8Array {
    return this.tree.bytes;
  }

  /** A reservation; 0 to 2^64 - 1 each (libfdt fdt_sw.c, fdt_add_reservemap_entry). */
  addReservation(address: bigint, size: bigint): void {
    const tree = this.start(false);
    if (!isU64(address) || !isU64(size)) this.stop(BADVALUE);
    const at = tree.structAt;
    if (at + RESERVATION_SIZE > tree.totalSize) this.stop(NOSPACE);
    writeU64(tree.bytes, at, address);
    writeU64(tree.bytes, at + 8, size);
    writeU32(tree.bytes, AT_STRUCT, at + RESERVATION_SIZE);
  }

  /** Ends the reservations; nodes may follow (libfdt fdt_sw.c, fdt_finish_reservemap). */
  finishReservemap(): void {
    this.addReservation(0n, 0n);
    writeU32(this.bytes, AT_STRINGS, this.tree.totalSize);
  }

  /** The first node is the root, whose name is "" (libfdt fdt_sw.c, fdt_begin_node). */
  beginNode(name: string): void {
    const tree = this.start(true);
    if (checkName(name) < 0) this.stop(BADVALUE);
    const at = this.grab(TAG_SIZE + alignTag(name.length + 1));
    writeU32(tree.bytes, at, TAG_BEGIN_NODE);
    writeName(tree.bytes, at + TAG_SIZE, name);
    tree.bytes[at + TAG_SIZE + name.length] = 0;
  }

  /** libfdt fdt_sw.c, fdt_property. Throws NOSPACE, BADSTATE, BADVALUE for the name. */
  property(name: string, value: Uint8Array): void {
    const tree = this.start(true);
    if (checkName(name) < 0) this.stop(BADVALUE);
    const oldStringsSize = tree.stringsSize;
    const nameOffset = this.nameOffset(name);
    const size = PROPERTY_HEADER_SIZE + alignTag(value.length);
    if (!this.hasRoom(size)) {
      // The name must not stay without its property; its bytes do, as libfdt's do.
      writeU32(tree.bytes, AT_STRINGS_SIZE, oldStringsSize);
      this.stop(NOSPACE);
    }
    const at = this.grab(size);
    writeU32(tree.bytes, at, TAG_PROPERTY);
    writeU32(tree.bytes, at + TAG_SIZE, value.length);
    writeU32(tree.bytes, at + 2 * TAG_SIZE, nameOffset);
    tree.bytes.set(value, at + PROPERTY_HEADER_SIZE);
  }

  /** The text with a NUL behind it (libfdt fdt_property_string). */
  propertyString(name: string, value: string): void {
    this.property(name, encodeString(value));
  }

  /** `value` is 0 to 2^32 - 1; big-endian unless told (libfdt fdt_property_u32). */
  propertyU32(name: string, value: number, endian: Endian = 'big'): void {
    this.property(name, encodeU32(value, endian));
  }

  /** `value` is 0 to 2^64 - 1; KHO values are little-endian (libfdt fdt_property_u64). */
  propertyU64(name: string, value: bigint, endian: Endian = 'big'): void {
    this.property(name, encodeU64(value, endian));
  }

  /** libfdt fdt_sw.c, fdt_end_node. */
  endNode(): void {
    this.start(true);
    writeU32(this.bytes, this.grab(TAG_SIZE), TAG_END_NODE);
  }

  /**
   * Moves the strings behind the structure block and makes the blob valid; its size in bytes
   * (libfdt fdt_sw.c, fdt_finish).
   */
  finish(): number {
    const tree = this.start(true);
    const { bytes, stringsSize } = tree;
    writeU32(bytes, this.grab(TAG_SIZE), TAG_END);
    tree.load();
    const stringsTo = tree.structAt + tree.structSize;
    moveBytes(bytes, stringsTo, bytes, tree.totalSize - stringsSize, stringsSize);
    writeU32(bytes, AT_STRINGS, stringsTo);
    let next = 0;
    do {
      const offset = next;
      next = tree.next(offset);
      if (tree.tag === TAG_PROPERTY) {
        const at = tree.structAt + offset + 2 * TAG_SIZE;
        writeU32(bytes, at, readU32(bytes, at) + stringsSize);
      }
    } while (tree.tag !== TAG_END);
    if (next < 0) this.stop(next);
    writeU32(bytes, AT_TOTAL_SIZE, stringsTo + stringsSize);
    writeU32(bytes, AT_LAST_COMPATIBLE, VERSION_LEAF_NAMES);
    writeU32(bytes, AT_MAGIC, MAGIC);
    return stringsTo + stringsSize;
  }

  private stop(error: number): never {
    throw toError(error, this.tree.where);
  }

  /** Loads the header and checks the state: still at the reservations, or at the nodes. */
  private start(atNodes: boolean): Tree {
    const tree = this.tree.load();
    if (tree.bytes.length < HEADER_SIZE) this.stop(OUTSIDE);
    if (tree.magic !== MAGIC_UNFINISHED) this.stop(tree.magic === MAGIC ? BADSTATE : BADMAGIC);
    if (tree.stringsAt !== (atNodes ? tree.totalSize : 0)) this.stop(BADSTATE);
    if (tree.totalSize > tree.bytes.length) this.stop(TRUNCATED);
    // libfdt trusts its own header; a header that somebody else made must not lead outside.
    if (!this.hasRoom(0)) this.stop(BADLAYOUT);
    return tree;
  }

  private hasRoom(size: number): boolean {
    const { tree } = this;
    return tree.structAt + tree.structSize + size <= tree.totalSize - tree.stringsSize;
  }

  /** Position of `size` more bytes of structure block (libfdt fdt_sw.c, fdt_grab_space_). */
  private grab(size: number): number {
    const { tree } = this;
    if (!this.hasRoom(size)) this.stop(NOSPACE);
    writeU32(tree.bytes, AT_STRUCT_SIZE, tree.structSize + size);
    return tree.structAt + tree.structSize;
  }

  /** Name offset from the end of the buffer, stored if need be (libfdt fdt_find_add_string_). */
  private nameOffset(name: string): number {
    const { tree } = this;
    const { bytes, totalSize } = tree;
    if ((tree.lastCompatible & NO_NAME_DEDUP) === 0) {
      const found = findName(bytes, totalSize - tree.stringsSize, totalSize, name);
      if (found >= 0) return found - totalSize;
    }
    const size = tree.stringsSize + name.length + 1;
    if (totalSize - size < tree.structAt + tree.structSize) this.stop(NOSPACE);
    writeName(bytes, totalSize - size, name);
    bytes[totalSize - size + name.length] = 0;
    tree.stringsSize = size;
    writeU32(bytes, AT_STRINGS_SIZE, size);
    return -size;
  }
}
