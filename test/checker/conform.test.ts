/** Recordings of a real kernel: all of it is explained, and nothing that was tampered with is. */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NEWEST_KERNEL } from '#model/kernels';
import { DEVIATIONS, conform } from '#src/checker/conform';
import type { Conformance } from '#src/checker/conform';
import { SHIPPED_FAULTS, bootRecorded, judgeRecording, parseRecording } from '#src/cli/conform';
import { faultById } from '#src/kho/faults';

const DIRECTORY = join(import.meta.dirname, '../fixtures/recorded-traces');
const FILES = readdirSync(DIRECTORY).sort();

/** A recording as JSON, to be changed. */
interface Json {
  kernel: string;
  node_ranges: number[][];
  scratch: number[][];
  base_keys: [number, number][];
  ops: [string, string][];
  keys_after: [number, number][];
  restore_ops: [string, string, number][];
  pages_still_carrying_magic: [number, number][];
}

const TEXTS = new Map(FILES.map((file) => [file, readFileSync(join(DIRECTORY, file), 'utf8')]));
const load = (file: string): Json => JSON.parse(TEXTS.get(file)!) as Json;
const judge = (json: Json, file = 'x.json'): Conformance =>
  judgeRecording(parseRecording(file, json));

/** Judges with other kernels than the right ones. */
const judgeWith = (json: Json, intended: readonly string[], shipped: readonly string[]) => {
  const boot = (ids: readonly string[]) =>
    bootRecorded(
      NEWEST_KERNEL,
      ids.map((id) => faultById(id)!),
    );
  return conform(parseRecording('x.json', json), {
    generation: NEWEST_KERNEL.generation,
    intended: boot(intended),
    shipped: boot(shipped),
  });
};

const total = (all: readonly Conformance[], count: (each: Conformance) => number): number =>
  all.reduce((sum, each) => sum + count(each), 0);

describe('recordings of Linux 7.3.4', () => {
  const all = FILES.map((file) => judge(load(file), file));

  it('are explained to the last answer, key and mark', () => {
    expect(all).toHaveLength(30);
    expect(all.flatMap(({ file, unknown }) => unknown.map((each) => ({ file, ...each })))).toEqual(
      [],
    );
    expect(all.every(({ keysEqual }) => keysEqual)).toBe(true);
  });

  it('deviate exactly so often', () => {
    expect(total(all, (each) => each.operations)).toBe(9000);
    expect(total(all, (each) => each.restores)).toBe(4054);
    expect(total(all, (each) => each.accepted)).toBe(12760);
    expect(DEVIATIONS.map((cause) => total(all, (each) => each.deviations[cause]))).toEqual([
      75, 188, 31,
    ]);
  });

  it('count every answer once', () => {
    for (const each of all) {
      const { S1, S14, S15 } = each.deviations;
      expect(each.accepted + S1 + S14 + S15).toBe(each.operations + each.restores);
    }
  });

  it('deviate in restores alone', () => {
    for (const file of FILES) {
      const { accepted, unknown } = judge({ ...load(file), restore_ops: [] });
      expect([file, accepted]).toEqual([file, 300]);
      expect(unknown.every(({ op }) => op === 'pages_still_carrying_magic')).toBe(true);
    }
  });

  it('are not explained without the faults of the release', () => {
    const faultless = FILES.map((file) => judgeWith(load(file), [], []));
    expect(total(faultless, ({ deviations }) => deviations.S1 + deviations.S14)).toBe(0);
    expect(faultless.map(({ unknown }) => unknown.length > 0)).toEqual(
      all.map(({ deviations }) => deviations.S1 + deviations.S14 > 0),
    );
    const each = SHIPPED_FAULTS.map((id) =>
      total(
        FILES.map((file) => judgeWith(load(file), [], [id])),
        ({ unknown }) => unknown.length,
      ),
    );
    expect(each.every((unknown) => unknown > 0)).toBe(true);
  });

  it('are no deviations that are known when the intended kernel has them too', () => {
    const same = FILES.map((file) => judgeWith(load(file), SHIPPED_FAULTS, SHIPPED_FAULTS));
    expect(total(same, ({ deviations }) => deviations.S14)).toBe(0);
    expect(total(same, ({ unknown }) => unknown.length)).toBeGreaterThanOrEqual(188);
  });

  it('tell a kernel whose blocks span nodes by its keys', () => {
    const spans = judgeWith(load('numa2-1.json'), [], [...SHIPPED_FAULTS, 'preserve-spans-nodes']);
    expect(spans.keysEqual).toBe(false);
    expect(spans.unknown.some(({ expected }) => expected.endsWith('the shipped kernel'))).toBe(
      true,
    );
  });
});

