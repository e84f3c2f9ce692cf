/**
 * Chapter: a handover, looked at on its own.
 *
 * What one kernel leaves for the next is bytes. These rules judge those bytes after somebody has
 * decoded them, without knowing how they came to be. They hold for a model kernel and for a real
 * one alike: lockstep asks them at every kexec, `inspect` asks them of captures.
 *
 * All addresses and sizes are in bytes and are safe integers.
 */
import type { Report, RuleText, Severity } from './algebra/rule.ts';
import { concepts, core, hex, kernel } from './rules.ts';

/** One contiguous area of memory. */
export interface Area {
  readonly phys: number;
  readonly bytes: number;
}

/** One preserved block: `2^order` pages starting at `phys`. */
export interface PreservedBlock {
  readonly phys: number;
  readonly order: number;
}

/** One page of the tracker itself; level 0 holds bits. */
export interface TrackerPage {
  readonly phys: number;
  readonly level: number;
}

/** One named blob that the handover tree points to. */
export interface Subtree {
  readonly name: string;
  readonly phys: number;
  readonly bytes: number;
}

/**
 * Something that could not be decoded: where it is and what is wrong, each a short phrase. `where`
 * begins with the part it belongs to: `fdt`, `tracker`, `scratch`, `blob` or `archive`.
 */
export interface Damage {
  readonly where: string;
  readonly what: string;
}

/** A decoded handover, as an observer reports it. */
export interface Handover {
  /** log2 of the page size in bytes: 12, 14 or 16. */
  readonly pageShift: number;
  /** The root's compatible string; empty when it could not be read. */
  readonly compatible: string;
  /** Address of the root FDT page; undefined when a tree was looked at without any memory. */
  readonly fdt: number | undefined;
  /** Address of the scratch array; undefined when the observer was not told and did not find it. */
  readonly scratchArray: number | undefined;
  /** Address of the tracker's root; undefined when the tree does not say. */
  readonly tracker: number | undefined;
  readonly scratch: readonly Area[];
  readonly preserved: readonly PreservedBlock[];
  readonly trackerPages: readonly TrackerPage[];
  readonly subtrees: readonly Subtree[];
  readonly damage: readonly Damage[];
}

/** A rule about one decoded handover. `find` returns how many places it looked at. */
export interface HandoverRule extends RuleText {
  readonly kind: 'handover';
  readonly severity: Severity;
  readonly find: (handover: Handover, report: Report) => number;
}

const ABI = 'include/linux/kho/abi/kexec_handover.h';

const pageBytes = (handover: Handover): number => 2 ** handover.pageShift;

const blockBytes = (handover: Handover, block: PreservedBlock): number =>
  2 ** (block.order + handover.pageShift);

/** No remainder of addresses: `%` on doubles is slow, and exact division is not. */
const isMultiple = (value: number, of: number): boolean => Number.isInteger(value / of);

/** An empty area touches nothing, wherever it is said to lie. */
const touches = (phys: number, bytes: number, area: Area): boolean =>
  area.bytes > 0 && phys < area.phys + area.bytes && area.phys < phys + bytes;

/** Memory was there to look at, so what is not in `preserved` is not preserved. */
const sawTracker = (handover: Handover): boolean => handover.trackerPages.length > 0;

/** Preserved memory as ascending, disjoint pairs: start, end, start, end… */
const preservedSpans = (handover: Handover): readonly number[] => {
  const sorted = [...handover.preserved].sort((a, b) => a.phys - b.phys);
  const spans: number[] = [];
  for (const block of sorted) {
    const end = block.phys + blockBytes(handover, block);
    if (spans.length > 0 && block.phys <= spans[spans.length - 1]!) {
      spans[spans.length - 1] = Math.max(spans[spans.length - 1]!, end);
    } else spans.push(block.phys, end);
  }
  return spans;
};

/** Index of the first span that ends after `phys`, times two. */
const spanAfter = (spans: readonly number[], phys: number): number => {
  let low = 0;
  let high = spans.length / 2;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (spans[2 * middle + 1]! <= phys) low = middle + 1;
    else high = middle;
  }
  return 2 * low;
};

/** Whether all of `[phys, phys + bytes)` is preserved. */
const isPreserved = (spans: readonly number[], phys: number, bytes: number): boolean => {
  const at = spanAfter(spans, phys);
  return at < spans.length && spans[at]! <= phys && phys + bytes <= spans[at + 1]!;
};

