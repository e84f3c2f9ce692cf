/**
 * Replays what libfdt did, call by call: same result, same bytes, same stale bytes behind the blob.
 * Four libfdt versions gave these bytes, see test/fixtures/fdt.
 */
import { FdtEditor, FdtReader, FdtWriter } from 'fdt-ts';
import { describe, expect, test } from 'vitest';
import { loadFamilies } from './fixtures.ts';
import type { Step } from './fixtures.ts';
import { numberOf } from './observe.ts';

/** FNV-1a, 64 bits, as two 32-bit halves: a bigint per byte would dominate the test. */
function fnv64(bytes: Uint8Array): string {
  let [hi, lo] = [0xcbf29ce4, 0x84222325];
  for (const byte of bytes) {
    lo = (lo ^ byte) >>> 0;
    // times 0x100000001b3
    const product = lo * 0x1b3;
    hi = (Math.imul(hi, 0x1b3) + lo * 0x100 + Math.floor(product / 2 ** 32)) >>> 0;
    lo = product >>> 0;
  }
  return hi.toString(16).padStart(8, '0') + lo.toString(16).padStart(8, '0');
}

function hex(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'hex'));
}

/** The recorded operations; each returns what libfdt returned. */
const OPERATIONS: Record<string, (buffer: Uint8Array, step: Step) => number | void> = {
  fdt_create: (b) => void FdtWriter.create(b),
  fdt_add_reservemap_entry: (b, s) =>
    new FdtWriter(b).addReservation(BigInt(s.addr!), BigInt(s.size!)),
  fdt_finish_reservemap: (b) => new FdtWriter(b).finishReservemap(),
  fdt_begin_node: (b, s) => new FdtWriter(b).beginNode(s.name!),
  fdt_property: (b, s) => new FdtWriter(b).property(s.name!, hex(s.val!)),
  fdt_end_node: (b) => new FdtWriter(b).endNode(),
  fdt_finish: (b) => void new FdtWriter(b).finish(),
  fdt_open_into: (b) => void FdtEditor.openInto(b, b),
  fdt_pack: (b) => void new FdtEditor(b).pack(),
  fdt_subnode_offset: (b, s) => new FdtReader(b).subnodeOffset(s.parent!, s.name!) ?? -1,
  fdt_add_subnode: (b, s) => new FdtEditor(b).addSubnode(s.parent!, s.name!),
  fdt_del_node: (b, s) => new FdtEditor(b).deleteNode(s.node!),
  fdt_nop_node: (b, s) => new FdtEditor(b).nopNode(s.node!),
  fdt_set_name: (b, s) => new FdtEditor(b).setName(s.node!, s.name!),
  fdt_setprop: (b, s) => new FdtEditor(b).setProperty(s.node!, s.name!, hex(s.val!)),
  fdt_setprop_inplace: (b, s) => new FdtEditor(b).setPropertyInPlace(s.node!, s.name!, hex(s.val!)),
  fdt_appendprop: (b, s) => new FdtEditor(b).appendProperty(s.node!, s.name!, hex(s.val!)),
  fdt_delprop: (b, s) => new FdtEditor(b).deleteProperty(s.node!, s.name!),
  fdt_nop_property: (b, s) => new FdtEditor(b).nopProperty(s.node!, s.name!),
  fdt_add_mem_rsv: (b, s) => new FdtEditor(b).addReservation(BigInt(s.addr!), BigInt(s.size!)),
  fdt_del_mem_rsv: (b, s) => new FdtEditor(b).deleteReservation(s.n!),
};

const families = loadFamilies();
const replayed = { steps: 0, errors: 0 };

describe.each(families)('family $name', ({ steps, bytes, fill }) => {
  test(`all ${steps.length} calls return and leave what libfdt's did, stale bytes included`, () => {
    let buffer = new Uint8Array();
    for (const step of steps) {
      if (step.op === 'fdt_create') buffer = new Uint8Array(step.bufsize!).fill(fill);
      const operation = OPERATIONS[step.op];
      if (operation === undefined) throw new Error(`no such operation: ${step.op}`);
      const result = numberOf(() => operation(buffer, step) ?? 0);
      const where = `seq ${step.seq} step ${step.i} ${step.op}`;
      expect(result, where).toBe(step.rc);
      const expected = bytes.subarray(step.off, step.off + step.used);
      const same = Buffer.compare(buffer.subarray(0, step.used), expected) === 0;
      expect(same, `${where}: bytes`).toBe(true);
      const slack = buffer.subarray(step.used, Math.min(step.total, buffer.length));
      expect(fnv64(slack), `${where}: stale bytes`).toBe(step.slackFnv);
      replayed.steps++;
      if (step.rc < 0) replayed.errors++;
    }
  });
});

test('10 families, 13441 calls, 615 of them refused by libfdt, are all replayed', () => {
  expect(families).toHaveLength(10);
  expect(replayed).toEqual({ steps: 13441, errors: 615 });
  console.log(`fdt-ts sequences: ${replayed.steps} calls identical, ${replayed.errors} refused`);
});
