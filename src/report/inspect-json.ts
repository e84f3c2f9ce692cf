/**
 * An inspection as one JSON document.
 *
 * Addresses and sizes are lower-case hexadecimal strings without padding; null is not known. The
 * shape is a contract: fields are added, never changed.
 */
import type { InspectView } from './inspect-view.ts';

const hex = (value: number): string => `0x${value.toString(16)}`;

const hexOrNull = (value: number | undefined): string | null =>
  value === undefined ? null : hex(value);

/** The document, without a line break at its end. */
export const inspectJson = (view: InspectView): string => {
  const { handover } = view;
  return JSON.stringify({
    compatible: handover.compatible,
    verdict: view.verdict,
    scratch: handover.scratch.map(({ phys, bytes }) => ({ phys: hex(phys), bytes: hex(bytes) })),
    preserved: handover.preserved.map(({ phys, order }) => ({ phys: hex(phys), order })),
    trackerPages: handover.trackerPages.map(({ phys, level }) => ({ phys: hex(phys), level })),
    subtrees: handover.subtrees.map(({ name, phys, bytes }) => ({
      name,
      phys: hex(phys),
      bytes: hex(bytes),
    })),
    root: {
      fdt: hexOrNull(handover.fdt),
      scratchArray: hexOrNull(handover.scratchArray),
      tracker: hexOrNull(handover.tracker),
    },
    writers: view.writers,
    kernels: view.kernels.map(({ kernel, outcome, reasons }) => ({ kernel, outcome, reasons })),
    findings: view.findings.map(({ rule, severity, message }) => ({ rule, severity, message })),
  });
};
