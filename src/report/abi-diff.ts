/** A comparison of two ABIs as text: the outcome either way, then findings, errors first. */
import type { AbiDiff } from '../abi/diff/diff.ts';
import type { AbiFinding } from '../abi/diff/finding.ts';
import type { ByteWitness, TreeWitness } from '../abi/diff/witness.ts';
import type { TraceWitness } from '../cli/abi-witness.ts';
import type { Colors } from './colors.ts';
import { wrap } from './counterexample.ts';

/** What shows a direction's outcome. */
interface WitnessReport {
  readonly trace: TraceWitness | null;
  readonly bytes: readonly ByteWitness[];
  readonly trees: readonly TreeWitness[];
}

/** What there is to tell. */
export interface DiffReport extends AbiDiff {
  /** Handovers that were to be run each way. */
  readonly traces: number;
  readonly witness: { readonly oldToNew: WitnessReport; readonly newToOld: WitnessReport };
  readonly old: string;
  readonly new: string;
  readonly problems: readonly {
    readonly side: string;
    readonly file: string;
    readonly line: number;
    readonly message: string;
  }[];
  readonly missing: readonly { readonly side: string; readonly missing: readonly string[] }[];
  /** Sentences of rules, by id. */
  readonly says: Readonly<Record<string, string>>;
  /** Whether information is told one by one. */
  readonly all: boolean;
}

const MEANS: Readonly<Record<string, string>> = {
  same: 'all of it is taken over',
  refused: 'a cold boot; nothing is corrupted',
  ignored: 'a part of it is not looked at',
  misread: 'other bytes are read than were written',
  panic: 'the next kernel ends while it reads',
};

const outcomeLine = (from: string, to: string, outcome: string, colors: Colors): string => {
  const shade = outcome === 'same' ? colors.green : outcome === 'refused' ? String : colors.red;
  return `  ${`${from} → ${to}`.padEnd(24)} ${shade(outcome.padEnd(8))} ${MEANS[outcome] ?? ''}`;
};

const findingLines = (finding: AbiFinding, colors: Colors): readonly string[] => {
  const { rule, severity, message, impact, action } = finding;
  const shade =
    severity === 'error' ? colors.red : severity === 'warning' ? colors.yellow : colors.dim;
  const [first, ...rest] = wrap(message, 12);
  return [
    `${shade(rule.padEnd(12))}${(first ?? '').trimStart()}`,
    ...rest,
    ...(finding.old === null && finding.new === null
      ? []
      : wrap(`${finding.old ?? 'nothing'} → ${finding.new ?? 'nothing'}`, 14)),
    ...(impact === 'none' ? [] : wrap(impact, 14)),
    ...(action === 'none' ? [] : wrap(`to do: ${action}`, 14)),
  ];
};

const HEADINGS = { error: 'Errors', warning: 'Warnings', info: 'Information' } as const;

const sections = (report: DiffReport, colors: Colors): readonly string[] =>
  (['error', 'warning', 'info'] as const).flatMap((severity) => {
    const of = report.findings.filter((finding) => finding.severity === severity);
    if (of.length === 0) return [];
    const heading = ['', colors.bold(`${HEADINGS[severity]}: ${of.length}`)];
    if (severity !== 'info' || report.all) {
      return [...heading, ...of.flatMap((finding) => findingLines(finding, colors))];
    }
    const counts = new Map<string, number>();
    for (const { rule } of of) counts.set(rule, (counts.get(rule) ?? 0) + 1);
    const lines = [...counts].flatMap(([rule, count]) => {
      const [first = '', ...rest] = wrap(report.says[rule] ?? '', 17);
      return [`${rule.padEnd(12)}${String(count).padStart(3)}  ${first.trimStart()}`, ...rest];
    });
    return [...heading, ...lines, ...wrap('--all tells them one by one', 2)];
  });

