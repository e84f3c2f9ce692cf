/** Reading numbers from arguments: each either fits or is refused in one sentence. */
import { UsageError } from './io.ts';

/** A whole number from `min` to `max`, in decimal or `0x` hexadecimal. */
export const wholeNumber = (name: string, min: number, max: number) => {
  return (text: string): number => {
    const value = /^(0x[0-9a-f]+|\d+)$/i.test(text) ? Number(text) : Number.NaN;
    if (Number.isSafeInteger(value) && value >= min && value <= max) return value;
    throw new UsageError(`${name} takes a whole number from ${min} to ${max}, not '${text}'`);
  };
};

const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  K: 2 ** 10,
  M: 2 ** 20,
  G: 2 ** 30,
  T: 2 ** 40,
};

/** A size in bytes such as `64M`. */
export const byteSize = (name: string) => {
  return (text: string): number => {
    const match = /^(\d+)([KMGT]?)$/i.exec(text);
    const value = match === null ? Number.NaN : Number(match[1]) * UNITS[match[2]!.toUpperCase()]!;
    if (Number.isSafeInteger(value) && value > 0) return value;
    throw new UsageError(`${name} takes a size such as 128M or 1G, not '${text}'`);
  };
};

/** A number or a range such as `1-4`, both ends from `min` to `max`. */
export const numberRange = (name: string, min: number, max: number) => {
  return (text: string): { readonly low: number; readonly high: number } => {
    const match = /^(\d+)(?:-(\d+))?$/.exec(text);
    const low = Number(match?.[1]);
    const high = Number(match?.[2] ?? match?.[1]);
    if (low >= min && high <= max && low <= high) return { low, high };
    throw new UsageError(`${name} takes a number or a range within ${min}-${max}, not '${text}'`);
  };
};

/** A time such as `30s`, `5m` or `1h`, in milliseconds. */
export const duration = (name: string) => {
  return (text: string): number => {
    const match = /^(\d+)(s|m|h)$/.exec(text);
    const factor = { s: 1000, m: 60_000, h: 3_600_000 }[match?.[2] ?? ''];
    const value = Number(match?.[1]) * (factor ?? Number.NaN);
    if (value > 0 && value <= 0x7fffffff) return value;
    throw new UsageError(`${name} takes a time such as 30s, 5m or 1h, not '${text}'`);
  };
};

const PAGE_SIZES: Readonly<Record<string, number>> = { '4K': 12, '16K': 14, '64K': 16 };

/** A page size as log2 of its bytes. */
export const pageSize = (text: string): number => {
  const shift = PAGE_SIZES[text.toUpperCase()];
  if (shift !== undefined) return shift;
  throw new UsageError(`--page-size takes 4K, 16K or 64K, not '${text}'`);
};
