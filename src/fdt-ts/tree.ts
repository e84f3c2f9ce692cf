/**
 * The reading kernel: tags, nodes, properties and strings of one blob. Internal; the public classes
 * are in read.ts, write.ts and edit.ts.
 *
 * Invariants
 * - Every method that returns a number returns an offset or count (>= 0) or an error (< 0, see
 *   error.ts). Nothing here throws.
 * - Node and property offsets count from the start of the structure block; positions in `bytes` are
 *   called `at`.
 * - No byte outside `bytes` is read. Where libfdt would have, the result is OUTSIDE.
 * - `tag`, `depth`, `after`, `nameLength`, `valueLength`, `where` are second results, valid until
 *   the next call: two results without an object per tag.
 * - The header is copied by `load()` at the start of every public call, so a view never goes stale
 *   when somebody else writes to the same memory.
 */
import { readU32, sameName } from './bytes.ts';
import {
  BADMAGIC,
  BADOFFSET,
  BADSTATE,
  BADSTRUCTURE,
  BADVERSION,
  NOTFOUND,
  OUTSIDE,
  TRUNCATED,
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
  INT_MAX,
  MAGIC,
  MAGIC_UNFINISHED,
  PROPERTY_HEADER_SIZE,
  RESERVATION_SIZE,
  TAG_BEGIN_NODE,
  TAG_END,
  TAG_END_NODE,
  TAG_NOP,
  TAG_PROPERTY,
  TAG_SIZE,
  VERSION_FIRST,
  VERSION_LAST,
  VERSION_LEAF_NAMES,
  VERSION_STRUCT_SIZE,
  alignTag,
} from './format.ts';

const SLASH = 0x2f;
const AT_SIGN = 0x40;

/** Stands for a header word that lies beyond the end of the bytes. */
export const MISSING = -1;

export class Tree {
  readonly bytes: Uint8Array;

  magic = MISSING;
  totalSize = MISSING;
  structAt = MISSING;
  stringsAt = MISSING;
  reservationsAt = MISSING;
  version = MISSING;
  lastCompatible = MISSING;
  stringsSize = MISSING;
  structSize = MISSING;

  /** End of the structure block as far as the header tells (libfdt fdt.c, fdt_offset_ptr). */
  limit = 0;
  /** The part of it that is inside `bytes`: never more than `limit`. */
  readable = 0;

  tag = TAG_END;
  depth = 0;
  /** Offset after the begin tag, or after the property, that was found last. */
  after = 0;
  nameLength = 0;
  valueLength = 0;
  /** Position in `bytes` of the last trouble; below zero if none is known. */
  where = -1;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  load(): this {
    this.magic = this.word(AT_MAGIC);
    this.totalSize = this.word(AT_TOTAL_SIZE);
    this.structAt = this.word(AT_STRUCT);
    this.stringsAt = this.word(AT_STRINGS);
    this.reservationsAt = this.word(AT_RESERVATIONS);
    this.version = this.word(AT_VERSION);
    this.lastCompatible = this.word(AT_LAST_COMPATIBLE);
    this.stringsSize = this.word(AT_STRINGS_SIZE);
    this.structSize = this.word(AT_STRUCT_SIZE);
    this.where = -1;
    this.bound();
    return this;
  }

  /** A header word, or MISSING. */
  private word(at: number): number {
    return at + 4 <= this.bytes.length ? readU32(this.bytes, at) : MISSING;
  }

  /** Where a header word that decides is missing, nothing is readable: every access is OUTSIDE. */
  private bound(): void {
    const sized = this.version >= VERSION_STRUCT_SIZE;
    this.readable = -1;
    this.limit = Infinity;
    if (this.structAt === MISSING) return;
    this.limit = this.totalSize - this.structAt;
    if (this.version === MISSING || (sized && this.structSize === MISSING)) return;
    if (sized && this.structSize < this.limit) this.limit = this.structSize;
    this.readable = Math.min(this.limit, this.bytes.length - this.structAt);
  }

  /** Notes the place of trouble and passes the error on. */
  fail(error: number, at: number): number {
    this.where = at;
    return error;
  }

  /** `error`, unless the structure block was cut by the end of the bytes rather than the header. */
  private beyond(end: number, error: number, offset: number): number {
    return this.fail(end > this.limit ? error : OUTSIDE, this.structAt + offset);
  }