describe('a recording that was tampered with', () => {
  const someFile = fc.constantFrom(...FILES).map(load);
  const at = fc.nat();
  const check = (change: (json: Json, seed: number) => [number, string]): void => {
    fc.assert(
      fc.property(someFile, at, (json, seed) => {
        const [index, op] = change(json, seed);
        const { unknown } = judge(json);
        expect(unknown.map((each) => [each.index, each.op])).toEqual([[index, op]]);
        expect(unknown[0]!.recorded).not.toBe(unknown[0]!.expected);
      }),
      { numRuns: 25, seed: 4 },
    );
  };

  it('in one answer of a preservation is unknown there and nowhere else', () => {
    check(({ ops }, seed) => {
      const index = seed % ops.length;
      ops[index]![1] = ops[index]![1] === 'ok' ? 'err -22' : 'ok';
      return [index, ops[index]![0]];
    });
  });

  it('in one answer of a restore', () => {
    check(({ restore_ops: ops }, seed) => {
      const index = seed % ops.length;
      const [asked, answer] = ops[index]!;
      ops[index]![1] = answer === 'err -2' ? `ok pfn ${asked.split(' ')[1]!.slice(2)}` : 'err -2';
      return [index, asked];
    });
  });

  it('in the address or the error of a restore', () => {
    check(({ restore_ops: ops }, seed) => {
      const index = seed % ops.length;
      const [asked, answer] = ops[index]!;
      ops[index]![1] = answer === 'err -2' ? 'err -12' : 'ok pfn 1';
      return [index, asked];
    });
  });

  it('in one page count', () => {
    check(({ restore_ops: ops }, seed) => {
      const index = seed % ops.length;
      ops[index]![2] += seed % 2 === 0 ? 1 : -1;
      return [index, ops[index]![0]];
    });
  });

  it('in one key: left out, added, or of another order', () => {
    fc.assert(
      fc.property(someFile, at, (json, seed) => {
        const keys = json.keys_after;
        const index = seed % keys.length;
        const change = seed % 3;
        const [phys, order] = keys[index]!;
        if (change === 0) keys.splice(index, 1);
        else if (change === 1) keys.push([0x300000, 0]);
        else keys[index] = [phys, order === 0 ? 11 : 0];
        if (change === 2 && phys % 2 ** 23 !== 0 && order === 0) keys[index] = [0x301000, 0];
        const { keysEqual, unknown } = judge(json);
        expect(keysEqual).toBe(false);
        expect(unknown.map(({ op }) => op)).toEqual(
          Array.from({ length: change === 2 ? 2 : 1 }, () => 'keys_after'),
        );
      }),
      { numRuns: 30, seed: 5 },
    );
  });

  it('in one base key', () => {
    const json = load('flat-1.json');
    json.base_keys.pop();
    expect(judge(json)).toMatchObject({ keysEqual: false });
  });

  it('in one mark', () => {
    const without = load('flat-1.json');
    const [gone] = without.pages_still_carrying_magic.splice(1, 1);
    const hex = `0x${gone![0].toString(16)}`;
    expect(judge(without).unknown).toEqual([
      { op: 'pages_still_carrying_magic', index: -1, recorded: 'no mark', expected: hex },
    ]);
    const added = load('flat-1.json');
    added.pages_still_carrying_magic.push([0x2345, 1]);
    expect(judge(added).unknown).toEqual([
      { op: 'pages_still_carrying_magic', index: 4, recorded: '0x2345', expected: 'no mark' },
    ]);
  });
});

