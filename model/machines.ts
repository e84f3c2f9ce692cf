/**
 * Machines to try the law on: how much memory, how many nodes, where the borders are.
 *
 * A shape is small data that a trace file carries; `buildMachine` makes the machine of it. Borders
 * between nodes need not be aligned to anything but pages: blocks that would cross one must not.
 */
import { pageblockFrames } from '#spec/machine';
import type { Machine, NodeRange } from '#spec/machine';
import { regionFrames, reserveMemOf } from './reserve-mem.ts';
import { scratchLinesOf, scratchProblem } from './scratch-lines.ts';

/** What a trace file says about its machine. All sizes in frames. */
export interface MachineShape {
  readonly pageShift: number;
  /** Frames of each node, ascending from frame 0, without holes; some may have none. */
  readonly nodes: readonly number[];
  readonly scratch: { readonly lowmem: number; readonly global: number; readonly perNode: number };
  /**
   * What its command lines say of `kho_scratch=`, null for nothing; beyond the last, nothing.
   * Absent: every one of them asks for `scratch`.
   */
  readonly scratchLines?: readonly (string | null)[];
  /** Frames below the border of low memory; 4 GiB when absent. */
  readonly lowFrames?: number;
  /** Frames of the blocks by which kernels widen scratch on a handover; 1 GiB when absent. */
  readonly widenFrames?: number;
  /** HugeTLB pages that its kernels take at boot: how many, of 2^order frames each. */
  readonly hugePages?: { readonly order: number; readonly count: number };
  /** Command lines that its kernels may get: values of `reserve_mem=`, with spaces between them. */
  readonly reserveMem?: readonly string[];
  /** Kernels set up most pageblocks in a second phase of boot; at once when absent. */
  readonly deferredInit?: boolean;
  /** Its kernels know many more subtree names than fill a page of 4 KiB. */
  readonly manyNames?: boolean;
  /** Frames that its kernels reserve for a crash kernel. */
  readonly crash?: number;
  /** `#address-cells` and `#size-cells` of its device tree; absent: it boots without one. */
  readonly cells?: readonly [number, number];
}

/** log2 of the page sizes that a machine may have, in bytes: 4, 16 and 64 KiB. */
export const PAGE_SHIFTS = [12, 14, 16] as const;

/** Largest order of the page allocator by page size (MAX_PAGE_ORDER; x86 has the first). */
const MAX_ORDERS: Readonly<Record<number, number>> = { 12: 10, 14: 11, 16: 13 };

/** Largest order of the page allocator with pages of `2^pageShift` bytes. */
export const maxPageOrder = (pageShift: number): number => MAX_ORDERS[pageShift] ?? 10;

/** The largest one of all page sizes. */
export const MAX_PAGE_ORDER = 13;

/** Ordinary names that blobs get; the first is the kernel's own. */
const NAMES = [
  'kexec-metadata',
  'memblock',
  'LUO',
  'kho_test',
  'a',
  'guest-memory',
  'iommu-0',
  'a-name-of-thirty-one-characters',
  'a@1',
  'kho_test@0',
];

/** Further names, of 3 to 31 characters in turn; they begin here. */
export const CROWD_FIRST = NAMES.length;

/** Bytes that such a name takes in a tree of 7.1 and later, and in an older one, on average. */
const CROWD_NODE_BYTES = 64;
const OLD_CROWD_NODE_BYTES = 44;

/** How many of them fill a page, and a few more; trees older than 7.1 hold more of them. */
export const crowdNames = (pageShift: number, isOld = false): number =>
  Math.floor(2 ** pageShift / (isOld ? OLD_CROWD_NODE_BYTES : CROWD_NODE_BYTES)) + 5;

/** What stands before the number of such a name: 3, 8, 15 and 31 characters in all. */
const CROWD_STEMS = ['', 'many-', 'one-of-many-', `one-of-many-${'x'.repeat(15)}-`];

const CROWD_MAX = crowdNames(16, true);

/** How many lengths such names have; of every so many names in turn, one is of each. */
export const CROWD_LENGTHS = CROWD_STEMS.length;

/** Names of a crowd that come before the measured ones: no page of 4 KiB holds more of a length. */
const CROWD_BEFORE = 130 * CROWD_LENGTHS;

/** A name of each length from 1 to 31 characters, among those of the crowd; they begin here. */
export const MEASURED_FIRST = CROWD_FIRST + CROWD_BEFORE;
const NAME_CHARS_MAX = 31;
export const MEASURED_END = MEASURED_FIRST + NAME_CHARS_MAX;

const CROWD = Array.from({ length: CROWD_MAX }, (_, i) => {
  return CROWD_STEMS[i % CROWD_STEMS.length]! + i.toString(36).padStart(3, '0');
});

