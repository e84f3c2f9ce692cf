/**
 * Names in the root of a handover tree.
 *
 * Values are native endian (little endian on x86-64 and arm64), unlike everything the device tree
 * itself is made of.
 *
 * Source: include/linux/kho/abi/kexec_handover.h (KHO_FDT_COMPATIBLE,
 * KHO_FDT_MEMORY_MAP_PROP_NAME, KHO_SUB_TREE_PROP_NAME, KHO_SUB_TREE_SIZE_PROP_NAME).
 */

/** Property of the root that carries the generation's string, NUL-terminated. */
export const COMPATIBLE_PROPERTY = 'compatible';

/** Property of the root: u64, physical address of the tracker's root. */
export const MEMORY_MAP_PROPERTY = 'preserved-memory-map';

/** Names of a subtree's properties. */
export interface SubtreeNames {
  /** u64: physical address of the blob. */
  readonly address: string;
  /** u64: bytes of the blob; undefined where the blob is a device tree that says so itself. */
  readonly bytes: string | undefined;
}

/** A subtree node of 7.1 and later. */
export const SUBTREE_BLOB: SubtreeNames = { address: 'preserved-data', bytes: 'blob-size' };

/**
 * A node of v1 to v4: what it preserves stands in its property `mem`, an array of ranges; the first
 * one is what a user of the model hands over.
 */
export const MEM_NODE: SubtreeNames = { address: 'mem', bytes: 'mem' };

/**
 * A node of the state tree of v5: users put in what they like. Those of the model give the address
 * of what they preserved, as the demonstration module of that series does.
 */
export const USER_NODE: SubtreeNames = { address: 'address', bytes: undefined };

/** A subtree node up to 7.0. */
export const SUBTREE_FDT: SubtreeNames = { address: 'fdt', bytes: undefined };
