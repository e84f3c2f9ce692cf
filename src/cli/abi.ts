/**
 * `kho-check abi show [KERNEL]`: the generations of KHO and their formats.
 *
 * Everything shown is data of src/abi/description, or derived from it.
 */
import type { BlobFormat } from '../abi/description/blob-format.ts';
import type { Generation, Phases, TrackerFormat } from '../abi/description/generation.ts';
import {
  generationById,
  NEWEST_GENERATION,
  RELEASED,
  WIRE_GENERATIONS,
} from '../abi/description/generations.ts';
import { PAGE_SHIFTS, type PageShift } from '../abi/description/page-size.ts';
import { formatName } from '../abi/verdict/outcome.ts';
import { outcomeOf } from '../abi/verdict/pairs.ts';
import { generationPage, generationTable } from '../report/abi.ts';
import type { GenerationPage, GenerationRow } from '../report/abi.ts';
import { EXIT, UsageError } from './io.ts';
import type { Io } from './io.ts';

export interface AbiShowOptions {
  /** log2 of the page size in bytes. */
  readonly pageShift: number;
  readonly json: boolean;
}

/** Prints one generation, or the table of all; answers the exit status. */
export const abiShow = (kernel: string | undefined, options: AbiShowOptions, io: Io): number => {
  const shift = PAGE_SHIFTS.find((each) => each === options.pageShift) ?? 12;
  if (kernel === undefined) {
    if (options.json) io.out(`${JSON.stringify({ generations: WIRE_GENERATIONS })}\n`);
    else io.out(`${generationTable(WIRE_GENERATIONS.map(rowOf), io.colors)}\n`);
    return EXIT.holds;
  }
  const generation = generationNamed(kernel);
  const next = RELEASED.map((reader) => ({
    kernel: reader.id,
    ...outcomeOf(generation, reader, shift),
  }));
  if (options.json) io.out(`${JSON.stringify({ generation, pageSize: 2 ** shift, next })}\n`);
  else io.out(`${generationPage({ ...pageOf(generation, shift), next }, io.colors)}\n`);
  return EXIT.holds;
};

/** The generation of a kernel (`6.18`, `6.18.15`) or a patch series (`v5`). */
const generationNamed = (kernel: string): Generation => {
  const series = /^(\d+\.\d+)\.\d+$/.exec(kernel)?.[1] ?? kernel;
  const found = generationById(series);
  if (found !== undefined) return found;
  const known = WIRE_GENERATIONS.map(({ id }) => id).join(', ');
  throw new UsageError(`there is no kernel ${kernel} with KHO; known are ${known}`);
};

const rowOf = (generation: Generation): GenerationRow => ({
  kernel: generation.id,
  root: generation.compatible,
  tracker: trackerName(generation.tracker),
  subtree: generation.subtree?.address ?? '',
  luo: stringOf(generation.blobs.find(({ name }) => name === 'LUO')),
  phases: phasesName(generation.phases),
});

/** A tracker's format whatever the page size. */
const trackerName = (format: TrackerFormat): string =>
  format.kind === 'chunks' && format.bitmapBytes === 'page'
    ? 'bitmaps of a page'
    : formatName(format, 12);

const subtreeNames = ({ subtree }: Generation): string =>
  subtree === undefined ? '' : [subtree.address, subtree.bytes].filter(Boolean).join(', ');

const phasesName = ({ kind, off }: Phases): string =>
  kind === 'finalize' && off !== undefined ? 'finalize, abort' : kind;

/** What a blob says first: its string, or its version. */
const stringOf = (blob: BlobFormat | undefined): string => {
  if (blob === undefined) return '';
  const { content } = blob;
  if (content.form === 'struct') return String(content.fields[0]?.is ?? '');
  const children = content.root.children.map(({ compatible }) => compatible ?? '');
  return content.root.compatible ?? children[0] ?? '';
};

