/**
 * The series v4 (February 2025): as before, but no merged array, `kho=on`, and scratch is an array
 * of a global area and one for every node.
 *
 * Source: the series "kexec: introduce Kexec HandOver (KHO)" v4 (kernel/kexec_handover.c).
 */
import type { Generation } from '../generation.ts';
import { V3 } from './v3.ts';

export const V4: Generation = {
  ...V3,
  id: 'v4',
  scratch: {
    sizes: ['global', 'node'],
    defaultPercent: 200,
    percent: 'ahead',
    mustNotBeZero: 'each',
    wholeText: false,
    nodes: 'online',
  },
  boot: {
    setupData: { type: 10, bytes: 32 },
    setupFields: ['dt_addr', 'dt_size', 'scratch_addr', 'scratch_size'],
    chosen: ['linux,kho-dt', 'linux,kho-scratch'],
  },
};
