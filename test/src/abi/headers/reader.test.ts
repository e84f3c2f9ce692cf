/** The header reader: what C declarations come to on the machines that a kernel is built for. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { BtfError, readBtf } from '#src/abi/headers/btf';
import { compareBtf } from '#src/abi/headers/btf-compare';
import { abiOn, type AbiDescription, type AbiField } from '#src/abi/headers/description';
import { readAbi } from '#src/abi/headers/read';
import { TARGETS } from '#src/abi/headers/targets';
import { baseline } from '../baselines.ts';

const read = (text: string): AbiDescription =>
  readAbi([{ path: 'demo.h', text }], { allHeaders: true });

const fieldText = ({ name, offset, size, bits, members }: AbiField): string => {
  const inner = members === undefined ? '' : `{${members.map(fieldText).join(' ')}}`;
  const where = bits === undefined ? `${offset}+${size}` : `${bits.offset}:${bits.width}`;
  return `${name}@${where}${inner}`;
};

/** Size and members of `struct s` on a machine. */
const layout = (text: string, target = 'x86_64-4k'): string => {
  const abi = read(text);
  const found = abiOn(abi, target)?.layouts['struct s'];
  if (found === undefined) throw new Error(JSON.stringify(abi.problems));
  return `${found.size} ${found.fields.map(fieldText).join(' ')}`.trim();
};

const value = (text: string, target = 'x86_64-4k'): number | string | undefined =>
  abiOn(read(`${text}\nstruct s { int a; };`), target)?.constants['V'];

describe('members', () => {
  it.each([
    ['struct s { u8 a; u32 b; u8 c; };', '12 a@0+1 b@4+4 c@8+1'],
    ['struct s { u8 a; u64 b; } __packed;', '9 a@0+1 b@1+8'],
    ['struct __packed s { u8 a; u64 b; };', '9 a@0+1 b@1+8'],
    ['struct s { u8 a; u64 b; } __attribute__((packed, aligned(4)));', '12 a@0+1 b@1+8'],
    ['struct s { u8 a; u64 b __packed; };', '9 a@0+1 b@1+8'],
    ['struct s { u8 a; u32 b __aligned(16); };', '32 a@0+1 b@16+4'],
    ['struct s { u16 a, *b, c[3]; };', '24 a@0+2 b@8+8 c@16+6'],
    ['struct s { char a[2][3]; u64 b[]; };', '8 a@0+6 b@8+0'],
    ['struct s { int (*call)(int, void *); int (*all[2])(void); };', '24 call@0+8 all@8+16'],
    ['struct s { unsigned long long int a; const volatile char *b; };', '16 a@0+8 b@8+8'],
    ['struct s { union { u32 a; u64 b; }; u8 c; };', '16 @0+8{a@0+4 b@0+8} c@8+1'],
    ['struct s { struct { u8 a; } in; enum e { A, B } e; };', '8 in@0+1{a@0+1} e@4+4'],
    ['struct t { u64 a; }; struct s { struct t x[2]; struct t *p; };', '24 x@0+16 p@16+8'],
    ['typedef u32 word, *wp; struct s { word a; wp b; };', '16 a@0+4 b@8+8'],
    ['struct s { };', '0'],
    ['struct s { int a; static_assert(1); } __randomize_layout;', '4 a@0+4'],
    ['struct s { u32 n; u8 rest[] __counted_by(n); };', '4 n@0+4 rest@4+0'],
  ])('%s', (text, wanted) => {
    expect(layout(text)).toBe(wanted);
  });

  it('depend on the machine where their types do', () => {
    const text = 'struct s { u8 a; u64 b; void *c; phys_addr_t d; unsigned long e; };';
    expect(layout(text)).toBe('40 a@0+1 b@8+8 c@16+8 d@24+8 e@32+8');
    expect(layout(text, 'i386-phys32')).toBe('24 a@0+1 b@4+8 c@12+4 d@16+4 e@20+4');
    expect(layout(text, 'i386-PAE')).toBe('28 a@0+1 b@4+8 c@12+4 d@16+8 e@24+4');
    expect(layout(text, 'arm32-phys32')).toBe('32 a@0+1 b@8+8 c@16+4 d@20+4 e@24+4');
    const paged = 'struct s { u8 a[PAGE_SIZE / 512]; };';
    expect(TARGETS.map(({ name }) => layout(paged, name).split(' ')[0])).toEqual([
      '8',
      '8',
      '32',
      '128',
      '8',
      '8',
      '8',
      '8',
      '128',
      '8',
    ]);
  });
});

