/**
 * The observer of lockstep: what is seen of a system, decoded by `abi/decode` and nobody else.
 */
import type { CallAnswer } from '#model/call';
import { nameIndex } from '#model/machines';
import { sessionIndex } from '#model/sessions';
import type { Memory, Observables, System } from '#model/system';
import type { ShownFiles } from '#spec/debugfs';
import type { Handover } from '#spec/handover';
import type { Seen, SeenRegion, SeenSessions } from '#spec/rules';
import { MEMBLOCK_NAME, METADATA_BYTES, METADATA_NAME } from '#spec/handover-tree';
import { readChunkList } from './chunk-list.ts';
import { RememberedFiles } from './debugfs.ts';
import { RememberedPages } from './remembered-pages.ts';
import { decodeHandover } from '#src/abi/decode/handover';
import type { DecodedHandover } from '#src/abi/decode/handover';
import { readScratchArray } from '#src/abi/decode/scratch-array';
import { remembering } from '#src/abi/decode/remember';
import { readLeft } from '#src/abi/decode/luo-left';
import { readMemblock, readMemblockNode } from '#src/abi/decode/memblock';
import { readKexecMetadata } from '#src/abi/decode/metadata';

const memblock = remembering(readMemblock);
const memblockNode = remembering(readMemblockNode);
const kexecMetadata = remembering(readKexecMetadata);

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
const decode = (sees: Observables, memory: Memory): Handover => {
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
export const completeBootAnswer = (
  { sees }: System,
  handover: Handover,
  answer: CallAnswer,
): void => {
  const pageBytes = 2 ** handover.pageShift;
  for (const area of handover.scratch) {
    answer.areas.add(area.phys / pageBytes, area.bytes / pageBytes);
  }
  answer.array = Math.floor(sees.scratchArray() / pageBytes);
  const metadata = handover.subtrees.find((tree) => nameIndex(tree.name) === METADATA_NAME);
  answer.metadata = metadata === undefined ? 0 : metadata.phys / pageBytes;
};

const NOBODY: readonly string[] = [];

/** Looks at one system again and again; what is the same as before is not decoded anew. */
export class Observer {
  readonly #system: System;
  readonly #handover: RememberedPages<Handover>;
  readonly #files = new RememberedFiles();
  /** What led to the handover that was decoded last. */
  #pointers: readonly unknown[] = [];

  constructor(system: System) {
    this.#system = system;
    this.#handover = new RememberedPages(system.sees.memory);
  }

  /** What the running kernel would hand over now; the same object if no byte of it changed. */
  handover(): Handover {
    const { sees } = this.#system;
    const pointers = [sees.fdt(), sees.scratchArray(), sees.scratchBytes(), sees.generation?.()];
    const asBefore = pointers.every((pointer, i) => pointer === this.#pointers[i]);
    this.#pointers = pointers;
    return this.#handover.get((memory) => decode(sees, memory), asBefore);
  }

  /**
   * Everything that is seen of the system at one moment.
   *
   * @param handover what was decoded at this very moment, if it was
   */
  see(handover = this.handover()): Seen {
    const { sees } = this.#system;
    let shown: ShownFiles | undefined;
    let regions: ReturnType<Seen['regions']> | undefined;
    return {
      use: (pfn) => sees.use(pfn),
      content: (pfn) => sees.content(pfn),
      migrateType: (pfn) => sees.migrateType(pfn),
      freeFrames: sees.freeFrames(),
      handover,
      kexecCount: kexecCount(sees, handover),
      regions: () => (regions ??= listedRegions(sees, handover)),
      chunkList: (chunk, order) => readChunkList(sees.memory, chunk, order),
      passedOver: sees.passedOver?.() ?? NOBODY,
      luo: (head) => leftSessions(sees, head),
      debugfs: () => (shown ??= this.#files.observe(sees, handover)),
      nameIndex,
    };
  }
}

/** Everything that is seen of a system once, by somebody who remembers nothing. */
export const observe = (system: System): Seen => new Observer(system).see();

const listedRegions = (sees: Observables, handover: Handover): readonly SeenRegion[] | string => {
  const { fdt, writers = [] } = handover as Partial<DecodedHandover>;
  const form = writers.at(-1)?.root.form ?? 'pointers';
  if (fdt !== undefined && form !== 'pointers') {
    const tree = sees.memory.page(fdt / 2 ** handover.pageShift);
    return tree === undefined ? 'there is none' : memblockNode(tree);
  }
  const blob = handover.subtrees.find((tree) => nameIndex(tree.name) === MEMBLOCK_NAME);
  const page = blob && sees.memory.page(blob.phys / 2 ** handover.pageShift);
  return page === undefined ? 'there is none' : memblock(page.subarray(0, blob?.bytes));
};

/** Session and file numbers that no name and no token stand for are -1. */
const leftSessions = (sees: Observables, head: number): SeenSessions | string => {
  const left = readLeft(sees.memory, head, sees.generation?.());
  if (typeof left === 'string') return left;
  const sessions = left.map(({ name }) => sessionIndex(name ?? ''));
  const files = left.flatMap((session, at) =>
    session.files.map(({ token, memfd }) => {
      return { session: sessions[at]!, token, bytes: memfd?.bytes ?? -1 };
    }),
  );
  return { sessions, files };
};

const kexecCount = (sees: Observables, handover: Handover): number => {
  const blob = handover.subtrees.find((tree) => nameIndex(tree.name) === METADATA_NAME);
  const page = blob && sees.memory.page(blob.phys / 2 ** handover.pageShift);
  if (page === undefined) return -1;
  const metadata = kexecMetadata(page.subarray(0, METADATA_BYTES));
  return typeof metadata === 'string' ? -1 : metadata.kexecCount;
};

/** What frame rules need of a system between full comparisons: no decoding. */
export const glance = (system: System): Pick<Seen, 'use' | 'content'> => ({
  use: (pfn) => system.sees.use(pfn),
  content: (pfn) => system.sees.content(pfn),
});
