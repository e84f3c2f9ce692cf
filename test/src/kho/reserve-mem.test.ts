/** Named regions of the implementation: their list as real kernels wrote it, and where they go. */
import { describe, expect, it } from 'vitest';
import { buildMachine, plainShape } from '#model/machines';
import { readMemblock } from '#src/abi/decode/memblock';
import { INTENDED } from '#src/kho/decisions';
import type { Decisions } from '#src/kho/decisions';
import { Memblock } from '#src/kho/memblock';
import {
  readRegions,
  regionEnd,
  regionFirst,
  reserveRegions,
  writeRegions,
} from '#src/kho/reserve-mem';
import type { Region } from '#src/kho/reserve-mem';
import { parseReserveMemLine } from '#src/kho/reserve-mem-option';
import { Topology } from '#src/kho/topology';
import { CAPTURES } from '../abi/captures.ts';
import { archiveOf } from './captured.ts';

const BLOB = 'final_sub_memblock.bin';

/** The list of a capture as the observer reads it. */
const listed = (blob: Uint8Array): Region[] => {
  const areas = readMemblock(blob);
  if (typeof areas === 'string') throw new Error(areas);
  return areas.map(({ name, start, size }) => ({ name, start, bytes: size }));
};

describe.each(CAPTURES.filter(({ files }) => files.includes(BLOB)))('$name', (capture) => {
  const real = capture.file(BLOB);
  const { expected } = capture;
  const archive = archiveOf(capture);
  const pageBytes = 2 ** archive.pageShift;

  it('has a list of regions that is written byte for byte', () => {
    const [phys, size] = expected.subs['memblock']!;
    const captured = archive.page(phys / pageBytes)!;
    const page = new Uint8Array(pageBytes);
    expect(writeRegions(page, listed(real))).toBe(size);
    expect(Buffer.compare(page, captured)).toBe(0);
    expect([...page.subarray(0, size)]).toEqual([...real]);
    expect(readRegions(real)).toEqual(listed(real));
  });

  it('names regions that are preserved to the last byte', () => {
    for (const { start, bytes } of listed(real)) {
      let next = start;
      for (const [phys, order] of [...expected.ranges].sort(([a], [b]) => a - b)) {
        const size = 2 ** order * pageBytes;
        if (phys <= next && next < phys + size) next = phys + size;
      }
      expect(next).toBeGreaterThanOrEqual(start + bytes);
    }
  });
});

it('there are captures of lists', () => {
  expect(CAPTURES.filter(({ files }) => files.includes(BLOB)).length).toBeGreaterThan(20);
});

it.each([
  ['nothing', new Uint8Array(0)],
  ['no device tree', new Uint8Array(4096).fill(7)],
  ['the tree of somebody else', CAPTURES[0]!.file('final_fdt.bin')],
])('a list that is %s lists nothing', (_what, blob) => {
  expect(readRegions(blob)).toEqual([]);
});

const PAGE = 4096;
const END = buildMachine(plainShape()).end;

const reserve = (
  line: string,
  decisions: Partial<Decisions> = {},
  incoming: readonly Region[] = [],
) => {
  const memblock = new Memblock();
  memblock.permit(0, END);
  return reserveRegions(parseReserveMemLine(line), {
    topology: new Topology(buildMachine(plainShape())),
    decisions: { ...INTENDED, ...decisions },
    memblock,
    incoming,
  });
};

const pages = (region: Region): [number, number] => [
  END - regionFirst(region, PAGE),
  END - regionEnd(region, PAGE),
];

describe('a region', () => {
  it('lies as high as it may, at its alignment', () => {
    const { regions } = reserve('6000:4K:a 8K:1M:b 1:0:c');
    expect(regions.map(pages)).toEqual([
      [2, 0],
      [256, 254],
      [3, 2],
    ]);
    expect(regions.map(({ bytes }) => bytes)).toEqual([6000, 8192, 1]);
  });

  it('of less than a page of alignment lies below the rest of a page, and may cross pages', () => {
    const { regions } = reserve('2048:64:a 4096:64:b 4096:2K:c');
    expect(regions.map(({ start }) => END * PAGE - start)).toEqual([4096, 10240, 18432]);
    expect(regions.map(pages)).toEqual([
      [1, 0],
      [3, 1],
      [5, 3],
    ]);
  });

  it('shares a page with another only where that is the decision', () => {
    const { regions } = reserve('1024:64:a 512:64:b 2048:64:c', { regionsShareNoPage: false });
    expect(regions.map(({ start }) => END * PAGE - start)).toEqual([3072, 3584, 8192]);
  });

  it('has a name of its own, room, and seven others at most', () => {
    const line = '64T:0:a 1:0:a 2:0:a 3:0:b 4:0:c 5:0:d 6:0:e 7:0:f 8:0:g 9:0:h 10:0:i';
    const { regions } = reserve(line);
    expect(regions.map(({ name, bytes }) => `${name}${bytes}`).join(' ')).toBe(
      'a1 b3 c4 d5 e6 f7 g8 h9',
    );
  });

  it('is revived with the same size where its alignment allows it', () => {
    const old = { name: 'a', start: 0x3000, bytes: 6000 };
    expect(reserve('6000:4K:a', {}, [old]).revived).toEqual([old]);
    expect(reserve('6001:4K:a', {}, [old]).revived).toEqual([]);
    expect(reserve('6000:8K:a', {}, [old]).revived).toEqual([]);
    expect(reserve('6000:4K:b', {}, [old]).revived).toEqual([]);
    expect(reserve('6000:8K:a', { comparesRegionAlignment: false }, [old]).revived).toEqual([old]);
    const longer = { ...old, bytes: 6001 };
    expect(reserve('6001:4K:a', { comparesRegionSize: false }, [old]).revived).toEqual([longer]);
  });
});
