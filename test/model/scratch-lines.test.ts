/** Machines with `kho_scratch=`: which values are drawn, what is told, what fits and what not. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { machineShapes, planOf } from '#model/generators';
import { NEWEST_KERNEL } from '#model/kernels';
import { buildMachine, earlyProblem, plainShape, shapeProblem } from '#model/machines';
import type { MachineShape } from '#model/machines';
import { EARLY_SCRATCH_LINES, SCRATCH_LINES, lineCount } from '#model/scratch-lines';
import { tightShape } from '#model/tight-scratch';
import type { Step } from '#model/step';
import type { ExecutedCall } from '#src/checker/run-trace';
import { Tally } from '#src/checker/tally';
import { runnerFor } from '#src/cli/systems';
import { machineText } from '#src/cli/tell';

const runner = runnerFor(NEWEST_KERNEL, []);
const with_ = (
  scratchLines: (string | null)[],
  more: Partial<MachineShape> = {},
): MachineShape => ({
  ...plainShape(),
  scratchLines,
  ...more,
});

/** Frames of the areas after each boot, as the law follows them; `off` without KHO. */
const areasOfBoots = (machine: MachineShape, steps: readonly Step[]): string[] => {
  const boots: string[] = [];
  const plan = planOf({ machine, steps });
  const watch = ({ call, value }: ExecutedCall, state: Parameters<Watch>[1]): void => {
    if (call.action !== 'coldBoot' && call.action !== 'kexec') return;
    const slots = Array.from({ length: machine.nodes.length + 2 }, (_, i) =>
      state.areaCount.get(i),
    );
    boots.push(value === 2 ? 'off' : slots.join(','));
  };
  const { violation } = runner.run(plan, new Tally(), watch);
  expect(violation?.text).toBeUndefined();
  return boots;
};
type Watch = NonNullable<Parameters<typeof runner.run>[2]>;

const boots = (...lines: number[]): Step[] =>
  lines.map((line, id) => ({ id, do: 'boot with', line }));

describe('values of kho_scratch', () => {
  // Appendix A of the facts about KHO's history.
  it.each([
    '0%',
    '4294967295%',
    '4294967296%',
    '0000000200%',
    '00000000200%',
    '0,0,0',
    '0,512M,0',
    '1M,5M,3M',
    '1M,2M',
    '1M,2M,3M,4M',
    '1M,2M,3Mx',
  ])('%j is drawn', (value) => {
    expect(SCRATCH_LINES.flat()).toContain(value);
    const drawn = fc
      .sample(machineShapes({ nodesMin: 1, nodesMax: 4 }), { seed: 1, numRuns: 600 })
      .filter(({ scratchLines }) => scratchLines?.includes(value) === true);
    expect(drawn.length).toBeGreaterThan(0);
  });

  it('of the series before the merge are drawn for them alone, and are certain', () => {
    const draw = (hasOwnOption: boolean): readonly MachineShape[] =>
      fc.sample(machineShapes({ nodesMin: 1, nodesMax: 4, hasOwnOption }), {
        seed: 1,
        numRuns: 400,
      });
    const own = draw(true);
    expect(own.flatMap((shape) => [shapeProblem(shape), earlyProblem(shape)]).join('')).toBe('');
    const drawn = new Set(own.flatMap(({ scratchLines = [] }) => scratchLines));
    const wanted = EARLY_SCRATCH_LINES.flat();
    expect(wanted.filter((line) => !drawn.has(line))).toEqual([]);
    const others = new Set(draw(false).flatMap(({ scratchLines = [] }) => scratchLines));
    expect(others.has('4M,8M')).toBe(false);
    const lines = own.filter((shape) => shape.scratchLines !== undefined);
    for (const shape of lines) {
      expect(
        buildMachine(shape, { hasOldTrees: true, hasOwnOption: true }).scratchLines,
      ).toHaveLength(shape.scratchLines!.length);
    }
  });

  it('of which nobody knows what v4 makes of them are not given to it', () => {
    const unclear = with_(['30M,4M,4M'], { nodes: [0x2400], lowFrames: 0x1400 });
    expect(shapeProblem(unclear)).toBe('');
    expect(earlyProblem(unclear)).toContain('may or may not fit');
    const use = { hasOldTrees: true, hasOwnOption: true };
    expect(buildMachine(unclear, use).scratchLines).toBeUndefined();
    expect(buildMachine(unclear).scratchLines).toHaveLength(1);
  });

  it('are those of the kernel that boots, and of no use on a handover', () => {
    const load: Step[] = [
      { id: 0, do: 'load with', line: 1 },
      { id: 1, do: 'kexec', damage: 0 },
      { id: 2, do: 'load with', line: 1 },
      { id: 3, do: 'kexec', damage: 1 },
    ];
    expect(areasOfBoots(with_(['1M,5M,3M', '0,4M,0']), load)).toEqual([
      '1024,2048,1024',
      '1024,2048,1024',
      '0,1024,0',
    ]);
  });

  it('that are refused leave the default, which is twice what was reserved early', () => {
    const lines = [null, '0%', '0,0,0', '1M,2M', '1M,2M,3Mx', '200%', '42949672950%', 'K,1M,1M'];
    const told = areasOfBoots(with_(lines), boots(1, 2, 3, 4, 5, 6, 7));
    expect(new Set(told)).toEqual(new Set(['1024,0,1024']));
    expect(told).toHaveLength(lines.length);
  });

  it.each([
    ['the first', '1T,4M,4M', {}],
    ['the first, above low memory', '24M,4M,4M', { lowFrames: 0x1400 }],
    ['the one for any node', '4M,1T,4M', {}],
    ['the one of some node', '4M,4M,40M', { nodes: [0x4000, 0x2400, 0x4000] }],
    ['one of more than 64 bits', '16E,4M,4M', {}],
    ['every one', '4294967295%', {}],
  ])('with which %s fits nowhere turn KHO off, and a later boot is none the worse', (...row) => {
    const [, line, more] = row;
    const machine = with_(['4M,4M,4M', line], more);
    expect(shapeProblem(machine)).toBe('');
    const [first, second, third] = areasOfBoots(machine, [
      ...boots(1),
      { id: 1, do: 'alloc', order: 3, node: -1, movable: false },
      { id: 2, do: 'cold boot' },
    ] as Step[]);
    expect(first).toMatch(/^1024,1024,1024/);
    expect([second, third]).toEqual(['off', first]);
  });

  it('ask nothing of a node without memory', () => {
    const machine = with_(['4M,8M,4M'], { nodes: [0x3000, 0, 0x3000] });
    expect(areasOfBoots(machine, [])).toEqual(['1024,2048,1024,0,1024']);
  });
});

