/** `inspect` and handovers of kernels before 7.1, damaged or foreign: told, never thrown. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readArchive } from '#src/abi/decode/archive';
import { examine, inspect } from '#src/cli/inspect';
import { capture, pack, putU64 } from '../src/abi/captures.ts';
import type { Capture } from '../src/abi/captures.ts';

const directory = mkdtempSync(join(tmpdir(), 'kho-inspect-old-'));
afterAll(() => rmSync(directory, { recursive: true }));
const FILE = join(directory, 'pages.bin');

interface Answer {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

/** What `inspect` says of an archive. */
const ask = (bytes: Uint8Array): Answer => {
  writeFileSync(FILE, bytes);
  let out = '';
  let err = '';
  const status = inspect(
    FILE,
    { json: true },
    { out: (text) => void (out += text), err: (text) => void (err += text) },
  );
  return { status, out, err };
};

/** An archive, unpacked, and where in it the page at an address begins. */
const open = (each: Capture): { raw: Uint8Array; at: (phys: number) => number } => {
  const archive = readArchive(each.file('pages.bin.zst'), undefined, each.name);
  const pageBytes = 2 ** archive.pageShift;
  const pages = new Map(archive.pfns.map((pfn) => [pfn, archive.page(pfn)!.slice()]));
  const body = 8 + 8 * pages.size;
  const pfns = [...pages.keys()];
  const raw = pack({ pageBytes, pages });
  return { raw, at: (phys) => body + pfns.indexOf(phys / pageBytes) * pageBytes };
};

const NAMES = ['k6.17.13-n1-256M/gen1', 'k6.18.15-n1-256M/gen1', 'k6.19.14-n1-256M/gen1'];

describe.each(NAMES)('%s', (name) => {
  const each = capture(name);

  it('with any byte of its root inverted is broken, or no different', () => {
    const { raw, at } = open(each);
    const healthy = ask(raw);
    expect(healthy.status).toBe(0);
    const start = at(each.expected.fdt_phys);
    let silent = 0;
    for (let byte = 0; byte < 260; byte++) {
      raw[start + byte]! ^= 0xff;
      const { status, out, err } = ask(raw);
      raw[start + byte]! ^= 0xff;
      expect([byte, err]).toEqual([byte, '']);
      if (status === 1) continue;
      expect([byte, status, out]).toEqual([byte, 0, healthy.out]);
      silent++;
    }
    expect(silent).toBeLessThan(110);
  });

  it('with a bit of any byte of its root flipped is never an exception', () => {
    const { raw, at } = open(each);
    const start = at(each.expected.fdt_phys);
    for (let byte = 0; byte < 260; byte++) {
      const bit = 1 << ((byte + (byte >> 3)) & 7);
      raw[start + byte]! ^= bit;
      const { status, err } = ask(raw);
      raw[start + byte]! ^= bit;
      expect([byte, [0, 1].includes(status), err]).toEqual([byte, true, '']);
    }
  });

  it('with any byte of its chunks inverted is never an exception', () => {
    const { raw, at } = open(each);
    const chunks = each.expected.nodes.filter(([, level]) => level === 1);
    for (const [chunk] of chunks) {
      const start = at(chunk);
      for (let byte = 0; byte < 32; byte++) {
        raw[start + byte]! ^= 0xff;
        const { status, err } = ask(raw);
        raw[start + byte]! ^= 0xff;
        expect([byte, [0, 1].includes(status), err]).toEqual([byte, true, '']);
      }
    }
  });

  it('cut off at any of many lengths is broken', () => {
    const packed = each.file('pages.bin.zst');
    for (let length = 4; length < packed.length; length += 61) {
      expect([length, ask(packed.subarray(0, length)).status]).toEqual([length, 1]);
    }
  });

  it('with a list that closes a cycle is misread by whoever takes its root', () => {
    const { raw, at } = open(each);
    const [chunk] = each.expected.nodes.find(([, level]) => level === 1)!;
    putU64(raw, at(chunk), chunk);
    writeFileSync(FILE, raw);
    const { verdict, kernels } = examine(FILE);
    expect(verdict).toBe('broken');
    expect(kernels.map(({ outcome }) => outcome)).toEqual([
      ...Array<string>(5).fill('misread'),
      ...Array<string>(3).fill('refused'),
    ]);
  });

  it('under the string of another generation is told, and no kernel takes it whole', () => {
    for (const digit of ['2', '3', '4']) {
      const { raw, at } = open(each);
      const start = at(each.expected.fdt_phys);
      const where = Buffer.from(raw).indexOf('kho-v1', start);
      raw[where + 5] = digit.charCodeAt(0);
      writeFileSync(FILE, raw);
      const { verdict, kernels } = examine(FILE);
      expect(verdict).toBe('broken');
      expect(kernels.filter(({ outcome }) => outcome === 'same')).toEqual([]);
    }
  });
});
