/**
 * The law of a scope, prepared for a search: what its closures do, in tables.
 *
 * - *local* transitions look at one frame and at kernel and slot cells, and change that frame: one
 *   table entry per lane, global id and local id lists what the frame becomes;
 * - *product* transitions loop over frames and treat each on its own (a kexec, say): one entry per
 *   global id for the cells that no frame has, one per lane, global id and local id for the frames.
 *   That they do is checked at each new entry against a run on the state at hand; one that does
 *   not is demoted by `NotProduct`, and the search starts again;
 * - everything else is a decision tree (see tries.ts).
 *
 * A *local id* stands for the value of a lane, a *global id* for the values of all slot and kernel
 * cells; where these are narrow they are the bits themselves, otherwise they are numbered as they
 * are met. Entries are filled when first asked for, by running the closures of the scope.
 */
import type { AnyScope, Invariant, StepRule, Transition } from '#model/scopes/scope';
import { carrierOf } from './carrier.ts';
import type { Carrier } from './carrier.ts';
import { laneAt, laneMask } from './layout.ts';
import type { Layout } from './layout.ts';
import { LocalityProver, laneOfField } from './locality.ts';
import { laneClasses, sortBlocks } from './symmetry.ts';
import { Tries } from './tries.ts';

/** Stands for all transitions where one is named that is no product. */
const ALL = -1;

/** A transition that seemed to treat every frame on its own does not; -1: none is to be one. */
export class NotProduct extends Error {
  readonly transition: number;
  constructor(transition: number) {
    super(`transition ${transition} treats frames together`);
    this.transition = transition;
  }
}

const DIRECT_LANE_BITS = 8;
const DIRECT_GLOBAL_BITS = 6;
/** Products beyond these are trees: their tables would be larger than what they save. */
const MOST_PRODUCTS = 64;
const MOST_PRODUCT_ENTRIES = 2 ** 25;

/** Frame verdicts: not known, holds, broken. */
export const HOLDS = 1;
export const BREAKS = 2;

type Step = { readonly transition: Transition<never>; readonly number: number };

/** What is known of a product transition while it is watched. */
interface Watch {
  visiting: number;
  apart: boolean;
  /** Whether `enabled` runs: an answer that it gathers from a loop over frames is no product. */
  deciding: boolean;
}

const twins = (layout: Layout, classes: Program['classes']): Int32Array => {
  const twinOf = new Int32Array(layout.frames.length).fill(-1);
  for (const blocks of classes) {
    if (blocks[0]?.length !== 1) continue;
    blocks.forEach(([lane], i) => {
      const before = blocks[i - 1]?.[0];
      if (before !== undefined && before < lane!) twinOf[lane!] = before;
    });
  }
  return twinOf;
};

export class Program {
  readonly layout: Layout;
  readonly tries: Tries;
  /** Trees of the transitions that are neither local nor product; their numbers in the scope. */
  readonly treeOf: { readonly tree: number; readonly transition: number }[] = [];
  /** Trees of rules that look beyond one frame. */
  readonly ruleTrees: number[] = [];
  readonly products: Step[] = [];
  /** Whether there are local transitions of a lane. */
  readonly hasLocal: boolean[];
  readonly hasStepRules: boolean;
  /** No state has more successors. */
  readonly mostSuccessors: number;
  /** Symmetry classes by lane. */
  readonly classes: readonly (readonly (readonly number[])[])[];
  /** The lane before this one in its class of single frames, where that is a lower one; or -1. */
  readonly twinOf: Int32Array;
  readonly directLane: boolean;
  readonly directGlobal: boolean;
  /** Whether each transition was ever enabled. */
  readonly fired: Uint8Array;

  /** How many local and global ids the tables have room for. */
  localRoom: number;
  globalRoom: number;
  /** Local id of a lane's value, 1-based; for lanes that are not their own ids. */
  readonly localIds: Int32Array;
  /** Entry of lane, global id, local id in `pool`; 0: not filled. */
  successors = new Int32Array(0);
  /** Per entry: how many, then what the lane becomes (its complement where a rule breaks). */
  pool = new Int32Array(1 << 12);
  /** Verdict of the rules of one frame, by lane, global id, local id. */
  verdicts = new Uint8Array(0);
  /** Per product transition and global id: 0 unknown, -1 disabled, else entry in `globalPool`. */
  enabledAt = new Int32Array(0);
  globalPool = new Int32Array(1 << 10);
  /** Per product transition, lane, global id, local id: what the lane becomes; -1 unknown. */
  after = new Int32Array(0);

