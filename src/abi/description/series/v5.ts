/**
 * The series v5 (March 2025): users build a tree of nodes in memory, which is flattened when it is
 * finalized; bitmaps say which memory is preserved. Its boot protocol is taken to be that of v4.
 *
 * Source: the series "kexec: introduce Kexec HandOver (KHO)" v5 (kernel/kexec_handover.c).
 */
import { SMALL_BITMAPS } from '../chunk-list.ts';
import type { Generation } from '../generation.ts';
import { V4 } from './v4.ts';

export const V5: Generation = {
  ...V4,
  id: 'v5',
  root: {
    form: 'nodes',
    map: { node: 'preserved-memory', property: 'metadata' },
    written: 'finalize',
    onePage: false,
    zeroMap: 'nothing',
  },
  tracker: SMALL_BITMAPS,
  phases: {
    kind: 'finalize',
    file: '/sys/kernel/debug/kho/out/finalize',
    again: 'EEXIST',
    off: { whenOff: 'ENOENT', dropsPreserved: false },
    preserveWhenOn: 'EBUSY',
    subtrees: 'always',
    attached: 'when-on',
  },
  files: {
    where: 'debugfs',
    outDirectory: '/sys/kernel/debug/kho/out',
    out: ['fdt', 'finalize', 'scratch_len', 'scratch_phys'],
    inDirectory: '/sys/kernel/debug/kho/in',
    in: ['fdt'],
  },
  contracts: {
    kho_add_node: ['EOPNOTSUPP', 'ENOMEM', 'EBUSY', 'EEXIST'],
    kho_preserve_folio: ['EBUSY', 'ENOMEM'],
    kho_preserve_phys: ['EINVAL', 'EBUSY', 'ENOMEM'],
  },
};
