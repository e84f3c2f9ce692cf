/**
 * Chapter: the handover tree.
 *
 * One page holds a flattened device tree. Its root names the ABI and points to the tracker; below
 * it every user of KHO has a node that points to a blob of its own. The page is the limit.
 *
 * Names are compared as a whole: `foo` and `foo@1` are two names (decision note 040).
 */
import { FIRST_BLOB_DAMAGE, FIRST_METADATA_DAMAGE } from './call.ts';
import type { Call } from './call.ts';
import { EBUSY, EEXIST, EINVAL, ENOENT, ENOMEM, EOPNOTSUPP } from './errno.ts';
import { core, hex } from './rules.ts';
import type { Action, AnswerRule, Chapter, SystemSightRule } from './rules.ts';
import { KHO_MISSING, KHO_ON, hasRanges, isWritten, runsBefore } from './state.ts';
import type { State } from './state.ts';

/** Index of the name that every kernel uses itself. */
export const METADATA_NAME = 0;
/** Index of the name under which a kernel lists its reserve_mem regions. */
export const MEMBLOCK_NAME = 1;
/** Size of the `kexec-metadata` blob in bytes. */
export const METADATA_BYTES = 73;

const pad4 = (bytes: number): number => Math.ceil(bytes / 4) * 4;

/** Empty reservation map, root node with its two properties, end, and the root's strings. */
const ROOT_BYTES = 16 + (8 + (12 + 8) + (12 + 8) + 4 + 4) + (11 + 21);

/** Header: a tree that is written in one go has it aligned to 16 bytes, one that is edited to 8. */
const headerBytes = (s: State): number => (runsBefore(s, '6.19') ? 48 : 40);

/** The strings of a blob's properties: `fdt`, or `preserved-data` and `blob-size`. */
const stringBytes = (s: State): number => (runsBefore(s, '7.1') ? 4 : 15 + 10);

/** Bytes of the node of one blob: begin, name, one or two properties of eight bytes, end. */
const nodeBytes = (s: State, name: number): number => {
  const properties = runsBefore(s, '7.1') ? 1 : 2;
  return 4 + pad4(s.machine.nameBytes[name]! + 1) + properties * (12 + 8) + 4;
};

/** Bytes of the outgoing tree as it stands. */
const treeBytes = (s: State): number => {
  let bytes = headerBytes(s) + ROOT_BYTES + stringBytes(s);
  for (let name = 0; name < s.machine.nameBytes.length; name++) {
    if (s.outFrame.get(name) !== 0) bytes += nodeBytes(s, name);
  }
  return bytes;
};

/** Whether the outgoing tree with all its names fits into its page. */
export const outgoingFits = (s: State): boolean => treeBytes(s) <= 2 ** s.machine.pageShift;

/** Whether there is room for one more name; where the tree is written later nobody asks. */
const fits = (s: State, name: number): boolean =>
  runsBefore(s, '6.19') || treeBytes(s) + nodeBytes(s, name) <= 2 ** s.machine.pageShift;

/** Whether a blob's size is another than the law says; before 7.1 no tree says a size. */
export const isOtherSize = (law: number, bytes: number): boolean => law !== 0 && law !== bytes;

const taken = (s: State, name: number): boolean => s.outFrame.get(name) !== 0;

/** Whether the outgoing tree has a name already, and whether it has room for it. */
export const isNamed = taken;
export const hasRoomFor = fits;

/** Puts a name into the outgoing tree; it is the newest then. */
export const nameBlob = (s: State, name: number, frame: number, bytes: number): void => {
  let names = 0;
  for (let at = 0; at < s.machine.nameBytes.length; at++) if (s.outRank.get(at) !== 0) names++;
  s.outFrame.set(name, frame + 1);
  s.outBytes.set(name, runsBefore(s, '7.1') && !hasRanges(s) ? 0 : bytes);
  s.outRank.set(name, names + 1);
};

/** Takes a name out of the outgoing tree. */
export const unnameBlob = (s: State, name: number): void => {
  const rank = s.outRank.get(name);
  s.outFrame.set(name, 0);
  s.outBytes.set(name, 0);
  s.outRank.set(name, 0);
  if (rank === 0) return;
  for (let at = 0; at < s.machine.nameBytes.length; at++) {
    if (s.outRank.get(at) > rank) s.outRank.set(at, s.outRank.get(at) - 1);
  }
};

/** There is no name in the tree. */
export const unnameAll = (s: State): void => {
  for (let name = 0; name < s.machine.nameBytes.length; name++) {
    s.outFrame.set(name, 0);
    s.outBytes.set(name, 0);
    s.outRank.set(name, 0);
  }
};

/** The newest name of the blob at `pfn`, or -1. */
const newestName = (s: State, pfn: number): number => {
  let newest = -1;
  for (let name = 0; name < s.machine.nameBytes.length; name++) {
    if (s.outFrame.get(name) !== pfn + 1) continue;
    if (newest < 0 || s.outRank.get(name) > s.outRank.get(newest)) newest = name;
  }
  return newest;
};

