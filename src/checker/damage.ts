/**
 * Damaged handovers: what a kernel makes of bytes that nobody wrote like that.
 *
 * A machine is filled and jumps once. Then the same jump is made again and again, each time with
 * something else wrong in the memory that the next kernel finds, and what came of it is compared
 * with the jump in which nothing was wrong. What a kernel does not notice and goes wrong with is
 * silent corruption: it has to be a known finding (`damage-findings.ts`).
 *
 * Invariant: nothing here knows what a kernel checks; only what it did is looked at.
 */
import { call } from '#model/call';
import type { Answer } from '#model/call';
import { nameIndex } from '#model/machines';
import type { Memory, System, Told } from '#model/system';
import { REVIVED } from '#spec/call';
import type { Generation } from '#spec/generations';
import { hasAction } from '#spec/law';
import { HELD, REGION } from '#spec/state';
import type { Field } from '#src/abi/decode/fields';
import { decodeHandover } from '#src/abi/decode/handover';
import type { DecodedBlock } from '#src/abi/decode/tracker';
import { readScratchArray } from '#src/abi/decode/scratch-array';
import { observe } from './observer.ts';

/** A system that can make its last jump again, from the memory that it had then. */
export interface Rejumping extends System {
  jumpAgain(change: (memory: Memory) => void): Answer;
}

/** What came of it, from best to worst. `silent`: not noticed, and something went wrong. */
export const DAMAGE_OUTCOMES = ['same', 'refused', 'ignored', 'panic', 'silent'] as const;

export type DamageOutcome = (typeof DAMAGE_OUTCOMES)[number];

/**
 * What goes wrong in silence: preserved memory is given away, its content is not what it was, its
 * blocks are others, memory is held that nobody preserved, a blob is looked for elsewhere, scratch
 * lies elsewhere, a region is revived elsewhere, kexecs are miscounted.
 */
export type Effect =
  'loses' | 'overwrites' | 'reorders' | 'invents' | 'blob' | 'scratch' | 'region' | 'count';

/** What one damaged jump came to. */
export interface Damaged {
  readonly outcome: DamageOutcome;
  /** Empty unless the outcome is `silent`. */
  readonly effects: readonly Effect[];
}

/** What is seen of a kernel after it booted. */
interface Sight {
  readonly value: number;
  /** Frames of preserved blocks that are not held, one letter each. */
  readonly held: string;
  readonly content: readonly number[];
  readonly free: number;
  /** What restoring each block answers. */
  readonly orders: readonly number[];
  /** What each blob's name leads to; negative where it is not found. */
  readonly blobs: readonly string[];
  readonly scratch: string;
  readonly regions: readonly string[];
  readonly count: number;
  readonly passedOver: number;
  /** What asking for a session of the live update orchestrator answers, name by name. */
  readonly sessions: string;
}

const NOT_FOUND = 'nowhere';

/** Frames that kernels of different generations use for themselves, more or less. */
const OWN_FRAMES = 64;

/** Names of sessions that are asked for; the first two of the model are unusual ones. */
const SESSIONS_ASKED = [1, 2, 3, 4];

/** Makes one jump again and again. */
export class DamageBench {
  readonly #system: Rejumping;
  readonly #told: Told;
  readonly #blocks: readonly DecodedBlock[];
  readonly #names: readonly number[];
  readonly #pageBytes: number;
  readonly #sound: Sight;
  /** By how many frames more two kernels may use memory for themselves. */
  readonly #ownFrames: number;

  /**
   * @param told what the next kernel was told at the jump; `system` has made it
   * @param meant the same jump into a kernel like the one that jumps, where this is into another
   */
  constructor(system: Rejumping, told: Told, meant?: DamageBench) {
    this.#system = system;
    this.#told = told;
    const { memory } = system.sees;
    this.#pageBytes = 2 ** memory.pageShift;
    let found: ReturnType<typeof decodeHandover> | undefined;
    system.jumpAgain(() => (found = decodeHandover(memory, told)));
    this.#blocks = found!.preserved;
    this.#names = found!.subtrees.map(({ name }) => nameIndex(name)).filter((name) => name >= 0);
    this.#sound = meant === undefined ? this.#look(() => {}) : meant.#sound;
    this.#ownFrames = meant === undefined ? 0 : OWN_FRAMES;
  }

  /** Whether the jump hands something over when nothing is wrong. */
  get revives(): boolean {
    return this.#sound.value === REVIVED;
  }

  /** Runs `read` on the memory that the next kernel finds. */
  atJump<T>(read: (memory: Memory, told: Told) => T): T {
    let result: T | undefined;
    this.#system.jumpAgain((memory) => (result = read(memory, this.#told)));
    return result as T;
  }

  /** Jumps with one byte changed: exclusive or with `flip`. */
  flip(field: Field, offset: number, flip: number): Damaged {
    return this.change((memory) => {
      const page = memory.page(field.pfn);
      if (page !== undefined) page[field.at + offset]! ^= flip;
    });
  }

  /** Jumps after a change of memory. */
  change(change: (memory: Memory, told: Told) => void): Damaged {
    return this.#compare(this.#look((memory) => change(memory, this.#told)));
  }

