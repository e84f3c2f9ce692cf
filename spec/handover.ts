/**
 * Chapter: a handover, looked at on its own.
 *
 * What one kernel leaves for the next is bytes. These rules judge those bytes after somebody has
 * decoded them, without knowing how they came to be. They hold for a model kernel and for a real
 * one alike: lockstep asks them at every kexec, `inspect` asks them of captures.
 *
 * All addresses and sizes are in bytes and are safe integers.
 */
import type { Report, RuleText, Severity } from './algebra/rule.ts';

/** One contiguous area of memory. */
export interface Area {
  readonly phys: number;
  readonly bytes: number;
}

/** One preserved block: `2^order` pages starting at `phys`. */
export interface PreservedBlock {
  readonly phys: number;
  readonly order: number;
}

/** One page of the tracker itself; level 0 holds bits. */
export interface TrackerPage {
  readonly phys: number;
  readonly level: number;
}

/** One named blob that the handover tree points to. */
export interface Subtree {
  readonly name: string;
  readonly phys: number;
  readonly bytes: number;
}

/** Something that could not be decoded: where it is and what is wrong, each a short phrase. */
export interface Damage {
  readonly where: string;
  readonly what: string;
}

/** A decoded handover, as an observer reports it. */
export interface Handover {
  /** log2 of the page size in bytes: 12, 14 or 16. */
  readonly pageShift: number;
  /** The root's compatible string; empty when it could not be read. */
  readonly compatible: string;
  /** Address of the root FDT page. */
  readonly fdt: number;
  /** Address of the scratch array; undefined when the observer was not told and did not find it. */
  readonly scratchArray: number | undefined;
  /** Address of the tracker's root. */
  readonly tracker: number;
  readonly scratch: readonly Area[];
  readonly preserved: readonly PreservedBlock[];
  readonly trackerPages: readonly TrackerPage[];
  readonly subtrees: readonly Subtree[];
  readonly damage: readonly Damage[];
}

/** A rule about one decoded handover. `find` returns how many places it looked at. */
export interface HandoverRule extends RuleText {
  readonly kind: 'handover';
  readonly severity: Severity;
  readonly find: (handover: Handover, report: Report) => number;
}

/** The rules of this chapter, in reading order. */
export const HANDOVER_RULES: readonly HandoverRule[] = [];
