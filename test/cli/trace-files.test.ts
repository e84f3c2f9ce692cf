/** Whatever stands in a trace file: one sentence says what is wrong, or the trace runs. */
import { mkdirSync, writeFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { machineShapes, tracePlans } from '#model/generators';
import { NEWEST_KERNEL } from '#model/kernels';
import { plainShape } from '#model/machines';
import { TRACE_FORMAT, TRACE_VERSION, traceFileText } from '#model/trace-file';
import type { TraceFile } from '#model/trace-file';
import { Tally } from '#src/checker/tally';
import { UsageError } from '#src/cli/io';
import { runnerFor } from '#src/cli/systems';
import { readTraceFile, saveTraceFile } from '#src/cli/trace-files';
import { call, complaintOf, inOwnDirectory, untidyLines } from './call.ts';

inOwnDirectory();

type Json = Readonly<Record<string, unknown>>;

const HEAD = {
  format: TRACE_FORMAT,
  version: TRACE_VERSION,
  kernel: '7.3',
  faults: [],
  machine: plainShape(),
  expect: { outcome: 'holds' },
} as const;

const times = (count: number, ...steps: readonly Json[]): readonly Json[] =>
  Array.from({ length: count }, () => steps).flat();

/** A file of these steps, numbered from 0. */
const fileOf = (steps: readonly Json[], changes: Json = {}): string =>
  JSON.stringify({ ...HEAD, steps: steps.map((step, id) => ({ id, ...step })), ...changes });

const ALLOC = { do: 'alloc', node: -1, order: 0, movable: false };
const SLOT = { at: 'slot', slot: 0, back: 0 };

const write = (text: string | Uint8Array): void => writeFileSync('a.json', text);

/** What `replay` complains about, given this text as a file. */
const refused = async (text: string | Uint8Array): Promise<string> => {
  write(text);
  const line = complaintOf(await call('replay', 'a.json'));
  expect(line).toContain('a.json');
  return line;
};

const outcome = async (text: string): Promise<Json & { status: number }> => {
  write(text);
  const { status, out, err } = await call('replay', 'a.json', '--json');
  expect(err).toBe('');
  return { status, ...(JSON.parse(out) as Json) };
};

describe('a trace file', () => {
  it('that was written is read back as it was', () => {
    const runner = runnerFor(NEWEST_KERNEL, []);
    const shapes = machineShapes({ nodesMin: 1, nodesMax: 4 });
    const property = fc.property(tracePlans(shapes, 40), (plan) => {
      const steps = runner.run(plan, new Tally()).executed;
      const file: TraceFile = { ...HEAD, machine: plan.machine, steps };
      expect(readTraceFile(saveTraceFile(file))).toEqual(file);
      const broken = { ...file, expect: { outcome: 'breaks', rule: 'RST-04', step: -1 } as const };
      const path = saveTraceFile(broken);
      expect(path).toMatch(/^\.kho\/traces\/rst-04-[0-9a-f]{8}\.json$/);
      expect(readTraceFile(path)).toEqual(broken);
    });
    fc.assert(property, { numRuns: 25 });
  });

  it('that is not there or not a file is refused', async () => {
    mkdirSync('directory');
    expect(complaintOf(await call('replay', 'nowhere.json'))).toBe(
      'cannot read the trace file nowhere.json: ENOENT',
    );
    expect(complaintOf(await call('replay', 'directory'))).toContain('directory: it is not a file');
    expect(complaintOf(await call('replay', '/dev/zero'))).toContain('it is not a file');
    expect(() => readTraceFile('nowhere.json')).toThrow(UsageError);
  });

  it('that ends early is refused, wherever it ends', async () => {
    const whole = traceFileText({
      ...HEAD,
      steps: [
        { id: 0, do: 'alloc', node: -1, order: 0, movable: false },
        { id: 1, do: 'claim', place: { at: 'slot', slot: 1, back: 2 }, count: 3 },
        { id: 2, do: 'preserve', of: 1 },
      ],
    });
    write(whole);
    expect((await call('replay', 'a.json')).status).toBe(0);
    for (let end = 0; end < whole.length - 2; end += 50) {
      expect(await refused(whole.slice(0, end))).toContain('is not JSON (truncated?)');
    }
  });

  it.each([
    ['nothing but noise', '\u0000\u001b[31m\n\nnoise\u0007', 'not JSON'],
    ['a number', '7', 'the whole file'],
    ['null', 'null', 'the whole file'],
    ['a list', '[]', 'format'],
    ['ten thousand lists', '['.repeat(1e4) + ']'.repeat(1e4), 'a.json'],
    ['another format', fileOf([], { format: 'x' }), 'format'],
    ['another version', fileOf([], { version: 2 }), 'version'],
    ['no steps', JSON.stringify(HEAD), 'steps'],
    ['an unknown field', fileOf([], { seed: 1 }), 'seed'],
    ['an unknown outcome', fileOf([], { expect: { outcome: 'x' } }), 'expect.outcome'],
    ['a step that is none', fileOf([{ do: 'dance' }]), 'steps.0.do'],
    ['an unknown field of a step', fileOf([{ ...ALLOC, x: 1 }]), 'steps.0.x'],
    ['a missing field', fileOf([ALLOC, { do: 'free' }]), 'steps.1.of'],
    ['a negative id', fileOf([{ do: 'load', id: -1 }]), 'steps.0.id'],
    ['an id twice', fileOf([ALLOC, { do: 'load', id: 0 }]), 'steps.1.id'],
    ['half a step', fileOf([{ do: 'free', of: 0.5 }]), 'steps.0.of'],
    ['a huge number', fileOf([ALLOC]).replace('"order":0', '"order":1e999'), 'steps.0.order'],
    ['no number', fileOf([ALLOC]).replace('"order":0', '"order":NaN'), 'not JSON'],
    ['a text for a number', fileOf([{ ...ALLOC, order: '1' }]), 'steps.0.order'],
    ['too large an order', fileOf([{ ...ALLOC, order: 11 }]), 'steps.0.order'],
    ['a place that is none', fileOf([{ do: 'claim', place: {}, count: 1 }]), 'steps.0.place'],
    ['a range of nothing', fileOf([{ do: 'claim', place: SLOT, count: 0 }]), 'steps.0.count'],
    ['an unknown damage', fileOf([{ do: 'kexec', damage: 5 }]), 'steps.0.damage'],
    ['too many steps', fileOf(times(100_001, { do: 'load' })), 'steps'],
    ['a machine without nodes', machine({ nodes: [] }), 'machine.nodes'],
    ['a machine with 65 nodes', machine({ nodes: Array(65).fill(20000) }), 'machine.nodes'],
    ['a machine that is too large', machine({ nodes: [2 ** 32, 20000] }), 'machine'],
    ['a machine of one frame', machine({ nodes: [1] }), 'machine'],
    ['a machine with half a frame', machine({ nodes: [16384.5] }), 'machine.nodes.0'],
    ['other pages', machine({ pageShift: 13 }), 'machine.pageShift'],
    ['no scratch', machine({ scratch: { lowmem: 0, global: 0, perNode: 0 } }), 'machine'],
    ['scratch of any size', machine({ scratchLines: ['20M,20M,20M'] }), 'machine'],
    ['a number for an option', machine({ scratchLines: [200] }), 'machine.scratchLines.0'],
    ['no command line', machine({ scratchLines: [] }), 'machine.scratchLines'],
    ['blocks of nothing', machine({ widenFrames: 0 }), 'machine.widenFrames'],
    ['half a HugeTLB page', machine({ hugePages: { order: 5 } }), 'machine.hugePages.count'],
    ['far too much memory', fileOf([{ do: 'claim', place: SLOT, count: 2 ** 24 }]), 'steps.0'],
    ['block after block', fileOf(times(257, { ...ALLOC, order: 10 })), 'steps.256'],
    ['an unknown kernel', fileOf([], { kernel: '2.4' }), '2.4'],
    ['an unknown fault', fileOf([], { faults: ['none'] }), 'none'],
  ])('with %s is refused, and the place is named', async (_what, text, where) => {
    write(text);
    expect(complaintOf(await call('replay', 'a.json'))).toContain(where);
    expect(complaintOf(await call('shrink', 'a.json', '--json'))).toContain(where);
  });

  it('of 64 MiB and a byte is not even read', async () => {
    write(Buffer.alloc(2 ** 26 + 1, ' '));
    expect(complaintOf(await call('replay', 'a.json'))).toContain('more than 67108864 bytes');
  });
});

function machine(changes: Json): string {
  return fileOf([], { machine: { ...plainShape(), ...changes } });
}

describe('a trace', () => {
  it.each([
    ['itself', [{ do: 'free', of: 0 }], 0],
    ['a later step', [{ do: 'free', of: 1 }, ALLOC], 0],
    ['a step that made nothing', [{ do: 'load' }, { do: 'preserve', of: 0 }], 1],
    ['a step that is not there', [ALLOC, { do: 'write', of: 77, page: 0 }], 1],
    ['a page outside', [ALLOC, { do: 'write', of: 0, page: 2 ** 32 }], 1],
    [
      'no such border',
      [{ do: 'claim', place: { at: 'node border', node: 63, back: 0 }, count: 1 }],
      0,
    ],
    [
      'no such area',
      [{ do: 'claim', place: { at: 'end of scratch', area: 65, back: 0 }, count: 1 }],
      0,
    ],
    ['no such frame', [{ do: 'claim', place: { ...SLOT, back: 2 ** 32 }, count: 1 }], 0],
    ['no such node', [{ ...ALLOC, node: 63 }], 0],
  ])('whose step names %s no longer applies', async (_what, steps: readonly Json[], step) => {
    const text = fileOf(steps);
    expect(await outcome(text)).toEqual({
      status: 3,
      outcome: 'no longer applies',
      step,
      rule: null,
    });
    const { out } = await call('replay', 'a.json');
    expect(out).toContain(`no longer applies: step ${step} (`);
    expect(untidyLines(out)).toEqual([]);
  });

  const huge = { nodes: [2 ** 30, 2 ** 30, 2 ** 30, 2 ** 30], pageShift: 12 };
  const hugeMachine = { machine: { ...huge, scratch: plainShape().scratch } };
  const loads = times(40, { do: 'load' }, { do: 'kexec', damage: 0 });

  it.each([
    ['without steps', [], {}],
    ['on 16 TiB', [ALLOC, { do: 'preserve', of: 0 }, ...loads], hugeMachine],
    ['across a border at 12 TiB', claimAcross(2), hugeMachine],
    ['of 20,000 loads', times(20_000, { do: 'load' }), {}],
    ['that crowds', [ALLOC, { do: 'preserve', of: 0 }, crowd(1000), crowd(1000), ...loads], {}],
    ['that takes all there is', times(250, { ...ALLOC, order: 10 }), {}],
    [
      'that restores too much',
      [ALLOC, { do: 'preserve', of: 0 }, ...loads.slice(2), { do: 'cold boot' }],
      {},
    ],
  ])('%s runs to its end', async (_what, steps: readonly Json[], changes: Json) => {
    const { status, rule } = await outcome(fileOf(steps, changes));
    expect({ status, rule }).toEqual({ status: 0, rule: null });
  });

  it('that asks to restore 2^24 frames is refused by the system, at once', async () => {
    const part = { do: 'restore part', of: 0, count: 2 ** 24 };
    const claim = { do: 'claim', place: { at: 'slot', slot: 3, back: 0 }, count: 4 };
    const steps = [claim, { do: 'preserve', of: 0 }, ...loads.slice(0, 2), part];
    expect((await outcome(fileOf(steps))).status).toBe(0);
  });
});

function claimAcross(node: number): Json[] {
  const place = { at: 'start of scratch', area: node + 2, back: 5 };
  return [
    { do: 'claim', place, count: 5 },
    { do: 'write', of: 0, page: 4 },
    { do: 'preserve', of: 0 },
  ];
}

function crowd(count: number): Json {
  return { do: 'crowd tree', of: 0, count };
}

describe('any damage', () => {
  const text = fileOf([ALLOC, { do: 'preserve', of: 0 }, { do: 'load' }]);
  const value = fc.constantFrom(
    '-1',
    '1e9',
    '4294967296',
    'null',
    '"x"',
    '[]',
    '{}',
    '0.5',
    'true',
  );

  it('to a number of a good file is refused or runs, and is never our bug', async () => {
    const places = [...text.matchAll(/(?<=[:[,])-?\d+(?=[,\]}])/g)].map((match) => match.index);
    const property = fc.asyncProperty(fc.constantFrom(...places), value, async (at, other) => {
      const rest = text.slice(at).replace(/^-?\d+/, other);
      write(text.slice(0, at) + rest);
      const { status } = await call('replay', 'a.json');
      expect([0, 2, 3]).toContain(status);
    });
    await fc.assert(property, { numRuns: 150 });
  });
});
