/** `kho-check explain RULE|FILE` and `kho-check spec print`: the law, for reading. */
import { existsSync } from 'node:fs';
import { CHAPTERS, RULES, ruleById } from '#spec/law';
import type { Rule } from '#spec/rules';
import { SUITES } from '#properties/suites';
import { wrap } from '../report/counterexample.ts';
import { EXIT, UsageError } from './io.ts';
import type { Io } from './io.ts';
import { sourceText } from './tell.ts';
import { readTraceFile } from './trace-files.ts';

const defendedBy = (rule: Rule): string[] =>
  SUITES.filter((suite) => suite.rules.includes(rule.id)).map((suite) => suite.name);

const appliesText = (rule: Rule): string => {
  if (rule.since === undefined && rule.until === undefined) return 'every kernel with KHO';
  if (rule.until === undefined) return `Linux ${rule.since} and later`;
  return `Linux ${rule.since ?? '6.16'} to ${rule.until}`;
};

const jsonOf = (rule: Rule) => ({
  id: rule.id,
  kind: rule.kind,
  says: rule.says,
  sources: rule.sources.map(sourceText),
  strength: rule.strength,
  since: rule.since ?? null,
  until: rule.until ?? null,
  suites: defendedBy(rule),
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
  ];
  io.out(`${lines.join('\n')}\n`);
  return EXIT.holds;
};

/** Prints the law as a Markdown page. */
export const printSpec = (options: { readonly json: boolean }, io: Io): number => {
  if (options.json) {
    io.out(`${JSON.stringify(RULES.map(jsonOf))}\n`);
    return EXIT.holds;
  }
  const lines = ['# The law of Kexec HandOver', ''];
  for (const chapter of CHAPTERS) {
    lines.push(`## ${chapter.title}`, '', ...wrap(chapter.says, 0), '');
    for (const action of chapter.actions) lines.push(`- action \`${action.name}\`: ${action.says}`);
    if (chapter.actions.length > 0) lines.push('');
    for (const rule of chapter.rules) {
      const defence = `defended by ${defendedBy(rule).join(', ') || 'no suite'}`;
      lines.push(
        ...wrap(`**${rule.id}** ${rule.says}`, 0),
        ...wrap(`<br>${rule.strength}; ${appliesText(rule)}; ${defence}`, 0),
        ...wrap(`<br>${rule.sources.map(sourceText).join(' · ')}`, 0),
        '',
      );
    }
  }
  io.out(lines.join('\n'));
  return EXIT.holds;
};
