/**
 * What random traces met of the boundary values that KHO's history made dangerous.
 *
 * A value is noted under the words that the tests name it by, and only when the call that brings it
 * was executed and accepted, or refused as it must be.
 */
import { SUBTREE_NAMES } from '#model/machines';
import { CROWD_FIRST, CROWD_LENGTHS, MEASURED_FIRST } from '#model/machines';
import type { TracePlan } from '#model/generators';
import type { ExecutedCall, TraceRunner } from '#src/checker/run-trace';
import { Tally } from '#src/checker/tally';
import { eachBlock } from '#spec/blocks';
import { METADATA_NAME } from '#spec/handover-tree';
import type { State } from '#spec/state';
import { runsBefore } from '#spec/state';

const NAME_A = SUBTREE_NAMES.indexOf('a');
const NAME_A1 = SUBTREE_NAMES.indexOf('a@1');

export class Boundaries {
  readonly met = new Set<string>();
  /** Names of one length that were added in a row. */
  #alike = 0;
  /** Names of the tree that is not written yet if they are of one length, and that length. */
  #announced: readonly [number, number] = [0, 0];

  /** Runs a trace; answers what broke, which is nothing. */
  run(runner: TraceRunner, plan: TracePlan): string | undefined {
    const { violation } = runner.run(plan, new Tally(), (executed, state) =>
      this.#note(executed, state),
    );
    return violation && `${violation.rule.id}: ${violation.text}`;
  }

  #note({ step, call, value }: ExecutedCall, state: State): void {
    const { action, pfn, count, order } = call;
    if (action === 'preservePages') this.#noteRange(state, pfn, count, value);
    if (action === 'preserveFolio' && value === 0) this.#noteBlock(pfn, order);
    if (action === 'addSubtree') this.#noteName(state, call.name, value);
    if (action === 'vmalloc' && value >= 0 && order === 0) this.met.add(`area of ${count} pages`);
    if (action === 'finalize' || action === 'kexecFileLoad') this.#noteList(state);
    if (action === 'finalize') this.#noteOldTree(value);
    if (step?.do !== 'crowd alike') this.#alike = 0;
    for (let slot = 0; slot < (state.machine.reserveMem?.names.length ?? 0); slot++) {
      this.#noteRegion(state, slot);
    }
  }

  #noteRange(state: State, pfn: number, count: number, value: number): void {
    if (value !== 0) {
      if (Math.log2(count) >= 16) this.met.add(`order ${Math.log2(count)} refused`);
      return;
    }
    this.met.add(`range of ${count} pages`);
    const { nodes } = state.machine;
    nodes.slice(1).forEach(({ first }, i) => {
      const crossed = nodes[i]!.first < first && pfn < first && first < pfn + count;
      if (crossed && first % 2 !== 0) this.met.add('range across a border within a block');
      const off = pfn - first;
      if (off >= -1 && off <= 1) this.met.add(`range at a node border ${off < 0 ? '' : '+'}${off}`);
    });
    eachBlock(state.machine, pfn, count, (head, order) => this.#noteBlock(head, order));
  }

  #noteBlock(pfn: number, order: number): void {
    this.met.add(`order ${order}`);
    this.met.add(`bitmap index ${Math.floor(pfn / 2 ** order)}`);
    if (pfn <= 1) this.met.add(`pfn ${pfn}`);
    if (pfn > 1 && Number.isInteger(Math.log2(pfn))) this.met.add(`pfn 2^${Math.log2(pfn)}`);
    const next = Math.log2(pfn + 1);
    if (pfn > 1 && Number.isInteger(next)) this.met.add(`pfn 2^${next}-1`);
  }

  #noteName(state: State, name: number, value: number): void {
    const chars = SUBTREE_NAMES[name]!.length;
    if (value === 0) this.met.add(`name of ${chars} chars`);
    const both = state.outFrame.get(NAME_A) > 0 && state.outFrame.get(NAME_A1) > 0;
    if (value === 0 && both) this.met.add("names 'a' and 'a@1'");
    if (name < CROWD_FIRST || name >= MEASURED_FIRST) return;
    if (runsBefore(state, '6.19')) this.#announced = this.#alikeOnly(state);
    if (value === 0) this.#alike++;
    else if (value === -12 && this.#alike > 0) {
      const era = runsBefore(state, '7.1') ? 'one' : 'two';
      this.met.add(`page full of names of ${chars} chars, ${era} property`);
      this.#alike = 0;
    }
  }

  /** A tree that is written at once: how many names it has, if they are of one length. */
  #noteOldTree(value: number): void {
    const [most, chars] = this.#announced;
    if (most > 0 && value === 0) this.met.add(`${most} names of ${chars} chars`);
    if (most > 0 && value === -12)
      this.met.add(`more than ${most - 1} names of ${chars} chars refused`);
    this.#announced = [0, 0];
  }

  /** How many names a tree has that is not written yet, and of what length, if all are of one. */
  #alikeOnly(state: State): readonly [number, number] {
    const names: number[] = [];
    for (let name = 0; name < state.machine.nameBytes.length; name++) {
      if (state.outFrame.get(name) > 0 && name !== METADATA_NAME) names.push(name);
    }
    const kind = (name: number): number => (name - CROWD_FIRST) % CROWD_LENGTHS;
    const [first = 0] = names;
    const isAlike = names.every((name) => name >= CROWD_FIRST && kind(name) === kind(first));
    return isAlike ? [names.length, SUBTREE_NAMES[first]!.length] : [0, 0];
  }

  /** How many bitmaps of single pages a list of an old kernel has. */
  #noteList(state: State): void {
    if (!runsBefore(state, '7.1')) return;
    const bits = runsBefore(state, '6.18') ? 4096 : 2 ** (state.machine.pageShift + 3);
    const bitmaps = new Set<number>();
    state.eachFrame((pfn) => {
      if (state.kept.get(pfn) & 1) bitmaps.add(Math.floor(pfn / bits));
    });
    this.met.add(`chunk entries ${bitmaps.size}`);
  }

  #noteRegion(state: State, slot: number): void {
    const bytes = state.regionBytes.get(slot);
    if (bytes === 0) return;
    const page = 2 ** state.machine.pageShift;
    const into = (state.regionStart.get(slot) - 1) % page;
    if (bytes === page && into > 0) this.met.add('region of a page across two');
    this.met.add(`region of ${bytes} bytes`);
  }
}
