/** Reads the `kexec-metadata` blob: which kernel handed over, after how many kexecs. */
import { KEXEC_METADATA } from '../description/sub-blobs.ts';
import { text, u32 } from './bytes.ts';

/** What one kernel tells the next about itself. */
export interface KexecMetadata {
  /** Release of the kernel that wrote the blob, as `uname -r` prints it. */
  readonly previousRelease: string;
  /** Number of kexecs in this chain so far. */
  readonly kexecCount: number;
}

/** The content, or a phrase that says why these bytes are no such blob. */
export const readKexecMetadata = (bytes: Uint8Array): KexecMetadata | string => {
  if (bytes.length !== KEXEC_METADATA.bytes) {
    return `${bytes.length} bytes, not ${KEXEC_METADATA.bytes}`;
  }
  const version = u32(bytes, KEXEC_METADATA.version);
  if (version !== KEXEC_METADATA.knownVersion) return `unknown version ${version}`;
  const from = KEXEC_METADATA.previousRelease;
  const field = bytes.subarray(from, from + KEXEC_METADATA.previousReleaseBytes);
  const previousRelease = text(field);
  if (previousRelease === undefined || !field.includes(0)) return 'its release is not a string';
  return { previousRelease, kexecCount: u32(bytes, KEXEC_METADATA.kexecCount) };
};
