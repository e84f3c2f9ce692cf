/** `inspect`: real captures exactly, damage as findings, and a clear word about everything else. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { debugfsName } from '#src/abi/decode/debugfs';
import { ALL_CAPTURES, asSet, capture, CAPTURES } from '../src/abi/captures.ts';
import { kernelOf, pack, putU64 } from '../src/abi/captures.ts';
import type { Capture } from '../src/abi/captures.ts';
import {
  ROOT_BYTES,
  ROOT_USED,
  TWO,
  expectBrokenOrSame,
  expectNoException,
  pageAt,
  pagesOf,
  run,
} from './root-damage.ts';

interface Finding {
  readonly rule: string;
  readonly severity: string;
  readonly message: string;
}

interface Document {
  readonly compatible: string;
  readonly verdict: string;
  readonly scratch: readonly { phys: string; bytes: string }[];
  readonly preserved: readonly { phys: string; order: number }[];
  readonly trackerPages: readonly { phys: string; level: number }[];
  readonly subtrees: readonly { name: string; phys: string; bytes: string }[];
  readonly root: Readonly<Record<'fdt' | 'scratchArray' | 'tracker', string | null>>;
  readonly writers: readonly string[];
  readonly kernels: readonly { kernel: string; outcome: string; reasons: readonly string[] }[];
  readonly findings: readonly Finding[];
}

const inspectJson = (path: string): Document & { status: number } => {
  const { status, out, err } = run(path, true);
  expect(err).toBe('');
  return { ...(JSON.parse(out) as Document), status };
};

const scratchDirectory = mkdtempSync(join(tmpdir(), 'kho-inspect-'));
afterAll(() => rmSync(scratchDirectory, { recursive: true }));
let made = 0;

/** A directory with these files, or a file of these bytes. */
const make = (content: Uint8Array | ReadonlyMap<string, Uint8Array>): string => {
  const path = join(scratchDirectory, `${made++}`);
  if (content instanceof Uint8Array) writeFileSync(path, content);
  else {
    mkdirSync(path);
    for (const [name, bytes] of content) {
      mkdirSync(dirname(join(path, name)), { recursive: true });
      writeFileSync(join(path, name), bytes);
    }
  }
  return path;
};

const hex = (value: number): string => `0x${value.toString(16)}`;

const rulesOf = (findings: readonly Finding[]): string[] => [
  ...new Set(findings.map(({ rule }) => rule)),
];

const ROOTS: Readonly<Record<string, string>> = {
  '6.17': 'kho-v1',
  '6.18': 'kho-v1',
  '6.19': 'kho-v1',
  '7.0': 'kho-v1',
  '7.1': 'kho-v3',
};

/** The outcomes that were derived by reading the sources of all kernels. */
const MATRIX = JSON.parse(
  readFileSync(join(import.meta.dirname, '../fixtures/abi-matrix.json'), 'utf8'),
) as { versions: string[]; outcome: Readonly<Record<string, string[]>> };

const WORDS: Readonly<Record<string, string>> = {
  '=': 'same',
  R: 'refused',
  C: 'misread',
  P: 'panic',
  L: 'ignored',
};

/** By chance none of its keys lies behind the part of a bitmap that 6.17 reads. */
const LUCKY = 'k6.18.15-n2-512M-pct300/gen0';

