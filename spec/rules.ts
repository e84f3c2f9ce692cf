/**
 * The kinds of rule that look at the state of the law, and of the actions that move it.
 *
 * An action of the law accepts or refuses what a system did: `accepts` is "no rule of the action is
 * broken", `effect` makes the next state from the state, the call and the answer. The law never
 * says which free frame an allocator returns, only what any answer must satisfy.
 */
import type { Report, RuleText, Source } from './algebra/rule.ts';
import type { ActionName, Answer, Call, Ranges } from './call.ts';
import type { ShownFiles } from './debugfs.ts';
import type { Generation } from './generations.ts';
import type { Handover, HandoverRule } from './handover.ts';
import type { State } from './state.ts';

/** A rule about one call: what it answered, given the state before it. */
export interface AnswerRule extends RuleText {
  readonly kind: 'answer';
  readonly on: readonly ActionName[];
  /** The premise; a rule whose premise does not hold says nothing about this call. */
  readonly when: (s: State, call: Call, answer: Answer) => boolean;
  readonly holds: (s: State, call: Call, answer: Answer) => boolean;
  /** What was expected and what was found; read only when the rule is broken. */
  readonly tell: (s: State, call: Call, answer: Answer) => string;
}

/**
 * What a rule about one frame looks at. `when` looks at that frame alone, beside what changes only
 * when a kernel boots; so does `holds`, unless the rule says otherwise.
 */
export interface Reach {
  /**
   * Whether `holds` looks at other frames, too, for a frame that meets the premise. It looks at
   * that frame alone.
   */
  readonly looksFurther?: (s: State, pfn: number) => boolean;
}

/** An invariant: a rule about every frame of a state. */
export interface StateRule extends RuleText, Reach {
  readonly kind: 'state';
  readonly when: (s: State, pfn: number) => boolean;
  readonly holds: (s: State, pfn: number) => boolean;
  readonly tell: (s: State, pfn: number) => string;
}

/** A reserve_mem region as a blob lists it; bytes. */
export interface SeenRegion {
  readonly name: string;
  readonly start: number;
  readonly size: number;
}

/** The chunks of a vmalloc area, as an observer decoded them. */
export interface ChunkList {
  /** Frame of each chunk, and how many blocks it names. */
  readonly chunks: Ranges;
  /** The blocks that the chunks name, in order. */
  readonly pages: Ranges;
  /** Why the list could not be read to its end, if it could not. */
  readonly damage: string | undefined;
}

/** Sessions by the index of their name, and their files; sizes in bytes. */
export interface SeenSessions {
  readonly sessions: readonly number[];
  readonly files: readonly {
    readonly session: number;
    readonly token: number;
    readonly bytes: number;
  }[];
}

/** What an observer saw of a system. */
export interface Seen {
  /** Owner of a frame as the page allocator shows it, in the values of `use`. */
  use(pfn: number): number;
  /** Stamp that the frame's memory holds. */
  content(pfn: number): number;
  /** Migrate type of the pageblock that a frame lies in; -1 where there is none. */
  migrateType(pfn: number): number;
  /** Frames that the page allocator has free. */
  readonly freeFrames: number;
  /** The outgoing handover, decoded from memory. */
  readonly handover: Handover;
  /** `kexec_count` of the outgoing metadata blob, decoded from memory; -1 when unreadable. */
  readonly kexecCount: number;
  /** reserve_mem regions that the outgoing `memblock` blob lists, or why it cannot be read. */
  regions(): readonly SeenRegion[] | string;
  /** The chunks that list a vmalloc area, decoded from memory; `chunk` is the first one's frame. */
  chunkList(chunk: number, order: number): ChunkList;
  /** What the previous kernel's own users handed over and the running one did not look at. */
  readonly passedOver: readonly string[];
  /**
   * The sessions that the previous kernel's orchestrator left, or why they cannot be read; `head`
   * is the frame of what it named in the tree.
   */
  luo(head: number): SeenSessions | string;
  /** The files of the kernel's debugfs directory, read when first asked for. */
  debugfs(): ShownFiles;
  /** Index of a subtree name in the machine's table, or -1. */
  nameIndex(name: string): number;
}

/** A rule that compares a frame of the law with the same frame of the system. */
export interface FrameSightRule extends RuleText, Reach {
  readonly kind: 'sight';
  readonly each: 'frame';
  readonly when: (s: State, seen: Seen, pfn: number) => boolean;
  readonly holds: (s: State, seen: Seen, pfn: number) => boolean;
  readonly tell: (s: State, seen: Seen, pfn: number) => string;
}

/** A rule that compares the law with the system as a whole; returns how many things it compared. */
export interface SystemSightRule extends RuleText {
  readonly kind: 'sight';
  readonly each: 'system';
  readonly find: (s: State, seen: Seen, report: Report) => number;
}

export type SightRule = FrameSightRule | SystemSightRule;
export type Rule = AnswerRule | StateRule | SightRule | HandoverRule;

/** The first and the last generation of something; open ends when absent. */
export interface Span {
  readonly since?: Generation;
  readonly until?: Generation;
}

/** An action of the law: how a state changes when a call got an answer that the rules accept. */
export interface Action {
  readonly name: ActionName;
  readonly says: string;
  /** The call as a person reads it, by the kernel's own function names. */
  readonly shows: (call: Call, nameOf: (index: number) => string) => string;
  readonly effect: (s: State, call: Call, answer: Answer) => void;
  /**
   * The errors that it is refused with, `-ERRNO` each; none when absent. A full run reaches every
   * one of them, and success.
   */
  readonly refusals?: readonly number[];
  /** Of these and success (0), what not every generation knows: the first and last that does. */
  readonly refusalSpans?: Readonly<Record<number, Span>>;
  /** The first and the last generation that has it; all when absent. */
  readonly since?: Generation;
  readonly until?: Generation;
  /** Generations beside those that have it as well: it came, went, and came again. */
  readonly also?: readonly Generation[];
}

/** A chapter: rules and actions that belong together, in reading order. */
export interface Chapter {
  readonly title: string;
  readonly says: string;
  readonly rules: readonly Rule[];
  readonly actions: readonly Action[];
}

/** A place in the kernel's concepts document. */
export const concepts = (section: string): Source => ({
  document: 'Documentation/core-api/kho/index.rst',
  section,
});

/** A symbol of KHO's core file. */
export const core = (symbol: string): Source => ({
  file: 'kernel/liveupdate/kexec_handover.c',
  symbol,
});

/** A symbol of another kernel file. */
export const kernel = (file: string, symbol: string): Source => ({ file, symbol });

/** A frame number as people read it. */
export const hex = (pfn: number): string => `0x${pfn.toString(16)}`;

/** A range of frames as people read it. */
export const range = (first: number, count: number): string =>
  count === 1 ? `frame ${hex(first)}` : `frames ${hex(first)}…${hex(first + count - 1)}`;
