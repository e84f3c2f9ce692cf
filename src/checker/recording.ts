/**
 * A recorded trace of a real kernel, as data: what was asked of it, and what it answered.
 *
 * Invariants, for whoever makes one: every frame that is named lies in the machine's memory; blocks
 * start at multiples of their size; there are as many scratch areas as the machine has, or fewer.
 */
import type { Call } from '#spec/call';
import type { Machine, NodeRange } from '#spec/machine';

/** A block in the tracker. */
export interface RecordedKey {
  /** First frame. */
  readonly pfn: number;
  readonly order: number;
}

/** One call and what the kernel answered. */
export interface RecordedCall {
  readonly call: Call;
  /** The call as the recording spells it. */
  readonly text: string;
  /** 0 or `-ERRNO`. */
  readonly value: number;
  /** By how many frames the memory under the page allocator's management grew; else 0. */
  readonly managed: number;
  /** First frame of what a restore that succeeded came back with; else that of the call. */
  readonly address: number;
}

/** One recorded trace: calls, a kexec, restores. */
export interface Recording {
  readonly file: string;
  /** Release of the kernel that was recorded. */
  readonly kernel: string;
  readonly machine: Machine;
  readonly areas: readonly NodeRange[];
  /** In the tracker before the first call: preserved by others, who may restore it themselves. */
  readonly baseKeys: readonly RecordedKey[];
  readonly calls: readonly RecordedCall[];
  /** In the tracker after the last call. */
  readonly keysAfter: readonly RecordedKey[];
  /** Calls to the next kernel. */
  readonly restores: readonly RecordedCall[];
  /** Frames that carry the mark of a handover after the last restore. */
  readonly marked: readonly number[];
}