describe.each(ALL_CAPTURES.map((each) => [each.name, each] as const))('%s', (name, each) => {
  const { expected } = each;
  const document = inspectJson(each.path);
  const kernel = kernelOf(each);

  it('is what the recorder decoded', () => {
    expect(document.root).toEqual({
      fdt: hex(expected.fdt_phys),
      scratchArray: hex(expected.scratch_array_phys),
      tracker: hex(expected.map),
    });
    expect(document.compatible).toBe(ROOTS[kernel] ?? 'kho-v4');
    expect(document.writers).toContain(kernel);
    expect(document.scratch).toEqual(
      expected.scratch.map(([phys, bytes]) => ({ phys: hex(phys), bytes: hex(bytes) })),
    );
    expect(asSet(document.preserved)).toEqual(
      asSet(expected.ranges.map(([phys, order]) => ({ phys: hex(phys), order }))),
    );
    expect(asSet(document.trackerPages)).toEqual(
      asSet(expected.nodes.map(([phys, level]) => ({ phys: hex(phys), level }))),
    );
    const subtrees = Object.entries(expected.subs).map(([blob, [phys, bytes]]) => ({
      name: blob,
      phys: hex(phys),
      bytes: hex(bytes),
    }));
    expect(asSet(document.subtrees)).toEqual(asSet(subtrees));
  });

  it('holds, and what is wrong with its debugfs is told', () => {
    expect(document.status).toBe(0);
    expect(document.verdict).toBe('holds');
    const rules = rulesOf(document.findings);
    // Up to 6.18 the file is there when it is finalized, and whole.
    const shown = kernel === '6.17' || kernel === '6.18';
    const wrong = name.endsWith('gen0') ? 'DBG-01' : 'DBG-02';
    if (shown) expect(rules).toEqual([]);
    else expect(rules).toContain(wrong);
    expect(rules.filter((rule) => !/^DBG-0[126]$/.test(rule))).toEqual([]);
    expect(document.findings.every(({ severity }) => severity === 'warning')).toBe(true);
  });

  it('becomes with every kernel what reading the sources says', () => {
    expect(document.kernels.map((each) => each.kernel)).toEqual(MATRIX.versions);
    const outcomes = MATRIX.outcome[kernel]!.map((letter) => WORDS[letter]);
    if (name === LUCKY) outcomes.fill('same', 0, 2);
    expect(document.kernels.map(({ outcome }) => outcome)).toEqual(outcomes);
    for (const { outcome, reasons } of document.kernels) {
      if (name !== LUCKY) expect(reasons.length > 0).toBe(outcome !== 'same');
    }
  });

  it('fits 80 columns and ends with the verdict', () => {
    const { status, out } = run(each.path, false);
    expect(status).toBe(0);
    for (const line of out.split('\n').slice(1)) expect(line.length).toBeLessThanOrEqual(80);
    expect(out).toMatch(/\nholds: \d+ rules asked, 0 errors, \d+ warnings?\n$/);
    expect(out).toContain('\nNext kernel, with the same page size\n');
    expect(out).not.toContain('\x1b');
  });
});

describe('every capture of 7.3.4 on x86-64', () => {
  const mine = CAPTURES.filter(({ name }) => name.startsWith('k7.3.4-'));

  it('is among these', () => {
    expect(mine.length).toBe(26);
  });

  it('has no decoded.json beside it, so nothing can have looked there', () => {
    for (const { files } of ALL_CAPTURES) expect(files).not.toContain('decoded.json');
  });

  it('and a decoded.json that lies changes nothing', () => {
    const [each] = mine;
    const path = make(new Map(each!.files.map((name) => [name, each!.file(name)])));
    const before = run(path, true);
    for (const name of ['decoded.json', 'final_fdt.bin', 'final_sub_LUO.bin']) {
      mkdirSync(join(path, 'x'), { recursive: true });
      rmSync(join(path, name), { force: true });
      mkdirSync(join(path, name));
    }
    expect(run(path, true)).toEqual(before);
  });

  it('shows freed memory as its incoming LUO blob, on most boots', () => {
    const freed = mine.filter(({ path }) => rulesOf(inspectJson(path).findings).includes('DBG-06'));
    expect(freed.length).toBeGreaterThan(10);
  });
});

const ONE = capture('k7.3.4-n1-256M-fixed/gen0');

/** A capture of `each` with its pages changed and files added. */
const changed = (
  each: Capture,
  change: (pages: Map<number, Uint8Array>) => void,
  files: Readonly<Record<string, string>> = {},
): string => {
  const content = pagesOf(each);
  change(content.pages);
  const all = new Map([['pages.bin', pack(content)]]);
  all.set('scratch.json', each.file('scratch.json'));
  for (const [name, text] of Object.entries(files)) all.set(name, Buffer.from(text));
  return make(all);
};

