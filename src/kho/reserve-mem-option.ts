/**
 * Reading `reserve_mem=` the way a kernel does: from left to right, number by number.
 *
 * A value is accepted as a whole or refused as a whole. Three checks are intended that released
 * kernels do not make: the alignment is a power of two, and neither `/` nor `@` stands in a name,
 * because the next kernel looks the name up in a device tree.
 *
 * Sources: mm/memblock.c (reserve_mem), lib/cmdline.c (memparse).
 */

/** What one accepted option asks for; sizes in bytes. */
export interface ReserveMemRequest {
  readonly name: string;
  /** At least 1. Number.MAX_SAFE_INTEGER stands for that much or more. */
  readonly bytes: number;
  /** A power of two from 64 on, or Number.MAX_SAFE_INTEGER. */
  readonly align: number;
}

/** Alignment that every region has at least: a cache line. */
const CACHE_LINE_BYTES = 64;
/** Room for a name with its terminating NUL. */
const NAME_BUFFER_BYTES = 16;
/** Regions that a kernel can remember. */
export const RESERVE_MEM_MAX = 8;

const MAX = Number.MAX_SAFE_INTEGER;

/** A cursor in a text. */
class Reader {
  at = 0;
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  /** Value of the digit here, or -1 when there is none of this base. */
  digit(base: number, ahead = 0): number {
    const code = (this.text[this.at + ahead] ?? '').toLowerCase();
    const value = code === '' ? -1 : '0123456789abcdef'.indexOf(code);
    return value < base ? value : -1;
  }

  /** A number and its unit; 0 where there are no digits, and then nothing is read. */
  memparse(): number {
    let base = 10;
    if (this.text[this.at] === '0') {
      base = 8;
      if (this.text[this.at + 1]?.toLowerCase() === 'x' && this.digit(16, 2) >= 0) {
        base = 16;
        this.at += 2;
      }
    }
    const start = this.at;
    let value = 0;
    for (let digit = this.digit(base); digit >= 0; digit = this.digit(base)) {
      value = Math.min(value * base + digit, MAX);
      this.at++;
    }
    return this.at === start ? 0 : this.#scale(value);
  }

  #scale(value: number): number {
    const unit = 'kmgtpe'.indexOf((this.text[this.at] ?? ' ').toLowerCase());
    if (unit < 0) return value;
    this.at++;
    for (let i = 0; i <= unit; i++) value = Math.min(value * 1024, MAX);
    return value;
  }

  /** Whether `char` stands here; if so, it is read. */
  skip(char: string): boolean {
    if (this.text[this.at] !== char) return false;
    this.at++;
    return true;
  }
}

/** Reads the value of one option; undefined when it is refused. */
export const parseReserveMem = (value: string): ReserveMemRequest | undefined => {
  const reader = new Reader(value);
  const bytes = reader.memparse();
  if (bytes === 0 || !reader.skip(':')) return undefined;
  const align = Math.max(reader.memparse(), CACHE_LINE_BYTES);
  if (!reader.skip(':') || (align !== MAX && !isPowerOfTwo(align))) return undefined;
  const name = value.slice(reader.at);
  return isName(name) ? { name, bytes, align } : undefined;
};

const isPowerOfTwo = (value: number): boolean => {
  while (value % 2 === 0) value /= 2;
  return value === 1;
};

const isName = (name: string): boolean => {
  const { length } = Buffer.from(name);
  if (length >= NAME_BUFFER_BYTES || name.includes('/') || name.includes('@')) return false;
  for (const char of name) if (!/\s/.test(char)) return true;
  return false;
};

/** What a command line asks for, in order; what is refused is left out. */
export const parseReserveMemLine = (line: string): readonly ReserveMemRequest[] => {
  const requests: ReserveMemRequest[] = [];
  for (const value of line.split(' ')) {
    const request = value === '' ? undefined : parseReserveMem(value);
    if (request !== undefined) requests.push(request);
  }
  return requests;
};
