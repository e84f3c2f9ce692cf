/** `conform`: what is printed, the document, exit statuses and every kind of bad input. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { call, complaintOf, inOwnDirectory, untidyLines } from './call.ts';

inOwnDirectory();

const RECORDED = join(import.meta.dirname, '../fixtures/recorded-traces');
const ONE = JSON.parse(readFileSync(join(RECORDED, 'numa2-2.json'), 'utf8')) as Readonly<
  Record<string, unknown>
>;

let made = 0;
/** A directory with these files. */
const directory = (files: Readonly<Record<string, unknown>>): string => {
  const path = `recorded-${made++}`;
  mkdirSync(path);
  for (const [name, content] of Object.entries(files)) {
    writeFileSync(
      join(path, name),
      typeof content === 'string' ? content : JSON.stringify(content),
    );
  }
  return path;
};

const conform = (path: string, ...more: string[]) => call('conform', '--recorded', path, ...more);

describe('conform', () => {
  it('judges the recordings of 7.3.4: every deviation is a known one', async () => {
    const { status, out, err } = await conform(RECORDED);
    expect([status, err]).toEqual([0, '']);
    expect(untidyLines(out)).toEqual([]);
    expect(out).toMatch(/^✓ fake2-1\.json +300 +122 +410 +2 +9 +1 +0$/m);
    expect(out).toMatch(/^ {2}total +9,000 +4,054 +12,760 +75 +188 +31 +0$/m);
    expect(out).toMatch(/^deviates: 294 of 13,054 answers, all in ways that are known\.$/m);
    for (const cause of ['S1 ', 'S14', 'S15'])
      expect(out).toMatch(new RegExp(`^  ${cause}  `, 'm'));
    const names = out.match(/fake2-\d+/g)!;
    expect([names[1], names.at(-1)]).toEqual(['fake2-2', 'fake2-10']);
  });

  it('gives the same as a document', async () => {
    const { status, out } = await conform(RECORDED, '--json');
    expect(status).toBe(0);
    const document = JSON.parse(out) as { verdict: string; files: Record<string, unknown>[] };
    expect(document.verdict).toBe('deviates');
    expect(document.files).toHaveLength(30);
    expect(document.files[0]).toEqual({
      file: 'fake2-1.json',
      kernel: '7.3.4',
      operations: 300,
      restores: 122,
      accepted: 410,
      deviations: { S1: 2, S14: 9, S15: 1 },
      unknown: [],
      keysEqual: true,
    });
  });

  it('fails when something is not explained, and says what', async () => {
    const ops = structuredClone(ONE['ops']) as [string, string][];
    for (const each of ops.slice(0, 7)) each[1] = each[1] === 'ok' ? 'err -22' : 'ok';
    const path = directory({ 'a.json': { ...ONE, ops } });
    const { status, out } = await conform(path);
    expect(status).toBe(1);
    expect(untidyLines(out)).toEqual([]);
    expect(out).toMatch(/^✗ a\.json .* 7$/m);
    expect(out).toContain(`    ${ops[0]![0]} (0)\n      recorded: ${ops[0]![1]}\n      expected: `);
    expect(out).toContain('    and 2 more, see --json\n');
    expect(out).toMatch(/^unknown: 7 recorded things/m);
    const document = JSON.parse((await conform(path, '--json')).out) as {
      verdict: string;
      files: { unknown: { index: number; op: string; recorded: string; expected: string }[] }[];
    };
    expect(document.verdict).toBe('unknown');
    expect(document.files[0]!.unknown).toHaveLength(7);
    expect(document.files[0]!.unknown[0]).toEqual({
      index: 0,
      op: ops[0]![0],
      recorded: ops[0]![1],
      expected: 'ok',
    });
  });

  it('says that all is accepted only when it is', async () => {
    const { ops, keys_after } = ONE;
    const path = directory({
      'a.json': { ...ONE, ops, keys_after, restore_ops: [['rp 0x2001 1', 'err -2', 0]] },
    });
    const result = await conform(path);
    expect(result.status).toBe(1);
    const empty = { ...ONE, ops: [], keys_after: ONE['base_keys'] };
    const marks = { restore_ops: [], pages_still_carrying_magic: [] };
    const kept = directory({ 'a.json': { ...empty, ...marks, ops: [['upp 0x3000 1', 'ok']] } });
    const { status, out } = await conform(kept);
    expect([status, out.trimEnd().split('\n').at(-1)]).toEqual([
      0,
      'conforms: the law accepts all of 1 answers.',
    ]);
  });

  it('is inconclusive where nothing was recorded', async () => {
    const empty = { ops: [], restore_ops: [], pages_still_carrying_magic: [] };
    for (const files of [
      {},
      { 'notes.txt': 'x' },
      { 'a.json': { ...ONE, ...empty, keys_after: ONE['base_keys'] } },
    ]) {
      const path = directory(files);
      const { status, out } = await conform(path);
      expect([status, untidyLines(out)]).toEqual([3, []]);
      expect(out).toMatch(/^inconclusive: /m);
      const document: unknown = JSON.parse((await conform(path, '--json')).out);
      expect(document).toMatchObject({ verdict: 'inconclusive' });
    }
  });

  it('keeps long and hostile names on their line', async () => {
    const name = `${'long-'.repeat(20)}\u001b[31m\u202e.json`;
    const path = directory({ [name]: ONE });
    const { out } = await conform(join('.', path, '.'.repeat(1)));
    expect(untidyLines(out)).toEqual([]);
  });
});

