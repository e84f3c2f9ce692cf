/** A decoder that remembers sees every change of a byte. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { remembering } from '#src/abi/decode/remember';

const BYTES = 16;

describe('a decoder that remembers', () => {
  it('answers for the bytes as they are now, wherever they stand', () => {
    const step = fc.record({
      page: fc.nat({ max: 6 }),
      at: fc.nat({ max: BYTES - 1 }),
      value: fc.nat({ max: 2 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const pages = Array.from({ length: 7 }, () => new Uint8Array(BYTES));
        const decode = remembering((bytes) => [...bytes].join(' '));
        for (const { page, at, value } of steps) {
          const bytes = pages[page]!;
          bytes[at] = value;
          expect(decode(bytes)).toBe([...bytes].join(' '));
          const part = bytes.subarray(at);
          expect(decode(part)).toBe([...part].join(' '));
        }
      }),
    );
  });

  it('decodes the same bytes once', () => {
    let times = 0;
    const decode = remembering((bytes) => {
      times++;
      return bytes.length;
    });
    for (let i = 0; i < 5; i++) decode(new Uint8Array([1, 2, 3]));
    expect(times).toBe(1);
    decode(new Uint8Array([1, 2, 4]));
    expect(times).toBe(2);
  });
});
