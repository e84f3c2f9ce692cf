/**
 * What an observer reads in a system's debugfs directory, decoded by `abi/decode`.
 *
 * Files that show data pages have a length and a stamp, and no bytes to decode. Of the blobs only
 * the kernel's own metadata is decoded: what callers write under a name is their business.
 */
import { nameIndex } from '#model/machines';
import type { DebugfsFile, Observables } from '#model/system';
import type { ShownFiles } from '#spec/debugfs';
import type { Handover } from '#spec/handover';
import { METADATA_NAME } from '#spec/handover-tree';
import { readDebugfs } from '#src/abi/decode/debugfs';
import type { FileBytes } from '#src/abi/decode/debugfs';

const BLOBS = '/sub_fdts/';
const PATHS_MAX = 4096;

const isDecoded = (path: string): boolean => {
  const at = path.indexOf(BLOBS);
  return at < 0 || nameIndex(path.slice(at + BLOBS.length)) === METADATA_NAME;
};

/** The same, of paths that were asked for before; there are no more than names. */
const decodedPaths = new Map<string, boolean>();

const isKnownAsDecoded = (path: string): boolean => {
  let isOne = decodedPaths.get(path);
  if (isOne === undefined) {
    if (decodedPaths.size >= PATHS_MAX) decodedPaths.clear();
    isOne = isDecoded(path);
    decodedPaths.set(path, isOne);
  }
  return isOne;
};

/**
 * Reads every file.
 *
 * @param handover what was decoded from memory at this very moment
 */
export const observeDebugfs = (sees: Observables, handover: Handover): ShownFiles => {
  const files = sees.debugfs();
  const bytes = new Map<string, FileBytes>();
  for (const [path, file] of files) {
    bytes.set(path, (isKnownAsDecoded(path) ? file.read() : undefined) ?? file);
  }
  const copy = readDebugfs(bytes);
  return {
    out: copy?.out,
    in: copy?.in,
    scratchPhys: copy?.scratchPhys,
    scratchLen: copy?.scratchLen,
    recordedScratch: undefined,
    recordedPage: undefined,
    measuredPage: undefined,
    scratch: handover.scratch,
    differsAt: differsAt(files.get('out/fdt'), sees, handover),
    stampOf: (path) => files.get(path)?.stamp ?? 0,
  };
};

/** First byte in which a file differs from the tree in memory; -1 when none does. */
const differsAt = (
  file: DebugfsFile | undefined,
  sees: Observables,
  { fdt, pageShift }: Handover,
): number => {
  const shown = file?.read();
  const page = fdt === undefined ? undefined : sees.memory.page(Math.floor(fdt / 2 ** pageShift));
  if (shown === undefined || page === undefined) return shown === page ? -1 : 0;
  if (Buffer.compare(shown, page.subarray(0, shown.length)) === 0) return -1;
  for (let at = 0; at < shown.length; at++) if (shown[at] !== page[at]) return at;
  return -1;
};
