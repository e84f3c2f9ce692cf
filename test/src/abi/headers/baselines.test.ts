/** What is committed of every kernel is what compilers made of its headers. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { generationById } from '#src/abi/description/generations';
import { CHUNK } from '#src/abi/description/chunk-list';
import { BLOCKS, FILE, SESSION } from '#src/abi/description/luo-structs';
import { SCRATCH_ENTRY_BYTES, SCRATCH_ENTRY_SIZE } from '#src/abi/description/scratch-array';
import { KEXEC_METADATA, LUO, MEMBLOCK, OLD_LUO } from '#src/abi/description/sub-blobs';
import { VMALLOC, VMALLOC_CHUNK, vmallocChunkEntries } from '#src/abi/description/vmalloc';
import { bitmapBytes } from '#src/abi/description/chunk-list';
import { PAGE_SHIFTS } from '#src/abi/description/page-size';
import { radixGeometry } from '#src/abi/description/radix-key';
import { abiOn, stringOf, type AbiField } from '#src/abi/headers/description';
import { TARGETS } from '#src/abi/headers/targets';
import { baseline, KERNELS } from '../baselines.ts';

interface RefField {
  readonly name: string;
  readonly off: number;
  readonly size?: number;
  readonly type: string;
  readonly bits?: number;
  readonly bitOff?: number;
  readonly members?: readonly RefField[];
}

interface Reference {
  readonly targets: readonly string[];
  readonly layouts: Readonly<
    Record<string, { size: number; members?: RefField[]; values?: Record<string, number> }>
  >;
  readonly consts: Readonly<Record<string, string>>;
}

/** Layouts out of compilers' debug information, eight kernels on ten targets. */
const REFERENCE = JSON.parse(
  gunzipSync(
    readFileSync(join(import.meta.dirname, '../../../fixtures/abi-layouts.json.gz')),
  ).toString(),
) as Record<string, readonly Reference[]>;

const plainType = (type: string): string =>
  type
    .replace('long unsigned int', 'unsigned long')
    .replace('short unsigned int', 'unsigned short')
    .replace('{anon}', '{…}');

const ours = (field: AbiField): unknown => ({
  name: field.name,
  type: field.type,
  at: field.bits?.offset ?? field.offset,
  size: field.bits?.width ?? field.size,
  members: field.members?.map(ours),
});

const theirs = (field: RefField): unknown => ({
  name: field.name,
  type: plainType(field.type),
  at: field.bitOff ?? field.off,
  size: field.bits ?? field.size,
  members: field.members?.map(theirs),
});

describe('baselines', () => {
  it('are there for every kernel that was released', () => {
    expect(KERNELS).toEqual(Object.keys(REFERENCE));
  });

  it.each(KERNELS)('%s has the layouts and values that compilers give it', (release) => {
    const abi = baseline(release);
    const targets = REFERENCE[release]!.flatMap((group) => group.targets);
    expect([...targets].sort()).toEqual(TARGETS.map(({ name }) => name).sort());
    for (const { targets: of, layouts, consts } of REFERENCE[release]!) {
      for (const target of of) {
        const on = abiOn(abi, target)!;
        const structs = Object.keys(layouts).filter((name) => !name.startsWith('enum '));
        expect(Object.keys(on.layouts).sort()).toEqual(structs.sort());
        for (const [name, { size, members, values }] of Object.entries(layouts)) {
          for (const [key, value] of Object.entries(values ?? {})) {
            expect([key, on.constants[key]]).toEqual([key, value]);
          }
          if (members === undefined) continue;
          const { fields, size: bytes } = on.layouts[name]!;
          expect([name, bytes, fields.map(ours)]).toEqual([name, size, members.map(theirs)]);
        }
        for (const [name, value] of Object.entries(consts)) {
          const text = stringOf(abi, name);
          const said = text === undefined ? String(on.constants[name]) : JSON.stringify(text);
          expect([name, said]).toEqual([name, value]);
        }
      }
    }
  });
});

/** Offset of a member, on a target. */
const at = (release: string, struct: string, member: string, target = 'x86_64-4k'): number =>
  abiOn(baseline(release), target)!.layouts[struct]!.fields.find(({ name }) => name === member)!
    .offset;

const sizeOf = (release: string, struct: string, target = 'x86_64-4k'): number | undefined =>
  abiOn(baseline(release), target)!.layouts[struct]?.size;

const TARGET_OF = { 12: 'x86_64-4k', 14: 'arm64-16k', 16: 'arm64-64k' } as const;

