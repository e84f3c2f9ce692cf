/** The recorded libfdt cases under test/fixtures/fdt; what they are is said in their README. */
import { readFileSync, readdirSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import type { Expectation } from './observe.ts';

const ROOT = new URL('../../fixtures/fdt/', import.meta.url);

function load(path: string): Uint8Array {
  return new Uint8Array(readFileSync(new URL(path, ROOT)));
}

/** One libfdt call, its result, and where the bytes after it are. */
export interface Step {
  readonly seq: number;
  readonly i: number;
  readonly op: string;
  readonly bufsize?: number;
  readonly name?: string;
  readonly val?: string;
  readonly parent?: number;
  readonly node?: number;
  readonly n?: number;
  readonly addr?: string;
  readonly size?: string;
  readonly rc: number;
  readonly total: number;
  readonly used: number;
  readonly off: number;
  readonly slackFnv: string;
}

export interface Family {
  readonly name: string;
  readonly fill: number;
  readonly steps: readonly Step[];
  readonly bytes: Uint8Array;
}

export function loadFamilies(): Family[] {
  const manifest = JSON.parse(Buffer.from(load('seq/manifest.json')).toString()) as {
    families: Record<string, { fill: number }>;
  };
  return Object.entries(manifest.families).map(([name, { fill }]) => {
    const lines = gunzipSync(load(`seq/${name}.jsonl.gz`))
      .toString()
      .trim()
      .split('\n');
    const steps = lines.map((line) => JSON.parse(line) as Step);
    return { name, fill, steps, bytes: new Uint8Array(gunzipSync(load(`seq/${name}.bin.gz`))) };
  });
}

export interface Blob {
  readonly file: string;
  readonly bytes: Uint8Array;
  readonly expect: Expectation;
}

/** Every blob of a folder, in the order of its expected.json; fails if a file has no entry. */
export function loadBlobs(folder: 'good' | 'bad'): Blob[] {
  const entries = JSON.parse(Buffer.from(load(`${folder}/expected.json`)).toString()) as Blob[];
  const files = readdirSync(new URL(`${folder}/`, ROOT)).filter((file) => file.endsWith('.dtb'));
  if (files.length !== entries.length) throw new Error(`${folder}: files and entries differ`);
  return entries.map(({ file, expect }) => ({ file, expect, bytes: load(`${folder}/${file}`) }));
}
