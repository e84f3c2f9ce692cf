/**
 * The command line: reads arguments, hands them to one file per command, and turns whatever happens
 * into an exit status.
 *
 * Commands are imported when they are called, so that `--help` is quick.
 */
import { Command, CommanderError, Option } from 'commander';
import { addAbiSources } from './abi-commands.ts';
import { EXIT, UsageError, processIo } from './io.ts';
import type { Io } from './io.ts';
import { byteSize, duration, numberRange, pageSize, wholeNumber } from './numbers.ts';

const STATUSES = `
Exit status:
  0  everything asked for holds, to the stated bound
  1  a counterexample or a finding
  2  wrong usage or malformed input
  3  inconclusive: nothing exercised, or a trace that no longer applies
  4  a bug of kho-check itself`;

const idList = (text: string, before: readonly string[]): readonly string[] => [
  ...before,
  ...text.split(',').filter((id) => id !== ''),
];

type Handler = (io: Io) => Promise<number>;

const addRun = (program: Command, handle: (handler: Handler) => void): void => {
  program
    .command('run')
    .description('random multi-kexec traces, specification and implementation in lockstep')
    .argument('[suite...]', 'suites by name; all when none is named')
    .option('--traces <n>', 'traces to run', wholeNumber('--traces', 1, 0x7fffffff))
    .option('--steps <n>', 'most steps of a trace', wholeNumber('--steps', 4, 100_000), 100)
    .option('--time <t>', 'time to spend, such as 30s or 5m', duration('--time'))
    .option('--seed <n>', 'same seed, same traces', wholeNumber('--seed', 0, 2 ** 32 - 1))
    .option('--kernel <name>', 'kernel profile, or any, or any-early', '7.3')
    .addOption(
      new Option('--next <name,…>', 'kernels that may follow, or any, or any-early')
        .argParser(idList)
        .default([] as readonly string[], 'none'),
    )
    .option('--nodes <n>', 'NUMA nodes, as 2 or 1-4', numberRange('--nodes', 1, 4), {
      low: 1,
      high: 4,
    })
    .option('--memory <size>', 'memory of the machine, such as 256M', byteSize('--memory'))
    .addOption(
      new Option('--page-size <size>', 'pages of 4K, 16K or 64K')
        .argParser(pageSize)
        .default(12, '4K'),
    )
    .option('--first', 'stop at the first broken rule', false)
    .option('--as-shipped', 'with the bugs that the release had, such as 7.3 or 6.17.8', false)
    .addOption(
      new Option('--except <id,…>', 'leave these bugs out, with --as-shipped')
        .argParser(idList)
        .default([] as readonly string[], 'none'),
    )
    .addOption(
      new Option('--fault <id,…>', 'run with these faults in place')
        .argParser(idList)
        .default([] as readonly string[], 'none'),
    )
    .option('--json', 'one JSON document', false)
    .action((suites: string[], options) =>
      handle(async (io) => {
        const asked = { ...options, pageShift: options.pageSize };
        if (options.asShipped) {
          return (await import('./as-shipped.ts')).runAsShipped(suites, asked, io);
        }
        if (options.except.length > 0) throw new UsageError('--except goes with --as-shipped');
        return (await import('./run.ts')).run(suites, asked, io);
      }),
    );
};

const addTraceCommands = (program: Command, handle: (handler: Handler) => void): void => {
  program
    .command('replay')
    .description('run a saved trace again')
    .argument('<file>', 'trace file')
    .option('--intended', 'without the faults that the file names', false)
    .option('--json', 'one JSON document', false)
    .action((file: string, options) =>
      handle(async (io) => (await import('./replay.ts')).replay(file, options, io)),
    );
  program
    .command('shrink')
    .description('make a saved trace smaller')
    .argument('<file>', 'trace file')
    .option('--prove', 'try all shorter traces of its steps and of simpler ones', false)
    .option('--time <t>', 'time for the proof, such as 30s or 5m; 2m', duration('--time'))
    .option('--memory-limit <size>', 'memory for its states', byteSize('--memory-limit'))
    .option('--json', 'one JSON document', false)
    .action((file: string, options) =>
      handle(async (io) => (await import('./shrink.ts')).shrink(file, options, io)),
    );
  program
    .command('explain')
    .description('what a rule says, where it comes from and who defends it')
    .argument('<rule-or-file>', 'id of a rule, or a trace file')
    .option('--json', 'one JSON document', false)
    .action((what: string, options) =>
      handle(async (io) => (await import('./explain.ts')).explain(what, options, io)),
    );
};