  private readonly scope: AnyScope;
  private readonly local: Step[][];
  private readonly laneRules: Invariant<never>[];
  private readonly stepRules: readonly StepRule<never>[];
  private readonly carrier: Carrier;
  private readonly before: Carrier;
  private readonly watched: Carrier;
  private readonly watch: Watch = { visiting: -1, apart: true, deciding: false };
  private poolEnd = 1;
  private globalPoolEnd = 1;
  private localCount = 0;
  private readonly globalNumbers = new Map<string, number>();

  constructor(scope: AnyScope, layout: Layout, demoted: ReadonlySet<number>) {
    this.scope = scope;
    this.layout = layout;
    this.tries = new Tries(scope, layout);
    this.carrier = carrierOf(scope, layout);
    this.before = carrierOf(scope, layout);
    this.watched = this.watchedCarrier();
    this.directLane = layout.laneBits <= DIRECT_LANE_BITS;
    this.directGlobal =
      layout.globalBits <= DIRECT_GLOBAL_BITS && layout.words - layout.laneWords <= 1;
    this.localRoom = this.directLane ? 1 << layout.laneBits : 32;
    this.globalRoom = this.directGlobal ? 1 << layout.globalBits : 16;
    this.localIds = new Int32Array(
      this.directLane || layout.laneBits > 22 ? 0 : 1 << layout.laneBits,
    );
    this.fired = new Uint8Array(scope.transitions.length);
    this.local = layout.frames.map(() => []);
    this.stepRules = scope.stepRules ?? [];
    this.hasStepRules = this.stepRules.length > 0;
    this.mostSuccessors = scope.transitions.length;
    this.classes = laneClasses(scope, layout);
    this.twinOf = twins(layout, this.classes);
    this.laneRules = [];
    this.sortRules();
    this.sortTransitions(demoted);
    this.hasLocal = this.local.map((steps) => steps.length > 0);
    this.clearTables();
  }

  readonly sortClass = (lanes: Int32Array, index: number): void =>
    sortBlocks(lanes, this.classes[index]!);

  private watchedCarrier(): Carrier {
    const { layout, watch } = this;
    const touch = (word: number, shift: number): void => {
      if (word < layout.laneWords && laneOfField(layout, word, shift) !== watch.visiting) {
        watch.apart = false;
      }
    };
    return carrierOf(this.scope, layout, {
      read: touch,
      write: (word, shift) => {
        touch(word, shift);
        if (word >= layout.laneWords && watch.visiting >= 0) watch.apart = false;
      },
      empty: () => {
        if (watch.visiting >= 0 || watch.deciding) watch.apart = false;
      },
      visit: (lane) => {
        watch.visiting = lane;
        if (watch.deciding) watch.apart = false;
      },
      asked: () => {
        watch.apart = false;
      },
    });
  }

  /** Rules of one frame alone go into the verdict tables, others into trees. */
  private sortRules(): void {
    const prover = new LocalityProver(this.scope, this.layout);
    for (const rule of this.scope.invariants) {
      const { frame, whole } = rule;
      if (whole !== undefined) this.ruleTrees.push(this.tries.plant(whole, true));
      if (frame === undefined) continue;
      const alone = this.layout.frames.every((pfn, lane) => {
        const found = prover.prove((s) => frame(s, pfn));
        return found !== undefined && (found.lane === lane || found.lane === -1);
      });
      if (alone) this.laneRules.push(rule);
      else {
        for (const pfn of this.layout.frames) {
          this.ruleTrees.push(this.tries.plant((s) => frame(s, pfn), true));
        }
      }
    }
  }

