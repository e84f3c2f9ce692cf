/**
 * Linux 7.2: the orchestrator's state is a struct with lists of blocks; scratch is aligned to the
 * largest block of the buddy allocator.
 *
 * Source: include/linux/kho/abi/luo.h, include/linux/kho/abi/block.h,
 * kernel/liveupdate/kexec_handover.c (SCRATCH_ALIGNMENT_BYTES).
 */
import {
  KEXEC_METADATA_BLOB,
  KHO_TEST_VMALLOC_BLOB,
  LUO_STRUCT_BLOB,
  MEMBLOCK_BLOB,
} from '../blob-formats.ts';
import type { Generation } from '../generation.ts';
import { BLOCKS, MEMFD_V2 } from '../luo-structs.ts';
import { MAX_ORDER_ALIGNMENT } from '../scratch-array.ts';
import { LINUX_7_1 } from './linux-7.1.ts';

export const LINUX_7_2: Generation = {
  ...LINUX_7_1,
  id: '7.2',
  releases: ['7.2'],
  compatible: 'kho-v4',
  scratch: { ...LINUX_7_1.scratch, numbers: 'limited' },
  scratchAlignment: MAX_ORDER_ALIGNMENT,
  blobs: [MEMBLOCK_BLOB, KHO_TEST_VMALLOC_BLOB, LUO_STRUCT_BLOB, KEXEC_METADATA_BLOB],
  luo: { sessions: BLOCKS, files: BLOCKS, memfd: MEMFD_V2 },
};