describe('bit fields', () => {
  it.each([
    ['struct s { u64 a:52; u64 b:12; u64 c; } __packed;', '16 a@0:52 b@52:12 c@8+8'],
    ['struct s { u32 a:20; u32 b:20; };', '8 a@0:20 b@32:20'],
    ['struct s { u32 a:20; u32 b:20; } __packed;', '5 a@0:20 b@20:20'],
    ['struct s { u8 a:3; u8 :0; u8 b:2; };', '2 a@0:3 b@8:2'],
    ['struct s { u32 a:4; u8 b; u32 c:4; };', '4 a@0:4 b@1+1 c@16:4'],
    ['struct s { u16 a:9, b:7; u32 c:1; };', '4 a@0:9 b@9:7 c@16:1'],
  ])('%s', (text, wanted) => {
    expect(layout(text)).toBe(wanted);
  });

  it('without a name count for alignment on ARM alone', () => {
    const text = 'struct s { u8 a; u32 :0; };';
    expect([layout(text), layout(text, 'arm64-4k')]).toEqual(['4 a@0+1', '4 a@0+1']);
    const lone = 'struct s { u8 a; u32 :4; };';
    expect([layout(lone), layout(lone, 'arm64-4k')]).toEqual(['2 a@0+1', '4 a@0+1']);
  });
});

describe('macros', () => {
  it.each([
    ['#define V (1 + 2 * 3 - 8 / 4 % 3)', 5],
    ['#define V (sizeof(struct s) * 2)', 8],
    ['#define V (sizeof("luo-v5") + sizeof("a" "b"))', 10],
    ['#define A 0x10\n#define V (A << 2 | 1)', 65],
    ['#define F(x, y) ((x) * (y))\n#define V F(2 + 1, F(2, 2))', 12],
    ['#define C(a, b) a##b\n#define AB 7\n#define V C(A, B)', 7],
    ['#define V const_ilog2(PAGE_SIZE / sizeof(u64))', 9],
    ['#define V DIV_ROUND_UP(65, 8)', 9],
    ['#define V (PAGE_SIZE > 4096 ? 1 : ~0 & 0xf)', 15],
    ['#define V ((u8)0x1ff)', 255],
    ['#define V (BIT(3) + BIT_ULL(4) + GENMASK(1, 0))', 27],
    ["#define V ('a' + 010)", 105],
    ['enum e { A = 3, B, C = B * 2, D };\n#define V D', 9],
    ['#define A B\n#define B A\n#define V 1', 1],
    ['#if defined(X) || PAGE_SHIFT < 12\n#define V 1\n#elif 1\n#define V 2\n#else\n#endif', 2],
    ['#ifndef V\n#define V 4\n#endif\n#ifdef V\n#else\n#undef V\n#endif', 4],
    ['#define V \\\n  (3 + \\\n  4)', 7],
    ['#define V (1ull << 63)', '9223372036854775808'],
  ])('%s', (text, wanted) => {
    expect(value(text)).toBe(wanted);
  });

  it('make texts, in pieces and through others', () => {
    const abi = read(`
#define VERSION(n) "demo-v" #n
#define PLUS(s) ";" s
#define DEMO_COMPATIBLE VERSION(4) PLUS("part-v1")
struct s { char name[sizeof(DEMO_COMPATIBLE)]; };`);
    expect(abi.constants.find(({ name }) => name === 'DEMO_COMPATIBLE')?.text).toBe(
      'demo-v4;part-v1',
    );
    expect(abiOn(abi, 'x86_64-4k')?.layouts['struct s']?.size).toBe(16);
  });

  it('hold from their definition on, which may be given back', () => {
    const text =
      '#define N 2\nstruct t { u8 a[N]; };\n#undef N\n#define N 5\nstruct s { u8 a[N]; };';
    expect(layout(text)).toBe('5 a@0+5');
    expect(abiOn(read(text), 'x86_64-4k')?.layouts['struct t']?.size).toBe(2);
  });

  it('that depend on the target are read anew for each', () => {
    const text =
      '#if PAGE_SHIFT > 12\n#define N 8\n#else\n#define N 4\n#endif\nstruct s { u8 a[N]; };';
    expect(['x86_64-4k', 'arm64-16k', 'arm64-64k'].map((on) => layout(text, on))).toEqual([
      '4 a@0+4',
      '8 a@0+8',
      '8 a@0+8',
    ]);
  });
});

