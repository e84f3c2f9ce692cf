/**
 * The observer of vmalloc areas: the chunks that list one, as `abi/decode` reads them.
 */
import { RangeList } from '#model/call';
import type { CallAnswer } from '#model/call';
import type { Memory } from '#model/system';
import type { ChunkList } from '#spec/rules';
import { walkVmalloc } from '#src/abi/decode/vmalloc';

/** Reads the list whose first chunk is frame `chunk`, of blocks of `2^order` pages. */
export const readChunkList = (memory: Memory, chunk: number, order: number): ChunkList => {
  const chunks = new RangeList();
  const pages = new RangeList();
  return { chunks, pages, damage: readInto(memory, chunk, order, chunks, pages) };
};

/** Fills in what the answer to preserving an area says through bytes: its chunks and blocks. */
export const completeAreaAnswer = (memory: Memory, order: number, answer: CallAnswer): void => {
  readInto(memory, answer.value, order, answer.chunks, answer.pages);
};

const readInto = (
  memory: Memory,
  chunk: number,
  order: number,
  chunks: RangeList,
  pages: RangeList,
): string | undefined =>
  walkVmalloc(memory, chunk * 2 ** memory.pageShift, {
    chunk: (pfn, entries) => chunks.add(pfn, entries),
    block: (pfn) => pages.add(pfn, 2 ** order),
  });
