/**
 * The series v5 (March 2025): users build a tree of nodes in memory, which is flattened when it is
 * finalized; bitmaps say which memory is preserved. The tree travels as a segment of the image:
 * room is made when the image is loaded, and the tree is copied there right before the jump, which
 * finalizes if nobody did. Its boot protocol is taken to be that of v4.
 *
 * Source: the series "kexec: introduce Kexec HandOver (KHO)" v5 (kernel/kexec_handover.c).
 */
import { SMALL_BITMAPS } from '../chunk-list.ts';
import type { Generation } from '../generation.ts';
import { USER_NODE } from '../root-tree.ts';
import { V4 } from './v4.ts';

export const V5: Generation = {
  ...V4,
  id: 'v5',
  root: {
    form: 'nodes',
    map: { node: 'preserved-memory', property: 'metadata' },
    written: 'finalize',
    onePage: false,
    copied: 'jump',
    zeroMap: 'nothing',
  },
  subtree: USER_NODE,
  tracker: SMALL_BITMAPS,
  phases: {
    kind: 'finalize',
    file: '/sys/kernel/debug/kho/out/finalize',
    again: 'EEXIST',
    off: { whenOff: 'ENOENT', dropsPreserved: false },
    preserveWhenOn: 'EBUSY',
    subtrees: 'always',
    attached: 'always',
    jumpFinalizes: true,
  },
  scratch: {
    sizes: ['lowmem', 'global', 'node'],
    defaultPercent: 200,
    percent: 'whole',
    mustNotBeZero: 'each',
    wholeText: false,
    nodes: 'online',
  },
  files: {
    where: 'debugfs',
    outDirectory: '/sys/kernel/debug/kho/out',
    out: ['fdt', 'fdt_max', 'finalize', 'scratch_len', 'scratch_phys'],
    inDirectory: '/sys/kernel/debug/kho/in',
    in: ['fdt'],
  },
  contracts: {
    kho_add_node: ['EOPNOTSUPP', 'ENOMEM', 'EBUSY', 'EEXIST'],
    kho_remove_node: ['EOPNOTSUPP', 'ENOENT', 'EBUSY'],
    kho_get_node: ['ENOENT', 'EINVAL'],
    kho_preserve_folio: ['EOPNOTSUPP', 'EBUSY', 'ENOMEM'],
    kho_unpreserve_folio: ['EBUSY'],
    kho_preserve_phys: ['EOPNOTSUPP', 'EBUSY', 'ENOMEM'],
    kho_unpreserve_phys: ['EBUSY'],
  },
};
