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
  /** Another number whenever a pageblock may have changed its type; when absent, nobody knows. */
  typesChanged?(): number;
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
  /**
   * Tells of frames whose owner or content may have changed since it was asked last. More may be
   * told than changed. False: it lost count, and any frame may have; so it is when absent.
   */
  touched?(visit: (first: number, count: number) => void): boolean;
  /** Files of debugfs below `kho/`, such as `out/sub_fdts/LUO`; none without KHO. */
  debugfs(): ReadonlyMap<string, DebugfsFile>;
}

/**
 * What one kernel tells the next at a jump: addresses and a length in bytes, 0 where nothing is
 * handed over; and who they are.
 */
export interface Told {
  readonly fdt: number;
  readonly scratchArray: number;
  readonly scratchBytes: number;
  /** Generation of the kernel that hands over, such as `6.17`, and of the one that starts. */
  readonly writer: string;
  readonly reader: string;
}

/**
 * Something that can say what it is.
 *
 * `state` is all that its future depends on: plain values, lists, maps, bytes, and things that are
 * stateful themselves. What never changes may be left out, and so may what only makes it fast. Two
 * that say the same of themselves go on alike, whatever they are asked.
 *
 * @param named what a content stamp is called: stamps mean nothing but which of them are the same
 */
export interface Stateful {
  state(named: (stamp: number) => number): unknown;
  /** Remembers what it is; the answer makes it that again, as often as one likes. */
  save(): () => void;
}

export interface System {
  readonly machine: Machine;
  /**
   * Called at every jump, when the one kernel is gone and the other not yet there: memory is what
   * the next one finds. Nobody is told when absent.
   */
  atJump?: ((told: Told) => void) | undefined;
  /** Carries a call out. The answer is valid until the next call. */
  call(call: Call): CallAnswer;
  readonly sees: Observables;
  /** What it is; see `Stateful`. Systems that are but recorded cannot say. */
  state?: Stateful['state'];
  save?: Stateful['save'];
}

export type { Machine } from '#spec/machine';
