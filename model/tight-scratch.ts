/**
 * Machines on which scratch only just fits, or misses it by one unit of alignment.
 *
 * It is the area of one inner node that takes all there is: what a kernel takes for itself while it
 * boots lies on the first node and on the last, so that whether the area fits follows from where
 * the node begins and ends, and the boot has memory either way.
 */
import type { MachineShape } from './machines.ts';

const KIB = 1024;
/** Blocks that the inner node has, about. */
const BLOCKS = 3;
const INNER = 1;

/** Frames of the largest aligned area that a node has room for. */
export const roomOf = (nodes: readonly number[], node: number, align: number): number => {
  const first = nodes.slice(0, node).reduce((sum, count) => sum + count, 0);
  const low = Math.ceil(first / align) * align;
  const high = Math.floor((first + nodes[node]!) / align) * align;
  return Math.max(0, high - low);
};

/**
 * The machine with a small second node, and command lines that ask for all of it, for one unit
 * more, and for one less; unchanged where it has fewer than three nodes.
 *
 * @param block frames of the largest block of the page allocator, to which areas are aligned
 * @param first which of the lines comes first
 */
export const tightShape = (shape: MachineShape, block: number, first: number): MachineShape => {
  const { nodes, pageShift } = shape;
  if (nodes.length < 3) return shape;
  const crooked = nodes[INNER]! % block;
  const counts = nodes.map((count, node) => (node === INNER ? BLOCKS * block + crooked : count));
  const room = roomOf(counts, INNER, block);
  const kib = (frames: number): string => `${(frames * 2 ** pageShift) / KIB}K`;
  const lines = [room, room + block, room - block].map(
    (frames) => `${kib(block)},${kib(block)},${kib(frames)}`,
  );
  const scratchLines = [...lines.slice(first % 3), ...lines.slice(0, first % 3)];
  return { ...shape, nodes: counts, scratchLines };
};
