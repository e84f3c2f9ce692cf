/**
 * A machine that runs this implementation: the `System` that lockstep drives.
 *
 * It owns physical memory and the running kernel, carries calls to it, and moves segments at the
 * jump. What it lets an observer see is memory and the page allocator's view, nothing decoded.
 */
import { CallAnswer } from '#model/call';
import type { RangeList } from '#model/call';
import type { Call } from '#model/call';
import type { Machine, Observables, System } from '#model/system';
import { EINVAL } from './errno.ts';
import type { Generation } from '#src/abi/description/generation';
import { SCRATCH_ENTRY_BYTES } from '#src/abi/description/scratch-array';
import { generationOf } from './boot.ts';
import type { Booted, BootParameters, KhoState, Platform } from './boot.ts';
import { INTENDED } from './decisions.ts';
import type { Decisions } from './decisions.ts';
import { copyOf, isMachineAction, khoOf, placeCrash, withoutHandover } from './images.ts';
import type { LoadedImage } from './images.ts';
import { Kernel } from './kernel.ts';
import { PhysicalMemory } from './physical-memory.ts';
import { KernelPanic } from './radix-tracker.ts';
import { writeScratchArray } from './scratch.ts';
import { damageTree } from './tree-damage.ts';
import { Topology } from './topology.ts';

/** Values that the law's `use` has, as the page allocator can tell them. */
const USE_FREE = 0;
const USE_MOVABLE = 1;
const USE_UNMOVABLE = 2;
const USE_EARLY = 4;
const USE_HELD = 5;
const USE_REGION = 6;
const USE_LEFT = 7;
const USE_PINNED = 8;

/** `Call.value` of `kexecUnload` for the image of the crash kernel. */
const UNLOAD_CRASH = 1;

/** `Answer.value` of a boot that ended in a panic. */
export const PANIC = -1000;

/** What a machine runs: the kernel's ABI string, its release and its decisions. */
export interface KernelBuild {
  readonly compatible: string;
  readonly release: string;
  readonly decisions?: Decisions;
  /** Its generation; the newest when absent. */
  readonly generation?: Generation;
}

/** The kernel of some age, in generations; see `Call.order`. */
export type OtherKernels = (age: number) => KernelBuild;

export class KhoMachine implements System {
  readonly machine: Machine;
  readonly sees: Observables;
  readonly #memory: PhysicalMemory;
  /** What the running kernel is, and what a machine is switched on with. */
  #platform: Platform;
  readonly #installed: Platform;
  readonly #others: OtherKernels;
  readonly #answer = new CallAnswer();
  readonly #names: readonly string[];
  #kernel: Kernel | undefined;
  /** The image of the next kernel, and that of the crash kernel. */
  #next: LoadedImage | undefined;
  #crash: LoadedImage | undefined;

  /**
   * @param names subtree names by the index that calls use
   * @param others kernels that a load may ask for by their age; all are like `build` when absent
   */
  constructor(
    machine: Machine,
    build: KernelBuild,
    names: readonly string[],
    others: OtherKernels = () => build,
  ) {
    this.machine = machine;
    this.#names = names;
    this.#memory = new PhysicalMemory(machine.pageShift);
    this.#others = others;
    this.#installed = this.#platformOf(build, new Topology(machine));
    this.#platform = this.#installed;
    this.sees = {
      memory: this.#memory,
      use: (pfn) => this.#use(pfn),
      content: (pfn) => this.#memory.stamp(pfn),
      migrateType: (pfn) => this.#kernel?.booted.types.typeOf(pfn) ?? -1,
      freeFrames: () => this.#kernel?.booted.allocator.freeFrames ?? 0,
      fdt: () => this.#treeInSight() * this.#platform.topology.pageBytes,
      generation: () => generationOf(this.#platform).id,
      passedOver: () => this.#kernel?.passedOver ?? [],
      scratchArray: () => this.#kernel?.booted.scratchArray ?? 0,
      scratchBytes: () => (this.#kernel?.booted.areas.length ?? 0) * 16,
      debugfs: () => (this.#kernel?.handsOver ? this.#kernel.debugfs.files() : new Map()),
    };
  }

  #platformOf(build: KernelBuild, topology: Topology): Platform {
    const { compatible, release, generation, decisions = INTENDED } = build;
    return {
      machine: this.machine,
      topology,
      memory: this.#memory,
      decisions,
      compatible,
      release,
      ...(generation === undefined ? {} : { generation }),
    };
  }

  /** Frame of the outgoing tree; 0 while there is none. */
  #treeInSight(): number {
    return this.#kernel?.outgoing.written === true ? this.#kernel.tree : 0;
  }

  call(call: Call): CallAnswer {
    const answer = this.#answer;
    answer.reset();
    if (call.fails === 0) answer.value = this.#dispatch(call);
    else answer.value = this.#dispatchShort(call);
    return answer;
  }

  /** The same, and one request for a page is refused. */
  #dispatchShort(call: Call): number {
    const allocator = this.#kernel?.booted.allocator;
    allocator?.refuse(call.fails);
    const value = this.#dispatch(call);
    allocator?.refuse(0);
    return value;
  }

