/**
 * A generation as its sources describe it: a known one with what is different in them.
 *
 * What the implementation and the observer are told of a generation is taken over where a
 * description says it: strings, names of properties, the size of bitmaps, blobs with their members
 * and nodes. What it does beside that (phases, errors, scratch) is that of the known one.
 */
import type { BlobFormat, NodeFormat } from '../description/blob-format.ts';
import type { Generation, TrackerFormat } from '../description/generation.ts';
import { KEXEC_METADATA, LUO, MEMBLOCK } from '../description/sub-blobs.ts';
import { abiOn, stringOf, type AbiDescription } from '../headers/description.ts';

const SMALL = 'x86_64-4k';
const LARGE = 'arm64-16k';

const firstOf = (abi: AbiDescription, names: readonly string[]): string | undefined =>
  names.map((name) => stringOf(abi, name)).find((text) => text !== undefined);

const trackerOf = (abi: AbiDescription, known: TrackerFormat): TrackerFormat => {
  const bytes = (target: string): number | undefined =>
    abiOn(abi, target)?.layouts['struct kho_mem_phys_bits']?.size;
  const [small, large] = [bytes(SMALL), bytes(LARGE)];
  if (known.kind !== 'chunks' || small === undefined || large === undefined) return known;
  return { ...known, bitmapBytes: small === 4096 && large === 16384 ? 'page' : small };
};

/** A struct with the members and the size that the sources give it. */
const structBlob = (
  abi: AbiDescription,
  blob: BlobFormat,
  struct: string,
  first: string | number | undefined,
): BlobFormat => {
  const layout = abiOn(abi, SMALL)?.layouts[struct];
  if (blob.content.form !== 'struct' || layout === undefined) return blob;
  const fields = layout.fields.map(({ name, offset, size }, at) => ({
    name,
    at: offset,
    bytes: size,
    is: at === 0 ? first : undefined,
  }));
  return { ...blob, content: { form: 'struct', bytes: layout.size, fields } };
};

const plainNode = (name: string): NodeFormat => ({
  name,
  compatible: undefined,
  properties: [],
  children: [],
  each: undefined,
});

/** The orchestrator's tree with the nodes that the sources demand. */
const luoTree = (abi: AbiDescription, blob: BlobFormat): BlobFormat => {
  if (blob.content.form !== 'tree') return blob;
  const { root } = blob.content;
  const demanded = abi.tree.flatMap(({ tree, kind, read, name }) =>
    tree === LUO.name && kind === 'node' && read === 'required' ? [name] : [],
  );
  const known = root.children.filter(({ name }) => demanded.includes(name ?? ''));
  const added = demanded.filter((name) => !root.children.some((child) => child.name === name));
  const children = [...known, ...added.map(plainNode)];
  const compatible = stringOf(abi, 'LUO_FDT_COMPATIBLE') ?? root.compatible;
  return { ...blob, content: { form: 'tree', root: { ...root, compatible, children } } };
};

const blobOf = (abi: AbiDescription, blob: BlobFormat): BlobFormat => {
  if (blob.name === LUO.name) {
    const string = stringOf(abi, 'LUO_ABI_COMPATIBLE');
    return luoTree(abi, structBlob(abi, blob, 'struct luo_ser', string));
  }
  if (blob.name === KEXEC_METADATA.name) {
    const version = abiOn(abi, SMALL)?.constants['KHO_KEXEC_METADATA_VERSION'];
    return structBlob(abi, blob, 'struct kho_kexec_metadata', version);
  }
  if (blob.name === MEMBLOCK.name && blob.content.form === 'tree') {
    const { root } = blob.content;
    const compatible = stringOf(abi, 'MEMBLOCK_KHO_NODE_COMPATIBLE') ?? root.compatible;
    return { ...blob, content: { form: 'tree', root: { ...root, compatible } } };
  }
  return blob;
};

/** `known` with everything that `abi` says of it. */
export const generationOf = (abi: AbiDescription, known: Generation): Generation => {
  const { subtree, root } = known;
  const address = firstOf(abi, [
    'KHO_SUB_TREE_PROP_NAME',
    'KHO_FDT_SUB_TREE_PROP_NAME',
    'PROP_SUB_FDT',
  ]);
  const bytes = stringOf(abi, 'KHO_SUB_TREE_SIZE_PROP_NAME');
  const map = firstOf(abi, ['KHO_FDT_MEMORY_MAP_PROP_NAME', 'PROP_PRESERVED_MEMORY_MAP']);
  return {
    ...known,
    compatible: stringOf(abi, 'KHO_FDT_COMPATIBLE') ?? known.compatible,
    tracker: trackerOf(abi, known.tracker),
    subtree: subtree && {
      address: address ?? subtree.address,
      bytes: subtree.bytes === undefined ? undefined : (bytes ?? subtree.bytes),
    },
    root: { ...root, map: root.map && { ...root.map, property: map ?? root.map.property } },
    blobs: known.blobs.map((blob) => blobOf(abi, blob)),
  };
};