describe('whole files', () => {
  it('with functions, variables and prototypes are stepped over', () => {
    const text = `
/* struct s { int wrong; }; */
#include <linux/types.h>
static inline int f(struct s *p) { struct local { int a; } x; return p ? sizeof(x) : 0; }
static const struct ops o = { .call = f, };
extern struct s *list[];
int g(struct s *a, int b);
DEFINE_MUTEX(lock);
module_init(f);
static struct s { u32 a; } one, two;
__setup("x=", f);`;
    expect(layout(text)).toBe('4 a@0+4');
    expect(read(text).problems).toEqual([]);
  });

  it.each([
    ['struct s { int a; };\nstruct bad { int x[nope]; };', 2, 'the value of nope is not known'],
    ['struct s { struct none x; };', 1, 'struct none is not declared'],
    ['struct s { wierd_t x; };', 1, 'the type wierd_t is not known'],
    ['struct s { struct s x; };', 1, 'struct s contains itself'],
    ['struct s {\n  int a\n};\n', 3, 'wants ;'],
    ['#if 1\nstruct s { int a; };', 2, 'is not closed by #endif'],
    ['#endif\nstruct s { int a; };', 1, '#endif without a condition'],
    ['#define F(x) x\nstruct s { int F(a; };', 2, 'no type before ;'],
    ['#error no\nstruct s { int a; };', 1, 'an #error is reached'],
    ['struct s { u8 a[1 / 0]; };', 1, 'divides by zero'],
  ])('say where they cannot be read: %j', (text, line, message) => {
    const [problem] = read(text).problems;
    expect([problem?.line, problem?.message]).toEqual([line, expect.stringContaining(message)]);
  });

  it('never throw, however they are cut off', () => {
    const text = `#define F(x, ...) x##x #x
#if defined(CONFIG_A) && (1 ? 2 : 3)
struct __packed s { u64 a:3; union { char c[sizeof("x")]; }; } __aligned(8);
#endif
enum e { A = 'x', B }; static_assert(sizeof(struct s) == 8, "no");`;
    for (let end = 0; end <= text.length; end += 2) read(text.slice(0, end));
    for (let at = 0; at < text.length; at += 5) read(text.slice(0, at) + text.slice(at + 1));
  });

  it('have their static asserts looked at', () => {
    const { asserts } = read(
      `struct s { u64 a; };
static_assert(sizeof(struct s) == 8);
static_assert(sizeof(struct s) == 9, "x");`,
    );
    expect(asserts).toEqual({ held: 1, failed: [{ file: 'demo.h', line: 3 }] });
  });

  it('say which options they depend on', () => {
    const { unknownOptions } = read(
      `#ifdef CONFIG_ODD
struct t { int a; };
#endif
#if IS_ENABLED(CONFIG_KEXEC_HANDOVER)
struct s { int a; };
#endif`,
    );
    expect(unknownOptions.map(({ line, message }) => [line, message])).toEqual([[1, 'CONFIG_ODD']]);
  });
});

describe('what a compiler made', () => {
  const image = readFileSync(join(import.meta.dirname, '../../../fixtures/k7.3-layouts.btf.o'));

  it('is the same, member by member', () => {
    const found = compareBtf(baseline('7.3'), readBtf(image));
    expect(found).toEqual({ target: 'x86_64-4k', mismatches: [], compared: 17, known: 17 });
  });

  it('is another for another kernel', () => {
    const { mismatches } = compareBtf(baseline('6.19'), readBtf(image));
    expect(mismatches.join('\n')).toContain('struct memfd_luo_ser has 48 bytes in BTF, here 40');
  });

  it.each([
    [new Uint8Array(100), 'is neither an ELF file nor BTF'],
    [image.subarray(0, 80), 'is cut off'],
    [image.subarray(0, 3000), 'is cut off'],
  ])('cannot be read out of other bytes', (bytes, message) => {
    expect(() => readBtf(bytes)).toThrow(BtfError);
    expect(() => readBtf(bytes)).toThrow(message);
  });
});