  #dispatch(call: Call): number {
    if (call.action === 'coldBoot') return this.#coldBoot(call);
    const kernel = this.#kernel;
    if (kernel === undefined) return -EINVAL;
    if (!isMachineAction(call.action)) return kernel[call.action](call);
    switch (call.action) {
      case 'kexecFileLoad':
        return this.#load(kernel, call);
      case 'kexecLoad':
        return this.#loadAnywhere(kernel, call);
      case 'kexecUnload':
        return this.#unload(call);
      case 'kexecCrashLoad':
        return this.#loadCrash(kernel, call);
      case 'kexec':
        return this.#kexec(kernel, call);
      default:
        return this.#crashInto(kernel);
    }
  }

  #coldBoot({ name, order, value }: Call): number {
    const kho = khoOf(value);
    this.#memory.clear();
    this.#platform = order === 0 ? this.#installed : this.#platformToLoad(order);
    return this.#boot(() => this.#bootWith(undefined, kho, name));
  }

  #bootWith(parameters: BootParameters | undefined, kho: KhoState, line = 0): Kernel {
    return Kernel.boot(this.#platform, parameters, this.#answer, this.#names, kho, line);
  }

  #boot(boot: () => Kernel): number {
    this.#next = undefined;
    this.#crash = undefined;
    try {
      this.#kernel = boot();
    } catch (error) {
      if (!(error instanceof KernelPanic)) throw error;
      this.#kernel = undefined;
      return PANIC;
    }
    return this.#answer.value;
  }

  #load(kernel: Kernel, { name, count, order, value }: Call): number {
    const { placed } = this.#answer;
    const answer = kernel.placeSegments(placed, count);
    if (answer === 0) this.#put(kernel, copyOf(placed), kernel.attaches, name, value, order);
    else if (!this.#platform.decisions.failedLoadKeepsImage) this.#next = undefined;
    return answer;
  }

  /** kexec_load(2): the caller says where the image goes. */
  #loadAnywhere(kernel: Kernel, { name, pfn, count, order, value }: Call): number {
    const { placed } = this.#answer;
    const carries = this.#platform.decisions.anyImageCarriesHandover && kernel.handsOver;
    placed.add(pfn, count);
    const segments = copyOf(placed);
    if (carries) kernel.placeArray(segments);
    this.#put(kernel, segments, carries, name, value, order);
    return 0;
  }

  /** An image takes the place of the one that was loaded. */
  #put(
    kernel: Kernel,
    segments: RangeList,
    handover: boolean,
    line: number,
    kernelKind: number,
    order: number,
  ): void {
    const { laterImageCounts, handsOverTreeOfLoad } = this.#platform.decisions;
    if (this.#next !== undefined && !laterImageCounts) return;
    const tree = handover && handsOverTreeOfLoad ? this.#memory.page(kernel.tree) : undefined;
    const platform = this.#platformToLoad(order);
    const kho = khoOf(kernelKind);
    this.#next = { segments, handover, kho, line, tree: tree?.slice(), platform };
  }

  /** The kernel that a load asks for: 1 + its age, or 0 for one like the one that runs. */
  #platformToLoad(order: number): Platform {
    if (order === 0) return this.#platform;
    return this.#platformOf(this.#others(order - 1), this.#platform.topology);
  }

  #unload({ value }: Call): number {
    if (!this.#platform.decisions.unloadForgets) return 0;
    if (value === UNLOAD_CRASH) this.#crash = undefined;
    else this.#next = undefined;
    return 0;
  }

  /** The memory for it is written at once; an image that was there is gone either way. */
  #loadCrash(kernel: Kernel, { count }: Call): number {
    this.#crash = undefined;
    const { crash } = kernel.booted;
    const { placed } = this.#answer;
    const value = placeCrash(crash, count, placed);
    if (value < 0) return value;
    const segments = copyOf(placed);
    this.#copySegments(segments);
    const handover = this.#platform.decisions.crashImageCarriesHandover && kernel.handsOver;
    if (handover) kernel.placeArray(segments);
    const platform = this.#platform;
    this.#crash = { segments, handover, kho: 'on', line: 0, tree: undefined, platform };
    return 0;
  }

  #copySegments(segments: RangeList): void {
    for (let i = 0; i < segments.length; i++) {
      this.#memory.overwrite(segments.first(i), segments.count(i));
    }
  }

  /** Copies the segments into place and starts the next kernel. */
  #kexec(kernel: Kernel, { name, value }: Call): number {
    const image = this.#next;
    if (image === undefined) return -EINVAL;
    const ready = image.handover ? kernel.prepareJump() : 0;
    if (ready < 0) return ready;
    this.#answer.reset();
    this.#copySegments(image.segments);
    if (image.tree !== undefined) this.#memory.pageForWriting(kernel.tree).set(image.tree);
    const parameters = image.handover ? this.#handOver(kernel, image) : withoutHandover(image);
    if (image.handover) damageTree(this.#memory, kernel.tree, value, this.#names[name] ?? '');
    this.#platform = image.platform;
    return this.#boot(() => this.#bootWith(parameters, image.kho));
  }

  /** Writes the scratch array of an image; what it says is where the handover is. */
  #handOver(kernel: Kernel, { segments, line }: LoadedImage): BootParameters {
    const { pageBytes } = this.#platform.topology;
    const { areas } = kernel.booted;
    const array = segments.first(segments.length - 1);
    writeScratchArray(this.#memory.zeroPage(array), areas, pageBytes);
    return {
      image: segments,
      fdt: kernel.tree * pageBytes,
      scratchArray: array * pageBytes,
      scratchBytes: areas.length * SCRATCH_ENTRY_BYTES,
      line,
    };
  }

  /** A crash: the kdump kernel starts where it was loaded. */
  #crashInto(kernel: Kernel): number {
    const image = this.#crash;
    if (image === undefined) return -EINVAL;
    if (image.handover) {
      const parameters = this.#handOver(kernel, image);
      return this.#boot(() => this.#bootWith(parameters, 'on'));
    }
    const { crash } = kernel.booted;
    return this.#boot(() =>
      Kernel.bootKdump(this.#platform, image.segments, crash, this.#answer, this.#names),
    );
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
      case 'pinned':
        return USE_PINNED;
      default:
        if (this.#kernel!.regions.covers(pfn)) return USE_REGION;
        if (isBeyond(booted, pfn)) return USE_LEFT;
        if (booted.held.holds(pfn)) return USE_HELD;
        return booted.early.has(pfn) ? USE_EARLY : -1;
    }
  }
}

/** Whether a kdump kernel runs that does not manage this frame. */
const isBeyond = ({ kho, crash }: Booted, pfn: number): boolean =>
  kho === 'kdump' && (pfn < crash.first || pfn >= crash.first + crash.count);
