/**
 * Reads the `LUO` blob: the head of the live update orchestrator's state.
 *
 * From 7.2 on it is a struct; before, a device tree whose insides are not read here.
 */
import { FdtReader } from 'fdt-ts';
import { COMPATIBLE_PROPERTY } from '../description/root-tree.ts';
import { LUO } from '../description/sub-blobs.ts';
import { text, u64, type Damage } from './bytes.ts';
import { guarded, isFdt } from './subtrees.ts';

/** The head of LUO's state; addresses in bytes, 0 when there is nothing. */
export interface LuoHead {
  readonly compatible: string;
  /** Number of live updates in this chain so far. */
  readonly liveupdateNumber: number;
  /** First block of sessions. */
  readonly sessions: number;
  /** First block of objects bound to the life of files. */
  readonly flbs: number;
}

/** The content, or a phrase that says why these bytes are no such blob. */
export const readLuo = (bytes: Uint8Array): LuoHead | string => {
  if (bytes.length !== LUO.bytes) return `${bytes.length} bytes, not ${LUO.bytes}`;
  const compatible = text(bytes.subarray(LUO.compatible, LUO.compatible + LUO.compatibleBytes));
  if (compatible !== LUO.knownCompatible) return `does not begin with ${LUO.knownCompatible}`;
  return {
    compatible,
    liveupdateNumber: u64(bytes, LUO.liveupdateNumber),
    sessions: u64(bytes, LUO.sessions),
    flbs: u64(bytes, LUO.flbs),
  };
};

/** The string of the device tree that LUO had before 7.2, or undefined if it is no such tree. */
export const readOldLuo = (bytes: Uint8Array): string | undefined => {
  if (!isFdt(bytes)) return undefined;
  const damage: Damage[] = [];
  const value = guarded('blob(LUO)', damage, () =>
    new FdtReader(bytes).property(0, COMPATIBLE_PROPERTY),
  );
  const compatible = value === undefined ? undefined : text(value);
  return compatible?.startsWith(LUO.oldCompatible) === true ? compatible : undefined;
};
