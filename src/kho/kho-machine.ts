/**
 * A machine that runs this implementation: the `System` that lockstep drives.
 *
 * It owns physical memory and the running kernel, carries calls to it, and moves segments at the
 * jump. What it lets an observer see is memory and the page allocator's view, nothing decoded.
 */
import { CallAnswer } from '#model/call';
import type { RangeList } from '#model/call';
import type { Call } from '#model/call';
import type { Machine, Memory, Observables, System, Told } from '#model/system';
import { EBUSY, EINVAL } from './errno.ts';
import type { Generation } from '#src/abi/description/generation';
import { SCRATCH_ENTRY_BYTES } from '#src/abi/description/scratch-array';
import { generationOf } from './boot.ts';
import type { Booted, BootParameters, KhoState, Platform } from './boot.ts';
import { throughChosen } from './chosen.ts';
import { INTENDED } from './decisions.ts';
import type { Decisions } from './decisions.ts';
import {
  CACHE_SEGMENT,
  TREE_SEGMENT,
  copyOf,
  imageState,
  isLuoAction,
  isMachineAction,
  khoOf,
  placeCrash,
  withoutHandover,
} from './images.ts';
import type { LoadedImage } from './images.ts';
import { Kernel } from './kernel.ts';
import { mergedRanges, writeCache } from './mem-cache.ts';
import { PhysicalMemory } from './physical-memory.ts';
import type { MemoryCopy } from './physical-memory.ts';
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

/** A jump and the memory that the next kernel finds. */
interface KeptJump {
  readonly memory: MemoryCopy;
  readonly parameters: BootParameters;
  readonly kho: KhoState;
  readonly platform: Platform;
}

/** The kernel of some age, in generations; see `Call.order`. */
export type OtherKernels = (age: number) => KernelBuild;

