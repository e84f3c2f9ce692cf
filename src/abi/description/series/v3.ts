/**
 * The first series (v1 to v3, December 2023 to January 2024): users write one device tree when the
 * active phase begins, and say in `mem` properties of their own nodes which memory is preserved. A
 * sorted and merged copy of all, `mem_cache`, travels as a kexec segment of its own. The one
 * scratch area is named itself; there is no array of areas. While it is active nothing that stands
 * in the tree may change; users look to that themselves.
 *
 * Source: the series "kexec: Allow preservation of ftrace buffers" (kernel/kexec_kho_in.c,
 * kernel/kexec_kho_out.c, Documentation/kho/concepts.rst of that series).
 */
import type { Generation } from '../generation.ts';
import { MEM_NODE } from '../root-tree.ts';
import { PAGEBLOCK_ALIGNMENT } from '../scratch-array.ts';

export const V3: Generation = {
  id: 'v3',
  releases: [],
  compatible: 'kho-v1',
  root: {
    form: 'users',
    map: undefined,
    written: 'active',
    onePage: false,
    copied: 'load',
    zeroMap: 'nothing',
  },
  subtree: MEM_NODE,
  tracker: { kind: 'ranges', property: 'mem' },
  phases: {
    kind: 'active',
    file: '/sys/kernel/kho/active',
    again: undefined,
    off: { whenOff: 'nothing', dropsPreserved: false },
    preserveWhenOn: 'EBUSY',
    subtrees: 'notifier',
    attached: 'when-on',
  },
  files: {
    where: 'sysfs',
    outDirectory: '/sys/kernel/kho',
    out: ['active', 'dt_max', 'scratch_len', 'scratch_phys', 'dt'],
    inDirectory: '/sys/firmware/kho',
    in: ['dt'],
  },
  scratch: {
    sizes: ['global'],
    defaultPercent: undefined,
    percent: 'never',
    mustNotBeZero: 'none',
    wholeText: false,
    nodes: 'none',
  },
  scratchAlignment: PAGEBLOCK_ALIGNMENT,
  boot: {
    setupData: { type: 10, bytes: 48 },
    setupFields: [
      'dt_addr',
      'dt_size',
      'scratch_addr',
      'scratch_size',
      'mem_cache_addr',
      'mem_cache_size',
    ],
    chosen: ['linux,kho-dt', 'linux,kho-scratch', 'linux,kho-mem'],
  },
  mark: { magic: undefined },
  contracts: { kho_claim_mem: [], kho_return_mem: [] },
  blobs: [],
  luo: undefined,
};
