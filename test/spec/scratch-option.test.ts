/** The law of `kho_scratch=`: what is an option, what it asks for, and that two readings agree. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEFAULT_REQUEST, areaBytes, readScratchOption } from '#spec/scratch-option';
import type { Bytes64, ScratchRequest } from '#spec/scratch-option';
import { guessEarly, planScratch, shippedReserving, wantedAreas } from '#src/kho/scratch-plan';
import type { ScratchMachine } from '#src/kho/scratch-plan';
import { INTENDED_GRAMMAR, parseScratchOption, shippedGrammar } from '#src/kho/scratch-option';
import type { ScratchOption } from '#src/kho/scratch-option';

const MIB = 2 ** 20;

const wide = ({ high, low }: Bytes64): bigint => (BigInt(high) << 32n) | BigInt(low);

/** What the law reads, in a shape that both readings can be brought to. */
const meaning = (request: ScratchRequest): unknown =>
  request.kind === 'sizes'
    ? [wide(request.lowmem), wide(request.global), wide(request.perNode)]
    : request.kind === 'scale'
      ? request.percent
      : 'refused';

const meaningOf = (option: ScratchOption): unknown =>
  option.kind === 'sizes'
    ? [option.lowmem, option.global, option.perNode]
    : option.kind === 'scale'
      ? option.percent
      : 'refused';

const read = (text: string): unknown => meaning(readScratchOption(text));

const MAX = 2n ** 64n - 1n;

describe('an option of the law', () => {
  it.each([
    ['1%', 1],
    ['200%', 200],
    ['+50%', 50],
    ['010%', 10],
    ['0000000001%', 1],
    ['4294967295%', 4294967295],
    ['+000000001%', 1],
    ['50\n%', 50],
  ])('%j is a scale', (text, percent) => expect(read(text)).toBe(percent));

  it.each([
    ['1,2,3', [1n, 2n, 3n]],
    ['64M,64m,16M', [64n << 20n, 64n << 20n, 16n << 20n]],
    ['0,512M,0', [0n, 512n << 20n, 0n]],
    ['1M,5M,3M', [1n << 20n, 5n << 20n, 3n << 20n]],
    ['0x10,010,10', [16n, 8n, 10n]],
    ['0X1f,0xEk,00', [31n, 14n << 10n, 0n]],
    ['1E,1p,1T', [1n << 60n, 1n << 50n, 1n << 40n]],
    ['9007199254740993,1,0', [9007199254740993n, 1n, 0n]],
    ['18446744073709551615,0,0', [MAX, 0n, 0n]],
    ['18446744073709551616,0,0', [MAX, 0n, 0n]],
    ['0xffffffffffffffff0,16E,15E', [MAX, MAX, 15n << 60n]],
    ['8E,8E,0', [8n << 60n, 8n << 60n, 0n]],
  ])('%j is three sizes', (text, sizes) => expect(read(text)).toEqual(sizes));

  it.each(
    [
      ['', '%', '+%', '-5%', '0x10%', ' 50%', '50 %', '50%%', '++5%', '5\n\n%', '\n%', '5.0%'],
      ['4294967296%', '9999999999%', '99999999999%', '00000000001%', '0%', '+0%', '000%'],
      ['0,0,0', '0,0x0,00', '1M,2M', '1M,2M,3M,4M', '1M,2M,3Mx', '64M', '1,2,', ',1,2', '1,,2'],
      ['abc', 'l64M,m64M,n16M', 'K,1M,1M', '1M,K,1M', '08,1,1', '0x,1,1', '0xg,1,1', '1KB,1,1'],
      ['+1,1,1', '-1,1,1', ' 1,1,1', '1 ,1,1', '1,1,1\n', '1M,1M,50%', '１,1,1', '1,1,1K\u0000'],
    ].flat(),
  )('%j is refused', (text) => expect(read(text)).toBe('refused'));

  it('says why it refuses', () => {
    expect(readScratchOption('1M,2M,3Mx')).toEqual({
      kind: 'refused',
      why: "'3Mx' is not a size",
    });
    expect(readScratchOption('0%')).toMatchObject({ why: 'asks for no scratch at all' });
    expect(readScratchOption('0,0,0')).toMatchObject({ why: 'asks for no scratch at all' });
  });
});

const BOUNDARIES = [
  ['0%', '1%', '4294967295%', '4294967296%', '+429496729%', '00000000200%', '0000000200%'],
  ['0,0,0', '0,512M,0', '1M,5M,3M', '1M,2M', '1M,2M,3M,4M', '1M,2M,3Mx', '8E,8E,0', '8E,8E,1M'],
  ['K,1M,1M', '0x,1,1', '0xE,1,1', '0x1EE,1,1', '16E,0,0', '18446744073709551616,0,0'],
].flat();

/** Near enough to the grammar that about a third of what comes out is an option. */
const nearSize = fc.oneof(
  { weight: 4, arbitrary: fc.stringMatching(/^(0x[0-9a-fA-F]{1,17}|0[0-7]{0,3}|[1-9]\d{0,20})$/) },
  { weight: 1, arbitrary: fc.stringMatching(/^[0-9xXa-fA-F+-]{0,4}$/) },
);
const unit = fc.oneof(
  { weight: 3, arbitrary: fc.constant('') },
  { weight: 4, arbitrary: fc.constantFrom(...'KMGTPEkmgtpe') },
  { weight: 1, arbitrary: fc.constantFrom('x', 'KK', ' ', '%', '\n', 'B', 'é') },
);
const nearSizes = fc
  .array(fc.tuple(nearSize, unit), { minLength: 2, maxLength: 4 })
  .map((parts) => parts.map((part) => part.join('')).join(','));
