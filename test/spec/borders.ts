/**
 * The borders of rules: what a rule says of one call, frame or sight.
 *
 * Everything is looked at strictly: nobody may ask for a range or a slot that is not there.
 */
import type { CallAnswer } from '#model/call';
import type { SparseState } from '#model/sparse-carrier';
import type { Declaration, SlotCells } from '#spec/algebra/cells';
import type { Answer, Call, Ranges } from '#spec/call';
import type { Machine } from '#spec/machine';
import { ruleById } from '#spec/law';
import type { Seen } from '#spec/rules';
import { CELLS, HELD, UNMOVABLE, setUse } from '#spec/state';
import { fresh, nothing } from './witnesses.ts';
import type { Pair, Setup } from './witnesses.ts';

const within = (index: number, end: number): void => {
  if (!(index >= 0 && index < end)) throw new RangeError(`${index} of ${end} was asked for`);
};

const strictSlots = (cells: SlotCells, slots: number): SlotCells => ({
  get: (slot) => (within(slot, slots), cells.get(slot)),
  set: (slot, value) => (within(slot, slots), cells.set(slot, value)),
});

/** How many slots a cell has on a machine; none when it has no slots. */
const slotsOf = (name: keyof typeof CELLS, machine: Machine): number | undefined => {
  const declared: Declaration<'frame' | 'slot' | 'kernel'> = CELLS[name];
  return declared.slots?.({
    frames: machine.end,
    maxOrder: machine.maxOrder,
    nodes: machine.nodes.length,
    names: machine.nameBytes.length,
    stamps: 2 ** 32,
    kexecs: Number.MAX_SAFE_INTEGER,
    pageBytes: 2 ** machine.pageShift,
    regions: machine.reserveMem?.names.length ?? 0,
    lines: machine.reserveMem?.lines.length ?? 1,
    sessions: machine.liveUpdate?.sessions ?? 0,
    files: machine.liveUpdate?.files ?? 0,
  });
};

/** The same state, which has an opinion of who asks for slots that it has not. */
const strictState = (s: SparseState): SparseState => {
  const strict: Record<string, SlotCells> = {};
  for (const name of Object.keys(CELLS) as (keyof typeof CELLS)[]) {
    const slots = slotsOf(name, s.machine);
    if (slots !== undefined) strict[name] = strictSlots(s[name], slots);
  }
  return { ...s, ...strict };
};

const strictRanges = (ranges: Ranges): Ranges => ({
  length: ranges.length,
  first: (index) => (within(index, ranges.length), ranges.first(index)),
  count: (index) => (within(index, ranges.length), ranges.count(index)),
});

export const strictAnswer = (answer: CallAnswer): Answer => ({
  ...answer,
  taken: strictRanges(answer.taken),
  given: strictRanges(answer.given),
  placed: strictRanges(answer.placed),
  early: strictRanges(answer.early),
  areas: strictRanges(answer.areas),
  regions: strictRanges(answer.regions),
  pages: strictRanges(answer.pages),
  chunks: strictRanges(answer.chunks),
});

/** The small machine, or one like it, with its scratch reserved and what `setup` does. */
export const prepared = (setup: Setup, change: Partial<Machine> = {}): SparseState => {
  const s = fresh();
  const strict = strictState({ ...s, machine: { ...s.machine, ...change } });
  setup(strict);
  return strict;
};

export type Verdict = 'silent' | 'keeps' | 'breaks';

/** What a rule says of a call, of a frame, or of a sight. */
export type Judge = (rule: string) => Verdict;

export type Border = readonly [rule: string, verdict: Verdict, case_: Judge];

const verdict = (asked: boolean, holds: () => boolean): Verdict => {
  if (!asked) return 'silent';
  return holds() ? 'keeps' : 'breaks';
};

export const made =
  (by: Call, answered: CallAnswer, setup: Setup = nothing, machine: Partial<Machine> = {}): Judge =>
  (id) => {
    const rule = ruleById(id)!;
    if (rule.kind !== 'answer') throw new Error(`${id} is not about answers`);
    const [s, answer] = [prepared(setup, machine), strictAnswer(answered)];
    const asked = rule.on.includes(by.action) && rule.when(s, by, answer);
    return verdict(asked, () => rule.holds(s, by, answer));
  };

export const at =
  (pfn: number, setup: Setup): Judge =>
  (id) => {
    const rule = ruleById(id)!;
    if (rule.kind !== 'state') throw new Error(`${id} is not about states`);
    const s = prepared(setup);
    return verdict(rule.when(s, pfn), () => rule.holds(s, pfn));
  };

/** What a rule made of a sight: how many places it looked at, and what it told. */
export const lookedAt = (
  id: string,
  what: Seen,
  setup: Setup,
  machine: Partial<Machine> = {},
): { readonly places: number; readonly told: readonly string[] } => {
  const rule = ruleById(id)!;
  if (rule.kind !== 'sight' || rule.each !== 'system') throw new Error(`${id} is no such sight`);
  const told: string[] = [];
  const places = rule.find(prepared(setup, machine), what, (tell) => told.push(tell()));
  return { places, told };
};

export const seen =
  (what: Seen, setup: Setup): Judge =>
  (id) => {
    const { places, told } = lookedAt(id, what, setup);
    return verdict(places > 0 || told.length > 0, () => told.length === 0);
  };

export const both =
  (...setups: readonly Setup[]): Setup =>
  (s) =>
    setups.forEach((setup) => setup(s));

export const used =
  (first: number, count: number, use: number): Setup =>
  (s) =>
    setUse(s, first, count, use);

/** An owned block that is preserved. */
export const kept = (pfn: number, order: number): Setup =>
  both(used(pfn, 2 ** order, UNMOVABLE), (s) =>
    s.kept.set(pfn, (s.kept.get(pfn) | (2 ** order)) >>> 0),
  );

export const held =
  (...blocks: readonly Pair[]): Setup =>
  (s) => {
    for (const [pfn, order] of blocks) {
      setUse(s, pfn, 2 ** order, HELD);
      s.block.set(pfn, order + 1);
    }
  };
