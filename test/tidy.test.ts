/** The house rules hold; and each of them, broken on purpose, is reported. */
import { execFileSync } from 'node:child_process';
import { existsSync, lstatSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { tidy } from './tidy/tidy.ts';
import type { Complaint, File } from './tidy/tidy.ts';

const ROOT = join(import.meta.dirname, '..');

const read = (path: string): File => {
  const content = readFileSync(join(ROOT, path));
  const isText = !content.includes(0);
  return { path, text: isText ? content.toString('utf8') : '', bytes: content.length };
};

/** Every file that git tracks or would track. */
const project = (): File[] =>
  execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: ROOT,
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  })
    .split('\0')
    .filter((path) => path !== '' && existsSync(join(ROOT, path)))
    .filter((path) => lstatSync(join(ROOT, path)).isFile())
    .map(read);

/** The registry this machine was told to use, which no file should name. */
const hosts = (): string[] => {
  const registry = process.env['npm_config_registry'];
  const host = registry === undefined ? '' : new URL(registry).host;
  return /^(?:localhost|127\.|\[::1\]|$)/.test(host) ? [] : [host];
};

const tell = ({ path, line, rule, says }: Complaint): string => `${path}:${line} ${rule}: ${says}`;

describe('the house', () => {
  const files = project();
  const complaints = tidy(files, hosts());

  it('is tidy', () => {
    expect(files.length).toBeGreaterThan(10);
    expect(complaints.map(tell)).toEqual([]);
  });

  it('keeps the two readings apart: src/kho never imports spec', () => {
    expect(complaints.filter(({ rule }) => rule === 'two readings').map(tell)).toEqual([]);
  });
});

/** What a file with this code, in this place, breaks. */
const broken = (path: string, code: string, opening = '/** x */\n'): string[] => [
  ...new Set(tidy([{ path, text: `${opening}${code}\n` }]).map(({ rule }) => rule)),
];

const value = (specifier: string): string => `import { x } from '${specifier}';`;
const type = (specifier: string): string => `import type { X } from '${specifier}';`;

