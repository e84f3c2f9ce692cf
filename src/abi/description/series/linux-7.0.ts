/**
 * Linux 7.0: the orchestrator's tree has a second child, which its reader demands although the
 * string of the tree is the same.
 *
 * Source: kernel/liveupdate/luo_flb.c (the setup of what came in), include/linux/kho/abi/luo.h.
 */
import { KHO_TEST_VMALLOC_BLOB, LUO_FLBS_BLOB, MEMBLOCK_BLOB } from '../blob-formats.ts';
import type { Generation } from '../generation.ts';
import { LINUX_6_19 } from './linux-6.19.ts';

export const LINUX_7_0: Generation = {
  ...LINUX_6_19,
  id: '7.0',
  releases: ['7.0'],
  blobs: [MEMBLOCK_BLOB, KHO_TEST_VMALLOC_BLOB, LUO_FLBS_BLOB],
};
