/** The `kexec-metadata` blob: which kernel handed over, and how many kexecs led here. */
import { KEXEC_METADATA } from '#src/abi/description/sub-blobs';
import { writeU32 } from './physical-memory.ts';

/** Writes the blob into a zeroed page. */
export const writeMetadata = (page: Uint8Array, release: string, kexecCount: number): void => {
  writeU32(page, KEXEC_METADATA.version, KEXEC_METADATA.knownVersion);
  new TextEncoder().encodeInto(
    release.slice(0, KEXEC_METADATA.previousReleaseBytes - 1),
    page.subarray(KEXEC_METADATA.previousRelease),
  );
  writeU32(page, KEXEC_METADATA.kexecCount, kexecCount);
};

/** `kexec_count` of a blob, or 0 when it is not one that this kernel knows. */
export const readKexecCount = (page: Uint8Array): number => {
  const view = new DataView(page.buffer, page.byteOffset, page.length);
  const known = view.getUint32(KEXEC_METADATA.version, true) === KEXEC_METADATA.knownVersion;
  return known ? view.getUint32(KEXEC_METADATA.kexecCount, true) : 0;
};
