/**
 * Linux 7.3: as 7.2 in memory; a key that is too wide is refused.
 *
 * Source: kernel/liveupdate/kexec_handover.c (kho_radix_add_key).
 */
import type { Generation } from '../generation.ts';
import { LINUX_7_2 } from './linux-7.2.ts';

export const LINUX_7_3: Generation = { ...LINUX_7_2, id: '7.3', releases: ['7.3'] };
