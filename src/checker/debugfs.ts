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

/** A file as it was when it was looked at. */
interface KnownFile {
  path: string;
  length: number;
  stamp: number;
  /** Its bytes, where they are decoded and there are any; the view as the system gave it, too. */
  copy: Uint8Array | undefined;
}

const sameBytes = (a: Uint8Array | undefined, b: Uint8Array | undefined): boolean =>
  a === undefined || b === undefined ? a === b : Buffer.compare(a, b) === 0;

/** Reads every file; as long as no byte of any changed, it gives the same answer. */
export class RememberedFiles {
  #known: KnownFile[] = [];
  #handover: Handover | undefined;
  #shown: ShownFiles | undefined;

  /** @param handover what was decoded from memory at this very moment */
  observe(sees: Observables, handover: Handover): ShownFiles {
    const files = sees.debugfs();
    if (this.#shown !== undefined && handover === this.#handover && this.#isKnown(files)) {
      return this.#shown;
    }
    this.#known = [...files].map(([path, file]) => {
      const { length, stamp } = file;
      const bytes = isKnownAsDecoded(path) ? file.read() : undefined;
      return { path, length, stamp, copy: bytes?.slice() };
    });
    this.#handover = handover;
    this.#shown = readFiles(files, sees, handover);
    return this.#shown;
  }

  #isKnown(files: ReadonlyMap<string, DebugfsFile>): boolean {
    if (files.size !== this.#known.length) return false;
    let at = 0;
    for (const [path, file] of files) {
      const known = this.#known[at++]!;
      if (path !== known.path || file.length !== known.length || file.stamp !== known.stamp) {
        return false;
      }
      if (isKnownAsDecoded(path) && !sameBytes(file.read(), known.copy)) return false;
    }
    return true;
  }
}

const readFiles = (
  files: ReadonlyMap<string, DebugfsFile>,
  sees: Observables,
  handover: Handover,
): ShownFiles => {
  const bytes = new Map<string, FileBytes>();
  for (const [path, file] of files) {
    bytes.set(path, (isKnownAsDecoded(path) ? file.read() : undefined) ?? file);
  }
  const copy = readDebugfs(bytes, sees.generation?.());
  const stamps = new Map([...files].map(([path, { stamp }]) => [path, stamp]));
  return {
    out: copy?.out,
    in: copy?.in,
    scratchPhys: copy?.scratchPhys,
    scratchLen: copy?.scratchLen,
    recordedScratch: undefined,
    recordedPage: undefined,
    measuredPage: undefined,
    scratch: handover.scratch,
    phase: phaseIn(files.get('out/finalize') ?? files.get('out/active')),
    differsAt: differsAt(files.get('out/fdt') ?? files.get('out/dt'), sees, handover),
    stampOf: (path) => stamps.get(path) ?? 0,
  };
};

/** The digit that a file begins with; undefined where there is no such file. */
const phaseIn = (file: DebugfsFile | undefined): number | undefined => {
  const first = file?.read()?.[0];
  return first === undefined ? undefined : first - 0x30;
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
