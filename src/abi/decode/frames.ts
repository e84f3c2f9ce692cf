/**
 * Where an observer reads: the pages of a machine, whoever owns them.
 *
 * A model's physical memory, a page archive of a real kernel and a stopped virtual machine all look
 * like this. A page is either there in full or not at all; nobody reads past its end.
 */
export interface Frames {
  /** log2 of the page size in bytes: 12, 14 or 16. */
  readonly pageShift: number;
  /** The bytes of frame `pfn` (exactly one page, not to be written), or undefined if unknown. */
  page(pfn: number): Uint8Array | undefined;
}
