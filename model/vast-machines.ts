/**
 * Machines of terabytes, where blocks of the largest orders and pages far apart have room.
 *
 * What a trace costs follows what it uses, so such a machine costs hardly more than a small one.
 */
import type { MachineShape } from './machines.ts';

/** log2 of the bytes of the largest machine, and of its first node where there are several. */
const BYTES_LOG2 = 44;
const FIRST_NODE_LOG2 = 35;

/**
 * A machine of 16 TiB.
 *
 * With three nodes or more the last one begins in the middle, and its scratch is low memory alone:
 * then a block of half of all memory is free. Otherwise most borders are aligned to nothing.
 *
 * @param nodes how many nodes, at least 1
 * @param crooked frames by which borders are off
 * @param block frames of the largest block of the page allocator
 */
export const vastShape = (
  pageShift: number,
  nodes: number,
  crooked: number,
  block: number,
): MachineShape => {
  const end = 2 ** (BYTES_LOG2 - pageShift);
  const first = 2 ** (FIRST_NODE_LOG2 - pageShift) + crooked;
  const borders = [first, end / 2, end / 2 + end / 4 + crooked].slice(0, nodes - 1);
  const counts = [...borders, end].map((border, i) => border - (borders[i - 1] ?? 0));
  const others = nodes === 3 ? 0 : block;
  return {
    pageShift,
    nodes: counts,
    scratch: { lowmem: block, global: others, perNode: others },
  };
};
