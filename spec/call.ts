/**
 * What is asked of a system, and what it answers.
 *
 * A call names frames by number; it is what is executed, recorded and shown. All fields of a call
 * are numbers, so that a recorded call, a generated one and one enumerated by exploration are the
 * same thing. A field that an action does not use is 0.
 */

/** The actions of the world, by the kernel's own names where it has one. */
export const ACTIONS = [
  'coldBoot',
  'allocPages',
  'allocContig',
  'freePages',
  'freeContig',
  'write',
  'preserveFolio',
  'unpreserveFolio',
  'preservePages',
  'unpreservePages',
  'restoreFolio',
  'restorePages',
  'addSubtree',
  'removeSubtree',
  'retrieveSubtree',
  'kexecFileLoad',
  'kexec',
] as const;

export type ActionName = (typeof ACTIONS)[number];

/** Migrate types as `Call.value` of `allocPages`. */
export const UNMOVABLE_REQUEST = 0;
export const MOVABLE_REQUEST = 1;

/** `Call.node` of an allocation that any node may serve. */
export const ANY_NODE = -1;

/** What may happen to the outgoing tree at the jump: `Call.value` of `kexec`. */
export const TREE_DAMAGE = [
  'none',
  'bad magic',
  'foreign compatible string',
  'no memory map',
  'empty memory map',
] as const;

export interface Call {
  readonly action: ActionName;
  /** First frame concerned. */
  readonly pfn: number;
  /** Number of frames of a range. */
  readonly count: number;
  /** log2 of the number of frames of a block. */
  readonly order: number;
  /** NUMA node, or `ANY_NODE`. */
  readonly node: number;
  /** Index of a subtree name in the machine's table. */
  readonly name: number;
  /** Migrate type, content stamp, blob size in bytes or kind of damage, by action. */
  readonly value: number;
}

/** Ranges of frames, as an answer lists them. */
export interface Ranges {
  readonly length: number;
  first(index: number): number;
  count(index: number): number;
}

export interface Answer {
  /** 0 or a positive result; `-ERRNO` for a refusal. Boots answer 1 when a handover was revived. */
  readonly value: number;
  /** Size of a retrieved blob in bytes. */
  readonly bytes: number;
  /** By how many frames the memory under the page allocator's management grew. */
  readonly managed: number;
  /** Frames that KHO took from the page allocator for itself. */
  readonly taken: Ranges;
  /** Frames that KHO gave back to the page allocator. */
  readonly given: Ranges;
  /** Where the segments of a loaded image will be copied to. */
  readonly placed: Ranges;
  /** Frames reserved before the page allocator was up. */
  readonly early: Ranges;
  /** Scratch areas of the kernel that booted: low memory, global, then one per node. */
  readonly areas: Ranges;
  /** Frame of the outgoing handover tree after a boot. */
  readonly fdt: number;
  /** Frame of the `kexec-metadata` blob after a boot. */
  readonly metadata: number;
}

/** Whether any frame of `[first, first + count)` lies in one of `ranges`. */
export const rangesTouch = (ranges: Ranges, first: number, count: number): boolean => {
  for (let i = 0; i < ranges.length; i++) {
    const start = ranges.first(i);
    if (start < first + count && first < start + ranges.count(i)) return true;
  }
  return false;
};
