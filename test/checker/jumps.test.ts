/** Jumps between generations: what the bytes foretell, and that only just that is known. */
import { describe, expect, it } from 'vitest';
import { planOf } from '#model/generators';
import { kernelByName } from '#model/kernels';
import { SUBTREE_NAMES, plainShape } from '#model/machines';
import type { Step } from '#model/step';
import type { Told } from '#model/system';
import { GENERATIONS } from '#spec/generations';
import { deviationKey } from '#src/checker/jumps';
import type { JudgeOfJumps } from '#src/checker/jumps';
import { traceOfPair } from '#src/checker/matrix';
import { TraceRunner } from '#src/checker/run-trace';
import { Tally } from '#src/checker/tally';
import { buildOf, runnerFor } from '#src/cli/systems';
import { verdictOfJump } from '#src/cli/verdict-of-jump';
import type { Decisions } from '#src/kho/decisions';
import { KhoMachine } from '#src/kho/kho-machine';

const jump = (from: string, to: string, judge: JudgeOfJumps = verdictOfJump) =>
  runnerFor(kernelByName(from)!, [], judge).run(
    planOf(traceOfPair(kernelByName(to)!, 1)),
    new Tally(),
  );

describe('what is foretold of a jump', () => {
  it.each([
    ['6.17', '6.18', 'misread'],
    ['6.18', '6.17', 'misread'],
    ['6.19', '7.0', 'panic'],
    ['7.0', '6.19', 'ignored'],
  ])('from %s to %s is %s, and explains what broke', (from, to, outcome) => {
    const { violation, known } = jump(from, to);
    expect(violation).toBeDefined();
    expect(known).toMatchObject({ writer: from, reader: to, outcome });
    expect(known!.reasons.length).toBeGreaterThan(0);
    expect(deviationKey(known)).toBe(`${from} ${to} ${outcome}`);
  });

  it.each([
    ['6.18', '7.3'],
    ['7.2', '7.3'],
    ['7.3', '7.3'],
  ])('from %s to %s breaks nothing', (from, to) => {
    expect(jump(from, to)).toMatchObject({ violation: undefined, known: undefined });
  });

  it('is refused as well where the next kernel has no room for scratch of its own', () => {
    const steps: Step[] = [
      { id: 0, do: 'load kernel', kernel: GENERATIONS.indexOf('6.19') },
      { id: 1, do: 'kexec', damage: 0 },
    ];
    const fitting = (line: string) => {
      const machine = { ...plainShape(), scratchLines: [line] };
      const runner = runnerFor(kernelByName('v5')!, [], verdictOfJump);
      return runner.run(planOf({ machine, steps }), new Tally());
    };
    for (const line of ['4M,4M,4M', '0,512M,0']) {
      const { violation, known } = fitting(line);
      expect([violation?.rule.id, known?.outcome]).toEqual(['KEX-04', 'refused']);
    }
  });

  it('explains nothing when it was something else', () => {
    const saying = (outcome: 'ignored' | 'panic' | 'same'): JudgeOfJumps => {
      return () => ({ outcome, reasons: ['somebody says so'] });
    };
    for (const outcome of ['ignored', 'panic', 'same'] as const) {
      const { violation, known } = jump('6.18', '6.17', saying(outcome));
      expect([violation === undefined, known]).toEqual([false, undefined]);
    }
  });

  it('is told of every jump, with who jumps where', () => {
    const told: Told[] = [];
    jump('7.2', '7.3', (_memory, each) => {
      told.push(each);
      return { outcome: 'same', reasons: [] };
    });
    expect(told).toHaveLength(1);
    expect(told[0]).toMatchObject({ writer: '7.2', reader: '7.3', scratchBytes: 48 });
  });

  it('explains no kernel that holds other memory than the bytes say', () => {
    const holdsLess: Partial<Decisions> = {
      reservedFrames: (order) => (order > 2 ? 1 : 2 ** order),
    };
    const [from, to] = [kernelByName('6.18')!, kernelByName('6.17')!];
    const broken = buildOf(to, []);
    const runner = new TraceRunner(
      (machine) =>
        new KhoMachine(machine, buildOf(from, []), SUBTREE_NAMES, () => ({
          ...broken,
          decisions: { ...broken.decisions!, ...holdsLess },
        })),
      from,
      undefined,
      verdictOfJump,
    );
    const { violation, known } = runner.run(planOf(traceOfPair(to, 1)), new Tally());
    expect([violation === undefined, known]).toEqual([false, undefined]);
  });
});
