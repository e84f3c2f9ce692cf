/**
 * Linux 6.19: no notifiers and no abort, finalizing may be repeated, the root page lives from boot
 * on, a map of 0 is refused; the live update orchestrator arrives.
 *
 * Source: kernel/liveupdate/kexec_handover.c (kho_finalize, kho_populate), luo_core.c,
 * luo_session.c, include/linux/kho/abi/luo.h.
 */
import { LUO_SESSIONS_BLOB } from '../blob-formats.ts';
import type { Generation } from '../generation.ts';
import { FILE_ARRAY, MEMFD_V1, SESSION_ARRAY } from '../luo-structs.ts';
import { LINUX_6_18 } from './linux-6.18.ts';

export const LINUX_6_19: Generation = {
  ...LINUX_6_18,
  id: '6.19',
  releases: ['6.19'],
  root: { ...LINUX_6_18.root, written: 'in-place', zeroMap: 'refused' },
  phases: {
    kind: 'finalize',
    file: '/sys/kernel/debug/kho/out/finalize',
    again: 'anew',
    off: undefined,
    preserveWhenOn: undefined,
    subtrees: 'always',
    attached: 'always',
    jumpFinalizes: true,
  },
  scratch: { ...LINUX_6_18.scratch, nodes: 'memory' },
  contracts: {
    kho_finalize: ['EOPNOTSUPP', 'ENOMEM'],
    kho_preserve_folio: ['ENOMEM', 'EINVAL'],
    kho_unpreserve_folio: [],
    kho_preserve_pages: ['ENOMEM', 'EINVAL'],
    kho_unpreserve_pages: [],
    kho_preserve_vmalloc: ['EINVAL', 'EOPNOTSUPP', 'ENOMEM'],
    kho_unpreserve_vmalloc: [],
    kho_alloc_preserve: ['EINVAL', 'E2BIG', 'ENOMEM'],
    kho_unpreserve_free: [],
    kho_restore_folio: [],
    kho_restore_pages: [],
    kho_restore_vmalloc: [],
    kho_restore_free: [],
    kho_add_subtree: ['EEXIST', 'ENOMEM'],
    kho_remove_subtree: [],
    kho_retrieve_subtree: ['ENOENT', 'EINVAL'],
  },
  blobs: [...LINUX_6_18.blobs, LUO_SESSIONS_BLOB],
  luo: { sessions: SESSION_ARRAY, files: FILE_ARRAY, memfd: MEMFD_V1 },
};
