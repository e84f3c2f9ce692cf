/** Bugs that were fixed in what uses KHO, and in how it was told of ranges before the merge. */
import { ALL } from './bug.ts';
import type { Bug } from './bug.ts';

export const CLIENT_BUGS: readonly Bug[] = [
  {
    id: 'P2',
    title: 'of a node with several `mem` entries, v4 reads one in sixteen, and past the end',
    says: 'of an array of ranges, only every sixteenth is read',
    shipped: {},
    kernel: 'v4',
    rule: 'ALC-06',
    at: { file: 'kernel/kexec_handover.c', symbol: 'kho_init_reserved_pages' },
    trace: 'hand two ranges over in one node, boot: the second is not kept',
    source: 'series v4, before merging',
    overrides: { readRange: (entry) => 16 * entry },
  },
  {
    id: 'B54',
    title: 'memblock: reserve_mem: fix end caclulation in reserve_mem_release_by_name()',
    says: 'the last page of a reserve_mem region that is released is not freed',
    shipped: { '6.16': ALL, '6.17': ALL, '6.18': ALL, '6.19': ALL, '7.0': 9 },
    kernel: '7.0',
    rule: 'RSV-10',
    at: { file: 'mm/memblock.c', symbol: 'reserve_mem_release_by_name' },
    trace: 'release a region by its name, count the pages that were freed: one is missing',
    source: '7.0.10',
    overrides: { releasedEnd: (end, pageBytes) => Math.floor((end - 1) / pageBytes) },
  },
];
