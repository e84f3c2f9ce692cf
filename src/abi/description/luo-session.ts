/**
 * What hangs below the head of the live update orchestrator: sessions, their files, and the state
 * of a memfd. Values are little endian; offsets and sizes in bytes.
 *
 * Up to 7.1 lists are arrays behind a count; from 7.2 on they are blocks with a link and a count.
 *
 * Source: include/linux/kho/abi/luo.h (struct luo_session_header_ser, luo_session_ser,
 * luo_file_ser, luo_flb_header_ser), include/linux/kho/abi/block.h (struct kho_block_header_ser),
 * include/linux/kho/abi/memfd.h (struct memfd_luo_ser, struct memfd_luo_folio_ser).
 */

/** How a list begins: where its count stands and where its first entry. */
export interface ListHead {
  readonly count: number;
  readonly entries: number;
}

/** Arrays of sessions, of files, and of objects bound to files: 6.19 to 7.1. */
export const SESSION_ARRAY: ListHead = { count: 0, entries: 8 };
export const FILE_ARRAY: ListHead = { count: -1, entries: 0 };
export const FLB_ARRAY: ListHead = { count: 8, entries: 16 };
/** A block of any of them: 7.2 and later. */
export const BLOCK: ListHead = { count: 8, entries: 16 };

/** One session. */
export const SESSION = { name: 0, files: 64, count: 72 } as const;
/** One file. */
export const FILE = { compatible: 0, data: 48, token: 56 } as const;

/** The state of a memfd. */
export interface MemfdFormat {
  readonly compatible: string;
  readonly position: number;
  readonly size: number;
  readonly folios: number;
}

export const MEMFD_V1: MemfdFormat = { compatible: 'memfd-v1', position: 0, size: 8, folios: 16 };
export const MEMFD_V2: MemfdFormat = { compatible: 'memfd-v2', position: 0, size: 8, folios: 24 };

/** The state of a memfd by the root string of the kernel that writes it. */
export const MEMFD_OF_ROOT: Readonly<Record<string, MemfdFormat>> = {
  'kho-v1': MEMFD_V1,
  'kho-v3': MEMFD_V2,
  'kho-v4': MEMFD_V2,
};
