/**
 * Remembering what was decoded from memory, as long as the bytes that were read are the same.
 *
 * Whatever the decoder asks memory for is copied, and compared byte by byte before what it made of
 * them is given out again: nobody is believed that nothing was written.
 */
import type { Memory } from '#model/system';

/** More pages than this are not worth remembering. */
const PAGES_MAX = 256;

/** A decoder whose last answer is remembered. */
export class RememberedPages<T> {
  readonly #memory: Memory;
  readonly #noting: Memory;
  /** Frames that were read, in order, each once, and how many of them. */
  readonly #pfns: number[] = [];
  #length = 0;
  /** What stood there; undefined where there was no page. */
  readonly #copies: (Uint8Array | undefined)[] = [];
  /** Pages to copy into. */
  readonly #room: Uint8Array[] = [];
  #value: T | undefined;

  constructor(memory: Memory) {
    this.#memory = memory;
    this.#noting = { pageShift: memory.pageShift, page: (pfn) => this.#read(pfn) };
  }

  /**
   * What `decode` makes of memory.
   *
   * @param asBefore whether everything else that it depends on is as it was last time
   */
  get(decode: (memory: Memory) => T, asBefore: boolean): T {
    if (asBefore && this.#value !== undefined && this.#isAsBefore()) return this.#value;
    this.#length = 0;
    const value = decode(this.#noting);
    this.#value = this.#length <= PAGES_MAX ? value : undefined;
    return value;
  }

  #isAsBefore(): boolean {
    for (let i = 0; i < this.#length; i++) {
      const page = this.#memory.page(this.#pfns[i]!);
      const copy = this.#copies[i];
      if (page === undefined || copy === undefined) {
        if (page !== copy) return false;
      } else if (Buffer.compare(page, copy) !== 0) return false;
    }
    return true;
  }

  #read(pfn: number): Uint8Array | undefined {
    const page = this.#memory.page(pfn);
    if (this.#length > PAGES_MAX || this.#isNoted(pfn)) return page;
    const at = this.#length++;
    if (at === PAGES_MAX) return page;
    this.#pfns[at] = pfn;
    if (page === undefined) {
      this.#copies[at] = undefined;
      return page;
    }
    const room = (this.#room[at] ??= new Uint8Array(2 ** this.#memory.pageShift));
    room.set(page);
    this.#copies[at] = room;
    return page;
  }

  #isNoted(pfn: number): boolean {
    for (let i = this.#length - 1; i >= 0; i--) if (this.#pfns[i] === pfn) return true;
    return false;
  }
}
