/**
 * Lockstep: the law and a system, side by side.
 *
 * Every call goes to the system; its answer is judged by the law, then the law follows. Frames that
 * a call named, or that changed on either side, are compared at once. Everything is looked at at
 * every kexec (before the jump and after it), every 64th call, after a call that was made to run
 * short of memory, after one that takes something out of the handover (`HIDES`), and at the end;
 * never twice without a call in between. After a boot and on schedule every frame is compared and
 * every rule asked anew; else those frames, and those rules, of which something changed.
 *
 * The first rule that is broken ends the trace.
 */
import type { CallAnswer } from '#model/call';
import type { System } from '#model/system';
import type { SparseState } from '#model/sparse-carrier';
import type { ActionName, Answer, Call } from '#spec/call';
import { boots } from '#spec/call';
import { generationOfAge } from '#spec/generations';
import type { Generation } from '#spec/generations';
import type { Handover } from '#spec/handover';
import { ACTION } from '#spec/law';

import type { Rule, Seen } from '#spec/rules';
import { completeAreaAnswer } from './chunk-list.ts';
import { FrameComparison } from './frame-comparison.ts';
import { judgeOf } from './judge.ts';
import type { Judge } from './judge.ts';
import { Observer, completeBootAnswer, glance } from './observer.ts';
import { SightComparison } from './sight-comparison.ts';
import { tryAnswers, tryFrames, trySights } from './teeth.ts';
import type { Tally } from './tally.ts';

/** A broken rule, and how. */
export interface Violation {
  readonly rule: Rule;
  /** What was expected and what was found. */
  readonly text: string;
}

/** Calls between two full comparisons. */
export const FULL_EVERY = 64;

/**
 * Actions whose answers say nothing of what they did to what will be handed over, and that others
 * may cover up: everything is compared at once.
 */
const HIDES: readonly ActionName[] = [
  'removeSubtree',
  'unpreserveFolio',
  'unpreservePages',
  'unpreserveVmalloc',
  'unpreserveFree',
  'preserveVmalloc',
  'releaseReserveMem',
];

/** Actions that answer which frame they took. */
const HANDS_OUT: readonly ActionName[] = ['allocPages', 'vmalloc', 'allocPreserve'];

/** Actions that answer where what they are about is now. */
const MOVES: readonly ActionName[] = ['pin', 'migrate'];

export class Lockstep {
  readonly state: SparseState;
  readonly system: System;
  /** The rules of the running kernel. */
  #judge: Judge;
  readonly #tally: Tally;
  readonly #glance: Pick<Seen, 'use' | 'content'>;
  readonly #fullEvery: number;
  readonly #observer: Observer;
  readonly #frames: FrameComparison;
  readonly #sights: SightComparison;
  /** Calls since the last comparison, and since the last one of every frame. */
  #sinceLast = 0;
  #sinceFull = 0;
  #lastValue = 0;

  /**
   * @param fullEvery calls between two full comparisons
   * @param notes whether what rules read is noted, to ask fewer of them the next time
   */
  constructor(
    system: System,
    state: SparseState,
    generation: Generation,
    tally: Tally,
    fullEvery = FULL_EVERY,
    notes = true,
  ) {
    this.#fullEvery = fullEvery;
    this.system = system;
    this.state = state;
    this.#judge = judgeOf(generation);
    this.#tally = tally;
    this.#glance = glance(system);
    this.#observer = new Observer(system);
    this.#frames = new FrameComparison(state, system.sees, this.#judge, tally);
    this.#sights = new SightComparison(state, system.sees, tally, notes);
  }

  /** What the system answered last. */
  get lastValue(): number {
    return this.#lastValue;
  }

