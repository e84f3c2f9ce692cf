/**
 * Chapter: what else tells about a handover.
 *
 * User space can read a kernel's handover from debugfs, and whoever records a capture writes down
 * what the recorder believed. Both are witnesses, not the handover: a kernel whose debugfs is wrong
 * can still hand over well. So these rules have two severities. Where the memory itself was there
 * and is what gets judged, a wrong witness is a warning. Where the copy is all there is, whoever
 * reads it gets a wrong answer, and that is an error.
 *
 * All addresses and sizes are in bytes.
 */
import type { Report, RuleText, Severity } from './algebra/rule.ts';
import type { Area, Damage, Subtree } from './handover.ts';
import { core, hex, kernel } from './rules.ts';

/** A device tree as user space read it. */
export interface CopiedTree {
  /** Bytes of the file. */
  readonly bytes: number;
  /** Bytes that its header claims; undefined when there is no header. */
  readonly claimed: number | undefined;
  readonly subtrees: readonly Subtree[];
  readonly damage: readonly Damage[];
}

/** A blob as user space read it. */
export interface CopiedBlob {
  readonly name: string;
  readonly bytes: number;
  /** Why it is not what its name promises; undefined when it is, or when nobody knows. */
  readonly fault: string | undefined;
}

/** One direction of a copy. */
export interface CopiedSide {
  readonly tree: CopiedTree | undefined;
  readonly blobs: readonly CopiedBlob[];
}

/** What was recorded beside a handover. A part that was not recorded is undefined. */
export interface Witnesses {
  readonly out: CopiedSide | undefined;
  readonly in: CopiedSide | undefined;
  readonly scratchPhys: readonly number[] | undefined;
  readonly scratchLen: readonly number[] | undefined;
  /** Scratch as the recorder wrote it down. */
  readonly recordedScratch: readonly Area[] | undefined;
  /** Page size in bytes as the recorder wrote it down. */
  readonly recordedPage: number | undefined;
  /** Page size in bytes that follows from the length of the recorded memory. */
  readonly measuredPage: number | undefined;
  /** Scratch as memory has it; undefined when no memory was there. */
  readonly scratch: readonly Area[] | undefined;
  /** Whether the memory of an incoming blob was given back since; absent when nobody knows. */
  readonly givenBack?: (name: string) => boolean;
}

/** The files of a running system, beside what they are compared with. */
export interface ShownFiles extends Witnesses {
  /** First byte in which `out/fdt` differs from the tree in memory; -1 when none does. */
  readonly differsAt: number;
  /** What the file says that begins and ends a phase, 1 or 0; undefined where there is none. */
  readonly phase?: number | undefined;
  /** Stamp that the first page of a file holds; 0 when it holds none. */
  readonly stampOf: (file: string) => number;
}

/** A rule about witnesses. `find` returns how many places it looked at. */
export interface WitnessRule extends RuleText {
  readonly kind: 'witness';
  /** When the handover itself was there and is judged. */
  readonly severity: Severity;
  /** When the witness is all there is. */
  readonly alone: Severity;
  readonly find: (witnesses: Witnesses, report: Report) => number;
}

const DEBUGFS = 'kernel/liveupdate/kexec_handover_debugfs.c';

/** Both directions of a copy that are there, with their names. */
const sides = (witnesses: Witnesses): readonly (readonly [string, CopiedSide])[] =>
  (['out', 'in'] as const).flatMap((name) => {
    const side = witnesses[name];
    return side === undefined ? [] : [[name, side] as const];
  });

/** A tree that is as long as it says, so that it can be compared with other things. */
const isWhole = (tree: CopiedTree | undefined): tree is CopiedTree =>
  tree?.claimed !== undefined && tree.bytes >= tree.claimed && tree.damage.length === 0;

const areas = (list: readonly Area[]): string =>
  list.map(({ phys, bytes }) => `${hex(phys)}+${hex(bytes)}`).join(' ');

const sameAreas = (a: readonly Area[], b: readonly Area[]): boolean =>
  a.length === b.length &&
  a.every(({ phys, bytes }, i) => phys === b[i]!.phys && bytes === b[i]!.bytes);

