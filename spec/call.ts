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
  'vmalloc',
  'vfree',
  'preserveVmalloc',
  'unpreserveVmalloc',
  'restoreVmalloc',
  'allocPreserve',
  'unpreserveFree',
  'restoreFree',
  'reserveMemFindByName',
  'releaseReserveMem',
  'kexecLoad',
  'kexecUnload',
  'kexecCrashLoad',
  'crash',
  'khoIsEnabled',
  'isKhoBoot',
  'pin',
  'unpin',
  'migrate',
  'finalize',
  'abort',
  'returnMem',
  'luoStart',
  'luoCreateSession',
  'luoCloseSession',
  'luoPreserveFile',
  'luoRetrieveSession',
  'luoRetrieveFile',
  'luoFinishSession',
  'luoCloseFile',
] as const;

export type ActionName = (typeof ACTIONS)[number];

/** Migrate types as `Call.value` of `allocPages`. */
export const UNMOVABLE_REQUEST = 0;
export const MOVABLE_REQUEST = 1;

/** Migrate type of pageblocks that serve movable requests only, as an observer sees it. */
export const MIGRATE_CMA = 4;

/** `Call.node` of an allocation that any node may serve. */
export const ANY_NODE = -1;

/** What may happen to the outgoing tree at the jump: `Call.value` of `kexec`. */
export const TREE_DAMAGE = [
  'none',
  'bad magic',
  'foreign compatible string',
  'no memory map',
  'empty memory map',
  'blob address missing',
  'blob address of 4 bytes',
  'blob address of 16 bytes',
  'blob size missing',
  'blob size of 4 bytes',
  'blob address zero',
  'blob outside memory',
  'metadata too short',
  'metadata of an unknown version',
] as const;

/** The kinds of damage from here on concern one blob; the tree is sound. */
export const FIRST_BLOB_DAMAGE = 5;
/** From here on, the blob is there and has an address that cannot be one. */
export const FIRST_PLACE_DAMAGE = 10;
/** From here on, what the kernel tells of itself cannot be used. */
export const FIRST_METADATA_DAMAGE = 12;

/** Kernels to boot: `Call.value` of `coldBoot`, `kexecFileLoad` and `kexecLoad`. */
export const NEXT_KERNELS = ['kho=on', 'kho=off', 'without KHO built in'] as const;

/** `Answer.value` of a boot: without a handover, with one, and of a kernel whose KHO is off. */
export const COLD = 0;
export const REVIVED = 1;
export const NO_KHO = 2;

/** Whether a call ends the running kernel, if it is not refused. */
export const boots = ({ action }: { readonly action: ActionName }): boolean =>
  action === 'kexec' || action === 'coldBoot' || action === 'crash';

export interface Call {
  readonly action: ActionName;
  /** First frame concerned. */
  readonly pfn: number;
  /** Number of frames of a range. */
  readonly count: number;
  /**
   * log2 of the number of frames of a block. Of a load: 1 + the age of the kernel that is loaded,
   * in generations; 0 for one like the kernel that runs.
   */
  readonly order: number;
  /** NUMA node, or `ANY_NODE`. */
  readonly node: number;
  /**
   * Index of a subtree name in the machine's table; of a region's name; of a session's name; of the
   * command line that an image is loaded with.
   */
  readonly name: number;
  /** Migrate type, content stamp, blob size in bytes, kind of damage or token, by action. */
  readonly value: number;
  /** The n-th page that this call asks the page allocator for is refused; 0: none is. */
  readonly fails: number;
}

/** Ranges of frames, as an answer lists them. */
export interface Ranges {
  readonly length: number;
  first(index: number): number;
  count(index: number): number;
}

export interface Answer {
  /** 0 or a positive result; `-ERRNO` for a refusal. Boots answer `COLD`, `REVIVED` or `NO_KHO`. */
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
  /** Scratch areas of the kernel that booted: low memory, global, one per node with memory. */
  readonly areas: Ranges;
  /** HugeTLB pages that were taken before the page allocator was up; they are early, too. */
  readonly huge: Ranges;
  /** Frame of the scratch array after a boot; 0 when there is none. */
  readonly array: number;
  /** Frame of the outgoing handover tree after a boot. */
  readonly fdt: number;
  /** Frame of the `kexec-metadata` blob after a boot. */
  readonly metadata: number;
  /** reserve_mem regions after a boot, by the index of their name: first byte and bytes, or 0. */
  readonly regions: Ranges;
  /** Frame of the `memblock` blob, which lists the regions; 0 when there is none. */
  readonly memblock: number;
  /** Size of that blob in bytes. */
  readonly memblockBytes: number;
  /** Memory that a boot reserved for a crash kernel: first frame and frames; 0 frames for none. */
  readonly crashFirst: number;
  readonly crashCount: number;
  /**
   * Blocks of a vmalloc area in mapping order; when it is preserved, as its chunks name them. Pages
   * of a file in its order.
   */
  readonly pages: Ranges;
  /**
   * Chunks of a preserved area in order: the frame of each, and how many blocks it names. Blocks
   * that the live update orchestrator took for what it writes down.
   */
  readonly chunks: Ranges;
  /** Descriptor of an area that was preserved or restored: pages, order of the blocks, flags. */
  readonly total: number;
  readonly order: number;
  readonly flags: number;
}

/** Whether any frame of `[first, first + count)` lies in one of `ranges`. */
export const rangesTouch = (ranges: Ranges, first: number, count: number): boolean => {
  for (let i = 0; i < ranges.length; i++) {
    const start = ranges.first(i);
    if (start < first + count && first < start + ranges.count(i)) return true;
  }
  return false;
};