/** Whether any of `[phys, phys + bytes)` is preserved. */
const meetsPreserved = (spans: readonly number[], phys: number, bytes: number): boolean => {
  const at = spanAfter(spans, phys);
  return at < spans.length && spans[at]! < phys + bytes;
};

const place = (phys: number, bytes: number): string => `[${hex(phys)}, ${hex(phys + bytes)})`;

/** Reports damage whose part is one of `parts`, or with `others` damage of all other parts. */
const reportDamage = (
  handover: Handover,
  report: Report,
  parts: readonly string[],
  others = false,
): number => {
  for (const { where, what } of handover.damage) {
    const part = /^[a-z]*/.exec(where)![0];
    if (parts.includes(part) !== others) report(() => `${where}: ${what}`);
  }
  return 1;
};

/** Roots that a kernel ever wrote, newest last. */
const ROOT_STRINGS = ['kho-v1', 'kho-v2', 'kho-v3', 'kho-v4'];

/** The first root whose scratch areas are aligned to the largest block of the buddy allocator. */
const LARGEST_BLOCK_SINCE = 'kho-v4';

const MIB = 1048576;

/** What scratch areas are aligned to, in bytes, by page shift: up to kho-v3, and from kho-v4 on. */
const SCRATCH_ALIGNMENT: Readonly<Record<number, readonly [number, number]>> = {
  12: [2 * MIB, 4 * MIB],
  14: [32 * MIB, 32 * MIB],
  16: [64 * MIB, 512 * MIB],
};

const scratchAlignment = (handover: Handover): number => {
  const pair = SCRATCH_ALIGNMENT[handover.pageShift] ?? [pageBytes(handover), pageBytes(handover)];
  return handover.compatible < LARGEST_BLOCK_SINCE ? pair[0] : pair[1];
};

/** The tree: is it one, whose is it, where does it lead. */
const TREE_RULES: readonly HandoverRule[] = [
  {
    kind: 'handover',
    id: 'HND-01',
    says: 'The root is a well-formed device tree with all the properties its generation needs.',
    sources: [concepts('KHO FDT'), core('kho_populate')],
    strength: 'promised',
    severity: 'error',
    find: (handover, report) => reportDamage(handover, report, ['fdt']),
  },
  {
    kind: 'handover',
    id: 'HND-02',
    says: 'The string of the root is one that a kernel writes.',
    sources: [kernel(ABI, 'KHO_FDT_COMPATIBLE'), core('kho_populate')],
    strength: 'promised',
    severity: 'error',
    find: (handover, report) => {
      const { compatible } = handover;
      if (compatible === '') return 0;
      if (!ROOT_STRINGS.includes(compatible)) {
        report(() => `the root says ${JSON.stringify(compatible)}, which no kernel writes`);
      }
      return 1;
    },
  },
  {
    kind: 'handover',
    id: 'HND-03',
    says: 'The root points to the root of the tracker, which is a page of its own and never 0.',
    sources: [kernel(ABI, 'KHO_FDT_MEMORY_MAP_PROP_NAME'), core('kho_mem_retrieve')],
    strength: 'promised',
    since: '7.1',
    severity: 'error',
    find: (handover, report) => {
      const { tracker } = handover;
      if (handover.compatible === '') return 0;
      if (tracker === undefined) report(() => 'the root does not point to a tracker');
      else if (tracker === 0 || !isMultiple(tracker, pageBytes(handover))) {
        report(() => `the root points to a tracker at ${hex(tracker)}, which is no page`);
      }
      return 1;
    },
  },
  {
    kind: 'handover',
    id: 'HND-09',
    says: 'Every blob has at least one byte.',
    sources: [core('kho_add_subtree')],
    strength: 'assumed',
    since: '7.1',
    severity: 'error',
    find: (handover, report) => {
      for (const { name, bytes } of handover.subtrees) {
        if (bytes < 1) report(() => `subtree ${JSON.stringify(name)} has a blob of 0 bytes`);
      }
      return handover.subtrees.length;
    },
  },
  {
    kind: 'handover',
    id: 'HND-11',
    says: 'No two subtrees have the same name.',
    sources: [core('kho_add_subtree')],
    strength: 'observed',
    severity: 'error',
    find: (handover, report) => {
      const names = new Set<string>();
      for (const { name } of handover.subtrees) {
        if (names.has(name)) report(() => `subtree ${JSON.stringify(name)} is there twice`);
        names.add(name);
      }
      return handover.subtrees.length;
    },
  },
];

