/**
 * A counterexample as text: the rule, the calls, where it broke, and one line to copy.
 */
import type { Colors } from './colors.ts';

export interface CounterexampleView {
  readonly rule: string;
  readonly says: string;
  readonly sources: readonly string[];
  readonly strength: string;
  /** What was expected and what was found. */
  readonly text: string;
  readonly machine: string;
  readonly lines: readonly {
    readonly step: number | undefined;
    readonly call: string;
    readonly answer: string;
    readonly map: string;
  }[];
  /** First and last frame of the map, as text; empty when there is no map. */
  readonly mapSpan: string;
  readonly legend: string;
  /** Sentence on how the trace came to be: found when, made smaller how. */
  readonly history: string;
  /** Command that runs it again. */
  readonly replay: string;
}

const WIDTH = 80;

/** Breaks a sentence into lines of at most `width` columns, each after `indent` blanks. */
export const wrap = (sentence: string, indent: number, width = WIDTH): string[] => {
  const lines: string[] = [];
  let line = '';
  for (const word of sentence.split(' ')) {
    if (line !== '' && indent + line.length + 1 + word.length > width) {
      lines.push(' '.repeat(indent) + line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  lines.push(' '.repeat(indent) + line);
  return lines;
};

/** The text, without a final newline. */
export const counterexampleText = (view: CounterexampleView, colors: Colors): string => {
  const lines = [
    `${colors.red(colors.bold(view.rule))}  broken in ${stepCount(view)}`,
    ...wrap(view.says, 2),
    ...wrap(`${view.sources.join(' · ')} (${view.strength})`, 4).map(colors.dim),
    '',
    ...wrap(view.machine, 2),
    '',
    colors.dim(header(view)),
  ];
  view.lines.forEach((line, index) => {
    const broken = index === view.lines.length - 1;
    const text = row(line.step, line.call, line.answer, line.map);
    lines.push(broken ? colors.red(text) : text);
  });
  lines.push('', ...wrap(view.text, 8).map(colors.red));
  if (view.legend !== '') lines.push('', ...wrap(view.legend, 2).map(colors.dim));
  lines.push('', ...wrap(view.history, 2), '', `  replay:  ${view.replay}`);
  return lines.map((line) => line.trimEnd()).join('\n');
};

const stepCount = (view: CounterexampleView): string => {
  const steps = view.lines.filter((line) => line.step !== undefined).map((line) => line.step);
  const count = new Set(steps).size;
  return `${count} step${count === 1 ? '' : 's'}`;
};

const header = (view: CounterexampleView): string =>
  row(undefined, 'call', 'answer', view.mapSpan, 'step');

const row = (
  step: number | undefined,
  call: string,
  answer: string,
  map: string,
  label = step === undefined ? '·' : String(step),
): string => `  ${label.padStart(4)}  ${call.padEnd(40)} ${answer.padEnd(9)} ${map}`;
