/**
 * Command lines with `reserve_mem=`: those that machines are tried with, and what a shape's lines
 * make of its machine.
 *
 * A command line is written as the values of its options, with a space between them. The first line
 * of a machine is that of every kernel that is switched on or loaded without another.
 */
import { ALIGN_MIN, readReserveMemLine } from '#spec/reserve-mem-option';
import type { Machine, ReserveMem } from '#spec/machine';

/** A name that no command line has. */
export const UNKNOWN_REGION = 'no-such-name';

/** What command lines mean to the law. */
export const reserveMemOf = (texts: readonly string[]): ReserveMem => {
  const lines = texts.map((text) => ({ text, entries: readReserveMemLine(text) }));
  const names = lines.flatMap(({ entries }) => entries.map(({ name }) => name));
  return { lines, names: [...new Set([...names, UNKNOWN_REGION])] };
};

/** The names of regions of a machine; none when no command line names any. */
export const regionNames = (machine: Machine): readonly string[] => machine.reserveMem?.names ?? [];

/** Frames that the regions of a command line take at most, with room for their alignment. */
export const regionFrames = (text: string, pageShift: number, end: number): number => {
  const frames = (bytes: number): number => Math.ceil(bytes / 2 ** pageShift);
  const taken = readReserveMemLine(text).map(({ bytes, align }) =>
    frames(bytes) > end ? 0 : frames(bytes) + frames(Math.max(align, ALIGN_MIN)) + 1,
  );
  return taken.reduce((sum, count) => sum + Math.min(count, end), 0);
};

/** What machines of terabytes are tried with instead: regions of gigabytes, aligned to as many. */
export const VAST_COMMAND_LINES: readonly (readonly string[])[] = [
  ['4K:2G:two 4K:4G:four', '4K:4G:two 4K:2G:four'],
  ['2G:2G:two', '4G:4G:four', '2G:4G:two'],
];

/** Command lines that machines are generated with: each is a chain of what kernels may be told. */
export const COMMAND_LINES: readonly (readonly string[])[] = [
  // As in the recorded kernels, but smaller; one name less, none at all.
  ['64K:2M:rmA 20K:4K:rmB', '64K:2M:rmA', ''],
  // Less than a page, and across pages; one name more.
  ['2048:64:a 100:0:b 4096:64:c', '2048:64:a 4096:64:c 64:0:new', '2048:64:c'],
  // Another size, another alignment, a name of its own.
  ['6000:64:log 12K:4K:ring', '8K:4K:log 12K:256K:ring 12K:64K:late', '6000:1M:log'],
  // New on a handover.
  ['', '0x4000:0x4000:late 3000:0:b', '010000:4K:b'],
  // More than there is room for, twice the same name, too large, refused.
  [
    '4K:4K:r0 4K:4K:r0 64T:0:r1 4K:3:r2 4K:4K:r3 8K:4K:r4 1:0:r5 2:0:r6 3:0:r7 4K:0:r8 4K:0:r9 ' +
      '5000:0:rA',
    '64T:0:r0 4K:4K:r0 4K:4K:rA',
  ],
];
