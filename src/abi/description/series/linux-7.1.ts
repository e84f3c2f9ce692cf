/**
 * Linux 7.1: a radix tree that is the ABI itself, so that nothing has to be finalized; blobs of any
 * kind, with their size.
 *
 * Source: kernel/liveupdate/kexec_handover.c, include/linux/kho/abi/kexec_handover.h.
 */
import { KEXEC_METADATA_BLOB } from '../blob-formats.ts';
import type { Generation } from '../generation.ts';
import { FILE_ARRAY, MEMFD_V2, SESSION_ARRAY } from '../luo-structs.ts';
import { SUBTREE_BLOB } from '../root-tree.ts';
import { LINUX_7_0 } from './linux-7.0.ts';

const { kho_finalize: _, ...calls } = LINUX_7_0.contracts;

export const LINUX_7_1: Generation = {
  ...LINUX_7_0,
  id: '7.1',
  releases: ['7.1'],
  compatible: 'kho-v3',
  subtree: SUBTREE_BLOB,
  tracker: { kind: 'radix' },
  phases: {
    kind: 'stateless',
    file: undefined,
    again: undefined,
    off: undefined,
    preserveWhenOn: undefined,
    subtrees: 'always',
    attached: 'always',
  },
  files: { ...LINUX_7_0.files, out: ['fdt', 'scratch_len', 'scratch_phys', 'sub_fdts/'] },
  contracts: calls,
  blobs: [...LINUX_7_0.blobs, KEXEC_METADATA_BLOB],
  luo: { sessions: SESSION_ARRAY, files: FILE_ARRAY, memfd: MEMFD_V2 },
};