describe('scratch that only just fits', () => {
  const shape = { ...plainShape(), nodes: [0x3000, 0x1001, 0x3000] };

  it('takes all of an inner node; one unit more is too much for it', () => {
    const machine = tightShape(shape, 0x400, 0);
    expect(machine.nodes).toEqual([0x3000, 0xc01, 0x3000]);
    expect(shapeProblem(machine)).toBe('');
    expect(areasOfBoots(machine, boots(1, 2))).toEqual([
      '1024,1024,3072,3072,3072',
      'off',
      '1024,1024,2048,2048,2048',
    ]);
  });

  it('may come in any order, and leaves machines of fewer nodes alone', () => {
    const lines = tightShape(shape, 0x400, 4).scratchLines!;
    expect(lines.map((line) => line!.split(',')[2])).toEqual(['16384K', '8192K', '12288K']);
    const two = { ...shape, nodes: [0x3000, 0x3000] };
    expect(tightShape(two, 0x400, 0)).toBe(two);
  });

  it('is asked for only where low memory lies outside the inner node', () => {
    const machine = tightShape(shape, 0x400, 0);
    expect(shapeProblem({ ...machine, lowFrames: 0x3400 })).toContain('may or may not fit');
    expect(shapeProblem({ ...machine, lowFrames: 0x2410 })).toBe('');
  });
});

describe('a machine', () => {
  it('has as many command lines as any of its options has values', () => {
    expect(lineCount(buildMachine(plainShape()))).toBe(1);
    expect(lineCount(buildMachine(with_([null, '1%', '2%'])))).toBe(3);
    expect(lineCount(buildMachine(with_([null], { reserveMem: ['', '4K:4K:a'] })))).toBe(2);
  });

  it('is told with its command lines and with what is unusual about its memory', () => {
    const shape = with_([null, '0%', '4M,4M,4M'], {
      nodes: [0x2000, 0, 0x2000],
      lowFrames: 0x1400,
      hugePages: { order: 5, count: 2 },
      reserveMem: ['4K:0:a'],
    });
    expect(machineText(shape)).toBe(
      'machine: 64 MiB, 3 nodes, border at frame 0x2000; no memory on node 1; low memory ends at ' +
        'frame 0x1400; 2 HugeTLB pages of 32 frames; command line 0: reserve_mem=4K:0:a; ' +
        'command line 1: kho_scratch=0%; command line 2: kho_scratch=4M,4M,4M',
    );
  });

  it.each([
    ['may or may not fit', with_(['20M,20M,20M'])],
    ['may or may not fit', with_([null, '20000%'])],
    ['may or may not fit', with_(['12M,4M,4M'], { lowFrames: 0x1000 })],
    ['low memory is too small', with_(['4M,4M,4M'], { lowFrames: 0x7ff })],
    ['node 0 is too small', with_(['4M,4M,4M'], { nodes: [0x7ff] })],
    ['HugeTLB pages have more', with_([null], { hugePages: { order: 9, count: 3 } })],
  ])('of which scratch %s cannot be tried', (why, shape) => {
    expect(shapeProblem(shape)).toContain(why);
  });
});
