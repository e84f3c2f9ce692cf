/**
 * What one generation makes of another's handover, derived from the two descriptions alone.
 *
 * The handover is taken to hold every blob that the writer's kernel knows, and memory whose loss
 * would be seen. What really happens to one handover can be milder; see takes.ts.
 */
import { bitmapBytes } from '../description/chunk-list.ts';
import type { BlobContent, BlobFormat, NodeFormat } from '../description/blob-format.ts';
import type { Generation, TrackerFormat } from '../description/generation.ts';
import type { PageShift } from '../description/page-size.ts';
import { formatName, worstOf, type Finding, type Outcome } from './outcome.ts';

/** The outcome of a pair and why, oldest reason first; no reasons for `same`. */
export interface PairOutcome {
  readonly outcome: Outcome;
  readonly reasons: readonly string[];
}

/** What `reader` makes of what `writer` hands over, both with pages of `2^pageShift` bytes. */
export const outcomeOf = (
  writer: Generation,
  reader: Generation,
  pageShift: PageShift,
): PairOutcome => {
  const found = atRoot(writer, reader) ?? [
    ...atBoot([writer], reader),
    ...atTracker(writer, reader, pageShift),
    ...writer.blobs.flatMap((blob) => atBlob(blob, reader)),
  ];
  return { outcome: worstOf(found), reasons: found.map(({ reason }) => reason) };
};

const atRoot = (writer: Generation, reader: Generation): readonly Finding[] | undefined => {
  const [said, wanted] = [writer.compatible, reader.compatible];
  if (said !== wanted) {
    return [{ outcome: 'refused', reason: `wants ${wanted}, the root says ${said}` }];
  }
  if (writer.root.form === reader.root.form) return undefined;
  const lost = reader.root.zeroMap === 'refused' ? 'refused' : 'misread';
  return [{ outcome: lost, reason: 'looks for preserved memory where the tree has none' }];
};

/** Whether scratch is one area that is named itself, beside an array of ranges (v3). */
const namesOneArea = ({ boot }: Generation): boolean => boot.setupFields.includes('mem_cache_addr');

/** What a reader makes of how it is told where scratch is; `writers` are those it may be from. */
export const atBoot = (writers: readonly Generation[], reader: Generation): readonly Finding[] => {
  const differ = writers.every((writer) => namesOneArea(writer) !== namesOneArea(reader));
  if (writers.length > 0 && differ) {
    const want = namesOneArea(reader) ? 'one area' : 'an array of areas';
    return [{ outcome: 'panic', reason: `is not told of ${want}: it has no memory to boot in` }];
  }
  const areas = ({ scratch }: Generation): string => scratch.sizes.join();
  if (writers.length === 0 || writers.some((each) => areas(each) === areas(reader))) return [];
  return [{ outcome: 'misread', reason: 'takes one scratch area for another' }];
};

/** Whether two trackers are the same bytes for the same memory. */
export const sameTracker = (a: TrackerFormat, b: TrackerFormat, pageShift: number): boolean =>
  a.kind === b.kind &&
  (a.kind !== 'chunks' ||
    b.kind !== 'chunks' ||
    bitmapBytes(a, pageShift) === bitmapBytes(b, pageShift));

const atTracker = (
  writer: Generation,
  reader: Generation,
  pageShift: PageShift,
): readonly Finding[] => {
  if (sameTracker(writer.tracker, reader.tracker, pageShift)) return [];
  const [got, want] = [writer.tracker, reader.tracker].map((each) => formatName(each, pageShift));
  return [{ outcome: 'misread', reason: `reads ${want} where ${got} were written` }];
};

const atBlob = (written: BlobFormat, reader: Generation): readonly Finding[] => {
  if (written.owner === 'module') return [];
  const { name } = written;
  const demanded = reader.blobs.find((each) => each.name === name);
  if (demanded === undefined) return [{ outcome: 'ignored', reason: `does not know ${name}` }];
  const misfit = contentMisfit(written.content, demanded.content);
  if (misfit !== undefined) return [{ outcome: demanded.misfit, reason: `${name} ${misfit}` }];
  return passedOver(written.content, demanded.content).map((child) => ({
    outcome: 'ignored' as const,
    reason: `passes over ${child} in ${name}`,
  }));
};

const contentMisfit = (written: BlobContent, demanded: BlobContent): string | undefined => {
  if (written.form === 'tree' && demanded.form === 'tree') {
    return nodeMisfit(written.root, demanded.root);
  }
  if (written.form === 'struct' && demanded.form === 'struct') {
    const same = JSON.stringify(written) === JSON.stringify(demanded);
    return same ? undefined : 'is another struct';
  }
  return `is a ${written.form}, not a ${demanded.form}`;
};

const nodeMisfit = (written: NodeFormat, demanded: NodeFormat): string | undefined => {
  if (written.compatible !== demanded.compatible) {
    return `says ${written.compatible ?? 'nothing'}, not ${demanded.compatible ?? 'nothing'}`;
  }
  for (const { name } of demanded.properties) {
    if (!written.properties.some((each) => each.name === name)) return `has no ${name}`;
  }
  for (const child of demanded.children) {
    const found = written.children.find(({ name }) => name === child.name);
    const misfit = found === undefined ? `has no ${child.name}` : nodeMisfit(found, child);
    if (misfit !== undefined) return misfit;
  }
  return undefined;
};

const passedOver = (written: BlobContent, demanded: BlobContent): readonly string[] => {
  if (written.form !== 'tree' || demanded.form !== 'tree') return [];
  const known = new Set(demanded.root.children.map(({ name }) => name));
  return written.root.children.flatMap(({ name }) =>
    name === undefined || known.has(name) ? [] : [name],
  );
};
