/**
 * The table of all generations of KHO, oldest first: patch series before the merge, then releases.
 *
 * Adding a kernel is a file in `series/` and a row here. One root string can stand for several rows
 * (6.17 and 6.18 wrote different bitmaps under one name), so look up all rows of a string.
 */
import type { Generation } from './generation.ts';
import { LINUX_6_16 } from './series/linux-6.16.ts';
import { LINUX_6_17 } from './series/linux-6.17.ts';
import { LINUX_6_18 } from './series/linux-6.18.ts';
import { LINUX_6_19 } from './series/linux-6.19.ts';
import { LINUX_7_0 } from './series/linux-7.0.ts';
import { LINUX_7_1 } from './series/linux-7.1.ts';
import { LINUX_7_2 } from './series/linux-7.2.ts';
import { LINUX_7_3 } from './series/linux-7.3.ts';
import { V3 } from './series/v3.ts';
import { V4 } from './series/v4.ts';
import { V5 } from './series/v5.ts';

/** Every generation known, oldest first. */
export const WIRE_GENERATIONS: readonly Generation[] = [
  V3,
  V4,
  V5,
  LINUX_6_16,
  LINUX_6_17,
  LINUX_6_18,
  LINUX_6_19,
  LINUX_7_0,
  LINUX_7_1,
  LINUX_7_2,
  LINUX_7_3,
];

/**
 * Trees between releases wrote `kho-v2` for a while: the radix tree of 7.1 and blobs without their
 * size. Nobody can run such a kernel here, but its handover can be read.
 */
export const BETWEEN_RELEASES: readonly Generation[] = [
  {
    ...LINUX_7_1,
    id: 'kho-v2',
    releases: [],
    compatible: 'kho-v2',
    subtree: { address: 'preserved-data', bytes: undefined },
  },
];

/** The generations that were released, oldest first. */
export const RELEASED: readonly Generation[] = WIRE_GENERATIONS.filter(
  ({ releases }) => releases.length > 0,
);

/** The newest generation, which is also what an unknown string is read as. */
export const NEWEST_GENERATION: Generation = LINUX_7_3;

/** The generations that write `compatible` into their root, oldest first; often none or one. */
export const generationsOf = (compatible: string): readonly Generation[] =>
  [...WIRE_GENERATIONS, ...BETWEEN_RELEASES].filter((row) => row.compatible === compatible);

/** The generation of that id (`v5`, `6.17`), or undefined. */
export const generationById = (id: string): Generation | undefined =>
  WIRE_GENERATIONS.find((row) => row.id === id);
