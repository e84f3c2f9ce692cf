/**
 * Chapter: what debugfs shows.
 *
 * User space can read what a running kernel would hand over, and what was handed to it. What it
 * reads has to be true in every kernel of a chain. The rules about a copy (DBG-01 to DBG-07) are
 * asked here of the files that a system shows; the others compare the files with the law's state.
 */
import { DEBUGFS_RULES } from './debugfs.ts';
import type { CopiedSide, ShownFiles, WitnessRule } from './debugfs.ts';
import { isOtherSize } from './handover-tree.ts';
import { hex, kernel } from './rules.ts';
import type { Chapter, SystemSightRule } from './rules.ts';
import { areasOf, slotOfArea } from './scratch-sizes.ts';
import { KHO_ON } from './state.ts';
import type { State } from './state.ts';

const DEBUGFS = 'kernel/liveupdate/kexec_handover_debugfs.c';

const NO_SIDE: CopiedSide = { tree: undefined, blobs: [] };

/** Whether a blob of this name came, and nobody gave the memory back that it starts in. */
const isThere = (s: State, name: number): boolean => {
  const frame = s.inFrame.get(name) - 1;
  return frame >= 0 && s.inFault.get(name) === 0 && s.blob.get(frame) === 1;
};

/** Whether the incoming tree has blobs whose properties came broken. */
const cameBroken = (s: State): boolean => {
  for (let name = 0; name < s.machine.nameBytes.length; name++) {
    if (s.inFault.get(name) !== 0) return true;
  }
  return false;
};

export const DBG_08: SystemSightRule = {
  kind: 'sight',
  each: 'system',
  id: 'DBG-08',
  says: 'Files in `out/sub_fdts` are the blobs that were added and not removed, each of its size.',
  sources: [kernel(DEBUGFS, 'kho_debugfs_blob_add'), kernel(DEBUGFS, 'kho_debugfs_blob_remove')],
  strength: 'assumed',
  since: '6.19',
  find: (s, seen, report) => {
    const { blobs } = seen.debugfs().out ?? NO_SIDE;
    let added = 0;
    for (const { name, bytes } of blobs) {
      const index = seen.nameIndex(name);
      if (index < 0 || s.outFrame.get(index) === 0) {
        report(() => `out/sub_fdts/${name} is there, but is not what will be handed over`);
      } else if (isOtherSize(s.outBytes.get(index), bytes)) {
        report(() => `out/sub_fdts/${name} has ${bytes} bytes, not ${s.outBytes.get(index)}`);
      }
    }
    for (let name = 0; name < s.machine.nameBytes.length; name++) {
      if (s.outFrame.get(name) !== 0) added++;
    }
    if (added !== blobs.length) {
      report(() => `${added} blobs were added, out/sub_fdts has ${blobs.length} files`);
    }
    return blobs.length;
  },
};

export const DBG_09: SystemSightRule = {
  kind: 'sight',
  each: 'system',
  id: 'DBG-09',
  says: 'The file `out/fdt` reads as the tree that a jump would hand over now.',
  sources: [kernel(DEBUGFS, 'kho_debugfs_blob_add')],
  strength: 'assumed',
  find: (_s, seen, report) => {
    const { out, differsAt } = seen.debugfs();
    if (out?.tree === undefined) return 0;
    if (differsAt !== -1) report(() => `out/fdt differs from memory at byte ${differsAt}`);
    return 1;
  },
};

export const DBG_10: SystemSightRule = {
  kind: 'sight',
  each: 'system',
  id: 'DBG-10',
  says: 'The files `out/scratch_phys` and `out/scratch_len` list every scratch area, in order.',
  sources: [kernel(DEBUGFS, 'scratch_phys_show'), kernel(DEBUGFS, 'scratch_len_show')],
  strength: 'observed',
  find: (s, seen, report) => {
    const { scratchPhys = [], scratchLen = [] } = seen.debugfs();
    const pageBytes = 2 ** s.machine.pageShift;
    const slots = s.kho.get() === KHO_ON ? areasOf(s.machine, s.runs.get()) : 0;
    if (scratchPhys.length !== slots || scratchLen.length !== slots) {
      report(() => `${scratchPhys.length} and ${scratchLen.length} lines for ${slots} areas`);
    }
    for (let area = 0; area < slots; area++) {
      const slot = slotOfArea(s.machine, area, s.runs.get());
      const phys = s.areaFirst.get(slot) * pageBytes;
      const bytes = s.areaCount.get(slot) * pageBytes;
      if (scratchPhys[area] === phys && scratchLen[area] === bytes) continue;
      report(() => {
        const shown = `${scratchPhys[area] ?? 'none'} and ${scratchLen[area] ?? 'none'}`;
        return `area ${area} is at ${phys} with ${bytes} bytes, the files say ${shown}`;
      });
    }
    return slots;
  },
};

export const DBG_11: SystemSightRule = {
  kind: 'sight',
  each: 'system',
  id: 'DBG-11',
  says: 'There is a file `in/fdt` after a boot that revived a handover, and no `in` after another.',
  sources: [kernel(DEBUGFS, 'kho_in_debugfs_init')],
  strength: 'observed',
  find: (s, seen, report) => {
    const side = seen.debugfs().in;
    if (s.revived.get() === 0) {
      if (side !== undefined) report(() => 'the kernel revived nothing, but there is `in`');
    } else if (side?.tree === undefined) {
      report(() => 'the kernel revived a handover, but there is no in/fdt');
    }
    return 1;
  },
};

