/** `scratch`: how much memory KHO takes, where, and what an option means. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { call, complaintOf, inOwnDirectory, untidyLines } from './call.ts';

const RECORDED = JSON.parse(
  readFileSync(join(import.meta.dirname, '../fixtures/kho_scratch_options.json'), 'utf8'),
) as { value: string; scratch: [number, number][] | null; dmesg: string[] }[];

inOwnDirectory();

const ask = async (...argv: string[]): Promise<string> => {
  const { status, out, err } = await call('scratch', ...argv);
  expect([status, err]).toEqual([0, '']);
  expect(untidyLines(out)).toEqual([]);
  return out;
};

const askJson = async (...argv: string[]) => {
  const { status, out, err } = await call('scratch', ...argv, '--json');
  expect([status, err, out.split('\n').length]).toEqual([0, '', 2]);
  return JSON.parse(out);
};

const plain = (text: string): string => text.replace(/\s+/g, ' ');

describe('the text', () => {
  it('is a table of areas', async () => {
    const out = await ask('--memory', '512M', '--nodes', '1', '--option', '64M,64M,16M');
    expect(out).toMatch(/^Linux 7\.3, 512 MiB of memory on 1 node, 4 KiB pages\n/);
    expect(out).toMatch(/^ {2}low memory {2}64 MiB +0x[0-9a-f]+…0x[0-9a-f]+$/m);
    expect(out).toMatch(/^ {2}any node {4}64 MiB /m);
    expect(out).toMatch(/^ {2}node 0 {6}16 MiB /m);
    expect(out).toMatch(/^ {2}total {7}144 MiB +28\.1 % of memory$/m);
    expect(plain(out)).toContain('warning: addresses are estimated');
  });

  it('says that the default is an estimate', async () => {
    const out = plain(await ask('--memory', '512M'));
    expect(out).toContain('Without kho_scratch= the areas take 200 %');
    expect(out).toContain('total 96 MiB');
    expect(out).toContain('reserves 24 MiB early; --early-reserved says how much it is');
    expect(out).toContain('the largest area has 48 MiB');
  });

  it('says why an option is refused and what holds instead', async () => {
    const out = plain(await ask('--memory', '512M', '--option', '1M,2M,3Mx'));
    expect(out).toContain("kho_scratch=1M,2M,3Mx is refused: 'x' follows the third size.");
    expect(out).toContain('"Malformed early option" and keeps its default, 200 %');
  });

  it('warns of 0%, and of what turns KHO off', async () => {
    const zero = plain(await ask('--memory', '512M', '--option', '0%'));
    expect(zero).toContain('KHO is on without any scratch: no image can be loaded');
    expect(zero).not.toContain('estimated');
    const off = plain(await ask('--memory', '512M', '--option', '1G,1G,1G'));
    expect(off).toContain('KHO is off: nothing is reserved');
    expect(off).toContain('there is no room for 1 GiB in low memory');
  });

  it('shows values that could break a line without breaking one', async () => {
    const out = await ask('--memory', '512M', '--option', `\u001b[31m\n${'x'.repeat(300)}`);
    expect(plain(out)).toContain('kho_scratch=?[31m?xxx');
  });
});

const KEYS = [
  'option',
  'accepted',
  'fallback',
  'enabled',
  'areas',
  'totalBytes',
  'warnings',
] as const;

describe('series before the merge', () => {
  const areas = async (kernel: string, ...option: string[]) => {
    const machine = ['--memory', '1G', '--nodes', '2', '--early-reserved', '24M'];
    const told = option.flatMap((text) => ['--option', text]);
    const document = await askJson(...machine, '--kernel', kernel, ...told);
    return document.areas.map(
      ({ area, bytes }: { area: string; bytes: string }) => `${area} ${Number(bytes) / 2 ** 20}`,
    );
  };

  it('v4 has no area of low memory, and two sizes or a percentage', async () => {
    expect(await areas('v4', '65M,9M,x')).toEqual(['global 66', 'node 10', 'node 10']);
    expect((await areas('v4'))[0]).toBe('global 48');
    expect((await areas('v4', '0x64%x'))[0]).toBe('global 24');
    const out = plain(await ask('--memory', '1G', '--kernel', 'v4', '--option', '65M,9M,8M'));
    expect(out).toMatch(/^the series v4, 1 GiB/);
    expect(out).toContain('asks for 65 MiB on any node and 9 MiB on each node.');
    expect(out).toContain('warning: the kernel ignores what follows the second size');
  });

  it('v3 has one area if somebody asks for it, and else no KHO', async () => {
    expect(await areas('v3', '65M,9M')).toEqual(['global 66']);
    expect(await areas('v3')).toEqual([]);
    expect(await areas('v3', 'much')).toEqual([]);
    const out = plain(await ask('--memory', '1G', '--kernel', 'v3'));
    expect(out).toContain('Without kho_scratch= no scratch is asked for. KHO is off');
  });
});

describe('the JSON document', () => {
  it.each(RECORDED.map((recorded) => [recorded.value, recorded] as const))(
    'has the recorded sizes of kho_scratch=%s',
    async (value, { scratch, dmesg }) => {
      const machine = ['--memory', '512M', '--early-reserved', '24M'];
      const document = await askJson(...machine, '--option', value);
      expect(Object.keys(document)).toEqual(KEYS);
      const isRefused = dmesg.some((line) => line.startsWith('Malformed'));
      expect(document).toMatchObject({
        option: value,
        accepted: !isRefused,
        fallback: isRefused,
        enabled: scratch !== null,
      });
      const sizes = document.areas.map(({ bytes }: { bytes: string }) => Number(bytes));
      expect(sizes).toEqual(scratch?.map(([, bytes]) => bytes) ?? []);
      const total = sizes.reduce((sum: number, bytes: number) => sum + bytes, 0);
      expect(document.totalBytes).toBe(`0x${total.toString(16)}`);
    },
  );

  it('has areas with their names, nodes and places', async () => {
    const document = await askJson('--memory', '1G', '--nodes', '2', '--option', '0,64M,16M');
    expect(document.areas).toEqual([
      { area: 'lowmem', node: null, bytes: '0x0', phys: null },
      { area: 'global', node: null, bytes: '0x4000000', phys: expect.stringMatching(/^0x/) },
      { area: 'node', node: 0, bytes: '0x1000000', phys: expect.stringMatching(/^0x/) },
      { area: 'node', node: 1, bytes: '0x1000000', phys: expect.stringMatching(/^0x/) },
    ]);
  });

  it('has null where no option was given', async () => {
    const document = await askJson('--memory', '512M');
    expect(document).toMatchObject({ option: null, accepted: true, fallback: false });
    expect((await askJson('--memory', '512M', '--option', '')).fallback).toBe(true);
  });

  it('takes an option with its name in front', async () => {
    const document = await askJson('--memory', '512M', '--option', 'kho_scratch=8M,8M,8M');
    expect(document).toMatchObject({ option: '8M,8M,8M', accepted: true });
  });
});

describe('kernels and machines', () => {
  const sizes = async (...argv: string[]): Promise<number[]> =>
    (await askJson(...argv)).areas.map(({ bytes }: { bytes: string }) => Number(bytes));

  it('differ in alignment', async () => {
    const ask1 = ['--memory', '8G', '--option', '1,1,1'];
    expect(await sizes(...ask1)).toEqual([4, 4, 4].map((mib) => mib * 2 ** 20));
    expect(await sizes(...ask1, '--page-size', '16k')).toEqual([32, 32, 32].map((m) => m << 20));
    expect(await sizes(...ask1, '--page-size', '64K')).toEqual([512, 512, 512].map((m) => m << 20));
    expect(await sizes(...ask1, '--kernel', '7.1')).toEqual([1, 1, 2 ** 21]);
  });

  it('without memory on a node', async () => {
    const machine = ['--memory', '256M,0,256M', '--option', '8M,8M,8M'];
    const document = await askJson(...machine);
    expect(document.areas.map(({ node }: { node: number }) => node)).toEqual([null, null, 0, 2]);
    const before = await askJson(...machine, '--kernel', '6.18');
    expect(before.enabled).toBe(false);
    expect(before.warnings.join()).toContain('node 1 has no memory');
  });

  it('with memory above 4 GiB keep low memory low', async () => {
    const { areas } = await askJson('--memory', '6G', '--low-memory', '1G');
    expect(Number(areas[0].phys) + Number(areas[0].bytes)).toBeLessThanOrEqual(2 ** 30);
    expect(Number(areas[1].phys)).toBeGreaterThanOrEqual(2 ** 32);
  });

  it('with 64 KiB pages and 1 GiB have no KHO, as recorded', async () => {
    const { warnings, enabled } = await askJson('--memory', '1G', '--page-size', '64K');
    expect([enabled, warnings.join()]).toEqual([false, expect.stringContaining('512 MiB in low')]);
  });

  it('warn of what a release gets wrong', async () => {
    const machine = ['--memory', '512M', '--option'];
    const wraps = await askJson(...machine, '99E,64M,64M');
    expect(wraps.warnings.join()).toContain('does not fit 64 bits');
    const rest = await askJson(...machine, '64M,64M,64M,1M', '--kernel', '6.17');
    expect(rest).toMatchObject({ accepted: true });
    expect(rest.warnings.join()).toContain('ignores what follows the third size');
  });
});

describe('help', () => {
  it('names every option', async () => {
    const out = await ask('--help');
    for (const name of ['memory', 'nodes', 'option', 'early-reserved', 'low-memory', 'kernel']) {
      expect(out).toContain(`--${name} <`);
    }
  });
});

describe('wrong usage', () => {
  it.each([
    [[], "required option '--memory"],
    [['--memory', 'x'], '--memory takes a size'],
    [['--memory', '0'], '--memory takes a size'],
    [['--memory', '0,0'], '--memory takes 32M to 16T'],
    [['--memory', '256M,'], '--memory takes a size'],
    [['--memory', '31M'], '32M to 16T'],
    [['--memory', '17T'], '32M to 16T'],
    [['--memory', '1G', '--nodes', '0'], '--nodes takes'],
    [['--memory', '1G', '--nodes', '65'], 'to 64'],
    [['--memory', '1G,1G', '--nodes', '3'], '--memory names 2 nodes and --nodes says 3'],
    [['--memory', Array(65).fill('1G').join()], 'at most 64 nodes'],
    [['--memory', '1G', '--page-size', '8K'], "4K, 16K or 64K, not '8K'"],
    [['--memory', '1G', '--page-size', 'x'], '--page-size takes'],
    [
      ['--memory', '1G', '--kernel', '6.15'],
      "no kernel '6.15' is known; there are v3, v4, v5, 6.16, ",
    ],
    [['--memory', '1G', '--early-reserved', '1G'], '--early-reserved takes less'],
    [['--memory', '1G', '--early-reserved', '0'], '--early-reserved takes a size'],
    [['--memory', '8G', '--low-memory', '5G'], '--low-memory takes at most 4G'],
    [['--memory', '1G', '--low-memory', '2G'], '--low-memory takes at most 4G'],
    [['--memory', '1G', 'more'], 'too many arguments'],
  ])('%j is told in one sentence', async (argv, words) => {
    expect(complaintOf(await call('scratch', ...argv))).toContain(words);
  });
});
