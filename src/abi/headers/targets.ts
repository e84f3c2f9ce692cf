/**
 * Machines that a layout is computed for, and what their compilers agree on.
 *
 * KHO runs on the first four; the others tell which structures would differ if it were ported.
 */

/** One machine, as its C compiler sees it. */
export interface Target {
  readonly name: string;
  /** Whether KHO runs there: x86-64 and arm64. */
  readonly supported: boolean;
  /** log2 of the page size in bytes. */
  readonly pageShift: number;
  /** Bytes of long, size_t and pointers. */
  readonly wordBytes: 4 | 8;
  /** Bytes of phys_addr_t. */
  readonly physBytes: 4 | 8;
  /** Alignment of 64-bit integers in structures, in bytes. */
  readonly longLongAlign: 4 | 8;
  readonly bigEndian: boolean;
  /** Whether bit fields without a name count for the alignment of their structure (AAPCS). */
  readonly aapcs: boolean;
}

const target = (name: string, rest: Partial<Target> = {}): Target => ({
  name,
  supported: false,
  pageShift: 12,
  wordBytes: 8,
  physBytes: 8,
  longLongAlign: 8,
  bigEndian: false,
  aapcs: false,
  ...rest,
});

const NARROW = { wordBytes: 4, physBytes: 4 } as const;
const ARM64 = { supported: true, aapcs: true } as const;

/** Every target, those that KHO runs on first. */
export const TARGETS: readonly Target[] = [
  target('x86_64-4k', { supported: true }),
  target('arm64-4k', ARM64),
  target('arm64-16k', { ...ARM64, pageShift: 14 }),
  target('arm64-64k', { ...ARM64, pageShift: 16 }),
  target('i386-phys32', { ...NARROW, longLongAlign: 4 }),
  target('i386-PAE', { ...NARROW, physBytes: 8, longLongAlign: 4 }),
  target('arm32-phys32', { ...NARROW, aapcs: true }),
  target('s390x-4k', { bigEndian: true }),
  target('ppc64-64k', { bigEndian: true, pageShift: 16 }),
  target('riscv64-4k'),
];

/** The target that a description is read for first. */
export const FIRST_TARGET: Target = TARGETS[0]!;

/** The target of that name, or undefined. */
export const targetNamed = (name: string): Target | undefined =>
  TARGETS.find((each) => each.name === name);
