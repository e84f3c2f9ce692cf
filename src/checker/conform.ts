/**
 * Conformance: a recorded trace of a real kernel, judged by the law and compared with two kernels
 * of ours, the intended one and the one with the faults that the release shipped with.
 *
 * A recorded answer is accepted when no rule is broken and the intended kernel gives it too. It is
 * a known deviation when a rule is broken, a kernel of ours gives exactly this answer, and what the
 * other one says fits the cause. Anything else is unknown. The recorder preserved frames
 * that it did not own, so rules about owners are not asked: answers, tracker content, restores and
 * managed memory are.
 *
 * Invariant of the restores: before each, the law and both kernels stand where the recorded kernel
 * stood, so that one deviation is counted once and not again for what follows from it. It stood
 * where the intended kernel does after what is accepted, where the shipped one does otherwise.
 */
import { CallAnswer, call as makeCall } from '#model/call';
import { sparseState } from '#model/sparse-carrier';
import type { Memory } from '#model/system';
import { eachBlock } from '#spec/blocks';
import type { Answer, Call } from '#spec/call';
import { ENOMEM } from '#spec/errno';
import type { Generation } from '#spec/generations';
import { ACTION, rulesOf } from '#spec/law';
import type { AnswerRule } from '#spec/rules';
import { MEM_01 } from '#spec/shortage';
import { HELD, UNMOVABLE, setUse } from '#spec/state';
import type { State } from '#spec/state';
import { decodeHandover } from '#src/abi/decode/handover';
import type { RecordedCall, RecordedKey, Recording } from './recording.ts';

/** A kernel of ours on the machine of a recording. */
export interface ReplayedKernel {
  readonly memory: Memory;
  /** Address of the outgoing handover tree in bytes. */
  fdt(): number;
  /** Carries a call out; the answer is valid until the next one. */
  call(call: Call): Answer;
  /** Loads an image and jumps; answers 1 when the next kernel took the handover over. */
  kexec(): number;
  /** Order that the mark of a handed-over page carries, or -1 when it carries none. */
  mark(pfn: number): number;
}

/** Boots a kernel that has the scratch areas of a recording and nothing preserved but its own. */
export type BootRecorded = (recording: Recording) => ReplayedKernel;

/** What a recording is compared with. */
export interface ConformKernels {
  readonly generation: Generation;
  readonly intended: BootRecorded;
  /** With the faults of the release: S1 and S14. */
  readonly shipped: BootRecorded;
}

/** The known ways in which recorded kernels leave the law, by their number among its findings. */
export const DEVIATIONS = ['S1', 'S14', 'S15'] as const;
export type Deviation = (typeof DEVIATIONS)[number];

/** Something recorded that nothing explains. */
export interface UnknownDeviation {
  /** Place in its list of the recording, -1 where the recording lacks something. */
  readonly index: number;
  /** The call, or the list that is meant. */
  readonly op: string;
  readonly recorded: string;
  readonly expected: string;
}

/** What became of one recording. */
export interface Conformance {
  readonly file: string;
  readonly kernel: string;
  readonly operations: number;
  readonly restores: number;
  readonly accepted: number;
  readonly deviations: Readonly<Record<Deviation, number>>;
  readonly unknown: readonly UnknownDeviation[];
  /** The tracker's recorded content is that of the law and of both kernels. */
  readonly keysEqual: boolean;
}

/** Replays one recording. */
export const conform = (recording: Recording, kernels: ConformKernels): Conformance =>
  new Replay(recording, kernels).run();

/** The law on a recording's machine. */
class Law {
  readonly state: State;
  readonly #rules: readonly AnswerRule[];

  constructor({ machine, areas, baseKeys }: Recording, generation: Generation) {
    // When memory is short is the recorded kernel's affair.
    this.#rules = rulesOf(generation).filter(
      (rule) => rule.kind === 'answer' && rule.id !== MEM_01.id,
    ) as AnswerRule[];
    this.state = sparseState(machine);
    areas.forEach(({ first, count }, slot) => {
      this.state.areaFirst.set(slot, first);
      this.state.areaCount.set(slot, count);
    });
    for (const { pfn, order } of baseKeys) {
      this.state.kept.set(pfn, (this.state.kept.get(pfn) | (2 ** order)) >>> 0);
    }
    this.state.loaded.set(1);
  }

  /** The first rule that an answer breaks, and how. */
  objection(call: Call, answer: Answer): { rule: AnswerRule; text: string } | undefined {
    for (const rule of this.#rules) {
      if (!rule.on.includes(call.action) || !rule.when(this.state, call, answer)) continue;
      if (!rule.holds(this.state, call, answer)) {
        return { rule, text: `${rule.id}: ${rule.tell(this.state, call, answer)}` };
      }
    }
    return undefined;
  }

  follow(call: Call, answer: Answer): void {
    ACTION[call.action].effect(this.state, call, answer);
  }

  /** The jump; the next kernel's own pages are put where no call reaches them. */
  kexec(): void {
    const answer = new CallAnswer();
    answer.value = 1;
    answer.fdt = this.state.machine.end;
    answer.metadata = this.state.machine.end;
    this.follow(makeCall('kexec'), answer);
  }

  keys(): RecordedKey[] {
    const keys: RecordedKey[] = [];
    this.state.eachFrame((pfn) => {
      for (let order = 0; order <= 31; order++) {
        if ((this.state.kept.get(pfn) >>> order) & 1) keys.push({ pfn, order });
      }
    });
    return keys;
  }

  /** Whether some block of a range is owned by somebody already. */
  isOwned({ pfn, count }: Call): boolean {
    let owned = false;
    eachBlock(this.state.machine, pfn, count, (head) => {
      owned ||= this.state.use.get(head) !== HELD;
    });
    return owned;
  }
}

