/** Page archives: good ones are read whole, bad ones say where and what to do. */
import { describe, expect, it } from 'vitest';
import { MAX_OUTPUT_BYTES, unpackZstd } from '#src/abi/decode/zstd';
import { readArchive } from '#src/abi/decode/archive';
import { InputError } from '#src/abi/decode/input-error';
import { capture, pack, putU64 } from './captures.ts';

const page = (fill: number, bytes = 4096): Uint8Array => new Uint8Array(bytes).fill(fill);

const PAGES = new Map([
  [3, page(1)],
  [9, page(2)],
]);
const RAW = pack({ pageBytes: 4096, pages: PAGES });
const PACKED = capture('k7.3.4-n1-256M-fixed/gen1').file('pages.bin.zst');

const faults = (bytes: Uint8Array): string[] =>
  readArchive(bytes, undefined, 'x').damage.map(({ where, what }) => `${where}: ${what}`);

const refusal = (bytes: Uint8Array): InputError => {
  try {
    readArchive(bytes, undefined, 'here.bin');
  } catch (error) {
    expect(error).toBeInstanceOf(InputError);
    return error as InputError;
  }
  throw new Error('was accepted');
};

describe('an archive', () => {
  it('gives its pages and measures their size', () => {
    for (const [bytes, shift] of [
      [4096, 12],
      [16384, 14],
      [65536, 16],
    ] as const) {
      const pages = new Map([[7, page(5, bytes)]]);
      const archive = readArchive(pack({ pageBytes: bytes, pages }), undefined, 'x');
      expect(archive.damage).toEqual([]);
      expect(archive.measuredShift).toBe(shift);
      expect(archive.page(7)).toEqual(page(5, bytes));
      expect(archive.page(8)).toBeUndefined();
    }
  });

  it('that is empty or something else is refused, with a place and a hint', () => {
    for (const bytes of [new Uint8Array(0), new Uint8Array(3), new Uint8Array(64).fill(0x41)]) {
      const { message, where, hint } = refusal(bytes);
      expect(where).toBe('here.bin');
      expect(message).toMatch(/^here\.bin: /);
      expect(message).toContain(hint);
    }
  });

  it('that was cut off keeps the pages it has, at every length', () => {
    for (let length = 16; length < RAW.length; length += 61) {
      const archive = readArchive(RAW.subarray(0, length), 12, 'x');
      expect(archive.damage).toHaveLength(1);
      expect(archive.pfns.length).toBe(Math.max(0, Math.floor((length - 24) / 4096)));
    }
  });

  it('that claims an absurd number of pages costs nothing', () => {
    for (const count of [0, 500, 2 ** 31, 2 ** 32]) {
      const bytes = RAW.slice();
      putU64(bytes, 0, count);
      const started = performance.now();
      expect(() => faults(bytes)).not.toThrow(RangeError);
      expect(performance.now() - started).toBeLessThan(500);
    }
    const bytes = RAW.slice();
    putU64(bytes, 0, 2 ** 31);
    expect(faults(bytes)[0]).toContain('it says it holds 2147483648 pages');
  });

  it('with a frame twice, or a frame beyond any machine, says which', () => {
    const twice = RAW.slice();
    putU64(twice, 16, 3);
    expect(faults(twice)).toEqual(['archive(page 1): frame 0x3 is there twice']);
    const beyond = RAW.slice();
    putU64(beyond, 16, 2 ** 50);
    expect(faults(beyond)[0]).toContain('beyond any machine');
  });

  it('that is longer than its pages says so', () => {
    const long = new Uint8Array(RAW.length + 1);
    long.set(RAW);
    expect(faults(long)[0]).toContain('longer than 2 pages');
  });
});

describe('a packed archive', () => {
  it('unpacks', () => {
    expect(faults(PACKED)).toEqual([]);
    expect(readArchive(PACKED, undefined, 'x').pfns).toHaveLength(38);
  });

  it('cut off at any length is damage or is refused, never anything else', () => {
    for (let length = 0; length < PACKED.length; length++) {
      const bytes = PACKED.subarray(0, length);
      if (length < 4) refusal(bytes);
      else expect(faults(bytes).join()).toMatch(/ends|holds nothing/);
    }
  });

  it('with any byte changed neither throws, nor hangs, nor grows', () => {
    for (let at = 4; at < PACKED.length; at++) {
      const bytes = PACKED.slice();
      bytes[at]! ^= [0x01, 0x80, 0xff][at % 3]!;
      expect(() => faults(bytes)).not.toThrow();
    }
  });

  it('that asks for too much is stopped before it gets it', () => {
    // One block that repeats a byte 128 KiB long, again and again: 4 bytes become 131072.
    const header = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x38];
    const block = [0x02, 0x00, 0x10, 0x00];
    const bomb = new Uint8Array(header.length + 4 * 9000);
    bomb.set(header);
    for (let at = header.length; at < bomb.length; at += 4) bomb.set(block, at);
    const { bytes, fault } = unpackZstd(bomb.subarray(0, header.length + 4 * 64));
    expect(bytes.length).toBe(64 * 131072);
    expect(fault).toContain('ends early');
    expect(MAX_OUTPUT_BYTES).toBeLessThan(9000 * 131072);
  });

  it('whose header asks for a huge window gets nothing', () => {
    const bytes = PACKED.slice();
    bytes[4] = 0xe4;
    expect(faults(bytes).join()).toMatch(/asks for|damaged|ends/);
  });
});
