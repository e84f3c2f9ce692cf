/** Turning a minimal trace into the text that people read. */
import { ruleById } from '#spec/law';
import type { Source } from '#spec/algebra/rule';
import type { MachineShape } from '#model/machines';
import type { Trace } from '#model/step';
import { legendOf, tellStory } from '../checker/story.ts';
import type { TraceRunner } from '../checker/run-trace.ts';
import type { Colors } from '../report/colors.ts';
import { counterexampleText } from '../report/counterexample.ts';

/** A source as people read it. */
export const sourceText = (source: Source): string =>
  'document' in source
    ? `${source.document}, “${source.section}”`
    : `${source.file}, ${source.symbol}`;

/** The options of a command line, with their names. */
const optionsText = (scratch: string | null, regions: string): string => {
  const options = regions === '' ? [] : regions.split(' ').map((value) => `reserve_mem=${value}`);
  if (scratch !== null) options.unshift(`kho_scratch=${scratch}`);
  return options.length === 0 ? 'nothing' : options.join(' ');
};

/** Every command line of a machine, with its number. */
const linesText = ({ scratchLines = [], reserveMem = [] }: MachineShape): string => {
  let text = '';
  for (let i = 0; i < Math.max(scratchLines.length, reserveMem.length); i++) {
    text += `; command line ${i}: ${optionsText(scratchLines[i] ?? null, reserveMem[i] ?? '')}`;
  }
  return text;
};

/** What is unusual about the memory of a machine. */
const memoryText = (shape: MachineShape): string => {
  const { nodes, lowFrames, hugePages, cells } = shape;
  const empty = nodes.flatMap((count, node) => (count === 0 ? [node] : []));
  return [
    empty.length === 0 ? '' : `; no memory on node ${empty.join(', ')}`,
    lowFrames === undefined ? '' : `; low memory ends at frame 0x${lowFrames.toString(16)}`,
    hugePages === undefined
      ? ''
      : `; ${hugePages.count} HugeTLB page${hugePages.count === 1 ? '' : 's'} of ` +
        `${2 ** hugePages.order} frames`,
    cells === undefined ? '' : `; a device tree with cells (${cells.join(', ')})`,
  ].join('');
};

/** A machine in one sentence. */
export const machineText = (shape: MachineShape): string => {
  const bytes = 2 ** shape.pageShift;
  const total = shape.nodes.reduce((sum, count) => sum + count, 0);
  const borders: string[] = [];
  let first = 0;
  const used = shape.nodes.filter((count) => count > 0);
  for (const count of used.slice(0, -1)) {
    first += count;
    borders.push(`0x${first.toString(16)}`);
  }
  const nodes = `${shape.nodes.length} node${shape.nodes.length === 1 ? '' : 's'}`;
  const at = borders.length === 0 ? '' : `, border${borders.length === 1 ? '' : 's'} at frame `;
  const size = Math.round((total * bytes) / 2 ** 20);
  const more = memoryText(shape) + linesText(shape);
  const deferred = shape.deferredInit === true ? '; pageblocks are set up in two phases' : '';
  return `machine: ${size} MiB, ${nodes}${at}${borders.join(', ')}${more}${deferred}`;
};

/** The story of a trace that breaks a rule. */
export const tellCounterexample = (
  runner: TraceRunner,
  trace: Trace,
  history: string,
  path: string,
  colors: Colors,
): string => {
  const story = tellStory(runner, trace);
  const rule = ruleById(story.broken?.rule ?? '');
  if (rule === undefined || story.broken === undefined) return 'no rule breaks in this trace';
  const hex = (pfn: number | undefined): string => `0x${(pfn ?? 0).toString(16)}`;
  const { frames } = story;
  const span = frames.length === 0 ? '' : `${hex(frames[0])}…${hex(frames.at(-1))}`;
  return counterexampleText(
    {
      rule: rule.id,
      says: rule.says,
      sources: rule.sources.map(sourceText),
      strength: rule.strength,
      text: story.broken.text,
      machine: machineText(trace.machine),
      lines: story.lines,
      mapSpan: span,
      legend: frames.length === 0 ? '' : legendOf(story),
      history,
      replay: `npx kho-check replay ${path}`,
    },
    colors,
  );
};
