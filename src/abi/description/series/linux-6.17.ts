/**
 * Linux 6.17: as 6.16 in memory; an image gets the handover only when it is finalized, and there is
 * a test module.
 *
 * Source: kernel/kexec_handover.c (kho_fill_kimage), lib/test_kho.c.
 */
import { KHO_TEST_LIST_BLOB } from '../blob-formats.ts';
import type { Generation } from '../generation.ts';
import { LINUX_6_16 } from './linux-6.16.ts';

export const LINUX_6_17: Generation = {
  ...LINUX_6_16,
  id: '6.17',
  releases: ['6.17'],
  phases: { ...LINUX_6_16.phases, attached: 'when-on' },
  blobs: [...LINUX_6_16.blobs, KHO_TEST_LIST_BLOB],
};
