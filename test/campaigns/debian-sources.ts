/**
 * Kernel sources out of Debian's packages, for tests that want the real thing.
 *
 * They are fetched with apt from the mirror that the machine is set up with, whatever its suite,
 * into a directory of this checkout that git does not know; nothing is installed. What the mirror
 * no longer serves is told and not asked for again.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const ROOT = resolve('.kho/debian');
const SUITES = ['trixie-backports', 'forky', 'sid', 'experimental'];

/** Paths of a kernel tree that hold something of the ABI. */
const WANTED = [
  '*/include/linux/kho',
  '*/include/linux/kexec_handover.h',
  '*/include/linux/kho_*.h',
  '*/include/asm-generic/kexec_handover.h',
  '*/include/uapi/linux/liveupdate.h',
  '*/kernel/liveupdate',
  '*/kernel/kexec_handover*',
  '*/arch/x86/include/uapi/asm/setup_data.h',
  '*/mm/memblock.c',
  '*/mm/memfd_luo.c',
  '*/lib/test_kho.c',
  '*/Documentation/core-api/kho',
];

const run = (command: string, args: readonly string[], cwd = ROOT, env = {}): boolean => {
  const { status } = spawnSync(command, args, {
    cwd,
    env: { ...process.env, ...env },
    stdio: 'ignore',
    timeout: 900_000,
  });
  return status === 0;
};

/** Where the machine gets its Debian packages. */
const mirror = (): string | undefined => {
  const directory = '/etc/apt/sources.list.d';
  const files = ['/etc/apt/sources.list'];
  if (existsSync(directory)) files.push(...readdirSync(directory).map((f) => join(directory, f)));
  const text = files.flatMap((file) => (existsSync(file) ? [readFileSync(file, 'utf8')] : []));
  return /(https?:\/\/[^\s#]+\/debian)\/?(?=\s|$)/m.exec(text.join('\n'))?.[1];
};

/** Sets apt up in a directory of its own; answers its configuration file. */
const setUp = (): string | undefined => {
  const config = join(ROOT, 'apt.conf');
  if (existsSync(config)) return config;
  const from = mirror();
  if (from === undefined) return undefined;
  for (const path of ['lists/partial', 'cache/archives/partial']) {
    mkdirSync(join(ROOT, path), { recursive: true });
  }
  writeFileSync(join(ROOT, 'status'), '');
  const lines = SUITES.map((suite) => `deb [trusted=yes] ${from} ${suite} main\n`);
  writeFileSync(join(ROOT, 'sources.list'), lines.join(''));
  writeFileSync(
    config,
    [
      `Dir::Etc::sourcelist "${ROOT}/sources.list";`,
      'Dir::Etc::sourceparts "-";',
      `Dir::State "${ROOT}";`,
      `Dir::State::lists "${ROOT}/lists";`,
      `Dir::State::status "${ROOT}/status";`,
      `Dir::Cache "${ROOT}/cache";`,
      'Acquire::Languages "none";',
      '',
    ].join('\n'),
  );
  if (run('apt-get', ['update'], ROOT, { APT_CONFIG: config })) return config;
  rmSync(config);
  return undefined;
};

/** The tree of a release series, as far as the ABI is concerned; undefined where nobody has it. */
export const debianTree = (series: string): string | undefined => {
  const tree = join(ROOT, `linux-${series}`);
  if (existsSync(join(tree, 'kernel'))) return tree;
  const config = setUp();
  if (config === undefined) return undefined;
  const unpacked = join(ROOT, `package-${series}`);
  mkdirSync(unpacked, { recursive: true });
  const name = `linux-source-${series}`;
  const fetched = run('apt-get', ['download', name], unpacked, { APT_CONFIG: config });
  const packed = readdirSync(unpacked).find((file) => file.endsWith('.deb'));
  if (fetched && packed !== undefined && run('dpkg-deb', ['-x', packed, '.'], unpacked)) {
    mkdirSync(tree, { recursive: true });
    const archive = join(unpacked, `usr/src/${name}.tar.xz`);
    const options = ['--strip-components=1', '--wildcards', '--ignore-failed-read'];
    // Paths that a release does not have make tar fail, after it took all the others.
    run('tar', ['-xJf', archive, '-C', tree, ...options, ...WANTED]);
  }
  rmSync(unpacked, { recursive: true, force: true });
  return existsSync(join(tree, 'kernel')) ? tree : undefined;
};

/** `abidiff`, installed or fetched, and what it needs to run; undefined where nobody has it. */
export const abidiff = (): { readonly command: string; readonly env: object } | undefined => {
  if (run('abidiff', ['--version'], '.')) return { command: 'abidiff', env: {} };
  const root = join(ROOT, 'abigail');
  const command = join(root, 'usr/bin/abidiff');
  const env = { LD_LIBRARY_PATH: join(root, 'usr/lib/x86_64-linux-gnu') };
  if (!existsSync(command)) {
    mkdirSync(root, { recursive: true });
    const packages = ['abigail-tools', 'libabigail0', 'libdw1', 'libelf1', 'libxml2', 'libicu72'];
    const more = ['liblzma5', 'libbpf1', 'libctf0'];
    for (const name of [...packages, ...more]) run('apt-get', ['download', name], root);
    for (const file of readdirSync(root)) {
      if (file.endsWith('.deb')) run('dpkg-deb', ['-x', file, '.'], root);
    }
  }
  return run(command, ['--version'], '.', env) ? { command, env } : undefined;
};
