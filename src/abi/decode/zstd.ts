/**
 * Decompresses zstd frames that may be cut off, damaged or hostile.
 *
 * The decompressor below trusts sizes in headers and may throw anything. So the frame's structure
 * is read here first: how many blocks are complete, and how much they can at most become. It then
 * sees only complete blocks and never has to guess. What it makes of them before it fails is kept.
 */
import { Decompress } from 'fzstd';
import { u32 } from './bytes.ts';

const FRAME_MAGIC = 0xfd2fb528;

/** No archive decompresses to more than this many bytes. */
export const MAX_OUTPUT_BYTES = 1073741824;

/** Largest window that is granted, the most that zstd itself asks for unless told otherwise. */
const MAX_WINDOW_BYTES = 134217728;

/** Largest block a frame may hold, decompressed. */
const MAX_BLOCK_BYTES = 131072;

/** Whether the bytes begin like a zstd frame. */
export const isZstd = (bytes: Uint8Array): boolean =>
  bytes.length >= 4 && u32(bytes, 0) === FRAME_MAGIC;

/** What came out, and a phrase about why it is not everything. */
export interface Unpacked {
  readonly bytes: Uint8Array;
  readonly fault: string | undefined;
}

/** What the structure of a frame says about it. */
interface FrameShape {
  /** Offset behind the last complete block. */
  readonly end: number;
  /** Offset of the last complete block's header; -1 if there is none. */
  readonly last: number;
  readonly fault: string | undefined;
}

/** Decompresses the first frame of `bytes`, or as much of it as is there. Never throws. */
export const unpackZstd = (bytes: Uint8Array): Unpacked => {
  const shape = readShape(bytes);
  if (shape.last < 0) return { bytes: new Uint8Array(0), fault: shape.fault };
  const frame = bytes.slice(0, shape.end);
  // Marks the last complete block as the last one, so that a frame cut off behind it is whole.
  frame[shape.last] = (frame[shape.last] as number) | 1;
  const chunks: Uint8Array[] = [];
  let total = 0;
  let fault = shape.fault;
  try {
    const decompress = new Decompress((chunk) => {
      total += chunk.length;
      if (total > MAX_OUTPUT_BYTES) throw new RangeError('too much output');
      chunks.push(chunk.slice());
    });
    decompress.push(frame);
  } catch {
    fault ??= `the compressed data is damaged after ${total} bytes of content`;
  }
  const out = new Uint8Array(total);
  let at = 0;
  for (const chunk of chunks) {
    if (at + chunk.length <= total) out.set(chunk, at);
    at += chunk.length;
  }
  return { bytes: out, fault };
};

/** Bytes of the frame header at the start, or undefined when it is cut off or not usable. */
const headerBytes = (bytes: Uint8Array): number | string => {
  if (bytes.length < 6) return 'ends inside the frame header';
  const flags = bytes[4] as number;
  if ((flags & 0x08) !== 0 || (flags & 3) !== 0) return 'the frame header is damaged';
  const single = (flags >> 5) & 1;
  const sizeFlag = flags >> 6;
  const sizeBytes = sizeFlag === 0 ? single : 2 ** sizeFlag;
  const end = 6 - single + sizeBytes;
  if (bytes.length < end) return 'ends inside the frame header';
  let window = 0;
  if (single === 1) {
    for (let i = sizeBytes - 1; i >= 0; i--)
      window = window * 256 + (bytes[end - sizeBytes + i] ?? 0);
    if (sizeFlag === 1) window += 256;
  } else {
    const base = 2 ** (10 + ((bytes[5] as number) >> 3));
    window = base + (base / 8) * ((bytes[5] as number) & 7);
  }
  if (window > MAX_WINDOW_BYTES) return `the frame header asks for a window of ${window} bytes`;
  // A window larger than all blocks together could ever fill is a lie, and memory for it is wasted.
  if (single === 1 && window > bytes.length * MAX_BLOCK_BYTES) return 'the frame header is damaged';
  return end;
};

const readShape = (bytes: Uint8Array): FrameShape => {
  const header = headerBytes(bytes);
  if (typeof header === 'string') return { end: 0, last: -1, fault: header };
  let at = header;
  let last = -1;
  for (;;) {
    if (at + 3 > bytes.length)
      return { end: at, last, fault: `ends early, at byte ${bytes.length}` };
    const word =
      (bytes[at] as number) | ((bytes[at + 1] as number) << 8) | ((bytes[at + 2] as number) << 16);
    const kind = (word >> 1) & 3;
    const size = word >> 3;
    if (kind === 3 || size > MAX_BLOCK_BYTES) {
      return { end: at, last, fault: `the block at byte ${at} is damaged` };
    }
    const next = at + 3 + (kind === 1 ? 1 : size);
    if (next > bytes.length) return { end: at, last, fault: `ends early, at byte ${bytes.length}` };
    last = at;
    at = next;
    if ((word & 1) !== 0) break;
  }
  const checksum = ((bytes[4] as number) & 4) === 0 ? 0 : 4;
  const short = at + checksum > bytes.length;
  return { end: at, last, fault: short ? `ends early, at byte ${bytes.length}` : undefined };
};
