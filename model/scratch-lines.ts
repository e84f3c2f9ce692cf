/**
 * Command lines with `kho_scratch=`: those that machines are tried with, what a shape's lines make
 * of its machine, and whether a law can be tried with them.
 *
 * A line of which nobody can say beforehand whether scratch fits is of no use: then a boot might
 * take the last page of a machine. So scratch fits with room to spare, or it fits nowhere; only on
 * a node that a boot takes nothing else of, it may just fit or just not.
 */
import type { Machine, ScratchLine } from '#spec/machine';
import { GENERATIONS, ageOf, generationOfAge } from '#spec/generations';
import type { Generation } from '#spec/generations';
import { areaBytes, readScratchOption, requestWithout } from '#spec/scratch-option';
import type { AskedScratch } from '#spec/scratch-option';

const DEFAULT_REQUESTS = GENERATIONS.map((_, age) => requestWithout(generationOfAge(age)));

/** Age of the first kernels that read three sizes; those before have forms of their own. */
const THREE_SIZES_SINCE = ageOf('v5');

/** Whether kernels read `kho_scratch=` in a form of their own. */
export const readsOwnOption = (generation: Generation): boolean =>
  ageOf(generation) > THREE_SIZES_SINCE;

/** What a text asks kernels for, by their age; where two read the same it is one object. */
const requestsOf = (text: string): readonly AskedScratch[] => {
  const seen = new Map<string, AskedScratch>();
  return GENERATIONS.map((_, age) => {
    const generation = generationOfAge(age);
    const read = readScratchOption(text, generation);
    const request = read.kind === 'refused' ? requestWithout(generation) : read;
    const key = JSON.stringify(request);
    const same = seen.get(key) ?? request;
    seen.set(key, same);
    return same;
  });
};

/** What command lines mean to the law; null for one that says nothing. */
export const scratchLinesOf = (texts: readonly (string | null)[]): readonly ScratchLine[] =>
  texts.map((text) =>
    text === null
      ? { text: undefined, requests: DEFAULT_REQUESTS }
      : { text, requests: requestsOf(text) },
  );

/** How many command lines a machine has: one at least, which may say nothing. */
export const lineCount = ({ reserveMem, scratchLines }: Machine): number =>
  Math.max(1, reserveMem?.lines.length ?? 0, scratchLines?.length ?? 0);

/** Command lines that machines are generated with: each is a chain of what kernels may be told. */
export const SCRATCH_LINES: readonly (readonly (string | null)[])[] = [
  // The default, other sizes after it, no area at all, which is refused.
  [null, '4M,0,8M', '0%', '0,0,0'],
  // Sizes that are no multiple of anything; one too few, one too many, a letter too many.
  ['1M,5M,3M', '1M,2M', '1M,2M,3M,4M', '1M,2M,3Mx'],
  ['1M,2M,3Mx', null, '+200%', ' 1M,1M,1M', ''],
  // A size of zero, as on machines without low memory; then more than there is.
  ['0,4M,0', '0,512M,0', '4M,0,0'],
  ['0,0,4M', '0,512M,0', '0,4M,0'],
  // Percentages up to the largest, and past it; eleven characters and twelve.
  ['2000%', '4294967295%', '4294967296%', '42949672950%', '1%'],
  ['4294967296%', '5000%', '00000000200%', '0000000200%', '4294967295%'],
  // Hexadecimal, octal, a unit without a number, numbers that do not fit 64 bits.
  ['0x400000,0x400000,020000000', 'K,1M,1M', '16E,4M,4M', '0x10000000000400000,4M,4M'],
  ['K,8M,8M', '8E,8E,1M', '8E,8E,0', '4m,4096k,0X400000'],
  // Areas that fit nowhere: the first, the one for any node, that of some node or other.
  ['4M,4M,4M', '4M,1T,4M', '4M,4M,1T', '1T,4M,4M'],
  ['4M,4M,4M', '4M,4M,32M'],
  ['4M,4M,4M', '32M,4M,4M'],
];

