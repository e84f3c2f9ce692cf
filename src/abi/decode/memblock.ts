/** Reads the `memblock` blob: a device tree with one node per reserve_mem area. */
import { checkFull, FdtReader } from 'fdt-ts';
import { COMPATIBLE_PROPERTY } from '../description/root-tree.ts';
import { MEMBLOCK } from '../description/sub-blobs.ts';
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

const compatibleOf = (reader: FdtReader, node: number): string | undefined => {
  const value = reader.property(node, COMPATIBLE_PROPERTY);
  return value === undefined ? undefined : text(value);
};

const readAreas = (reader: FdtReader): readonly ReservedMemory[] | string => {
  if (compatibleOf(reader, 0) !== MEMBLOCK.compatible) return `is not ${MEMBLOCK.compatible}`;
  const areas: ReservedMemory[] = [];
  for (const node of reader.subnodes(0)) {
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
