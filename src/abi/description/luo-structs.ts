/**
 * What the orchestrator's blob leads to: sessions, their files, and what a memfd leaves.
 *
 * Offsets and lengths in bytes, all numbers little endian. Lists changed their form in 7.2, their
 * entries did not.
 *
 * Sources: include/linux/kho/abi/luo.h (struct luo_session_ser, struct luo_file_ser),
 * include/linux/kho/abi/block.h (struct kho_block_header_ser), include/linux/kho/abi/memfd.h
 * (struct memfd_luo_ser), kernel/liveupdate/luo_session.c (LUO_SESSION_PGCNT),
 * kernel/liveupdate/luo_file.c (LUO_FILE_PGCNT).
 */

/** How a list of entries is laid out. */
export type ListFormat =
  | {
      /** So many pages in a row: a header, then the entries. */
      readonly kind: 'array';
      readonly pages: number;
      readonly header: number;
      /** Offset of the u64 number of entries; undefined where whoever points to it says that. */
      readonly count: number | undefined;
    }
  | {
      /** Pages that are linked: u64 address of the next, u64 number of entries, the entries. */
      readonly kind: 'blocks';
      readonly header: number;
      readonly next: number;
      readonly count: number;
    };

/** Sessions up to 7.1. */
export const SESSION_ARRAY: ListFormat = { kind: 'array', pages: 16, header: 8, count: 0 };

/** Files of a session up to 7.1. */
export const FILE_ARRAY: ListFormat = { kind: 'array', pages: 2, header: 0, count: undefined };

/** Every list from 7.2 on. */
export const BLOCKS: ListFormat = { kind: 'blocks', header: 16, next: 0, count: 8 };

/** A list has no more blocks than this; a longer one is refused whole. */
export const MAX_BLOCKS = 10000;

/** An entry of the list of sessions. */
export const SESSION = { bytes: 80, name: 0, nameBytes: 64, files: 64, fileCount: 72 } as const;

/** An entry of the list of files: `data` is what the file's handler left. */
export const FILE = { bytes: 64, compatible: 0, compatibleBytes: 48, data: 48, token: 56 } as const;

/** What a memfd leaves; `folios` is a vmalloc descriptor. */
export interface MemfdFormat {
  /** String of its handler in the list of files. */
  readonly compatible: string;
  readonly bytes: number;
  readonly position: number;
  readonly size: number;
  /** u32 of seals; undefined where they are not carried. */
  readonly seals: number | undefined;
  readonly folioCount: number;
  readonly folios: number;
}

/** An entry of the list of a memfd's folios: 52 bits of frame, 12 of flags, then the page. */
export const MEMFD_FOLIO = {
  bytes: 16,
  frame: 0,
  /** The high half of byte 6, for flags below 16. */
  flags: 6,
  index: 8,
  dirty: 1,
  uptodate: 2,
} as const;

export const MEMFD_V1: MemfdFormat = {
  compatible: 'memfd-v1',
  bytes: 40,
  position: 0,
  size: 8,
  seals: undefined,
  folioCount: 16,
  folios: 24,
};

export const MEMFD_V2: MemfdFormat = {
  compatible: 'memfd-v2',
  bytes: 48,
  position: 0,
  size: 8,
  seals: 16,
  folioCount: 24,
  folios: 32,
};

/** A generation's forms. */
export interface LuoFormat {
  readonly sessions: ListFormat;
  readonly files: ListFormat;
  readonly memfd: MemfdFormat;
}
