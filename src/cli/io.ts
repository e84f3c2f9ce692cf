/** Where commands print, and what they know of the terminal. Nothing else prints. */
import { colors } from '../report/colors.ts';
import type { Colors } from '../report/colors.ts';

export interface Io {
  /** Results, with the newline that ends them. */
  readonly out: (text: string) => void;
  /** Progress and errors. */
  readonly err: (text: string) => void;
  readonly colors: Colors;
  /** Whether progress may overwrite its own line. */
  readonly liveProgress: boolean;
}

/** Exit statuses that people script against. */
export const EXIT = { holds: 0, broken: 1, usage: 2, inconclusive: 3, bug: 4 } as const;

/** Wrong usage or malformed input: one sentence that says where and what to do. */
export class UsageError extends Error {}

/** A reader that left early is no fault of ours; that nothing can be written is told in a line. */
const onWriteError = (error: NodeJS.ErrnoException): void => {
  if (error.code === 'EPIPE') return;
  process.stderr.write(`kho-check: cannot write the results: ${error.code ?? error.message}\n`);
  process.exit(EXIT.usage);
};

/** The io of a process, with colour only on a terminal and without `NO_COLOR`. */
export const processIo = (): Io => {
  const terminal = process.stdout.isTTY === true;
  process.stdout.on('error', onWriteError);
  process.stderr.on('error', () => {});
  return {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    colors: colors(terminal && process.env['NO_COLOR'] === undefined),
    liveProgress: process.stderr.isTTY === true,
  };
};
