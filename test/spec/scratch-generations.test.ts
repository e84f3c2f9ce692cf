/** What `kho_scratch=` means to each generation: the law, the implementation, and what it makes. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planOf } from '#model/generators';
import { KERNELS, kernelByName } from '#model/kernels';
import { plainShape } from '#model/machines';
import type { MachineShape } from '#model/machines';
import type { Step } from '#model/step';
import { GENERATIONS, generationOfAge } from '#spec/generations';
import type { Generation } from '#spec/generations';
import { HANDOVER_RULES } from '#spec/handover';
import type { Handover } from '#spec/handover';
import { readScratchOption } from '#spec/scratch-option';
import type { Bytes64 } from '#spec/scratch-option';
import { generationById } from '#src/abi/description/generations';
import { Tally } from '#src/checker/tally';
import { runnerFor } from '#src/cli/systems';
import { seriesDecisions } from '#src/kho/series';
import { intendedGrammar, parseScratchOption } from '#src/kho/scratch-option';

const wide = ({ high, low }: Bytes64): bigint => (BigInt(high) << 32n) | BigInt(low);

/** What the law reads. */
const lawReads = (text: string, generation: Generation): unknown => {
  const request = readScratchOption(text, generation);
  if (request.kind === 'scale') return request.percent;
  if (request.kind === 'refused') return 'refused';
  return [wide(request.lowmem), wide(request.global), wide(request.perNode)];
};

/** What the implementation reads. */
const kernelReads = (text: string, generation: Generation): unknown => {
  const grammar = intendedGrammar(generationById(generation)!.scratch);
  expect(seriesDecisions(generation).scratchGrammar).toEqual(grammar);
  const option = parseScratchOption(text, grammar);
  if (option.kind === 'scale') return option.percent;
  return option.kind === 'refused' ? 'refused' : [option.lowmem, option.global, option.perNode];
};

const M = 1n << 20n;

describe('an option', () => {
  it.each([
    ['1M,2M,3Mx', [[M, 2n * M, 3n * M], 'refused', 'refused']],
    ['1M,2M,3M,4M', [[M, 2n * M, 3n * M], 'refused', 'refused']],
    ['1M,2M,3M,', [[M, 2n * M, 3n * M], 'refused', 'refused']],
    ['1M,2Mx,3M', ['refused', 'refused', 'refused']],
    ['1M,2M', ['refused', 'refused', 'refused']],
    ['1M,2M,', ['refused', 'refused', 'refused']],
    ['1M,2M,x', ['refused', 'refused', 'refused']],
    ['0,512M,0', ['refused', [0n, 512n * M, 0n], [0n, 512n * M, 0n]]],
    ['0,0,0', ['refused', 'refused', 'refused']],
    ['K,1M,1M', ['refused', [0n, M, M], 'refused']],
    ['1M,2M,08', ['refused', 'refused', 'refused']],
    ['1M,2M,018', [[M, 2n * M, 1n], 'refused', 'refused']],
    ['16E,4M,4M', ['refused', [0n, 4n * M, 4n * M], [2n ** 64n - 1n, 4n * M, 4n * M]]],
    [
      '0x10000000000400000,1,1',
      [
        [4n * M, 1n, 1n],
        [4n * M, 1n, 1n],
        [2n ** 64n - 1n, 1n, 1n],
      ],
    ],
    ['0%', ['refused', 'refused', 'refused']],
    ['+200%', [200, 200, 200]],
  ])('%j means to 6.17, 7.1 and 7.3 what it did then', (text, means) => {
    const asked = ['6.17', '7.1', '7.3'] as const;
    expect(asked.map((generation) => lawReads(text, generation))).toEqual(means);
    expect(asked.map((generation) => kernelReads(text, generation))).toEqual(means);
  });

  it.each([
    ['4M,8M', [0n, 4n * M, 0n], [0n, 4n * M, 8n * M]],
    ['1M,2M,3Mx', [0n, M, 0n], [0n, M, 2n * M]],
    ['4M', [0n, 4n * M, 0n], 'refused'],
    ['4M,', [0n, 4n * M, 0n], 'refused'],
    ['4M,0', [0n, 4n * M, 0n], 'refused'],
    ['0,4M', [0n, 0n, 0n], 'refused'],
    ['K,4M', [0n, 0n, 0n], 'refused'],
    ['4Mx,4M', [0n, 4n * M, 0n], 'refused'],
    ['all', [0n, 0n, 0n], 'refused'],
    ['', [0n, 0n, 0n], 'refused'],
    ['150%', [0n, 150n, 0n], 150],
    ['150%x', [0n, 150n, 0n], 150],
    ['0x12c%', [0n, 300n, 0n], 300],
    ['0310%', [0n, 200n, 0n], 200],
    ['08%', [0n, 0n, 0n], 'refused'],
    ['+200%', [0n, 0n, 0n], 'refused'],
    ['%', [0n, 0n, 0n], 'refused'],
    ['0%', [0n, 0n, 0n], 'refused'],
    ['4294967496%', [0n, 4294967496n, 0n], 200],
    ['18446744073709551816%', [0n, 200n, 0n], 200],
    ['16E,4M', [0n, 0n, 0n], 'refused'],
  ])('%j means a size to v3, and two or a percentage to v4', (text, ...means) => {
    const asked = ['v3', 'v4'] as const;
    expect(asked.map((generation) => lawReads(text, generation))).toEqual(means);
    expect(asked.map((generation) => kernelReads(text, generation))).toEqual(means);
  });

  const digits = fc.stringMatching(/^(0x[0-9a-fA-F]{0,17}|0[0-8]{0,3}|[1-9]\d{0,20}|)$/);
  const unit = fc.constantFrom('', '', 'K', 'm', 'E', 'x', ' ', '%');
  const text = fc
    .array(fc.tuple(digits, unit), { minLength: 1, maxLength: 4 })
    .map((parts) => parts.map((part) => part.join('')).join(','));

  it.each(GENERATIONS)('means the same to both readings of %s', (generation) => {
    fc.assert(
      fc.property(text, (each) => {
        expect(kernelReads(each, generation)).toEqual(lawReads(each, generation));
      }),
      { numRuns: 300 },
    );
  });
});

