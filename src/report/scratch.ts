/** What scratch costs on a machine and where it lies, as text and as JSON. */
import type { Colors } from './colors.ts';
import { wrap } from './counterexample.ts';

/** One area; an empty one has no address. */
export interface ScratchReportArea {
  readonly area: 'lowmem' | 'global' | 'node';
  readonly node: number | null;
  readonly bytes: bigint;
  readonly phys: number | null;
}

export interface ScratchReport {
  /** Value of `kho_scratch=`, or null when there is none. */
  readonly option: string | null;
  readonly kernel: string;
  readonly pageBytes: number;
  readonly memoryBytes: number;
  readonly nodes: number;
  /** Whether the kernel takes the option; an absent one counts as taken. */
  readonly accepted: boolean;
  /** Whether the default is in force because the option was refused. */
  readonly fallback: boolean;
  /** Whether KHO is on. */
  readonly enabled: boolean;
  /** What the option means, or why it is refused and what holds instead. */
  readonly meaning: string;
  readonly areas: readonly ScratchReportArea[];
  readonly warnings: readonly string[];
}

const UNITS = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB'] as const;

/** A size with the largest unit that leaves it whole; one byte is one byte. */
export const sizeText = (bytes: bigint): string => {
  let unit = 0;
  let value = bytes;
  while (value >= 1024n && value % 1024n === 0n && unit < UNITS.length - 1) {
    value /= 1024n;
    unit++;
  }
  return `${value} ${value === 1n && unit === 0 ? 'byte' : UNITS[unit]!}`;
};

const hex = (value: bigint | number): string => `0x${value.toString(16)}`;

const totalOf = ({ areas }: ScratchReport): bigint =>
  areas.reduce((sum, { bytes }) => sum + bytes, 0n);

const nameOf = ({ area, node }: ScratchReportArea): string =>
  area === 'lowmem' ? 'low memory' : area === 'global' ? 'any node' : `node ${node}`;

const WIDTHS = { name: 12, size: 14 } as const;

const row = (name: string, size: string, address: string): string =>
  `  ${name.padEnd(WIDTHS.name)}${size.padEnd(WIDTHS.size)}${address}`.trimEnd();

/** The text, without a final newline. */
export const scratchText = (report: ScratchReport, colors: Colors): string => {
  const lines = [...heading(report), '', ...wrap(report.meaning, 0), ''];
  if (report.enabled) {
    lines.push(colors.dim(row('area', 'size', 'address')));
    for (const area of report.areas) {
      const address = area.phys === null ? 'none, it is empty' : rangeText(area.phys, area.bytes);
      lines.push(row(nameOf(area), sizeText(area.bytes), address));
    }
    const total = totalOf(report);
    const share = (Number(total) * 100) / report.memoryBytes;
    lines.push(row('total', sizeText(total), `${share.toFixed(1)} % of memory`));
    if (total > 0n) lines.push('', ...wrap(USE, 0));
  } else {
    lines.push(colors.yellow('KHO is off: nothing is reserved, and nothing can be handed over.'));
  }
  for (const warning of report.warnings) {
    lines.push('', ...wrap(`warning: ${warning}`, 0).map(colors.yellow));
  }
  return lines.join('\n');
};

const USE =
  'Scratch is not lost to the system: movable pages, such as page cache and the memory of ' +
  'processes, may use it. Nothing else may.';

const heading = (report: ScratchReport): string[] => {
  const { kernel, nodes } = report;
  const memory = sizeText(BigInt(report.memoryBytes));
  const pages = sizeText(BigInt(report.pageBytes));
  const on = nodes === 1 ? '1 node' : `${nodes} nodes`;
  const name = kernel.startsWith('v') ? `the series ${kernel}` : `Linux ${kernel}`;
  return wrap(`${name}, ${memory} of memory on ${on}, ${pages} pages`, 0);
};

const rangeText = (phys: number, bytes: bigint): string =>
  `${hex(phys)}…${hex(BigInt(phys) + bytes - 1n)}`;

/** One JSON document: sizes and addresses as hexadecimal strings, in bytes. */
export const scratchJson = (report: ScratchReport): string =>
  JSON.stringify({
    option: report.option,
    accepted: report.accepted,
    fallback: report.fallback,
    enabled: report.enabled,
    areas: report.areas.map(({ area, node, bytes, phys }) => ({
      area,
      node,
      bytes: hex(bytes),
      phys: phys === null ? null : hex(phys),
    })),
    totalBytes: hex(totalOf(report)),
    warnings: report.warnings,
  });