  private sortTransitions(demoted: ReadonlySet<number>): void {
    const prover = new LocalityProver(this.scope, this.layout);
    this.scope.transitions.forEach((transition, number) => {
      const { enabled, effect } = transition;
      const found = prover.prove((s) => {
        if (enabled(s)) effect(s);
      });
      const step = { transition, number };
      const together =
        demoted.has(number) ||
        demoted.has(ALL) ||
        this.stepRules.length > 0 ||
        this.products.length === MOST_PRODUCTS;
      if (found !== undefined && found.lane >= 0 && !found.writesGlobals) {
        this.local[found.lane]!.push(step);
      } else if (!together && (found === undefined || found.lane < 0) && this.mayBeProduct(step)) {
        this.products.push(step);
      } else {
        const tree = this.tries.plant((s) => {
          if (!enabled(s)) return true;
          effect(s);
          this.fired[number] = 1;
          return false;
        }, false);
        this.treeOf.push({ tree, transition: number });
      }
    });
  }

  /** Whether a run on the empty state looks at no frame outside a loop. */
  private mayBeProduct({ transition }: Step): boolean {
    const { row, state } = this.watched;
    row.fill(0);
    this.watch.visiting = -1;
    this.watch.apart = true;
    try {
      if (this.decide(transition)) transition.effect(state);
    } catch {
      return false;
    }
    return this.watch.apart;
  }

  private clearTables(): void {
    const entries = this.layout.frames.length * this.globalRoom * this.localRoom;
    if (entries * this.products.length > MOST_PRODUCT_ENTRIES) throw new NotProduct(ALL);
    this.successors = new Int32Array(entries);
    this.verdicts = new Uint8Array(entries);
    this.after = new Int32Array(entries * this.products.length).fill(-1);
    this.enabledAt = new Int32Array(this.globalRoom * this.products.length);
    this.poolEnd = 1;
    this.globalPoolEnd = 1;
  }

  /** Numbers a lane's value that was not met before; tables may be made anew. */
  newLocalId(lane: number): number {
    if (this.localIds.length === 0) {
      const known = this.wideLanes.get(lane);
      if (known !== undefined) return known;
      this.wideLanes.set(lane, this.localCount);
    } else this.localIds[lane] = this.localCount + 1;
    const id = this.localCount++;
    if (this.localCount > this.localRoom) {
      this.localRoom *= 2;
      this.clearTables();
    }
    return id;
  }

  private readonly wideLanes = new Map<number, number>();

  /** Global id of a row's slot and kernel cells; tables may be made anew. */
  globalId(row: ArrayLike<number>): number {
    let key = '';
    for (let w = this.layout.laneWords; w < this.layout.words; w++) key += `${row[w]!},`;
    const known = this.globalNumbers.get(key);
    if (known !== undefined) return known;
    const id = this.globalNumbers.size;
    this.globalNumbers.set(key, id);
    if (id >= this.globalRoom) {
      this.globalRoom *= 2;
      this.clearTables();
    }
    return id;
  }

  private laneOf(row: Int32Array, lane: number): number {
    const { word, shift } = laneAt(this.layout, lane);
    return (row[word]! >>> shift) & laneMask(this.layout);
  }

  /** Fills the successors of a lane from a row that has it; answers the entry. */
  fillSuccessors(lane: number, global: number, local: number, row: ArrayLike<number>): number {
    const pfn = this.layout.frames[lane]!;
    const found: number[] = [];
    const { carrier, before } = this;
    before.row.set(row);
    for (const { transition, number } of this.local[lane]!) {
      carrier.row.set(row);
      if (!transition.enabled(carrier.state)) continue;
      transition.effect(carrier.state);
      this.fired[number] = 1;
      const fine =
        this.laneRules.every(({ frame }) => frame!(carrier.state, pfn)) &&
        this.stepRules.every((rule) => rule.frame(before.state, carrier.state, pfn));
      const becomes = this.laneOf(carrier.row, lane);
      found.push(fine ? becomes : ~becomes);
    }
    if (this.poolEnd + found.length + 1 > this.pool.length) {
      const wider = new Int32Array(this.pool.length * 2 + found.length);
      wider.set(this.pool);
      this.pool = wider;
    }
    const entry = this.poolEnd;
    this.pool.set([found.length, ...found], entry);
    this.poolEnd += found.length + 1;
    this.successors[(lane * this.globalRoom + global) * this.localRoom + local] = entry;
    return entry;
  }

