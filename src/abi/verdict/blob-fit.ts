/**
 * Whether a blob is what a reader demands, judged by its bytes alone.
 *
 * Invariant: never throws, whatever the bytes are.
 */
import { checkFull, checkHeader, FdtError, FdtReader } from 'fdt-ts';
import type { BlobFormat, FieldFormat, NodeFormat } from '../description/blob-format.ts';
import { COMPATIBLE_PROPERTY } from '../description/root-tree.ts';
import { text, u32 } from '../decode/bytes.ts';

/** How a blob fits. */
export interface BlobFit {
  /** Why its reader cannot take it, as a short phrase; undefined when it can. */
  readonly misfit: string | undefined;
  /** Children of its root that the reader passes over. */
  readonly passedOver: readonly string[];
}

/** Compares the bytes of a blob with what a reader's format demands. */
export const fitBlob = (format: BlobFormat, bytes: Uint8Array): BlobFit => {
  const { content } = format;
  if (content.form === 'struct') {
    const wrong = bytes.length !== content.bytes;
    const misfit = wrong
      ? `has ${bytes.length} bytes, not ${content.bytes}`
      : content.fields.map((field) => fieldMisfit(bytes, field)).find((each) => each !== undefined);
    return { misfit, passedOver: [] };
  }
  const fault = checkHeader(bytes) ?? checkFull(bytes);
  if (fault !== undefined) return { misfit: 'is no device tree', passedOver: [] };
  try {
    return fitTree(new FdtReader(bytes), content.root);
  } catch (error) {
    if (!(error instanceof FdtError)) throw error;
    return { misfit: 'is no device tree', passedOver: [] };
  }
};

const fieldMisfit = (bytes: Uint8Array, { name, at, bytes: length, is }: FieldFormat) => {
  if (is === undefined) return undefined;
  const found = typeof is === 'number' ? u32(bytes, at) : text(bytes.subarray(at, at + length));
  return found === is ? undefined : `says ${found ?? 'nothing readable'} in ${name}, not ${is}`;
};

const fitTree = (reader: FdtReader, root: NodeFormat): BlobFit => {
  const known = new Set(root.children.map(({ name }) => name));
  const passedOver: string[] = [];
  for (const node of reader.subnodes(0)) {
    const name = reader.name(node);
    if (root.each === undefined && !known.has(name)) passedOver.push(name);
  }
  return { misfit: nodeMisfit(reader, 0, root), passedOver };
};

/** Why a node is not what the format says, or undefined. */
const nodeMisfit = (reader: FdtReader, node: number, format: NodeFormat): string | undefined => {
  const place = node === 0 ? '' : ` of ${reader.name(node)}`;
  if (format.compatible !== undefined) {
    const value = reader.property(node, COMPATIBLE_PROPERTY);
    const found = value && text(value);
    if (found !== format.compatible) {
      const said = `says ${found ?? 'nothing'} as ${COMPATIBLE_PROPERTY}${place}`;
      return `${said}, not ${format.compatible}`;
    }
  }
  for (const { name, bytes } of format.properties) {
    const value = reader.property(node, name);
    if (value === undefined) return `has no ${name}${place}`;
    if (bytes !== undefined && value.length !== bytes) {
      return `has ${value.length} bytes in ${name}${place}, not ${bytes}`;
    }
  }
  for (const child of format.children) {
    const at = reader.subnodeOffset(node, child.name ?? '');
    if (at === undefined) return `has no ${child.name}${place}`;
    const misfit = nodeMisfit(reader, at, child);
    if (misfit !== undefined) return misfit;
  }
  if (format.each === undefined) return undefined;
  const known = new Set(format.children.map(({ name }) => name));
  for (const at of reader.subnodes(node)) {
    if (known.has(reader.name(at))) continue;
    const misfit = nodeMisfit(reader, at, format.each);
    if (misfit !== undefined) return misfit;
  }
  return undefined;
};
