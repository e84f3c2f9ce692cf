/**
 * Linux 6.16: the first release. A root page that points to one device tree per user, chunks and
 * bitmaps of 512 bytes out of the slab, a notifier chain that runs when it is finalized.
 *
 * Source: kernel/kexec_handover.c, include/linux/kexec_handover.h, mm/memblock.c,
 * arch/x86/include/uapi/asm/setup_data.h (struct kho_data), drivers/of/fdt.c.
 */
import { MEMBLOCK_BLOB } from '../blob-formats.ts';
import { SMALL_BITMAPS } from '../chunk-list.ts';
import type { Generation } from '../generation.ts';
import { MEMORY_MAP_PROPERTY, SUBTREE_FDT } from '../root-tree.ts';
import { PAGEBLOCK_ALIGNMENT } from '../scratch-array.ts';

export const LINUX_6_16: Generation = {
  id: '6.16',
  releases: ['6.16'],
  compatible: 'kho-v1',
  root: {
    form: 'pointers',
    map: { node: '', property: MEMORY_MAP_PROPERTY },
    written: 'finalize',
    onePage: true,
    zeroMap: 'nothing',
  },
  subtree: SUBTREE_FDT,
  tracker: SMALL_BITMAPS,
  phases: {
    kind: 'finalize',
    file: '/sys/kernel/debug/kho/out/finalize',
    again: 'EEXIST',
    off: { whenOff: 'ENOENT', dropsPreserved: true },
    preserveWhenOn: 'EBUSY',
    subtrees: 'notifier',
    attached: 'always',
  },
  files: {
    where: 'debugfs',
    outDirectory: '/sys/kernel/debug/kho/out',
    out: ['fdt', 'finalize', 'scratch_len', 'scratch_phys', 'sub_fdts/'],
    inDirectory: '/sys/kernel/debug/kho/in',
    in: ['fdt', 'sub_fdts/'],
  },
  scratch: {
    sizes: ['lowmem', 'global', 'node'],
    defaultPercent: 200,
    percent: 'whole',
    mustNotBeZero: 'each',
    wholeText: false,
    nodes: 'online',
  },
  scratchAlignment: PAGEBLOCK_ALIGNMENT,
  boot: {
    setupData: { type: 10, bytes: 32 },
    setupFields: ['fdt_addr', 'fdt_size', 'scratch_addr', 'scratch_size'],
    chosen: ['linux,kho-fdt', 'linux,kho-scratch'],
  },
  mark: { magic: undefined },
  contracts: {
    register_kho_notifier: ['EOPNOTSUPP'],
    unregister_kho_notifier: ['EOPNOTSUPP'],
    kho_preserve_folio: ['EBUSY', 'ENOMEM'],
    kho_preserve_phys: ['EINVAL', 'EBUSY', 'ENOMEM'],
    kho_restore_folio: [],
    kho_add_subtree: ['EEXIST', 'ENOMEM'],
    kho_retrieve_subtree: ['ENOENT', 'EINVAL'],
  },
  blobs: [MEMBLOCK_BLOB],
  luo: undefined,
};
