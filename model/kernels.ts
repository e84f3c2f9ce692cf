/**
 * Kernel profiles: which kernel runs.
 *
 * A profile is a release series with the generation of its KHO. What a generation looks like in
 * memory is data of the implementation and the observer; which rules apply to it is said by the
 * rules. Adding a kernel is adding a row.
 */
import { ROOT_STRING } from '#spec/generations';
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

const profile = (generation: Generation, release: string): KernelProfile => ({
  name: generation,
  generation,
  release,
  compatible: ROOT_STRING[generation],
});

/** Every kernel that is modelled, oldest first. */
export const KERNELS: readonly KernelProfile[] = [
  profile('6.16', '6.16.12'),
  profile('6.17', '6.17.13'),
  profile('6.18', '6.18.15'),
  profile('6.19', '6.19.14'),
  profile('7.0', '7.0.13'),
  profile('7.1', '7.1.13'),
  profile('7.2', '7.2.13'),
  profile('7.3', '7.3.4'),
];

/**
 * The patch series before the merge, oldest first. Nobody released them: a run names them one by
 * one, and `any` kernel is none of them.
 */
export const EARLY_SERIES: readonly KernelProfile[] = [
  profile('v3', 'v3'),
  profile('v4', 'v4'),
  profile('v5', 'v5'),
];

export const NEWEST_KERNEL: KernelProfile = KERNELS.at(-1)!;

/** The profile with this name, or undefined. */
export const kernelByName = (name: string): KernelProfile | undefined =>
  [...KERNELS, ...EARLY_SERIES].find((kernel) => kernel.name === name);