/** What is preserved. */
const MEMORY_RULES: readonly HandoverRule[] = [
  {
    kind: 'handover',
    id: 'HND-05',
    says: 'A preserved block starts at a multiple of its own size.',
    sources: [core('kho_radix_encode_key')],
    strength: 'observed',
    since: '7.1',
    severity: 'error',
    find: (handover, report) => {
      for (const block of handover.preserved) {
        const { phys, order } = block;
        if (!isMultiple(phys, blockBytes(handover, block))) {
          report(() => `the block at ${hex(phys)} is not aligned to its order ${order}`);
        }
      }
      return handover.preserved.length;
    },
  },
  {
    kind: 'handover',
    id: 'HND-06',
    says: 'Preserved blocks do not overlap, although no kernel refuses to write down such blocks.',
    sources: [core('kho_preserve_pages')],
    strength: 'assumed',
    since: 'v5',
    severity: 'warning',
    find: (handover, report) => {
      const sorted = [...handover.preserved].sort((a, b) => a.phys - b.phys || b.order - a.order);
      let end = 0;
      for (const block of sorted) {
        if (block.phys < end) {
          report(() => `the block at ${hex(block.phys)}, order ${block.order}, lies in another`);
        }
        end = Math.max(end, block.phys + blockBytes(handover, block));
      }
      return sorted.length;
    },
  },
  {
    kind: 'handover',
    id: 'HND-07',
    says: 'No preserved memory lies in scratch.',
    sources: [concepts('Scratch Regions'), core('kho_preserve_pages')],
    strength: 'promised',
    severity: 'error',
    find: (handover, report) => {
      for (const block of handover.preserved) {
        const bytes = blockBytes(handover, block);
        for (const area of handover.scratch) {
          if (!touches(block.phys, bytes, area)) continue;
          report(
            () => `${place(block.phys, bytes)} is preserved inside ${place(area.phys, area.bytes)}`,
          );
        }
      }
      return handover.scratch.length > 0 ? handover.preserved.length : 0;
    },
  },
  {
    kind: 'handover',
    id: 'HND-08',
    says: 'The page of the root is preserved itself.',
    sources: [concepts('KHO FDT'), core('kho_init')],
    strength: 'promised',
    since: '6.16',
    severity: 'error',
    find: (handover, report) => {
      const { fdt } = handover;
      if (fdt === undefined || !sawTracker(handover)) return 0;
      if (!isPreserved(preservedSpans(handover), fdt, pageBytes(handover))) {
        report(() => `the root at ${hex(fdt)} is not preserved`);
      }
      return 1;
    },
  },
  {
    kind: 'handover',
    id: 'HND-10',
    says: 'All bytes of every blob are preserved.',
    sources: [core('kho_add_subtree'), core('kho_retrieve_subtree')],
    strength: 'promised',
    since: '6.16',
    severity: 'error',
    find: (handover, report) => {
      if (!sawTracker(handover)) return 0;
      const spans = preservedSpans(handover);
      for (const { name, phys, bytes } of handover.subtrees) {
        if (isPreserved(spans, phys, bytes)) continue;
        report(() => `blob ${JSON.stringify(name)} ${place(phys, bytes)} is not preserved`);
      }
      return handover.subtrees.length;
    },
  },
];