  /**
   * Executes a call on both sides.
   *
   * @param then called with the accepted answer before the next call invalidates it
   * @returns the rule that was broken, or undefined
   */
  call(call: Call, then: (answer: Answer) => void): Violation | undefined {
    const ends = boots(call);
    if (ends && call.action !== 'coldBoot') {
      const before = this.compareRest();
      if (before !== undefined) return before;
    }
    this.#sinceLast++;
    this.#sinceFull++;
    const answer = this.system.call(call);
    this.#lastValue = answer.value;
    if (call.action === 'preserveVmalloc' && answer.value > 0) {
      completeAreaAnswer(this.system.sees.memory, call.order, answer);
    }
    const booted = ends && answer.value >= 0 ? this.#observer.handover() : undefined;
    if (booted !== undefined) completeBootAnswer(this.system, booted, answer);
    this.#tally.outcome(call.action, answer.value);
    if (call.action === 'preserveFolio' && answer.value === 0) this.#tally.preserved(call.order);
    if (ends && answer.value >= 0) this.#judge = judgeOf(this.#booting(call));
    const refused = this.#judgeAnswer(call, answer);
    if (refused !== undefined) return refused;
    ACTION[call.action].effect(this.state, call, answer);
    then(answer);
    if (call.action === 'kexec' && answer.value === 1) this.#countKexec();
    if (booted !== undefined) return this.compareAll(booted);
    const touched =
      this.#compareTouched(call, answer) ??
      this.#frames.compareChanged(this.#glance as Seen, this.#judge);
    const hidden = (call.fails > 0 && answer.value < 0) || HIDES.includes(call.action);
    if (touched !== undefined || (this.#sinceLast < this.#fullEvery && !hidden)) return touched;
    return this.compareAll();
  }

  /** The generation of the kernel that a call starts. */
  #booting({ action, order }: Call): Generation {
    const { installed, loads, runs } = this.state;
    if (action === 'coldBoot' && order > 0) return generationOfAge(order - 1);
    const age = action === 'coldBoot' ? installed : action === 'kexec' ? loads : runs;
    return generationOfAge(age.get());
  }

  #countKexec(): void {
    this.#tally.kexecs++;
    const chain = this.state.kexecs.get();
    if (chain > this.#tally.longestChain) this.#tally.longestChain = chain;
  }

  #judgeAnswer(call: Call, answer: CallAnswer): Violation | undefined {
    const state = this.state;
    const rules = this.#judge.byAction[call.action];
    let isDue = this.#tally.isDue(this.#tally.calls);
    for (const { rule, index } of rules) {
      if (!rule.when(state, call, answer)) continue;
      this.#tally.rules[index]!++;
      if (!rule.holds(state, call, answer)) return { rule, text: rule.tell(state, call, answer) };
      isDue ||= this.#tally.isHardlyTried(index);
    }
    if (isDue) tryAnswers(this.#tally, rules, state, call, answer);
    return undefined;
  }

  /** Compares the frames that a call may have touched. */
  #compareTouched(call: Call, answer: CallAnswer): Violation | undefined {
    const count = call.count > 0 ? call.count : 2 ** call.order;
    const first = HANDS_OUT.includes(call.action) ? answer.value : call.pfn;
    const ends = first < 0 ? undefined : this.#compareEnds(first, count);
    if (ends !== undefined) return ends;
    if (MOVES.includes(call.action) && answer.value >= 0) {
      const moved = this.#compareEnds(answer.value, count);
      if (moved !== undefined) return moved;
    }
    for (let i = 0; i < answer.taken.length; i++) {
      const taken = this.#compareEnds(answer.taken.first(i), answer.taken.count(i));
      if (taken !== undefined) return taken;
    }
    for (let i = 0; i < answer.pages.length; i++) {
      const mapped = this.#compareEnds(answer.pages.first(i), answer.pages.count(i));
      if (mapped !== undefined) return mapped;
    }
    return undefined;
  }

  #compareEnds(first: number, count: number): Violation | undefined {
    return (
      this.#compareFrame(first) ?? (count > 1 ? this.#compareFrame(first + count - 1) : undefined)
    );
  }

  #compareFrame(pfn: number): Violation | undefined {
    if (pfn >= this.state.machine.end) return undefined;
    return this.#judgeFrame(pfn, this.#glance as Seen);
  }

  #judgeFrame(pfn: number, seen: Seen): Violation | undefined {
    for (const { rule, index } of this.#judge.frame) {
      if (!rule.when(this.state, seen, pfn)) continue;
      this.#tally.rules[index]!++;
      if (!rule.holds(this.state, seen, pfn)) {
        return { rule, text: rule.tell(this.state, seen, pfn) };
      }
    }
    for (const { rule, index } of this.#judge.state) {
      if (!rule.when(this.state, pfn)) continue;
      this.#tally.rules[index]!++;
      if (!rule.holds(this.state, pfn)) return { rule, text: rule.tell(this.state, pfn) };
    }
    return undefined;
  }

  /** Compares everything, unless nothing happened since that was done last. */
  compareRest(): Violation | undefined {
    return this.#sinceLast === 0 ? undefined : this.compareAll();
  }

  /**
   * Compares everything there is: anew after a boot and on schedule, else what changed since.
   *
   * @param booted what was decoded since the kernel booted, if it just did
   */
  compareAll(booted?: Handover): Violation | undefined {
    const all = booted !== undefined || this.#sinceFull >= this.#fullEvery;
    if (all) this.#sinceFull = 0;
    this.#sinceLast = 0;
    const seen = this.#observer.see(booted);
    const isDue = this.#tally.isDue(++this.#tally.comparisons);
    const judge = this.#judge;
    const violation =
      this.#frames.compare(seen, judge, all) ?? this.#sights.compare(seen, judge, all);
    if (violation === undefined && (isDue || this.#sights.isDue)) {
      tryFrames(this.#tally, judge.frame, judge.state, this.state, seen);
      trySights(this.#tally, judge.system, judge.handover, this.state, seen);
    }
    return violation;
  }
}
