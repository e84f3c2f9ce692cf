/** The captures as memory that src/kho can run on, and the machines they were recorded on. */
import { isPageShift } from '#src/abi/description/page-size';
import { readArchive } from '#src/abi/decode/archive';
import type { Archive } from '#src/abi/decode/archive';
import type { Machine } from '#model/system';
import { PhysicalMemory } from '#src/kho/physical-memory';
import type { ScratchArea } from '#src/kho/scratch';
import type { Capture } from '../abi/captures.ts';

export const archiveOf = (capture: Capture): Archive =>
  readArchive(capture.file('pages.bin.zst'), undefined, capture.name);

/** Memory that holds every page of an archive and nothing else. */
export const memoryOf = (archive: Archive): PhysicalMemory => {
  const memory = new PhysicalMemory(archive.pageShift);
  for (const pfn of archive.pfns) memory.zeroPage(pfn).set(archive.page(pfn)!);
  return memory;
};

export const areasOf = ({ expected }: Capture, pageBytes: number): ScratchArea[] =>
  expected.scratch.map(([address, bytes]) => ({
    first: address / pageBytes,
    count: bytes / pageBytes,
  }));

/** First address and end of every node of a chain's machine, in MiB; holes count as memory. */
const NODES: readonly (readonly [RegExp, readonly (readonly [number, number])[]])[] = [
  [/^a64-.*n1-512M/, [[1024, 1536]]],
  [
    /^a64-.*n2-512M/,
    [
      [1024, 1280],
      [1280, 1536],
    ],
  ],
  [/^a64-.*4G$/, [[1024, 5120]]],
  [/n1-256M/, [[0, 256]]],
  [/n1-512M/, [[0, 512]]],
  [/n1-6G/, [[0, 8192]]],
  [
    /n2-512M/,
    [
      [0, 256],
      [256, 512],
    ],
  ],
  [
    /n2-6G/,
    [
      [0, 4608],
      [4608, 8192],
    ],
  ],
];

/** The machine of a capture, as far as its handover shows it. */
export const machineOf = (capture: Capture, pageShift: number): Machine => {
  if (!isPageShift(pageShift)) throw new Error(`no pages of 2^${pageShift} bytes`);
  const chain = capture.name.split('/')[0]!;
  const borders = NODES.find(([pattern]) => pattern.test(chain))![1];
  const frames = (mebibytes: number): number => (mebibytes * 1048576) / 2 ** pageShift;
  const nodes = borders.map(([first, end]) => ({
    first: frames(first),
    count: frames(end - first),
  }));
  const last = nodes.at(-1)!;
  return {
    pageShift,
    nodes,
    end: last.first + last.count,
    maxOrder: { 12: 10, 14: 11, 16: 13 }[pageShift],
    scratch: { lowmem: 0, global: 0, perNode: 0 },
    scratchAlign: 1,
    lowmemEnd: frames(4096),
    nameBytes: [],
  };
};
