/** `reserve_mem=`: what it may say, and that both readings of it are one. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { COMMAND_LINES } from '#model/reserve-mem';
import { readReserveMemLine, readReserveMemOption } from '#spec/reserve-mem-option';
import { parseReserveMem, parseReserveMemLine } from '#src/kho/reserve-mem-option';

/** What the implementation reads, in the words of the law. */
const parsed = (text: string): unknown => {
  const option = parseReserveMem(text);
  if (option === undefined) return 'refused';
  const { name, bytes, align } = option;
  const limit = (value: number): number => (value === Number.MAX_SAFE_INTEGER ? Infinity : value);
  return { name, bytes: limit(bytes), align: limit(align) };
};

const read = (text: string): unknown => {
  const option = readReserveMemOption(text);
  if (option.kind === 'refused') return 'refused';
  const { name, bytes, align } = option;
  return { name, bytes, align };
};

describe('reserve_mem=', () => {
  it.each([
    ['2M:2M:rmA', { name: 'rmA', bytes: 2097152, align: 2097152 }],
    ['300k:4K:rmB', { name: 'rmB', bytes: 307200, align: 4096 }],
    ['2048:0:a', { name: 'a', bytes: 2048, align: 64 }],
    ['2048:1:a', { name: 'a', bytes: 2048, align: 64 }],
    ['2048::a', { name: 'a', bytes: 2048, align: 64 }],
    ['0x10:0100:9', { name: '9', bytes: 16, align: 64 }],
    ['010:0x1000:a:b', { name: 'a:b', bytes: 8, align: 4096 }],
    ['1:128:fifteen-letters', { name: 'fifteen-letters', bytes: 1, align: 128 }],
    ['4P:4P:x', { name: 'x', bytes: 2 ** 52, align: 2 ** 52 }],
    ['16E:64:x', { name: 'x', bytes: Infinity, align: 64 }],
    ['99999999999999999999:8P:x', { name: 'x', bytes: Infinity, align: Infinity }],
  ])('takes %s', (text, expected) => {
    expect(read(text)).toEqual(expected);
    expect(parsed(text)).toEqual(expected);
  });

  it.each([
    ['', 'not size:align:name'],
    ['2M', 'not size:align:name'],
    ['2M:4K', 'not size:align:name'],
    [':4K:a', 'is not a size'],
    ['K:4K:a', 'is not a size'],
    ['2Mx:4K:a', 'is not a size'],
    ['-1:4K:a', 'is not a size'],
    [' 1:4K:a', 'is not a size'],
    ['0x:4K:a', 'is not a size'],
    ['08:4K:a', 'is not a size'],
    ['1.5M:4K:a', 'is not a size'],
    ['2MK:4K:a', 'is not a size'],
    ['0:4K:a', 'no memory'],
    ['0M:4K:a', 'no memory'],
    ['2M:K:a', 'is not an alignment'],
    ['2M:4K :a', 'is not an alignment'],
    ['2M:100:a', 'no power of two'],
    ['2M:3M:a', 'no power of two'],
    ['2M:4K:', 'no name'],
    ['2M:4K:  ', 'no name'],
    ['2M:4K:sixteen-letters!', 'more than 15 bytes'],
    ['2M:4K:ääääääää', 'more than 15 bytes'],
    ['2M:4K:a/b', 'device tree'],
    ['2M:4K:a@1', 'device tree'],
  ])('refuses %j', (text, why) => {
    const option = readReserveMemOption(text);
    expect(option.kind === 'refused' ? option.why : option).toContain(why);
    expect(parsed(text)).toBe('refused');
  });

  it('is read alike by the law and the implementation', () => {
    const digits = fc.oneof(
      fc.nat(70000).map(String),
      fc.nat(70000).map((n) => `0x${n.toString(16)}`),
      fc.nat(70000).map((n) => `0${n.toString(8)}`),
      fc.nat(53).map((n) => String(2 ** n)),
      fc.string({ unit: fc.constantFrom(...'0189xXaKmGe-+ '), maxLength: 5 }),
    );
    const unit = fc.constantFrom('', '', '', 'K', 'm', 'G', 't', 'P', 'E', 'KK', 'z');
    const numbers = fc.tuple(digits, unit).map((parts) => parts.join(''));
    const name = fc.string({ unit: fc.constantFrom(...'ab1:/@ \tä'), maxLength: 17 });
    const text = fc.oneof(
      fc.tuple(numbers, numbers, name).map((parts) => parts.join(':')),
      fc.string({ unit: fc.constantFrom(...'02KM:a'), maxLength: 9 }),
    );
    let taken = 0;
    const property = fc.property(text, (value) => {
      const option = read(value);
      if (option !== 'refused') taken++;
      expect(parsed(value)).toEqual(option);
    });
    fc.assert(property, { numRuns: 5000, seed: 1 });
    expect(taken).toBeGreaterThan(100);
  });

  it('may be given several times; what is refused is left out', () => {
    const line = '4K:4K:a  0:0:b 8K:4K:a 1:0:c ';
    const expected = [
      { name: 'a', bytes: 4096, align: 4096 },
      { name: 'a', bytes: 8192, align: 4096 },
      { name: 'c', bytes: 1, align: 64 },
    ];
    expect(parseReserveMemLine(line)).toEqual(expected);
    expect(readReserveMemLine(line)).toMatchObject(expected);
    expect(parseReserveMemLine('')).toEqual([]);
    expect(readReserveMemLine('')).toEqual([]);
  });

  it('is given to machines in every way that matters', () => {
    const options = COMMAND_LINES.flat().join(' ').split(' ');
    const read = options.map(readReserveMemOption);
    expect(read.some(({ kind }) => kind === 'refused')).toBe(true);
    const regions = read.filter((option) => option.kind === 'region');
    expect(regions.some(({ bytes }) => bytes % 4096 !== 0)).toBe(true);
    expect(regions.some(({ bytes }) => bytes > 2 ** 45)).toBe(true);
    expect(regions.some(({ align }) => align > 4096)).toBe(true);
    const longest = COMMAND_LINES.flat().map(
      (line) => new Set(readReserveMemLine(line).map((e) => e.name)),
    );
    expect(Math.max(...longest.map(({ size }) => size))).toBeGreaterThan(8);
  });
});
