/** A device tree as plain data: what a blob says, apart from where in the blob it says it. */
import { FdtReader, FdtWriter } from 'fdt-ts';
import type { FdtReservation } from 'fdt-ts';
import fc from 'fast-check';

export interface Node {
  readonly name: string;
  readonly properties: readonly (readonly [name: string, value: Uint8Array])[];
  readonly children: readonly Node[];
}

export interface DeviceTree {
  readonly reservations: readonly FdtReservation[];
  readonly root: Node;
}

function readNode(reader: FdtReader, node: number): Node {
  return {
    name: reader.name(node),
    properties: [...reader.properties(node)].map(({ name, value }) => [name, value.slice()]),
    children: [...reader.subnodes(node)].map((child) => readNode(reader, child)),
  };
}

export function readTree(bytes: Uint8Array): DeviceTree {
  const reader = new FdtReader(bytes);
  return { reservations: reader.reservations(), root: readNode(reader, 0) };
}

function writeNode(writer: FdtWriter, node: Node): void {
  writer.beginNode(node.name);
  for (const [name, value] of node.properties) writer.property(name, value);
  for (const child of node.children) writeNode(writer, child);
  writer.endNode();
}

/** The blob of a tree, exactly as long as it has to be. */
export function writeTree(tree: DeviceTree, bufferSize = 65536): Uint8Array {
  const buffer = new Uint8Array(bufferSize);
  const writer = FdtWriter.create(buffer);
  for (const { address, size } of tree.reservations) writer.addReservation(address, size);
  writer.finishReservemap();
  writeNode(writer, tree.root);
  return buffer.slice(0, writer.finish());
}

const CHARACTERS = [...'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789,._+-#?'];

function nameOf(maxLength: number): fc.Arbitrary<string> {
  return fc.string({ unit: fc.constantFrom(...CHARACTERS), minLength: 1, maxLength });
}

const properties = fc.uniqueArray(
  fc.tuple(nameOf(12), fc.uint8Array({ maxLength: 24 })) as fc.Arbitrary<[string, Uint8Array]>,
  { selector: ([name]) => name, maxLength: 5 },
);

function siblings(depth: number): fc.Arbitrary<Node[]> {
  if (depth === 0) return fc.constant([]);
  const node = fc.record({ name: nameOf(16), properties, children: siblings(depth - 1) });
  return fc.uniqueArray(node, { selector: ({ name }) => name, maxLength: 3 });
}

const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });

/** Trees as libfdt accepts them: an unnamed root, unique names among siblings. */
export const trees: fc.Arbitrary<DeviceTree> = fc.record({
  reservations: fc.array(fc.record({ address: u64, size: u64.filter((size) => size > 0n) }), {
    maxLength: 4,
  }),
  root: fc.record({ name: fc.constant(''), properties, children: siblings(4) }),
});
