/**
 * The generations of the wire format, oldest first: what a root string stands for.
 *
 * Everything that tells generations apart is in these rows. A generation that lacks a `tracker` is
 * known by name only: its tracker is not described here yet. One string can stand for several rows
 * (6.17 and 6.18 wrote different bitmaps under one name), so look up all rows of a string.
 */
import { SUBTREE_BLOB, SUBTREE_FDT, type SubtreeNames } from './root-tree.ts';
import {
  MAX_ORDER_ALIGNMENT,
  PAGEBLOCK_ALIGNMENT,
  type ScratchAlignment,
} from './scratch-array.ts';

/** The ways to write down which memory is preserved. */
export type TrackerFormat = 'radix';

/** One generation of the wire format. */
export interface WireGeneration {
  /** The root's compatible string. */
  readonly compatible: string;
  /** Kernel series that write it; empty when only trees between releases did. */
  readonly releases: readonly string[];
  readonly subtree: SubtreeNames;
  /** How preserved memory is written down; undefined when this is not described here. */
  readonly tracker: TrackerFormat | undefined;
  readonly scratchAlignment: ScratchAlignment;
}

/** Every generation known, oldest first. */
export const WIRE_GENERATIONS: readonly WireGeneration[] = [
  {
    compatible: 'kho-v1',
    releases: ['6.16', '6.17', '6.18', '6.19', '7.0'],
    subtree: SUBTREE_FDT,
    tracker: undefined,
    scratchAlignment: PAGEBLOCK_ALIGNMENT,
  },
  {
    compatible: 'kho-v2',
    releases: [],
    subtree: { address: SUBTREE_BLOB.address, bytes: undefined },
    tracker: undefined,
    scratchAlignment: PAGEBLOCK_ALIGNMENT,
  },
  {
    compatible: 'kho-v3',
    releases: ['7.1'],
    subtree: SUBTREE_BLOB,
    tracker: 'radix',
    scratchAlignment: PAGEBLOCK_ALIGNMENT,
  },
  {
    compatible: 'kho-v4',
    releases: ['7.2', '7.3'],
    subtree: SUBTREE_BLOB,
    tracker: 'radix',
    scratchAlignment: MAX_ORDER_ALIGNMENT,
  },
];

/** The newest generation, which is also what an unknown string is read as. */
export const NEWEST_GENERATION: WireGeneration = WIRE_GENERATIONS.at(-1) as WireGeneration;

/** The generations that write `compatible` into their root, oldest first; often none or one. */
export const generationsOf = (compatible: string): readonly WireGeneration[] =>
  WIRE_GENERATIONS.filter((generation) => generation.compatible === compatible);