const addHunt = (program: Command, handle: (handler: Handler) => void): void => {
  program
    .command('hunt')
    .description('every known bug: found or not, after how many traces, how small')
    .argument('[bug...]', 'bugs by id, such as B44 or S1; all when none is named')
    .option('--traces <n>', 'most traces of a seed', wholeNumber('--traces', 1, 1e9), 20_000)
    .option('--seeds <n>', 'how many seeds', wholeNumber('--seeds', 1, 10_000), 20)
    .option('--seed <n>', 'the first of them; 1', wholeNumber('--seed', 0, 2 ** 32 - 1))
    .option('--synthetic', 'hunt the synthetic faults, too', false)
    .option('--list', 'name the bugs, and hunt none', false)
    .option('--canary', 'give each engine one random fault, which it has to find', false)
    .option('--teeth', 'name the rules that no bug and no fault is known to break', false)
    .option('--corpus <directory>', 'where minimal traces go, each named after its bug')
    .addOption(
      new Option('--reports <file,…>', 'tell what earlier hunts printed with --json, hunt nothing')
        .argParser(idList)
        .default([] as readonly string[], 'none'),
    )
    .option('--write <file>', 'write the table between the marks of this file')
    .option('--json', 'one JSON document', false)
    .action((bugs: string[], options) =>
      handle(async (io) => {
        const { huntCommand, listBugs, listTeeth, tellReports } = await import('./hunt.ts');
        if (options.reports.length > 0) return tellReports(options, io);
        if (options.teeth) return listTeeth(options, io);
        if (options.canary) {
          const { seed = Date.now() % 2 ** 32 } = options;
          return (await import('./canary.ts')).canary({ ...options, seed }, io);
        }
        return options.list ? listBugs(options, io) : huntCommand(bugs, options, io);
      }),
    );
};

const addReaders = (program: Command, handle: (handler: Handler) => void): void => {
  program
    .command('inspect')
    .description('decode and judge the handover of a real kernel')
    .argument('<path>', 'capture directory, debugfs copy, page archive or FDT blob')
    .option('--json', 'one JSON document', false)
    .action((path: string, options: { json: boolean }) =>
      handle(async (io) => {
        const color = process.stdout.isTTY === true && process.env['NO_COLOR'] === undefined;
        return (await import('./inspect.ts')).inspect(path, { ...options, color }, io);
      }),
    );
  program
    .command('conform')
    .description('judge recorded traces of real kernels')
    .requiredOption('--recorded <directory>', 'directory of recordings')
    .option('--json', 'one JSON document', false)
    .action((options: { recorded: string; json: boolean }) =>
      handle(async (io) => (await import('./conform.ts')).conformRecorded(options, io)),
    );
  const spec = program.command('spec').description('the law itself');
  spec
    .command('print')
    .description('chapters and rules as a page')
    .option('--json', 'one JSON document', false)
    .action((options: { json: boolean }) =>
      handle(async (io) => (await import('./explain.ts')).printSpec(options, io)),
    );
  spec
    .command('coverage')
    .description('which rules the last run exercised, and which never')
    .option('--json', 'one JSON document', false)
    .action((options: { json: boolean }) =>
      handle(async (io) => (await import('./coverage.ts')).specCoverage(options, io)),
    );
};

const addScratch = (program: Command, handle: (handler: Handler) => void): void => {
  program
    .command('scratch')
    .description('how much memory KHO takes on a machine, and where')
    .requiredOption('--memory <size,…>', 'memory of the machine, or of each of its nodes')
    .option('--nodes <n>', 'NUMA nodes that share the memory', wholeNumber('--nodes', 1, 64))
    .option('--option <value>', 'value of kho_scratch=, such as 50% or 64M,64M,16M')
    .option('--early-reserved <size>', 'what is reserved early', byteSize('--early-reserved'))
    .option('--low-memory <size>', 'how much of it is below 4 GiB', byteSize('--low-memory'))
    .option('--page-size <size>', '4K, 16K or 64K', '4K')
    .option('--kernel <series>', 'release series, or v3, v4, v5 before the merge', '7.3')
    .option('--json', 'one JSON document', false)
    .action((options) => handle(async (io) => (await import('./scratch.ts')).scratch(options, io)));
};

