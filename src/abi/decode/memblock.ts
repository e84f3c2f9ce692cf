/** Reads the `memblock` blob: a device tree with one node per reserve_mem area. */
import { checkFull, checkHeader, FdtReader } from 'fdt-ts';
import { COMPATIBLE_PROPERTY } from '../description/root-tree.ts';
import { MEMBLOCK, RESERVE_MEM } from '../description/sub-blobs.ts';
import { text, u64, type Damage } from './bytes.ts';
import { claimedSize, guarded } from './subtrees.ts';

/** One area that `reserve_mem=` named; bytes. */
export interface ReservedMemory {
  readonly name: string;
  readonly start: number;
  readonly size: number;
}

/** The areas, or a phrase that says why these bytes are no such blob. */
export const readMemblock = (bytes: Uint8Array): readonly ReservedMemory[] | string => {
  const fault = checkFull(bytes);
  if (fault !== undefined) return `not a device tree (${fault.code})`;
  const claimed = claimedSize(bytes);
  if (claimed !== bytes.length) return `${bytes.length} bytes, its header says ${claimed}`;
  const damage: Damage[] = [];
  const areas = guarded('blob(memblock)', damage, () => readAreas(new FdtReader(bytes)));
  return areas ?? damage[0]?.what ?? 'not readable';
};

/** The same, of a tree of users, before the merge: the list is one of its nodes. */
export const readMemblockNode = (tree: Uint8Array): readonly ReservedMemory[] | string => {
  const fault = checkHeader(tree);
  if (fault !== undefined) return `not a device tree (${fault.code})`;
  const damage: Damage[] = [];
  const areas = guarded('fdt(/memblock)', damage, () => {
    const reader = new FdtReader(tree);
    const ranges = reader.subnodeOffset(0, RESERVE_MEM.name);
    if (ranges !== undefined) return readRangeAreas(reader, ranges);
    const node = reader.subnodeOffset(0, MEMBLOCK.name);
    return node === undefined ? 'there is none' : readAreas(reader, node);
  });
  return areas ?? damage[0]?.what ?? 'not readable';
};

const compatibleOf = (reader: FdtReader, node: number): string | undefined => {
  const value = reader.property(node, COMPATIBLE_PROPERTY);
  return value === undefined ? undefined : text(value);
};

/** The list of v4 and before, where an area is a range in the property `mem`. */
const readRangeAreas = (reader: FdtReader, list: number): readonly ReservedMemory[] | string => {
  if (compatibleOf(reader, list) !== RESERVE_MEM.compatible) {
    return `is not ${RESERVE_MEM.compatible}`;
  }
  const areas: ReservedMemory[] = [];
  for (const node of reader.subnodes(list)) {
    const name = reader.name(node);
    const mem = reader.property(node, RESERVE_MEM.range);
    if (mem?.length !== 16) return `its area "${name}" has no place`;
    areas.push({ name, start: u64(mem, 0), size: u64(mem, 8) });
  }
  return areas;
};

const readAreas = (reader: FdtReader, list = 0): readonly ReservedMemory[] | string => {
  if (compatibleOf(reader, list) !== MEMBLOCK.compatible) return `is not ${MEMBLOCK.compatible}`;
  const areas: ReservedMemory[] = [];
  for (const node of reader.subnodes(list)) {
    const name = reader.name(node);
    if (compatibleOf(reader, node) !== MEMBLOCK.areaCompatible) {
      return `its area "${name}" is not ${MEMBLOCK.areaCompatible}`;
    }
    const start = reader.property(node, MEMBLOCK.start);
    const size = reader.property(node, MEMBLOCK.size);
    if (start?.length !== 8 || size?.length !== 8) return `its area "${name}" has no place`;
    areas.push({ name, start: u64(start, 0), size: u64(size, 0) });
  }
  return areas;
};
