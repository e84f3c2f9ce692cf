/** fdt-ts: flattened device trees with libfdt's semantics, byte for byte. See README.md. */
export { checkFull, checkHeader } from './check.ts';
export { FdtEditor } from './edit.ts';
export { FdtError } from './error.ts';
export type { FdtBlame, FdtErrorCode } from './error.ts';
export { NO_NAME_DEDUP } from './format.ts';
export { FdtReader } from './read.ts';
export type { FdtDepth, FdtProperty, FdtReservation } from './read.ts';
export { encodeString, encodeU32, encodeU64 } from './values.ts';
export type { Endian } from './values.ts';
export { FdtWriter } from './write.ts';
