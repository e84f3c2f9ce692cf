/** Damage to the root of a captured handover, byte by byte: what `inspect` says of it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { readArchive } from '#src/abi/decode/archive';
import { inspect } from '#src/cli/inspect';
import { capture, pack } from '../src/abi/captures.ts';
import type { Capture, Pages } from '../src/abi/captures.ts';

export interface Result {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

/** What is told about a path. */
export const run = (path: string, json: boolean): Result => {
  let out = '';
  let err = '';
  const io = {
    out: (text: string) => void (out += text),
    err: (text: string) => void (err += text),
  };
  return { status: inspect(path, { json }, io), out, err };
};

export const TWO = capture('k7.3.4-n1-256M-fixed/gen1');
/** Bytes of the page that the root stands in, and of the tree. */
export const ROOT_BYTES = 4096;
export const ROOT_USED = 345;
/** Padding, fields of the header that readers pass over, and names that nobody asks for. */
const SILENT_MAX = 60;

export const pagesOf = (each: Capture): Pages => {
  const archive = readArchive(each.file('pages.bin.zst'), undefined, 'x');
  const pages = new Map(archive.pfns.map((pfn) => [pfn, archive.page(pfn)!.slice()]));
  return { pageBytes: 2 ** archive.pageShift, pages };
};

export const pageAt = (pages: Map<number, Uint8Array>, phys: number): Uint8Array =>
  pages.get(phys / 4096)!;

/** Runs `judge` on what is told about the root with `bits` of some bytes flipped. */
const flip = (
  bytes: readonly number[],
  bits: (byte: number) => number,
  judge: (byte: number, result: Result) => void,
): void => {
  const content = pagesOf(TWO);
  const raw = pack(content);
  const root = pageAt(content.pages, TWO.expected.fdt_phys);
  const start = Buffer.from(raw).indexOf(Buffer.from(root));
  const directory = mkdtempSync(join(tmpdir(), 'kho-root-'));
  const path = join(directory, 'pages.bin');
  for (const byte of bytes) {
    raw[start + byte]! ^= bits(byte);
    writeFileSync(path, raw);
    raw[start + byte]! ^= bits(byte);
    judge(byte, run(path, true));
  }
  rmSync(directory, { recursive: true });
};

/** Whatever byte is inverted, the handover is broken, or all that is told is the same. */
export const expectBrokenOrSame = (bytes: readonly number[]): void => {
  let healthy = '';
  flip(
    [0],
    () => 0,
    (_byte, { status, out }) => {
      expect(status).toBe(0);
      healthy = out;
    },
  );
  let silent = 0;
  flip(
    bytes,
    () => 0xff,
    (byte, { status, out, err }) => {
      expect([byte, err]).toEqual([byte, '']);
      if (status === 1) return;
      expect([byte, status, out]).toEqual([byte, 0, healthy]);
      if (byte < ROOT_USED) silent++;
    },
  );
  expect(silent).toBeLessThan(SILENT_MAX);
};

/** Whatever bit is flipped, there is a verdict. */
export const expectNoException = (bytes: readonly number[], bit: (byte: number) => number): void =>
  flip(
    bytes,
    (byte) => 1 << bit(byte),
    (byte, { status, err }) => {
      expect([byte, err]).toEqual([byte, '']);
      expect([0, 1, 3]).toContain(status);
    },
  );
