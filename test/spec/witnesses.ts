/**
 * What witnesses of rules are made of: a small machine with scratch, states made by hand, answers
 * with ranges, and an observer that sees what it is told to.
 *
 * Node 0 is [0, 0x2000), node 1 [0x2000, 0x4000); the scratch areas of low memory, of any node, of
 * node 0 and of node 1 start at 0x400, 0x800, 0xc00 and 0x2400 and have 0x400 frames each.
 */
import { CallAnswer, RangeList, call } from '#model/call';
import { buildMachine, nameIndex } from '#model/machines';
import type { MachineShape } from '#model/machines';
import { sparseState } from '#model/sparse-carrier';
import type { SparseState } from '#model/sparse-carrier';
import type { Call } from '#spec/call';
import type { ShownFiles } from '#spec/debugfs';
import type { Handover } from '#spec/handover';
import type { FrameSightRule, Seen, StateRule, SystemSightRule, AnswerRule } from '#spec/rules';

export type Pair = readonly [first: number, count: number];

export const AREAS: readonly Pair[] = [
  [0x400, 0x400],
  [0x800, 0x400],
  [0xc00, 0x400],
  [0x2400, 0x400],
];

/** Command lines: two regions; one of another size and one new; nine; one differently aligned. */
const LINES = [
  '8K:4K:a 4096:64:b',
  '8K:4K:a 100:64:b 64:0:c',
  '64:0:r0 64:0:r1 64:0:r2 64:0:r3 64:0:r4 64:0:r5 64:0:r6 64:0:r7 64:0:c',
  '8K:32M:a 4096:64:b',
];

/**
 * The machine with its scratch reserved and nothing else on it.
 *
 * @param more what its shape has beside
 */
export const fresh = (more: Partial<MachineShape> = {}): SparseState => {
  const scratch = { lowmem: 0x400, global: 0x400, perNode: 0x400 };
  const nodes = [0x2000, 0x2000];
  const s = sparseState(
    buildMachine(
      { pageShift: 12, nodes, scratch, reserveMem: LINES, crash: 24, ...more },
      { hasOldTrees: true },
    ),
  );
  AREAS.forEach(([first, count], slot) => {
    s.areaFirst.set(slot, first);
    s.areaCount.set(slot, count);
  });
  return s;
};

type Lists =
  'taken' | 'given' | 'placed' | 'early' | 'areas' | 'huge' | 'regions' | 'pages' | 'chunks';
type Crash = 'crashFirst' | 'crashCount';
type Descriptor = 'total' | 'order' | 'flags';
type Numbers = 'array' | 'bytes' | 'managed' | 'fdt' | 'metadata' | 'memblock' | 'memblockBytes';
type Said = Partial<Record<Lists, readonly Pair[]>> &
  Partial<Record<Numbers | Crash | Descriptor, number>>;

/** An answer with this value and, beside it, ranges and numbers. */
export const says = (value: number, said: Said = {}): CallAnswer => {
  const answer = new CallAnswer();
  answer.reset(value);
  for (const [name, what] of Object.entries(said)) {
    if (typeof what === 'number') Object.assign(answer, { [name]: what });
    else for (const [first, count] of what) answer[name as Lists].add(first, count);
  }
  return answer;
};

/** An observer that sees nothing but what it is told to. */
export const sees = (
  what: Partial<Omit<Seen, 'handover'>> & { readonly handover?: Partial<Handover> } = {},
): Seen => ({
  use: () => 0,
  content: () => 0,
  migrateType: () => 1,
  freeFrames: 0,
  kexecCount: 0,
  regions: () => [],
  chunkList: () => ({ chunks: new RangeList(), pages: new RangeList(), damage: undefined }),
  passedOver: [],
  luo: () => 'is not there',
  debugfs: () => showing(),
  nameIndex,
  ...what,
  handover: {
    pageShift: 12,
    compatible: 'kho-v4',
    fdt: 0x100000,
    scratchArray: 0,
    tracker: 0,
    scratch: [],
    preserved: [],
    trackerPages: [],
    subtrees: [],
    damage: [],
    ...what.handover,
  },
});

/** Files of debugfs: nothing but what it is told to. */
export const showing = (what: Partial<ShownFiles> = {}): ShownFiles => ({
  out: undefined,
  in: undefined,
  scratchPhys: undefined,
  scratchLen: undefined,
  recordedScratch: undefined,
  recordedPage: undefined,
  measuredPage: undefined,
  scratch: undefined,
  differsAt: -1,
  stampOf: () => 0,
  ...what,
});

/** Changes a state before it is judged. */
export type Setup = (s: SparseState) => void;
export const nothing: Setup = () => {};

/** What a rule made of one case. */
export interface Judged {
  /** The premise was met, or something was looked at. */
  readonly asked: boolean;
  readonly holds: boolean;
  /** What the rule would tell, or told. */
  readonly text: string;
}

/** One case, ready to be judged. */
export type Case = () => Judged;

export const ofCall =
  (
    rule: AnswerRule,
    made: Call,
    answer: CallAnswer,
    setup: Setup = nothing,
    more: Partial<MachineShape> = {},
  ): Case =>
  () => {
    const s = fresh(more);
    setup(s);
    const text = rule.tell(s, made, answer);
    const asked = rule.on.includes(made.action) && rule.when(s, made, answer);
    return { asked, holds: rule.holds(s, made, answer), text };
  };

export const ofFrame =
  (rule: StateRule, pfn: number, setup: Setup): Case =>
  () => {
    const s = fresh();
    setup(s);
    return { asked: rule.when(s, pfn), holds: rule.holds(s, pfn), text: rule.tell(s, pfn) };
  };

export const ofSight =
  (rule: FrameSightRule, pfn: number, seen: Seen, setup: Setup): Case =>
  () => {
    const s = fresh();
    setup(s);
    const text = rule.tell(s, seen, pfn);
    return { asked: rule.when(s, seen, pfn), holds: rule.holds(s, seen, pfn), text };
  };

export const ofSystem =
  (rule: SystemSightRule, seen: Seen, setup: Setup): Case =>
  () => {
    const s = fresh();
    setup(s);
    const told: string[] = [];
    const places = rule.find(s, seen, (tell) => told.push(tell()));
    return { asked: places > 0, holds: told.length === 0, text: told.join('; ') };
  };

/** A rule with a case that keeps it and cases that break it. */
export type Witness = readonly [id: string, keeps: Case, ...breaks: readonly [Case, ...Case[]]];

export { call };
