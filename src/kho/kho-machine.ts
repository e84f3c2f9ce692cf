/**
 * A machine that runs this implementation: the `System` that lockstep drives.
 *
 * It owns physical memory and the running kernel, carries calls to it, and moves segments at the
 * jump. What it lets an observer see is memory and the page allocator's view, nothing decoded.
 */
import { FdtReader } from 'fdt-ts';
import { CallAnswer, RangeList } from '#model/call';
import type { Call } from '#model/call';
import type { Machine, Observables, System } from '#model/system';
import { COMPATIBLE_PROPERTY, MEMORY_MAP_PROPERTY } from '#src/abi/description/root-tree';
import { EINVAL } from './errno.ts';
import type { BootParameters, Platform } from './boot.ts';
import { INTENDED } from './decisions.ts';
import type { Decisions } from './decisions.ts';
import { Kernel } from './kernel.ts';
import { PhysicalMemory } from './physical-memory.ts';
import { KernelPanic } from './radix-tracker.ts';
import { writeScratchArray } from './scratch.ts';
import { Topology } from './topology.ts';

/** Values that the law's `use` has, as the page allocator can tell them. */
const USE_FREE = 0;
const USE_MOVABLE = 1;
const USE_UNMOVABLE = 2;
const USE_EARLY = 4;
const USE_HELD = 5;

/** `Answer.value` of a boot that ended in a panic. */
export const PANIC = -1000;

/** What a machine runs: the kernel's ABI string, its release and its decisions. */
export interface KernelBuild {
  readonly compatible: string;
  readonly release: string;
  readonly decisions?: Decisions;
}

export class KhoMachine implements System {
  readonly machine: Machine;
  readonly sees: Observables;
  readonly #memory: PhysicalMemory;
  readonly #platform: Platform;
  readonly #answer = new CallAnswer();
  readonly #names: readonly string[];
  readonly #image = new RangeList();
  #kernel: Kernel | undefined;
  #loaded = false;

  /** @param names subtree names by the index that calls use */
  constructor(machine: Machine, build: KernelBuild, names: readonly string[]) {
    this.machine = machine;
    this.#names = names;
    this.#memory = new PhysicalMemory(machine.pageShift);
    this.#platform = {
      machine,
      topology: new Topology(machine),
      memory: this.#memory,
      decisions: build.decisions ?? INTENDED,
      compatible: build.compatible,
      release: build.release,
    };
    this.sees = {
      memory: this.#memory,
      use: (pfn) => this.#use(pfn),
      content: (pfn) => this.#memory.stamp(pfn),
      freeFrames: () => this.#kernel?.booted.allocator.freeFrames ?? 0,
      fdt: () => (this.#kernel?.tree ?? 0) * this.#platform.topology.pageBytes,
      scratchArray: () => this.#kernel?.booted.scratchArray ?? 0,
      scratchBytes: () => (this.#kernel?.booted.areas.length ?? 0) * 16,
    };
  }

  call(call: Call): CallAnswer {
    const answer = this.#answer;
    answer.reset();
    answer.value = this.#dispatch(call);
    return answer;
  }

  #dispatch(call: Call): number {
    switch (call.action) {
      case 'coldBoot':
        return this.#coldBoot();
      case 'kexecFileLoad':
        return this.#load();
      case 'kexec':
        return this.#kexec(call.value);
      default:
        return this.#kernel === undefined ? -EINVAL : this.#kernel[call.action](call);
    }
  }

  #coldBoot(): number {
    this.#memory.clear();
    return this.#boot(undefined);
  }

  #boot(parameters: BootParameters | undefined): number {
    this.#loaded = false;
    try {
      this.#kernel = Kernel.boot(this.#platform, parameters, this.#answer, this.#names);
    } catch (error) {
      if (!(error instanceof KernelPanic)) throw error;
      this.#kernel = undefined;
      return PANIC;
    }
    return this.#answer.value;
  }

  #load(): number {
    const kernel = this.#kernel;
    if (kernel === undefined) return -EINVAL;
    const value = kernel.placeSegments(this.#answer.placed);
    if (value === 0) {
      this.#image.copyFrom(this.#answer.placed);
      this.#loaded = true;
    }
    return value;
  }

  /** Copies the segments into place and starts the next kernel. */
  #kexec(damage: number): number {
    const kernel = this.#kernel;
    if (kernel === undefined || !this.#loaded) return -EINVAL;
    const { pageBytes } = this.#platform.topology;
    const areas = kernel.booted.areas;
    for (let i = 0; i < this.#image.length; i++) {
      this.#memory.overwrite(this.#image.first(i), this.#image.count(i));
    }
    const array = this.#image.first(this.#image.length - 1);
    writeScratchArray(this.#memory.zeroPage(array), areas, pageBytes);
    damageTree(this.#memory.page(kernel.tree), damage);
    return this.#boot({
      image: this.#image,
      fdt: kernel.tree * pageBytes,
      scratchArray: array * pageBytes,
      scratchBytes: areas.length * 16,
    });
  }

  #use(pfn: number): number {
    const booted = this.#kernel?.booted;
    if (booted === undefined) return USE_FREE;
    switch (booted.allocator.ownerOf(pfn)) {
      case 'free':
        return USE_FREE;
      case 'movable':
        return USE_MOVABLE;
      case 'unmovable':
        return USE_UNMOVABLE;
      default:
        if (booted.held.holds(pfn)) return USE_HELD;
        return booted.early.has(pfn) ? USE_EARLY : -1;
    }
  }
}

/** Damages the outgoing tree in one of the ways that `Call.value` of `kexec` names. */
const damageTree = (tree: Uint8Array | undefined, damage: number): void => {
  if (tree === undefined || damage === 0) return;
  const reader = new FdtReader(tree);
  if (damage === 1) tree[0]! ^= 0xff;
  else if (damage === 2) changeFirst(reader.property(0, COMPATIBLE_PROPERTY), 0x58);
  else if (damage === 3) changeFirst(stringBytes(tree, MEMORY_MAP_PROPERTY), 0x58);
  else reader.property(0, MEMORY_MAP_PROPERTY)?.fill(0);
};

const changeFirst = (bytes: Uint8Array | undefined, value: number): void => {
  if (bytes !== undefined) bytes[0] = value;
};

/** Where a string stands in a page. */
const stringBytes = (page: Uint8Array, text: string): Uint8Array | undefined => {
  const at = Buffer.from(page.buffer, page.byteOffset, page.length).indexOf(text);
  return at < 0 ? undefined : page.subarray(at);
};
