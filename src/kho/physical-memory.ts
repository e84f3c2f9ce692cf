/**
 * Physical memory: what survives a kexec, and the only thing that does.
 *
 * A frame holds either real bytes (FDT pages, tracker pages, scratch arrays) or, as a data page, a
 * content stamp that stands for its bytes. A frame that was never written holds neither. Writing
 * one form forgets the other. Only frames that were written exist.
 */

import { FrameJournal } from './frame-journal.ts';
import { savePieces } from './saved-pieces.ts';
import type { Copies } from './saved-pieces.ts';

/** Stamp of memory that a booting kernel wrote over. */
export const OVERWRITTEN = 0xffffffff;
/** Stamp of memory that was zeroed for an owner. */
export const ZEROES = 0xfffffffe;

/** The whole of a memory at one moment. */
export interface MemoryCopy {
  readonly pages: readonly (readonly [pfn: number, bytes: Uint8Array])[];
  readonly stamps: readonly (readonly [pfn: number, stamp: number])[];
}

export class PhysicalMemory {
  readonly pageShift: number;
  readonly #pages = new Map<number, Uint8Array>();
  readonly #stamps = new Map<number, number>();
  /** Which frames may show another stamp than before, or another owner. */
  readonly journal = new FrameJournal();
  readonly #copies: Copies = new WeakMap();
  /** How often bytes of a frame were thrown away or zeroed: until then `page` answers the same. */
  replaced = 0;

  constructor(pageShift: number) {
    this.pageShift = pageShift;
  }

  /** Bytes of a frame, or undefined if it holds none. */
  page(pfn: number): Uint8Array | undefined {
    return this.#pages.get(pfn);
  }

  /** Makes the frame a page of zero bytes and returns it for writing. */
  zeroPage(pfn: number): Uint8Array {
    this.journal.note(pfn, 1);
    this.#stamps.delete(pfn);
    const present = this.#pages.get(pfn);
    if (present !== undefined) {
      this.replaced++;
      present.fill(0);
      return present;
    }
    const page = new Uint8Array(2 ** this.pageShift);
    this.#pages.set(pfn, page);
    return page;
  }

  /** Bytes of a frame for writing; a frame without bytes becomes a page of zeros. */
  pageForWriting(pfn: number): Uint8Array {
    return this.#pages.get(pfn) ?? this.zeroPage(pfn);
  }

  /** Stamp of a data page; 0 when nothing was written, `OVERWRITTEN` when it holds bytes. */
  stamp(pfn: number): number {
    return this.#stamps.get(pfn) ?? (this.#pages.has(pfn) ? OVERWRITTEN : 0);
  }

  /** Writes a data page. */
  setStamp(pfn: number, stamp: number): void {
    this.journal.note(pfn, 1);
    if (this.#pages.delete(pfn)) this.replaced++;
    this.#stamps.set(pfn, stamp);
  }

  /** Zeroes data pages. */
  zeroStamps(first: number, count: number): void {
    for (let pfn = first; pfn < first + count; pfn++) this.setStamp(pfn, ZEROES);
  }

  /** A kernel scribbles over a range, as copying an image or using memory early does. */
  overwrite(first: number, count: number): void {
    for (let pfn = first; pfn < first + count; pfn++) this.setStamp(pfn, OVERWRITTEN);
  }

  /** Copies whole frames; a frame that was never written is forgotten at the other place, too. */
  copy(from: number, to: number, count: number): void {
    for (let i = 0; i < count; i++) {
      const page = this.#pages.get(from + i);
      const stamp = this.#stamps.get(from + i);
      if (page !== undefined) this.zeroPage(to + i).set(page);
      else if (stamp !== undefined) this.setStamp(to + i, stamp);
      else {
        this.journal.note(to + i, 1);
        if (this.#pages.delete(to + i)) this.replaced++;
        this.#stamps.delete(to + i);
      }
    }
  }

  /**
   * Pages, and runs of frames with one stamp: first frame, number and stamp of each.
   *
   * @param named what a stamp is called; their values mean nothing but which are the same
   */
  state(named: (stamp: number) => number): unknown {
    const pages = [...this.#pages].sort(([a], [b]) => a - b);
    const runs: number[] = [];
    let end = -1;
    let last = 0;
    for (const pfn of Float64Array.from(this.#stamps.keys()).sort()) {
      const stamp = this.#stamps.get(pfn)!;
      if (pfn === end && stamp === last) runs[runs.length - 2]!++;
      else runs.push(pfn, 1, named(stamp));
      end = pfn + 1;
      last = stamp;
    }
    return [pages, runs];
  }

  /** All that there is, to be put back; the copy is not touched by what happens after. */
  copyAll(): MemoryCopy {
    return {
      pages: [...this.#pages].map(([pfn, bytes]) => [pfn, bytes.slice()]),
      stamps: [...this.#stamps],
    };
  }

  /** Makes memory what it was when a copy was made. */
  putBack({ pages, stamps }: MemoryCopy): void {
    this.clear();
    for (const [pfn, bytes] of pages) this.#pages.set(pfn, bytes.slice());
    for (const [pfn, stamp] of stamps) this.#stamps.set(pfn, stamp);
  }

  save(): () => void {
    const pages = savePieces(this.#pages, this.#copies);
    const stamps = new Map(this.#stamps);
    return () => {
      this.#forgetAll();
      pages();
      for (const pfn of this.#stamps.keys()) if (!stamps.has(pfn)) this.#stamps.delete(pfn);
      for (const [pfn, stamp] of stamps) this.#stamps.set(pfn, stamp);
    };
  }

  /** Forgets everything, as switching the machine off does. */
  clear(): void {
    this.#forgetAll();
    this.#pages.clear();
    this.#stamps.clear();
  }

  /** Whoever remembers anything of this memory remembers too much. */
  #forgetAll(): void {
    this.replaced++;
    this.journal.lose();
  }
}

/** Reads a native-endian (little-endian) 64-bit number that is a safe integer. */
export const readU64 = (bytes: Uint8Array, offset: number): number =>
  readU32(bytes, offset) + readU32(bytes, offset + 4) * 4294967296;

const readU32 = (bytes: Uint8Array, offset: number): number =>
  (bytes[offset]! |
    (bytes[offset + 1]! << 8) |
    (bytes[offset + 2]! << 16) |
    (bytes[offset + 3]! << 24)) >>>
  0;

/** Writes a safe integer as a native-endian 64-bit number. */
export const writeU64 = (bytes: Uint8Array, offset: number, value: number): void => {
  writeU32(bytes, offset, value >>> 0);
  writeU32(bytes, offset + 4, Math.floor(value / 4294967296));
};

/** Writes a native-endian 32-bit number. */
export const writeU32 = (bytes: Uint8Array, offset: number, value: number): void => {
  bytes[offset] = value;
  bytes[offset + 1] = value >>> 8;
  bytes[offset + 2] = value >>> 16;
  bytes[offset + 3] = value >>> 24;
};
