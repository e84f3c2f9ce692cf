/**
 * What every kernel header may use without saying where it comes from: helpers that are macros,
 * names that depend on the target, sizes of basic types, and constants of the user interface, which
 * never change.
 *
 * The helpers are our own spelling of what each is documented to compute; a definition in the
 * sources that are read wins over them.
 *
 * Sources: Linux documentation, core-api; include/uapi/linux/fcntl.h (F_SEAL_*),
 * include/uapi/linux/utsname.h (__NEW_UTS_LEN); the names of sizes in C.
 */
import { lex } from './lexer.ts';
import type { Macro } from './macros.ts';
import type { Target } from './targets.ts';

const HELPERS: readonly string[] = [
  'BIT(n) (1ul << (n))',
  'BIT_ULL(n) (1ull << (n))',
  '_BITUL(n) (1ul << (n))',
  '_BITULL(n) (1ull << (n))',
  'UL(n) (n##ul)',
  'ULL(n) (n##ull)',
  '_AC(n, t) (n##t)',
  '_UL(n) (n##ul)',
  '_ULL(n) (n##ull)',
  'GENMASK(top, low) (((2ull << ((top) - (low))) - 1) << (low))',
  'GENMASK_ULL(top, low) (((2ull << ((top) - (low))) - 1) << (low))',
  'DIV_ROUND_UP(a, b) (((a) + (b) - 1) / (b))',
  'ALIGN(a, b) ((((a) + (b) - 1) / (b)) * (b))',
  '__ALIGN(a, b) ((((a) + (b) - 1) / (b)) * (b))',
  'ALIGN_DOWN(a, b) (((a) / (b)) * (b))',
  'round_up(a, b) ((((a) + (b) - 1) / (b)) * (b))',
  'round_down(a, b) (((a) / (b)) * (b))',
  'roundup(a, b) ((((a) + (b) - 1) / (b)) * (b))',
  'min(a, b) ((a) < (b) ? (a) : (b))',
  'max(a, b) ((a) > (b) ? (a) : (b))',
  'min_t(t, a, b) ((a) < (b) ? (a) : (b))',
  'max_t(t, a, b) ((a) > (b) ? (a) : (b))',
  'BITS_PER_TYPE(t) (sizeof(t) * 8)',
  'BITS_TO_LONGS(n) (((n) + BITS_PER_LONG - 1) / BITS_PER_LONG)',
  'BITS_TO_BYTES(n) (((n) + 7) / 8)',
  'DECLARE_BITMAP(name, bits) unsigned long name[BITS_TO_LONGS(bits)]',
  'DECLARE_FLEX_ARRAY(type, name) struct { struct { } pad_##name; type name[]; }',
  '__DECLARE_FLEX_ARRAY(type, name) struct { struct { } pad_##name; type name[]; }',
  'struct_group(name, ...) union { struct { __VA_ARGS__ }; struct { __VA_ARGS__ } name; }',
  'struct_group_tagged(t, n, ...) union { struct { __VA_ARGS__ }; struct t { __VA_ARGS__ } n; }',
  'offsetofend(type, member) (offsetof(type, member) + sizeof_field(type, member))',
];

/** The helpers as macros of a file without a name. */
export const HELPER_MACROS: readonly Macro[] = HELPERS.map((text) => {
  const [name, ...rest] = lex({ path: '', text }).tokens;
  const isCall = rest[0]?.text === '(' && !rest[0].spaced;
  const close = isCall ? rest.findIndex((token) => token.text === ')') : -1;
  const inside = rest.slice(1, Math.max(close, 1)).filter((token) => token.text !== ',');
  const names = inside.map((token) => token.text);
  return {
    name: name!.text,
    parameters: isCall ? names.filter((each) => each !== '...') : undefined,
    variadic: names.includes('...'),
    body: rest.slice(close + 1),
    file: '',
    line: 0,
  };
});

const KIB = 1024n;

