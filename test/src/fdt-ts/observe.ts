/**
 * What the recording program saw of one blob, asked of fdt-ts. Field by field as expected.json has
 * it: numbers below zero are negated libfdt error numbers, 'BROKEN' stands where a read would have
 * left the bytes.
 */
import { FdtEditor, FdtError, FdtReader, checkFull, checkHeader } from 'fdt-ts';

export interface Expectation {
  check_header: number | string;
  check_full: number | string;
  compat_kho_v4: number | string;
  map_len: number | string;
  subnode_LUO: number | string;
  children: { children: number; end: number } | string;
  walk: { nodes: number; props: number; end: number; hash: string } | string;
  num_mem_rsv: number | string;
  rw: { open: number; add: number; set: number; pack: number; total: number } | string;
  path_LUO: number | string;
  khoPopulate: string;
  khoRetrieveLUO: string;
}

/** What was seen, and how many names or values the walk was refused. */
export type Observation = Expectation & { walkRefused: number };

/** Recorded where libfdt died of a signal or did not come back. */
export function isExceptional(value: unknown): value is string {
  return typeof value === 'string' && /^(SIG|HANG)\d+$/.test(value);
}

/** The negated error number of a call that must either answer or throw FdtError. */
export function numberOf(call: () => number | undefined): number {
  try {
    return call() ?? -1;
  } catch (error) {
    if (!(error instanceof FdtError)) throw error;
    return -error.number;
  }
}

function hashBytes(hash: number, bytes: Iterable<number>): number {
  let h = hash;
  for (const byte of bytes) h = (Math.imul(h, 33) ^ byte) >>> 0;
  return h;
}

function hashText(hash: number, text: string): number {
  return hashBytes(
    hash,
    Array.from(text, (c) => c.charCodeAt(0)),
  );
}

/** The whole tree by nextNode, and the properties of every node by offset. */
function walk(reader: FdtReader): Pick<Observation, 'walk' | 'walkRefused'> {
  const cursor = { depth: 0 };
  let walkRefused = 0;
  let [nodes, props, hash, offset] = [0, 0, 5381, 0];
  while (offset >= 0 && cursor.depth >= 0) {
    const node = offset;
    nodes++;
    try {
      hash = hashText(hash, reader.name(node));
    } catch (error) {
      walkRefused++;
      hash = hashBytes(hash, [-(error as FdtError).number]);
    }
    let property = numberOf(() => reader.firstProperty(node));
    while (property >= 0) {
      const at = property;
      props++;
      try {
        const { name, value } = reader.propertyAt(at);
        hash = hashBytes(hashText(hash, name), value);
      } catch (error) {
        walkRefused++;
        hash = hashBytes(hash, [-(error as FdtError).number]);
      }
      property = numberOf(() => reader.nextProperty(at));
    }
    offset = numberOf(() => reader.nextNode(node, cursor));
  }
  const text = hash.toString(16).padStart(8, '0');
  return { walk: { nodes, props, end: offset, hash: text }, walkRefused };
}

function children(reader: FdtReader): Expectation['children'] {
  let count = 0;
  let child = numberOf(() => reader.firstSubnode(0));
  for (; child >= 0; count++) {
    const at = child;
    child = numberOf(() => reader.nextSubnode(at));
  }
  return { children: count, end: child };
}

function edit(bytes: Uint8Array): Expectation['rw'] {
  const buffer = new Uint8Array(bytes.length + 8192);
  const result = { open: 0, add: -100, set: -100, pack: -100, total: -1 };
  result.open = numberOf(() => (FdtEditor.openInto(bytes, buffer), 0));
  if (result.open < 0) return result;
  const editor = new FdtEditor(buffer);
  result.add = numberOf(() => editor.addSubnode(0, 'zz-new'));
  if (result.add >= 0) {
    result.set = numberOf(() => (editor.setPropertyU64(result.add, 'preserved-data', 1n), 0));
  }
  result.pack = numberOf(() => (editor.pack(), 0));
  result.total = editor.totalSize;
  return result;
}

/** Linux 7.3 kernel/liveupdate/kexec_handover.c, kho_populate: what it makes of the blob. */
function khoPopulate(bytes: Uint8Array, reader: FdtReader): string {
  if (checkHeader(bytes)) return 'invalid-header';
  try {
    if (reader.nodeCheckCompatible(0, 'kho-v4') !== 'match') return 'incompatible';
  } catch {
    return 'incompatible';
  }
  try {
    const map = reader.property(0, 'preserved-memory-map');
    if (map?.length !== 8) return 'no-map';
    return map.every((byte) => byte === 0) ? 'map-zero' : 'ok';
  } catch {
    return 'no-map';
  }
}

/** Linux 7.3, kho_retrieve_subtree("LUO"). */
function khoRetrieve(reader: FdtReader): string {
  const luo = numberOf(() => reader.subnodeOffset(0, 'LUO'));
  if (luo < 0) return 'ENOENT';
  for (const name of ['preserved-data', 'blob-size']) {
    if (numberOf(() => reader.property(luo, name)?.length) !== 8) return 'EINVAL';
  }
  return 'ok';
}

export function observe(bytes: Uint8Array): Observation {
  const reader = new FdtReader(bytes);
  const errorOf = (error: FdtError | undefined): number => (error ? -error.number : 0);
  return {
    check_header: errorOf(checkHeader(bytes)),
    check_full: errorOf(checkFull(bytes)),
    compat_kho_v4: numberOf(() => {
      const answer = reader.nodeCheckCompatible(0, 'kho-v4');
      return answer === undefined ? undefined : Number(answer === 'mismatch');
    }),
    map_len: numberOf(() => reader.property(0, 'preserved-memory-map')?.length),
    subnode_LUO: numberOf(() => reader.subnodeOffset(0, 'LUO')),
    children: children(reader),
    ...walk(reader),
    num_mem_rsv: numberOf(() => reader.numMemRsv()),
    rw: edit(bytes),
    path_LUO: numberOf(() => reader.pathOffset('/LUO')),
    khoPopulate: khoPopulate(bytes, reader),
    khoRetrieveLUO: khoRetrieve(reader),
  };
}
