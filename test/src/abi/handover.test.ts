/** The observer: equal to what the recorder decoded of every capture; bad bytes become damage. */
import { describe, expect, it } from 'vitest';
import { readArchive } from '#src/abi/decode/archive';
import { readMemory, tellBlob } from '#src/abi/decode/blobs';
import { debugfsName, readDebugfs } from '#src/abi/decode/debugfs';
import { decodeArchive, findRoots } from '#src/abi/decode/find-root';
import { decodeHandover } from '#src/abi/decode/handover';
import type { DecodedHandover } from '#src/abi/decode/handover';
import { readLuo } from '#src/abi/decode/luo';
import { readMemblock } from '#src/abi/decode/memblock';
import { readKexecMetadata } from '#src/abi/decode/metadata';
import { readKhoTest } from '#src/abi/decode/kho-test';
import type { Handover } from '#spec/handover';
import { ALL_CAPTURES, asSet, capture, putU64 } from './captures.ts';
import type { Capture } from './captures.ts';

const archiveOf = (each: Capture, name = 'pages.bin.zst') =>
  readArchive(each.file(name), undefined, each.name);

/** A handover in the shape of the recorder. */
const shape = (handover: Handover | DecodedHandover) => ({
  fdt_phys: handover.fdt,
  scratch_array_phys: handover.scratchArray,
  map: handover.tracker,
  subs: asSet(handover.subtrees.map(({ name, phys, bytes }) => [name, [phys, bytes]])),
  scratch: handover.scratch.map(({ phys, bytes }) => [phys, bytes]),
  ranges: asSet(handover.preserved.map(({ phys, order }) => [phys, order])),
  nodes: asSet(handover.trackerPages.map(({ phys, level }) => [phys, level])),
});

const expectedShape = ({ expected }: Capture) => ({
  ...expected,
  subs: asSet(Object.entries(expected.subs)),
  ranges: asSet(expected.ranges),
  nodes: asSet(expected.nodes),
});

describe.each(ALL_CAPTURES.map((each) => [each.name, each] as const))('%s', (_name, each) => {
  it('is found and decoded by content alone, as the recorder decoded it', () => {
    const { handover, damage } = decodeArchive(archiveOf(each));
    expect(damage).toEqual([]);
    expect(handover!.damage).toEqual([]);
    expect(shape(handover!)).toEqual(expectedShape(each));
  });

  it('is decoded the same when the boot protocol says where it is', () => {
    const { fdt_phys: fdt, scratch_array_phys: scratchArray, scratch } = each.expected;
    const scratchBytes = scratch.length * 16;
    const handover = decodeHandover(archiveOf(each), { fdt, scratchArray, scratchBytes });
    expect(shape(handover)).toEqual(expectedShape(each));
    expect(handover.damage).toEqual([]);
  });

  it('has blobs that read as what their names promise', () => {
    const memory = archiveOf(each);
    for (const [name, [phys, bytes]] of Object.entries(each.expected.subs)) {
      const content = readMemory(memory, phys, bytes)!;
      expect(content).toEqual(each.file(`final_sub_${name}.bin`));
      const told = tellBlob(name, content);
      expect(told.fault).toBeUndefined();
      expect(told.lines.length).toBeGreaterThan(0);
    }
  });
});

const ONE = capture('k7.3.4-n1-256M-fixed/gen0');

