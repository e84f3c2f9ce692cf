/**
 * What a thing under test offers: the model's own implementation, a recorded kernel or a live one.
 *
 * A system speaks only calls. What the checker sees besides answers goes through `Observables`:
 * memory as bytes, and what the kernel's page allocator shows of each frame. Nothing here decodes.
 */
import type { Call } from '#spec/call';
import type { Machine } from '#spec/machine';
import type { CallAnswer } from './call.ts';

/** Pages of a machine's memory, as bytes. */
export interface Memory {
  /** log2 of the page size in bytes. */
  readonly pageShift: number;
  /** The bytes of frame `pfn` (not to be written), or undefined where they are not known. */
  page(pfn: number): Uint8Array | undefined;
}

/** A file of the kernel's debugfs directory for KHO, as user space would read it. */
export interface DebugfsFile {
  /** Size in bytes. */
  readonly length: number;
  /** Stamp that the first page it shows holds; 0 when it holds none. */
  readonly stamp: number;
  /** Its bytes (not to be written); undefined where it shows data pages, as a stamp is no bytes. */
  read(): Uint8Array | undefined;
}

export interface Observables {
  readonly memory: Memory;
  /** Who owns a frame, in the values of the law's `use`; an allocator cannot tell KHO's pages. */
  use(pfn: number): number;
  /** Stamp that a data page holds; 0 when it holds none. */
  content(pfn: number): number;
  /**
   * Migrate type of the pageblock that a frame lies in, in the kernel's numbers (4 is CMA); -1
   * where the running kernel manages no memory.
   */
  migrateType(pfn: number): number;
  /** Frames that the page allocator has free. */
  freeFrames(): number;
  /** Address of the outgoing handover tree in bytes; 0 while there is none. */
  fdt(): number;
  /** Which generation of KHO the running kernel is of, such as `6.18`; the newest when absent. */
  generation?(): string;
  /**
   * What the previous kernel's own users handed over and the running one did not look at: names of
   * blobs, or of parts as `LUO/luo-flb`; nothing when absent.
   */
  passedOver?(): readonly string[];
  /** Address of the scratch array of the running kernel in bytes. */
  scratchArray(): number;
  /** Length of the scratch array in bytes. */
  scratchBytes(): number;
  /** Files of debugfs below `kho/`, such as `out/sub_fdts/LUO`; none without KHO. */
  debugfs(): ReadonlyMap<string, DebugfsFile>;
}

export interface System {
  readonly machine: Machine;
  /** Carries a call out. The answer is valid until the next call. */
  call(call: Call): CallAnswer;
  readonly sees: Observables;
}

export type { Machine } from '#spec/machine';
