/**
 * A campaign: builds the project once outside of the checkout, then tries mutant after mutant, each
 * in a process of its own, on copies of the build.
 */
import { spawn, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { SourceMap } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mutantsOf, mutated, wordMakers } from './mutator.ts';
import type { Mutant } from './mutator.ts';

/** A mutant, and where people find it. */
export interface Site {
  /** `file:line:col before → after` */
  readonly id: string;
  readonly file: string;
  readonly line: number;
  /** The line of the source, trimmed. */
  readonly source: string;
  readonly mutant: Mutant;
}

/** `invalid` is a mutant that is no program; it does not count. */
export type Verdict = 'killed' | 'timeout' | 'survived' | 'invalid';

export interface Outcome {
  readonly site: Site;
  readonly verdict: Verdict;
  /** What noticed it. */
  readonly by: string;
}

const LEARN_MS = 900_000;
/** A judgement that takes this many times as long as an ordinary one never ends. */
const PATIENCE = 6;
const JUDGE_MS_MIN = 30_000;

/** The compiled project with what it needs to run, in a directory of its own. */
export class Build {
  readonly #root: string;
  readonly #temp: string;
  readonly #learned: string;
  #limit = LEARN_MS;

  constructor(root: string) {
    this.#root = root;
    this.#temp = mkdtempSync(join(tmpdir(), 'kho-check-mutants-'));
    this.#learned = join(this.#temp, 'learned.json');
  }

  remove(): void {
    rmSync(this.#temp, { recursive: true, force: true });
  }

  compile(): void {
    const args = [
      join(this.#root, 'node_modules/typescript/bin/tsc'),
      '-p',
      join(this.#root, 'test/mutation/tsconfig.json'),
      '--outDir',
      join(this.#temp, 'build/dist'),
      '--pretty',
      'false',
    ];
    const tsc = spawnSync(process.execPath, args, { cwd: this.#root, encoding: 'utf8' });
    if (tsc.status !== 0) throw new Error(`the project does not compile:\n${tsc.stdout}`);
    this.#furnish();
  }

  /** Puts beside `dist/` what it imports; `vitest` is our own. */
  #furnish(): void {
    const build = join(this.#temp, 'build');
    copyFileSync(join(this.#root, 'package.json'), join(build, 'package.json'));
    symlinkSync(join(this.#root, 'test/fixtures'), join(build, 'dist/test/fixtures'));
    const modules = join(this.#root, 'node_modules');
    mkdirSync(join(build, 'node_modules/vitest'), { recursive: true });
    for (const name of readdirSync(modules)) {
      if (name.startsWith('.') || name === 'vitest') continue;
      symlinkSync(join(modules, name), join(build, 'node_modules', name));
    }
    const stand = { type: 'module', exports: './index.js' };
    writeFileSync(join(build, 'node_modules/vitest/package.json'), JSON.stringify(stand));
    const from = '../../dist/test/mutation/test-runner.js';
    writeFileSync(join(build, 'node_modules/vitest/index.js'), `export * from '${from}';\n`);
  }

  /** Sees what the law does as it is, and that nothing is wrong with it. */
  async learn(): Promise<void> {
    const learnt = await this.#run('build', 'learn');
    if (learnt.status !== 0) throw new Error(`the law as it is cannot be run:\n${learnt.errors}`);
    const start = performance.now();
    const { status, output, errors } = await this.#run('build', 'judge');
    if (status !== 0 || output !== '') {
      throw new Error(`the law as it is does not pass: ${output}${errors}`);
    }
    this.#limit = Math.max(JUDGE_MS_MIN, PATIENCE * (performance.now() - start));
  }

  /** The mutants of a source such as `spec/restore.ts`. */
  sites(file: string): readonly Site[] {
    const compiled = join(this.#temp, 'build/dist', file.replace(/\.ts$/, '.js'));
    if (!existsSync(compiled)) throw new Error(`${file} is no source that compiles`);
    const javascript = readFileSync(compiled, 'utf8');
    const typescript = readFileSync(join(this.#root, file), 'utf8');
    const map = new SourceMap(
      JSON.parse(readFileSync(`${compiled}.map`, 'utf8')) as ConstructorParameters<
        typeof SourceMap
      >[0],
    );
    const lines = typescript.split('\n');
    return mutantsOf(javascript, wordMakers(typescript)).map((mutant) => {
      const before = javascript.slice(0, mutant.at).split('\n');
      const entry = map.findEntry(before.length - 1, before.at(-1)!.length);
      const [line, column] =
        'originalLine' in entry ? [entry.originalLine + 1, entry.originalColumn + 1] : [0, 0];
      const id = `${file}:${line}:${column} ${mutant.change}`;
      return { id, file, line, source: lines[line - 1]?.trim() ?? '', mutant };
    });
  }

  /** Tries mutants, several at a time. */
  async judge(
    sites: readonly Site[],
    workers: number,
    told: (outcome: Outcome, done: number) => void,
  ): Promise<readonly Outcome[]> {
    const outcomes: Outcome[] = [];
    let next = 0;
    let done = 0;
    const work = async (worker: string): Promise<void> => {
      cpSync(join(this.#temp, 'build'), join(this.#temp, worker), {
        recursive: true,
        verbatimSymlinks: true,
      });
      while (next < sites.length) {
        const index = next++;
        const outcome = await this.#judgeOne(worker, sites[index]!);
        outcomes[index] = outcome;
        told(outcome, ++done);
      }
    };
    await Promise.all(Array.from({ length: workers }, (_, i) => work(`worker-${i}`)));
    return outcomes;
  }

  async #judgeOne(worker: string, site: Site): Promise<Outcome> {
    const path = join(this.#temp, worker, 'dist', site.file.replace(/\.ts$/, '.js'));
    const whole = readFileSync(path, 'utf8');
    writeFileSync(path, mutated(whole, site.mutant));
    try {
      const { status, output, errors, late } = await this.#run(worker, 'judge', site.file);
      if (late) return { site, verdict: 'timeout', by: 'takes too long' };
      if (status === 0 && output === '') return { site, verdict: 'survived', by: '' };
      if (output.includes('SyntaxError') || errors.includes('SyntaxError')) {
        return { site, verdict: 'invalid', by: errors };
      }
      const crash = /^\w*Error: .*$/m.exec(errors)?.[0] ?? `exit status ${status}`;
      return { site, verdict: 'killed', by: output || crash };
    } finally {
      writeFileSync(path, whole);
    }
  }

  #run(where: string, mode: 'learn' | 'judge', file = ''): Promise<Run> {
    const killer = join(this.#temp, where, 'dist/test/mutation/killer.js');
    const child = spawn(process.execPath, [killer, mode, this.#learned, file], {
      cwd: this.#root,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const run = { status: -1, output: '', errors: '', late: false };
    child.stdout.on('data', (data: Buffer) => (run.output += data.toString()));
    child.stderr.on('data', (data: Buffer) => (run.errors += data.toString()));
    const timer = setTimeout(() => {
      run.late = true;
      child.kill('SIGKILL');
    }, this.#limit);
    return new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (status) => {
        clearTimeout(timer);
        resolve({ ...run, status: status ?? -1, output: run.output.trim() });
      });
    });
  }
}

interface Run {
  readonly status: number;
  readonly output: string;
  readonly errors: string;
  /** It was ended because it took too long. */
  readonly late: boolean;
}