class Replay {
  readonly #recording: Recording;
  readonly #kernels: ConformKernels;
  readonly #law: Law;
  #shipped: ReplayedKernel;
  #intended: ReplayedKernel;
  /** Keys of our kernels themselves, which no recording has. */
  readonly #own: ReadonlySet<string>;
  /** Blocks that carry a mark in the recorded kernel. */
  #marks: readonly RecordedKey[] = [];
  #accepted = 0;
  readonly #deviations: Record<Deviation, number> = { S1: 0, S14: 0, S15: 0 };
  readonly #unknown: UnknownDeviation[] = [];

  constructor(recording: Recording, kernels: ConformKernels) {
    this.#recording = recording;
    this.#kernels = kernels;
    this.#law = new Law(recording, kernels.generation);
    this.#shipped = kernels.shipped(recording);
    this.#intended = kernels.intended(recording);
    this.#own = new Set(keysInMemory(this.#shipped).map(keyText));
  }

  run(): Conformance {
    const { file, kernel, baseKeys, calls, restores } = this.#recording;
    for (const kernelOfOurs of [this.#intended, this.#shipped]) preserve(kernelOfOurs, baseKeys);
    calls.forEach((each, index) => this.#call(each, index));
    const keysEqual = this.#compareKeys();
    if (this.#kexec()) {
      restores.forEach((each, index) => this.#restore(each, index));
      this.#compareMarks();
    }
    return {
      file,
      kernel,
      operations: calls.length,
      restores: restores.length,
      accepted: this.#accepted,
      deviations: this.#deviations,
      unknown: this.#unknown,
      keysEqual,
    };
  }

  #call(recorded: RecordedCall, index: number): void {
    const { call, value } = recorded;
    const answer = asAnswer(recorded);
    const objection = this.#law.objection(call, answer);
    if (value === -ENOMEM && objection === undefined) {
      // Nothing happened.
      this.#accepted++;
      return;
    }
    const intended = this.#intended.call(call).value;
    const shipped = this.#shipped.call(call).value;
    if (objection === undefined && intended === value && shipped === value) this.#accepted++;
    else {
      const ours = intended === value ? shipped : intended;
      const expected = ours === value ? objection?.text : valueText(ours);
      this.#report(index, recorded.text, valueText(value), expected ?? 'another answer');
      answer.value = shipped;
    }
    this.#law.follow(call, answer);
  }

  /** Compares what is in the tracker; tells each key that is missing somewhere. */
  #compareKeys(): boolean {
    const recorded = this.#recording.keysAfter.map(keyText);
    const inRecording = new Set(recorded);
    const sources: readonly (readonly [string, readonly RecordedKey[]])[] = [
      ['the law', this.#law.keys()],
      ['the intended kernel', keysInMemory(this.#intended)],
      ['the shipped kernel', keysInMemory(this.#shipped)],
    ];
    const wrong = new Map<string, UnknownDeviation>();
    for (const [who, found] of sources) {
      const keys = new Set(found.map(keyText).filter((key) => !this.#own.has(key)));
      recorded.forEach((key, index) => {
        if (keys.has(key) || wrong.has(key)) return;
        wrong.set(key, { ...KEYS, index, recorded: key, expected: `not there, says ${who}` });
      });
      for (const key of keys) {
        if (inRecording.has(key) || wrong.has(key)) continue;
        const expected = `${key}, says ${who}`;
        wrong.set(key, { ...KEYS, index: -1, recorded: 'not there', expected });
      }
    }
    this.#unknown.push(...wrong.values());
    return wrong.size === 0;
  }

  /** Jumps on all sides; false when there is nothing to restore from. */
  #kexec(): boolean {
    this.#marks = keysInMemory(this.#shipped).filter((key) => !this.#own.has(keyText(key)));
    this.#law.kexec();
    for (const kernel of [this.#intended, this.#shipped]) {
      const value = kernel.kexec();
      if (value === 1) continue;
      this.#report(-1, 'kexec', 'the handover was taken over', `the next kernel answers ${value}`);
      return false;
    }
    return true;
  }

  #restore(recorded: RecordedCall, index: number): void {
    const { call } = recorded;
    const answer = asAnswer(recorded);
    const objection = this.#law.objection(call, answer);
    const ownedBefore = this.#law.isOwned(call);
    const intended = restoreText(call, this.#intended.call(call));
    const shipped = restoreText(call, this.#shipped.call(call));
    const found = restoreText({ pfn: recorded.address }, answer);
    const accepted = objection === undefined && found === intended;
    const asIntended = found === intended;
    if (accepted) {
      this.#accepted++;
      this.#law.follow(call, answer);
    } else {
      const explained = objection !== undefined && (asIntended || found === shipped);
      const cause = explained
        ? causeOf(objection.rule, answer.value, asIntended, ownedBefore)
        : undefined;
      const expected = asIntended ? (objection?.text ?? shipped) : intended;
      if (cause !== undefined) this.#deviations[cause]++;
      else this.#report(index, recorded.text, found, expected);
    }
    const likeShipped = found === shipped || !asIntended;
    this.#marks = this.#marksLeft(likeShipped ? this.#shipped : this.#intended, !accepted);
    if (intended === shipped) return;
    if (likeShipped) this.#intended = this.#bootHere(this.#kernels.intended);
    else this.#shipped = this.#bootHere(this.#kernels.shipped);
  }

  /** The marks that a kernel has left; if `followed`, the law owns the blocks that lost theirs. */
  #marksLeft(kernel: ReplayedKernel, followed: boolean): RecordedKey[] {
    const { state } = this.#law;
    return this.#marks.filter(({ pfn, order }) => {
      if (kernel.mark(pfn) >= 0) return true;
      if (followed && state.block.get(pfn) === order + 1) setUse(state, pfn, 2 ** order, UNMOVABLE);
      return false;
    });
  }

  /** A kernel that stands where the recorded one does: the same blocks are marked. */
  #bootHere(boot: BootRecorded): ReplayedKernel {
    const kernel = boot(this.#recording);
    preserve(kernel, this.#marks);
    kernel.kexec();
    return kernel;
  }

  /** What is still marked; of what others preserved, they may have restored some. */
  #compareMarks(): void {
    const others = new Set(this.#recording.baseKeys.map(({ pfn }) => pfn));
    const recorded = new Set(this.#recording.marked);
    this.#recording.marked.forEach((pfn, index) => {
      if (this.#shipped.mark(pfn) >= 0) return;
      this.#unknown.push({ ...MARKS, index, recorded: hex(pfn), expected: 'no mark' });
    });
    const missing = new Set<number>();
    for (const { pfn } of this.#marks) {
      if (this.#shipped.mark(pfn) < 0 || others.has(pfn) || recorded.has(pfn)) continue;
      missing.add(pfn);
    }
    for (const pfn of missing) {
      this.#unknown.push({ ...MARKS, index: -1, recorded: 'no mark', expected: hex(pfn) });
    }
  }

  #report(index: number, op: string, recorded: string, expected: string): void {
    this.#unknown.push({ index, op, recorded, expected });
  }
}

const KEYS = { op: 'keys_after' } as const;
const MARKS = { op: 'pages_still_carrying_magic' } as const;

/**
 * Why a kernel answers what breaks `rule`, or undefined when nothing known explains it.
 *
 * A range that was refused and left restored in part is S14; if all of it was held, it is S1, the
 * wrong cut, that stopped it. Where the intended kernel answers the same, only S15 is left: some
 * block of the range is part of another that was restored before.
 */
const causeOf = (
  rule: AnswerRule,
  value: number,
  asIntended: boolean,
  ownedBefore: boolean,
): Deviation | undefined => {
  if (asIntended) return rule.id === 'RST-04' && ownedBefore ? 'S15' : undefined;
  if (rule.id === 'RST-05' && value < 0) return 'S14';
  return rule.id === 'RST-03' || rule.id === 'RST-04' || rule.id === 'RST-05' ? 'S1' : undefined;
};

const preserve = (kernel: ReplayedKernel, keys: readonly RecordedKey[]): void => {
  for (const { pfn, order } of keys) kernel.call(makeCall('preserveFolio', { pfn, order }));
};

/** What the tracker of a kernel of ours holds, decoded from memory. */
const keysInMemory = (kernel: ReplayedKernel): RecordedKey[] => {
  const pointers = { fdt: kernel.fdt(), scratchArray: undefined, scratchBytes: undefined };
  const { preserved, pageShift } = decodeHandover(kernel.memory, pointers);
  return preserved.map(({ phys, order }) => ({ pfn: phys / 2 ** pageShift, order }));
};

const asAnswer = ({ value, managed }: RecordedCall): CallAnswer => {
  const answer = new CallAnswer();
  answer.value = value;
  answer.managed = managed;
  return answer;
};

const hex = (pfn: number): string => `0x${pfn.toString(16)}`;
const keyText = ({ pfn, order }: RecordedKey): string => `${hex(pfn)} order ${order}`;
const valueText = (value: number): string => (value < 0 ? `err ${value}` : 'ok');

/** What a restore answered, in one text that is equal when the answers are. */
const restoreText = ({ pfn }: { readonly pfn: number }, answer: Answer): string => {
  const what = answer.value < 0 ? valueText(answer.value) : `ok at ${hex(pfn)}`;
  return `${what}, ${answer.managed} ${answer.managed === 1 ? 'page' : 'pages'}`;
};
