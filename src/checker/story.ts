/**
 * The story of a trace: call by call, what was asked, what was answered and what became of memory.
 *
 * Plain values, for reports.
 */
import { planOf } from '#model/generators';
import { SUBTREE_NAMES } from '#model/machines';
import type { Step, Trace } from '#model/step';
import { ACTION } from '#spec/law';
import { isKept } from '#spec/state';
import type { State } from '#spec/state';
import type { ExecutedCall, TraceRunner } from './run-trace.ts';
import { Tally } from './tally.ts';

export interface StoryLine {
  /** Number of the step, or undefined for the first boot. */
  readonly step: number | undefined;
  readonly call: string;
  readonly answer: string;
  /** One letter per frame of the map. */
  readonly map: string;
}

export interface Story {
  readonly lines: readonly StoryLine[];
  /** Frames of the map, ascending. */
  readonly frames: readonly number[];
  /** Rule that broke in the last line, with what was expected and found. */
  readonly broken: { readonly rule: string; readonly text: string } | undefined;
}

/** What the letters of a map mean. */
export const MAP_LEGEND =
  '. free  m movable  u unmovable  k KHO’s own  e early boot  P preserved  h held';

const LETTERS = '.mukeh';
const MAP_FRAMES = 20;
const FRAMES_PER_RANGE = 6;

/** Runs a trace once to see which frames matter, and once more to draw them. */
export const tellStory = (runner: TraceRunner, trace: Trace): Story => {
  const frames = framesOf(runner, trace);
  const lines: StoryLine[] = [];
  const result = runner.run(planOf(trace), new Tally(), (executed, state) => {
    lines.push({
      step: stepNumber(trace, executed.step),
      call: ACTION[executed.call.action].shows(executed.call, shortName),
      answer: answerText(executed),
      map: mapText(frames, state),
    });
  });
  const { violation } = result;
  return { lines, frames, broken: violation && { rule: violation.rule.id, text: violation.text } };
};

const stepNumber = (trace: Trace, step: Step | undefined): number | undefined =>
  step === undefined ? undefined : trace.steps.indexOf(step);

const framesOf = (runner: TraceRunner, trace: Trace): number[] => {
  const frames = new Set<number>();
  runner.run(planOf(trace), new Tally(), ({ call, value }) => {
    const first = call.action === 'allocPages' ? value : call.pfn;
    const usesFrames = call.pfn > 0 || call.action === 'allocPages';
    if (!usesFrames || !(first >= 0)) return;
    const count = call.count > 0 ? call.count : 2 ** call.order;
    for (let i = 0; i < Math.min(count, FRAMES_PER_RANGE); i++) frames.add(first + i);
    frames.add(first + count - 1);
  });
  return [...frames].sort((a, b) => a - b).slice(0, MAP_FRAMES);
};

const mapText = (frames: readonly number[], state: State): string =>
  frames
    .map((pfn, i) => {
      const gap = i > 0 && frames[i - 1]! + 1 !== pfn ? ' ' : '';
      return gap + (isKept(state, pfn) ? 'P' : (LETTERS[state.use.get(pfn)] ?? '?'));
    })
    .join('');

const hex = (pfn: number): string => `0x${pfn.toString(16)}`;

/** A subtree name, shortened to fit a line. */
const shortName = (index: number): string => {
  const name = SUBTREE_NAMES[index] ?? String(index);
  return name.length > 16 ? `${name.slice(0, 15)}…` : name;
};

const ERRNO: Readonly<Record<number, string>> = {
  2: 'ENOENT',
  12: 'ENOMEM',
  16: 'EBUSY',
  17: 'EEXIST',
  22: 'EINVAL',
  99: 'EADDRNOTAVAIL',
};

const answerText = ({ call, value }: ExecutedCall): string => {
  if (Number.isNaN(value)) return '';
  if (value <= -1000) return 'panic';
  if (value < 0) {
    const name = ERRNO[-value];
    const missing = call.action === 'restoreFolio' || call.action === 'restorePages';
    return missing ? 'NULL' : name === undefined ? String(value) : `-${name}`;
  }
  switch (call.action) {
    case 'coldBoot':
      return 'cold';
    case 'kexec':
      return value === 1 ? 'revived' : 'cold';
    case 'allocPages':
    case 'retrieveSubtree':
      return hex(value);
    case 'restoreFolio':
      return `order ${value}`;
    default:
      return 'ok';
  }
};
