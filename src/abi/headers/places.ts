/**
 * Where the ABI of KHO stands in a kernel tree.
 *
 * It moved: before 7.0 most of it was in source files, and the flags of vmalloc areas and limits of
 * lists still are. A list of places and of names covers every version up to now.
 *
 * Sources: the trees of 6.16 to 7.3.
 */

/** A kind of source, and what is missing in a comparison without it. */
export interface Role {
  readonly name: string;
  readonly files: RegExp;
  /** What cannot be seen without it. */
  readonly holds: string;
  /** Whether every structure and constant in it counts, not only those known by name. */
  readonly everything: boolean;
  /** Tree that code in it reads and writes. */
  readonly tree: string | undefined;
  /** Release series that has it first: an older kernel does not lack it. */
  readonly since: string;
}

const role = (
  name: string,
  files: RegExp,
  holds: string,
  rest: Partial<Pick<Role, 'everything' | 'tree' | 'since'>> = {},
): Role => ({ name, files, holds, everything: false, tree: undefined, since: '6.16', ...rest });

/** Every kind of source; the first match wins. */
export const ROLES: readonly Role[] = [
  role(
    'ABI headers',
    /(?:^|\/)include\/linux\/kho\/abi\/[\w-]+\.h$/,
    'structures, strings (from 6.19 on)',
    { everything: true, since: '6.19' },
  ),
  role(
    'KHO headers',
    /(?:^|\/)include\/(?:linux|asm-generic)\/(?:kexec_handover|kho_radix_tree|kho_block)\.h$/,
    'struct kho_scratch, and until 6.19 vmalloc areas',
  ),
  role(
    'KHO core',
    /(?:^|\/)kernel\/(?:liveupdate\/)?kexec_handover\w*\.[ch]$/,
    'what is read and written; until 7.0 the map of preserved memory; flags of vmalloc areas',
    { tree: 'root' },
  ),
  role(
    'live update core',
    /(?:^|\/)kernel\/liveupdate\/(?:luo|kho)_\w+\.[ch]$/,
    'what is read and written, and limits of lists (from 6.19 on)',
    { tree: 'LUO', since: '6.19' },
  ),
  role(
    'x86 boot protocol',
    /(?:^|\/)arch\/x86\/include\/uapi\/asm\/(?:setup_data|bootparam)\.h$/,
    'struct kho_data',
  ),
  role('memblock', /(?:^|\/)mm\/memblock\.c$/, 'the tree of reserve_mem', { tree: 'memblock' }),
  role('memfd', /(?:^|\/)mm\/memfd_luo\.c$/, 'what is read and written of a memfd', {
    since: '6.19',
  }),
  role('test module', /(?:^|\/)lib\/test_kho\.c$/, 'the tree of the test module', {
    tree: 'kho_test',
    since: '6.17',
  }),
  role('user interface', /(?:^|\/)include\/uapi\/linux\/liveupdate\.h$/, 'lengths of names', {
    since: '6.19',
  }),
  role(
    'documents',
    /(?:^|\/)Documentation\/core-api\/kho\/(?:[\w/-]*\/)?[\w-]+\.yaml$/,
    'bindings (until 6.19)',
  ),
];

/** The kind of a source, or undefined when it holds nothing of the ABI. */
export const roleOf = (path: string): Role | undefined =>
  ROLES.find(({ files }) => files.test(path));

const number = (series: string): number => {
  const [major = 0, minor = 0] = series.split('.').map((part) => Number.parseInt(part, 10));
  return major * 1000 + minor;
};

/** Whether a kernel of that release has such sources; one that nobody knows has all. */
export const hasRole = ({ since }: Role, release: string | undefined): boolean =>
  release === undefined || number(release) >= number(since);

/** Where a tree has files that count: directories to list, and single files. */
export const DIRECTORIES: readonly string[] = [
  'include/linux/kho/abi',
  'kernel/liveupdate',
  'Documentation/core-api/kho/bindings',
  'Documentation/core-api/kho/bindings/memblock',
];

/** Files to look for one by one. */
export const FILES: readonly string[] = [
  'Makefile',
  'include/linux/kexec_handover.h',
  'include/asm-generic/kexec_handover.h',
  'include/linux/kho_radix_tree.h',
  'include/linux/kho_block.h',
  'include/uapi/linux/liveupdate.h',
  'kernel/kexec_handover.c',
  'kernel/kexec_handover_debug.c',
  'kernel/kexec_handover_internal.h',
  'arch/x86/include/uapi/asm/setup_data.h',
  'mm/memblock.c',
  'mm/memfd_luo.c',
  'lib/test_kho.c',
];

const oneOf = (before: string, names: readonly string[]): RegExp =>
  new RegExp(`^${before}(?:${names.join('|')})$`);

/** Structures that count wherever they stand. */
export const STRUCTS = oneOf('(?:struct|union) ', [
  'kho_(?:scratch|data|mem_phys_bits|block_header_ser|kexec_metadata)',
  'kho_vmalloc(?:_chunk|_hdr)?',
  'kho_radix_(?:node|leaf)',
  'khoser_\\w+',
  '(?:memfd_)?luo_(?:\\w+_)?ser',
]);

/** Enumerations that count wherever they stand. */
export const ENUMS = /^enum (?:kho_event|kho_radix_consts)$/;

/** Constants that count wherever they stand. */
export const CONSTANTS = oneOf('', [
  'KHO_FDT_\\w+',
  'PROP_(?:PRESERVED|SUB)_\\w+',
  'PRESERVE_BITS|KHOSER_BITMAP_SIZE|KHO_MAX_BLOCKS|SETUP_KEXEC_KHO',
  'KHO_VMALLOC_(?:SIZE|ALLOC|HUGE_VMAP)',
  'LUO_\\w+_(?:PGCNT|MAX)',
  '(?:MEMBLOCK_KHO|RESERVE_MEM_KHO|MEMFD_LUO)_\\w+',
  'KHO_TEST_(?:MAGIC|FDT|COMPAT)',
]);
