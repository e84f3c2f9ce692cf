/**
 * How arm64 tells the next kernel where its handover is: two properties of `/chosen`.
 *
 * Each is an address and a size, of as many 32-bit cells as the root of the device tree says, big
 * end first. Sources: drivers/of/kexec.c (of_kexec_alloc_and_setup_fdt), drivers/of/fdt.c
 * (early_init_dt_check_kho). A size of nothing, or of more than there is, cannot be mapped: then
 * there is no handover.
 */
import type { Machine } from '#model/system';
import type { BootParameters } from './boot.ts';
import type { Decisions } from './decisions.ts';

/** Cells of addresses and of sizes below the root. */
export type RootCells = NonNullable<Machine['rootCells']>;

const CELL_BYTES = 4;

/** Writes a number as big-endian cells; behind the last property the node ends. */
const writeCells = (view: DataView, at: number, cells: number, value: number): number => {
  for (let cell = 0; cell < cells; cell++) {
    const shifted = Math.floor(value / 2 ** (32 * (cells - 1 - cell)));
    view.setUint32(at + cell * CELL_BYTES, shifted % 2 ** 32);
  }
  return at + cells * CELL_BYTES;
};

const readCells = (view: DataView, at: number, cells: number): number => {
  let value = 0;
  for (let cell = 0; cell < cells; cell++) {
    value = value * 2 ** 32 + view.getUint32(at + cell * CELL_BYTES);
  }
  return value;
};

/** Token that ends a node, which is what stands behind its last property. */
const END_NODE = 2;

/** An address and a size in bytes, as the next kernel reads them. */
const told = (
  { address, size }: RootCells,
  start: number,
  bytes: number,
  readsSizeCells: boolean,
): readonly [number, number] => {
  const view = new DataView(new ArrayBuffer((address + size + 1) * CELL_BYTES));
  const behind = writeCells(view, writeCells(view, 0, address, start), size, bytes);
  view.setUint32(behind, END_NODE);
  const sizeCells = readsSizeCells ? size : address;
  return [readCells(view, 0, address), readCells(view, address * CELL_BYTES, sizeCells)];
};

/** What a kernel learns of what it is told; the same, but where it reads cells wrongly. */
export const throughChosen = (
  machine: Machine,
  parameters: BootParameters,
  { readsSizeCells }: Decisions,
): BootParameters => {
  const { rootCells, pageShift, end } = machine;
  if (rootCells === undefined || parameters.fdt === 0) return parameters;
  const pageBytes = 2 ** pageShift;
  const { scratchArray, scratchBytes } = parameters;
  const [fdt, treeBytes] = told(rootCells, parameters.fdt, pageBytes, readsSizeCells);
  const [array, arrayBytes] = told(rootCells, scratchArray, scratchBytes, readsSizeCells);
  const canMap = (bytes: number): boolean => bytes > 0 && bytes <= end * pageBytes;
  if (!canMap(treeBytes) || !canMap(arrayBytes)) {
    return { ...parameters, fdt: 0, scratchArray: 0, scratchBytes: 0 };
  }
  return { ...parameters, fdt, scratchArray: array, scratchBytes: arrayBytes };
};
