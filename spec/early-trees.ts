/**
 * How long the tree of a series before the merge is.
 *
 * One device tree holds what all users hand over. Its room is what user space allows for it: here
 * one page (decision note 080). The sequential writer of libfdt puts a header of 48 bytes, an empty
 * reservation map, the nodes, and every string once.
 */
import { REGION, hasRanges } from './state.ts';
import type { State } from './state.ts';

const pad4 = (bytes: number): number => Math.ceil(bytes / 4) * 4;

/** Bytes of a string with its end. */
const text = (string: string): number => string.length + 1;

/** Bytes of a property with a value of so many bytes. */
const property = (value: number): number => 12 + pad4(value);

/** Bytes of a node with a name of so many characters, without what is in it. */
const node = (name: number): number => 4 + pad4(name + 1) + 4;

/** Header, reservation map, root with its string, end. */
const FRAME_BYTES = 48 + 16 + node(0) + property(text('kho-v1')) + 4 + text('compatible');

const PRESERVED_MEMORY = node('preserved-memory'.length) + property(8) + text('metadata');

const USER_BYTES = property(8);
const USER_STRINGS = text('address');

const LIST_BYTES = node('memblock'.length) + property(text('memblock-v1'));
const REGION_BYTES = property(text('reserve-mem-v1')) + 2 * property(8);
const REGION_STRINGS = text('start') + text('size');

const regionBytes = (s: State): number => {
  const names = s.machine.reserveMem?.names ?? [];
  let bytes = 0;
  for (let slot = 0; slot < names.length; slot++) {
    if (s.regionBytes.get(slot) > 0) bytes += node(names[slot]!.length) + REGION_BYTES;
  }
  return bytes === 0 ? 0 : bytes + LIST_BYTES + REGION_STRINGS;
};

const userBytes = (s: State): number => {
  let bytes = 0;
  for (let name = 0; name < s.machine.nameBytes.length; name++) {
    if (s.outFrame.get(name) !== 0) bytes += node(s.machine.nameBytes[name]!) + USER_BYTES;
  }
  return bytes === 0 ? 0 : bytes + USER_STRINGS;
};

/** Bytes of the tree as it would be written now. */
const stateTreeBytes = (s: State): number =>
  FRAME_BYTES + PRESERVED_MEMORY + userBytes(s) + regionBytes(s);

/** An entry of a `mem` property: address and length. */
const RANGE_BYTES = 16;
const MEM_STRING = text('mem');
const RANGE_LIST_BYTES = node('reserve_mem'.length) + property(text('reserve_mem-v1'));
const RANGE_REGION_BYTES = property(text('reserve_mem_map-v1')) + property(RANGE_BYTES);

/** Blocks that are listed for being preserved; regions have nodes of their own. */
const listedBlocks = (s: State): number => {
  let blocks = 0;
  s.eachFrame((pfn) => {
    if (s.use.get(pfn) === REGION) return;
    for (let bits = s.kept.get(pfn); bits !== 0; bits = (bits & (bits - 1)) >>> 0) blocks++;
  });
  return blocks;
};

const rangeRegionBytes = (s: State): number => {
  const names = s.machine.reserveMem?.names ?? [];
  let bytes = 0;
  for (let slot = 0; slot < names.length; slot++) {
    if (s.regionBytes.get(slot) > 0) bytes += node(names[slot]!.length) + RANGE_REGION_BYTES;
  }
  return bytes === 0 ? 0 : bytes + RANGE_LIST_BYTES;
};

/** The same where ranges stand in the tree: nodes of users, the list of all else, regions. */
const rangeTreeBytes = (s: State): number => {
  let bytes = rangeRegionBytes(s);
  for (let name = 0; name < s.machine.nameBytes.length; name++) {
    if (s.outFrame.get(name) === 0) continue;
    bytes += node(s.machine.nameBytes[name]!) + property(RANGE_BYTES);
  }
  const blocks = listedBlocks(s);
  if (blocks > 0) {
    bytes += node('memory'.length) + node('kept'.length) + property(blocks * RANGE_BYTES);
  }
  return FRAME_BYTES + (bytes === 0 ? 0 : bytes + MEM_STRING);
};

/** Whether a tree with all that users hand over fits into the room for it. */
export const earlyTreeFits = (s: State): boolean =>
  (hasRanges(s) ? rangeTreeBytes(s) : stateTreeBytes(s)) <= 2 ** s.machine.pageShift;