describe('a copy of debugfs on its own', () => {
  const nested = (each: Capture): string => {
    const files = new Map<string, Uint8Array>();
    for (const name of each.files) {
      const path = debugfsName(name);
      if (path !== undefined && name !== 'pages.bin.zst') files.set(path, each.file(name));
    }
    return make(files);
  };
  const flat = (each: Capture): string =>
    make(
      new Map(
        each.files
          .filter((name) => /^(in|out)__/.test(name))
          .map((name) => [name, each.file(name)]),
      ),
    );

  it.each([
    ['nested', nested],
    ['flat', flat],
  ])('is judged, in the %s spelling', (_name, copy) => {
    const first = inspectJson(copy(ONE));
    expect(first.status).toBe(1);
    expect(first.verdict).toBe('broken');
    expect(first.findings).toContainEqual({
      rule: 'DBG-01',
      severity: 'error',
      message: 'out/fdt has 233 bytes, its header says 405',
    });
    const second = inspectJson(copy(TWO));
    expect(second.status).toBe(1);
    expect(second.findings).toContainEqual({
      rule: 'DBG-02',
      severity: 'error',
      message: 'out/fdt is missing, although KHO is on',
    });
    expect(second.compatible).toBe('kho-v4');
    expect(second.root.fdt).toBeNull();
    expect(second.scratch).toHaveLength(3);
    expect(run(copy(TWO), false).out).toContain('debugfs copy');
  });

  it('that is complete holds', () => {
    const files = new Map<string, Uint8Array>([['out/fdt', ONE.file('final_fdt.bin')]]);
    for (const name of ['LUO', 'memblock', 'kexec-metadata', 'kho_test']) {
      files.set(`out/sub_fdts/${name}`, ONE.file(`final_sub_${name}.bin`));
    }
    const document = inspectJson(make(files));
    expect(document.findings).toEqual([]);
    expect(document.status).toBe(0);
  });
});

describe('a bare device tree', () => {
  it('of a real kernel holds', () => {
    const document = inspectJson(join(ONE.path, 'final_fdt.bin'));
    expect(document.status).toBe(0);
    expect(document.root).toEqual({
      fdt: null,
      scratchArray: null,
      tracker: hex(ONE.expected.map),
    });
    expect(document.subtrees).toHaveLength(4);
    expect(run(join(ONE.path, 'final_fdt.bin'), false).status).toBe(0);
  });

  it('cut off is broken', () => {
    const { status, findings } = inspectJson(join(ONE.path, 'out__fdt.bin'));
    expect(status).toBe(1);
    expect(findings.map(({ rule }) => rule)).toContain('HND-01');
  });

  const bad = join(import.meta.dirname, '../fixtures/fdt/bad');
  const known = JSON.parse(readFileSync(join(bad, 'expected.json'), 'utf8')) as {
    file: string;
    expect: { check_full: number; khoPopulate: string };
  }[];

  it('that is bad is a finding or malformed, never a throw', () => {
    expect(known.length).toBe(633);
    const count = { bad: 0, fine: 0 };
    for (const { file, expect: expected } of known) {
      const { status, out, err } = run(join(bad, file), true);
      // Some of these are unusual, but nothing is wrong with them.
      const fine = expected.check_full === 0;
      count[fine ? 'fine' : 'bad']++;
      expect(fine ? [0, 1, 3] : [1, 2], file).toContain(status);
      expect(out === '', file).toBe(status === 2);
      expect(err === '', file).toBe(status !== 2);
      expect(run(join(bad, file), false).status).toBe(status);
      if (status !== 0) continue;
      // What we let pass, the kernel takes for a handover; or it is that of the kernel before.
      const { compatible } = JSON.parse(out) as Document;
      if (compatible === 'kho-v4') expect(expected.khoPopulate, file).toBe('ok');
      else expect(['kho-v1', 'kho-v3'], file).toContain(compatible);
    }
    expect(count.bad).toBeGreaterThan(400);
  });

  it('of another generation is read as that', () => {
    const tree = TWO.file('in__fdt.bin');
    const at = Buffer.from(tree).indexOf('kho-v4');
    const as = (digit: number): Document & { status: number } => {
      tree[at + 5] = 0x30 + digit;
      return inspectJson(make(tree));
    };
    const first = as(1);
    expect(first.status).toBe(1);
    expect(first.findings.map(({ message }) => message)).toContain('fdt(/LUO#fdt): is missing');
    expect(first.writers).toEqual(['6.16', '6.17', '6.18', '6.19', '7.0']);
    const third = as(3);
    expect([third.status, third.writers]).toEqual([0, ['7.1']]);
    const outcomes = third.kernels.map(({ outcome }) => outcome);
    expect(outcomes).toEqual([...Array<string>(5).fill('refused'), 'same', 'refused', 'refused']);
    expect(as(2).subtrees.every(({ bytes }) => bytes === '0x0')).toBe(true);
  });
});

