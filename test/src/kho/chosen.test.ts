/** What a device tree tells of a handover is read as it was written, whatever cells there are. */
import { describe, expect, it } from 'vitest';
import { RangeList } from '#model/call';
import { buildMachine, plainShape, shapeProblem } from '#model/machines';
import { throughChosen } from '#src/kho/chosen';
import { INTENDED } from '#src/kho/decisions';

const parameters = {
  image: new RangeList(),
  fdt: 0x1106000,
  scratchArray: 0x3eff0000,
  scratchBytes: 48,
  line: 1,
};
const nothing = { ...parameters, fdt: 0, scratchArray: 0, scratchBytes: 0 };
const machineWith = (...cells: [number, number]) => buildMachine({ ...plainShape(), cells });
const wrong = { ...INTENDED, readsSizeCells: false };

describe('a handover that a device tree tells of', () => {
  it.each([
    [1, 1],
    [1, 2],
    [2, 1],
    [2, 2],
  ])('is found with %i cells an address and %i a size', (address, size) => {
    const machine = machineWith(address, size);
    expect(throughChosen(machine, parameters, INTENDED)).toEqual(parameters);
    const misread = throughChosen(machine, parameters, wrong);
    expect(misread).toEqual(address === size ? parameters : nothing);
    expect(throughChosen(machine, nothing, INTENDED)).toBe(nothing);
  });

  it('may lie above 4 GiB where an address has two cells', () => {
    const vast = { ...machineWith(2, 1), end: 2 ** 32 };
    const high = { ...parameters, fdt: 0xfff_1234_5000, scratchArray: 0x1_0000_0000 };
    expect(throughChosen(vast, high, INTENDED)).toEqual(high);
  });

  it('is told otherwise on a machine without one', () => {
    expect(throughChosen(buildMachine(plainShape()), parameters, wrong)).toBe(parameters);
  });

  it('does not exist on a machine whose addresses do not fit', () => {
    const large = { ...plainShape(), nodes: [2 ** 20 + 1] };
    expect(shapeProblem({ ...large, cells: [1, 2] })).toContain('one cell cannot hold');
    expect(shapeProblem({ ...large, cells: [2, 1] })).toBe('');
    expect(shapeProblem({ ...large, nodes: [2 ** 20], cells: [1, 1] })).toBe('');
  });
});
