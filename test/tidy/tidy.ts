/**
 * The house rules, as one function from files to complaints.
 *
 * It reads nothing itself, so a test can hand it a file that breaks a rule and see it caught.
 */
import { crossing, resolve, roomOf } from './rooms.ts';
import type { Room } from './rooms.ts';
import { computedImports, importsOf, lineOf, longFunctions, scan } from './scan.ts';
import type { Scan } from './scan.ts';

/** A file of the project; `text` is empty when it is not text, `bytes` is its size on disk. */
export interface File {
  readonly path: string;
  readonly text: string;
  readonly bytes?: number;
}

/** One broken house rule. */
export interface Complaint {
  readonly rule: string;
  readonly path: string;
  readonly line: number;
  readonly says: string;
}

const LINE_WIDTH_MAX = 100;
const FILE_LINES_MAX = 600;
const FUNCTION_LINES_MAX = 70;
const FILE_BYTES_MAX = 2 * 1024 * 1024;

const TOP_FILES = ['package.json', 'package-lock.json', 'tsconfig.json', 'README.md', 'LICENSE'];
const TOP_DIRECTORIES = ['model', 'spec', 'properties', 'src', 'test'];
const CODE = /\.[cm]?[jt]s$/;
const LAW = /^(?:spec|model|properties)\//;
const PRODUCT = /^(?:spec|model|properties|src)\//;
const FIXTURES = /^test\/fixtures\//;

/** Words that make a run depend on something else than its input. */
const OUTSIDE = ['Date', 'performance', 'process', 'setTimeout', 'setInterval', 'setImmediate'];
const UNREPEATABLE = new RegExp(
  `(?<![.\\w$])(?:${OUTSIDE.join('|')})\\b(?!\\??\\s*:)|\\bMath\\s*\\.\\s*random\\b`,
  'g',
);
const BIGINT = /\b(?:BigInt\w*|bigint)\b|\b\d[\da-fA-FxXob_]*n\b/g;
const PRINTS =
  /(?<![.\w$])console\s*\??\.|\bprocess\s*\??\.\s*(?:stdout|stderr)\b|\bprocess\.emitWarning\b/g;

/** Spelled in pieces, or this file would complain about itself. */
const MACHINE_PATH = `/${'work'}/`;
const SHARED_PATHS = [`..${'/shared'}`, `/${'shared'}/`];
const HOSTS = ['npmjs', 'yarnpkg', 'npmmirror', 'pypi', 'deb.debian', 'archive.ubuntu'];
const REGISTRY = new RegExp(
  `(?<![\\w-])(?:registry\\.[\\w-]+|${HOSTS.join('|').replaceAll('.', '\\.')})\\.(?:org|com)\\b`,
  'gi',
);

type Report = (rule: string, line: number, says: string) => void;

/** Every broken house rule in `files`. `hosts` are further names that must not appear. */
export const tidy = (files: readonly File[], hosts: readonly string[] = []): Complaint[] => {
  const complaints: Complaint[] = [];
  for (const file of files) {
    const report: Report = (rule, line, says) =>
      complaints.push({ rule, path: file.path, line, says });
    checkPlace(file, hosts, report);
    if (CODE.test(file.path) && !FIXTURES.test(file.path)) checkCode(file, report);
  }
  return complaints;
};

const checkPlace = (
  { path, text, bytes }: File,
  hosts: readonly string[],
  report: Report,
): void => {
  const [top = '', ...below] = path.split('/');
  const isFixed = (below.length > 0 ? TOP_DIRECTORIES : TOP_FILES).includes(top);
  if (!isFixed && !top.startsWith('.')) report('top level', 1, 'the top level is fixed');
  if ((bytes ?? Buffer.byteLength(text)) > FILE_BYTES_MAX) report('size', 1, 'is over 2 MiB');
  const forbid = (rule: string, word: string, says: string): void => {
    const at = text.indexOf(word);
    if (at >= 0) report(rule, lineOf(text, at), says);
  };
  forbid('machine path', MACHINE_PATH, 'names a path of one machine');
  for (const word of SHARED_PATHS) forbid('shared path', word, 'leads out of the repository');
  for (const host of hosts) forbid('registry', host, 'names a host of this machine');
  for (const { index } of text.matchAll(REGISTRY)) {
    report('registry', lineOf(text, index), 'names a package registry');
  }
};

const checkCode = (file: File, report: Report): void => {
  const { path, text } = file;
  const room = roomOf(path);
  if (room === undefined) {
    report('room', 1, 'belongs to no room');
    return;
  }
  const source = scan(text);
  checkImports(path, room, source, report);
  checkWords(path, source, report);
  checkShape(path, source, report);
};

const checkImports = (path: string, room: Room, source: Scan, report: Report): void => {
  for (const { specifier, typeOnly, line } of importsOf(source)) {
    const target = resolve(path, specifier);
    if ('ours' in target) {
      const why = crossing(room, target.ours, typeOnly);
      if (why !== undefined) report('wall', line, why);
      if (room.name === 'kho' && target.ours.startsWith('spec/')) {
        report('two readings', line, 'src/kho never imports the law');
      }
    } else if (!room.packages.some((allowed) => allowed.test(specifier))) {
      report('package', line, `${room.name} must not use ${specifier}`);
    }
  }
  if (room.imports !== 'all') {
    for (const line of computedImports(source)) {
      report('wall', line, `${room.name} imports a module that nobody can name`);
    }
  }
};

const checkWords = (path: string, { code, text }: Scan, report: Report): void => {
  const forbid = (where: boolean, rule: string, pattern: RegExp, says: string): void => {
    if (!where) return;
    for (const match of code.matchAll(pattern)) {
      report(rule, lineOf(text, match.index), `${match[0].trim()}: ${says}`);
    }
  };
  forbid(LAW.test(path), 'repeatable', UNREPEATABLE, 'the same input must give the same run');
  forbid(path.startsWith('spec/'), 'bigint', BIGINT, 'the law speaks safe integers');
  const silent = PRODUCT.test(path) && !path.startsWith('src/cli/');
  forbid(silent, 'prints', PRINTS, 'only src/cli prints');
};

const checkShape = (path: string, source: Scan, report: Report): void => {
  if (!path.endsWith('.ts')) return;
  const lines = source.text.replace(/\n$/, '').split('\n');
  lines.forEach((line, index) => {
    const width = Array.from(line).length;
    if (width > LINE_WIDTH_MAX) report('width', index + 1, `${width} columns`);
  });
  if (lines.length > FILE_LINES_MAX) report('file length', 1, `${lines.length} lines`);
  if (!PRODUCT.test(path)) return;
  if (!source.text.startsWith('/**')) report('opening', 1, 'a file opens with what it is: /** …');
  for (const { line, lines: length } of longFunctions(source, FUNCTION_LINES_MAX)) {
    report('function length', line, `a function of ${length} lines`);
  }
};
