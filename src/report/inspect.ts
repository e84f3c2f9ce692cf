/**
 * An inspection as text: 80 columns, addresses of one width, tables, a strip of memory, findings.
 *
 * Names come out of foreign bytes; whatever a terminal might obey is shown escaped.
 */
import picocolors from 'picocolors';
import type { InspectedHandover, InspectFinding, InspectView } from './inspect-view.ts';
import { drawStrip, EMPTY, GAP, MIXED, type Stretch } from './strip.ts';

const COLUMNS = 80;

/** Rows of a table before the rest is only counted. */
const MAX_ROWS = 40;

/** How an inspection is printed. */
export interface InspectTextOptions {
  /** Whether the reader is a terminal that shows colour. */
  readonly color: boolean;
}

type Paint = ReturnType<typeof picocolors.createColors>;

/** Replaces what is not printable ASCII by an escape. */
const plain = (text: string): string =>
  text.replace(
    /[^\x20-\x7e⋯–…→]/g,
    (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );

/** Bytes with the largest unit that leaves a whole number. */
const size = (bytes: number): string => {
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];
  let unit = 0;
  let value = bytes;
  while (value >= 1024 && Number.isInteger(value / 1024) && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${value} ${units[unit] as string}`;
};

/** `count` of a thing, in the singular when it is one. */
const many = (count: number, thing: string): string => `${count} ${thing}${count === 1 ? '' : 's'}`;

/** Writes addresses of one width, wide enough for the highest in the report. */
const addressWriter = (handover: InspectedHandover): ((value: number | undefined) => string) => {
  const ends = [
    ...handover.scratch.map(({ phys, bytes }) => phys + bytes),
    ...handover.preserved.map(({ phys, order }) => phys + 2 ** (order + handover.pageShift)),
    ...handover.trackerPages.map(({ phys }) => phys),
    ...handover.subtrees.map(({ phys }) => phys),
  ];
  const highest = ends.reduce((a, b) => Math.max(a, b), handover.tracker ?? 0);
  const digits = Math.max(8, highest.toString(16).length);
  return (value) =>
    value === undefined ? '-'.padEnd(digits + 2) : `0x${value.toString(16).padStart(digits, '0')}`;
};

/** Breaks `text` into lines of at most `COLUMNS`, each after `indent` spaces. */
const wrap = (text: string, indent: number): string[] => {
  const room = COLUMNS - indent;
  const lines: string[] = [];
  let line = '';
  for (const word of plain(text).split(' ')) {
    if (line !== '' && line.length + 1 + word.length > room) {
      lines.push(line);
      line = '';
    }
    line = line === '' ? word : `${line} ${word}`;
    for (; line.length > room; line = line.slice(room)) lines.push(line.slice(0, room));
  }
  return [...lines, line].map((each) => ' '.repeat(indent) + each);
};

const header = (view: InspectView, paint: Paint): string[] => {
  const { compatible, pageShift } = view.handover;
  const generation = compatible === '' ? 'unknown generation' : plain(compatible);
  // Without memory nothing tells the page size.
  const pages = view.handover.fdt === undefined ? '' : `, pages of ${size(2 ** pageShift)}`;
  const lines = wrap(`${view.kind} ${view.path}`, 0).map((line) => paint.bold(line));
  const by = view.writers.length === 0 ? '' : `, as written by ${view.writers.join(', ')}`;
  lines.push(...wrap(`${generation}${by}${pages}`, 0));
  const [written] = view.blobs.get('kexec-metadata') ?? [];
  if (written !== undefined) lines.push(...wrap(written, 0));
  return lines;
};

const tree = (view: InspectView, address: (value: number | undefined) => string): string[] => {
  const { fdt, tracker, scratchArray, subtrees } = view.handover;
  const lines = [
    'Tree',
    `  root           ${address(fdt)}`,
    `  tracker        ${address(tracker)}`,
  ];
  lines.push(`  scratch array  ${address(scratchArray)}`, '', 'Blobs');
  if (subtrees.length === 0 && view.blobs.size === 0) lines.push('  none');
  for (const { name, phys, bytes } of subtrees) {
    const shown = plain(name);
    const label = shown.length > 32 ? `${shown.slice(0, 31)}…` : shown;
    lines.push(`  ${address(phys)}  ${label.padEnd(32)}  ${size(bytes)}`);
    for (const line of view.blobs.get(name) ?? []) lines.push(...wrap(line, 6));
  }
  const named = new Set(subtrees.map(({ name }) => name));
  for (const [name, told] of view.blobs) {
    if (named.has(name)) continue;
    lines.push(...wrap(`${address(undefined)}  ${name}`, 2), ...told.flatMap((l) => wrap(l, 6)));
  }
  return lines;
};

const scratch = (
  handover: InspectedHandover,
  address: (value: number | undefined) => string,
): string[] => {
  const lines = ['Scratch'];
  if (handover.scratch.length === 0) lines.push('  none known');
  handover.scratch.slice(0, MAX_ROWS).forEach(({ phys, bytes }, i) => {
    const role = i === 0 ? 'low memory' : i === 1 ? 'global' : `node area ${i - 2}`;
    const range = `${address(phys)} – ${address(phys + bytes)}`;
    lines.push(`  ${range}  ${role.padEnd(13)}  ${bytes === 0 ? 'empty' : size(bytes)}`);
  });
  const hidden = handover.scratch.length - MAX_ROWS;
  if (hidden > 0) lines.push(`  … and ${many(hidden, 'more area')} (see --json)`);
  return lines;
};

/** Blocks that touch, as one run. */
interface Run {
  readonly start: number;
  end: number;
  blocks: number;
  least: number;
  most: number;
}

const runsOf = (handover: InspectedHandover): Run[] => {
  const runs: Run[] = [];
  const sorted = [...handover.preserved].sort((a, b) => a.phys - b.phys);
  for (const { phys, order } of sorted) {
    const end = phys + 2 ** (order + handover.pageShift);
    const last = runs.at(-1);
    if (last === undefined || phys > last.end) {
      runs.push({ start: phys, end, blocks: 1, least: order, most: order });
      continue;
    }
    last.end = Math.max(last.end, end);
    last.blocks++;
    last.least = Math.min(last.least, order);
    last.most = Math.max(last.most, order);
  }
  return runs;
};

const preserved = (
  handover: InspectedHandover,
  address: (value: number | undefined) => string,
): string[] => {
  const runs = runsOf(handover);
  const total = runs.reduce((sum, { start, end }) => sum + end - start, 0);
  const title = `Preserved: ${many(handover.preserved.length, 'block')}, ${size(total)}`;
  const lines = [title];
  for (const { start, end, blocks, least, most } of runs.slice(0, MAX_ROWS)) {
    const orders = least === most ? `order ${least}` : `orders ${least}–${most}`;
    const range = `${address(start)} – ${address(end)}`;
    lines.push(`  ${range}  ${many(blocks, 'block').padEnd(13)}  ${orders}`);
  }
  if (runs.length > MAX_ROWS) {
    lines.push(`  … and ${many(runs.length - MAX_ROWS, 'more run')} (see --json)`);
  }
  const levels = new Map<number, number>();
  for (const { level } of handover.trackerPages) levels.set(level, (levels.get(level) ?? 0) + 1);
  const each = [...levels].sort(([a], [b]) => b - a).map(([level, count]) => `${level}: ${count}`);
  const pages = many(handover.trackerPages.length, 'page');
  return [...lines, '', `Tracker: ${pages}; by level ${each.join(', ') || '-'}`];
};

const strip = (handover: InspectedHandover): string[] => {
  const page = 2 ** handover.pageShift;
  const stretch = (start: number, bytes: number, mark: string): Stretch => ({
    start,
    end: start + bytes,
    mark,
  });
  const stretches = [
    ...handover.scratch.map(({ phys, bytes }) => stretch(phys, bytes, 's')),
    ...handover.preserved.map(({ phys, order }) => stretch(phys, 2 ** order * page, 'P')),
    ...handover.trackerPages.map(({ phys }) => stretch(phys, page, 't')),
  ];
  if (stretches.length === 0) return [];
  const { line, cellBytes } = drawStrip(stretches, COLUMNS - 2, page);
  return [
    `Memory, one character for ${size(cellBytes)}`,
    `  ${line}`,
    `  P preserved   s scratch   t tracker   ${MIXED} several   ${EMPTY} ${GAP} neither`,
    '',
  ];
};

const OUTCOME_WORDS = {
  same: 'takes it',
  refused: 'refuses it, cold boot',
  ignored: 'takes it in part',
  misread: 'misreads it',
  panic: 'panics',
} as const;

/** Kernels in a row that would do the same for the same reasons are told together. */
const kernels = (view: InspectView, paint: Paint): string[] => {
  const rows: { first: string; last: string; shown: string; told: string[] }[] = [];
  for (const { kernel, outcome, reasons } of view.kernels) {
    const told = reasons.flatMap((reason) => wrap(reason, 6));
    const shade =
      outcome === 'same'
        ? paint.green
        : outcome === 'misread' || outcome === 'panic'
          ? paint.red
          : paint.yellow;
    const shown = shade(OUTCOME_WORDS[outcome]);
    const before = rows.at(-1);
    if (before?.shown === shown && before.told.join() === told.join()) before.last = kernel;
    else rows.push({ first: kernel, last: kernel, shown, told });
  }
  const lines = rows.flatMap(({ first, last, shown, told }) => {
    const names = first === last ? first : `${first}–${last}`;
    return [`  ${names.padEnd(10)}  ${shown}`, ...told.map((line) => paint.dim(line))];
  });
  return ['Next kernel, with the same page size', ...lines, ''];
};

const finding = (each: InspectFinding, paint: Paint): string[] => {
  const shade =
    each.severity === 'error' ? paint.red : each.severity === 'warning' ? paint.yellow : paint.cyan;
  const says = wrap(each.says, 4).map((line) => paint.dim(line));
  return [`  ${shade(each.severity)} ${each.rule}`, ...wrap(each.message, 4), ...says];
};

const verdict = (view: InspectView, paint: Paint): string => {
  const count = (severity: string): number =>
    view.findings.filter((each) => each.severity === severity).length;
  const asked = `${many(view.rulesAsked, 'rule')} asked`;
  const found = `${many(count('error'), 'error')}, ${many(count('warning'), 'warning')}`;
  const shade = view.verdict === 'holds' ? paint.green : paint.red;
  return `${shade(view.verdict)}: ${asked}, ${found}`;
};

/** The report, ending with a line break. */
export const inspectText = (view: InspectView, { color }: InspectTextOptions): string => {
  const paint = picocolors.createColors(color);
  const address = addressWriter(view.handover);
  const lines = [
    ...header(view, paint),
    '',
    ...tree(view, address),
    '',
    ...scratch(view.handover, address),
    '',
    ...preserved(view.handover, address),
    '',
    ...strip(view.handover),
    ...kernels(view, paint),
  ];
  if (view.findings.length > 0) {
    lines.push('Findings', ...view.findings.flatMap((each) => finding(each, paint)), '');
  }
  lines.push(verdict(view, paint));
  return `${lines.map((line) => line.trimEnd()).join('\n')}\n`;
};