describe('what the implementation writes and the observer reads', () => {
  it.each(KERNELS)('%s: is what its headers say', (release) => {
    const generation = generationById(release)!;
    const abi = baseline(release);
    expect(stringOf(abi, 'KHO_FDT_COMPATIBLE')).toBe(generation.compatible);
    const strings = abi.constants.map(({ text }) => text);
    const { map, subtree } = { map: generation.root.map!, subtree: generation.subtree! };
    for (const name of [map.property, subtree.address, subtree.bytes ?? subtree.address]) {
      expect(strings).toContain(name);
    }
    expect(strings).toContain(MEMBLOCK.compatible);
    expect(strings).toContain(MEMBLOCK.areaCompatible);
    expect(sizeOf(release, 'struct kho_scratch')).toBe(SCRATCH_ENTRY_BYTES);
    expect(at(release, 'struct kho_scratch', 'size')).toBe(SCRATCH_ENTRY_SIZE);
    expect(sizeOf(release, 'struct kho_data')).toBe(generation.boot.setupData.bytes);
    const names = abiOn(abi, 'x86_64-4k')!.layouts['struct kho_data']!.fields;
    expect(names.map(({ name }) => name)).toEqual(generation.boot.setupFields);
    expect(sizeOf(release, 'struct luo_session_ser')).toBe(generation.luo && SESSION.bytes);
    expect(sizeOf(release, 'struct memfd_luo_ser')).toBe(generation.luo?.memfd.bytes);
  });

  it.each(PAGE_SHIFTS)('pages of 2^%i bytes: trackers have the layouts of their time', (shift) => {
    const target = TARGET_OF[shift];
    for (const release of KERNELS) {
      const { tracker } = generationById(release)!;
      const size = sizeOf(release, 'struct kho_mem_phys_bits', target);
      expect(size).toBe(tracker.kind === 'chunks' ? bitmapBytes(tracker, shift) : undefined);
      const { constants } = abiOn(baseline(release), target)!;
      if (tracker.kind === 'radix') {
        const { depth, leafBits, tableBits } = radixGeometry(shift);
        expect(constants['KHO_TREE_MAX_DEPTH']).toBe(depth);
        expect(constants['KHO_BITMAP_SIZE_LOG2']).toBe(leafBits);
        expect(constants['KHO_TABLE_SIZE_LOG2']).toBe(tableBits);
      }
      if (tracker.kind === 'chunks') {
        expect(sizeOf(release, 'struct khoser_mem_chunk_hdr', target)).toBe(CHUNK.entries);
        expect(at(release, 'struct khoser_mem_chunk_hdr', 'num_elms')).toBe(CHUNK.count);
        expect(at(release, 'struct khoser_mem_bitmap_ptr', 'bitmap')).toBe(CHUNK.bitmap);
      }
      const entries = constants['KHO_VMALLOC_SIZE'];
      if (entries !== undefined) expect(entries).toBe(vmallocChunkEntries(shift));
    }
  });

  it('places members of blobs where the headers do', () => {
    const memfds = ['6.19', '7.3'].map((release) => {
      const { memfd } = generationById(release)!.luo!;
      expect(at(release, 'struct memfd_luo_ser', 'folios')).toBe(memfd.folios);
      expect(at(release, 'struct memfd_luo_ser', 'nr_folios')).toBe(memfd.folioCount);
      expect(stringOf(baseline(release), 'MEMFD_LUO_FH_COMPATIBLE')).toBe(memfd.compatible);
      return memfd.seals;
    });
    expect(memfds).toEqual([undefined, at('7.3', 'struct memfd_luo_ser', 'seals')]);
    expect(at('7.3', 'struct luo_session_ser', 'file_set_ser')).toBe(SESSION.files);
    expect(at('7.3', 'struct luo_file_ser', 'token')).toBe(FILE.token);
    expect(at('7.3', 'struct luo_ser', 'flbs_pa')).toBe(LUO.flbs);
    expect(stringOf(baseline('7.3'), 'LUO_ABI_COMPATIBLE')).toBe(LUO.knownCompatible);
    expect(stringOf(baseline('7.0'), 'LUO_FDT_FLB_NODE_NAME')).toBe(OLD_LUO.flb.name);
    expect(sizeOf('7.3', 'struct kho_block_header_ser')).toBe(BLOCKS.header);
    expect(sizeOf('7.3', 'struct kho_kexec_metadata')).toBe(KEXEC_METADATA.bytes);
    expect(at('7.3', 'struct kho_kexec_metadata', 'kexec_count')).toBe(KEXEC_METADATA.kexecCount);
    expect(at('7.3', 'struct kho_vmalloc', 'order')).toBe(VMALLOC.order);
    expect(at('7.3', 'struct kho_vmalloc_chunk', 'phys')).toBe(VMALLOC_CHUNK.entries);
  });
});