const nearScale = fc.stringMatching(/^[+-]?\d{0,12}\n?%$/);
const noise = fc.string({ unit: fc.constantFrom(...'0123789abxXKMEe,,%+- \n'), maxLength: 14 });
const optionText = fc.oneof(
  { weight: 5, arbitrary: nearSizes },
  { weight: 2, arbitrary: nearScale },
  { weight: 2, arbitrary: noise },
  { weight: 1, arbitrary: fc.constantFrom(...BOUNDARIES) },
);

describe('the two readings', () => {
  it('agree on every text', () => {
    const seen = { refused: 0, scale: 0, sizes: 0 };
    fc.assert(
      fc.property(optionText, (text) => {
        const law = readScratchOption(text);
        seen[law.kind]++;
        expect(meaningOf(parseScratchOption(text))).toEqual(meaning(law));
      }),
      { numRuns: 20_000 },
    );
    expect(Math.min(seen.refused, seen.scale, seen.sizes)).toBeGreaterThan(1000);
  });

  it('differ for Linux 7.3 as shipped where kernels deviate, and nowhere else', () => {
    fc.assert(
      fc.property(optionText, (text) => {
        const shipped = meaningOf(parseScratchOption(text, shippedGrammar('7.3')));
        const intended = read(text);
        if (shipped === 0) expect(text).toMatch(/^\+?0+\n?%$/);
        else if (shipped === 'refused' && intended !== 'refused') {
          const sum = (intended as bigint[]).reduce((total, size) => total + size, 0n);
          expect(BigInt.asUintN(64, sum)).toBe(0n);
        } else expect(shipped).toEqual(intended);
      }),
      { numRuns: 20_000 },
    );
  });
});

const bytesBelow = (max: number) => fc.integer({ min: 0, max });
const earlyBytes = fc
  .tuple(bytesBelow(2 ** 36), bytesBelow(2 ** 40), fc.array(bytesBelow(2 ** 38), { maxLength: 4 }))
  .map(([low, more, nodes]) => ({ low, total: low + more, nodes }));
const request = fc.oneof(
  bytesBelow(20_000).map((percent) => ({ kind: 'scale' as const, percent: percent + 1 })),
  fc
    .tuple(bytesBelow(2 ** 50), bytesBelow(2 ** 33), bytesBelow(2 ** 22 + 1))
    .map(([a, b, c]) => readScratchOption(`${a},${b},${c + 1}`)),
);

/** A machine with memory on every node; where it lies does not matter for sizes. */
const machineOf = (nodes: number): ScratchMachine => ({
  pageShift: 12,
  banks: Array.from({ length: nodes }, (_, node) => ({
    node,
    start: node * 2 ** 30,
    end: (node + 1) * 2 ** 30,
  })),
  nodes,
  reserved: [],
  lowEnd: 2 ** 32,
});

const optionOf = (asked: ScratchRequest): ScratchOption =>
  asked.kind === 'sizes'
    ? {
        kind: 'sizes',
        lowmem: wide(asked.lowmem),
        global: wide(asked.global),
        perNode: wide(asked.perNode),
        overflowed: false,
        rest: '',
      }
    : asked;

describe('the sizes of areas', () => {
  it('are the same in both readings', () => {
    fc.assert(
      fc.property(request, earlyBytes, fc.constantFrom(2, 4, 32, 512), (asked, early, mib) => {
        if (asked.kind === 'refused') throw new Error('the generator makes options');
        const rules = { ...shippedReserving('7.3', 12), align: mib * MIB };
        const machine = machineOf(early.nodes.length);
        const reserved = { low: early.low, total: early.total, perNode: early.nodes };
        const wanted = wantedAreas(optionOf(asked), reserved, machine, rules);
        const law = areaBytes(asked, early, mib * MIB);
        expect(wanted.map(({ bytes }) => Number(bytes))).toEqual(law);
      }),
    );
  });

  it('are multiples of the alignment, and of at least what was asked for', () => {
    const scale = { kind: 'scale', percent: 200 } as const;
    expect(DEFAULT_REQUEST).toEqual(scale);
    const early = { low: 24 * MIB + 1, total: 30 * MIB, nodes: [MIB, 0] };
    expect(areaBytes(scale, early, 4 * MIB)).toEqual([52, 8, 4, 0].map((mib) => mib * MIB));
    const named = readScratchOption('65M,33M,9M');
    if (named.kind === 'refused') throw new Error('refused');
    expect(areaBytes(named, early, 4 * MIB)).toEqual([68, 36, 12, 12].map((mib) => mib * MIB));
  });

  it('beyond 2^53 are more than any machine has, and then no kernel hands over', () => {
    const early = { low: 24 * MIB, total: 2 ** 42, nodes: [2 ** 42] };
    const scale = { kind: 'scale', percent: 4294967295 } as const;
    expect(areaBytes(scale, early, 4 * MIB).slice(1)).toEqual([Infinity, Infinity]);
    const machine = machineOf(1);
    const { early: guess } = guessEarly(machine);
    expect(planScratch(scale, guess, machine, shippedReserving('7.3', 12)).enabled).toBe(false);
    const huge = parseScratchOption('16E,1,1', INTENDED_GRAMMAR);
    expect(planScratch(huge, guess, machine, shippedReserving('7.1', 12)).enabled).toBe(false);
  });
});
