/**
 * What the blobs of a handover say, by the name of their subtree, for people to read.
 *
 * A blob under a known name that does not read as that is a fault; a name nobody knows is not.
 */
import { KEXEC_METADATA, KHO_TEST, LUO, MEMBLOCK } from '../description/sub-blobs.ts';
import { hex } from './bytes.ts';
import { readKhoTest } from './kho-test.ts';
import { readLuo, readOldLuo } from './luo.ts';
import { readMemblock } from './memblock.ts';
import { readKexecMetadata } from './metadata.ts';

export { readMemory } from './memory.ts';

/** One blob told: lines to print, or the reason why it is not what its name promises. */
export interface BlobTold {
  readonly name: string;
  readonly lines: readonly string[];
  readonly fault: string | undefined;
}

/** What a blob says; each returns lines, or a phrase about what is wrong. */
const READERS: ReadonlyMap<string, (bytes: Uint8Array) => readonly string[] | string> = new Map([
  [
    KEXEC_METADATA.name,
    (bytes) => {
      const read = readKexecMetadata(bytes);
      if (typeof read === 'string') return read;
      return [`written by ${read.previousRelease}, kexec ${read.kexecCount} of its chain`];
    },
  ],
  [
    LUO.name,
    (bytes) => {
      const read = readOldLuo(bytes) ?? readLuo(bytes);
      if (typeof read === 'string') return read;
      return [
        `${read.compatible}, live update ${read.liveupdateNumber}`,
        `sessions at ${hex(read.sessions)}, flbs at ${hex(read.flbs)}`,
      ];
    },
  ],
  [
    MEMBLOCK.name,
    (bytes) => {
      const read = readMemblock(bytes);
      if (typeof read === 'string') return read;
      return read.map((area) => `${area.name}: ${hex(area.start)}, ${hex(area.size)} bytes`);
    },
  ],
  [
    KHO_TEST.name,
    (bytes) => {
      const read = readKhoTest(bytes);
      if (typeof read === 'string') return read;
      return [`${read.compatible}, ${read.folios ?? 'unknown number of'} folios`];
    },
  ],
]);

/** Reads the blob called `name`. */
export const tellBlob = (name: string, bytes: Uint8Array): BlobTold => {
  const told = READERS.get(name)?.(bytes) ?? [];
  return typeof told === 'string'
    ? { name, lines: [], fault: told }
    : { name, lines: told, fault: undefined };
};
