/**
 * Machines so small that every state of them can be visited, and what a scope bounds beside them.
 *
 * A small machine has a handful of frames, scratch areas that begin at frame 0, and pages of any
 * power of two. Kernels of it place what they reserve by one plan: where is no business of the law,
 * as long as its rules allow the place.
 */
import { METADATA_BYTES, SHORT_METADATA_BYTES } from '#spec/handover-tree';
import type { Machine, NodeRange } from '#spec/machine';
import { reserveMemOf } from '../reserve-mem.ts';

/** What is chosen of a small machine; sizes in frames. */
export interface SmallShape {
  /** Frames of each node, ascending from frame 0. */
  readonly nodes: readonly number[];
  /** Order of the largest block. */
  readonly maxOrder: number;
  readonly scratch: { readonly lowmem: number; readonly global: number; readonly perNode: number };
  /** log2 of the bytes of a page; 12 when absent. */
  readonly pageShift?: number;
  /** Length in bytes of the names that blobs may have beside the kernel's own two. */
  readonly names?: readonly number[];
  /** Values of `reserve_mem=` of each command line. */
  readonly lines?: readonly string[];
  /** Frames that are reserved for a crash kernel. */
  readonly crash?: number;
  /** Content stamps are below this; the largest one is that of a page of zeros. */
  readonly stamps: number;
}

/** Bytes of the names `kexec-metadata` and `memblock`. */
const OWN_NAMES = [14, 8];

/** The machine of a small shape. */
export const smallMachine = (shape: SmallShape): Machine => {
  const nodes: NodeRange[] = [];
  let first = 0;
  for (const count of shape.nodes) {
    nodes.push({ first, count });
    first += count;
  }
  return {
    pageShift: shape.pageShift ?? 12,
    nodes,
    end: first,
    maxOrder: shape.maxOrder,
    scratch: shape.scratch,
    scratchAlign: 1,
    lowmemEnd: first,
    nameBytes: [...OWN_NAMES, ...(shape.names ?? [])],
    zeroStamp: shape.stamps - 1,
    ...(shape.lines === undefined ? {} : { reserveMem: reserveMemOf(shape.lines) }),
    ...(shape.crash === undefined ? {} : { crashFrames: shape.crash }),
  };
};

/** A range of frames: first and count. */
export type Span = readonly [first: number, count: number];

/** Where a small machine has its scratch areas: side by side from the start of each node. */
export const plannedAreas = ({ nodes, scratch }: Machine): readonly Span[] => {
  const { lowmem, global, perNode } = scratch;
  const common = lowmem + global;
  const place = (first: number, count: number): Span => [count === 0 ? 0 : first, count];
  return [
    place(0, lowmem),
    place(lowmem, global),
    ...nodes.map(({ first }, node) => place(node === 0 ? common : first, perNode)),
  ];
};

/** What bounds a scope beside its machine. */
export interface SmallWorld {
  readonly machine: Machine;
  /** Places of scratch areas that a cold boot is tried with; the first is that of the beginning. */
  readonly plans: readonly (readonly Span[])[];
  /** Memory that a kernel that boots cold reserves for its crash kernel. */
  readonly crash: Span;
  /** Ranges that a reviving kernel is tried to reserve early; one of them at a time, or none. */
  readonly early: readonly Span[];
  /** Most pages that one preservation takes for KHO itself. */
  readonly ownPages: number;
  /**
   * Which pages a booting kernel takes for its tree and blobs: the lowest that it may have, or any.
   * To the law it is all the same; what is lowest looks at many frames, what is any has many ways.
   */
  readonly bootPages: 'lowest' | 'any';
  /** Whether kernels name a blob of metadata, as they do from 7.1 on. */
  readonly metadata: boolean;
  /** Frames at which a booting kernel may place a region of `reserve_mem=`. */
  readonly regionPlaces: readonly number[];
  /** Sizes in bytes of the blobs that callers name. */
  readonly blobBytes: readonly number[];
}

/** Size of the blob that lists regions, in bytes: any will do. */
export const MEMBLOCK_BYTES = 1;

/** Sizes that blobs of a world may have, in bytes. */
export const blobSizes = ({ blobBytes }: SmallWorld): readonly number[] => [
  ...new Set([METADATA_BYTES, SHORT_METADATA_BYTES, MEMBLOCK_BYTES, ...blobBytes]),
];
