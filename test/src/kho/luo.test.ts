/**
 * The orchestrator against a real 7.3.4 kernel, and lists of sessions at their limits.
 *
 * The capture has one session with two memfds, of two and of eight pages; the name of the session
 * is changed to one that calls can say.
 */
import { describe, expect, it } from 'vitest';
import { CallAnswer, RangeList, call, sessionName } from '#model/call';
import { readArchive } from '#src/abi/decode/archive';
import { generationById } from '#src/abi/description/generations';
import { BLOCKS, FILE, MAX_BLOCKS, SESSION, SESSION_ARRAY } from '#src/abi/description/luo-structs';
import { SCRATCH_ENTRY_BYTES } from '#src/abi/description/scratch-array';
import { LUO } from '#src/abi/description/sub-blobs';
import { INTENDED } from '#src/kho/decisions';
import { Kernel } from '#src/kho/kernel';
import { luoOf, readHead, writeHead, writeText } from '#src/kho/luo-format';
import { limitOf, linkBlocks, readList, roomOf, writeList } from '#src/kho/luo-lists';
import { PhysicalMemory, readU64, writeU64 } from '#src/kho/physical-memory';
import { KernelPanic } from '#src/kho/radix-tracker';
import { Topology } from '#src/kho/topology';
import { capture } from '../abi/captures.ts';
import { areasOf, machineOf, memoryOf } from './captured.ts';

const REAL = capture('k7.3.4-n1-256M-fixed/gen0');
const PAGE = 4096;
const NAME = 5;
/** Fields of a block: u64 address of the next, u64 number of entries. */
const NEXT = 0;
const COUNT = 8;
const NEWEST = generationById('7.3')!;

const archive = () => readArchive(REAL.file('pages_order0.bin.zst'), undefined, REAL.name);

/** Where the head and the list of sessions are. */
const frames = (memory: PhysicalMemory) => {
  const head = REAL.expected.subs['LUO']![0] / PAGE;
  return { head, list: readU64(memory.page(head)!, LUO.sessions) };
};

/** Boots the newest kernel in memory that the capture left. */
const boot = (memory: PhysicalMemory) => {
  const machine = machineOf(REAL, 12);
  const areas = areasOf(REAL, PAGE);
  const image = new RangeList();
  image.add(REAL.expected.scratch_array_phys / PAGE, 1);
  const answer = new CallAnswer();
  const platform = {
    machine,
    topology: new Topology(machine),
    memory,
    decisions: INTENDED,
    compatible: 'kho-v4',
    release: '7.3.4',
  };
  const parameters = {
    image,
    fdt: REAL.expected.fdt_phys,
    scratchArray: REAL.expected.scratch_array_phys,
    scratchBytes: areas.length * SCRATCH_ENTRY_BYTES,
  };
  return { kernel: Kernel.boot(platform, parameters, answer, ['LUO']), answer };
};

