/**
 * Small edits of a tree of 7.3, and what has to be said of each.
 *
 * They are written so that they fit a tree that was rendered from the baseline as well as the real
 * one; those that only fit the former are marked.
 */
import type { Tree } from './render.ts';

/** One edit. */
export interface Edit {
  readonly name: string;
  readonly change: (files: Map<string, string>) => void;
  /** Rules broken, each at least once; of changes, not of versions that are missing. */
  readonly errors?: readonly string[];
  /** Rules that have to be told of in whatever severity. */
  readonly tells?: readonly string[];
  /** What becomes of an old handover. */
  readonly outcome?: string;
  /** Whether it changes what a compiler sees of types: where abidiff could see it. */
  readonly rendered?: true;
  /** Only headers are compared, as a package of headers has them. */
  readonly headersOnly?: true;
}

const L = 'include/linux/kho/abi/luo.h';
const K = 'include/linux/kho/abi/kexec_handover.h';
const M = 'include/linux/kho/abi/memfd.h';
const B = 'include/linux/kho/abi/block.h';
const X = 'include/linux/kho/abi/kexec_metadata.h';
const S = 'include/asm-generic/kexec_handover.h';
const C = 'kernel/liveupdate/kexec_handover.c';
const N = 'kernel/liveupdate/kho_block.c';
const D = 'arch/x86/include/uapi/asm/setup_data.h';
const R = 'mm/memblock.c';
const T = 'lib/test_kho.c';

type Change = Edit['change'];

const escape = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** Replaces the only place of `from`, whatever its white space, after `after` where given. */
const swap =
  (file: string, from: string | RegExp, to: string, after = ''): Change =>
  (files) => {
    const text = files.get(file);
    if (text === undefined) throw new Error(`no ${file}`);
    const start = after === '' ? 0 : text.search(new RegExp(spaced(after)));
    if (start < 0) throw new Error(`no ${after} in ${file}`);
    const pattern = typeof from === 'string' ? new RegExp(spaced(from)) : from;
    const tail = text.slice(start);
    const found = pattern.exec(tail);
    if (found === null) throw new Error(`no ${String(from)} in ${file}`);
    const made = tail.slice(0, found.index) + to + tail.slice(found.index + found[0].length);
    files.set(file, text.slice(0, start) + made);
  };

const spaced = (text: string): string => text.split(' ').map(escape).join('\\s+');

const append =
  (file: string, text: string): Change =>
  (files) =>
    void files.set(file, `${files.get(file) ?? ''}\n${text}\n`);

const both =
  (...changes: readonly Change[]): Change =>
  (files) => {
    for (const change of changes) change(files);
  };

const bumpLuo = swap(L, '"luo-v5"', '"luo-v6"', '#define LUO_ABI_COMPATIBLE');
const bumpRoot = swap(K, '"kho-v4"', '"kho-v5"', '#define KHO_FDT_COMPATIBLE');
const bumpMemfd = swap(M, '"memfd-v2"', '"memfd-v3"', '#define MEMFD_LUO_FH_COMPATIBLE');
const define = (name: string, value: string, file: string): Change =>
  swap(file, new RegExp(`#define\\s+${name}\\s+\\S[^\\n]*`), `#define ${name} ${value}`);

const fileSer = (from: string, to: string): Change => swap(L, from, to, 'struct luo_file_ser {');
const longer = fileSer('u64 token;', 'u64 token;\n\tu64 extra;');
const flbSer = (from: string, to: string): Change => swap(L, from, to, 'struct luo_flb_ser {');
const memfdSer = (from: string, to: string): Change => swap(M, from, to, 'struct memfd_luo_ser {');
const blockSer = (from: string, to: string): Change =>
  swap(B, from, to, 'struct kho_block_header_ser {');

const READ = (name: string, outcome: string): string => `static int more(void *tree)
{
	found = fdt_getprop(tree, 0, "${name}", &length);
	if (!found)
		return ${outcome};
	return 0;
}`;
const WRITE = (name: string): string => `static int some(void *tree)
{
	u64 value;
	return fdt_property(tree, "${name}", &value, sizeof(value));
}`;

