/**
 * Jumps between kernels whose ABIs differ: what is known to follow, and whether just that followed.
 *
 * Before the next kernel starts, somebody else judges the bytes that it gets: what a kernel of that
 * generation makes of them (`JumpVerdict`). When a rule breaks at the jump, and what happened is
 * what the bytes foretold, to the block, then this is a known deviation between two kernels and no
 * counterexample of either. Whatever is not foretold remains a counterexample.
 *
 * Invariant: nothing here is a list of kernels; the verdict comes from descriptions and bytes.
 */
import type { Memory, Observables, System, Told } from '#model/system';
import type { Call } from '#spec/call';
import { HELD, REGION } from '#spec/state';
import { trackerReadAs } from '#src/abi/decode/read-as';
import type { DecodedBlock, TrackerContent } from '#src/abi/decode/tracker';
import { NO_JUMP, outcomeOf } from './jump-outcomes.ts';
import type { Outcome } from './jump-outcomes.ts';

/** What a kernel makes of a handover, and why as short phrases. */
export interface JumpVerdict {
  readonly outcome: Outcome;
  readonly reasons: readonly string[];
}

/** Judges the handover that memory holds right before the next kernel starts. */
export type JudgeOfJumps = (memory: Memory, told: Told) => JumpVerdict;

/** A deviation between two kernels that was foretold, and came. */
export interface KnownDeviation extends JumpVerdict {
  /** Generations of the kernel that handed over, and of the one that took it. */
  readonly writer: string;
  readonly reader: string;
}

/** What was known at a jump. */
interface Foretold {
  readonly told: Told;
  readonly verdict: JumpVerdict;
  /** The tracker as the writer meant it, and as the reader reads it. */
  readonly written: TrackerContent;
  readonly read: TrackerContent;
}

/** Which deviation it is, to compare two. */
export const deviationKey = (known: KnownDeviation | undefined): string =>
  known === undefined ? '' : `${known.writer} ${known.reader} ${known.outcome}`;

const blockKey = ({ phys, order }: DecodedBlock): string => `${phys}/${order}`;

const sameBlocks = (some: readonly DecodedBlock[], others: readonly DecodedBlock[]): boolean => {
  const keys = new Set(some.map(blockKey));
  return (
    keys.size === new Set(others.map(blockKey)).size && others.every((b) => keys.has(blockKey(b)))
  );
};

/** Watches the jumps of one system. */
export class JumpWatch {
  readonly #judge: JudgeOfJumps;
  readonly #system: System;
  #last: Foretold | undefined;

  constructor(system: System, judge: JudgeOfJumps) {
    this.#system = system;
    this.#judge = judge;
    system.atJump = (told) => {
      const differ = told.fdt !== 0 && told.writer !== told.reader;
      this.#last = differ ? this.#foretell(told) : undefined;
    };
  }

  #foretell(told: Told): Foretold | undefined {
    const { memory } = this.#system.sees;
    const verdict = this.#judge(memory, told);
    if (verdict.outcome === 'same') return undefined;
    const { fdt, writer, reader } = told;
    const written = trackerReadAs(memory, fdt, writer, writer);
    return { told, verdict, written, read: trackerReadAs(memory, fdt, writer, reader) };
  }

  /**
   * The deviation that explains a broken rule; undefined when it is a counterexample.
   *
   * @param broken the call at which the rule broke, and what it answered
   * @param rule the rule
   */
  explains(broken: { readonly call: Call; readonly value: number }, rule: string) {
    const foretold = this.#last;
    const { call, value } = broken;
    // A rule that breaks before the jump is none of the next kernel's doing.
    const jumped = call.action === 'kexec' && !Number.isNaN(value) && !NO_JUMP.includes(value);
    if (!jumped || foretold === undefined) return undefined;
    const { told, verdict, written, read } = foretold;
    const misreads = !sameBlocks(written.preserved, read.preserved);
    if (outcomeOf(value, rule, misreads) !== verdict.outcome) return undefined;
    if (verdict.outcome === 'misread' && value >= 0 && !isHeldAs(this.#system.sees, foretold)) {
      return undefined;
    }
    const known: KnownDeviation = { ...verdict, writer: told.writer, reader: told.reader };
    return known;
  }
}

/**
 * Whether a kernel holds what it was foretold to read, and nothing else of what was written. Where
 * it reads memory that nobody recorded, nobody can foretell what else it finds there.
 */
const isHeldAs = (sees: Observables, { written, read }: Foretold): boolean => {
  const pageBytes = 2 ** sees.memory.pageShift;
  const holds = (pfn: number): boolean => [HELD, REGION].includes(sees.use(pfn));
  const covered = new Set<number>();
  for (const { phys, order } of read.preserved) {
    const first = phys / pageBytes;
    for (let pfn = first; pfn < first + 2 ** order; pfn++) covered.add(pfn);
    if (!holds(first) || !holds(first + 2 ** order - 1)) return false;
  }
  if (read.damage.length > 0) return true;
  return written.preserved.every(({ phys }) => {
    const first = phys / pageBytes;
    return covered.has(first) || sees.use(first) !== HELD;
  });
};
