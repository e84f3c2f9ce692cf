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

/** Widths of the columns of the table of calls; what is longer is wrapped or cut. */
interface Columns {
  readonly step: number;
  readonly call: number;
  readonly answer: number;
  readonly map: number;
}

const CALL_MAX = 40;

/** The call's column is wide, unless the map needs the room; then it is as wide as its calls. */
const columnsOf = ({ lines }: CounterexampleView): Columns => {
  const widest = (least: number, texts: readonly string[]): number =>
    texts.reduce((width, text) => Math.max(width, text.length), least);
  const step = widest(4, [stepLabel(lines.at(-1)?.step)]);
  const answer = widest(
    9,
    lines.map((line) => line.answer),
  );
  const room = WIDTH - (2 + step + 2 + 1 + answer + 1);
  const longest = widest(
    4,
    lines.map((line) => line.call),
  );
  const left =
    room -
    widest(
      0,
      lines.map((line) => line.map),
    );
  const call = Math.min(CALL_MAX, Math.max(longest, left));
  return { step, call, answer, map: room - call };
};

/** The text, without a final newline. */
export const counterexampleText = (view: CounterexampleView, colors: Colors): string => {
  const columns = columnsOf(view);
  const lines = [
    `${colors.red(colors.bold(view.rule))}  broken in ${stepCount(view)}`,
    ...wrap(view.says, 2),
    ...wrap(`${view.sources.join(' · ')} (${view.strength})`, 4).map(colors.dim),
    '',
    ...wrap(view.machine, 2),
    '',
    colors.dim(header(view, columns)),
  ];
  view.lines.forEach((line, index) => {
    const broken = index === view.lines.length - 1;
    const rows = rowsOf(line, columns).map((row) => row.trimEnd());
    lines.push(...(broken ? rows.map(colors.red) : rows));
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

const stepLabel = (step: number | undefined): string => (step === undefined ? '·' : String(step));

/** The heads of the columns; the span of the map begins further left where it needs the room. */
const header = ({ mapSpan }: CounterexampleView, columns: Columns): string => {
  const heads = `${start('step', 'call', columns)} ${'answer'.padEnd(columns.answer)} `;
  return heads.slice(0, WIDTH - mapSpan.length) + mapSpan;
};

const start = (label: string, call: string, columns: Columns): string =>
  `  ${label.padStart(columns.step)}  ${call.padEnd(columns.call)}`;

/** One row, or two where the call is longer than its column. */
const rowsOf = (line: CounterexampleView['lines'][number], columns: Columns): string[] => {
  const map = line.map.length > columns.map ? `${line.map.slice(0, columns.map - 1)}…` : line.map;
  const rest = ` ${line.answer.padEnd(columns.answer)} ${map}`;
  const first = start(stepLabel(line.step), line.call, columns);
  const fits = line.call.length <= columns.call;
  return fits ? [first + rest] : [first, start('', '', columns) + rest];
};
