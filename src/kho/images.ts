/**
 * Images that are loaded: where their segments go, what they carry, what the next kernel is told.
 *
 * An image is placed when it is loaded and copied when the machine jumps. Nothing of a handover is
 * in it but an address and the scratch array: what stands in memory at the jump is handed over.
 */
import { RangeList } from '#model/call';
import type { ActionName } from '#model/call';
import { IMAGE_FRAMES } from './boot.ts';
import type { BootParameters, KhoState, Platform } from './boot.ts';
import type { Decisions } from './decisions.ts';
import { EADDRNOTAVAIL } from './errno.ts';
import { Memblock } from './memblock.ts';
import type { Topology } from './topology.ts';

/** Frames of the initial ramdisk that goes with an image. */
const INITRD_FRAMES = 4;
/** Places of the copied tree and of `mem_cache` among the segments. */
export const TREE_SEGMENT = 2;
export const CACHE_SEGMENT = 3;
/** The scratch array of an image is aligned to 64 KiB. */
const ARRAY_ALIGN_BYTES = 65536;

/** Memory that segments may go to, in order of preference; in frames. */
export interface Bounds {
  readonly first: number;
  readonly count: number;
}

/** What an image is. */
export interface LoadedImage {
  readonly segments: RangeList;
  /** Whether it comes with a handover: the last segment is its scratch array then. */
  readonly handover: boolean;
  /** What its command line makes of KHO. */
  readonly kho: KhoState;
  /** Index of its command line among those of the machine. */
  readonly line: number;
  /** The outgoing tree as it stood at the load, where the next kernel gets that one. */
  readonly tree: Uint8Array | undefined;
  /** Frame of the segment that the tree is copied to; 0 where its own page is handed over. */
  readonly treeFrame: number;
  /** Frame of the segment for `mem_cache`; 0 where there is none. */
  readonly cacheFrame: number;
  /** The kernel in it. */
  readonly platform: Platform;
}

/** What a loaded image is, as plain values; see `Stateful`. */
export const imageState = (image: LoadedImage | undefined): unknown => {
  if (image === undefined) return 0;
  const { segments, platform, ...rest } = image;
  const places = Array.from({ length: segments.length }, (_, at) => [
    segments.first(at),
    segments.count(at),
  ]);
  return [places, platform.release, rest];
};

/** Actions that a machine carries out; all others are those of the kernel that runs on it. */
export type MachineAction =
  'coldBoot' | 'kexecFileLoad' | 'kexecLoad' | 'kexecUnload' | 'kexecCrashLoad' | 'kexec' | 'crash';

const MACHINE_ACTIONS: ReadonlySet<ActionName> = new Set<MachineAction>([
  'coldBoot',
  'kexecFileLoad',
  'kexecLoad',
  'kexecUnload',
  'kexecCrashLoad',
  'kexec',
  'crash',
]);

/** Actions of the live update orchestrator. */
export type LuoAction = Extract<ActionName, `luo${string}`>;

export const isLuoAction = (action: ActionName): action is LuoAction => action.startsWith('luo');

export const isMachineAction = (action: ActionName): action is MachineAction =>
  MACHINE_ACTIONS.has(action);

/** What `Call.value` makes of the KHO of a kernel. */
export const khoOf = (value: number): KhoState =>
  value === 0 ? 'on' : value === 1 ? 'off' : 'missing';

/** Finds room for segments: an image, its ramdisk and, for a handover, the scratch array. */
export const placeSegments = (
  bounds: readonly Bounds[],
  segments: readonly (readonly [count: number, align: number])[],
  placed: RangeList,
  areApart = true,
): number => {
  const memblock = new Memblock();
  for (const { first, count } of bounds) memblock.permit(first, first + count);
  placed.clear();
  for (const [count, align] of segments) {
    const first = memblock.allocate(count, align);
    if (first >= 0 && !areApart) memblock.reserved.remove(first, first + count);
    if (first < 0) {
      placed.clear();
      return -EADDRNOTAVAIL;
    }
    placed.add(first, count);
  }
  return 0;
};

/**
 * The segments of an image of `frames` frames, 0 for an ordinary one. The last one of a handover is
 * the scratch array; before it stand the tree and what goes with it, where they are copied.
 */
export const segmentsOf = (
  frames: number,
  { pageBytes }: Topology,
  handover: boolean,
  copies = 0,
): readonly (readonly [number, number])[] => {
  const image: readonly (readonly [number, number])[] = [
    [frames === 0 ? IMAGE_FRAMES : frames, 1],
    [INITRD_FRAMES, 1],
  ];
  const arrayAlign = Math.max(1, ARRAY_ALIGN_BYTES / pageBytes);
  if (!handover) return image;
  const more = Array.from({ length: copies + 1 }, () => [1, arrayAlign] as const);
  return [...image, ...more];
};

/** Finds room in scratch, and nowhere else if decisions are right. */
export const placeInScratch = (
  areas: readonly Bounds[],
  frames: number,
  topology: Topology,
  decisions: Decisions,
  placed: RangeList,
  copies = 0,
): number => {
  const size = decisions.segmentFrames(frames);
  const segments = segmentsOf(size, topology, true, copies);
  const everywhere = [{ first: 0, count: topology.end }];
  const permitted = decisions.segmentsInAnyArea ? areas : areas.slice(0, 1);
  const bounds = decisions.segmentsInScratch ? permitted : everywhere;
  const value = placeSegments(bounds, segments, placed, decisions.segmentsApart);
  const elsewhere = value < 0 && decisions.largeImagesGoElsewhere;
  return elsewhere ? placeSegments(everywhere, segments, placed) : value;
};

/** Finds room in any memory, the highest node first. */
export const placeAnywhere = (frames: number, topology: Topology, placed: RangeList): number => {
  const nodes: Bounds[] = [];
  for (let node = topology.nodes - 1; node >= 0; node--) {
    const first = topology.first(node);
    nodes.push({ first, count: topology.endOf(node) - first });
  }
  return placeSegments(nodes, segmentsOf(frames, topology, false), placed);
};

/** A crash image is alone in its memory, a ramdisk in what is left. */
export const placeCrash = (
  reserve: Bounds,
  frames: number,
  topology: Topology,
  { crashImagesInReserve }: Decisions,
  placed: RangeList,
): number => {
  const bounds = crashImagesInReserve ? reserve : { first: 0, count: topology.end };
  return placeSegments([bounds], [[frames === 0 ? IMAGE_FRAMES : frames, 1]], placed);
};

/** A copy of the segments: lists of answers are used again. */
export const copyOf = (placed: RangeList): RangeList => {
  const copy = new RangeList();
  copy.copyFrom(placed);
  return copy;
};

/** What a kernel is told that gets no handover. */
export const withoutHandover = (image: LoadedImage): BootParameters => ({
  image: image.segments,
  fdt: 0,
  scratchArray: 0,
  scratchBytes: 0,
  line: image.line,
});