  /** Fills the verdict of a lane from a row that has it. */
  fillVerdict(lane: number, global: number, local: number, row: ArrayLike<number>): number {
    const pfn = this.layout.frames[lane]!;
    this.carrier.row.set(row);
    const fine = this.laneRules.every(({ frame }) => frame!(this.carrier.state, pfn));
    const verdict = fine ? HOLDS : BREAKS;
    this.verdicts[(lane * this.globalRoom + global) * this.localRoom + local] = verdict;
    return verdict;
  }

  /** Whether a transition is enabled on the watched row. */
  private decide(transition: Transition<never>): boolean {
    this.watch.deciding = true;
    const enabled = transition.enabled(this.watched.state);
    this.watch.deciding = false;
    return enabled;
  }

  private runProduct(product: number, row: ArrayLike<number>): boolean {
    const { transition, number } = this.products[product]!;
    const { watch, watched } = this;
    watch.visiting = -1;
    watch.apart = true;
    watched.row.set(row);
    const enabled = this.decide(transition);
    if (enabled) {
      transition.effect(watched.state);
      this.fired[number] = 1;
    }
    if (!watch.apart) throw new NotProduct(number);
    return enabled;
  }

  /** Whether a product transition is enabled under these slot and kernel cells, and their next. */
  fillEnabled(product: number, global: number, row: ArrayLike<number>): number {
    const { layout } = this;
    let entry = -1;
    if (this.runProduct(product, row)) {
      const size = layout.words - layout.laneWords;
      if (this.globalPoolEnd + size > this.globalPool.length) {
        const wider = new Int32Array(this.globalPool.length * 2 + size);
        wider.set(this.globalPool);
        this.globalPool = wider;
      }
      entry = this.globalPoolEnd;
      this.globalPool.set(this.watched.row.subarray(layout.laneWords), entry);
      this.globalPoolEnd += Math.max(1, size);
    }
    this.enabledAt[product * this.globalRoom + global] = entry;
    return entry;
  }

  /**
   * Fills what every lane of a row becomes by a product transition. Entries that were filled before
   * must say the same, or the transition is no product.
   */
  fillAfter(product: number, global: number, locals: ArrayLike<number>, row: Int32Array): void {
    this.runProduct(product, row);
    const { layout } = this;
    const entry = this.enabledAt[product * this.globalRoom + global]!;
    for (let w = layout.laneWords; w < layout.words; w++) {
      if (this.globalPool[entry + w - layout.laneWords] !== this.watched.row[w]) {
        throw new NotProduct(this.products[product]!.number);
      }
    }
    const lanes = layout.frames.length;
    for (let lane = 0; lane < lanes; lane++) {
      const at = ((product * lanes + lane) * this.globalRoom + global) * this.localRoom;
      const becomes = this.laneOf(this.watched.row, lane);
      const known = this.after[at + locals[lane]!]!;
      if (known >= 0 && known !== becomes) throw new NotProduct(this.products[product]!.number);
      this.after[at + locals[lane]!] = becomes;
    }
  }

  /** The rule that a row breaks, if any; by running every rule on it. */
  brokenRule(row: ArrayLike<number>): string | undefined {
    this.carrier.row.set(row);
    const { state } = this.carrier;
    return this.scope.invariants.find(
      ({ frame, whole }) =>
        (whole !== undefined && !whole(state)) ||
        (frame !== undefined && !this.layout.frames.every((pfn) => frame(state, pfn))),
    )?.id;
  }

  /** The rule about transitions that going from one row to the next breaks, if any. */
  brokenStep(from: ArrayLike<number>, to: ArrayLike<number>): string | undefined {
    const { before, carrier, layout } = this;
    before.row.set(from);
    carrier.row.set(to);
    let all = false;
    for (let w = layout.laneWords; w < layout.words; w++) if (from[w] !== to[w]) all = true;
    return this.stepRules.find((rule) =>
      layout.frames.some(
        (pfn, lane) =>
          (all || this.laneOf(before.row, lane) !== this.laneOf(carrier.row, lane)) &&
          !rule.frame(before.state, carrier.state, pfn),
      ),
    )?.id;
  }
}