/** Further ones where kernels of the series v3 or v4 run, which read them in their own way. */
export const EARLY_SCRATCH_LINES: readonly (readonly (string | null)[])[] = [
  // The forms of both; nothing at all, which is no KHO to v3; sizes that are none.
  [null, '4M,8M', '8M', '4M,0'],
  ['4M', '4M,', '0', ',4M', 'all of it'],
  // What follows the last size, or a percentage, is not looked at.
  ['5M,3M,x', '150%x', '1M,2M%', '3Mx', '4Mx,4M'],
  // Percentages in any base, of which 32 bits count.
  ['0x12c%', '0310%', '4294967496%', '%', '4294967296%'],
  ['08%', '18446744073709551816%', '0%', '+200%'],
  // Areas that fit nowhere.
  ['4M,4M', '1T,4M', '4M,1T', '8E,8E'],
];

/** Frames that a kernel reserves early at most, whatever else it is told: its image and pieces. */
const EARLY_FRAMES = 24;

/** What a machine offers to scratch; frames. */
export interface ScratchRoom {
  readonly pageShift: number;
  /** Alignment of areas, from 7.2 on and before. */
  readonly align: number;
  readonly oldAlign: number;
  /** Frames of each node; some may have none. */
  readonly nodes: readonly number[];
  readonly lowEnd: number;
  /** Frames that are reserved early beside the ordinary ones and count. */
  readonly counted: number;
  /** Frames that have to be left of every node, and of low memory. */
  readonly spare: number;
}

/**
 * Why scratch of such a command line may or may not fit, or '' when it is certain.
 *
 * @param isEarly whether to ask for the kernels before v5, rather than for all from it on
 */
export const scratchProblem = (text: string | null, room: ScratchRoom, isEarly = false): string => {
  const [line] = scratchLinesOf([text]) as [ScratchLine];
  const requests = line.requests.filter((_, age) => age > THREE_SIZES_SINCE === isEarly);
  const aligns = [...new Set([room.align, room.oldAlign])];
  const isCertain = [...new Set(requests)].every((request) =>
    aligns.every((align) => isCertainOf(request, align, room)),
  );
  return isCertain ? '' : `scratch of '${text ?? 'the default'}' may or may not fit it`;
};

/**
 * Whether nothing of a node, by its place among those with memory, is taken while a kernel boots
 * but its own area: everything else is taken from the ends of memory, or from low memory.
 */
const isInner = ({ nodes, lowEnd }: ScratchRoom, place: number): boolean => {
  const used = nodes.filter((count) => count > 0);
  const end = used.reduce((sum, count) => sum + count, 0);
  return place > 0 && place < used.length - 1 && (lowEnd <= used[0]! || lowEnd >= end);
};

/** Whether it is known beforehand that areas of that alignment fit, or that they do not. */
const isCertainOf = (request: AskedScratch, align: number, room: ScratchRoom): boolean => {
  const { nodes, lowEnd, counted, spare } = room;
  const pageBytes = 2 ** room.pageShift;
  const sized = (early: { low: number; total: number; nodes: number[] }): number[] =>
    areaBytes(request, early, align * pageBytes).map((bytes) => bytes / pageBytes);
  const used = nodes.filter((count) => count > 0);
  const low = Math.min(used[0] ?? 0, lowEnd);
  const most = (EARLY_FRAMES + counted) * pageBytes;
  const [lowmem, , perNode] = sized({ low: most, total: most, nodes: [most] });
  const [, global] = sized({ low: 0, total: most, nodes: [] });
  const all = lowmem! + global! + perNode!;
  const fits = (count: number, i: number): boolean =>
    all + spare <= count || (isInner(room, i) && request.kind !== 'scale');
  if (lowmem! + spare <= low && used.every(fits)) return true;
  if (request.kind === 'scale') {
    const [least] = sized({ low: 8 * pageBytes, total: 8 * pageBytes, nodes: [] });
    const end = nodes.reduce((sum, count) => sum + count, 0);
    return least! > 2 * end;
  }
  return lowmem! > low || global! > Math.max(...used) || perNode! > Math.min(...used);
};
