/**
 * The observer of lockstep: what is seen of a system, decoded by `abi/decode` and nobody else.
 */
import type { CallAnswer } from '#model/call';
import { nameIndex } from '#model/machines';
import type { Observables, System } from '#model/system';
import type { ShownFiles } from '#spec/debugfs';
import type { Handover } from '#spec/handover';
import type { Seen, SeenRegion } from '#spec/rules';
import { MEMBLOCK_NAME, METADATA_BYTES, METADATA_NAME } from '#spec/handover-tree';
import { readChunkList } from './chunk-list.ts';
import { observeDebugfs } from './debugfs.ts';
import { decodeHandover } from '#src/abi/decode/handover';
import { readScratchArray } from '#src/abi/decode/scratch-array';
import { readMemblock } from '#src/abi/decode/memblock';
import { readKexecMetadata } from '#src/abi/decode/metadata';

/** What a kernel without KHO would hand over. */
const nothing = (pageShift: number): Handover => ({
  pageShift,
  compatible: '',
  fdt: undefined,
  scratchArray: undefined,
  tracker: undefined,
  scratch: [],
  preserved: [],
  trackerPages: [],
  subtrees: [],
  damage: [],
});

/** Decodes what the running kernel would hand over now. */
export const observeHandover = (sees: Observables): Handover => {
  const { memory } = sees;
  const scratchArray = sees.scratchArray();
  if (sees.fdt() === 0 && scratchArray === 0) return nothing(memory.pageShift);
  const scratchBytes = sees.scratchBytes();
  if (sees.fdt() === 0) {
    const { areas, damage } = readScratchArray(memory, scratchArray, scratchBytes);
    return { ...nothing(memory.pageShift), scratchArray, scratch: areas, damage };
  }
  const writer = sees.generation?.();
  return decodeHandover(memory, { fdt: sees.fdt(), scratchArray, scratchBytes, writer });
};

/** Fills in what a boot's answer says through bytes: scratch areas and the metadata blob. */
export const completeBootAnswer = (system: System, answer: CallAnswer): Handover => {
  const handover = observeHandover(system.sees);
  const pageBytes = 2 ** handover.pageShift;
  for (const area of handover.scratch) {
    answer.areas.add(area.phys / pageBytes, area.bytes / pageBytes);
  }
  answer.array = Math.floor(system.sees.scratchArray() / pageBytes);
  const metadata = handover.subtrees.find((tree) => nameIndex(tree.name) === METADATA_NAME);
  answer.metadata = metadata === undefined ? 0 : metadata.phys / pageBytes;
  return handover;
};

/**
 * Everything that an observer sees of a system at one moment.
 *
 * @param handover what was decoded at this very moment, if it was
 */
export const observe = (system: System, handover = observeHandover(system.sees)): Seen => {
  const { sees } = system;
  let shown: ShownFiles | undefined;
  return {
    use: (pfn) => sees.use(pfn),
    content: (pfn) => sees.content(pfn),
    migrateType: (pfn) => sees.migrateType(pfn),
    freeFrames: sees.freeFrames(),
    handover,
    kexecCount: kexecCount(sees, handover),
    regions: () => listedRegions(sees, handover),
    chunkList: (chunk, order) => readChunkList(sees.memory, chunk, order),
    passedOver: sees.passedOver?.() ?? [],
    debugfs: () => (shown ??= observeDebugfs(sees, handover)),
    nameIndex,
  };
};

const listedRegions = (sees: Observables, handover: Handover): readonly SeenRegion[] | string => {
  const blob = handover.subtrees.find((tree) => nameIndex(tree.name) === MEMBLOCK_NAME);
  const page = blob && sees.memory.page(blob.phys / 2 ** handover.pageShift);
  return page === undefined ? 'there is none' : readMemblock(page.subarray(0, blob?.bytes));
};

const kexecCount = (sees: Observables, handover: Handover): number => {
  const blob = handover.subtrees.find((tree) => nameIndex(tree.name) === METADATA_NAME);
  const page = blob && sees.memory.page(blob.phys / 2 ** handover.pageShift);
  if (page === undefined) return -1;
  const metadata = readKexecMetadata(page.subarray(0, METADATA_BYTES));
  return typeof metadata === 'string' ? -1 : metadata.kexecCount;
};

/** What frame rules need of a system between full comparisons: no decoding. */
export const glance = (system: System): Pick<Seen, 'use' | 'content'> => ({
  use: (pfn) => system.sees.use(pfn),
  content: (pfn) => system.sees.content(pfn),
});