/** Structures. */
const WIRE: readonly Edit[] = [
  { name: 'member added at the end', change: longer, errors: ['WIRE-04'], outcome: 'misread' },
  { name: 'the same with a new version', change: both(longer, bumpLuo), outcome: 'panic' },
  { name: 'the same with a new root version', change: both(longer, bumpRoot), outcome: 'refused' },
  {
    name: 'the same with the version of another',
    change: both(longer, bumpMemfd),
    errors: ['WIRE-04'],
    tells: ['VERSION-02'],
  },
  {
    name: 'member added in the middle',
    change: swap(
      L,
      'struct luo_file_set_ser file_set_ser;',
      'u64 extra;\n\tstruct luo_file_set_ser file_set_ser;',
    ),
    errors: ['WIRE-04'],
  },
  {
    name: 'member added to blocks, with the version of LUO alone',
    change: both(blockSer('u64 count;', 'u64 count;\n\tu64 flags;'), bumpLuo),
    errors: ['WIRE-04'],
  },
  { name: 'member removed', change: flbSer('u64 count;', ''), errors: ['WIRE-03'] },
  {
    name: 'member removed with a new version',
    change: both(flbSer('u64 count;', ''), bumpLuo),
  },
  {
    name: 'members in another order',
    change: both(fileSer('u64 data;', 'u64 x;'), fileSer('u64 token;', 'u64 data;'), (files) =>
      fileSer('u64 x;', 'u64 token;')(files),
    ),
    errors: ['WIRE-01'],
  },
  {
    name: 'members in another order with a new version',
    change: both(
      fileSer('u64 data;', 'u64 x;'),
      fileSer('u64 token;', 'u64 data;'),
      fileSer('u64 x;', 'u64 token;'),
      bumpLuo,
    ),
  },
  { name: 'widened', change: memfdSer('u32 flags;', 'u64 flags;'), errors: ['WIRE-02'] },
  {
    name: 'widened with a new version',
    change: both(memfdSer('u32 flags;', 'u64 flags;'), bumpMemfd),
    outcome: 'ignored',
  },
  {
    name: 'narrowed',
    change: swap(L, 'u64 count;', 'u32 count;', 'struct luo_file_set_ser {'),
    errors: ['WIRE-02'],
  },
  { name: 'made signed', change: memfdSer('u32 seals;', 's32 seals;'), errors: ['WIRE-06'] },
  {
    name: 'packed dropped where it mattered',
    change: swap(X, '} __packed;', '};', 'struct kho_kexec_metadata {'),
    errors: ['WIRE-01'],
  },
  {
    name: 'packed dropped where nothing moves',
    change: fileSer('} __packed;', '};'),
    outcome: 'same',
  },
  {
    name: 'alignment added',
    change: swap(L, '} __packed;', '} __packed __aligned(64);', 'struct luo_flb_header_ser {'),
    errors: ['WIRE-05'],
  },
  {
    name: 'length of a name changed',
    change: define('LIVEUPDATE_HNDL_COMPAT_LENGTH', '64', L),
    errors: ['WIRE-02', 'WIRE-09'],
  },
  {
    name: 'length of a name changed with a new version',
    change: both(define('LIVEUPDATE_HNDL_COMPAT_LENGTH', '64', L), bumpLuo),
  },
  {
    name: 'widths of bit fields changed',
    change: both(
      swap(M, /u64\s+pfn:52;/, 'u64 pfn:48;'),
      swap(M, /u64\s+flags:12;/, 'u64 flags:16;'),
    ),
    errors: ['WIRE-02'],
  },
  {
    name: 'bit fields made one number',
    change: swap(M, /u64\s+pfn:52;\s+u64\s+flags:12;/, 'u64 pfn_and_flags;'),
    errors: ['WIRE-03', 'WIRE-04'],
  },
  {
    name: 'made big endian',
    change: swap(K, /u64\s+phys\[/, '__be64 phys['),
    errors: ['WIRE-06'],
  },
  {
    name: 'embedded structure grew, with the version of its user alone',
    change: both(swap(K, /unsigned short\s+order;/, 'unsigned int order;'), bumpMemfd),
    errors: ['WIRE-02'],
  },
  {
    name: 'embedded structure grew, with the version of the root',
    change: both(swap(K, /unsigned short\s+order;/, 'unsigned int order;'), bumpRoot),
  },
  {
    name: 'scratch entries narrowed',
    change: swap(S, 'phys_addr_t size;', 'u32 size;'),
    errors: ['WIRE-02'],
  },
  {
    name: 'boot data longer, which no version covers',
    change: both(swap(D, '__u64 scratch_size;', '__u64 scratch_size;\n\t__u64 more;'), bumpRoot),
    errors: ['WIRE-04'],
    outcome: 'misread',
  },
  {
    name: 'metadata changed',
    change: swap(X, 'u32 kexec_count;', 'u64 kexec_count;'),
    errors: ['WIRE-02'],
  },
  {
    name: 'metadata changed with its version',
    change: both(
      swap(X, 'u32 kexec_count;', 'u64 kexec_count;'),
      define('KHO_KEXEC_METADATA_VERSION', '2', X),
    ),
    tells: ['VERSION-07'],
  },
  {
    name: 'array without length appended',
    change: fileSer('u64 token;', 'u64 token;\n\tu64 more[];'),
    errors: ['WIRE-04'],
  },
  {
    name: 'structure added',
    change: append(L, 'struct luo_extra_ser {\n\tu64 a;\n} __packed;'),
    tells: ['WIRE-08'],
    outcome: 'same',
  },
  {
    name: 'structure removed',
    change: swap(M, /struct memfd_luo_folio_ser \{[^}]*\} __packed;/, ''),
    errors: ['WIRE-07'],
  },
  {
    name: 'limit of a list lowered',
    change: define('KHO_MAX_BLOCKS', '100', N),
    errors: ['WIRE-09'],
  },
  {
    name: 'shape of the radix tree changed',
    change: swap(K, /KHO_TABLE_SIZE_LOG2 =/, 'KHO_TABLE_SIZE_LOG2 = 1 +'),
    errors: ['WIRE-09'],
  },
];

