/** Reads the `kho_test` blob, the device tree of the kernel's own KHO test module. */
import { checkFull, FdtReader } from 'fdt-ts';
import { COMPATIBLE_PROPERTY } from '../description/root-tree.ts';
import { KHO_TEST } from '../description/sub-blobs.ts';
import { text, u32, type Damage } from './bytes.ts';
import { claimedSize, guarded } from './subtrees.ts';

/** What the test module handed over. */
export interface KhoTest {
  readonly compatible: string;
  /** Number of folios it preserved; undefined when it does not say. */
  readonly folios: number | undefined;
}

/** The content, or a phrase that says why these bytes are no such blob. */
export const readKhoTest = (bytes: Uint8Array): KhoTest | string => {
  const fault = checkFull(bytes);
  if (fault !== undefined) return `not a device tree (${fault.code})`;
  const claimed = claimedSize(bytes);
  if (claimed !== bytes.length) return `${bytes.length} bytes, its header says ${claimed}`;
  const damage: Damage[] = [];
  const test = guarded('blob(kho_test)', damage, () => readTest(new FdtReader(bytes)));
  return test ?? damage[0]?.what ?? 'not readable';
};

const readTest = (reader: FdtReader): KhoTest | string => {
  const value = reader.property(0, COMPATIBLE_PROPERTY);
  const compatible = value === undefined ? undefined : text(value);
  if (compatible !== KHO_TEST.compatible) return `is not ${KHO_TEST.compatible}`;
  const data = reader.subnodeOffset(0, KHO_TEST.dataNode);
  const folios = data === undefined ? undefined : reader.property(data, KHO_TEST.folios);
  return { compatible, folios: folios?.length === 4 ? u32(folios, 0) : undefined };
};