export const DBG_12: SystemSightRule = {
  kind: 'sight',
  each: 'system',
  id: 'DBG-12',
  says: 'The file `in/fdt` names exactly the blobs that the previous kernel handed over whole.',
  sources: [kernel(DEBUGFS, 'kho_in_debugfs_init')],
  strength: 'observed',
  find: (s, seen, report) => {
    const subtrees = seen.debugfs().in?.tree?.subtrees;
    if (subtrees === undefined || s.revived.get() === 0) return 0;
    let came = 0;
    for (let name = 0; name < s.machine.nameBytes.length; name++) {
      if (s.inFrame.get(name) !== 0 && s.inFault.get(name) === 0) came++;
    }
    let named = 0;
    for (const { name, phys, bytes } of subtrees) {
      const index = seen.nameIndex(name);
      if (index >= 0 && s.inFault.get(index) !== 0) continue;
      named++;
      const known = index >= 0 && s.inFrame.get(index) === phys / 2 ** s.machine.pageShift + 1;
      if (!known || isOtherSize(s.inBytes.get(index), bytes)) {
        report(() => `in/fdt names '${name}' at ${hex(phys)}, ${bytes} bytes; that did not come`);
      }
    }
    if (came !== named) report(() => `${came} blobs were handed over, in/fdt names ${named}`);
    return subtrees.length;
  },
};

export const DBG_13: SystemSightRule = {
  kind: 'sight',
  each: 'system',
  id: 'DBG-13',
  says: 'Files in `in/sub_fdts` are the blobs that came and whose memory nobody gave back.',
  sources: [kernel(DEBUGFS, 'kho_in_debugfs_init')],
  strength: 'assumed',
  since: '6.16',
  find: (s, seen, report) => {
    const { blobs } = seen.debugfs().in ?? NO_SIDE;
    let there = 0;
    for (let name = 0; name < s.machine.nameBytes.length; name++) if (isThere(s, name)) there++;
    for (const { name, bytes } of blobs) {
      const index = seen.nameIndex(name);
      if (index < 0 || s.inFrame.get(index) === 0) {
        report(() => `in/sub_fdts/${name} is there, but did not come`);
      } else if (!isThere(s, index)) {
        report(() => `in/sub_fdts/${name} shows memory that was given back`);
      } else if (isOtherSize(s.inBytes.get(index), bytes)) {
        report(() => `in/sub_fdts/${name} has ${bytes} bytes, not ${s.inBytes.get(index)}`);
      }
    }
    if (there !== blobs.length) {
      report(() => `${there} blobs are there, in/sub_fdts has ${blobs.length} files`);
    }
    return Math.max(there, blobs.length);
  },
};

export const DBG_14: SystemSightRule = {
  kind: 'sight',
  each: 'system',
  id: 'DBG-14',
  says: 'A file in `sub_fdts` shows what the memory of its blob holds.',
  sources: [kernel(DEBUGFS, 'kho_debugfs_blob_add'), kernel(DEBUGFS, 'kho_in_debugfs_init')],
  strength: 'observed',
  since: '6.16',
  find: (s, seen, report) => {
    const { stampOf, ...shown } = seen.debugfs();
    let looked = 0;
    for (const side of ['out', 'in'] as const) {
      const frames = side === 'out' ? s.outFrame : s.inFrame;
      for (const { name } of (shown[side] ?? NO_SIDE).blobs) {
        const index = seen.nameIndex(name);
        const frame = index < 0 ? -1 : frames.get(index) - 1;
        const written = frame < 0 ? 0 : s.content.get(frame);
        if (written === 0) continue;
        looked++;
        const stamp = stampOf(`${side}/sub_fdts/${name}`);
        if (stamp !== written) {
          report(() => `${side}/sub_fdts/${name} reads ${stamp}, ${written} was written`);
        }
      }
    }
    return looked;
  },
};

/** The files, without the damage that a handover came with: they are right to show it. */
const forgiving = (s: State, files: ShownFiles): ShownFiles => {
  const side = files.in;
  if (side?.tree === undefined || (s.counted.get() > 0 && !cameBroken(s))) return files;
  const blobs = side.blobs.map((blob) => ({ ...blob, fault: undefined }));
  return { ...files, in: { tree: { ...side.tree, damage: [] }, blobs } };
};

/** A rule about a copy, asked of the files that a system shows. */
const asked = (rule: WitnessRule): SystemSightRule => {
  const { id, says, sources, strength, repeats, since, until } = rule;
  return {
    kind: 'sight',
    each: 'system',
    id,
    says,
    sources,
    strength,
    ...(repeats === undefined ? {} : { repeats }),
    ...(since === undefined ? {} : { since }),
    ...(until === undefined ? {} : { until }),
    find: (s, seen, report) => {
      const givenBack = (name: string): boolean => {
        const index = seen.nameIndex(name);
        return index >= 0 && !isThere(s, index);
      };
      return rule.find({ ...forgiving(s, seen.debugfs()), givenBack }, report);
    },
  };
};

export const WHAT_DEBUGFS_SHOWS: Chapter = {
  title: 'What debugfs shows',
  says: 'User space reads the truth about what came and what will be handed over, in every kernel.',
  rules: [
    DBG_08,
    DBG_09,
    DBG_10,
    DBG_11,
    DBG_12,
    DBG_13,
    DBG_14,
    ...DEBUGFS_RULES.map((rule) => asked(rule)),
  ],
  actions: [],
};