  /** The total size, or what is wrong at a glance (libfdt fdt_ro.c, fdt_ro_probe_). */
  probe(): number {
    if (this.totalSize === MISSING) return this.fail(OUTSIDE, AT_MAGIC);
    if (this.magic === MAGIC) {
      if (this.lastCompatible === MISSING) return this.fail(OUTSIDE, AT_VERSION);
      if (this.version < VERSION_FIRST) return this.fail(BADVERSION, AT_VERSION);
      if (this.lastCompatible > VERSION_LAST) return this.fail(BADVERSION, AT_LAST_COMPATIBLE);
    } else if (this.magic === MAGIC_UNFINISHED) {
      if (this.structSize === MISSING) return this.fail(OUTSIDE, AT_STRUCT_SIZE);
      if (this.structSize === 0) return this.fail(BADSTATE, AT_STRUCT_SIZE);
    } else {
      return this.fail(BADMAGIC, AT_MAGIC);
    }
    if (this.totalSize >= INT_MAX) return this.fail(TRUNCATED, AT_TOTAL_SIZE);
    return this.totalSize;
  }

  /**
   * Offset after the tag at `start`, and the tag itself in `tag`. On an error `tag` is TAG_END
   * (libfdt fdt.c, fdt_next_tag).
   */
  next(start: number): number {
    const { bytes, structAt } = this;
    this.tag = TAG_END;
    let offset = start + TAG_SIZE;
    if (offset > this.readable || start < 0) return this.beyond(offset, TRUNCATED, start);
    const tag = readU32(bytes, structAt + start);
    if (tag === TAG_BEGIN_NODE) {
      const end = structAt + this.readable;
      let at = structAt + offset;
      while (at < end && bytes[at] !== 0) at++;
      offset = at - structAt + 1;
      if (at >= end) return this.beyond(offset, BADSTRUCTURE, start);
    } else if (tag === TAG_PROPERTY) {
      if (offset + 4 > this.readable) return this.beyond(offset + 4, BADSTRUCTURE, start);
      const length = readU32(bytes, structAt + offset);
      if (length + offset >= INT_MAX) return this.fail(BADSTRUCTURE, structAt + start);
      offset += PROPERTY_HEADER_SIZE - TAG_SIZE;
      if (this.version < VERSION_LEAF_NAMES && length >= 8 && offset % 8 !== 0) offset += 4;
      offset += length;
    } else if (tag !== TAG_END_NODE && tag !== TAG_NOP && tag !== TAG_END) {
      return this.fail(BADSTRUCTURE, structAt + start);
    }
    if (offset > this.limit) return this.fail(BADSTRUCTURE, structAt + start);
    this.tag = tag;
    return alignTag(offset);
  }

  /** Offset after the tag at `offset` if it is `tag`, else BADOFFSET. */
  private expect(offset: number, tag: number): number {
    if ((offset | 0) !== offset || offset < 0 || offset % TAG_SIZE !== 0) return BADOFFSET;
    const next = this.next(offset);
    if (next === OUTSIDE) return OUTSIDE;
    return this.tag === tag ? next : this.fail(BADOFFSET, this.structAt + offset);
  }

  /** Offset after the name of the node at `offset` (libfdt fdt.c, fdt_check_node_offset_). */
  enter(offset: number): number {
    return this.expect(offset, TAG_BEGIN_NODE);
  }

  /**
   * The next node in blob order; `offset` below zero starts before the root. `depth` counts begin
   * and end tags; when it falls below zero the result is the offset after the end of the sub tree.
   * `counting` false stands for libfdt's null depth pointer (libfdt fdt.c, fdt_next_node).
   */
  nextNode(offset: number, counting: boolean): number {
    if (offset < 0) return this.scanNode(0, counting);
    const next = this.enter(offset);
    return next < 0 ? next : this.scanNode(next, counting);
  }

  /** {@link nextNode} from the offset `start` on, which is after a tag. */
  private scanNode(start: number, counting: boolean): number {
    let next = start;
    for (;;) {
      const node = next;
      next = this.next(node);
      if (this.tag === TAG_BEGIN_NODE) {
        this.depth++;
        this.after = next;
        return node;
      }
      if (this.tag === TAG_END_NODE) {
        if (--this.depth < 0 && counting) return next;
      } else if (this.tag === TAG_END) {
        return next >= 0 || (next === TRUNCATED && !counting) ? NOTFOUND : next;
      }
    }
  }

