/** `abi show`: every generation, its formats, and what others make of its handover. */
import { describe, expect, it } from 'vitest';
import { WIRE_GENERATIONS } from '#src/abi/description/generations';
import { call, complaintOf, untidyLines } from './call.ts';

const ask = async (...argv: string[]): Promise<string> => {
  const { status, out, err } = await call('abi', 'show', ...argv);
  expect([status, err]).toEqual([0, '']);
  return out;
};

const flat = (text: string): string => text.replace(/\s+/g, ' ');

describe('the table', () => {
  it('has a row for every generation', async () => {
    const out = await ask();
    expect(untidyLines(out)).toEqual([]);
    const lines = out.trimEnd().split('\n');
    expect(lines.slice(1).map((line) => line.split(' ')[0])).toEqual(
      WIRE_GENERATIONS.map(({ id }) => id),
    );
    expect(out).toMatch(/^6\.17 +kho-v1 +bitmaps of 512 bytes +fdt +- +finalize, abort$/m);
    expect(out).toMatch(/^7\.3 +kho-v4 +a radix tree +preserved-data +luo-v5 +stateless$/m);
  });

  it('is all data as JSON', async () => {
    const { generations } = JSON.parse(await ask('--json'));
    expect(generations).toEqual(JSON.parse(JSON.stringify(WIRE_GENERATIONS)));
  });
});

describe('one generation', () => {
  it.each(WIRE_GENERATIONS.map(({ id }) => id))('%s fits a terminal', async (id) => {
    for (const size of ['4K', '16K', '64K']) {
      expect(untidyLines(await ask(id, '--page-size', size))).toEqual([]);
    }
  });

  it('says what tells it from others', async () => {
    const old = flat(await ask('6.17.13'));
    expect(old).toContain('Linux 6.17, 4 KiB pages');
    expect(old).toContain('bitmaps of 512 bytes');
    expect(old).toContain('6.18 misread reads bitmaps of 4096 bytes where bitmaps of 512 bytes');
    const large = flat(await ask('7.0', '--page-size', '64K'));
    expect(large).toContain('tracker bitmaps of 65536 bytes');
    expect(large).toContain('6.19 ignored passes over luo-flb in LUO');
    expect(flat(await ask('v3'))).toContain('without it KHO is off');
    expect(flat(await ask('7.3'))).toContain('the newest known');
  });

  it('is JSON with the outcome of every next kernel', async () => {
    const { generation, pageSize, next } = JSON.parse(await ask('6.19', '--json'));
    expect([generation.id, generation.compatible, pageSize]).toEqual(['6.19', 'kho-v1', 4096]);
    expect(
      next.map(({ kernel, outcome }: Record<string, string>) => `${kernel} ${outcome}`),
    ).toEqual([
      '6.16 misread',
      '6.17 misread',
      '6.18 ignored',
      '6.19 same',
      '7.0 panic',
      '7.1 refused',
      '7.2 refused',
      '7.3 refused',
    ]);
  });

  it('that nobody knows is refused in a line that names those there are', async () => {
    expect(complaintOf(await call('abi', 'show', '6.15'))).toContain('known are v3, v4, v5, 6.16');
    expect(complaintOf(await call('abi', 'show', '\u001b[31m'))).not.toContain('\u001b');
  });
});
