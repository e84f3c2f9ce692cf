/** The commands of `abi` that read kernels' sources: what each takes from the command line. */
import { existsSync } from 'node:fs';
import { Option } from 'commander';
import type { Command } from 'commander';
import type { Io } from './io.ts';
import { pageSize, wholeNumber } from './numbers.ts';

type Handle = (handler: (io: Io) => Promise<number>) => void;

const SIDE = 'release, kernel tree, directory of headers, baseline, or revision';
const GIT = 'a git repository, whose revisions are named';

interface ShowOptions {
  readonly pageSize: number;
  readonly git?: string;
  readonly target: string;
  readonly layouts: boolean;
  readonly verifyBtf?: string;
  readonly json: boolean;
}

const addShow = (abi: Command, handle: Handle): void => {
  abi
    .command('show')
    .description('formats of all generations, of one in full, or layouts of a kernel tree')
    .argument('[kernel]', `release such as 6.18, patch series such as v5, or ${SIDE}`)
    .addOption(
      new Option('--page-size <size>', 'pages of 4K, 16K or 64K')
        .argParser(pageSize)
        .default(12, '4K'),
    )
    .option('--layouts', 'of a release: structures, strings and constants', false)
    .option('--target <machine>', 'machine whose layouts are shown', 'x86_64-4k')
    .option('--git <tree>', GIT)
    .option('--verify-btf <vmlinux>', 'compare the layouts with what a compiler made')
    .option('--json', 'one JSON document; of a tree, a baseline', false)
    .action((kernel: string | undefined, options: ShowOptions) =>
      handle(async (io) => {
        const { git, layouts, verifyBtf, target, json } = options;
        const isSource = kernel !== undefined && existsSync(kernel);
        if (kernel !== undefined && (isSource || git || layouts || verifyBtf)) {
          const asked = { git, verifyBtf, target, json };
          return (await import('./abi-show.ts')).abiShowPath(kernel, asked, io);
        }
        const shown = { pageShift: options.pageSize, json };
        return (await import('./abi.ts')).abiShow(kernel, shown, io);
      }),
    );
};

const addDiff = (abi: Command, handle: Handle): void => {
  abi
    .command('diff')
    .description('what changed between two ABIs, who breaks, and whether a version says so')
    .argument('<old>', SIDE)
    .argument('<new>', 'the same of the other side')
    .option('--git <tree>', GIT)
    .option('--traces <n>', 'handovers to run each way', wholeNumber('--traces', 0, 10_000), 3)
    .option('--all', 'tell information one by one', false)
    .option('--json', 'one JSON document', false)
    .action((before: string, after: string, options) =>
      handle(async (io) => (await import('./abi-diff.ts')).abiDiff(before, after, options, io)),
    );
};

const addCheck = (abi: Command, handle: Handle): void => {
  abi
    .command('check')
    .description('a kernel tree against a baseline, for a CI job in front of a patch series')
    .argument('[new]', SIDE, '.')
    .requiredOption('--baseline <old>', 'what it has to get along with')
    .option('--git <tree>', GIT)
    .addOption(
      new Option('--format <name>', 'how findings are told')
        .choices(['text', 'json', 'sarif', 'github', 'junit'])
        .default('text'),
    )
    .option('--json', 'the same as --format json', false)
    .option('--suppress <file>', 'findings that are known, each with a reason and an end date')
    .option('--today <date>', 'the day that end dates are compared with, as 2026-11-30')
    .action((what: string, options) =>
      handle(async (io) => (await import('./abi-check.ts')).abiCheck(what, options, io)),
    );
};

const addPreflight = (abi: Command, handle: Handle): void => {
  abi
    .command('preflight')
    .description('may this host hand over to that kernel?')
    .argument('<old>', `${SIDE}, capture, debugfs copy, device tree blob, or vmlinux with BTF`)
    .argument('<new>', `${SIDE}, or vmlinux with BTF`)
    .option('--json', 'one JSON document', false)
    .action((before: string, after: string, options) =>
      handle(async (io) =>
        (await import('./abi-preflight.ts')).abiPreflight(before, after, options, io),
      ),
    );
};

/** Adds them. */
export const addAbiSources = (abi: Command, handle: Handle): void => {
  addShow(abi, handle);
  addDiff(abi, handle);
  addCheck(abi, handle);
  addPreflight(abi, handle);
};
