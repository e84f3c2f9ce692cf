/**
 * What each kernel would make of a handover: derived from the descriptions of generations and from
 * the bytes, never from a table of pairs.
 *
 * A reader first demands its string. Then it reads the tracker in its own format, whatever the
 * writer's was; what it gets is compared with what was written. Last it looks for the blobs that it
 * knows. A kernel of another page size or architecture is not considered: nothing on the wire names
 * either.
 *
 * Invariant: never throws, whatever the bytes are.
 */
import type { Generation } from '../description/generation.ts';
import { RELEASED, WIRE_GENERATIONS } from '../description/generations.ts';
import type { Frames } from '../decode/frames.ts';
import type { DecodedHandover } from '../decode/handover.ts';
import { readTracker, type DecodedBlock } from '../decode/tracker.ts';
import { fitBlob } from './blob-fit.ts';
import { formatName, worstOf, type Finding, type Outcome } from './outcome.ts';
import { atBoot, sameTracker } from './pairs.ts';

/** What one kernel would do. */
export interface Take {
  /** Release series. */
  readonly kernel: string;
  readonly outcome: Outcome;
  /** Why, as short phrases; empty for `same`. */
  readonly reasons: readonly string[];
}

/** What there is to judge. */
export interface Taken {
  readonly handover: DecodedHandover;
  /** Memory, when there is some. */
  readonly memory: Frames | undefined;
  /** The bytes of the blob of that name, when they are there. */
  readonly blob: (name: string) => Uint8Array | undefined;
}

/** What every released kernel would do with this handover, oldest kernel first. */
export const takesOf = (taken: Taken): readonly Take[] =>
  RELEASED.flatMap((reader) =>
    reader.releases.map((kernel) => ({ kernel, ...takeOf(taken, reader) })),
  );

/** What one generation would do; the worst of what it finds. */
export const takeOf = (
  taken: Taken,
  reader: Generation,
): { readonly outcome: Outcome; readonly reasons: readonly string[] } => {
  const found = atRoot(taken, reader) ?? [
    ...atBoot(taken.handover.writers, reader),
    ...atTracker(taken, reader),
    ...taken.handover.subtrees.flatMap(({ name }) => atBlob(taken, reader, name)),
    ...taken.handover.lost.flatMap((name) => atLost(reader, name)),
  ];
  return { outcome: worstOf(found), reasons: found.map(({ reason }) => reason) };
};

/** Whether a tree has another form than those of the reader, whoever wrote it. */
const isForeign = ({ writers }: DecodedHandover, reader: Generation): boolean =>
  writers.length > 0 && writers.every(({ root }) => root.form !== reader.root.form);

/** Why a reader refuses the root, or undefined when it does not. */
const atRoot = ({ handover }: Taken, reader: Generation): readonly Finding[] | undefined => {
  const { compatible, tracker } = handover;
  const refused = (reason: string): readonly Finding[] => [{ outcome: 'refused', reason }];
  if (compatible === '') return refused('the root says nothing');
  if (compatible !== reader.compatible) {
    return refused(`wants ${reader.compatible}, the root says ${compatible}`);
  }
  const hasMap = (tracker ?? 0) !== 0 && !isForeign(handover, reader);
  if (reader.root.zeroMap === 'refused' && !hasMap) {
    return refused('wants a map of preserved memory, and there is none');
  }
  return undefined;
};