/** Constants of the user interface and of C. */
const FIXED: Readonly<Record<string, bigint>> = {
  BITS_PER_BYTE: 8n,
  BITS_PER_LONG_LONG: 64n,
  CHAR_BIT: 8n,
  NULL: 0n,
  true: 1n,
  false: 0n,
  SZ_1K: KIB,
  SZ_2K: 2n * KIB,
  SZ_4K: 4n * KIB,
  SZ_16K: 16n * KIB,
  SZ_64K: 64n * KIB,
  SZ_1M: KIB ** 2n,
  SZ_2M: 2n * KIB ** 2n,
  SZ_1G: KIB ** 3n,
  U8_MAX: 2n ** 8n - 1n,
  U16_MAX: 2n ** 16n - 1n,
  U32_MAX: 2n ** 32n - 1n,
  U64_MAX: 2n ** 64n - 1n,
  __NEW_UTS_LEN: 64n,
  LIVEUPDATE_SESSION_NAME_LENGTH: 64n,
  F_SEAL_SEAL: 1n,
  F_SEAL_SHRINK: 2n,
  F_SEAL_GROW: 4n,
  F_SEAL_WRITE: 8n,
  F_SEAL_FUTURE_WRITE: 16n,
  F_SEAL_EXEC: 32n,
};

/** Names whose value is a matter of the target; whoever asks for one depends on it. */
const OF_TARGET: Readonly<Record<string, (target: Target) => bigint>> = {
  PAGE_SHIFT: ({ pageShift }) => BigInt(pageShift),
  PAGE_SIZE: ({ pageShift }) => 1n << BigInt(pageShift),
  BITS_PER_LONG: ({ wordBytes }) => BigInt(wordBytes * 8),
  CONFIG_64BIT: ({ wordBytes }) => (wordBytes === 8 ? 1n : 0n),
  CONFIG_PHYS_ADDR_T_64BIT: ({ physBytes }) => (physBytes === 8 ? 1n : 0n),
  CONFIG_PAGE_SHIFT: ({ pageShift }) => BigInt(pageShift),
};

/** Whether a name has a value that is a matter of the target. */
export const isOfTarget = (name: string): boolean => Object.hasOwn(OF_TARGET, name);

/** The value of a name that no source has to define, or undefined. */
export const builtinValue = (name: string, target: Target): bigint | undefined =>
  Object.hasOwn(FIXED, name)
    ? FIXED[name]
    : isOfTarget(name)
      ? OF_TARGET[name]!(target)
      : undefined;

/** Size and alignment of a type in bytes. */
export interface Extent {
  readonly size: number;
  readonly align: number;
}

const FIXED_SIZES: Readonly<Record<string, number>> = {
  void: 1,
  char: 1,
  'unsigned char': 1,
  short: 2,
  'unsigned short': 2,
  int: 4,
  'unsigned int': 4,
  float: 4,
  _Bool: 1,
  bool: 1,
};

/** Names for integers of so many bytes. */
const WIDTHS: readonly (readonly [RegExp, number])[] = [
  [/^(?:__)?[us]8$|^u?int8_t$|^u_char$|^unchar$/, 1],
  [/^(?:__)?(?:[us]|le|be)16$|^u?int16_t$|^ushort$|^umode_t$/, 2],
  [/^(?:__)?(?:[us]|le|be)32$|^u?int32_t$|^uint$|^gfp_t$|^pid_t$|^dev_t$/, 4],
  [/^(?:__)?(?:[us]|le|be)64$|^u?int64_t$|^loff_t$/, 8],
];

const WORDS = /^(?:unsigned )?long$|^s?size_t$|^u?intptr_t$|^ulong$|^pgoff_t$|^ptrdiff_t$/;
const PHYSICAL = /^(?:phys_addr_t|resource_size_t|dma_addr_t)$/;

/** Extent of a basic type by its plain name (`unsigned int`, `u64`), or undefined. */
export const basicExtent = (name: string, target: Target): Extent | undefined => {
  const of = (size: number): Extent => ({
    size,
    align: size === 8 ? target.longLongAlign : size,
  });
  if (Object.hasOwn(FIXED_SIZES, name)) return of(FIXED_SIZES[name]!);
  if (name === 'long long' || name === 'unsigned long long' || name === 'double') return of(8);
  if (WORDS.test(name)) return { size: target.wordBytes, align: target.wordBytes };
  if (PHYSICAL.test(name)) return of(target.physBytes);
  const width = WIDTHS.find(([pattern]) => pattern.test(name))?.[1];
  return width === undefined ? undefined : of(width);
};

/** Whether a type's size differs between machines of one word size: none of ours does but these. */
export const isPhysical = (name: string): boolean => PHYSICAL.test(name);

/** Whether a type is as wide as a machine word. */
export const isWord = (name: string): boolean => WORDS.test(name);