describe('a wall', () => {
  it.each([
    ['spec/a.ts', '../model/world.ts'],
    ['spec/a.ts', '#src/kho/boot'],
    ['spec/a.ts', 'fdt-ts'],
    ['model/a.ts', '#properties/suite'],
    ['model/a.ts', '#src/kho/boot'],
    ['properties/a.ts', '#src/checker/lockstep'],
    ['properties/a.ts', '../test/tidy/scan.ts'],
    ['src/fdt-ts/a.ts', '../abi/description/v4.ts'],
    ['src/fdt-ts/a.ts', '#spec/rules'],
    ['src/abi/description/a.ts', 'fdt-ts'],
    ['src/abi/description/a.ts', '../decode/tree.ts'],
    ['src/abi/decode/a.ts', '#src/kho/boot'],
    ['src/abi/decode/a.ts', '../headers/c.ts'],
    ['src/abi/decode/a.ts', '#spec/handover'],
    ['src/abi/headers/a.ts', '#src/checker/lockstep'],
    ['src/abi/diff.ts', '#src/kho/boot'],
    ['src/kho/a.ts', '#model/reference/toy'],
    ['src/kho/a.ts', '#src/abi/decode/tree'],
    ['src/kho/a.ts', '../checker/lockstep.ts'],
    ['src/checker/a.ts', '#src/kho/boot'],
    ['src/checker/a.ts', 'fdt-ts'],
    ['src/checker/a.ts', '#src/report/terminal'],
    ['src/report/a.ts', '#spec/rules'],
    ['src/report/a.ts', '../checker/lockstep.ts'],
  ])('stands between %s and %s', (path, specifier) => {
    expect(broken(path, value(specifier))).toEqual(['wall']);
  });

  it.each([
    ['spec/a.ts', value('./algebra/rule.ts')],
    ['model/a.ts', value('#spec/rules'), value('fast-check')],
    ['properties/a.ts', value('#spec/rules'), value('#model/world')],
    ['src/abi/decode/a.ts', value('fdt-ts'), value('../description/v4.ts'), value('./b.ts')],
    ['src/abi/headers/a.ts', value('../decode/tree.ts'), value('../diff.ts'), value('fzstd')],
    ['src/abi/verdict/a.ts', value('#src/checker/explore'), value('../diff.ts')],
    ['src/kho/a.ts', value('fdt-ts'), value('#src/abi/description/v4'), type('#model/system')],
    ['src/checker/a.ts', value('#src/abi/decode/tree'), value('node:worker_threads')],
    ['src/report/a.ts', type('#src/checker/lockstep'), type('#spec/rules'), value('./b.ts')],
    ['src/cli/a.ts', value('#src/kho/boot'), value('commander'), value('node:fs')],
    ['test/a.ts', value('#src/kho/boot'), value('vitest')],
  ])('has doors in %s', (path, ...code) => {
    expect(broken(path, code.join('\n'))).toEqual([]);
  });

  it('holds for every way to import', () => {
    for (const code of [
      "export * from '#src/kho/boot';",
      "export { x } from '../src/kho/boot.ts';",
      "import '#src/kho/boot';",
      "import\n  x,\n  { type Y }\n  from\n  '#src/kho/boot';",
      "const x = await import('#src/kho/boot');",
      'const x = await import(`#src/kho/boot`);',
      "const x = require('../src/kho/boot.js');",
      "const x = new URL('../src/kho/boot.js', import.meta.url);",
      'const x = await import(name);',
      "const x = await import('#src/' + name);",
      'import "#spec/../src/kho/boot";',
      "/* ' */ import x from '#src/kho/boot'; // '",
      "const re = /['\"]/; import x from '#src/kho/boot';",
      "const s = `${f(`'`)}'`; import x from '#src/kho/boot';",
    ]) {
      expect([code, broken('spec/a.ts', code)]).toEqual([code, ['wall']]);
    }
  });

  it('is not seen in comments and strings', () => {
    for (const code of [
      "// import x from '#src/kho/boot';",
      "/* import x from '#src/kho/boot'; */",
      'const s = "import x from \'#src/kho/boot\';";',
      "const s = `import x from '#src/kho/boot';`;",
    ]) {
      expect([code, broken('spec/a.ts', code)]).toEqual([code, []]);
    }
  });

  it('lets types alone through where types alone may pass', () => {
    for (const code of [value('#model/call'), "import type from '#src/checker/a';"]) {
      expect(broken('src/report/a.ts', code)).toEqual(['wall']);
    }
    expect(broken('src/report/a.ts', "import { type X } from '#model/call';")).toEqual(['wall']);
    expect(broken('src/report/a.ts', "export type { X } from '#model/call';")).toEqual([]);
  });

  it('lets src/kho see of model only the system and its calls', () => {
    expect(broken('src/kho/a.ts', value('#model/system') + value('#model/call'))).toEqual([]);
    expect(broken('src/kho/a.ts', type('#model/topology'))).toEqual(['wall']);
  });

  it('keeps spec out of src/kho, types and all', () => {
    expect(broken('src/kho/a.ts', value('#spec/rules'))).toEqual(['wall', 'two readings']);
    expect(broken('src/kho/a/b.ts', type('../../../spec/rules.ts'))).toEqual([
      'wall',
      'two readings',
    ]);
  });

  it.each([
    ['spec/a.ts', 'fast-check'],
    ['model/a.ts', 'node:fs'],
    ['properties/a.ts', 'picocolors'],
    ['src/fdt-ts/a.ts', 'node:buffer'],
    ['src/abi/description/a.ts', 'fzstd'],
    ['src/abi/headers/a.ts', 'node:fs'],
    ['src/kho/a.ts', 'fast-check'],
    ['src/checker/a.ts', 'commander'],
    ['src/report/a.ts', 'node:fs'],
    ['src/cli/a.ts', 'fast-check'],
  ])('keeps %s from the package %s', (path, name) => {
    expect(broken(path, value(name))).toEqual(['package']);
  });
});

const lines = (count: number): string => 'f();\n'.repeat(count);