/** What a reader makes of the tracker. */
const atTracker = ({ handover, memory }: Taken, reader: Generation): readonly Finding[] => {
  const { tracker, writers } = handover;
  const wrong = handover.damage.find(({ where }) => where.startsWith('tracker'));
  if (wrong !== undefined) {
    return [{ outcome: 'misread', reason: `${wrong.where} ${wrong.what}` }];
  }
  const shift = handover.pageShift;
  if (isForeign(handover, reader)) {
    const reason = 'looks for preserved memory where the tree has none';
    return handover.preserved.length === 0 ? [] : [{ outcome: 'misread', reason }];
  }
  const others = writers.filter((each) => !sameTracker(each.tracker, reader.tracker, shift));
  if (others.length === 0 || tracker === 0) return [];
  const misread = (reason: string): readonly Finding[] => [{ outcome: 'misread', reason }];
  const differ = others.map(({ tracker: format }) => formatName(format, shift))[0] ?? '';
  const formats = `reads ${formatName(reader.tracker, shift)} where ${differ} were written`;
  if (tracker === undefined) return misread(`${formats}, and finds none`);
  if (memory === undefined) {
    const all = others.length === writers.length;
    const ids = others.map(({ id }) => id).join(', ');
    return misread(all ? formats : `${formats}, if ${ids} wrote it`);
  }
  const start = { phys: tracker, ranges: [] };
  const got = readTracker(memory, reader.tracker, start, true);
  const lost = bytesOf(minus(handover.preserved, got.preserved), shift);
  const bogus = bytesOf(minus(got.preserved, handover.preserved), shift);
  const parts = [
    ...(lost > 0 ? [`loses ${lost} bytes`] : []),
    ...(bogus > 0 ? [`reserves ${bogus} bytes that nobody preserved`] : []),
    ...(got.damage.length > 0 ? [`reads memory that was not recorded`] : []),
  ];
  if (parts.length > 0) return misread(`${formats}: ${parts.join(', ')}`);
  return [{ outcome: 'same', reason: `${formats}, but nothing of this handover is lost by that` }];
};

const minus = (
  blocks: readonly DecodedBlock[],
  without: readonly DecodedBlock[],
): readonly DecodedBlock[] => {
  const key = ({ phys, order }: DecodedBlock): number => (phys / 4096) * 64 + order;
  const keys = new Set(without.map(key));
  return blocks.filter((block) => !keys.has(key(block)));
};

const bytesOf = (blocks: readonly DecodedBlock[], pageShift: number): number =>
  blocks.reduce((sum, { order }) => sum + 2 ** (order + pageShift), 0);

/** Blobs that only a module writes and reads, or that nobody here knows: no kernel's concern. */
const isKernels = (name: string): boolean =>
  WIRE_GENERATIONS.some(({ blobs }) =>
    blobs.some((blob) => blob.name === name && blob.owner === 'kernel'),
  );

/** What a reader makes of one blob. */
const atBlob = ({ blob }: Taken, reader: Generation, name: string): readonly Finding[] => {
  if (!isKernels(name)) return [];
  const format = reader.blobs.find((each) => each.name === name);
  if (format === undefined) return [{ outcome: 'ignored', reason: `does not know ${name}` }];
  const bytes = blob(name);
  if (bytes === undefined) return [];
  const { misfit, passedOver } = fitBlob(format, bytes);
  if (misfit !== undefined) return [{ outcome: format.misfit, reason: `${name} ${misfit}` }];
  return passedOver.map((child) => ({
    outcome: 'ignored' as const,
    reason: `passes over ${child} in ${name}`,
  }));
};

/** What a reader makes of a subtree that does not say where its blob is. */
const atLost = (reader: Generation, name: string): readonly Finding[] =>
  reader.blobs
    .filter((blob) => blob.name === name && blob.owner === 'kernel')
    .map(({ misfit }) => ({ outcome: misfit, reason: `cannot find the blob of ${name}` }));

/**
 * Of the generations that write such a tree and tracker, those that also write such blobs; all of
 * them when none does.
 */
export const likelyWriters = ({ handover, blob }: Taken): readonly Generation[] => {
  const { writers } = handover;
  const names = handover.subtrees.map(({ name }) => name).filter(isKernels);
  const left = writers.filter((writer) =>
    names.every((name) => {
      const format = writer.blobs.find((each) => each.name === name);
      const bytes = blob(name);
      if (format === undefined) return false;
      if (bytes === undefined) return true;
      const { misfit, passedOver } = fitBlob(format, bytes);
      return misfit === undefined && passedOver.length === 0;
    }),
  );
  return left.length === 0 ? writers : left;
};