/** Names, places and spelling. */
const SOURCE: readonly Edit[] = [
  {
    name: 'member renamed',
    change: swap(L, 'u64 sessions_pa;', 'u64 session_blocks;'),
    tells: ['SOURCE-01'],
    outcome: 'same',
  },
  {
    name: 'structure renamed',
    change: swap(L, 'struct luo_flb_ser {', 'struct luo_global_ser {'),
    tells: ['SOURCE-02'],
    outcome: 'same',
  },
  {
    name: 'structure moved to another header',
    change: both(
      swap(B, /struct kho_block_header_ser \{[^}]*\} __packed;/, ''),
      append(K, 'struct kho_block_header_ser {\n\tu64 next;\n\tu64 count;\n} __packed;'),
    ),
    tells: ['SOURCE-03'],
    outcome: 'same',
  },
  {
    name: 'constant renamed',
    change: swap(B, /#define\s+KHO_BLOCK_SIZE\b/, '#define KHO_BLK_SIZE'),
    tells: ['SOURCE-04'],
    outcome: 'same',
  },
  {
    name: 'enumerator renamed',
    change: (files) =>
      void files.set(K, files.get(K)!.replaceAll('KHO_RADIX_KEY_WIDTH', 'KHO_KEY_WIDTH')),
    tells: ['SOURCE-04'],
    outcome: 'same',
  },
  {
    name: 'type spelled with a typedef',
    change: both(
      swap(L, 'struct luo_file_ser {', 'typedef u64 luo_token_t;\nstruct luo_file_ser {'),
      fileSer('u64 token;', 'luo_token_t token;'),
    ),
    tells: ['SOURCE-05'],
    outcome: 'same',
  },
  {
    name: 'another view of the same bytes',
    change: fileSer('u64 data;', 'union {\n\t\tu64 data;\n\t\tu64 handle;\n\t};'),
    tells: ['SOURCE-05'],
    outcome: 'same',
  },
  {
    name: 'comments and white space alone',
    change: append(L, '/* nothing */\n\n\n'),
    outcome: 'same',
  },
  {
    name: 'string written in two pieces',
    change: swap(K, '"kho-v4"', '"kho-" "v4"', '#define KHO_FDT_COMPATIBLE'),
    outcome: 'same',
  },
  {
    name: 'code behind an option that is off',
    change: fileSer('u64 token;', 'u64 token;\n#if 0\n\tu64 extra;\n#endif'),
    outcome: 'same',
  },
];

