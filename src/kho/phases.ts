/**
 * The phases of a running kernel: who writes down when what is handed over, and what may change
 * until then. Data of the generation says which of these there are.
 *
 * Source: kernel/kexec_handover.c (kho_finalize, kho_abort) up to 6.18,
 * kernel/liveupdate/kexec_handover.c (kho_finalize) in 6.19 and 7.0; kho_finalize and kho_unfreeze
 * of the series v5, kho_serialize and kho_abort of v3 and v4.
 */
import type { Generation } from '#src/abi/description/generation';
import { MEMBLOCK } from '#src/abi/description/sub-blobs';
import type { Platform } from './boot.ts';
import type { Debugfs } from './debugfs.ts';
import { EEXIST, EINVAL, ENOENT, ENOMEM } from './errno.ts';
import type { OutgoingTree } from './outgoing-tree.ts';
import type { PageSource } from './radix-tracker.ts';
import type { RegionList } from './region-list.ts';
import type { Tracker } from './tracker.ts';

/** What phases work with. */
export interface PhaseHost {
  readonly platform: Platform;
  readonly generation: Generation;
  readonly tracker: Tracker;
  readonly pages: PageSource;
  readonly outgoing: OutgoingTree;
  readonly debugfs: Debugfs;
  readonly regions: RegionList;
  /** Frame of the outgoing tree. */
  readonly tree: number;
}

/** Whether kernels of a generation let memory change at any time up to the jump. */
export const freezesNothing = ({ phases }: Generation): boolean =>
  phases.preserveWhenOn === undefined;

export class Phases {
  readonly #host: PhaseHost;
  /** Whether everything is written down and nothing may change. */
  #final = false;

  constructor(host: PhaseHost) {
    this.#host = host;
  }

  /** Writes down what will be handed over; answers 0, an error, or -ENOENT without phases. */
  finalize(): number {
    const { platform, generation, tracker } = this.#host;
    const { kind, again } = generation.phases;
    if (kind === 'stateless') return -ENOENT;
    if (this.#final && platform.decisions.finalRefusesFinalizing) {
      return again === undefined ? 0 : -EEXIST;
    }
    if (freezesNothing(generation)) {
      const refuses = tracker.root !== 0 && !platform.decisions.finalizesAnew;
      return refuses ? -EEXIST : this.#writeDown();
    }
    const failed = this.#preserveOwn() ? this.#writeDown() : -ENOMEM;
    if (failed < 0) this.#takeAllBack();
    else this.#final = true;
    return failed;
  }

  state(): unknown {
    return this.#final;
  }

  save(): () => void {
    const final = this.#final;
    return () => {
      this.#final = final;
    };
  }

  #writeDown(): number {
    const { tracker, outgoing, pages, platform } = this.#host;
    if (!tracker.write(pages)) return -ENOMEM;
    return outgoing.write(tracker.root * platform.topology.pageBytes);
  }

  /** What the kernel keeps for itself: its regions, their list, and a tree that is not copied. */
  #preserveOwn(): boolean {
    const { generation, tracker, tree, pages, regions } = this.#host;
    const keepsTree = generation.root.copied === undefined;
    return (!keepsTree || tracker.add(tree, 0, pages)) && regions.preserve();
  }

  #takeAllBack(): void {
    const { generation, tracker, outgoing, debugfs, pages, regions } = this.#host;
    this.#final = false;
    if (generation.phases.off?.dropsPreserved === false) tracker.unlist(pages);
    else tracker.forget(pages);
    const kept = regions.isListed ? MEMBLOCK.name : '';
    if (this.#host.platform.decisions.abortDropsTree) outgoing.forget(kept);
    debugfs.forget(kept);
  }

  /** Takes what was written down back; answers 0, -ENOENT, or -EINVAL where nobody can. */
  abort(): number {
    const { platform, generation, tracker, pages } = this.#host;
    const { decisions } = platform;
    const { kind, off } = generation.phases;
    if (kind === 'stateless') return -ENOENT;
    if (off === undefined && decisions.abortIsOver) return -EINVAL;
    if (off === undefined) {
      tracker.unlist(pages);
      return 0;
    }
    if (!this.#final) return off.whenOff === 'nothing' ? 0 : -ENOENT;
    this.#takeAllBack();
    this.#final = !decisions.abortEndsFinal;
    return 0;
  }

  /** What a kernel does before it jumps with a handover. */
  prepareJump(): number {
    const { platform, generation } = this.#host;
    const finalizes = generation.phases.jumpFinalizes === true && !this.#final;
    return finalizes && platform.decisions.jumpFinalizes ? this.finalize() : 0;
  }

  /** Whether an image that is loaded now gets a handover, in a kernel that has any. */
  get attaches(): boolean {
    const { platform, generation } = this.#host;
    const always = freezesNothing(generation) || generation.phases.jumpFinalizes === true;
    return always || this.#final || !platform.decisions.attachesOnlyFinal;
  }

  /** Whether images have to go to scratch: up to v4 only in the active phase. */
  get confinesImages(): boolean {
    return this.#host.generation.phases.kind !== 'active' || this.#final;
  }

  /** Whether changes are refused. */
  get isFrozen(): boolean {
    return this.#final && this.#host.platform.decisions.finalRefusesChanges;
  }
}
