/**
 * Physical memory: what survives a kexec, and the only thing that does.
 *
 * A frame holds either real bytes (FDT pages, tracker pages, scratch arrays) or, as a data page, a
 * content stamp that stands for its bytes. A frame that was never written holds neither. Writing
 * one form forgets the other. Only frames that were written exist.
 */

import { FrameJournal } from './frame-journal.ts';

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
  /** The last copy of a page that was saved. */
  readonly #copies = new WeakMap<Uint8Array, Uint8Array>();
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

  /** @param named what a stamp is called; their values mean nothing but which are the same */
  state(named: (stamp: number) => number): unknown {
    const pages = [...this.#pages].sort(([a], [b]) => a - b);
    const stamps = [...this.#stamps].sort(([a], [b]) => a - b);
    return [pages, stamps.map(([pfn, stamp]) => [pfn, named(stamp)])];
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
    const pages = [...this.#pages].map(([pfn, page]) => [pfn, this.#copyOf(page)] as const);
    const stamps = [...this.#stamps];
    return () => {
      this.clear();
      for (const [pfn, copy] of pages) {
        const page = copy.slice();
        this.#copies.set(page, copy);
        this.#pages.set(pfn, page);
      }
      for (const [pfn, stamp] of stamps) this.#stamps.set(pfn, stamp);
    };
  }

  /** A copy of a page that nobody writes; the last one again while the page is still the same. */
  #copyOf(page: Uint8Array): Uint8Array {
    const last = this.#copies.get(page);
    if (last !== undefined && isSame(last, page)) return last;
    const copy = page.slice();
    this.#copies.set(page, copy);
    return copy;
  }

  /** Forgets everything, as switching the machine off does. */
  clear(): void {
    this.replaced++;
    this.journal.lose();
    this.#pages.clear();
    this.#stamps.clear();
  }
}

/** Whether two pages hold the same bytes. */
const isSame = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

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
