/**
 * Linux 6.18: bitmaps of one page under the same string, vmalloc areas, a magic beside the order in
 * every preserved page.
 *
 * Source: kernel/kexec_handover.c (PRESERVE_BITS, union kho_page_info, kho_preserve_vmalloc),
 * lib/test_kho.c.
 */
import { KHO_TEST_VMALLOC_BLOB, MEMBLOCK_BLOB } from '../blob-formats.ts';
import { PAGE_BITMAPS } from '../chunk-list.ts';
import type { Generation } from '../generation.ts';
import { LINUX_6_17 } from './linux-6.17.ts';

export const LINUX_6_18: Generation = {
  ...LINUX_6_17,
  id: '6.18',
  releases: ['6.18'],
  tracker: PAGE_BITMAPS,
  scratch: { ...LINUX_6_17.scratch, mustNotBeZero: 'sum', wholeText: true },
  mark: { magic: 0x4b484f50 },
  contracts: {
    register_kho_notifier: ['EOPNOTSUPP'],
    unregister_kho_notifier: ['EOPNOTSUPP'],
    kho_preserve_folio: ['EBUSY', 'ENOMEM', 'EINVAL'],
    kho_preserve_pages: ['EBUSY', 'ENOMEM', 'EINVAL'],
    kho_preserve_vmalloc: ['EINVAL', 'EOPNOTSUPP', 'ENOMEM'],
    kho_restore_folio: [],
    kho_restore_pages: [],
    kho_restore_vmalloc: [],
    kho_add_subtree: ['EEXIST', 'ENOMEM'],
    kho_retrieve_subtree: ['ENOENT', 'EINVAL'],
  },
  blobs: [MEMBLOCK_BLOB, KHO_TEST_VMALLOC_BLOB],
};