describe('a damaged capture', () => {
  it('that is not damaged holds', () => {
    expect(inspectJson(changed(TWO, () => {})).status).toBe(0);
  });

  it('with an archive cut off at any of many lengths is broken', () => {
    const packed = TWO.file('pages.bin.zst');
    for (let length = 4; length < packed.length; length += 13) {
      const path = make(new Map([['pages.bin.zst', packed.subarray(0, length)]]));
      const { status, findings } = inspectJson(path);
      expect(status).toBe(1);
      expect(findings.map(({ message }) => message).join()).toMatch(/archive: (ends|it holds)/);
    }
    const raw = pack(pagesOf(TWO));
    for (let length = 1000; length < raw.length; length += 7919) {
      const { status, findings } = inspectJson(make(raw.subarray(0, length)));
      expect(status).toBe(1);
      expect(findings.map(({ message }) => message).join()).toContain('archive: it ends early');
    }
  });

  const nodes = TWO.expected.nodes;
  const level = (wanted: number): number => nodes.find(([, at]) => at === wanted)![0];
  const slotOf = (page: Uint8Array): number => page.findIndex((byte) => byte !== 0) & ~7;
  const pointed = (at: number, to: number): Document & { status: number } =>
    inspectJson(
      changed(TWO, (pages) => {
        const page = pageAt(pages, level(at));
        putU64(page, slotOf(page), to);
      }),
    );

  it.each([5, 4, 3, 2, 1])('with a cycle at level %i is broken', (at) => {
    const { status, findings } = pointed(at, TWO.expected.map);
    expect(status).toBe(1);
    expect(findings.some(({ message }) => message.includes('closes a cycle'))).toBe(true);
    expect(rulesOf(findings)).toContain('HND-04');
  });

  it.each([5, 4, 3, 2, 1])('with a pointer out of the archive at level %i is broken', (at) => {
    const { status, findings } = pointed(at, 0x7f000000);
    expect(status).toBe(1);
    expect(findings.some(({ message }) => message.includes('not there'))).toBe(true);
  });

  it('with the wrong page size recorded is broken, and decoded all the same', () => {
    for (const size of [16384, 65536, 8192, -1]) {
      const path = changed(TWO, () => {}, { 'meta.json': `{"page_size": ${size}}` });
      const { status, findings, preserved } = inspectJson(path);
      expect(status).toBe(1);
      expect(rulesOf(findings)).toEqual(['REC-01']);
      expect(preserved).toHaveLength(TWO.expected.ranges.length);
    }
  });

  it('with other scratch recorded than there is, is broken', () => {
    const path = changed(TWO, () => {}, { 'scratch.json': '[[4194304, 4194304]]' });
    expect(rulesOf(inspectJson(path).findings)).toEqual(['REC-02']);
  });

  it('with its scratch array gone, or one area changed, is broken', () => {
    const at = TWO.expected.scratch_array_phys;
    const gone = changed(TWO, (pages) => void pages.delete(at / 4096));
    expect(rulesOf(inspectJson(gone).findings)).toContain('HND-15');
    const moved = changed(TWO, (pages) => putU64(pageAt(pages, at), 0, 0x8000000));
    expect(rulesOf(inspectJson(moved).findings)).toContain('REC-02');
  });

  it('with scratch over its preserved memory is broken', () => {
    const at = TWO.expected.scratch_array_phys;
    const path = changed(TWO, (pages) => putU64(pageAt(pages, at), 0, 0x1000000));
    const rules = rulesOf(inspectJson(path).findings);
    expect(rules).toEqual(expect.arrayContaining(['HND-07', 'HND-12']));
  });

  it('with a blob that is not what its name says is broken', () => {
    const [phys] = TWO.expected.subs['LUO']!;
    const path = changed(TWO, (pages) => pageAt(pages, phys).fill(0));
    const { status, findings } = inspectJson(path);
    expect(status).toBe(1);
    expect(findings[0]).toMatchObject({ rule: 'HND-19', severity: 'error' });
  });

  const every = Array.from({ length: ROOT_BYTES }, (_, byte) => byte);

  // Every byte of the page, and every bit of the tree, is a campaign: root-damage.slow.ts.
  it('with a byte of the root inverted is broken, or no different', () => {
    expectBrokenOrSame(every.filter((byte) => byte < ROOT_USED || byte % 16 === 0));
  });

  it('with a bit of the root flipped is never an exception', () => {
    expectNoException(every.slice(0, ROOT_USED), (byte) => byte % 8);
  });
});