/** Size that a metadata blob gets that was made too short, in bytes. */
export const SHORT_METADATA_BYTES = METADATA_BYTES - 1;

/** Frame of which the address stands for none: nobody gets a blob back that lies there. */
const NO_PLACE = 0;

/** What becomes of the outgoing tree when the next kernel takes it over; `call` is the jump. */
export const handTreeOver = (s: State, call: Call): void => {
  for (let name = 0; name < s.machine.nameBytes.length; name++) {
    s.inFrame.set(name, s.outFrame.get(name));
    s.inBytes.set(name, s.outBytes.get(name));
    s.inReturned.set(name, 0);
    s.inFault.set(name, s.outFrame.get(name) === 1 + NO_PLACE ? 1 : 0);
  }
  const { name, value } = call;
  const toBlob = value >= FIRST_BLOB_DAMAGE && value < FIRST_METADATA_DAMAGE && taken(s, name);
  if (toBlob) s.inFault.set(name, 1);
  const unusable = value >= FIRST_METADATA_DAMAGE || (toBlob && name === METADATA_NAME);
  s.counted.set(unusable ? 0 : s.counted.get() + 1);
  if (value === FIRST_METADATA_DAMAGE) s.inBytes.set(METADATA_NAME, SHORT_METADATA_BYTES);
};

/** There is no incoming tree. */
export const forgetTree = (s: State): void => {
  for (let name = 0; name < s.machine.nameBytes.length; name++) {
    s.inFrame.set(name, 0);
    s.inBytes.set(name, 0);
    s.inFault.set(name, 0);
    s.inReturned.set(name, 0);
  }
  s.counted.set(0);
};

export const TRE_01: AnswerRule = {
  kind: 'answer',
  id: 'TRE-01',
  says: 'A name that the tree has already is refused with -EEXIST.',
  sources: [core('kho_add_subtree')],
  strength: 'observed',
  since: '6.19',
  on: ['addSubtree'],
  when: (s, call) => taken(s, call.name),
  holds: (_s, _call, answer) => answer.value === -EEXIST,
  tell: (_s, call, answer) => `name ${call.name} exists, answered ${answer.value}`,
};

export const TRE_02: AnswerRule = {
  kind: 'answer',
  id: 'TRE-02',
  says: 'A blob that the page has no room to name is refused with -ENOMEM.',
  sources: [core('kho_add_subtree')],
  strength: 'observed',
  since: '7.1',
  on: ['addSubtree'],
  when: (s, call) => !taken(s, call.name) && !fits(s, call.name),
  holds: (_s, _call, answer) => answer.value === -ENOMEM,
  tell: (s, _call, answer) => `${treeBytes(s)} bytes are in use, answered ${answer.value}`,
};

export const TRE_03: AnswerRule = {
  kind: 'answer',
  id: 'TRE-03',
  says: 'A new name that the page has room for is added.',
  sources: [core('kho_add_subtree')],
  strength: 'promised',
  on: ['addSubtree'],
  when: (s, call) => s.final.get() === 0 && !taken(s, call.name) && fits(s, call.name),
  holds: (_s, _call, answer) => answer.value === 0,
  tell: (s, call, answer) =>
    `name ${call.name} is new and fits (${treeBytes(s)} bytes in use), answered ${answer.value}`,
};

export const TRE_04: AnswerRule = {
  kind: 'answer',
  id: 'TRE-04',
  says: 'Removing a blob succeeds, whether it was named or not.',
  sources: [core('kho_remove_subtree')],
  strength: 'observed',
  since: '6.19',
  on: ['removeSubtree'],
  when: () => true,
  holds: (_s, _call, answer) => answer.value === 0,
  tell: (_s, _call, answer) => `answered ${answer.value}`,
};

export const TRE_05: AnswerRule = {
  kind: 'answer',
  id: 'TRE-05',
  says: 'A blob that the previous kernel named is retrieved with its address and size.',
  sources: [core('kho_retrieve_subtree')],
  strength: 'promised',
  on: ['retrieveSubtree'],
  when: (s, call) => s.inFrame.get(call.name) !== 0 && s.inFault.get(call.name) === 0,
  holds: (s, call, answer) =>
    answer.value === s.inFrame.get(call.name) - 1 &&
    !isOtherSize(s.inBytes.get(call.name), answer.bytes),
  tell: (s, call, answer) =>
    `frame ${hex(s.inFrame.get(call.name) - 1)}, ${s.inBytes.get(call.name)} bytes were handed ` +
    `over; answered ${answer.value < 0 ? answer.value : hex(answer.value)}, ${answer.bytes} bytes`,
};