const pageOf = (generation: Generation, shift: PageShift): Omit<GenerationPage, 'next'> => {
  const { id, releases, root, tracker, phases, files, boot, mark } = generation;
  const first = releases.length === 0 ? `KHO, patch series ${id}` : `Linux ${releases.join(', ')}`;
  const newest = generation === NEWEST_GENERATION ? ', the newest known' : '';
  return {
    title: `${first}${newest}, ${2 ** (shift - 10)} KiB pages`,
    facts: [
      [
        'root',
        `${generation.compatible}, ${ROOT_WORDS[root.form]}, ${WRITTEN_WORDS[root.written]}`,
      ],
      ['memory map', mapText(generation)],
      ['tracker', formatName(tracker, shift)],
      ['subtrees', subtreeNames(generation) || 'the nodes hold their content'],
      ['blobs', generation.blobs.map(blobText).join('; ') || 'none of the kernel'],
      ['phases', phasesText(phases)],
      ['scratch', scratchText(generation, shift)],
      ['boot, x86', `setup data ${boot.setupData.type}: ${boot.setupFields.join(' ')}`],
      ['boot, arm64', `/chosen: ${boot.chosen.join(' ')}`],
      ['restored pages', mark.magic === undefined ? 'carry their order' : MARKED(mark.magic)],
      ['files', `${files.outDirectory}: ${files.out.join(' ')}`],
      ['', `${files.inDirectory}: ${files.in.join(' ')}`],
    ],
  };
};

const ROOT_WORDS = {
  users: "one tree with the users' own nodes",
  nodes: 'one tree made from nodes that users built',
  pointers: 'a page that points to blobs',
} as const;

const WRITTEN_WORDS = {
  active: 'written when the active phase begins',
  finalize: 'written when finalized',
  'in-place': 'edited in place from boot on',
} as const;

const MARKED = (magic: number): string => `carry their order and 0x${magic.toString(16)}`;

const mapText = ({ root }: Generation): string => {
  if (root.map === undefined) return 'none; ranges stand in the nodes';
  const zero = root.zeroMap === 'refused' ? '0 is refused' : '0 means nothing is preserved';
  return `/${root.map.node}#${root.map.property}; ${zero}`;
};

const blobText = (blob: BlobFormat): string => {
  const { content, misfit, name } = blob;
  const children = content.form === 'tree' ? content.root.children : [];
  const all = [stringOf(blob), ...children.map(({ compatible }) => compatible ?? '')];
  return `${name} (${all.join(', ')}${misfit === 'panic' ? '; panics when it does not fit' : ''})`;
};

const phasesText = (phases: Phases): string => {
  const { kind, file, again, off, preserveWhenOn, attached } = phases;
  if (kind === 'stateless') return 'none; whatever is preserved at kexec is handed over';
  const parts = [
    `${kind} by ${file ?? 'nobody'}`,
    ...(again === undefined ? [] : [again === 'anew' ? 'again is done anew' : `again -${again}`]),
    off === undefined ? 'no way back' : 'can be undone',
    ...(off?.dropsPreserved === true ? ['which gives up all that is preserved'] : []),
    ...(preserveWhenOn === undefined ? [] : [`preserving then answers -${preserveWhenOn}`]),
    `an image gets the handover ${attached === 'always' ? 'in any state' : 'only then'}`,
  ];
  return parts.join('; ');
};

const scratchText = ({ scratch, scratchAlignment }: Generation, shift: PageShift): string => {
  const percent = scratch.percent === 'never' ? '' : 'N% or ';
  const usual =
    scratch.defaultPercent === undefined
      ? 'without it KHO is off'
      : `${scratch.defaultPercent} % without it`;
  const align = `aligned to ${scratchAlignment[shift] / 2 ** 20} MiB`;
  const option = `kho_scratch=${percent}${scratch.sizes.join(',')}`;
  return `${option}; ${usual}; ${NODES_WORDS[scratch.nodes]}; ${align}`;
};

const NODES_WORDS = {
  none: 'one area alone',
  online: 'an area for every node that is online',
  memory: 'an area for every node with memory',
} as const;