describe('input that cannot be recognised', () => {
  const refused = (path: string): string => {
    for (const json of [true, false]) {
      const { status, out, err } = run(path, json);
      expect([status, out]).toEqual([2, '']);
      expect(err.split('\n')).toHaveLength(2);
    }
    return run(path, true).err;
  };

  it('is refused in one sentence that says where and what to do', () => {
    expect(refused('/nowhere/at/all')).toMatch(/^kho-check: \/nowhere\/at\/all: there is no /);
    expect(refused(make(new Map()))).toContain('the directory is empty');
    expect(refused(make(new Uint8Array(0)))).toContain('the file is empty');
    expect(refused(make(Buffer.from('hello, this is a text')))).toContain('neither a device tree');
    expect(refused(make(new Map([['a.txt', Buffer.from('x')]])))).toContain('no page archive');
    expect(refused('/dev/null')).toContain('not a regular file');
  });

  it('is a chain of captures instead of one, and the hint names one', () => {
    expect(refused(dirname(ONE.path))).toContain(`name one generation, as in ${ONE.path}`);
  });

  it('is an empty archive in a capture, or records that are no JSON', () => {
    const path = make(new Map([['pages.bin.zst', new Uint8Array(0)]]));
    expect(refused(path)).toContain('pages.bin.zst: the file is empty');
    expect(refused(changed(TWO, () => {}, { 'meta.json': '{' }))).toContain('is not JSON');
    const scratch = changed(TWO, () => {}, { 'scratch.json': '[[1]]' });
    expect(refused(scratch)).toContain('scratch.json 0.1');
  });
});

it('an archive with all preserved pages of order 0 gives the same', () => {
  const all = inspectJson(join(ONE.path, 'pages_order0.bin.zst'));
  const few = inspectJson(join(ONE.path, 'pages.bin.zst'));
  expect(all).toEqual(few);
});

it('names out of foreign bytes cannot reach the terminal', () => {
  const tree = readFileSync(join(ONE.path, 'final_fdt.bin'));
  tree[tree.indexOf('LUO')] = 0x1b;
  const { out } = run(make(tree), false);
  expect(out).toContain('\\x1bUO');
  expect(out).not.toContain('\x1b');
});
