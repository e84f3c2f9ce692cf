/** dtc reads what fdt-ts writes, and says the same about it. Skipped, visibly, without dtc. */
import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FdtReader, FdtWriter, checkFull } from 'fdt-ts';

const HAVE_DTC = spawnSync('dtc', ['--version']).status === 0;
if (!HAVE_DTC) process.stderr.write('dtc is not installed: comparing with it is skipped\n');

interface Tree {
  readonly name: string;
  readonly properties: readonly (readonly [string, Uint8Array])[];
  readonly children: readonly Tree[];
}

const word = fc.stringMatching(/^[a-z][a-z0-9,-]{0,20}$/);
const bytes = fc.uint8Array({ maxLength: 40 });

const DEPTH = 3;

const treeOf = (depth: number): fc.Arbitrary<Tree> =>
  fc.record({
    name: word,
    properties: fc.uniqueArray(fc.tuple(word, bytes), { maxLength: 4, selector: ([n]) => n }),
    children:
      depth === 0
        ? fc.constant([])
        : fc.uniqueArray(treeOf(depth - 1), { maxLength: 3, selector: (child) => child.name }),
  });

const write = (writer: FdtWriter, { name, properties, children }: Tree, root: boolean): void => {
  writer.beginNode(root ? '' : name);
  for (const [property, value] of properties) writer.property(property, value);
  for (const child of children) write(writer, child, false);
  writer.endNode();
};

const blobOf = (root: Tree): Uint8Array => {
  const buffer = new Uint8Array(65536);
  const writer = FdtWriter.create(buffer);
  writer.finishReservemap();
  write(writer, root, true);
  return buffer.subarray(0, writer.finish());
};

const read = (reader: FdtReader, node: number): Tree => ({
  name: reader.name(node),
  properties: [...reader.properties(node)].map(
    ({ name, value }) => [name, Uint8Array.from(value)] as const,
  ),
  children: [...reader.subnodes(node)].map((child) => read(reader, child)),
});

describe.skipIf(!HAVE_DTC)('dtc', () => {
  test('takes random trees and gives the same tree back', () => {
    fc.assert(
      fc.property(treeOf(DEPTH), (root) => {
        const blob = blobOf(root);
        expect(checkFull(blob)).toBeUndefined();
        const run = spawnSync('dtc', ['-q', '-f', '-I', 'dtb', '-O', 'dtb'], { input: blob });
        expect(run.status, String(run.stderr)).toBe(0);
        const again = new FdtReader(new Uint8Array(run.stdout));
        expect(read(again, 0)).toEqual(read(new FdtReader(blob), 0));
      }),
      { seed: 1, numRuns: 300 },
    );
  });
});