/** Frames of the areas after each boot with the lines of a machine; `off` without KHO. */
const areasOf = (name: string, machine: MachineShape, steps: readonly Step[]): string[] => {
  const boots: string[] = [];
  const { violation } = runnerFor(kernelByName(name)!, []).run(
    planOf({ machine, steps }),
    new Tally(),
    ({ call, value }, state) => {
      if (call.action !== 'coldBoot' && call.action !== 'kexec') return;
      const counts = machine.nodes.map((_, node) => state.areaCount.get(2 + node));
      const all = [state.areaCount.get(0), state.areaCount.get(1), ...counts];
      boots.push(`${generationOfAge(state.runs.get())} ${value === 2 ? 'off' : all.join(',')}`);
    },
  );
  expect(violation?.text).toBeUndefined();
  return boots;
};

const withLine = (text: string, more: Partial<MachineShape> = {}): MachineShape => ({
  ...plainShape(),
  scratchLines: [text],
  ...more,
});

describe('a cold kernel', () => {
  it.each(KERNELS.map(({ name }) => name))('%s has areas of whole units of its own', (name) => {
    const unit = GENERATIONS.indexOf(name as Generation) < GENERATIONS.indexOf('7.2') ? 512 : 1024;
    const want = [1, 3, 1].map((units) => units * (unit === 512 ? 512 : 1024));
    const sizes = unit === 512 ? '1M,5M,1M' : '1M,9M,1M';
    expect(areasOf(name, withLine(sizes), [])).toEqual([`${name} ${want.join(',')}`]);
  });

  it('of a series before the merge has the areas of its own form, or no KHO', () => {
    expect(areasOf('v4', withLine('5M,3M,x'), [])).toEqual(['v4 0,1536,1024']);
    expect(areasOf('v4', withLine('32768%'), [])).toEqual(['v4 0,1024,1024']);
    const lines = { scratchLines: ['5M,3M', null, 'none', '1T'] };
    const boots = [1, 2, 3].map((line, id): Step => ({ id, do: 'boot with', line }));
    const off = ['v3 off', 'v3 off', 'v3 off'];
    expect(areasOf('v3', withLine('', lines), boots)).toEqual(['v3 0,1536,0', ...off]);
  });

  it('of another generation reads the same command line anew', () => {
    const load = (id: number, kernel: Generation): Step[] => [
      { id, do: 'load kernel', kernel: GENERATIONS.indexOf(kernel) },
      { id: id + 1, do: 'kexec', damage: 0 },
    ];
    const steps = [...load(0, '7.1'), ...load(2, '7.3'), ...load(4, '6.17')];
    expect(areasOf('7.3', withLine('2M,2M,4Mx'), steps)).toEqual([
      '7.3 1024,0,1024',
      '7.1 512,0,512',
      '7.3 1024,0,1024',
      '6.17 512,512,1024',
    ]);
  });

  it('counts HugeTLB pages among what it scales by up to 7.2', () => {
    const machine = withLine('1000%', { hugePages: { order: 6, count: 2 } });
    expect(areasOf('7.2', machine, [])).toEqual(['7.2 2048,0,2048']);
    expect(areasOf('7.3', machine, [])).toEqual(['7.3 1024,0,1024']);
  });
});

describe('an empty area', () => {
  it('touches nothing that is preserved, wherever it is said to lie', () => {
    const rule = HANDOVER_RULES.find(({ id }) => id === 'HND-07')!;
    const found = (bytes: number): number => {
      let reports = 0;
      const handover: Handover = {
        pageShift: 12,
        compatible: 'kho-v3',
        fdt: undefined,
        scratchArray: undefined,
        tracker: undefined,
        scratch: [{ phys: 0x2600000, bytes }],
        preserved: [{ phys: 0x2400000, order: 10 }],
        trackerPages: [],
        subtrees: [],
        damage: [],
      };
      expect(rule.find(handover, () => reports++)).toBe(1);
      return reports;
    };
    expect([found(0), found(4096)]).toEqual([0, 1]);
  });
});