const byteLines = ({ struct, target, readings, ...bytes }: ByteWitness): readonly string[] => {
  const sizes =
    bytes.writerBytes === bytes.readerBytes
      ? `${bytes.writerBytes} bytes`
      : `${bytes.writerBytes} bytes written, ${bytes.readerBytes} read`;
  return [
    ...wrap(`${struct} on ${target}: ${sizes}`, 4),
    ...readings.flatMap(({ member, wrote, reads }) => [
      `      ${member}`,
      ...wrap(`wrote ${wrote === '' ? 'nothing' : wrote}`, 8),
      ...wrap(`reads ${reads}`, 8),
    ]),
  ];
};

/** Says so where what was run ends better than the comparison says: it does not meet everything. */
const disagreement = (claimed: string, ran: string): readonly string[] =>
  claimed === ran ? [] : wrap(`these do not meet what is ${claimed}`, 4);

const traceLines = ({ writer, reader, outcome, traces, steps, rule, path }: TraceWitness) => {
  const run = traces === 1 ? '1 handover' : `${traces} handovers`;
  if (outcome === 'same') return wrap(`${writer} → ${reader}: ${run} run, nothing differed`, 4);
  const broke = rule === null ? '' : `, breaks ${rule}`;
  const small = steps === null ? '' : `; smallest trace ${steps} steps${broke}`;
  return [
    ...wrap(`${writer} → ${reader}: ${run} run, worst ${outcome}${small}`, 4),
    ...(path === null ? [] : [`    npx kho-check replay ${path}`]),
  ];
};

const BYTE_WITNESSES_SHOWN = 3;

const NOT_RUN = 'no handover was run: what writes it is no kernel that is modelled';

const witnessLines = (
  name: string,
  { trace, bytes, trees }: WitnessReport,
  claimed: string,
  asked: number,
): readonly string[] => {
  if (trace === null && bytes.length === 0 && trees.length === 0) return [];
  const more = bytes.length - BYTE_WITNESSES_SHOWN;
  return [
    `  ${name}`,
    ...(trace === null ? (asked > 0 ? wrap(NOT_RUN, 4) : []) : traceLines(trace)),
    ...(trace === null ? [] : disagreement(claimed, trace.outcome)),
    ...bytes.slice(0, BYTE_WITNESSES_SHOWN).flatMap(byteLines),
    ...trees.flatMap(({ tree, written, lacking }) => [
      ...wrap(tree === 'root' ? 'the root tree' : `the tree of ${tree}`, 4),
      ...wrap(`has ${written.join(', ')}`, 8),
      ...wrap(`lacks ${lacking.join(', ')}`, 8),
    ]),
    ...(more > 0 ? [`    and ${more} more`] : []),
  ];
};

/** The comparison, without a final newline. */
export const diffText = (report: DiffReport, colors: Colors): string => {
  const { old, new: next, outcome, problems, missing, findings, rulesRun, structs } = report;
  const lines = [
    colors.bold(`${old} → ${next}`),
    '',
    outcomeLine('old data', 'new kernel', outcome.oldToNew, colors),
    outcomeLine('new data', 'old kernel', outcome.newToOld, colors),
    ...sections(report, colors),
  ];
  const { oldToNew, newToOld } = report.witness;
  const shown = [
    ...witnessLines('old data → new kernel', oldToNew, outcome.oldToNew, report.traces),
    ...witnessLines('new data → old kernel', newToOld, outcome.newToOld, report.traces),
  ];
  if (shown.length > 0) lines.push('', colors.bold('Witness'), ...shown);
  if (problems.length > 0) {
    lines.push('', colors.bold('Not read for certain'));
    for (const { side, file, line, message } of problems) {
      lines.push(...wrap(`${side}: ${file}:${line}: ${message}`, 2));
    }
  }
  const gone = missing.filter((each) => each.missing.length > 0);
  if (gone.length > 0) {
    lines.push('', colors.bold('Not there'));
    for (const { side, missing: of } of gone) {
      lines.push(...wrap(side, 2), ...of.flatMap((each) => wrap(each, 4)));
    }
  }
  const errors = findings.filter(({ severity }) => severity === 'error').length;
  const counted = errors === 1 ? '1 error' : `${errors} errors`;
  lines.push('', `${counted}; ${rulesRun} rules run, ${structs} structures seen`);
  return lines.join('\n');
};
