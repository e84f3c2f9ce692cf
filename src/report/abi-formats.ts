/**
 * A comparison of two ABIs for machines: SARIF, annotations of GitHub, JUnit.
 *
 * Each says how many rules were run and how many structures were seen, so that a comparison of
 * nothing does not look like a clean one.
 *
 * Sources: SARIF 2.1.0; GitHub Actions, workflow commands; the JUnit XML schema of Ant.
 */
import type { AbiFinding } from '../abi/diff/finding.ts';
import type { AbiRule } from '../abi/diff/rules.ts';
import type { DiffReport } from './abi-diff.ts';

/** What is told. */
type Report = Omit<DiffReport, 'says' | 'all'> & {
  readonly suppressed: readonly (AbiFinding & { readonly reason: string })[];
};

/** A place as file and line; a finding without one is about the sides. */
const placeOf = (
  finding: AbiFinding,
): { readonly file: string; readonly line: number } | undefined => {
  const said = finding.new ?? finding.old;
  if (said === null) return undefined;
  const [, file, line] = /^(.*?)(?::(\d+))?$/.exec(said) ?? [];
  return { file: file ?? said, line: Math.max(1, Number(line ?? 1)) };
};

const sentence = ({ message, impact, action }: AbiFinding): string =>
  [message, impact, action === 'none' ? '' : `to do: ${action}`]
    .filter((part) => part !== '' && part !== 'none')
    .join('; ');

const LEVEL = { error: 'error', warning: 'warning', info: 'note' } as const;

/** SARIF 2.1.0. */
export const sarifText = (report: Report, rules: readonly AbiRule[]): string => {
  const result = (finding: AbiFinding, reason?: string) => {
    const place = placeOf(finding);
    return {
      ruleId: finding.rule,
      level: LEVEL[finding.severity],
      message: { text: sentence(finding) },
      partialFingerprints: { subject: `${finding.rule} ${finding.subject}` },
      ...(place && {
        locations: [
          {
            physicalLocation: {
              artifactLocation: { uri: place.file },
              region: { startLine: place.line },
            },
          },
        ],
      }),
      ...(reason && { suppressions: [{ kind: 'external', justification: reason }] }),
    };
  };
  const run = {
    tool: {
      driver: {
        name: 'kho-check',
        rules: rules.map(({ id, says }) => ({ id, shortDescription: { text: says } })),
      },
    },
    invocations: [
      {
        executionSuccessful: report.structs > 0 && report.problems.length === 0,
        toolExecutionNotifications: report.problems.map(({ file, line, message }) => ({
          level: 'error',
          message: { text: `${file}:${line}: ${message}` },
        })),
      },
    ],
    properties: {
      rulesRun: report.rulesRun,
      structs: report.structs,
      outcome: report.outcome,
      missing: report.missing,
    },
    results: [
      ...report.findings.map((finding) => result(finding)),
      ...report.suppressed.map((finding) => result(finding, finding.reason)),
    ],
  };
  return JSON.stringify({
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [run],
  });
};

const escaped = (text: string): string =>
  text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');

const property = (text: string): string =>
  escaped(text).replaceAll(':', '%3A').replaceAll(',', '%2C');

const COMMAND = { error: 'error', warning: 'warning', info: 'notice' } as const;

const summary = ({ old, new: next, outcome, rulesRun, structs }: Report): string =>
  `${old} → ${next}: old data ${outcome.oldToNew}, new data ${outcome.newToOld}; ` +
  `${rulesRun} rules run, ${structs} structures seen`;

/** Annotations of GitHub: errors and warnings at their places, and how much was looked at. */
export const githubText = (report: Report): string => {
  const lines = report.findings
    .filter(({ severity }) => severity !== 'info')
    .map((finding) => {
      const place = placeOf(finding);
      const where = place === undefined ? '' : `file=${property(place.file)},line=${place.line},`;
      const title = `title=${property(finding.rule)}`;
      return `::${COMMAND[finding.severity]} ${where}${title}::${escaped(sentence(finding))}`;
    });
  const problems = report.problems.map(
    ({ file, line, message }) =>
      `::error file=${property(file)},line=${line},title=not read::${escaped(message)}`,
  );
  return [...lines, ...problems, `::notice title=abi check::${escaped(summary(report))}`].join(
    '\n',
  );
};

const xml = (text: string): string =>
  text
    .replace(/[^\t\n\r\u0020-\uFFFD]/g, '?')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');

/** JUnit: a case for every rule, failed where it found an error. */
export const junitText = (report: Report, rules: readonly AbiRule[]): string => {
  const cases = rules.map(({ id, says }) => {
    const of = report.findings.filter(({ rule }) => rule === id);
    const errors = of.filter(({ severity }) => severity === 'error');
    const others = of.filter(({ severity }) => severity === 'warning');
    const name = `classname="abi" name="${xml(`${id} ${says}`)}"`;
    const told = (all: readonly AbiFinding[]): string =>
      xml(all.map((each) => `${each.new ?? each.old ?? ''}: ${sentence(each)}`).join('\n'));
    if (errors.length > 0) {
      const message = xml(errors[0]!.message);
      const body = `<failure message="${message}">${told(errors)}</failure>`;
      return `    <testcase ${name}>${body}</testcase>`;
    }
    if (others.length > 0) {
      return `    <testcase ${name}><system-out>${told(others)}</system-out></testcase>`;
    }
    return `    <testcase ${name}/>`;
  });
  const failed = cases.filter((each) => each.includes('<failure')).length;
  const problems = report.problems.map(({ file, line, message }) => {
    const said = xml(`${file}:${line}: ${message}`);
    return `    <testcase classname="abi" name="${said}"><error message="${said}"/></testcase>`;
  });
  const tests = cases.length + problems.length;
  const head = `tests="${tests}" failures="${failed}" errors="${problems.length}"`;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="kho-check" ${head}>`,
    `  <testsuite name="abi check" ${head}>`,
    ...cases,
    ...problems,
    `    <system-out>${xml(summary(report))}</system-out>`,
    '  </testsuite>',
    '</testsuites>',
  ].join('\n');
};
