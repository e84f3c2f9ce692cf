/**
 * What an entry of the catalogue of bugs says.
 *
 * A bug is a fault that Linux had: the decisions that were made wrongly, the releases that shipped
 * them, and the rule that has to catch it, written down before the fault was run. Ids are those
 * under which bugs were collected; `N…` are bugs that the collection did not have.
 */
import type { Fault } from '../faults.ts';

/** Source of a bug that nobody had written down before. */
export const FOUND_HERE = 'found by kho-check';

/** Every release of a series. */
export const ALL = Number.POSITIVE_INFINITY;

/**
 * Which releases had a bug: of each series, the last patch level that had it. A series that is
 * missing never had it.
 */
export type Shipped = Readonly<Record<string, number>>;

/** Something that not every kernel has. */
export type Setting = 'arm64' | 'without KEXEC_HANDOVER_DEBUG';

export interface Bug extends Fault {
  /** Subject of the fix, or what is wrong in a sentence where nobody has fixed it yet. */
  readonly title: string;
  readonly shipped: Shipped;
  /** Release series whose profile it is hunted on. */
  readonly kernel: string;
  /** log2 of the page size of the machines that it is hunted on, in bytes; 12 when absent. */
  readonly pageShift?: number;
  /** Where a maintainer looks first. */
  readonly at: { readonly file: string; readonly symbol: string };
  /** What has to happen, as upstream or the collection of bugs tells it. */
  readonly trace: string;
  /** Commit that fixed it, or where it is told. */
  readonly source: string;
  /** What a kernel has to be built with or for; every kernel has it when absent. */
  readonly only?: Setting;
}

/** A bug that no entry stands for, and why. */
export interface Unmodelled {
  readonly id: string;
  readonly title: string;
  readonly reason: string;
}

/** A release: its series, and the patch level; release candidates count below 0. */
export interface Release {
  readonly series: string;
  readonly patch: number;
}

/** Release candidates of a series come before its release 0. */
const CANDIDATES = 100;

/** Reads `7.3.4`, `7.3` (release 0) or `7.3-rc7`; undefined for what is no release. */
export const releaseOf = (text: string): Release | undefined => {
  const match = /^(\d+\.\d+)(?:\.(\d{1,4})|-rc(\d{1,2}))?$/.exec(text);
  if (match === null) return undefined;
  const [, series = '', patch = '0', candidate] = match;
  return { series, patch: candidate === undefined ? +patch : +candidate - CANDIDATES };
};

/** Whether a release had a bug. */
export const had = ({ shipped }: Bug, { series, patch }: Release): boolean =>
  patch <= (shipped[series] ?? Number.NEGATIVE_INFINITY);

/** Releases that had a bug, such as `6.16`, `6.17 to 6.17.8`; empty when none was released. */
export const kernelsOf = ({ shipped }: Bug): readonly string[] =>
  Object.entries(shipped).map(([series, last]) =>
    last === ALL ? series : `${series} to ${series}.${last}`,
  );
