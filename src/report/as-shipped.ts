/** The defects of a release as text, for those who maintain it. */
import type { Colors } from './colors.ts';
import { wrap } from './counterexample.ts';
import { spans } from './hunt.ts';

/** What is known of a bug. */
export interface BugView {
  readonly id: string;
  readonly title: string;
  readonly kernels: readonly string[];
  readonly at: { readonly file: string; readonly symbol: string };
  readonly trace: string;
}

/** The end of a run. */
export interface ShippedSummary {
  /** Full release, such as `7.3.4`. */
  readonly release: string;
  readonly traces: number;
  readonly steps: number;
  readonly kexecs: number;
  readonly seed: number;
  readonly found: readonly {
    readonly bugs: readonly string[];
    readonly rule: string;
    readonly steps: number;
    readonly path: string;
  }[];
  /** Ids of bugs that the release had and that nothing showed. */
  readonly quiet: readonly string[];
  readonly except: readonly string[];
}

/** What stands above the story of a trace: the bug, where it is, and in short how it shows. */
export const bugText = ({ id, title, kernels, at, trace }: BugView, colors: Colors): string =>
  [
    ...wrap(`${id}  ${title}`, 0).map((line) => colors.bold(line)),
    ...wrap(`Linux ${spans(kernels)}; ${at.file}, ${at.symbol}`, 4),
    ...wrap(trace, 4),
  ].join('\n');

/** The summary, without a final newline. */
export const shippedText = (summary: ShippedSummary, colors: Colors): string => {
  const { release, traces, steps, kexecs, seed, found, quiet, except } = summary;
  const count = (value: number): string => value.toLocaleString('en-US');
  const head =
    `Linux ${release} as shipped, ${count(traces)} traces, ${count(steps)} steps, ` +
    `${count(kexecs)} handovers, seed ${seed}`;
  const lines = [head, ''];
  const names = found.map(({ bugs }) => (bugs.length === 0 ? 'new' : bugs.join('+')));
  const width = Math.max(4, ...names.map((name) => name.length));
  for (const [at, { rule, steps: length, path }] of found.entries()) {
    lines.push(
      `  ${names[at]!.padEnd(width)}  ${rule}  ${String(length).padStart(2)} steps  ${path}`,
    );
  }
  if (found.length > 0) lines.push('');
  if (except.length > 0) lines.push(...wrap(`left out: ${except.join(', ')}`, 0));
  if (quiet.length > 0) lines.push(...wrap(`not shown by these traces: ${quiet.join(', ')}`, 0));
  const verdict = `${found.length} distinct ${found.length === 1 ? 'defect' : 'defects'}.`;
  lines.push(found.length === 0 ? colors.green('holds: no defect.') : colors.red(verdict));
  return lines.join('\n');
};
