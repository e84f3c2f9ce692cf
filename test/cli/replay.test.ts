/** `replay` and `shrink`: a saved trace runs again, and never grows. */
import { readFileSync, writeFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { plainShape } from '#model/machines';
import { call, inOwnDirectory, untidyLines } from './call.ts';

inOwnDirectory();

interface File {
  readonly steps: readonly { readonly id: number; readonly do: string }[];
  readonly [key: string]: unknown;
}

const read = (path: string): File => JSON.parse(readFileSync(path, 'utf8')) as File;

const write = (path: string, file: object): void => writeFileSync(path, JSON.stringify(file));

/** Outcome of `replay --json`, with its exit status. */
const replay = async (path: string, ...options: string[]): Promise<unknown[]> => {
  const { status, out, err } = await call('replay', path, '--json', ...options);
  expect(err).toBe('');
  expect(out).toMatch(/^\{.*\}\n$/);
  const document = JSON.parse(out) as Record<string, unknown>;
  expect(Object.keys(document)).toEqual(['outcome', 'step', 'rule']);
  return [status, document['outcome'], document['step'], document['rule']];
};

describe('a counterexample that was saved', () => {
  let path = '';
  let steps = 0;

  beforeAll(async () => {
    const search = ['--traces', '200', '--seed', '1', '--nodes', '2-4', '--first', '--json'];
    const { status, out } = await call('run', ...search, '--fault', 'preserve-spans-nodes');
    expect(status).toBe(1);
    ({ path, steps } = JSON.parse(out).counterexamples[0]);
  });

  it('still fails at its last step, by its rule', async () => {
    expect(await replay(path)).toEqual([1, 'still fails', steps - 1, 'PRS-07']);
  });

  it('holds when the algorithm is as intended', async () => {
    expect(await replay(path, '--intended')).toEqual([0, 'holds now', null, null]);
    const { status, out } = await call('replay', path, '--intended');
    expect([status, out]).toEqual([0, `holds now: no rule breaks in the ${steps} steps.\n`]);
  });

  it('is told in full, in 80 columns, with the line that replays it', async () => {
    const { status, out, err } = await call('replay', path);
    expect([status, err]).toEqual([1, '']);
    expect(untidyLines(out)).toEqual([]);
    expect(out).toContain(`broken in ${steps} steps`);
    expect(out.trimEnd().split('\n').at(-1)).toBe(`  replay:  npx kho-check replay ${path}`);
  });

  it('no longer applies when a step cannot be executed', async () => {
    const file = read(path);
    const missing = { id: 1000, do: 'free', of: 999 };
    const held = { ...file, faults: [] };
    write('missing.json', { ...held, steps: [missing, ...file.steps] });
    expect(await replay('missing.json')).toEqual([3, 'no longer applies', 0, null]);
    write('missing.json', { ...held, steps: [...file.steps, missing] });
    expect(await replay('missing.json')).toEqual([3, 'no longer applies', steps, null]);
    const { status, out } = await call('replay', 'missing.json');
    expect([status, out]).toEqual([
      3,
      `no longer applies: step ${steps} (free) could not be executed.\n`,
    ]);
  });

  it('names the step of the file, also when others before it were not executed', async () => {
    const file = read(path);
    const missing = { id: 1000, do: 'free', of: 999 };
    write('skips.json', { ...file, steps: [missing, ...file.steps] });
    expect(await replay('skips.json')).toEqual([1, 'still fails', steps, 'PRS-07']);
  });

  it('is shrunk to a file that fails alike and has no more steps', async () => {
    const file = read(path);
    const more = [
      { id: 500, do: 'load' },
      { id: 501, do: 'retrieve subtree', name: 3 },
    ];
    write('long.json', { ...file, steps: [...more, ...file.steps] });
    const { status, out } = await call('shrink', 'long.json', '--json');
    expect(status).toBe(1);
    const shrunk = JSON.parse(out);
    expect(Object.keys(shrunk)).toEqual(['rule', 'steps', 'from', 'executions', 'path']);
    expect(shrunk).toMatchObject({ rule: 'PRS-07', from: steps + 2, path: 'long.min.json' });
    expect(shrunk.steps).toBeLessThanOrEqual(steps);
    expect(read('long.min.json').steps).toHaveLength(shrunk.steps);
    expect((await replay('long.min.json')).slice(0, 2)).toEqual([1, 'still fails']);
  });

  it('does not grow when it is shrunk again, and the file is left alone', async () => {
    const before = readFileSync(path, 'utf8');
    const { status, out } = await call('shrink', path);
    expect(status).toBe(1);
    expect(untidyLines(out)).toEqual([]);
    expect(readFileSync(path, 'utf8')).toBe(before);
    const smaller = path.replace('.json', '.min.json');
    expect(read(smaller).steps.length).toBeLessThanOrEqual(steps);
    expect(await replay(smaller)).toEqual(await replay(path));
  });
});

const HOLDS = {
  format: 'kho-check trace',
  version: 1,
  kernel: '7.3',
  faults: [] as string[],
  machine: plainShape(),
  expect: { outcome: 'holds' },
  steps: [
    { id: 0, do: 'alloc', node: -1, order: 0, movable: false },
    { id: 1, do: 'load' },
  ],
};

describe('a trace', () => {
  it('that holds has nothing to shrink', async () => {
    write('holds.json', HOLDS);
    const text = await call('shrink', 'holds.json');
    expect([text.status, text.out]).toEqual([3, '']);
    expect(text.err).toContain('holds.json breaks no rule');
    const { status, out } = await call('shrink', 'holds.json', '--json');
    expect(status).toBe(3);
    const nothing = { rule: null, steps: 2, from: 2, executions: 1, path: null };
    expect(JSON.parse(out)).toEqual(nothing);
  });

  it('that breaks at the first boot breaks at step -1', async () => {
    const odd = { lowmem: 1000, global: 1024, perNode: 1024 };
    write('odd.json', {
      ...HOLDS,
      faults: ['scratch-unaligned'],
      machine: { ...plainShape(), scratch: odd },
    });
    expect((await replay('odd.json')).slice(0, 3)).toEqual([1, 'still fails', -1]);
    const { out } = await call('replay', 'odd.json');
    expect(out).toContain('broken in 0 steps');
    expect(untidyLines(out)).toEqual([]);
  });
});

describe('a story', () => {
  it('keeps within 80 columns: wide maps, long calls, many nodes', async () => {
    const alloc = (id: number, order: number) => ({
      id,
      do: 'alloc',
      node: -1,
      order,
      movable: false,
    });
    const steps: object[] = [];
    for (let i = 0; i < 6; i++) {
      steps.push(alloc(2 * i, i), { id: 2 * i + 1, do: 'preserve', of: 2 * i });
    }
    steps.push(
      { id: 20, do: 'crowd tree', of: 0, count: 12 },
      { id: 21, do: 'kexec', damage: 2 },
      { id: 22, do: 'load' },
      { id: 23, do: 'kexec', damage: 2 },
      { id: 24, do: 'load' },
      { id: 25, do: 'kexec', damage: 0 },
    );
    const machine = { ...plainShape(), nodes: Array.from({ length: 40 }, (_, i) => 2 ** 26 + i) };
    write('long-story.json', { ...HOLDS, machine, steps, faults: ['any-compatible'] });
    const { status, out } = await call('replay', 'long-story.json');
    expect(status).toBe(1);
    expect(untidyLines(out)).toEqual([]);
    expect(out).toContain('KEX-05');
    expect(out).toMatch(/foreign compatible string/);
  });

  it('gives a wide map the room that its calls do not need', async () => {
    const claim = (slot: number) => {
      return { id: slot, do: 'claim', place: { at: 'slot', slot, back: 0 }, count: 1 };
    };
    const jump = [{ do: 'load' }, { do: 'kexec', damage: 0 }];
    const jumps = [...jump, ...jump].map((step, index) => ({ id: 50 + index, ...step }));
    const steps = [...Array.from({ length: 13 }, (_, slot) => claim(slot)), ...jumps];
    write('wide.json', { ...HOLDS, steps, faults: ['kexecs-not-counted'] });
    const { status, out } = await call('replay', 'wide.json');
    expect(status).toBe(1);
    expect(untidyLines(out)).toEqual([]);
    expect(out).toMatch(/^ +· {2}switch on.* cold +\.( \.){12}$/m);
  });
});