  /** Offset after the end tag of the node (libfdt fdt_rw.c and fdt_wip.c, fdt_node_end_offset_). */
  nodeEnd(node: number): number {
    if (!(node >= 0)) return BADOFFSET;
    this.depth = 0;
    let offset = node;
    while (offset >= 0 && this.depth >= 0) offset = this.nextNode(offset, true);
    return offset;
  }

  /** libfdt fdt.c, fdt_first_subnode: whatever is wrong, there is "no sub node". */
  firstSubnode(node: number): number {
    this.depth = 0;
    const child = this.nextNode(node, true);
    if (child === OUTSIDE) return OUTSIDE;
    return child < 0 || this.depth !== 1 ? NOTFOUND : child;
  }

  /** libfdt fdt.c, fdt_next_subnode. */
  nextSubnode(node: number): number {
    this.depth = 1;
    let child = node;
    do {
      child = this.nextNode(child, true);
      if (child === OUTSIDE) return OUTSIDE;
      if (child < 0 || this.depth < 1) return NOTFOUND;
    } while (this.depth > 1);
    return child;
  }

  /** Position of a node's name, its length in `nameLength` (libfdt fdt_ro.c, fdt_get_name). */
  nameAt(node: number): number {
    const total = this.probe();
    if (total < 0) return total;
    const next = this.enter(node);
    if (next < 0) return next;
    let at = this.structAt + node + TAG_SIZE;
    let end = at;
    let slash = -1;
    for (; this.bytes[end] !== 0; end++) if (this.bytes[end] === SLASH) slash = end;
    if (this.version < VERSION_LEAF_NAMES) {
      // Old blobs store whole paths; the leaf is what follows the last slash.
      if (slash < 0) return this.fail(BADSTRUCTURE, at);
      at = slash + 1;
    }
    this.nameLength = end - at;
    return at;
  }

  /**
   * 1 if the name of a node that {@link scanNode} found is `[from, to)` of `name`, or that with a
   * unit address that `name` leaves out; 0 if not (libfdt fdt_ro.c, fdt_nodename_eq_).
   */
  private nameMatches(node: number, name: string, from: number, to: number): number {
    let at = this.structAt + node + TAG_SIZE;
    if (this.version < VERSION_LEAF_NAMES) at = this.nameAt(node);
    if (at < 0) return at === OUTSIDE ? OUTSIDE : 0;
    // The name ends with a NUL, which no character of `name` equals: no look at its length.
    if (!sameName(this.bytes, at, name, from, to)) return 0;
    const after = this.bytes[at + to - from];
    if (after === 0) return 1;
    if (after !== AT_SIGN) return 0;
    const unit = name.indexOf('@', from);
    return unit >= 0 && unit < to ? 0 : 1;
  }

  /** libfdt fdt_ro.c, fdt_subnode_offset_namelen; the name is `[from, to)` of `name`. */
  findSubnode(parent: number, name: string, from: number, to: number): number {
    const total = this.probe();
    if (total < 0) return total;
    this.after = this.enter(parent);
    if (this.after < 0) return this.after;
    this.depth = 0;
    for (;;) {
      const node = this.scanNode(this.after, true);
      if (this.depth < 0) return NOTFOUND;
      if (node < 0) return node;
      if (this.depth === 1) {
        const match = this.nameMatches(node, name, from, to);
        if (match < 0) return match;
        if (match === 1) return node;
      }
    }
  }

  /** First property at or after `offset`, skipping NOPs (libfdt fdt_ro.c, nextprop_). */
  private propertyFrom(offset: number): number {
    let at = offset;
    for (;;) {
      const next = this.next(at);
      if (this.tag === TAG_PROPERTY) {
        this.after = next;
        return at;
      }
      if (this.tag === TAG_END) return next >= 0 ? this.fail(BADSTRUCTURE, at) : next;
      if (this.tag !== TAG_NOP) return NOTFOUND;
      at = next;
    }
  }

  firstProperty(node: number): number {
    const next = this.enter(node);
    return next < 0 ? next : this.propertyFrom(next);
  }

  nextProperty(property: number): number {
    const next = this.expect(property, TAG_PROPERTY);
    return next < 0 ? next : this.propertyFrom(next);
  }

  /** Offset of the property of that name (libfdt fdt_ro.c, fdt_get_property_namelen_). */
  findProperty(node: number, name: string, from: number, to: number): number {
    let offset = this.firstProperty(node);
    while (offset >= 0) {
      if (offset + PROPERTY_HEADER_SIZE > this.readable) {
        return this.fail(OUTSIDE, this.structAt + offset);
      }
      const nameOffset = readU32(this.bytes, this.structAt + offset + 8) | 0;
      const same = this.stringEquals(nameOffset, name, from, to);
      if (same === 1) return offset;
      if (same === OUTSIDE) return OUTSIDE;
      offset = this.propertyFrom(this.after);
    }
    return offset;
  }