/** Every subtree name of the world, by index. */
export const SUBTREE_NAMES: readonly string[] = [
  ...NAMES,
  ...CROWD.slice(0, CROWD_BEFORE),
  ...Array.from({ length: NAME_CHARS_MAX }, (_, i) => 'n'.repeat(i + 1)),
  ...CROWD.slice(CROWD_BEFORE),
];

const INDEX_OF_NAME = new Map(SUBTREE_NAMES.map((name, index) => [name, index]));

/** Index of a subtree name, or -1. */
export const nameIndex = (name: string): number => INDEX_OF_NAME.get(name) ?? -1;

/** Session names: more than the array has room for that 4 KiB kernels up to 7.1 have. */
export const SESSION_NAMES = 840;

/** Tokens of files: more than the array of a session has room for in those kernels. */
export const FILE_TOKENS = 160;

/** What the kernels of a machine make of it. */
export interface MachineUse {
  /** Some are older than 7.1: their trees hold more names. */
  readonly hasOldTrees: boolean;
  /** Some are of v4 or before, which read the option for scratch in their own way. */
  readonly hasOwnOption?: boolean;
}

/** New kernels alone. */
const NEW_KERNELS: MachineUse = { hasOldTrees: false };

/**
 * The shape as kernels of v4 or before can have it: without lines of which nobody can say whether
 * their scratch fits, and where there are none, with areas that are not empty.
 */
const withOwnOption = (shape: MachineShape): MachineShape => {
  if (shape.scratchLines !== undefined && earlyProblem(shape) === '') return shape;
  const { scratchLines: _, scratch, ...plain } = shape;
  const { lowmem, global, perNode } = scratch;
  const some = (frames: number): number => Math.max(1, frames);
  return {
    ...plain,
    scratch: { lowmem: some(lowmem), global: some(global), perNode: some(perNode) },
  };
};

/** Builds the machine that a shape describes. */
export const buildMachine = (asked: MachineShape, use: MachineUse = NEW_KERNELS): Machine => {
  const shape = use.hasOwnOption === true ? withOwnOption(asked) : asked;
  const nodes: NodeRange[] = [];
  let first = 0;
  for (const count of shape.nodes) {
    nodes.push({ first, count });
    first += count;
  }
  const { pageShift } = shape;
  const maxOrder = maxPageOrder(pageShift);
  const few = CROWD_FIRST + crowdNames(pageShift, use.hasOldTrees);
  const names = shape.manyNames === true ? Math.max(few, MEASURED_END) : few;
  return {
    pageShift,
    nodes,
    end: first,
    maxOrder,
    scratch: shape.scratch,
    scratchAlign: 2 ** maxOrder,
    oldScratchAlign: pageblockFrames({ pageShift, maxOrder }),
    lowmemEnd: lowFrames(shape),
    widenFrames: shape.widenFrames ?? 2 ** (30 - shape.pageShift),
    nameBytes: SUBTREE_NAMES.slice(0, names).map((name) => name.length),
    ...(shape.crash === undefined ? {} : { crashFrames: shape.crash }),
    ...(shape.cells === undefined
      ? {}
      : { rootCells: { address: shape.cells[0], size: shape.cells[1] } }),
    ...(shape.hugePages === undefined ? {} : { hugePages: shape.hugePages }),
    ...(shape.scratchLines === undefined
      ? {}
      : { scratchLines: scratchLinesOf(shape.scratchLines) }),
    ...(shape.deferredInit === true ? { deferredInit: true } : {}),
    liveUpdate: { sessions: SESSION_NAMES, files: FILE_TOKENS },
    ...(shape.reserveMem === undefined ? {} : { reserveMem: reserveMemOf(shape.reserveMem) }),
  };
};

const hugeFrames = ({ hugePages }: MachineShape): number =>
  hugePages === undefined ? 0 : hugePages.count * 2 ** hugePages.order;

const lowFrames = (shape: MachineShape): number => shape.lowFrames ?? 2 ** (32 - shape.pageShift);

/** log2 of the most memory that a machine may have: 16 TiB. */
const BYTES_MAX_LOG2 = 44;

/** Frames that the regions of one command line may take together, so that every trace ends. */
const REGION_FRAMES_MAX = 2 ** 18;

/**
 * Why no law can be tried on a shape, or '' when it can: KHO needs scratch, and every node has to
 * hold all areas that may be placed on it, wherever its borders are.
 */
