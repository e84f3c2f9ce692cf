/**
 * The blobs of kernels up to now, as formats.
 *
 * Sources: mm/memblock.c (prepare_kho_fdt, reserve_mem_kho_retrieve), lib/test_kho.c,
 * kernel/liveupdate/luo_core.c (luo_early_startup, luo_restore_fail), luo_session.c and luo_flb.c
 * (the setup of what came in), include/linux/kho/abi/luo.h, include/linux/kho/abi/memblock.h,
 * include/linux/kho/abi/kexec_handover.h (struct kho_kexec_metadata).
 */
import type { BlobFormat, FieldFormat, NodeFormat } from './blob-format.ts';
import { KEXEC_METADATA, KHO_TEST, LUO, MEMBLOCK, OLD_LUO } from './sub-blobs.ts';

const u64 = (name: string): NodeFormat['properties'][number] => ({ name, bytes: 8 });

const field = (name: string, at: number, bytes: number, is?: FieldFormat['is']): FieldFormat => ({
  name,
  at,
  bytes,
  is,
});

/** reserve_mem areas, the same in every kernel from 6.16 on. */
export const MEMBLOCK_BLOB: BlobFormat = {
  name: MEMBLOCK.name,
  owner: 'kernel',
  misfit: 'ignored',
  content: {
    form: 'tree',
    root: {
      name: '',
      compatible: MEMBLOCK.compatible,
      properties: [],
      children: [],
      each: {
        name: undefined,
        compatible: MEMBLOCK.areaCompatible,
        properties: [u64(MEMBLOCK.start), u64(MEMBLOCK.size)],
        children: [],
        each: undefined,
      },
    },
  },
};

/** The test module's blob; `info` is the length of the list of folios. */
const testBlob = (info: number | undefined): BlobFormat => ({
  name: KHO_TEST.name,
  owner: 'module',
  misfit: 'ignored',
  content: {
    form: 'tree',
    root: {
      name: '',
      compatible: KHO_TEST.compatible,
      properties: [{ name: KHO_TEST.magic, bytes: 4 }],
      children: [],
      each: {
        name: KHO_TEST.dataNode,
        compatible: undefined,
        properties: [
          { name: KHO_TEST.folios, bytes: 4 },
          { name: KHO_TEST.folioList, bytes: info },
          { name: KHO_TEST.checksum, bytes: 4 },
        ],
        children: [],
        each: undefined,
      },
    },
  },
});

/** 6.17: the list of folios stands in the property. */
export const KHO_TEST_LIST_BLOB: BlobFormat = testBlob(undefined);

/** From 6.18 on: the property describes a vmalloc area, under the same string. */
export const KHO_TEST_VMALLOC_BLOB: BlobFormat = testBlob(16);

const luoChild = (name: string, compatible: string, header: string): NodeFormat => ({
  name,
  compatible,
  properties: [u64(header)],
  children: [],
  each: undefined,
});

const luoTree = (children: readonly NodeFormat[]): BlobFormat => ({
  name: LUO.name,
  owner: 'kernel',
  misfit: 'panic',
  content: {
    form: 'tree',
    root: {
      name: '',
      compatible: OLD_LUO.compatible,
      properties: [u64(OLD_LUO.liveupdateNumber)],
      children,
      each: undefined,
    },
  },
});

const { session, flb } = OLD_LUO;
const SESSIONS = luoChild(session.name, session.compatible, session.header);
const FLBS = luoChild(flb.name, flb.compatible, flb.header);

/** 6.19: sessions alone. */
export const LUO_SESSIONS_BLOB: BlobFormat = luoTree([SESSIONS]);

/** 7.0 and 7.1: objects bound to files as well, demanded under the same string. */
export const LUO_FLBS_BLOB: BlobFormat = luoTree([SESSIONS, FLBS]);

/** 7.2 and later: a struct. */
export const LUO_STRUCT_BLOB: BlobFormat = {
  name: LUO.name,
  owner: 'kernel',
  misfit: 'panic',
  content: {
    form: 'struct',
    bytes: LUO.bytes,
    fields: [
      field('compatible', LUO.compatible, LUO.compatibleBytes, LUO.knownCompatible),
      field('liveupdate_num', LUO.liveupdateNumber, 8),
      field('sessions_pa', LUO.sessions, 8),
      field('flbs_pa', LUO.flbs, 8),
    ],
  },
};

/** 7.1 and later. */
export const KEXEC_METADATA_BLOB: BlobFormat = {
  name: KEXEC_METADATA.name,
  owner: 'kernel',
  misfit: 'ignored',
  content: {
    form: 'struct',
    bytes: KEXEC_METADATA.bytes,
    fields: [
      field('version', KEXEC_METADATA.version, 4, KEXEC_METADATA.knownVersion),
      field(
        'previous_release',
        KEXEC_METADATA.previousRelease,
        KEXEC_METADATA.previousReleaseBytes,
      ),
      field('kexec_count', KEXEC_METADATA.kexecCount, 4),
    ],
  },
};
