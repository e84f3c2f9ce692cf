/**
 * The blobs that kernels hang into the handover tree, by the name of their subtree.
 *
 * Sources: include/linux/kho/abi/kexec_handover.h (struct kho_kexec_metadata),
 * include/linux/kho/abi/luo.h (struct luo_ser), include/linux/kho/abi/memblock.h,
 * lib/test_kho.c.
 */

/** struct kho_kexec_metadata, packed; subtree `kexec-metadata`, 7.1 and later. */
export const KEXEC_METADATA = {
  name: 'kexec-metadata',
  bytes: 73,
  /** u32, the only version there is: 1. */
  version: 0,
  knownVersion: 1,
  /** char[65], NUL-padded: release of the kernel that handed over. */
  previousRelease: 4,
  previousReleaseBytes: 65,
  /** u32, not aligned: how many kexecs the chain has seen. */
  kexecCount: 69,
} as const;

/** struct luo_ser; subtree `LUO`, 7.2 and later. */
export const LUO = {
  name: 'LUO',
  bytes: 32,
  /** char[8], NUL-padded. The length of the string decides where the other fields are. */
  compatible: 0,
  compatibleBytes: 8,
  knownCompatible: 'luo-v5',
  /** u64: number of live updates so far. */
  liveupdateNumber: 8,
  /** u64: address of the first block of sessions. */
  sessions: 16,
  /** u64: address of the first block of file-lifecycle-bound objects. */
  flbs: 24,
} as const;

/** The same subtree from 6.19 to 7.1, a device tree; values are u64 in native byte order. */
export const OLD_LUO = {
  compatible: 'luo-v1',
  liveupdateNumber: 'liveupdate-number',
  /** Child: address of the header of the sessions. */
  session: { name: 'luo-session', compatible: 'luo-session-v2', header: 'luo-session-header' },
  /** Child, 7.0 and later: address of the header of objects bound to files. */
  flb: { name: 'luo-flb', compatible: 'luo-flb-v1', header: 'luo-flb-header' },
} as const;

/** Subtree `memblock`: a device tree with one node per reserve_mem area. */
export const MEMBLOCK = {
  name: 'memblock',
  compatible: 'memblock-v1',
  areaCompatible: 'reserve-mem-v1',
  start: 'start',
  size: 'size',
} as const;

/** Subtree `kho_test`: the device tree of the kernel's own test module. */
export const KHO_TEST = {
  name: 'kho_test',
  compatible: 'kho-test-v1',
  magic: 'magic',
  dataNode: 'data',
  folios: 'nr_folios',
  /** Up to 6.17 the list itself, a u64 per folio; then a vmalloc descriptor. */
  folioList: 'folios_info',
  checksum: 'csum',
} as const;

/**
 * The node of reserve_mem up to v4: one node per area in it, with its own string and its range.
 *
 * Source: mm/memblock.c of the series v4 (reserve_mem_kho_write_map).
 */
export const RESERVE_MEM = {
  name: 'reserve_mem',
  compatible: 'reserve_mem-v1',
  areaCompatible: 'reserve_mem_map-v1',
  /** {u64 address, u64 bytes}. */
  range: 'mem',
} as const;
