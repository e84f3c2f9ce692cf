/**
 * The captures of real kernels in test/fixtures/captures, and what their recorder decoded.
 *
 * The expectations stand in a directory of their own, so that nothing that is given a capture can
 * look them up.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const FIXTURES = join(import.meta.dirname, '../../fixtures');

/** What the recorder decoded; addresses in bytes. */
export interface Expected {
  readonly fdt_phys: number;
  readonly scratch_array_phys: number;
  readonly map: number;
  readonly subs: Readonly<Record<string, readonly [number, number]>>;
  readonly scratch: readonly (readonly [number, number])[];
  readonly ranges: readonly (readonly [number, number])[];
  readonly nodes: readonly (readonly [number, number])[];
}

/** One generation of one chain. */
export interface Capture {
  /** `<chain>/gen<N>`. */
  readonly name: string;
  readonly path: string;
  readonly expected: Expected;
  file(name: string): Uint8Array;
  readonly files: readonly string[];
}

const ROOT = join(FIXTURES, 'captures');

/** Every capture, whatever its kernel and page size. */
export const ALL_CAPTURES: readonly Capture[] = readdirSync(ROOT)
  .sort()
  .flatMap((chain) =>
    readdirSync(join(ROOT, chain))
      .sort()
      .map((generation) => {
        const path = join(ROOT, chain, generation);
        const decoded = join(FIXTURES, 'captures-decoded', `${chain}.${generation}.json`);
        return {
          name: `${chain}/${generation}`,
          path,
          expected: JSON.parse(readFileSync(decoded, 'utf8')) as Expected,
          file: (name: string) => new Uint8Array(readFileSync(join(path, name))),
          files: readdirSync(path),
        };
      }),
  );

/** A chain says its kernel, unless that is 7.3.4 on arm64. */
const KERNEL = /k(\d+\.\d+)\.\d+/;

/** Release series of the kernel that a capture was made of. */
export const kernelOf = ({ name }: Capture): string => KERNEL.exec(name)?.[1] ?? '7.3';

/** The captures of 7.3.4. */
export const CAPTURES: readonly Capture[] = ALL_CAPTURES.filter((each) => kernelOf(each) === '7.3');

/** The capture of that name. */
export const capture = (name: string): Capture => {
  const found = ALL_CAPTURES.find((each) => each.name === name);
  if (found === undefined) throw new Error(`no capture ${name}`);
  return found;
};

/** Pages of an archive that a test may change. */
export interface Pages {
  readonly pageBytes: number;
  readonly pages: Map<number, Uint8Array>;
}

/** An unpacked archive of these pages. */
export const pack = ({ pageBytes, pages }: Pages): Uint8Array => {
  const out = new Uint8Array(8 + pages.size * (8 + pageBytes));
  const view = new DataView(out.buffer);
  view.setBigUint64(0, BigInt(pages.size), true);
  let i = 0;
  for (const [pfn, page] of pages) {
    view.setBigUint64(8 + 8 * i, BigInt(pfn), true);
    out.set(page, 8 + 8 * pages.size + i * pageBytes);
    i++;
  }
  return out;
};

/** Writes a u64 into bytes. */
export const putU64 = (bytes: Uint8Array, offset: number, value: number): void =>
  new DataView(bytes.buffer, bytes.byteOffset).setBigUint64(offset, BigInt(value), true);

/** Elements as strings, sorted: for comparing sets. */
export const asSet = (values: Iterable<unknown>): string[] =>
  [...values].map((value) => JSON.stringify(value)).sort();