/** Strings. */
const VERSION: readonly Edit[] = [
  {
    name: 'new version without a change',
    change: bumpMemfd,
    tells: ['VERSION-02'],
    outcome: 'ignored',
  },
  {
    name: 'new root version without a change',
    change: bumpRoot,
    tells: ['VERSION-02'],
    outcome: 'refused',
  },
  {
    name: 'version goes back',
    change: swap(M, '"memfd-v2"', '"memfd-v1"', '#define MEMFD_LUO_FH_COMPATIBLE'),
    errors: ['VERSION-03'],
  },
  {
    name: 'version jumps',
    change: both(longer, swap(L, '"luo-v5"', '"luo-v9"', '#define LUO_ABI_COMPATIBLE')),
    tells: ['VERSION-04', 'VERSION-07'],
  },
  {
    name: 'version that makes its own room longer',
    change: swap(L, '"luo-v5"', '"luo-v100"', '#define LUO_ABI_COMPATIBLE'),
    tells: ['VERSION-04', 'VERSION-08'],
    outcome: 'panic',
  },
  {
    name: 'composite string out of macros',
    change: swap(
      K,
      /#define\s+KHO_FDT_COMPATIBLE\s+"kho-v4"/,
      '#define SUB(s) ";" s\n#define KHO_FDT_COMPATIBLE "kho-v4" SUB("radix-v1")',
    ),
    outcome: 'refused',
  },
  {
    name: 'composite string out of order',
    change: swap(
      K,
      /#define\s+KHO_FDT_COMPATIBLE\s+"kho-v4"/,
      '#define KHO_FDT_COMPATIBLE "kho-v4;radix-v1;block-v1"',
    ),
    errors: ['VERSION-05'],
  },
  {
    name: 'string with another name',
    change: swap(M, '"memfd-v2"', '"memfile-v3"', '#define MEMFD_LUO_FH_COMPATIBLE'),
    tells: ['VERSION-06'],
  },
];

/** Trees. */
const GRAMMAR: readonly Edit[] = [
  {
    name: 'property renamed',
    change: define('KHO_SUB_TREE_PROP_NAME', '"preserved-blob"', K),
    errors: ['GRAMMAR-06'],
    outcome: 'misread',
  },
  {
    name: 'property renamed with a new version',
    change: both(define('KHO_SUB_TREE_PROP_NAME', '"preserved-blob"', K), bumpRoot),
  },
  {
    name: 'property demanded that nobody wrote',
    change: append(R, READ('flags', '-EINVAL')),
    errors: ['GRAMMAR-01'],
    outcome: 'ignored',
  },
  {
    name: 'property demanded with a new version',
    change: both(append(R, READ('flags', '-EINVAL')), (files) => {
      for (const [path, text] of files)
        files.set(path, text.replaceAll('memblock-v1', 'memblock-v2'));
    }),
  },
  {
    name: 'property read that may be missing',
    change: append(R, READ('flags', '0')),
    tells: ['GRAMMAR-02'],
    outcome: 'same',
  },
  {
    name: 'property written that nobody reads',
    change: append(R, WRITE('flags')),
    tells: ['GRAMMAR-02'],
    outcome: 'same',
  },
  {
    name: 'subtree added',
    change: append(C, 'static int extra(void)\n{\n\treturn kho_add_subtree("extra", tree, 1);\n}'),
    tells: ['GRAMMAR-05'],
    outcome: 'same',
  },
  {
    name: 'property made required',
    change: append(C, READ('preserved-memory-map', '-EINVAL')),
    errors: ['GRAMMAR-07'],
  },
  {
    name: 'property of the test module holds something else',
    change: (files) => {
      const text = files.get(T)!;
      files.set(T, text.replace(/struct kho_vmalloc (value\d+)/, 'u64 $1'));
    },
    errors: ['GRAMMAR-04'],
    outcome: 'same',
    rendered: true,
  },
  {
    name: 'property no longer written or read',
    change: (files) => files.set(R, files.get(R)!.replaceAll('"size"', 'name')),
    errors: ['GRAMMAR-03'],
  },
  {
    name: 'node name in a header, unseen by readers',
    change: append(L, '#define LUO_EXTRA_NODE_NAME "luo-extra"'),
    errors: ['GRAMMAR-01'],
    headersOnly: true,
  },
  {
    name: 'node name in a header, not used by the code',
    change: append(L, '#define LUO_EXTRA_NODE_NAME "luo-extra"'),
    tells: ['SOURCE-04'],
    outcome: 'same',
  },
];