  /**
   * Position of a property's value, its length in `valueLength`. Before version 16 a value of eight
   * bytes and more starts on a multiple of eight in the structure block.
   */
  valueAt(property: number): number {
    const next = this.expect(property, TAG_PROPERTY);
    if (next < 0) return next;
    const length = readU32(this.bytes, this.structAt + property + TAG_SIZE);
    let offset = property + PROPERTY_HEADER_SIZE;
    if (this.version < VERSION_LEAF_NAMES && offset % 8 !== 0 && length >= 8) offset += 4;
    if (offset + length > this.readable) return this.fail(OUTSIDE, this.structAt + property);
    this.valueLength = length;
    return this.structAt + offset;
  }

  /**
   * The room a string has at `offset` of the strings block: its position, and in `nameLength` the
   * bytes up to the end of the block. While a sequential write is under way offsets are below zero
   * and count from the end of the buffer (libfdt fdt_ro.c, fdt_get_string).
   */
  private stringRoom(offset: number): number {
    const total = this.probe();
    if (total < 0) return total;
    if (this.stringsAt === MISSING || this.stringsSize === MISSING) return OUTSIDE;
    // Thirty-two bit addition: a negative offset goes backwards.
    const at = (offset + this.stringsAt) >>> 0;
    if (at >= total) return this.fail(BADOFFSET, at);
    let room = total - at;
    if (this.magic === MAGIC) {
      if (offset < 0) return this.fail(BADOFFSET, at);
      if (this.version >= VERSION_STRUCT_SIZE) {
        if (offset >= this.stringsSize) return this.fail(BADOFFSET, at);
        room = Math.min(room, this.stringsSize - offset);
      }
    } else {
      if (offset >= 0 || -offset > this.stringsSize) return this.fail(BADOFFSET, at);
      room = Math.min(room, -offset);
    }
    this.nameLength = room;
    return at;
  }

  /** Position of the string at `offset` of the strings block, its length in `nameLength`. */
  stringAt(offset: number): number {
    const at = this.stringRoom(offset);
    if (at < 0) return at;
    const end = Math.min(at + this.nameLength, this.bytes.length);
    let nul = at;
    while (nul < end && this.bytes[nul] !== 0) nul++;
    if (nul >= end) return this.fail(end < at + this.nameLength ? OUTSIDE : TRUNCATED, at);
    this.nameLength = nul - at;
    return at;
  }

  /** 1 if the string at `offset` is `[from, to)` of `name`; 0, or OUTSIDE, if not. */
  private stringEquals(offset: number, name: string, from: number, to: number): number {
    const at = this.stringRoom(offset);
    if (at < 0) return at === OUTSIDE ? OUTSIDE : 0;
    const room = this.nameLength;
    if (at + room > this.bytes.length && this.stringAt(offset) === OUTSIDE) return OUTSIDE;
    const nul = to - from;
    if (nul >= room || this.bytes[at + nul] !== 0) return 0;
    return sameName(this.bytes, at, name, from, to) ? 1 : 0;
  }

  /** Position of reservation `index`, or BADOFFSET (libfdt fdt_ro.c, fdt_mem_rsv). */
  reservationAt(index: number): number {
    if (this.reservationsAt === MISSING) return OUTSIDE;
    const at = this.reservationsAt + index * RESERVATION_SIZE;
    // libfdt subtracts without looking: a total size below one entry bounds nothing.
    const bounded = this.totalSize >= RESERVATION_SIZE;
    if (bounded && at + RESERVATION_SIZE > this.totalSize) return this.fail(BADOFFSET, at);
    return at + RESERVATION_SIZE > this.bytes.length ? this.fail(OUTSIDE, at) : at;
  }

  /** Reservations before the first entry of size 0 (libfdt fdt_ro.c, fdt_num_mem_rsv). */
  countReservations(): number {
    const total = this.probe();
    if (total < 0) return total;
    for (let count = 0; ; count++) {
      const at = this.reservationAt(count);
      if (at === BADOFFSET) return TRUNCATED;
      if (at < 0) return at;
      if (readU32(this.bytes, at + 8) === 0 && readU32(this.bytes, at + 12) === 0) return count;
    }
  }
}