/** Two nodes of 32 MiB and a bit, so that the border is aligned to 16 pages only. */
const BORDER = 0x2010;
const tiny = (change: Partial<Json>): Json => ({
  kernel: '7.3.4',
  node_ranges: [
    [0, 0x1000, BORDER * 4096 - 1],
    [1, BORDER * 4096, 0x3fffffff],
  ],
  scratch: [
    [0x400000, 0x400000],
    [0x800000, 0x400000],
  ],
  base_keys: [],
  ops: [],
  keys_after: [],
  restore_ops: [],
  pages_still_carrying_magic: [],
  ...change,
});

const NONE = { S1: 0, S14: 0, S15: 0 };
const key = (pfn: number, order: number): [number, number] => [pfn * 4096, order];

describe('a small recording', () => {
  it('of a kernel that keeps the law is accepted', () => {
    const kept = tiny({
      ops: [
        ['pp 0x2000 64', 'ok'],
        ['pp 0x4ff 1', 'err -22'],
        ['pp 0x3000 0', 'ok'],
        ['upp 0x7000 9', 'ok'],
      ],
      keys_after: [key(0x2000, 4), key(BORDER, 4), key(0x2020, 5)],
      restore_ops: [
        ['rp 0x2000 63', 'err -2', 0],
        ['rp 0x2000 64', 'ok pfn 2000', 64],
        ['rp 0x2000 64', 'err -2', 0],
      ],
    });
    const { accepted, deviations, unknown, keysEqual } = judge(kept);
    expect({ accepted, deviations, unknown, keysEqual }).toEqual({
      accepted: 7,
      deviations: NONE,
      unknown: [],
      keysEqual: true,
    });
  });

  it('shows S1 where a range crosses nodes: the rest stays marked, and may be restored', () => {
    const cut = tiny({
      ops: [['pp 0x2000 64', 'ok']],
      keys_after: [key(0x2000, 4), key(BORDER, 4), key(0x2020, 5)],
      restore_ops: [
        ['rp 0x2000 64', 'ok pfn 2000', 16],
        ['rp 0x2000 16', 'err -2', 0],
        ['rp 0x2010 16', 'ok pfn 2010', 16],
      ],
      pages_still_carrying_magic: [[0x2020, 1]],
    });
    const { accepted, deviations, unknown } = judge(cut);
    expect(unknown).toEqual([]);
    expect({ accepted, ...deviations }).toEqual({ ...NONE, accepted: 3, S1: 1 });
  });

  it('shows S1 where a part of a block is asked for and all of it comes', () => {
    const part = tiny({
      ops: [['pp 0x3000 8', 'ok']],
      keys_after: [key(0x3000, 3)],
      restore_ops: [['rp 0x3000 1', 'ok pfn 3000', 8]],
    });
    expect(judge(part)).toMatchObject({ accepted: 1, deviations: { ...NONE, S1: 1 }, unknown: [] });
  });

  it('shows S14 where a range ends too far, once', () => {
    const long = tiny({
      ops: [['pp 0x3000 8', 'ok']],
      keys_after: [key(0x3000, 3)],
      restore_ops: [
        ['rp 0x3000 9', 'err -2', 8],
        ['rp 0x3000 8', 'err -2', 0],
      ],
    });
    expect(judge(long)).toMatchObject({
      accepted: 2,
      deviations: { ...NONE, S14: 1 },
      unknown: [],
    });
  });

  it('shows S15 where a page was preserved twice', () => {
    const twice = tiny({
      ops: [
        ['pp 0x3000 8', 'ok'],
        ['pp 0x3004 1', 'ok'],
      ],
      keys_after: [key(0x3000, 3), key(0x3004, 0)],
      restore_ops: [
        ['rp 0x3000 8', 'ok pfn 3000', 8],
        ['rp 0x3004 1', 'ok pfn 3004', 1],
        ['rp 0x3004 1', 'err -2', 0],
      ],
    });
    expect(judge(twice)).toMatchObject({
      accepted: 4,
      deviations: { ...NONE, S15: 1 },
      unknown: [],
    });
  });

  it('may have been short of memory, if nothing is kept then', () => {
    const short = tiny({ ops: [['pp 0x3000 8', 'err -12']] });
    expect(judge(short)).toMatchObject({ accepted: 1, unknown: [], keysEqual: true });
    const kept = tiny({ ...short, keys_after: [key(0x3000, 3)] });
    expect(judge(kept)).toMatchObject({ keysEqual: false });
    const unpreserve = tiny({ ops: [['upp 0x3000 8', 'err -12']] });
    expect(judge(unpreserve).unknown).toMatchObject([{ index: 0, expected: 'ok' }]);
  });

  it('needs scratch that a kernel fits into', () => {
    const small = tiny({
      scratch: [[0x400000, 0x8000]],
      restore_ops: [['rp 0x3000 1', 'err -2', 0]],
    });
    expect(judge(small).unknown).toMatchObject([{ index: -1, op: 'kexec' }]);
  });

  it('is told in the words of the rule where both kernels answer what the law refuses', () => {
    const odd = judgeWith(
      tiny({ ops: [['pp 0x400 1', 'ok']], keys_after: [key(0x400, 0)] }),
      ['preserves-scratch'],
      ['preserves-scratch'],
    );
    expect(odd.unknown[0]).toMatchObject({
      index: 0,
      recorded: 'ok',
      expected: 'PRS-01: frame 0x400 touches scratch, answered 0',
    });
  });

  it('is unknown where the intended kernel does not answer what the law accepts', () => {
    const refused = tiny({ ops: [['pp 0x400 1', 'err -22']] });
    expect(judgeWith(refused, ['preserves-scratch'], []).unknown).toMatchObject([
      { index: 0, recorded: 'err -22', expected: 'ok' },
      { op: 'keys_after', expected: '0x400 order 0, says the intended kernel' },
    ]);
  });

  it('is S15 only where memory was restored before', () => {
    const part = tiny({
      ops: [['pp 0x3000 8', 'ok']],
      keys_after: [key(0x3000, 3)],
      restore_ops: [['rp 0x3000 1', 'ok pfn 3000', 8]],
    });
    const both = ['restore-partly', 'restore-ignores-orders'];
    expect(judgeWith(part, both, both)).toMatchObject({
      deviations: NONE,
      unknown: [
        {
          index: 0,
          recorded: 'ok at 0x3000, 8 pages',
          expected: expect.stringMatching(/^RST-04: /) as string,
        },
      ],
    });
  });

  it('has the keys of the law, whatever both kernels have', () => {
    const spans = tiny({
      ops: [['pp 0x2000 64', 'ok']],
      keys_after: [key(0x2000, 6)],
      pages_still_carrying_magic: [[0x2000, 1]],
    });
    const { unknown } = judgeWith(spans, ['preserve-spans-nodes'], ['preserve-spans-nodes']);
    expect(unknown).toMatchObject([
      { index: 0, recorded: '0x2000 order 6', expected: 'not there, says the law' },
      { index: -1, recorded: 'not there', expected: '0x2000 order 4, says the law' },
      { index: -1, recorded: 'not there', expected: '0x2010 order 4, says the law' },
      { index: -1, recorded: 'not there', expected: '0x2020 order 5, says the law' },
    ]);
  });

  it('of a kernel without S1 and S14 shows S15 alone', () => {
    const fixed = tiny({
      ops: [
        ['pp 0x3000 8', 'ok'],
        ['pp 0x3004 1', 'ok'],
      ],
      keys_after: [key(0x3000, 3), key(0x3004, 0)],
      restore_ops: [
        ['rp 0x3000 9', 'err -2', 0],
        ['rp 0x3000 1', 'err -2', 0],
        ['rp 0x3000 8', 'ok pfn 3000', 8],
        ['rp 0x3004 1', 'ok pfn 3004', 1],
      ],
    });
    expect(judge(fixed)).toMatchObject({ deviations: { ...NONE, S15: 1 }, unknown: [] });
    const across = tiny({
      ops: [
        ['pp 0x1f80 128', 'ok'],
        ['pp 0x1fc0 128', 'ok'],
      ],
      keys_after: [key(0x1f80, 7), key(0x1fc0, 6), key(0x2000, 4), key(BORDER, 4), key(0x2020, 5)],
      restore_ops: [
        ['rp 0x1f80 128', 'ok pfn 1f80', 128],
        ['rp 0x1fc0 128', 'ok pfn 1fc0', 128],
      ],
    });
    expect(judge(across)).toMatchObject({ deviations: { ...NONE, S15: 1 }, unknown: [] });
  });
});