export const shapeProblem = (shape: MachineShape): string => {
  const { nodes, scratch, pageShift, reserveMem, crash = 0 } = shape;
  const align = 2 ** maxPageOrder(pageShift);
  const asked = [scratch.lowmem, scratch.global, scratch.perNode];
  const areas = asked.reduce((sum, frames) => sum + Math.ceil(frames / align) * align, 0);
  if (areas === 0 && shape.scratchLines === undefined) return 'it has no scratch';
  const endMax = 2 ** (BYTES_MAX_LOG2 - pageShift);
  const end = nodes.reduce((sum, count) => sum + count, 0);
  if (end > endMax) {
    return `it has more than ${endMax} frames`;
  }
  if (shape.cells?.[0] === 1 && end > 2 ** (32 - pageShift)) {
    return 'one cell cannot hold all of its addresses';
  }
  const regions = (reserveMem ?? []).map((text) => regionFrames(text, pageShift, end));
  if (regions.some((frames) => frames > REGION_FRAMES_MAX)) {
    return `its regions have more than ${REGION_FRAMES_MAX} frames`;
  }
  if (crash > align) return `its crash kernel has more than ${align} frames`;
  if (hugeFrames(shape) > align) return `its HugeTLB pages have more than ${align} frames`;
  const { apart, spare } = roomBeside(shape, align, regions);
  if (shape.scratchLines !== undefined) return linesProblem(shape, align, spare);
  const least = areas + spare;
  const low = Math.min(nodes.find((count) => count > 0) ?? 0, lowFrames(shape));
  // Regions go as high as they can: with twice the room above low memory, they leave that alone.
  const lowSpare = end - lowFrames(shape) >= 2 * spare ? apart : spare;
  const lowLeast = lowSpare + (shape.lowFrames === undefined ? areas : scratch.lowmem);
  if (low < lowLeast) return `its low memory is too small for scratch: it needs ${lowLeast} frames`;
  const small = nodes.findIndex((count) => count > 0 && count < least);
  return small < 0 ? '' : `node ${small} is too small for scratch: it needs ${least} frames`;
};

/** Frames that have to be left beside scratch: without regions, and with the largest of them. */
const roomBeside = (shape: MachineShape, align: number, regions: readonly number[]) => {
  const apart = align * (2 + ((shape.crash ?? 0) > 0 ? 1 : 0) + (hugeFrames(shape) > 0 ? 1 : 0));
  return { apart, spare: apart + Math.ceil(Math.max(0, ...regions) / align) * align };
};

/**
 * Why nobody can say whether scratch of a shape fits kernels of v4 or before, or '': they read its
 * command lines in their own way.
 */
export const earlyProblem = (shape: MachineShape): string => {
  const { nodes, pageShift, scratchLines, reserveMem = [] } = shape;
  if (scratchLines === undefined) return '';
  const align = 2 ** maxPageOrder(pageShift);
  const end = nodes.reduce((sum, count) => sum + count, 0);
  const regions = reserveMem.map((text) => regionFrames(text, pageShift, end));
  return linesProblem(shape, align, roomBeside(shape, align, regions).spare, true);
};

/** What is wrong with the command lines of a shape, given what has to be left beside scratch. */
const linesProblem = (
  shape: MachineShape,
  align: number,
  spare: number,
  isEarly = false,
): string => {
  const { nodes, pageShift, scratchLines = [], reserveMem = [], crash = 0 } = shape;
  const oldAlign = pageblockFrames({ pageShift, maxOrder: maxPageOrder(pageShift) });
  const small = nodes.findIndex((count) => count > 0 && count < spare);
  if (small >= 0) return `node ${small} is too small: it needs ${spare} frames`;
  const end = nodes.reduce((sum, count) => sum + count, 0);
  const lowEnd = lowFrames(shape);
  if (Math.min(end, lowEnd) < spare) return `its low memory is too small: it needs ${spare} frames`;
  const unsaid = reserveMem.length > scratchLines.length ? [null] : [];
  const named = Math.max(0, ...reserveMem.map((text) => regionFrames(text, pageShift, end)));
  // HugeTLB pages count up to 7.2 as well: then scratch may turn out too large, and KHO off.
  const room = { pageShift, align, oldAlign, nodes, lowEnd, counted: crash + named, spare };
  for (const text of [...scratchLines, ...unsaid]) {
    const problem = scratchProblem(text, room, isEarly);
    if (problem !== '') return problem;
  }
  return '';
};

const MIB = 256;

/** A machine of `mebibytes` on one node with small scratch areas: where examples are told. */
export const plainShape = (mebibytes = 64): MachineShape => ({
  pageShift: 12,
  nodes: [mebibytes * MIB],
  scratch: { lowmem: 4 * MIB, global: 4 * MIB, perNode: 4 * MIB },
});
