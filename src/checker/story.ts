/**
 * The story of a trace: call by call, what was asked, what was answered and what became of memory.
 *
 * Plain values, for reports.
 */
import { planOf } from '#model/generators';
import { SUBTREE_NAMES, buildMachine } from '#model/machines';
import { regionNames } from '#model/reserve-mem';
import type { Step, Trace } from '#model/step';
import type { Call } from '#spec/call';
import { COLD, REVIVED } from '#spec/call';
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
const MAP_LEGEND = '. free  m movable  u unmovable  k KHO’s own  e early boot  P preserved  h held';

const LETTERS = '.mukehrlp';

/** Letters that most maps do without. */
const SELDOM = { r: 'reserve_mem', l: 'left behind', p: 'pinned' } as const;

/** What the letters of a story's maps mean. */
export const legendOf = ({ lines }: Story): string =>
  Object.entries(SELDOM)
    .filter(([letter]) => lines.some(({ map }) => map.includes(letter)))
    .reduce((legend, [letter, meaning]) => `${legend}  ${letter} ${meaning}`, MAP_LEGEND);

const MAP_FRAMES = 20;
const FRAMES_PER_RANGE = 6;

/** Runs a trace once to see which frames matter, and once more to draw them. */
export const tellStory = (runner: TraceRunner, trace: Trace): Story => {
  const frames = framesOf(runner, trace);
  const lines: StoryLine[] = [];
  const regions = regionNames(buildMachine(trace.machine));
  const result = runner.run(planOf(trace), new Tally(), (executed, state) => {
    lines.push({
      step: stepNumber(trace, executed.step),
      call: callText(executed.call, regions),
      answer: answerText(executed),
      map: mapText(frames, state),
    });
  });
  const { violation } = result;
  return { lines, frames, broken: violation && { rule: violation.rule.id, text: violation.text } };
};

/** A call, and which of its requests for a page was to fail. */
const callText = (call: Call, regions: readonly string[]): string => {
  const nameOf = NAMES_REGION.has(call.action) ? (index: number) => regions[index]! : shortName;
  const text = ACTION[call.action].shows(call, nameOf);
  return call.fails === 0 ? text : `${text}, request ${call.fails} for a page fails`;
};

const stepNumber = (trace: Trace, step: Step | undefined): number | undefined =>
  step === undefined ? undefined : trace.steps.indexOf(step);

const framesOf = (runner: TraceRunner, trace: Trace): number[] => {
  const frames = new Set<number>();
  runner.run(planOf(trace), new Tally(), ({ call, value }) => {
    const takes = TAKES_FRAMES.has(call.action);
    const first = takes ? value : call.pfn;
    const usesFrames = call.pfn > 0 || takes;
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
  7: 'E2BIG',
  12: 'ENOMEM',
  16: 'EBUSY',
  17: 'EEXIST',
  22: 'EINVAL',
  95: 'EOPNOTSUPP',
  99: 'EADDRNOTAVAIL',
};

/** Actions that answer the frame of what they took. */
const TAKES_FRAMES: ReadonlySet<string> = new Set([
  'allocPages',
  'vmalloc',
  'allocPreserve',
  'pin',
  'migrate',
]);

/** Actions whose name is that of a reserve_mem region. */
const NAMES_REGION: ReadonlySet<string> = new Set(['reserveMemFindByName', 'releaseReserveMem']);

/** Actions whose refusal is a null pointer. */
const ANSWERS_NULL: ReadonlySet<string> = new Set([
  'restoreFolio',
  'restorePages',
  'restoreVmalloc',
  'restoreFree',
]);

const answerText = ({ call, value }: ExecutedCall): string => {
  if (Number.isNaN(value)) return '';
  if (value <= -1000) return 'panic';
  if (value < 0) {
    const name = ERRNO[-value];
    const missing = ANSWERS_NULL.has(call.action);
    return missing ? 'NULL' : name === undefined ? String(value) : `-${name}`;
  }
  switch (call.action) {
    case 'coldBoot':
    case 'kexec':
      return value === REVIVED ? 'revived' : value === COLD ? 'cold' : 'cold, no KHO';
    case 'crash':
      return 'kdump';
    case 'khoIsEnabled':
    case 'isKhoBoot':
      return value === 1 ? 'yes' : 'no';
    case 'allocPages':
    case 'vmalloc':
    case 'allocPreserve':
    case 'pin':
    case 'migrate':
    case 'preserveVmalloc':
    case 'retrieveSubtree':
    case 'reserveMemFindByName':
      return hex(value);
    case 'restoreFolio':
    case 'restoreFree':
      return `order ${value}`;
    default:
      return 'ok';
  }
};