/** The pages of the tracker itself. */
const TRACKER_RULES: readonly HandoverRule[] = [
  {
    kind: 'handover',
    id: 'HND-04',
    says: 'Every page and every key of the tracker can be read, each reached in one way only.',
    sources: [
      kernel(ABI, 'struct kho_radix_node'),
      core('kho_radix_walk_tree'),
      core('kho_mem_deserialize'),
    ],
    strength: 'promised',
    severity: 'error',
    find: (handover, report) => reportDamage(handover, report, ['tracker']),
  },
  {
    kind: 'handover',
    id: 'HND-12',
    says: 'No page of the tracker lies in scratch.',
    sources: [concepts('Scratch Regions'), core('kho_radix_alloc_node'), core('new_chunk')],
    strength: 'promised',
    since: '6.16',
    severity: 'error',
    find: (handover, report) => {
      const bytes = pageBytes(handover);
      for (const { phys } of handover.trackerPages) {
        // A bitmap may be smaller than a page; scratch begins and ends with pages.
        const page = Math.floor(phys / bytes) * bytes;
        if (handover.scratch.some((area) => touches(page, bytes, area))) {
          report(() => `the tracker's page at ${hex(phys)} lies in scratch`);
        }
      }
      return handover.scratch.length > 0 ? handover.trackerPages.length : 0;
    },
  },
  {
    kind: 'handover',
    id: 'HND-13',
    says: 'The pages of the tracker are not preserved; they live until the next kernel read them.',
    sources: [core('kho_radix_alloc_node')],
    strength: 'observed',
    since: '7.1',
    severity: 'error',
    find: (handover, report) => {
      const spans = preservedSpans(handover);
      for (const { phys } of handover.trackerPages) {
        if (meetsPreserved(spans, phys, pageBytes(handover))) {
          report(() => `the tracker's page at ${hex(phys)} is preserved as well`);
        }
      }
      return handover.trackerPages.length;
    },
  },
  {
    kind: 'handover',
    id: 'HND-14',
    says: 'A page of the tracker holds neither the root nor any part of a blob.',
    sources: [core('kho_radix_alloc_node')],
    strength: 'observed',
    repeats: 'HND-10 and HND-13 refuse all of it together; here is what they prevent',
    since: '7.1',
    severity: 'error',
    find: (handover, report) => {
      const bytes = pageBytes(handover);
      for (const { phys } of handover.trackerPages) {
        if (phys === handover.fdt) report(() => `the root's page ${hex(phys)} is in the tracker`);
        for (const blob of handover.subtrees) {
          if (!touches(phys, bytes, blob)) continue;
          report(() => `blob ${JSON.stringify(blob.name)} meets the tracker's page ${hex(phys)}`);
        }
      }
      return handover.trackerPages.length;
    },
  },
];

/** Scratch. */
const SCRATCH_RULES: readonly HandoverRule[] = [
  {
    kind: 'handover',
    id: 'HND-15',
    says: 'There is a scratch array, and at least one of its areas is not empty.',
    sources: [concepts('Scratch Regions'), core('kho_populate')],
    strength: 'promised',
    severity: 'error',
    find: (handover, report) => {
      if (handover.fdt === undefined) return 0;
      if (handover.scratchArray === undefined) report(() => 'no scratch array was found');
      else if (handover.scratch.every((area) => area.bytes === 0)) {
        report(() => `the scratch array has ${handover.scratch.length} areas, all empty`);
      }
      return 1;
    },
  },
  {
    kind: 'handover',
    id: 'HND-16',
    says: 'The scratch array can be read.',
    sources: [core('kho_populate')],
    strength: 'promised',
    severity: 'error',
    find: (handover, report) => reportDamage(handover, report, ['scratch']),
  },
  {
    kind: 'handover',
    id: 'HND-17',
    says: 'Scratch areas that are not empty are aligned for the buddy allocator and CMA.',
    sources: [core('kho_reserve_scratch'), core('kho_init')],
    strength: 'observed',
    severity: 'error',
    find: (handover, report) => {
      const align = scratchAlignment(handover);
      for (const { phys, bytes } of handover.scratch) {
        if (bytes === 0 || (isMultiple(phys, align) && isMultiple(bytes, align))) continue;
        report(() => `the scratch area ${place(phys, bytes)} is not aligned to ${hex(align)}`);
      }
      return handover.scratch.length;
    },
  },
  {
    kind: 'handover',
    id: 'HND-18',
    says: 'Scratch areas do not overlap; an empty one may have the address of another.',
    sources: [concepts('Scratch Regions'), core('kho_reserve_scratch')],
    strength: 'promised',
    severity: 'error',
    find: (handover, report) => {
      const filled = handover.scratch.filter((area) => area.bytes > 0);
      filled.sort((a, b) => a.phys - b.phys);
      for (let i = 1; i < filled.length; i++) {
        const [left, right] = [filled[i - 1]!, filled[i]!];
        if (left.phys + left.bytes <= right.phys) continue;
        report(() => `the scratch area at ${hex(right.phys)} overlaps that at ${hex(left.phys)}`);
      }
      return filled.length;
    },
  },
  {
    kind: 'handover',
    id: 'HND-19',
    says: 'Everything else that was there could be read.',
    sources: [concepts('KHO FDT')],
    strength: 'assumed',
    severity: 'error',
    find: (handover, report) => reportDamage(handover, report, ['fdt', 'tracker', 'scratch'], true),
  },
];

/** The rules of this chapter, in reading order. */
export const HANDOVER_RULES: readonly HandoverRule[] = [
  ...TREE_RULES,
  ...TRACKER_RULES,
  ...MEMORY_RULES,
  ...SCRATCH_RULES,
];
