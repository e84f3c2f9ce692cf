/**
 * Bugs that no entry stands for, and why.
 *
 * Some cannot show in a model of the algorithms; some are bugs of what is not modelled; of some the
 * law says that they are how those kernels were meant to work.
 */
import type { Unmodelled } from './bug.ts';

const LOCKING = 'locking: one call follows the other here, and nothing waits';
const BUILD = 'build: nothing of it is left in what runs';
const MESSAGES = 'messages: what a kernel logs is not modelled';
const PAGES = 'reference counts of single pages are not modelled';
const TAGS = 'allocation tags and sanitizers are not modelled';
const BOOT = 'the n-th failure of a boot is not modelled (spec/decisions/010)';
const LUO = 'live update: retrieving and finishing of its objects is not modelled';
const MEMFD = 'memfd: flags, seals and accounting of its folios are not modelled';
const DAMAGE = 'memory that the previous kernel left damaged ends a kernel here, as it may';
const CALLER = 'the caller breaks its side of the contract, and no kernel promises anything then';

const each = (reason: string, bugs: Readonly<Record<string, string>>): readonly Unmodelled[] =>
  Object.entries(bugs).map(([id, title]) => ({ id, title, reason }));

export const NOT_MODELLED: readonly Unmodelled[] = [
  ...each(LOCKING, {
    B02: 'kho: init new_physxa->phys_bits to fix lockdep',
    L09: 'liveupdate: block session mutations during reboot',
    L11: 'the incoming count of an FLB is not atomic',
    L15: 'a session lock is held while a file is put that may take it',
  }),
  ...each(BUILD, { B05: 'kho: section mismatch' }),
  ...each(MESSAGES, {
    B04: 'kho: warn if KHO is disabled due to an error',
    B56: 'mm: show all region flags in debugfs',
    B62: 'kho: fix misleading log message in kho_populate(), and others',
  }),
  ...each(PAGES, {
    B01: 'kho: initialize tail pages for higher order folios properly',
    B22: 'kho: fix restoring of contiguous ranges of order-0 pages',
    B40: 'kho: add support for deferred struct page init',
    P8: 'chunks of vmalloc areas are freed by kfree() when preserving fails',
  }),
  ...each(TAGS, {
    B25: 'KHO: fix boot failure due to kmemleak access to non-PRESENT pages',
    B26: 'kho: init alloc tags when restoring pages from reserved memory',
    B27: 'only the first page of a restored range has its allocation tag',
    B48: 'restored vmalloc areas have no KASAN shadow',
    B64: 'mm/kfence: add reboot notifier to disable KFENCE on shutdown',
  }),
  ...each(BOOT, {
    B55: 'memblock: unpreserve memory in case of error',
    S7: 'kho_init frees scratch twice when it fails on a KHO boot',
    S30: 'kho_memory_init_early forgets the array but not its length when it fails',
  }),
  ...each('what a kernel maps early is not modelled', {
    B31: 'kho: fix missing early_memunmap() call in kho_populate()',
  }),
  ...each('real-mode memory is not modelled', {
    S31: 'memory below 1 MiB stays marked as scratch on x86',
  }),
  ...each('the kernel’s own test module is not modelled', {
    B08: 'test_kho does not ask kho_is_enabled()',
    B34: 'kho: test: clean up residual memory upon test_kho module unload',
  }),
  ...each(DAMAGE, {
    B49: 'a failure to retrieve the memory map leaves KHO half booted',
    S19: 'kho_populate trusts sizes and pointers of the incoming tree',
  }),
  ...each(CALLER, {
    S16: 'kho_add_subtree with KHO off dereferences NULL',
    S35: 'kho_restore_free and kho_unpreserve_free trust the pointer',
  }),
  ...each('between two kernels: `run --kernel 6.17 --next 6.18` reports it without any fault', {
    B15: 'kho: increase metadata bitmap size to PAGE_SIZE, under the same version string',
  }),
  ...each('the law says that this is how those kernels are meant to work', {
    B24: 'an abort takes back what nobody preserved for finalizing (PHS-03)',
    B61: 'kho: preserve FDT folio only once during initialization (PHS-02)',
    B63: 'kho: allow kexec load before KHO finalization (LOD-06)',
    P4: 'the second kernel ignores its own kho_scratch= (SCR-10)',
  }),
  ...each('another entry makes the same decision wrongly', {
    B57: 'the alignment check of kho_preserve_phys was lost: S10',
    B60: 'kho: verify deserialization status: B28',
  }),
  ...each('what it takes cannot happen: the tree itself is always preserved', {
    B29: 'kho: allow KHO to work when no memory is preserved',
  }),
  ...each('no commit fixed it: early memory has a size of its own here', {
    B59: 'early allocations exhaust small scratch',
  }),
  ...each('purgatory is not modelled', {
    B53: 'the digest of purgatory cannot cover memory that changes after the load',
  }),
  ...each('addresses are read byte by byte here', {
    S24: 'properties of a tree are read unaligned',
  }),
  ...each('nodes are not interleaved here', {
    S25: 'only the two ends of a block are asked for their node',
  }),
  ...each('blocks of 8 TiB cost more frames than a trace can have', {
    S26: 'orders from 31 on make the next frame number negative',
  }),
  ...each('documentation and strings', {
    S29: 'documentation prints kho-v3 while the string is kho-v4',
  }),
  ...each('an earlier range stays in the array and reserves what another reserves, too', {
    P1: 'a range that joins two others leaves one of them in the merged array',
  }),
  ...each('notifiers of single users are not modelled', {
    P3: 'a serialization that failed sends no abort',
  }),
  ...each('the tree of the first series has as much room as it needs here', {
    P5: 'dt_max is not raised when the tree is full',
  }),
  ...each(LUO, {
    L01: "liveupdate: luo_file: don't use invalid list iterator",
    L02: 'liveupdate: propagate file deserialization failures',
    L03: 'liveupdate: luo_file: remember retrieve() status',
    L05: 'an FLB is retrieved again after it was finished',
    L06: 'liveupdate: Fix module unloading and unregister API',
    L08: 'liveupdate: validate session type before performing operation',
    L10: 'module_put before the last use of a handler',
    L12: 'liveupdate_reboot() is called for kexec_jump, too',
    L13: 'liveupdate: Reference count outgoing FLB data',
    L14: 'liveupdate: Remember FLB retrieve() status',
    L16: 'FINISH ignores its reserved field',
    L17: 'sessions and files of fixed number',
    L18: 'session names of 63 characters make readlink fail',
    L20: 'an FLB cannot tell no data from data of another version',
    L21: 'liveupdate: luo_session: fix use after free in luo_session_deserialize()',
    S4: 'the finish of an FLB that nobody retrieved never runs',
    S20: 'the count of an FLB is written down with references of the kernel itself',
    S21: 'a bad user pointer costs a whole session',
    S22: 'a kernel with liveupdate=0 panics over what it was handed',
    S23: 'liveupdate_reboot does not ask whether the image carries a handover',
    S27: 'a list of blocks is trusted where its blocks are empty',
    S28: 'pages of FLB headers are never freed',
    S33: 'a session that could not be read once is never read again',
  }),
  ...each(MEMFD, {
    M01: 'mm: memfd_luo: always make all folios uptodate',
    M02: 'mm: memfd_luo: always dirty all folios',
    M03: 'mm/memfd_luo: fix physical address conversion in put_folios cleanup',
    M04: 'mm/memfd_luo: report error when restoring a folio fails mid-loop',
    M05: 'blocks of a memfd are counted by folio',
    M06: 'a folio that cannot be accounted stays in the page cache',
    M07: 'the size of a file is stored in two halves',
    M08: 'an inode is recounted folio by folio',
    M09: 'files of more than UINT_MAX pages are cut short',
    M10: 'seals are lost',
    S5: 'a seal of one kind brings others with it',
    S6: 'early failures of memfd_luo_retrieve leak all folios',
  }),
];