describe('what cannot be decoded', () => {
  const pointers = {
    fdt: ONE.expected.fdt_phys,
    scratchArray: ONE.expected.scratch_array_phys,
  };
  const memory = archiveOf(ONE);
  const damageOf = (overlay: ReadonlyMap<number, Uint8Array | undefined>, at = pointers) =>
    decodeHandover(
      {
        pageShift: 12,
        page: (pfn) => (overlay.has(pfn) ? overlay.get(pfn) : memory.page(pfn)),
      },
      at,
    ).damage.map(({ where, what }) => `${where}: ${what}`);
  const rootPfn = pointers.fdt / 4096;
  const changedRoot = (change: (page: Uint8Array) => void): ReadonlyMap<number, Uint8Array> => {
    const page = memory.page(rootPfn)!.slice();
    change(page);
    return new Map([[rootPfn, page]]);
  };
  /** Offset of the first `text` in the root page. */
  const find = (text: string): number =>
    Buffer.from(memory.page(rootPfn)!).indexOf(Buffer.from(text));

  it('is nothing in a healthy handover', () => {
    expect(damageOf(new Map())).toEqual([]);
  });

  it('names a root page that is not there, or no page', () => {
    expect(damageOf(new Map([[rootPfn, undefined]]))[0]).toMatch(/^fdt\(.*the page is not there/);
    expect(damageOf(new Map(), { ...pointers, fdt: 5 })[0]).toMatch(/not aligned/);
  });

  it('names a header that is not usable', () => {
    const damage = damageOf(changedRoot((page) => page.fill(0, 0, 4)));
    expect(damage).toEqual([expect.stringMatching(/^fdt\(header\): BADMAGIC/)]);
  });

  it('names an unknown string and decodes as far as it can', () => {
    const at = find('kho-v4');
    const overlay = changedRoot((page) => (page[at + 5] = 0x39));
    expect(damageOf(overlay)).toEqual(['fdt(/#compatible): unknown string "kho-v9"']);
  });

  it('names properties that are missing', () => {
    for (const name of ['preserved-memory-map', 'preserved-data', 'blob-size', 'compatible']) {
      const at = find(name);
      const damage = damageOf(changedRoot((page) => (page[at] = 0x78)));
      expect(damage.join('\n')).toMatch(new RegExp(`#${name}\\): is missing`));
    }
  });

  it('names an address that no machine has', () => {
    const value = new Uint8Array(8);
    putU64(value, 0, ONE.expected.map);
    const at = Buffer.from(memory.page(rootPfn)!).indexOf(value);
    const damage = damageOf(changedRoot((page) => page.fill(0xff, at, at + 8)));
    expect(damage).toEqual(['fdt(/#preserved-memory-map): is beyond what a machine can address']);
  });

  it('names a scratch array that is not there, or whose length is odd', () => {
    const gone = decodeHandover(memory, { ...pointers, scratchArray: 0x99000 });
    expect(gone.damage[0]!.where).toBe('scratch(0x99000)');
    const odd = decodeHandover(memory, { ...pointers, scratchBytes: 47 });
    expect(odd.damage[0]!.what).toContain('whole number');
    const long = decodeHandover(memory, { ...pointers, scratchBytes: 65536 });
    expect(long.damage[0]!.what).toContain('past its page');
    expect(long.scratch.length).toBeLessThanOrEqual(256);
  });
});

describe('finding the root', () => {
  it('is not confused by blobs, nor by all preserved pages of order 0', () => {
    const memory = archiveOf(ONE, 'pages_order0.bin.zst');
    expect(memory.pfns.length).toBeGreaterThan(51);
    const { handover, damage } = decodeArchive(memory);
    expect(damage).toEqual([]);
    expect(shape(handover!)).toEqual(expectedShape(ONE));
  });

  it('prefers the root that is preserved to a stale copy, and knows when it cannot tell', () => {
    const memory = archiveOf(ONE);
    const stale = memory.page(ONE.expected.fdt_phys / 4096)!;
    const page = (pfn: number): Uint8Array | undefined => (pfn === 1 ? stale : memory.page(pfn));
    expect(findRoots({ ...memory, pfns: [1, ...memory.pfns], page })).toEqual([
      ONE.expected.fdt_phys,
    ]);
    const bare = { ...memory, pfns: [1, 2], page: (pfn: number) => (pfn < 3 ? stale : undefined) };
    const { damage } = decodeArchive(bare);
    expect(damage[0]!.what).toContain('several pages read as the root: 0x1000, 0x2000');
  });

  it('does not take preserved memory for the scratch array, whatever is in it', () => {
    const memory = archiveOf(ONE);
    const array = memory.page(ONE.expected.scratch_array_phys / 4096)!;
    const { fdt_phys: fdt, subs, ranges } = ONE.expected;
    const used = new Set([fdt, ...Object.values(subs).map(([phys]) => phys)]);
    const [phys] = ranges.find(([at, order]) => order === 0 && !used.has(at))!;
    const page = (pfn: number): Uint8Array | undefined =>
      pfn * 4096 === phys ? array : memory.page(pfn);
    const found = decodeArchive({ ...memory, pfns: [phys / 4096, ...memory.pfns], page });
    expect(found.damage).toEqual([]);
    expect(shape(found.handover!)).toEqual(expectedShape(ONE));
  });

  it('says so when there is none', () => {
    const memory = archiveOf(ONE);
    const { handover, damage } = decodeArchive({ ...memory, pfns: [], page: () => undefined });
    expect(handover).toBeUndefined();
    expect(damage[0]!.what).toContain('no page of it');
  });
});

describe('blobs', () => {
  it('read as what kernels wrote', () => {
    expect(readKexecMetadata(ONE.file('final_sub_kexec-metadata.bin'))).toEqual({
      previousRelease: '7.3.4-kholab',
      kexecCount: expect.any(Number) as number,
    });
    expect(readLuo(ONE.file('final_sub_LUO.bin'))).toMatchObject({
      compatible: 'luo-v5',
      liveupdateNumber: 1,
    });
    expect(readMemblock(ONE.file('final_sub_memblock.bin'))).toMatchObject([
      { name: 'rmA', size: 0x200000 },
      { name: 'rmB', size: 0x4b000 },
    ]);
    expect(readKhoTest(ONE.file('final_sub_kho_test.bin'))).toMatchObject({
      compatible: 'kho-test-v1',
    });
  });

  it('that were cut off say so, at every length', () => {
    for (const name of ['kexec-metadata', 'LUO', 'memblock', 'kho_test']) {
      const bytes = ONE.file(`final_sub_${name}.bin`);
      for (let length = 0; length < bytes.length; length++) {
        expect(tellBlob(name, bytes.subarray(0, length)).fault).toBeTypeOf('string');
      }
    }
  });

  it('of unknown names are nobody’s business', () => {
    expect(tellBlob('other', new Uint8Array(3))).toEqual({
      name: 'other',
      lines: [],
      fault: undefined,
    });
  });
});

describe('a copy of debugfs', () => {
  it('is understood in both spellings', () => {
    expect(debugfsName('out__fdt.bin')).toBe('out/fdt');
    expect(debugfsName('out/fdt')).toBe('out/fdt');
    expect(debugfsName('in__sub_fdts__kexec-metadata.bin')).toBe('in/sub_fdts/kexec-metadata');
    expect(debugfsName('in/sub_fdts/a__b')).toBe('in/sub_fdts/a__b');
    expect(debugfsName('final_fdt.bin')).toBeUndefined();
    const flat = new Map(ONE.files.map((name) => [name, ONE.file(name)]));
    const nested = new Map<string, Uint8Array>();
    for (const [name, bytes] of flat) {
      const path = debugfsName(name);
      if (path !== undefined) nested.set(path, bytes);
    }
    const copy = readDebugfs(flat)!;
    expect(readDebugfs(nested)).toEqual(copy);
    expect(copy.in).toBeUndefined();
    expect(copy.out!.blobs.map(({ name }) => name).sort()).toEqual(
      Object.keys(ONE.expected.subs).sort(),
    );
    const { scratch } = ONE.expected;
    expect(copy.scratchPhys).toEqual(scratch.map(([phys]) => phys));
    expect(copy.scratchLen).toEqual(scratch.map(([, length]) => length));
  });

  it('of something else is none', () => {
    expect(readDebugfs(new Map([['a.txt', new Uint8Array(1)]]))).toBeUndefined();
  });
});
