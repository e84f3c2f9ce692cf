/** Machines with command lines: any that is taken boots, hands its regions on, and says so. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planOf } from '#model/generators';
import { NEWEST_KERNEL } from '#model/kernels';
import { buildMachine, plainShape, shapeProblem } from '#model/machines';
import type { MachineShape } from '#model/machines';
import { COMMAND_LINES, UNKNOWN_REGION, regionFrames, regionNames } from '#model/reserve-mem';
import type { Step } from '#model/step';
import { tellStory } from '#src/checker/story';
import { Tally } from '#src/checker/tally';
import { runnerFor } from '#src/cli/systems';
import { machineText } from '#src/cli/tell';

const runner = runnerFor(NEWEST_KERNEL, []);
const shapeWith = (...reserveMem: string[]): MachineShape => ({ ...plainShape(), reserveMem });

describe('a machine with command lines', () => {
  it('has the names of all of them, each once, and one that none has', () => {
    const machine = buildMachine(shapeWith('4K:0:a 4K:0:b', '', '4K:0:b 4K:0:c 0:0:d'));
    expect(regionNames(machine)).toEqual(['a', 'b', 'c', UNKNOWN_REGION]);
    expect(regionNames(buildMachine(plainShape()))).toEqual([]);
  });

  it('is told with them', () => {
    expect(machineText(shapeWith('4K:0:a 1:0:b', ''))).toBe(
      'machine: 64 MiB, 1 node; command line 0: reserve_mem=4K:0:a reserve_mem=1:0:b; ' +
        'command line 1: nothing',
    );
  });

  it('needs room for its regions and their alignment, unless they are larger than memory', () => {
    expect(regionFrames('4K:0:a 4097:8K:b', 12, 16384)).toBe(1 + 1 + 1 + (2 + 2 + 1));
    expect(regionFrames('64M:0:a', 12, 16384)).toBe(16384);
    expect(regionFrames('65M:0:a', 12, 16384)).toBe(0);
    expect(shapeProblem(shapeWith('43M:4K:a'))).toBe('');
    expect(shapeProblem(shapeWith('', '45M:4K:a'))).toContain('too small for scratch');
    expect(shapeProblem(shapeWith('65M:4K:a'))).toBe('');
    const large = { ...shapeWith('1023M:4K:a 2M:4K:b'), nodes: [2 ** 20] };
    expect(shapeProblem(large)).toContain('regions have more than 262144 frames');
  });

  it('boots and hands over, whatever the lines are', () => {
    const size = fc.constantFrom('1', '64', '2048', '4K', '5000', '300K', '1M', '3M', '99M');
    const align = fc.constantFrom('0', '2K', '4K', '64K', '1M', '8M', '3');
    const name = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k');
    const option = fc.tuple(size, align, name).map((parts) => parts.join(':'));
    const line = fc.array(option, { maxLength: 12 }).map((options) => options.join(' '));
    const nodes = fc.array(fc.integer({ min: 7000, max: 20000 }), { minLength: 1, maxLength: 3 });
    let reserved = 0;
    const property = fc.property(nodes, line, line, (frames, first, second) => {
      const shape = { ...shapeWith(first, second), nodes: frames };
      fc.pre(shapeProblem(shape) === '');
      const steps: Step[] = [];
      for (const region of regionNames(buildMachine(shape)).keys()) {
        steps.push({ id: steps.length, do: 'write region', region, page: 0 });
      }
      for (const load of [{ do: 'load with', line: 1 }, { do: 'load' }] as const) {
        steps.push({ ...load, id: steps.length });
        steps.push({ id: steps.length, do: 'kexec', damage: 0 });
        steps.push({ id: steps.length, do: 'release region', region: 0 });
      }
      const { violation, executed } = runner.run(planOf({ machine: shape, steps }), new Tally());
      expect(violation && `${violation.rule.id}: ${violation.text}`).toBeUndefined();
      reserved += executed.filter((step) => step.do === 'write region').length;
    });
    fc.assert(property, { numRuns: 60, seed: 1 });
    expect(reserved).toBeGreaterThan(100);
  });

  it('is generated with lines that it has room for', () => {
    for (const lines of COMMAND_LINES) expect(shapeProblem(shapeWith(...lines))).toBe('');
  });

  it('tells of regions by their names', () => {
    const steps: Step[] = [
      { id: 0, do: 'find region', region: 1 },
      { id: 1, do: 'release region', region: 0 },
      { id: 2, do: 'find region', region: 0 },
    ];
    const { lines, broken } = tellStory(runner, { machine: shapeWith('4K:4K:a 1:0:b'), steps });
    expect(broken).toBeUndefined();
    expect(lines.slice(1).map(({ call, answer }) => [call, answer])).toEqual([
      ["reserve_mem_find_by_name('b')", expect.stringMatching(/^0x[\da-f]+$/)],
      ["reserve_mem_release_by_name('a')", 'ok'],
      ["reserve_mem_find_by_name('a')", '-ENOENT'],
    ]);
  });
});