describe('conform refuses', () => {
  const bad = async (content: unknown): Promise<string> =>
    complaintOf(await conform(directory({ 'bad.json': content })));

  it('what is no directory of JSON', async () => {
    expect(complaintOf(await conform('nowhere'))).toBe('cannot read nowhere: ENOENT');
    const path = directory({ 'a.json': ONE });
    expect(complaintOf(await conform(join(path, 'a.json')))).toContain('is not a directory');
    expect(await bad('')).toContain('bad.json is not JSON (truncated?)');
    expect(await bad(JSON.stringify(ONE).slice(0, 5000))).toContain('is not JSON (truncated?)');
    for (const other of ['{}', '[]']) expect(await bad(other)).toContain('trace: kernel: ');
    for (const other of ['null', '7', '"x"'])
      expect(await bad(other)).toContain('the whole file: ');
    mkdirSync(join(path, 'b.json'));
    expect(complaintOf(await conform(path))).toContain('b.json is not a file');
    expect(complaintOf(await call('conform'))).toContain('--recorded');
  });

  it.each([
    [{ kernel: undefined }, 'kernel: '],
    [{ kernel: '6.1.9' }, "kernel: '6.1.9' is not modelled; there is 6.16, 6.17, "],
    [{ kernel: '7.30.1' }, "kernel: '7.30.1' is not modelled"],
    [{ kernel: '7.3.\u001b[31m' }, 'kernel: is not of the form'],
    [{ ops: 7 }, 'ops: '],
    [{ ops: [['pp 0x3000 1']] }, 'ops.0.1: '],
    [{ ops: [['pp 3000 1', 'ok']] }, "ops.0.0: is not of the form 'pp 0x2000 4'"],
    [{ ops: [['rp 0x3000 1', 'ok']] }, 'ops.0.0: '],
    [{ ops: [['pp 0x3000 1', 'fine']] }, 'ops.0.1: '],
    [{ ops: [['pp 0xfffff000 1', 'ok']] }, 'ops.0: it is not in the memory of a node'],
    [{ ops: [['pp 0x2000 9999999', 'ok']] }, 'ops.0: it is not in the memory of a node'],
    [
      { ops: Array.from({ length: 40 }, () => ['pp 0x2000 56000', 'ok']) },
      'ops: more than 2097152 frames',
    ],
    [{ restore_ops: [['rp 0x3000 1', 'ok', 1]] }, 'restore_ops.0.1: '],
    [{ restore_ops: [['rp 0x3000 1', 'err -2', 0.5]] }, 'restore_ops.0.2: '],
    [{ restore_ops: [['rp 0x3000 1', 'err -2']] }, 'restore_ops.0.2: '],
    [{ keys_after: [[4097, 0]] }, 'keys_after.0.0: is no multiple of the page size'],
    [{ keys_after: [[0x3001000, 1]] }, 'keys_after.0: it is not aligned to order 1'],
    [{ base_keys: [[4096, 64]] }, 'base_keys.0.1: '],
    [{ base_keys: [[0, 0]] }, 'base_keys.0: it is not in the memory of a node'],
    [{ scratch: [] }, 'scratch: '],
    [{ scratch: [[4096]] }, 'scratch.0.1: '],
    [{ scratch: [[2 ** 40, 4096]] }, 'scratch.0: it is not in the memory of a node'],
    [
      { scratch: Array.from({ length: 5 }, () => [0x400000, 4096]) },
      'scratch: 5 areas are more than 2 nodes',
    ],
    [{ node_ranges: [] }, 'node_ranges: '],
    [{ node_ranges: [[0, 4096, 4097]] }, 'node_ranges.0: it holds no whole page'],
    [{ node_ranges: [[1, 4096, 2 ** 28 - 1]] }, 'node_ranges.0: node 1 follows node -1'],
    [{ node_ranges: [[0, 4096, 2 ** 44]] }, 'node_ranges: there are 2^32 frames or more'],
    [{ pages_still_carrying_magic: [7] }, 'pages_still_carrying_magic.0: '],
  ])('%j', async (change, complaint) => {
    const line = await bad({ ...ONE, ...change });
    expect(line).toContain('bad.json is no recorded trace: ');
    expect(line).toContain(complaint);
  });

  it('nodes that do not ascend or come in parts', async () => {
    const ranges = [
      [0, 4096, 2 ** 20 - 1],
      [1, 2 ** 20, 2 ** 27 - 1],
    ];
    const back = { ...ONE, node_ranges: [...ranges, [2, 4096, 2 ** 20 - 1]] };
    expect(await bad(back)).toContain('node_ranges.2: it does not ascend');
    const parts = { ...ONE, node_ranges: [...ranges, [0, 2 ** 27, 2 ** 28 - 1]] };
    expect(await bad(parts)).toContain('node_ranges.2: node 0 follows node 1');
  });
});