describe('what a real kernel left', () => {
  it('is read, and its files come back page by page', () => {
    const memory = memoryOf(archive());
    const session = memory.page(frames(memory).list / PAGE)!;
    writeText(session, BLOCKS.header + SESSION.name, sessionName(NAME));
    const { kernel, answer } = boot(memory);
    const { luo, booted } = kernel;
    answer.reset();
    expect(luo.luoStart(call('luoStart'))).toBeGreaterThan(0);
    // The block of sessions, and the struct that led to it.
    expect([answer.given.length, answer.managed]).toEqual([2, 2]);
    expect(luo.luoRetrieveSession(call('luoRetrieveSession', { name: NAME + 1 }))).toBe(-2);
    expect(luo.luoRetrieveSession(call('luoRetrieveSession', { name: NAME }))).toBe(0);
    answer.reset();
    expect(luo.luoRetrieveFile(call('luoRetrieveFile', { name: NAME, value: 1 }))).toBe(0);
    expect([answer.bytes, answer.pages.length]).toEqual([8 * PAGE, 8]);
    // Its state, the page that lists its folios, and the chunk that lists that page.
    expect([answer.given.length, answer.managed]).toEqual([3, 11]);
    for (let i = 0; i < 8; i++) expect(booted.held.holds(answer.pages.first(i))).toBe(false);
    answer.reset();
    expect(luo.luoFinishSession(call('luoFinishSession', { name: NAME }))).toBe(0);
    // The other file with its two pages, and the list of both.
    expect([answer.given.length, answer.managed]).toEqual([6, 6]);
  });

  it('is written the same way', () => {
    const real = memoryOf(archive());
    const { head, list } = frames(real);
    const again = new PhysicalMemory(12);
    const sessions = readList(real, BLOCKS, list, 0, SESSION.bytes)!;
    const [entry] = sessions.entries;
    const files = readList(real, BLOCKS, readU64(entry!, SESSION.files), 0, FILE.bytes)!;
    expect([sessions.entries.length, files.entries.length]).toEqual([1, 2]);
    for (const [read, bytes] of [
      [sessions, SESSION.bytes],
      [files, FILE.bytes],
    ] as const) {
      writeList(again, BLOCKS, read.blocks, read.entries, bytes);
      linkBlocks(again, BLOCKS, read.blocks);
      for (const block of read.blocks) expect(again.page(block)).toEqual(real.page(block));
    }
    const flbs = readU64(real.page(head)!, LUO.flbs);
    const found = readHead(real.page(head), NEWEST)!;
    writeHead(again.zeroPage(head), luoOf(NEWEST)!, found.number, found.sessions, flbs);
    expect(again.page(head)).toEqual(real.page(head));
  });

  type Damage = (block: Uint8Array, at: number) => void;
  const damages: readonly (readonly [string, Damage])[] = [
    ['no entries', (block) => writeU64(block, COUNT, 0)],
    ['more entries than it has room for', (block) => writeU64(block, COUNT, 52)],
    ['no end', (block, at) => writeU64(block, NEXT, at)],
  ];

  it.each(damages)('ends the next kernel with %s in its list of sessions', (_says, damage) => {
    const memory = memoryOf(archive());
    const { list } = frames(memory);
    damage(memory.page(list / PAGE)!, list);
    expect(() => boot(memory)).toThrow(KernelPanic);
  });
});

describe('a list', () => {
  it.each([
    [12, 819, 51],
    [14, 3276, 204],
    [16, 13107, 819],
  ])('of pages of 2^%i bytes has room for %i sessions, or %i in a block', (shift, all, block) => {
    expect(limitOf(SESSION_ARRAY, shift, SESSION.bytes)).toBe(all);
    expect(roomOf(BLOCKS, shift, SESSION.bytes)).toBe(block);
    expect(limitOf(BLOCKS, shift, SESSION.bytes)).toBe(block * MAX_BLOCKS);
  });

  /** As many linked blocks of one entry each. */
  const chainOf = (blocks: number): PhysicalMemory => {
    const memory = new PhysicalMemory(12);
    for (let block = 1; block <= blocks; block++) {
      const page = memory.zeroPage(block);
      writeU64(page, COUNT, 1);
      writeU64(page, NEXT, block < blocks ? (block + 1) * PAGE : 0);
    }
    return memory;
  };

  it(`may have ${MAX_BLOCKS} blocks, and no more`, () => {
    const most = readList(chainOf(MAX_BLOCKS), BLOCKS, PAGE, 0, SESSION.bytes);
    expect(most?.entries).toHaveLength(MAX_BLOCKS);
    expect(readList(chainOf(MAX_BLOCKS + 1), BLOCKS, PAGE, 0, SESSION.bytes)).toBeUndefined();
  });

  it('carries entries over the end of a page of an array', () => {
    const memory = new PhysicalMemory(12);
    const entries = Array.from({ length: 819 }, (_, at) => new Uint8Array(80).fill(1 + (at % 255)));
    for (let pfn = 16; pfn < 32; pfn++) memory.zeroPage(pfn);
    writeList(memory, SESSION_ARRAY, [16], entries, SESSION.bytes);
    const read = readList(memory, SESSION_ARRAY, 16 * PAGE, 0, SESSION.bytes);
    expect(read?.blocks).toEqual([16]);
    expect(Buffer.concat(read!.entries).equals(Buffer.concat(entries))).toBe(true);
    writeU64(memory.page(16)!, 0, 820);
    expect(readList(memory, SESSION_ARRAY, 16 * PAGE, 0, SESSION.bytes)).toBeUndefined();
  });
});
