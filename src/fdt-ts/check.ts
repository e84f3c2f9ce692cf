/**
 * Whether a blob is sound: a look at the header, and one bounded pass over all tags. A blob that
 * passes {@link checkFull} is read without error by every reader call with valid offsets.
 */
import {
  ALIGNMENT,
  BADMAGIC,
  BADSTRUCTURE,
  BADVERSION,
  OUTSIDE,
  TRUNCATED,
  toError,
} from './error.ts';
import type { FdtError } from './error.ts';
import {
  AT_LAST_COMPATIBLE,
  AT_MAGIC,
  AT_RESERVATIONS,
  AT_STRINGS,
  AT_STRUCT,
  AT_TOTAL_SIZE,
  AT_VERSION,
  HEADER_SIZE_SMALLEST,
  INT_MAX,
  MAGIC,
  TAG_BEGIN_NODE,
  TAG_END,
  TAG_END_NODE,
  TAG_NOP,
  TAG_PROPERTY,
  TAG_SIZE,
  VERSION_FIRST,
  VERSION_LAST,
  VERSION_STRUCT_SIZE,
  headerSize,
} from './format.ts';
import { readU32 } from './bytes.ts';
import { MISSING, Tree } from './tree.ts';

/**
 * What is wrong with the header, or `undefined`. Looks at the header only: whether `totalsize`
 * bytes are there is not asked (libfdt fdt.c, fdt_check_header).
 */
export function checkHeader(bytes: Uint8Array): FdtError | undefined {
  const tree = new Tree(bytes).load();
  const result = headerResult(tree);
  return result < 0 ? toError(result, tree.where) : undefined;
}

/**
 * What is wrong with the blob, or `undefined`. Header, reservations, nesting, one unnamed root, and
 * that every property has a name; `bytes` may be longer than the blob (libfdt fdt_check.c,
 * fdt_check_full, with `bufsize` = `bytes.length`).
 */
export function checkFull(bytes: Uint8Array): FdtError | undefined {
  const tree = new Tree(bytes).load();
  const result = fullResult(tree);
  return result < 0 ? toError(result, tree.where) : undefined;
}

function headerResult(tree: Tree): number {
  if (tree.magic === MISSING) return tree.fail(OUTSIDE, AT_MAGIC);
  if (tree.magic !== MAGIC) return tree.fail(BADMAGIC, AT_MAGIC);
  const { version, lastCompatible, totalSize } = tree;
  if (lastCompatible === MISSING) return tree.fail(OUTSIDE, AT_VERSION);
  if (version < VERSION_FIRST) return tree.fail(BADVERSION, AT_VERSION);
  if (lastCompatible > VERSION_LAST || version < lastCompatible) {
    return tree.fail(BADVERSION, AT_LAST_COMPATIBLE);
  }
  if (tree.bytes.length < headerSize(version)) return tree.fail(OUTSIDE, tree.bytes.length);
  if (totalSize < headerSize(version) || totalSize > INT_MAX) {
    return tree.fail(TRUNCATED, AT_TOTAL_SIZE);
  }
  if (tree.reservationsAt % 8 !== 0) return tree.fail(ALIGNMENT, AT_RESERVATIONS);
  if (!isInside(tree, tree.reservationsAt, 0)) return tree.fail(TRUNCATED, AT_RESERVATIONS);
  if (tree.structAt % 4 !== 0) return tree.fail(ALIGNMENT, AT_STRUCT);
  const structSize = version < VERSION_STRUCT_SIZE ? 0 : tree.structSize;
  if (!isInside(tree, tree.structAt, structSize)) return tree.fail(TRUNCATED, AT_STRUCT);
  // Version 2 has no size of the strings block; libfdt reads that header word all the same.
  if (!isInside(tree, tree.stringsAt, tree.stringsSize)) return tree.fail(TRUNCATED, AT_STRINGS);
  return 0;
}

/** Whether a block lies between the header and the end of the blob. */
function isInside(tree: Tree, start: number, size: number): boolean {
  return start >= headerSize(tree.version) && start + size <= tree.totalSize;
}

function fullResult(tree: Tree): number {
  const { bytes } = tree;
  if (bytes.length < HEADER_SIZE_SMALLEST) return tree.fail(TRUNCATED, bytes.length);
  if (bytes.length < headerSize(tree.version)) return tree.fail(TRUNCATED, bytes.length);
  const header = headerResult(tree);
  if (header < 0) return header;
  if (bytes.length < tree.totalSize) return tree.fail(TRUNCATED, bytes.length);
  const reservations = tree.countReservations();
  if (reservations < 0) return reservations;
  return walk(tree);
}

/** One pass over the structure block; every step advances by at least one tag. */
function walk(tree: Tree): number {
  let depth = 0;
  let rootEnded = false;
  let next = 0;
  for (;;) {
    const offset = next;
    next = tree.next(offset);
    if (next < 0) return next;
    const { tag } = tree;
    const at = tree.structAt + offset;
    if (tag === TAG_NOP) continue;
    if (rootEnded && tag !== TAG_END) return tree.fail(BADSTRUCTURE, at);
    if (tag === TAG_END) return depth === 0 ? 0 : tree.fail(BADSTRUCTURE, at);
    if (tag === TAG_BEGIN_NODE) {
      depth++;
      if (depth === 1) {
        const name = tree.nameAt(offset);
        if (name < 0) return name;
        if (tree.nameLength !== 0) return tree.fail(BADSTRUCTURE, at);
      }
    } else if (tag === TAG_END_NODE) {
      if (depth === 0) return tree.fail(BADSTRUCTURE, at);
      depth--;
      rootEnded = depth === 0;
    } else if (tag === TAG_PROPERTY) {
      const name = tree.stringAt(readU32(tree.bytes, at + 2 * TAG_SIZE) | 0);
      if (name < 0) return name;
    }
  }
}