export const TRE_06: AnswerRule = {
  kind: 'answer',
  id: 'TRE-06',
  says: 'A name that the previous kernel did not hand over is answered with -ENOENT.',
  sources: [core('kho_retrieve_subtree')],
  strength: 'promised',
  on: ['retrieveSubtree'],
  when: (s, call) => s.inFrame.get(call.name) === 0 && s.kho.get() !== KHO_MISSING,
  holds: (_s, _call, answer) => answer.value === -ENOENT,
  tell: (_s, call, answer) => `name ${call.name} was not handed over, answered ${answer.value}`,
};

export const TRE_07: SystemSightRule = {
  kind: 'sight',
  each: 'system',
  id: 'TRE-07',
  says:
    'The outgoing tree names exactly the blobs that were added and not removed; of several names ' +
    'of one blob, the newest is removed.',
  sources: [core('kho_add_subtree'), core('kho_remove_subtree')],
  strength: 'promised',
  find: (s, seen, report) => {
    const { subtrees, pageShift } = seen.handover;
    if (!isWritten(s)) return 0;
    let named = 0;
    for (const { name, phys, bytes } of subtrees) {
      const index = seen.nameIndex(name);
      const known = index >= 0 && s.outFrame.get(index) === phys / 2 ** pageShift + 1;
      if (!known || isOtherSize(s.outBytes.get(index), bytes)) {
        report(() => `the tree names '${name}' at ${hex(phys)}, ${bytes} bytes; nobody added that`);
      }
    }
    for (let name = 0; name < s.machine.nameBytes.length; name++) if (taken(s, name)) named++;
    if (named !== subtrees.length) {
      report(() => `${named} blobs were added, the tree names ${subtrees.length}`);
    }
    return subtrees.length;
  },
};

export const TRE_08: SystemSightRule = {
  kind: 'sight',
  each: 'system',
  id: 'TRE-08',
  says:
    'The metadata blob counts the kexecs that led to the next kernel, anew from a kernel whose ' +
    'own blob cannot be used.',
  sources: [core('kho_out_kexec_metadata')],
  strength: 'observed',
  since: '7.1',
  find: (s, seen, report) => {
    if (s.kho.get() !== KHO_ON) return 0;
    if (seen.kexecCount !== s.counted.get() + 1) {
      report(() => `the blob counts ${seen.kexecCount}, ${s.counted.get() + 1} is right`);
    }
    return 1;
  },
};

export const TRE_09: AnswerRule = {
  kind: 'answer',
  id: 'TRE-09',
  says:
    'A blob without an address or size of eight bytes each, or with an address that cannot be ' +
    'one, is answered with -EINVAL; other blobs are not affected.',
  sources: [core('kho_retrieve_subtree')],
  strength: 'assumed',
  since: '7.1',
  on: ['retrieveSubtree'],
  when: (s, call) => s.inFrame.get(call.name) !== 0 && s.inFault.get(call.name) !== 0,
  holds: (_s, _call, answer) => answer.value === -EINVAL,
  tell: (_s, call, answer) =>
    `the properties of name ${call.name} are no address and size, answered ${answer.value}`,
};

export const addSubtree: Action = {
  name: 'addSubtree',
  says: 'name a blob in the outgoing tree',
  refusals: [-EEXIST, -ENOMEM, -EBUSY],
  refusalSpans: { [-ENOMEM]: { since: '6.19' }, [-EBUSY]: { until: '6.18' } },
  shows: ({ name, pfn, value }, nameOf) =>
    `kho_add_subtree('${nameOf(name)}', ${hex(pfn)}, ${value})`,
  effect: (s, call, answer) => {
    if (answer.value === 0) nameBlob(s, call.name, call.pfn, call.value);
  },
};

export const removeSubtree: Action = {
  name: 'removeSubtree',
  since: '6.19',
  also: ['v3', 'v4', 'v5'],
  refusals: [-ENOENT, -EBUSY],
  refusalSpans: { [-ENOENT]: { until: 'v5' }, [-EBUSY]: { until: 'v5' } },
  says: 'take a blob out of the outgoing tree',
  shows: ({ pfn }) => `kho_remove_subtree(${hex(pfn)})`,
  effect: (s, call, answer) => {
    const name = newestName(s, call.pfn);
    if (name >= 0 && answer.value === 0) unnameBlob(s, name);
  },
};

export const retrieveSubtree: Action = {
  name: 'retrieveSubtree',
  says: 'look a blob of the previous kernel up',
  refusals: [-ENOENT, -EINVAL, -EOPNOTSUPP],
  refusalSpans: { [-EINVAL]: { since: '7.1' } },
  shows: ({ name }, nameOf) => `kho_retrieve_subtree('${nameOf(name)}')`,
  effect: () => {},
};

export const HANDOVER_TREE: Chapter = {
  title: 'The handover tree',
  says: 'One page names the ABI, the tracker and every blob; the page is the limit.',
  rules: [TRE_01, TRE_02, TRE_03, TRE_04, TRE_05, TRE_06, TRE_07, TRE_08, TRE_09],
  actions: [addSubtree, removeSubtree, retrieveSubtree],
};
