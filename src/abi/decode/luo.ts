/**
 * Reads the `LUO` blob: the head of the live update orchestrator's state.
 *
 * From 7.2 on it is a struct; before, a device tree with a child for sessions and, from 7.0 on, one
 * for objects bound to the life of files.
 */
import { FdtReader } from 'fdt-ts';
import { COMPATIBLE_PROPERTY } from '../description/root-tree.ts';
import { LUO, OLD_LUO } from '../description/sub-blobs.ts';
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

/**
 * The content of the device tree that LUO had before 7.2, or a phrase that says what is wrong with
 * it; undefined when these bytes are no such tree.
 */
export const readOldLuo = (bytes: Uint8Array): LuoHead | string | undefined => {
  if (!isFdt(bytes)) return undefined;
  const damage: Damage[] = [];
  const head = guarded('blob(LUO)', damage, () => readOldHead(new FdtReader(bytes)));
  return head ?? damage[0]?.what ?? 'not readable';
};

const readOldHead = (reader: FdtReader): LuoHead | string => {
  const value = reader.property(0, COMPATIBLE_PROPERTY);
  const compatible = value === undefined ? undefined : text(value);
  if (compatible !== OLD_LUO.compatible) return `is not ${OLD_LUO.compatible}`;
  const number = addressAt(reader, 0, OLD_LUO.liveupdateNumber);
  const { session, flb } = OLD_LUO;
  const node = reader.subnodeOffset(0, session.name);
  const sessions = node && addressAt(reader, node, session.header);
  const flbNode = reader.subnodeOffset(0, flb.name);
  const flbs = flbNode === undefined ? 0 : addressAt(reader, flbNode, flb.header);
  if (number === undefined) return `has no ${OLD_LUO.liveupdateNumber}`;
  if (sessions === undefined) return `has no ${session.header}`;
  if (flbs === undefined) return `has no ${flb.header}`;
  return { compatible, liveupdateNumber: number, sessions, flbs };
};

const addressAt = (reader: FdtReader, node: number, property: string): number | undefined => {
  const value = reader.property(node, property);
  return value?.length === 8 ? u64(value, 0) : undefined;
};