/** Sense, comments, other machines. */
const SENSE: readonly Edit[] = [
  {
    name: 'flag with another value',
    change: define('MEMFD_LUO_FOLIO_DIRTY', 'BIT(2)', M),
    errors: ['MEANING-03'],
    outcome: 'misread',
  },
  {
    name: 'flag with another value and a new version',
    change: both(define('MEMFD_LUO_FOLIO_DIRTY', 'BIT(2)', M), bumpMemfd),
  },
  {
    name: 'flag of vmalloc areas in a source file',
    change: define('KHO_VMALLOC_HUGE_VMAP', '0x0004', C),
    errors: ['MEANING-03'],
  },
  {
    name: 'member leads to another structure',
    change: swap(L, '@files:', '@files: leads to struct luo_flb_ser,'),
    errors: ['MEANING-01'],
    outcome: 'misread',
  },
  {
    name: 'member leads to another structure, with a new version',
    change: both(swap(L, '@files:', '@files: leads to struct luo_flb_ser,'), bumpLuo),
  },
  {
    name: 'member counts in another unit',
    change: swap(M, /(@size:[^@]*?)\bbytes\b/, '@size: how large it is in pages'),
    errors: ['MEANING-02'],
  },
  {
    name: 'member described in other words',
    change: swap(L, '@token:', '@token: once more,'),
    tells: ['MEANING-04'],
    outcome: 'same',
  },
  {
    name: 'comment with an old version',
    change: append(L, '/* The string is "luo-v4" here. */'),
    tells: ['DOC-01'],
    outcome: 'same',
  },
  {
    name: 'comment about a macro that is none',
    change: append(L, '/* Changes with LUO_NOPE_COMPATIBLE. */'),
    tells: ['DOC-03'],
    outcome: 'same',
  },
  {
    name: 'comment about a member that is none',
    change: swap(L, '@token:', '@nope: is not there\n * @token:'),
    tells: ['DOC-08'],
    outcome: 'same',
  },
  {
    name: 'length that depends on the page size',
    change: fileSer('u64 data;', 'u64 data[PAGE_SIZE / 4096];'),
    errors: ['WIRE-02'],
    tells: ['PORT-01'],
  },
  {
    name: 'length that depends on the page size, with a new version',
    change: both(fileSer('u64 data;', 'u64 data[PAGE_SIZE / 4096];'), bumpLuo),
    tells: ['PORT-01'],
  },
  {
    name: 'word instead of a fixed width',
    change: blockSer('u64 count;', 'unsigned long count;'),
    tells: ['PORT-02', 'SOURCE-05'],
    outcome: 'same',
  },
  {
    name: 'hole',
    change: swap(L, /u64\s+pgcnt;\s+u64\s+count;\s+\} __packed;/, 'u32 pgcnt;\n\tu64 count;\n};'),
    errors: ['WIRE-02'],
    tells: ['PORT-05'],
  },
  {
    name: 'bit fields out of a number',
    change: memfdSer('u32 flags;', 'u32 flags:16;\n\tu32 rest:16;'),
    errors: ['WIRE-02', 'WIRE-04'],
    tells: ['PORT-03'],
  },
  {
    name: 'member where it is not aligned',
    change: fileSer('u64 token;', 'u8 kind;\n\tu64 token;'),
    errors: ['WIRE-04'],
    tells: ['PORT-04'],
  },
];

/** Every edit. */
export const EDITS: readonly Edit[] = [...WIRE, ...SOURCE, ...VERSION, ...GRAMMAR, ...SENSE];

/** The files that an edit is tried on. */
export const sourcesFor = (tree: Tree, { headersOnly }: Edit): Tree =>
  headersOnly ? new Map([...tree].filter(([path]) => path.startsWith('include/'))) : tree;

/** The tree with an edit made. */
export const edited = (tree: Tree, { change }: Edit): Tree => {
  const files = new Map(tree);
  change(files);
  return files;
};
