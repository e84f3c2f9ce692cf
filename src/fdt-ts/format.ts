/**
 * The flattened device tree on disk: every magic number of the format is in this file and nowhere
 * else. All numbers are stored big-endian; offsets and sizes are in bytes.
 *
 * Source: Devicetree Specification v0.4, sections 5.2 (header), 5.3 (reservations), 5.4 (structure
 * block); versions 1 to 16 as accepted by libfdt (libfdt fdt.c, fdt_header_size_).
 */

/** First word of a finished blob. */
export const MAGIC = 0xd00dfeed;
/** First word while a sequential write is under way (libfdt's own marker: the inverted magic). */
export const MAGIC_UNFINISHED = 0x2ff20112;

/** Oldest `version`, and newest `last_comp_version`, that a reader accepts. */
export const VERSION_FIRST = 2;
export const VERSION_LAST = 17;
/** From here on names are leaf names and 8-byte values are not realigned. */
export const VERSION_LEAF_NAMES = 16;
/** From here on the header has `size_dt_struct`. */
export const VERSION_STRUCT_SIZE = 17;

/** Byte positions of the ten header words. */
export const AT_MAGIC = 0;
export const AT_TOTAL_SIZE = 4;
export const AT_STRUCT = 8;
export const AT_STRINGS = 12;
export const AT_RESERVATIONS = 16;
export const AT_VERSION = 20;
export const AT_LAST_COMPATIBLE = 24;
export const AT_BOOT_CPU = 28;
export const AT_STRINGS_SIZE = 32;
export const AT_STRUCT_SIZE = 36;

/** Header sizes: the newest one, and the smallest one that any version has. */
export const HEADER_SIZE = 40;
export const HEADER_SIZE_SMALLEST = 28;

/** Structure block tags. */
export const TAG_BEGIN_NODE = 1;
export const TAG_END_NODE = 2;
export const TAG_PROPERTY = 3;
export const TAG_NOP = 4;
export const TAG_END = 9;

export const TAG_SIZE = 4;
/** Tag, value length, name offset. */
export const PROPERTY_HEADER_SIZE = 12;
/** Address and size, 64 bits each. */
export const RESERVATION_SIZE = 16;

/** Largest offset: libfdt keeps offsets in a C `int`. */
export const INT_MAX = 0x7fffffff;

/** Sequential write: do not look whether a property name is already in the strings block. */
export const NO_NAME_DEDUP = 1;

/** Bytes of header that a blob of `version` has. */
export function headerSize(version: number): number {
  if (version <= 1) return HEADER_SIZE_SMALLEST;
  if (version <= 2) return 32;
  return version < VERSION_STRUCT_SIZE ? 36 : HEADER_SIZE;
}

/** Rounds up to the 4-byte grid of the structure block; exact up to 2^53, unlike `& ~3`. */
export function alignTag(size: number): number {
  const rest = size % TAG_SIZE;
  return rest === 0 ? size : size + TAG_SIZE - rest;
}