const addExplore = (program: Command, handle: (handler: Handler) => void): void => {
  program
    .command('explore')
    .description('every state of a small scope, and the rules judged in each')
    .option('--scope <name>', 'which scope; --list names all')
    .addOption(
      new Option('--against <what>', 'explore the law alone, or beside our implementation')
        .choices(['law', 'implementation'])
        .default('law'),
    )
    .option('--kernel <name>', 'kernel profile of the implementation; that of the scope if absent')
    .addOption(
      new Option('--fault <id,…>', 'an implementation with these faults in place')
        .argParser(idList)
        .default([] as readonly string[], 'none'),
    )
    .option('--symmetry', 'exchangeable frames count as one; law alone', false)
    .option('--workers <n>', 'threads; law alone', wholeNumber('--workers', 1, 64), 1)
    .option('--memory-limit <size>', 'memory for states, such as 2G', byteSize('--memory-limit'))
    .option('--time <t>', 'time to spend, such as 30s or 5m', duration('--time'))
    .option('--resume <file>', 'go on from the checkpoint of a stopped search; law alone')
    .addOption(
      new Option('--rules <when>', 'judge on every transition, or once per new state; law alone')
        .choices(['every', 'new'])
        .default('every'),
    )
    .option('--list', 'name the scopes', false)
    .option('--json', 'one JSON document', false)
    .action((options) =>
      handle(async (io) => {
        if (options.against === 'implementation') {
          return (await import('./explore-joint.ts')).exploreJoint(options, io);
        }
        const asked = options.kernel === undefined ? options.fault : [options.kernel];
        if (asked.length > 0) {
          throw new UsageError('--kernel and --fault go with --against implementation');
        }
        return (await import('./explore.ts')).exploreCommand(options, io);
      }),
    );
};

const addAbi = (program: Command, handle: (handler: Handler) => void): void => {
  const abi = program.command('abi').description('generations of KHO and how they get along');
  addAbiSources(abi, handle);
  abi
    .command('damage')
    .description('what kernels make of a handover in which bytes are wrong')
    .addOption(
      new Option('--kernel <name,…>', 'kernels that take it')
        .argParser(idList)
        .default([] as readonly string[], 'all'),
    )
    .option('--every <n>', 'change every n-th byte alone', wholeNumber('--every', 1, 4096), 64)
    .option('--json', 'one JSON document', false)
    .action((options: { kernel: readonly string[]; every: number; json: boolean }) =>
      handle(async (io) => (await import('./abi-damage.ts')).abiDamage(options, io)),
    );
  abi
    .command('matrix')
    .description('which kernel may hand over to which, by running every pair')
    .option('--traces <n>', 'traces of every pair', wholeNumber('--traces', 1, 10_000), 8)
    .option('--json', 'one JSON document', false)
    .action((options: { traces: number; json: boolean }) =>
      handle(async (io) => (await import('./abi-matrix.ts')).abiMatrix(options, io)),
    );
};

/** Makes every command throw instead of ending the process; only help is printed, through `io`. */
const quiet = (command: Command, io: Io): void => {
  command.exitOverride().configureOutput({ writeOut: io.out, writeErr: () => {} });
  for (const child of command.commands) quiet(child, io);
};

/** Runs one command line; answers the exit status. */
export const main = async (argv: readonly string[], io: Io = processIo()): Promise<number> => {
  const program = new Command('kho-check')
    .description('property-based formal model checker for Linux Kexec HandOver')
    .version('0.1.0')
    .showSuggestionAfterError()
    .addHelpText('after', STATUSES);
  let chosen: Handler | undefined;
  const handle = (handler: Handler): void => {
    chosen = handler;
  };
  addRun(program, handle);
  addTraceCommands(program, handle);
  addHunt(program, handle);
  addReaders(program, handle);
  addScratch(program, handle);
  addAbi(program, handle);
  addExplore(program, handle);
  quiet(program, io);
  try {
    if (argv.length === 0) {
      io.err(program.helpInformation());
      return EXIT.usage;
    }
    program.parse([...argv], { from: 'user' });
    return chosen === undefined ? EXIT.usage : await chosen(io);
  } catch (error) {
    return statusOf(error, io);
  }
};

/** One line: what arguments and files say may break lines or move the cursor. */
const oneLine = (text: string): string => text.replace(/[\s\p{Cc}]+/gu, ' ').trim();

/** What commander says, as the start of a sentence. */
const complaint = ({ code, message }: CommanderError): string =>
  code === 'commander.help' ? 'name one of the commands' : message.replace(/^error: |\.$/g, '');

const statusOf = (error: unknown, io: Io): number => {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return EXIT.holds;
    io.err(`kho-check: ${oneLine(complaint(error))}; see kho-check --help\n`);
    return EXIT.usage;
  }
  if (error instanceof UsageError) {
    io.err(`kho-check: ${oneLine(error.message)}\n`);
    return EXIT.usage;
  }
  const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
  io.err(`kho-check: this is a bug of kho-check, please report it with what follows\n${detail}\n`);
  return EXIT.bug;
};
