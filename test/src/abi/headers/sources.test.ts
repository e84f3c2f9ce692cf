/** What source files and comments tell: trees, owners, meanings; and what was not there. */
import { describe, expect, it } from 'vitest';
import { byteWitnesses, treeWitnesses } from '#src/abi/diff/witness';
import type { AbiDescription } from '#src/abi/headers/description';
import { readAbi } from '#src/abi/headers/read';
import { baseline } from '../baselines.ts';

const CORE = 'kernel/liveupdate/kexec_handover.c';
const LUO = 'kernel/liveupdate/luo_core.c';
const HEADER = 'include/linux/kho/abi/demo.h';

const read = (files: Readonly<Record<string, string>>): AbiDescription =>
  readAbi(Object.entries(files).map(([path, text]) => ({ path, text })));

/** Items of trees as text: what is written has a star, then how it is read and what it holds. */
const items = (files: Readonly<Record<string, string>>): readonly string[] =>
  read(files).tree.map(({ tree, kind, name, written, read: need, form }) =>
    [`${tree}/${name}`, kind, written ? '*' : '-', need, form].filter(Boolean).join(' '),
  );

describe('code', () => {
  it('writes what libfdt is called with, by whatever name', () => {
    const text = `
#define PROP "data"
static int f(void *fdt, struct kho_vmalloc *v)
{
	u64 at; unsigned int n;
	fdt_begin_node(fdt, "");
	fdt_property_string(fdt, "compatible", "luo-v1");
	fdt_property(fdt, PROP, &at, sizeof(at));
	fdt_property(fdt, "n", &n, sizeof(n));
	fdt_property(fdt, "v", v, sizeof(*v));
	fdt_setprop(fdt, 0, "late-" "er", &at, sizeof(at));
	return fdt_add_subnode(fdt, 0, "node") + fdt_begin_node(fdt, name);
}`;
    expect(items({ [LUO]: text })).toEqual([
      'LUO/compatible property * unread',
      'LUO/data property * unread 8 bytes',
      'LUO/n property * unread 4 bytes',
      'LUO/v property * unread struct kho_vmalloc',
      'LUO/late-er property * unread 8 bytes',
      'LUO/node node * unread',
    ]);
  });

  it.each([
    ['p = fdt_getprop(f, 0, "x", &len); if (!p || len != 8) return -EINVAL;', 'required'],
    ['p = fdt_getprop(f, 0, "x", &len); if (!p) { pr_err("no"); return NULL; }', 'required'],
    ['p = fdt_getprop(f, 0, "x", &len); if (!p) goto err_out;', 'required'],
    ['p = fdt_getprop(f, 0, "x", &len); if (!p) panic("no");', 'required'],
    ['p = fdt_getprop(f, 0, "x", &len); if (!p) return 0;', 'optional'],
    ['p = fdt_getprop(f, 0, "x", &len); if (!p) continue;', 'optional'],
    ['p = fdt_getprop(f, 0, "x", &len); use(p); } int g(void) { if (1) return -EINVAL;', 'unknown'],
    ['if (fdt_getprop(f, 0, "x", &len) == NULL) return -ENOENT;', 'required'],
  ])('needs what it reads or not: %s', (text, need) => {
    const source = `int r(void *f) { ${text} return 0; }`;
    expect(items({ [LUO]: source })).toEqual([`LUO/x property - ${need}`]);
  });

  it('does without a subtree of another kernel, whatever it answers', () => {
    const text = 'int r(void) { err = kho_retrieve_subtree("LUO", &p); if (err) return -EIO; }';
    expect(items({ [CORE]: text })).toEqual(['root/LUO node - optional']);
  });

  it('counts as it is written and as strictly as it is read, over all its places', () => {
    const text = `int w(void *f) { fdt_property_u64(f, "x", 1); }
int a(void *f) { p = fdt_getprop(f, 0, "x", &n); if (!p) return 0; }
int b(void *f) { p = fdt_getprop(f, 0, "x", &n); if (!p) return -EINVAL; }
static inline int fdt_getprop(void *f, int o, const char *n, int *l);`;
    expect(items({ [LUO]: text })).toEqual(['LUO/x property * required']);
  });

  it('wins over what comments show', () => {
    const header =
      '/**\n * / {\n *   shown = <1>;\n *   sub {\n *     deep = <2>;\n *   };\n * };\n */';
    const path = 'include/linux/kho/abi/luo.h';
    expect(items({ [path]: header })).toEqual([
      'LUO/shown property * unknown',
      'LUO/sub node * unknown',
      'LUO/deep property * unknown',
    ]);
    expect(items({ [path]: header, [LUO]: 'int x;' })).toEqual([]);
  });
});

