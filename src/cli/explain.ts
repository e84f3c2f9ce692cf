/** `kho-check explain RULE|FILE` and `kho-check spec print`: the law, for reading. */
import { existsSync } from 'node:fs';
import type { Generation } from '#spec/generations';
import { CHAPTERS, RULES, ruleById } from '#spec/law';
import type { Rule } from '#spec/rules';
import { SUITES } from '#properties/suites';
import { whyToothless } from '../checker/without-teeth.ts';
import { FAULTS } from '../kho/faults.ts';
import { BUGS } from '../kho/history/history.ts';
import { wrap } from '../report/counterexample.ts';
import { EXIT, UsageError } from './io.ts';
import type { Io } from './io.ts';
import { sourceText } from './tell.ts';
import { readTraceFile } from './trace-files.ts';

const defendedBy = (rule: Rule): string[] =>
  SUITES.filter((suite) => suite.rules.includes(rule.id)).map((suite) => suite.name);

/** Bugs and faults that were put into the implementation to see this rule catch them. */
const brokenBy = (rule: Rule): string[] =>
  [...BUGS, ...FAULTS].filter((fault) => fault.rule === rule.id).map((fault) => fault.id);

/** How strong a promise is, as people say it. */
const STRENGTHS: Readonly<Record<Rule['strength'], string>> = {
  promised: 'promised by a document',
  observed: 'observed in the code',
  assumed: 'assumed by us',
};

const appliesText = (rule: Rule): string => {
  if (rule.since === undefined && rule.until === undefined) return 'every kernel with KHO';
  const first = kernelText(rule.since ?? '6.16');
  return rule.until === undefined ? `${first} and later` : `${first} to ${rule.until}`;
};

/** A generation for people: before the merge there were series of patches, and no Linux. */
const kernelText = (generation: Generation): string =>
  generation.startsWith('v') ? `patch series ${generation}` : `Linux ${generation}`;

const jsonOf = (rule: Rule) => ({
  id: rule.id,
  kind: rule.kind,
  says: rule.says,
  sources: rule.sources.map(sourceText),
  strength: rule.strength,
  since: rule.since ?? null,
  until: rule.until ?? null,
  suites: defendedBy(rule),
  faults: brokenBy(rule),
});

/** The rule with this id, or the one that the trace file of this name breaks. */
const ruleOf = (what: string): Rule => {
  const named = ruleById(what.toUpperCase());
  if (named !== undefined) return named;
  if (!existsSync(what)) {
    throw new UsageError(`the law has no rule '${what}', and there is no trace file of that name`);
  }
  const broken = ruleById(readTraceFile(what).expect.rule ?? '');
  if (broken === undefined) throw new UsageError(`${what} names no rule that the law has`);
  return broken;
};

/** Explains a rule, or the rule that a saved trace breaks. */
export const explain = (what: string, options: { readonly json: boolean }, io: Io): number => {
  const rule = ruleOf(what);
  if (options.json) {
    io.out(`${JSON.stringify(jsonOf(rule))}\n`);
    return EXIT.holds;
  }
  const lines = [
    io.colors.bold(rule.id),
    ...wrap(rule.says, 2),
    '',
    ...rule.sources.flatMap((source) => wrap(`source: ${sourceText(source)}`, 2)),
    `  strength: ${rule.strength}`,
    `  applies to: ${appliesText(rule)}`,
    `  defended by: ${defendedBy(rule).join(', ') || 'no suite'}`,
    ...wrap(`broken on purpose by: ${brokenBy(rule).join(', ') || noneBreaks(rule)}`, 2),
  ];
  io.out(`${lines.join('\n')}\n`);
  return EXIT.holds;
};

/** Why no fault breaks a rule first. */
const noneBreaks = (rule: Rule): string => {
  const why = whyToothless(rule);
  return why === undefined ? 'no fault' : `no fault; ${why}`;
};

const PREAMBLE =
  'Every rule says where it comes from, how strong it is, which kernels it is about and which ' +
  'suites of `kho-check run` defend it; what it catches are faults that `--fault` puts into the ' +
  'implementation. Every rule has a witness that keeps it and one that breaks it, in ' +
  '`test/spec`. `kho-check spec coverage` tells how often the last run met each of them.';

/** Prints the law as a Markdown page. */
export const printSpec = (options: { readonly json: boolean }, io: Io): number => {
  if (options.json) {
    io.out(`${JSON.stringify(RULES.map(jsonOf))}\n`);
    return EXIT.holds;
  }
  const lines = ['# The law of Kexec HandOver', '', ...wrap(PREAMBLE, 0), ''];
  for (const chapter of CHAPTERS) {
    lines.push(`## ${chapter.title}`, '', ...wrap(chapter.says, 0), '');
    for (const { name, says } of chapter.actions) {
      const [first, ...rest] = wrap(`- action \`${name}\`: ${says}`, 0, 78);
      lines.push(first!, ...rest.map((line) => `  ${line}`));
    }
    if (chapter.actions.length > 0) lines.push('');
    for (const rule of chapter.rules) {
      const faults = brokenBy(rule).map((id) => `\`${id}\``);
      const teeth = faults.length === 0 ? '' : `; catches ${faults.join(', ')}`;
      const defence = `defended by ${defendedBy(rule).join(', ') || 'no suite'}${teeth}`;
      lines.push(
        ...wrap(`**${rule.id}** ${rule.says}`, 0),
        ...wrap(`<br>${STRENGTHS[rule.strength]}; ${appliesText(rule)}; ${defence}`, 0),
        ...wrap(`<br>${rule.sources.map(sourceText).join(' · ')}`, 0),
        '',
      );
    }
  }
  io.out(lines.join('\n'));
  return EXIT.holds;
};