/** What user space reads from debugfs. */
export const DEBUGFS_RULES: readonly WitnessRule[] = [
  {
    kind: 'witness',
    id: 'DBG-01',
    says: 'The file `out/fdt` is as long as its header says, however much the tree has grown.',
    sources: [kernel(DEBUGFS, 'kho_out_debugfs_init'), kernel(DEBUGFS, 'kho_debugfs_blob_add')],
    strength: 'assumed',
    severity: 'warning',
    alone: 'error',
    find: ({ out }, report) => {
      const tree = out?.tree;
      if (tree?.claimed === undefined) return 0;
      const { bytes, claimed } = tree;
      if (bytes < claimed) report(() => `out/fdt has ${bytes} bytes, its header says ${claimed}`);
      return 1;
    },
  },
  {
    kind: 'witness',
    id: 'DBG-02',
    says: 'Where KHO is on there is a file `out/fdt`, on a boot that revived a handover as well.',
    sources: [core('kho_init'), kernel(DEBUGFS, 'kho_out_debugfs_init')],
    strength: 'assumed',
    since: '6.19',
    severity: 'warning',
    alone: 'error',
    find: ({ out }, report) => {
      if (out === undefined) return 0;
      if (out.tree === undefined) report(() => 'out/fdt is missing, although KHO is on');
      return 1;
    },
  },
  {
    kind: 'witness',
    id: 'DBG-03',
    says: 'The files `out/scratch_phys` and `out/scratch_len` have one number for every area.',
    sources: [kernel(DEBUGFS, 'scratch_phys_show'), kernel(DEBUGFS, 'scratch_len_show')],
    strength: 'observed',
    repeats: 'DBG-10 refuses all of it where there is a law to compare with; a copy has none',
    severity: 'warning',
    alone: 'error',
    find: ({ out, scratchPhys, scratchLen }, report) => {
      if (out === undefined || (scratchPhys ?? scratchLen) === undefined) return 0;
      const [phys, length] = [scratchPhys?.length ?? 0, scratchLen?.length ?? 0];
      if (phys !== length) {
        report(() => `out/scratch_phys has ${phys} numbers, out/scratch_len has ${length}`);
      }
      const numbers = [...(scratchPhys ?? []), ...(scratchLen ?? [])];
      if (!numbers.every((number) => Number.isSafeInteger(number) && number >= 0)) {
        report(() => 'out/scratch_phys or out/scratch_len has lines that are no numbers');
      }
      return 1;
    },
  },
  {
    kind: 'witness',
    id: 'DBG-04',
    says: 'The trees in debugfs are well-formed device trees.',
    sources: [kernel(DEBUGFS, 'kho_in_debugfs_init'), kernel(DEBUGFS, 'kho_out_debugfs_init')],
    strength: 'assumed',
    severity: 'warning',
    alone: 'error',
    find: (witnesses, report) => {
      let looked = 0;
      for (const [name, { tree }] of sides(witnesses)) {
        if (tree === undefined) continue;
        looked++;
        // A cut off `out/fdt` has a rule of its own.
        if (name === 'out' && tree.claimed !== undefined && tree.bytes < tree.claimed) continue;
        for (const { where, what } of tree.damage) report(() => `${name}/fdt ${where}: ${what}`);
      }
      return looked;
    },
  },
  {
    kind: 'witness',
    id: 'DBG-05',
    says: 'The files in `sub_fdts` are the blobs that the tree beside them names, whole.',
    sources: [kernel(DEBUGFS, 'kho_debugfs_blob_add'), kernel(DEBUGFS, 'kho_in_debugfs_init')],
    strength: 'assumed',
    since: '7.1',
    severity: 'warning',
    alone: 'error',
    find: (witnesses, report) => {
      let looked = 0;
      for (const [side, { tree, blobs }] of sides(witnesses)) {
        if (!isWhole(tree)) continue;
        const files = new Map(blobs.map((blob) => [blob.name, blob.bytes]));
        for (const { name, bytes } of tree.subtrees) {
          looked++;
          const found = files.get(name);
          files.delete(name);
          const file = `${side}/sub_fdts/${name}`;
          if (found === undefined) {
            if (side === 'in' && witnesses.givenBack?.(name) === true) continue;
            report(() => `${file} is missing, the tree names it`);
          }
          if (found !== undefined && found !== bytes) {
            report(() => `${file} has ${found} bytes, not ${bytes}`);
          }
        }
        for (const name of files.keys()) {
          report(() => `${side}/sub_fdts/${name} is there, but the tree does not name it`);
        }
      }
      return looked;
    },
  },
  {
    kind: 'witness',
    id: 'DBG-06',
    says: 'A file in `sub_fdts` holds what its name promises, as long as it can be read.',
    sources: [kernel(DEBUGFS, 'kho_debugfs_blob_add')],
    strength: 'assumed',
    since: '6.16',
    severity: 'warning',
    alone: 'error',
    find: (witnesses, report) => {
      let looked = 0;
      for (const [side, { blobs }] of sides(witnesses)) {
        for (const { name, fault } of blobs) {
          looked++;
          if (fault !== undefined) report(() => `${side}/sub_fdts/${name}: ${fault}`);
        }
      }
      return looked;
    },
  },
  {
    kind: 'witness',
    id: 'DBG-07',
    says: 'The scratch areas in debugfs are those of the scratch array.',
    sources: [kernel(DEBUGFS, 'scratch_phys_show'), kernel(DEBUGFS, 'scratch_len_show')],
    strength: 'observed',
    severity: 'warning',
    alone: 'error',
    find: ({ scratch, scratchPhys, scratchLen }, report) => {
      if (scratch === undefined || scratchPhys === undefined || scratchLen === undefined) return 0;
      if (scratchPhys.length !== scratchLen.length) return 0;
      const shown = scratchPhys.map((phys, i) => ({ phys, bytes: scratchLen[i]! }));
      if (!sameAreas(shown, scratch)) {
        report(() => `debugfs shows ${areas(shown)}, the scratch array has ${areas(scratch)}`);
      }
      return 1;
    },
  },
];

/** What a recorder wrote down beside the memory. */
export const RECORDING_RULES: readonly WitnessRule[] = [
  {
    kind: 'witness',
    id: 'REC-01',
    says: 'Recorded memory has the page size that was recorded for it.',
    sources: [],
    strength: 'assumed',
    severity: 'error',
    alone: 'error',
    find: ({ recordedPage, measuredPage }, report) => {
      if (recordedPage === undefined || measuredPage === undefined) return 0;
      if (recordedPage !== measuredPage) {
        report(() => `pages of ${recordedPage} bytes were recorded, they have ${measuredPage}`);
      }
      return 1;
    },
  },
  {
    kind: 'witness',
    id: 'REC-02',
    says: 'The scratch areas found in memory are those that were recorded.',
    sources: [],
    strength: 'assumed',
    severity: 'error',
    alone: 'error',
    find: ({ recordedScratch, scratch }, report) => {
      if (recordedScratch === undefined || scratch === undefined) return 0;
      if (!sameAreas(recordedScratch, scratch)) {
        report(() => `recorded ${areas(recordedScratch)}, memory has ${areas(scratch)}`);
      }
      return 1;
    },
  },
];
