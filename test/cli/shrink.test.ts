/** `shrink --prove` as its users meet it: what is proven, of which traces, and what is not. */
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { colors } from '#src/report/colors';
import { proofText } from '#src/report/proof';
import { shortest } from '#src/checker/shortest';
import { faultsNamed, kernelNamed, runnerFor } from '#src/cli/systems';
import { readTraceFile } from '#src/cli/trace-files';
import { call, complaintOf, inOwnDirectory, untidyLines } from './call.ts';

const CORPUS = resolve('test/corpus');

inOwnDirectory();

beforeAll(() => copyFileSync(`${CORPUS}/unpreserve-first-block.json`, 'trace.json'));

describe('shrink --prove', () => {
  it('prints one document: what was proven, by which search, over which alphabet', async () => {
    const { status, out } = await call('shrink', 'trace.json', '--prove', '--json');
    expect(status).toBe(1);
    const { proof, ...shrunk } = JSON.parse(out);
    expect(shrunk).toMatchObject({ rule: 'PRS-07', steps: 3, path: 'trace.min.json' });
    expect(Object.keys(proof)).toEqual([
      'method',
      'proven',
      'complete',
      'stopped',
      'transitions',
      'states',
      'alphabet',
    ]);
    expect(proof).toMatchObject({ method: 'joint', proven: 2, complete: true, stopped: null });
    expect(proof.alphabet).toMatchObject({
      own: [{ do: 'claim' }, { do: 'preserve' }, { do: 'unpreserve' }],
      roads: [{ do: 'load' }, { do: 'kexec', damage: 0 }, { do: 'cold boot' }],
    });
    expect(JSON.parse(readFileSync('trace.min.json', 'utf8')).steps).toHaveLength(3);
  });

  it('tells it in 80 columns, and ends with the line that replays the trace', async () => {
    const { status, out, err } = await call('shrink', 'trace.json', '--prove');
    expect([status, err]).toEqual([1, '']);
    expect(untidyLines(out)).toEqual([]);
    expect(out).toContain('proven: 3 steps is the least, no shorter trace of these breaks PRS-07');
    expect(out).toMatch(/\d+ transitions from \d+ states tried/);
    expect(out).toContain('claim (place slot 0 0, count 3); preserve; unpreserve');
    expect(out.trimEnd().split('\n').at(-1)).toMatch(/npx kho-check replay trace.min.json$/);
  });

  it('finds what is shorter and made otherwise, and proves that', async () => {
    const area = { do: 'vmalloc', blocks: 1, order: 0, huge: false, other: false, nth: 0 };
    const kexec = { do: 'kexec', damage: 0 };
    const steps = [
      { do: 'load' },
      kexec,
      area,
      area,
      { do: 'preserve', of: 2 },
      { do: 'load' },
      kexec,
      { do: 'restore part', of: 2, count: 2 },
    ].map((step, id) => ({ id, ...step }));
    const file = readTraceFile(`${CORPUS}/s14.json`);
    writeFileSync('detour.json', JSON.stringify({ ...file, steps }));
    const { status, out } = await call('shrink', 'detour.json', '--prove', '--json');
    const { steps: left, rule, proof } = JSON.parse(out);
    expect([status, left, rule, proof.proven, proof.complete]).toEqual([1, 7, 'RST-05', 6, true]);
    const again = await call('replay', 'detour.min.json', '--json');
    expect(JSON.parse(again.out)).toMatchObject({ outcome: 'still fails', step: 6 });
  });

  it('claims nothing when a limit ends it, and is inconclusive', async () => {
    const limited = ['shrink', 'trace.json', '--prove', '--memory-limit', '1K'];
    const { status, out } = await call(...limited);
    expect(status).toBe(3);
    expect(untidyLines(out)).toEqual([]);
    expect(out).toContain('not proven: no trace of up to 0 steps breaks PRS-07; then the memory');
    expect(out).not.toMatch(/^proven/m);
    const { proof } = JSON.parse((await call(...limited, '--json')).out);
    expect(proof).toMatchObject({ complete: false, stopped: 'memory', proven: 0 });
  });

  it('says so when traces were run from their start', () => {
    const file = readTraceFile('trace.json');
    const runner = runnerFor(kernelNamed(file.kernel), faultsNamed(file.faults));
    const text = (most: number): string =>
      proofText(shortest(runner, file, 'PRS-07', most), 'PRS-07', colors(false));
    expect(text(1000)).toMatch(/^proven: 3 steps is the least.*\n {2}\d+ traces run from their/);
    expect(text(7)).toMatch(/^not proven: .* then the number of runs\nended it/);
    expect(untidyLines(text(7))).toEqual([]);
  });

  it.each([
    [['--time', '5s'], /are for a proof; add --prove/],
    [['--memory-limit', '1G'], /are for a proof; add --prove/],
    [['--prove', '--time', 'soon'], /--time takes a time such as/],
  ])('complains in one line: %j', async (options, words) => {
    expect(complaintOf(await call('shrink', 'trace.json', ...options))).toMatch(words);
  });
});
