/**
 * Regions that `reserve_mem=` names: found again from the previous kernel, or placed anew.
 *
 * A region is a run of bytes; KHO and the page allocator know pages. A region is revived when the
 * `memblock` blob of the previous kernel lists its name with the size asked for at an address that
 * suits the alignment; its memory is held then and needs no reservation. Any other is placed as
 * high as possible, or, below a page of alignment, right below what early boot left of a page.
 */
import { FdtError, FdtReader, FdtWriter, checkFull } from 'fdt-ts';
import { COMPATIBLE_PROPERTY } from '#src/abi/description/root-tree';
import { MEMBLOCK } from '#src/abi/description/sub-blobs';
import type { Decisions } from './decisions.ts';
import type { Memblock } from './memblock.ts';
import { readU64, writeU64 } from './physical-memory.ts';
import { RESERVE_MEM_MAX } from './reserve-mem-option.ts';
import type { ReserveMemRequest } from './reserve-mem-option.ts';
import type { Topology } from './topology.ts';

/** A region of the running kernel; bytes. */
export interface Region {
  readonly name: string;
  readonly start: number;
  readonly bytes: number;
}

/** First frame that a region touches. */
export const regionFirst = ({ start }: Region, pageBytes: number): number =>
  Math.floor(start / pageBytes);

/** One past the last frame that a region touches. */
export const regionEnd = ({ start, bytes }: Region, pageBytes: number): number =>
  Math.ceil((start + bytes) / pageBytes);

/** What placing regions needs to know. */
export interface RegionPlaces {
  readonly topology: Topology;
  readonly decisions: Decisions;
  /** Memory that new regions may have. */
  readonly memblock: Memblock;
  /** What the previous kernel listed; empty on a cold boot. */
  readonly incoming: readonly Region[];
  /** Whether a handover was taken over; not, when absent. */
  readonly revives?: boolean;
}

/** The regions of a kernel that was told `requests`, and whether each was revived. */
export interface ReservedRegions {
  readonly regions: readonly Region[];
  readonly revived: readonly Region[];
}

export const reserveRegions = (
  requests: readonly ReserveMemRequest[],
  places: RegionPlaces,
): ReservedRegions => {
  const regions: Region[] = [];
  const revived: Region[] = [];
  for (const request of requests) {
    if (regions.length >= RESERVE_MEM_MAX) break;
    if (regions.some(({ name }) => name === request.name)) continue;
    const old = findRevivable(request, places);
    if (old !== undefined) revived.push(old);
    const placesNew = places.revives !== true || places.decisions.placesNewRegions;
    const region = old ?? (placesNew ? placeRegion(request, places, regions.at(-1)) : undefined);
    if (region !== undefined) regions.push(region);
  }
  return { regions, revived };
};

const findRevivable = (
  { name, bytes, align }: ReserveMemRequest,
  { incoming, decisions }: RegionPlaces,
): Region | undefined => {
  const old = incoming.find((region) => region.name === name);
  if (old === undefined) return undefined;
  if (decisions.comparesRegionSize && old.bytes !== bytes) return undefined;
  if (decisions.comparesRegionAlignment && old.start % align !== 0) return undefined;
  return { name, start: old.start, bytes };
};

const placeRegion = (
  { name, bytes, align }: ReserveMemRequest,
  { topology: { pageBytes }, decisions, memblock }: RegionPlaces,
  previous: Region | undefined,
): Region | undefined => {
  if (align >= pageBytes) {
    const first = memblock.allocate(Math.ceil(bytes / pageBytes), align / pageBytes);
    return first < 0 ? undefined : { name, start: first * pageBytes, bytes };
  }
  if (!decisions.regionsShareNoPage && previous !== undefined) {
    const start = roundDown(previous.start - bytes, align);
    if (start >= 0 && roundDown(start, pageBytes) === roundDown(previous.start, pageBytes)) {
      return { name, start, bytes };
    }
  }
  const crumb = pageBytes / 2;
  const count = Math.ceil((bytes + crumb) / pageBytes);
  const first = memblock.allocate(count, 1);
  if (first < 0) return undefined;
  const start = roundDown((first + count) * pageBytes - crumb - bytes, align);
  return { name, start, bytes };
};

const roundDown = (bytes: number, align: number): number => Math.floor(bytes / align) * align;

/**
 * Lists regions in a zeroed page, as a device tree that libfdt's sequential writer writes.
 *
 * @returns the size of the tree in bytes
 */
export const writeRegions = (page: Uint8Array, regions: readonly Region[]): number => {
  const writer = FdtWriter.create(page);
  writer.finishReservemap();
  writer.beginNode('');
  writer.propertyString(COMPATIBLE_PROPERTY, MEMBLOCK.compatible);
  for (const { name, start, bytes } of regions) {
    writer.beginNode(name);
    writer.propertyString(COMPATIBLE_PROPERTY, MEMBLOCK.areaCompatible);
    writer.property(MEMBLOCK.start, u64(start));
    writer.property(MEMBLOCK.size, u64(bytes));
    writer.endNode();
  }
  writer.endNode();
  return writer.finish();
};

const u64 = (value: number): Uint8Array => {
  const bytes = new Uint8Array(8);
  writeU64(bytes, 0, value);
  return bytes;
};

/** What a blob of the previous kernel lists; nothing where it is not such a list. */
export const readRegions = (blob: Uint8Array): readonly Region[] => {
  if (checkFull(blob) !== undefined) return [];
  try {
    return readNodes(new FdtReader(blob));
  } catch (error) {
    if (error instanceof FdtError) return [];
    throw error;
  }
};

const readNodes = (tree: FdtReader): readonly Region[] => {
  const regions: Region[] = [];
  if (tree.nodeCheckCompatible(0, MEMBLOCK.compatible) !== 'match') return regions;
  for (const node of tree.subnodes(0)) {
    if (tree.nodeCheckCompatible(node, MEMBLOCK.areaCompatible) !== 'match') continue;
    const start = tree.property(node, MEMBLOCK.start);
    const size = tree.property(node, MEMBLOCK.size);
    if (start?.length !== 8 || size?.length !== 8) continue;
    regions.push({ name: tree.name(node), start: readU64(start, 0), bytes: readU64(size, 0) });
  }
  return regions;
};