describe('a house rule', () => {
  it.each([
    ['top level', 'docs/a.md', ''],
    ['top level', 'notes.txt', ''],
    ['room', 'src/engine/a.ts', ''],
    ['repeatable', 'spec/a.ts', 'const now = Date.now();'],
    ['repeatable', 'model/a.ts', 'const x = `${Math.random()}`;'],
    ['repeatable', 'properties/a.ts', 'const t = performance.now();'],
    ['repeatable', 'model/a.ts', "const e = process.env['X'];"],
    ['repeatable', 'model/a.ts', 'setTimeout(f, 1);'],
    ['bigint', 'spec/a.ts', 'const x = 0xffn;'],
    ['bigint', 'spec/a.ts', 'const x = BigInt(1);'],
    ['bigint', 'spec/a.ts', 'type X = bigint;'],
    ['prints', 'src/checker/a.ts', 'console.log(1);'],
    ['prints', 'src/report/a.ts', "process.stdout.write('x');"],
    ['width', 'test/a.ts', `// ${'x'.repeat(98)}`],
    ['file length', 'test/a.ts', lines(600)],
    ['function length', 'src/kho/a.ts', `const f = (): void => {\n${lines(69)}};`],
    ['function length', 'model/a.ts', `export function f(a: number): void {\n${lines(69)}}`],
    ['function length', 'src/kho/a.ts', `class A {\n  f(a: X<Y>): Z {\n${lines(69)}}\n}`],
    ['machine path', 'README.md', `see /${'work'}/main`],
    ['machine path', 'test/a.ts', `// /${'work'}/main`],
    ['shared path', 'test/a.ts', `const x = '../..${'/shared'}';`],
    ['shared path', 'README.md', `x/${'shared'}/y`],
    ['registry', '.npmrc', `registry=https://registry.${'npmjs'}.org/`],
    ['registry', 'package-lock.json', `"resolved": "https://registry.${'corp'}.com/x"`],
  ])('%s: reported in %s', (rule, path, code) => {
    expect(broken(path, code)).toEqual([rule]);
  });

  it('opening: a source says first what it is', () => {
    expect(broken('spec/a.ts', 'export {};', '')).toEqual(['opening']);
    expect(broken('test/a.ts', 'export {};', '')).toEqual([]);
  });

  it('size: no file is over 2 MiB', () => {
    const file = { path: 'test/fixtures/a.bin', text: '', bytes: 2 * 1024 * 1024 };
    expect(tidy([file])).toEqual([]);
    expect(tidy([{ ...file, bytes: file.bytes + 1 }]).map(({ rule }) => rule)).toEqual(['size']);
  });

  it('registry: a host of this machine is reported', () => {
    const file = { path: '.npmrc', text: 'registry=http://mirror.example/' };
    expect(tidy([file], ['mirror.example']).map(({ rule }) => rule)).toEqual(['registry']);
  });

  it.each([
    ['model/a.ts', "// Date, process\nconst s = 'process.env'; const t = a.process;"],
    ['model/a.ts', 'const x: { process: number } = { process: 1 }; const preprocess = 1;'],
    ['model/a.ts', 'const half = a / 2; const s = "Date"; const q = b / 3;'],
    ['spec/a.ts', 'const x10n_ = 5; const s = `10n`; const begin = 0x10;'],
    ['src/kho/a.ts', `const f = (): void => {\n${lines(68)}};`],
    ['src/kho/a.ts', `const t = {\n${'a: [1],\n'.repeat(90)}};`],
    ['src/kho/a.ts', `class A {\n${'f(): void {}\n'.repeat(90)}}`],
    ['src/kho/a.ts', `export interface A {\n${'f(): void;\n'.repeat(90)}}`],
    ['src/kho/a.ts', `const t = f({\n${'a: 1,\n'.repeat(90)}});`],
    ['test/a.ts', `describe('x', () => {\n${lines(90)}});`],
    ['src/kho/a.ts', `// network/workers, framework, shared, ..`],
    ['.github/a.md', 'a dot-file'],
  ])('leaves in peace: %s', (path, code) => {
    expect(broken(path, code)).toEqual([]);
  });
});