describe('a structure', () => {
  const owners = (text: string): readonly string[] =>
    read({ [HEADER]: text }).structs.find(({ name }) => name === 'struct s')!.ownedBy;

  it('belongs to the string that its comment names, or its file, or that stands beside it', () => {
    const strings = '#define A_COMPATIBLE "a-v1"\n#define B_COMPATIBLE "b-v1"\n';
    expect(owners(`${strings}struct s { u8 a; };`)).toEqual(['A_COMPATIBLE', 'B_COMPATIBLE']);
    const file = '/**\n * DOC: all\n *\n * Changes with B_COMPATIBLE.\n */\n';
    expect(owners(`${file}${strings}struct s { u8 a; };`)).toEqual(['B_COMPATIBLE']);
    const own = '/**\n * struct s - x\n * @a: y\n *\n * Changes with A_COMPATIBLE.\n */\n';
    expect(owners(`${file}${strings}${own}struct s { u8 a; };`)).toEqual(['A_COMPATIBLE']);
    expect(owners('struct s { u8 a; };')).toEqual([]);
  });

  it('has members that are said to be about something', () => {
    const text = `/**
 * struct s - x
 * @a: physical address of the first &struct t,
 *     which has a size in bytes
 *
 * Not of struct u.
 */
struct s { u64 a; u64 b; };`;
    const { means } = read({ [HEADER]: text }).structs[0]!;
    expect(Object.keys(means)).toEqual(['a']);
    expect(means['a']!.about).toEqual(['bytes', 'physical address', 'struct t']);
  });
});

describe('what could not be read', () => {
  it('is told of where it counts, and not of everything in a source file', () => {
    const { problems } = read({
      [CORE]: 'struct other { typeof(x) y; };\nstruct khoser_thing { typeof(x) y; };\n',
    });
    expect(problems.map(({ line }) => line)).toEqual([2]);
  });

  it('or was not there is listed, unless the kernel is from before it came', () => {
    const kinds = (files: Readonly<Record<string, string>>): readonly string[] =>
      read(files).missing.map((each) => each.split(':')[0]!);
    const makefile = 'VERSION = 6\nPATCHLEVEL = 17\nSUBLEVEL = 3\nEXTRAVERSION = -rc1\n';
    expect(kinds({ [HEADER]: '' })).toContain('live update core');
    expect(kinds({ [HEADER]: '', Makefile: makefile })).not.toContain('live update core');
    expect(kinds({ [HEADER]: '', Makefile: makefile })).toContain('test module');
    expect(read({ Makefile: makefile, [HEADER]: '' }).kernel).toBe('6.17.3-rc1');
  });
});

describe('witnesses', () => {
  it('show bytes that are read for others', () => {
    const old = read({ [HEADER]: 'struct s { u32 a; u32 b; } __packed;' });
    const next = read({ [HEADER]: 'struct s { u16 x:4; u16 c:12; u64 b; } __packed;' });
    expect(byteWitnesses(old, next)).toEqual([
      {
        struct: 'struct s',
        target: 'x86_64-4k',
        writerBytes: 8,
        readerBytes: 10,
        readings: [
          { member: 'x', wrote: '', reads: '01' },
          { member: 'c', wrote: '', reads: '10 00' },
          { member: 'b', wrote: '02 02 02 02', reads: '01 01 02 02 02 02 ee ee' },
        ],
      },
    ]);
    expect(byteWitnesses(old, old)).toEqual([]);
  });

  it('show trees that lack what is demanded', () => {
    expect(treeWitnesses(baseline('6.19'), baseline('7.0'))).toEqual([
      {
        tree: 'LUO',
        written: [
          'node luo-session',
          'property compatible',
          'property liveupdate-number',
          'property luo-session-header',
        ],
        lacking: ['node luo-flb', 'property luo-flb-header'],
      },
    ]);
    expect(treeWitnesses(baseline('7.0'), baseline('6.19'))).toEqual([]);
  });
});
