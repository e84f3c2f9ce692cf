/**
 * Kernel profiles: which kernel runs.
 *
 * A profile is a release series with the generation of its KHO. What a generation looks like in
 * memory is data of the implementation and the observer; which rules apply to it is said by the
 * rules. Adding a kernel is adding a row.
 */
import type { Generation } from '#spec/generations';

export interface KernelProfile {
  /** Release series as people type it. */
  readonly name: string;
  readonly generation: Generation;
  /** Newest release of the series that is known here. */
  readonly release: string;
  /** Root compatible string that it writes and takes. */
  readonly compatible: string;
}

export const KERNELS: readonly KernelProfile[] = [
  { name: '7.3', generation: '7.3', release: '7.3.4', compatible: 'kho-v4' },
];

export const NEWEST_KERNEL: KernelProfile = KERNELS.at(-1)!;

/** The profile with this name, or undefined. */
export const kernelByName = (name: string): KernelProfile | undefined =>
  KERNELS.find((kernel) => kernel.name === name);
