/** Sessions, files and memfds behind the orchestrator's blob, of both forms of lists. */
import { describe, expect, it } from 'vitest';
import { readArchive } from '#src/abi/decode/archive';
import type { Frames } from '#src/abi/decode/frames';
import { readLuo } from '#src/abi/decode/luo';
import { readSessions, tellSessions } from '#src/abi/decode/luo-sessions';
import { generationById } from '#src/abi/description/generations';
import type { LuoFormat } from '#src/abi/description/luo-structs';
import { capture, putU64 } from './captures.ts';

const formatOf = (id: string): LuoFormat => generationById(id)!.luo!;

const PAGE = 4096;

/** Memory whose pages begin with zeros, all of them there. */
const memory = (): Frames & { at: (phys: number) => Uint8Array } => {
  const pages = new Map<number, Uint8Array>();
  const page = (pfn: number): Uint8Array => {
    const found = pages.get(pfn) ?? new Uint8Array(PAGE);
    pages.set(pfn, found);
    return found;
  };
  return { pageShift: 12, page, at: (phys) => page(Math.floor(phys / PAGE)).subarray(phys % PAGE) };
};

const put = (bytes: Uint8Array, text: string): void => bytes.set(Buffer.from(text));

describe('lists in one piece (6.19 to 7.1)', () => {
  it.each([
    ['6.19', 'memfd-v1', 16],
    ['7.1', 'memfd-v2', 24],
  ])('of %s are read', (id, kind, folios) => {
    const frames = memory();
    putU64(frames.at(0x10000), 0, 52);
    // The last session begins on the first page of the list and ends on the second.
    const session = 0x10000 + 8 + 51 * 80;
    put(frames.at(session), 'guest');
    putU64(frames.at(session + 64), 0, 0x30000);
    putU64(frames.at(session + 72), 0, 1);
    const file = frames.at(0x30000);
    put(file, kind);
    putU64(file, 48, 0x40000);
    putU64(file, 56, 7);
    putU64(frames.at(0x40000), 8, 12345);
    putU64(frames.at(0x40000), folios, 4);
    const content = readSessions(frames, formatOf(id), 0x10000);
    expect(content.faults).toEqual([]);
    expect(content.sessions).toHaveLength(52);
    expect(content.sessions[51]).toEqual({
      name: 'guest',
      files: [{ compatible: kind, token: 7, memfd: { bytes: 12345, folios: 4 } }],
    });
    expect(tellSessions(content).at(-1)).toBe('… and 5 more lines');
  });

  it('cannot hold more than their pages', () => {
    const frames = memory();
    putU64(frames.at(0x10000), 0, 820);
    const { sessions, faults } = readSessions(frames, formatOf('7.0'), 0x10000);
    expect([sessions, faults]).toEqual([
      [],
      ['its list at 0x10000 says 820 entries, with room for 819'],
    ]);
  });
});

describe('lists of blocks (7.2 and later)', () => {
  const ONE = capture('k7.3.4-n1-256M-fixed/gen0');
  const archive = readArchive(ONE.file('pages_order0.bin.zst'), undefined, ONE.name);
  const head = readLuo(ONE.file('final_sub_LUO.bin'));
  const sessions = typeof head === 'string' ? 0 : head.sessions;

  it('of a real kernel are read', () => {
    const content = readSessions(archive, formatOf('7.3'), sessions);
    expect(tellSessions(content)).toEqual([
      'session sess0: 2 files',
      'memfd-v2, token 0x0, 8192 bytes in 2 folios',
      'memfd-v2, token 0x1, 32768 bytes in 8 folios',
    ]);
    expect(content.faults).toEqual([]);
  });

  it('that are not there are nothing', () => {
    const few = readArchive(ONE.file('pages.bin.zst'), undefined, ONE.name);
    expect(readSessions(few, formatOf('7.3'), sessions)).toEqual({ sessions: [], faults: [] });
    expect(readSessions(few, formatOf('7.3'), 0)).toEqual({ sessions: [], faults: [] });
  });

  const faultsOf = (change: (frames: ReturnType<typeof memory>) => void): string => {
    const frames = memory();
    putU64(frames.at(0x10000), 8, 1);
    change(frames);
    return readSessions(frames, formatOf('7.2'), 0x10000).faults.join();
  };

  it('that cannot be are told', () => {
    expect(faultsOf(() => {})).toBe('');
    expect(faultsOf((each) => putU64(each.at(0x10000), 0, 0x10000))).toContain('closes a cycle');
    expect(faultsOf((each) => putU64(each.at(0x10000), 0, 0x10001))).toContain('is no page');
    expect(faultsOf((each) => putU64(each.at(0x10000), 8, 52))).toContain('room for 51');
    expect(faultsOf((each) => putU64(each.at(0x10000), 8, 0))).toContain('says 0 entries');
  });

  it('that go on and on come to an end', () => {
    let next = 0x10000;
    const frames: Frames = {
      pageShift: 12,
      page: () => {
        const page = new Uint8Array(PAGE);
        putU64(page, 0, (next += PAGE));
        putU64(page, 8, 51);
        for (let i = 0; i < 51; i++) {
          putU64(page, 16 + i * 80 + 64, 0x10000);
          putU64(page, 16 + i * 80 + 72, 63);
        }
        return page;
      },
    };
    const { faults } = readSessions(frames, formatOf('7.2'), 0x10000);
    expect(faults[0]).toContain('more than 65536 entries');
  });
});