export class KhoMachine implements System {
  readonly machine: Machine;
  readonly sees: Observables;
  atJump: ((told: Told) => void) | undefined;
  /** Keep memory as it is at every jump, for `jumpAgain`. */
  keepsJumps = false;
  #lastJump: KeptJump | undefined;
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
      typesChanged: () => this.#kernel?.booted.types.changes ?? 0,
      touched: (visit) => this.#memory.journal.drain(visit),
      freeFrames: () => this.#kernel?.booted.allocator.freeFrames ?? 0,
      fdt: () => this.#treeInSight() * this.#platform.topology.pageBytes,
      generation: () => generationOf(this.#platform).id,
      passedOver: () => this.#kernel?.luo.passedOver ?? [],
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
    try {
      if (call.fails === 0) answer.value = this.#dispatch(call);
      else answer.value = this.#dispatchShort(call);
    } catch (error) {
      if (!(error instanceof KernelPanic)) throw error;
      // A kernel that does not survive what it is asked for does not answer.
      this.#kernel = undefined;
      answer.value = PANIC;
    }
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

  state(): unknown {
    const images = [this.#next, this.#crash].map(imageState);
    return [this.#memory, this.#platform.release, this.#kernel, images];
  }

  /** Kernels that ran before stay what they were: another one runs after a jump. */
  save(): () => void {
    const [platform, kernel] = [this.#platform, this.#kernel];
    const [next, crash] = [this.#next, this.#crash];
    const parts = [this.#memory, ...(kernel?.parts ?? [])].map((part) => part.save());
    return () => {
      [this.#platform, this.#kernel] = [platform, kernel];
      [this.#next, this.#crash] = [next, crash];
      for (const restore of parts) restore();
    };
  }

  #dispatch(call: Call): number {
    if (call.action === 'coldBoot') return this.#coldBoot(call);
    const kernel = this.#kernel;
    if (kernel === undefined) return -EINVAL;
    if (isLuoAction(call.action)) return kernel.luo[call.action](call);
    if (this.#platform.decisions.takesPageFor === call.action) kernel.takePage();
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
    const { decisions } = this.#platform;
    const told = parameters && throughChosen(this.machine, parameters, decisions);
    return Kernel.boot(this.#platform, told, this.#answer, this.#names, kho, line);
  }

  #boot(boot: () => Kernel): number {
    this.#next = undefined;
    this.#crash = undefined;
    this.#memory.journal.lose();
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
    if (this.#next !== undefined && !this.#platform.decisions.loadsOverImage) return -EBUSY;
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
    const { laterImageCounts, handsOverTreeOfLoad, loadKeepsArray } = this.#platform.decisions;
    if (this.#next !== undefined && !laterImageCounts) return;
    if (handover && !loadKeepsArray) this.#clearLastArea(kernel.booted);
    const copied = handover ? kernel.copiesTree : undefined;
    const keeps = handover && (handsOverTreeOfLoad || copied === 'load');
    const tree = keeps ? this.#memory.page(kernel.tree) : undefined;
    const treeFrame = copied === undefined ? 0 : segments.first(TREE_SEGMENT);
    const cacheFrame = copied !== undefined && kernel.hasCache ? segments.first(CACHE_SEGMENT) : 0;
    const platform = this.#platformToLoad(order);
    const kho = khoOf(kernelKind);
    const frames = { treeFrame, cacheFrame };
    this.#next = { segments, handover, kho, line, tree: tree?.slice(), ...frames, platform };
  }

  /** What becomes of the scratch array of a kernel that does not keep it. */
  #clearLastArea({ areas, scratchArray }: Booted): void {
    const page = this.#memory.pageForWriting(scratchArray / this.#platform.topology.pageBytes);
    const end = areas.length * SCRATCH_ENTRY_BYTES;
    page.fill(0, end - SCRATCH_ENTRY_BYTES, end);
  }

  /** The kernel that a load asks for: 1 + its age, or 0 for one like the one that runs. */
  #platformToLoad(order: number): Platform {
    if (order === 0) return this.#platform;
    return this.#platformOf(this.#others(order - 1), this.#platform.topology);
  }

  #unload({ value }: Call): number {
    const { unloadForgets, unloadsNothing } = this.#platform.decisions;
    const image = value === UNLOAD_CRASH ? this.#crash : this.#next;
    if (image === undefined && !unloadsNothing) return -EINVAL;
    if (!unloadForgets) return 0;
    if (value === UNLOAD_CRASH) this.#crash = undefined;
    else this.#next = undefined;
    return 0;
  }

  /** The memory for it is written at once; an image that was there is gone either way. */
  #loadCrash(kernel: Kernel, { count }: Call): number {
    const { decisions, topology } = this.#platform;
    this.#crash = undefined;
    const { placed } = this.#answer;
    const value = placeCrash(kernel.booted.crash, count, topology, decisions, placed);
    if (value < 0) return value;
    const segments = copyOf(placed);
    this.#copySegments(segments);
    const handover = decisions.crashImageCarriesHandover && kernel.handsOver;
    if (handover) kernel.placeArray(segments);
    const platform = this.#platform;
    const more = { kho: 'on', line: 0, tree: undefined, treeFrame: 0, cacheFrame: 0 } as const;
    this.#crash = { segments, handover, ...more, platform };
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
    const tree = image.handover ? this.#carryTree(kernel, image) : 0;
    const parameters = image.handover
      ? this.#handOver(kernel, image, tree)
      : withoutHandover(image);
    if (image.handover) damageTree(this.#memory, tree, value, this.#names[name] ?? '');
    this.#tellOfJump(parameters, image.platform);
    if (this.keepsJumps) {
      const { kho, platform } = image;
      this.#lastJump = { memory: this.#memory.copyAll(), parameters, kho, platform };
    }
    this.#platform = image.platform;
    return this.#boot(() => this.#bootWith(parameters, image.kho));
  }

  /** Frame of the tree that the next kernel is told of. */
  #carryTree(kernel: Kernel, { tree, treeFrame }: LoadedImage): number {
    const at = treeFrame === 0 ? kernel.tree : treeFrame;
    const bytes = tree ?? this.#memory.page(kernel.tree);
    if (bytes === undefined || (at === kernel.tree && tree === undefined)) return at;
    this.#memory.zeroPage(at).set(bytes);
    return at;
  }

  /**
   * Starts the kernel of the last jump once more, from the memory that it found then.
   *
   * @param change what happens to that memory before
   * @throws Error when no jump was kept
   */
  jumpAgain(change: (memory: Memory) => void): CallAnswer {
    const jump = this.#lastJump;
    if (jump === undefined) throw new Error('no jump was kept');
    this.#answer.reset();
    this.#memory.putBack(jump.memory);
    change(this.#memory);
    this.#platform = jump.platform;
    this.#answer.value = this.#boot(() => this.#bootWith(jump.parameters, jump.kho));
    return this.#answer;
  }

  #tellOfJump({ fdt, scratchArray, scratchBytes }: BootParameters, next: Platform): void {
    const writer = generationOf(this.#platform).id;
    this.atJump?.({ fdt, scratchArray, scratchBytes, writer, reader: generationOf(next).id });
  }

  /** Writes the scratch array of an image; what it says is where the handover is. */
  #handOver(kernel: Kernel, image: LoadedImage, tree: number): BootParameters {
    const { segments, line, cacheFrame } = image;
    const { decisions, topology } = this.#platform;
    const { pageBytes } = topology;
    const { areas } = kernel.booted;
    const array = segments.first(segments.length - 1);
    writeScratchArray(this.#memory.zeroPage(array), areas, pageBytes);
    const told = { image: segments, fdt: tree * pageBytes, line };
    if (cacheFrame === 0) {
      const scratchBytes = areas.length * SCRATCH_ENTRY_BYTES;
      return { ...told, scratchArray: array * pageBytes, scratchBytes };
    }
    const ranges = mergedRanges(this.#memory.page(tree)!, pageBytes, decisions);
    const cacheBytes = writeCache(this.#memory.zeroPage(cacheFrame), ranges);
    // The one area is named itself.
    const { first, count } = areas[0]!;
    const area = { scratchArray: first * pageBytes, scratchBytes: count * pageBytes };
    return { ...told, ...area, cache: cacheFrame * pageBytes, cacheBytes };
  }

  /** A crash: the kdump kernel starts where it was loaded. */
  #crashInto(kernel: Kernel): number {
    const other = this.#platform.decisions.crashNeedsItsImage ? undefined : this.#next;
    const image = this.#crash ?? other;
    if (image === undefined) return -EINVAL;
    if (image.handover) {
      const parameters = this.#handOver(kernel, image, kernel.tree);
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
