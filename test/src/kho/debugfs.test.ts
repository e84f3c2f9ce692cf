/** The files of debugfs: named as real kernels name them, written as they write them, and true. */
import { describe, expect, it } from 'vitest';
import { call } from '#model/call';
import { SUBTREE_NAMES, buildMachine, nameIndex } from '#model/machines';
import { NEWEST_KERNEL } from '#model/kernels';
import { readDebugfs } from '#src/abi/decode/debugfs';
import { decisionsWith, faultById } from '#src/kho/faults';
import { KhoMachine } from '#src/kho/kho-machine';

const SHAPE = {
  pageShift: 12,
  nodes: [0x2000],
  scratch: { lowmem: 0x400, global: 0x400, perNode: 0x400 },
};

const LUO = nameIndex('LUO');

/** A machine that is on, and a preserved folio of one page that is named `LUO`. */
const withBlob = (...faults: readonly string[]) => {
  const { compatible, release } = NEWEST_KERNEL;
  const decisions = decisionsWith(faults.map((id) => faultById(id)!));
  const build = { compatible, release, decisions };
  const system = new KhoMachine(buildMachine(SHAPE), build, SUBTREE_NAMES);
  system.call(call('coldBoot'));
  const pfn = system.call(call('allocPages', { node: -1 })).value;
  system.call(call('write', { pfn, value: 4711 }));
  system.call(call('preserveFolio', { pfn }));
  expect(system.call(call('addSubtree', { pfn, name: LUO, value: 100 })).value).toBe(0);
  return { system, pfn };
};

const jump = (system: KhoMachine, damage = 0): void => {
  expect(system.call(call('kexecFileLoad')).value).toBe(0);
  expect(system.call(call('kexec', { value: damage })).value).toBe(damage === 0 ? 1 : 0);
};

const pathsOf = (system: KhoMachine): string[] => [...system.sees.debugfs().keys()].sort();
const textOf = (system: KhoMachine, path: string): string =>
  new TextDecoder().decode(system.sees.debugfs().get(path)!.read());

const OUT = ['out/fdt', 'out/scratch_len', 'out/scratch_phys', 'out/sub_fdts/kexec-metadata'];
const IN = ['in/fdt', 'in/sub_fdts/LUO', 'in/sub_fdts/kexec-metadata'];

describe('debugfs', () => {
  it('has what a kernel hands over, and after a jump what came', () => {
    const { system } = withBlob();
    expect(pathsOf(system)).toEqual([...OUT, 'out/sub_fdts/LUO'].sort());
    jump(system);
    expect(pathsOf(system)).toEqual([...IN, ...OUT].sort());
    jump(system);
    expect(pathsOf(system)).toEqual([...IN, ...OUT].filter((path) => !path.includes('LUO')).sort());
  });

  it('shows no handover that was refused', () => {
    const { system } = withBlob();
    jump(system, 2);
    expect(pathsOf(system)).toEqual(OUT);
  });

  it('writes numbers as captured kernels do: one a line, 0x and no leading zeros', () => {
    const { system } = withBlob();
    for (const path of ['out/scratch_phys', 'out/scratch_len']) {
      expect(textOf(system, path)).toMatch(/^(0x(0|[1-9a-f][0-9a-f]*)\n){3}$/);
    }
    const files = new Map([...system.sees.debugfs()].map(([name, file]) => [name, file.read()!]));
    files.delete('out/sub_fdts/LUO');
    const copy = readDebugfs(files)!;
    expect(copy.scratchLen).toEqual([0x400000, 0x400000, 0x400000]);
    expect(copy.out?.tree?.subtrees.map((tree) => tree.name)).toEqual(['LUO', 'kexec-metadata']);
    expect(copy.out?.tree?.bytes).toBe(copy.out?.tree?.claimed);
    expect(copy.out?.blobs).toMatchObject([{ name: 'kexec-metadata', bytes: 73 }]);
  });

  it('shows data by its stamp, on both sides of a jump', () => {
    const { system } = withBlob();
    expect(system.sees.debugfs().get('out/sub_fdts/LUO')).toMatchObject({
      length: 100,
      stamp: 4711,
    });
    jump(system);
    const file = system.sees.debugfs().get('in/sub_fdts/LUO')!;
    expect([file.length, file.stamp, file.read()]).toEqual([100, 4711, undefined]);
  });

  it('takes the file of a blob away with the blob', () => {
    const { system, pfn } = withBlob();
    system.call(call('removeSubtree', { pfn }));
    expect(pathsOf(system)).toEqual(OUT);
  });

  it.each([
    ['as intended', [], false],
    ['by kernels that forget it', ['debugfs-freed-blob'], true],
  ] as const)('memory that was given back, %s', (_name, faults, isShown) => {
    const { system, pfn } = withBlob(...faults);
    jump(system);
    system.call(call('restoreFolio', { pfn }));
    expect(pathsOf(system)).toContain('in/sub_fdts/LUO');
    system.call(call('freePages', { pfn }));
    expect(pathsOf(system).includes('in/sub_fdts/LUO')).toBe(isShown);
    for (let i = 0; i < 64; i++) system.call(call('allocPages', { node: -1 }));
    expect(pathsOf(system).includes('in/sub_fdts/LUO')).toBe(isShown);
    expect(pathsOf(system)).toContain('in/sub_fdts/kexec-metadata');
  });

  it('cuts the tree off, or has none, as released kernels do', () => {
    const cut = withBlob('debugfs-tree-cut').system.sees.debugfs().get('out/fdt')!;
    const whole = withBlob().system.sees.debugfs().get('out/fdt')!;
    expect(cut.length).toBeLessThan(whole.length);
    const { system } = withBlob('debugfs-no-tree');
    expect(pathsOf(system)).toContain('out/fdt');
    jump(system);
    expect(pathsOf(system)).not.toContain('out/fdt');
  });
});