  #look(change: (memory: Memory) => void): Sight {
    const system = this.#system;
    const answer = system.jumpAgain(change);
    const { value } = answer;
    const { regions } = answer;
    const listed = Array.from({ length: regions.length }, (_, i) =>
      regions.count(i) === 0 ? NOT_FOUND : `${regions.first(i)}+${regions.count(i)}`,
    );
    if (value !== REVIVED) return { ...NOTHING_SEEN, value };
    const { sees } = system;
    const seen = observe(system);
    const frames = this.#frames();
    const { areas } = readScratchArray(sees.memory, sees.scratchArray(), sees.scratchBytes());
    return {
      value,
      held: frames.map((pfn) => ([HELD, REGION].includes(sees.use(pfn)) ? 'h' : '.')).join(''),
      content: frames.map((pfn) => sees.content(pfn)),
      free: sees.freeFrames(),
      scratch: JSON.stringify(areas),
      regions: listed,
      count: seen.kexecCount,
      passedOver: seen.passedOver.length,
      sessions: this.#sessions(),
      blobs: this.#names.map((name) => this.#lookUp(name)),
      orders: this.#blocks.map(
        ({ phys }) => system.call(call('restoreFolio', { pfn: phys / this.#pageBytes })).value,
      ),
    };
  }

  #sessions(): string {
    if (!hasAction(this.#told.reader as Generation, 'luoRetrieveSession')) return '';
    const ask = (name: number): number =>
      this.#system.call(call('luoRetrieveSession', { name })).value;
    const started = this.#system.call(call('luoStart')).value;
    return started < 0 ? NOT_FOUND : SESSIONS_ASKED.map(ask).join(' ');
  }

  #lookUp(name: number): string {
    const answer = this.#system.call(call('retrieveSubtree', { name }));
    return answer.value < 0 ? NOT_FOUND : `${answer.value}+${answer.bytes}`;
  }

  /** Frames of preserved blocks. */
  #frames(): number[] {
    return this.#blocks.flatMap(({ phys, order }) =>
      Array.from({ length: 2 ** order }, (_, i) => phys / this.#pageBytes + i),
    );
  }

  #compare(sight: Sight): Damaged {
    const sound = this.#sound;
    if (sight.value < 0) return { outcome: 'panic', effects: [] };
    if (sight.value !== REVIVED) return { outcome: 'refused', effects: [] };
    const effects = this.#effects(sight);
    if (effects.length > 0) return { outcome: 'silent', effects };
    const isWhole =
      sight.blobs.every((blob, i) => blob === sound.blobs[i]) &&
      sight.regions.every((region, i) => region === sound.regions[i]) &&
      sight.count === sound.count &&
      sight.sessions === sound.sessions &&
      sight.passedOver === sound.passedOver;
    return { outcome: isWhole ? 'same' : 'ignored', effects: [] };
  }

  #effects(sight: Sight): readonly Effect[] {
    const sound = this.#sound;
    const effects: Effect[] = [];
    const loses = sight.held !== sound.held;
    if (loses) effects.push('loses');
    if (sight.content.some((stamp, i) => stamp !== sound.content[i])) effects.push('overwrites');
    const reorders = sight.orders.some((order, i) => order !== sound.orders[i] && !isOwn(sound, i));
    if (!loses && reorders) effects.push('reorders');
    if (!loses && sight.free < sound.free - this.#slack(sight)) effects.push('invents');
    const elsewhere = (blob: string, i: number): boolean =>
      blob !== NOT_FOUND && blob !== sound.blobs[i];
    if (sight.blobs.some(elsewhere)) effects.push('blob');
    if (sight.scratch !== sound.scratch) effects.push('scratch');
    if (sight.regions.some((region, i) => this.#isMisplaced(region, sound.regions[i]))) {
      effects.push('region');
    }
    if (sight.count > 1 && sight.count !== sound.count) effects.push('count');
    return effects;
  }

  /** Frames that a kernel lacks for a reason: a region that was placed anew. */
  #slack(sight: Sight): number {
    let frames = this.#ownFrames;
    sight.regions.forEach((region, i) => {
      if (region === this.#sound.regions[i] || region === NOT_FOUND) return;
      frames += Math.ceil(Number(region.split('+')[1]) / this.#pageBytes);
    });
    return frames;
  }

  /** Whether a region lies on something that was handed over, and not where it lay. */
  #isMisplaced(region: string, before: string | undefined): boolean {
    if (region === before || region === NOT_FOUND) return false;
    const [start = 0, bytes = 0] = region.split('+').map(Number);
    return this.#blocks.some(
      ({ phys, order }) => start < phys + 2 ** order * this.#pageBytes && phys < start + bytes,
    );
  }
}

/** Whether a kernel took a block over by itself when it booted: then nobody else restores it. */
const isOwn = ({ orders }: Sight, block: number): boolean => orders[block]! < 0;

const NOTHING_SEEN = {
  held: '',
  content: [],
  free: 0,
  orders: [],
  blobs: [],
  scratch: '',
  regions: [],
  count: 0,
  passedOver: 0,
  sessions: '',
} as const;
