/**
 * The promises, as named suites over any system.
 *
 * Every suite runs the same traces in lockstep; a suite says which rules it defends and which kinds
 * of step it wants more of. Whatever rule breaks is reported, whichever suites were asked for: a
 * broken promise next door is not good news.
 */
import type { StepName } from '#model/step';

export interface Suite {
  readonly name: string;
  /** The promise in one sentence. */
  readonly says: string;
  /** Ids of the rules that the suite defends. */
  readonly rules: readonly string[];
  /** Kinds of step that are drawn more often when the suite is asked for by name. */
  readonly wants: readonly StepName[];
}

const numbered = (chapter: string, last: number): string[] =>
  Array.from({ length: last }, (_, i) => `${chapter}-${String(i + 1).padStart(2, '0')}`);

export const SUITES: readonly Suite[] = [
  {
    name: 'scratch',
    says: 'Scratch areas are there, aligned, handed on unchanged, and where every kernel starts.',
    rules: [...numbered('SCR', 13), 'HND-15', 'HND-16', 'HND-17', 'HND-18'],
    wants: ['load', 'kexec', 'preserve scratch', 'cold boot', 'load with', 'boot with'],
  },
  {
    name: 'movability',
    says: 'Scratch serves movable requests only, pinned pages leave it; none is lost on the way.',
    rules: [...numbered('MOV', 11), ...numbered('ALC', 7)],
    wants: ['alloc', 'claim', 'free', 'pin', 'unpin', 'migrate'],
  },
  {
    name: 'preservation',
    says: 'Exactly what was preserved is in the tracker, in no more pages than it needs.',
    rules: [
      ...numbered('PRS', 7),
      ...numbered('TRK', 4),
      'HND-03',
      'HND-04',
      'HND-05',
      'HND-06',
      'HND-07',
      'HND-12',
      'HND-13',
      'HND-14',
    ],
    wants: ['preserve', 'unpreserve', 'claim', 'preserve scratch'],
  },
  {
    name: 'restore',
    says: 'What was handed over is restored once, whole, with its order; nothing else is.',
    rules: numbered('RST', 5),
    wants: ['claim', 'preserve', 'restore', 'restore part'],
  },
  {
    name: 'vmalloc',
    says: 'An area comes back page by page in its own order, and its chunks cost nothing.',
    rules: numbered('VML', 17),
    wants: ['vmalloc', 'preserve', 'restore', 'restore twisted', 'unpreserve'],
  },
  {
    name: 'take-and-keep',
    says: 'What is taken to be preserved is zeroed, one folio, and freed in either kernel.',
    rules: numbered('APR', 7),
    wants: ['alloc preserve', 'unpreserve free', 'restore free', 'kexec'],
  },
  {
    name: 'content',
    says: 'Preserved memory reads the same after any number of kexecs.',
    rules: numbered('CNT', 2),
    wants: ['write', 'preserve', 'kexec'],
  },
  {
    name: 'tree',
    says: 'The handover tree names what was added, refuses what it must, and can be read.',
    rules: [
      ...numbered('TRE', 9),
      'HND-01',
      'HND-02',
      'HND-08',
      'HND-09',
      'HND-10',
      'HND-11',
      'HND-19',
    ],
    wants: ['add subtree', 'remove subtree', 'retrieve subtree', 'crowd tree'],
  },
  {
    name: 'reserve-mem',
    says: 'Named regions come back where they were, are found by name, and can be given back.',
    rules: numbered('RSV', 11),
    wants: ['load with', 'find region', 'release region', 'write region', 'kexec'],
  },
  {
    name: 'debugfs',
    says: 'What user space reads of a handover is true, in every kernel of a chain.',
    rules: numbered('DBG', 14),
    wants: ['add subtree', 'remove subtree', 'kexec', 'restore', 'free'],
  },
  {
    name: 'shortage',
    says: 'Whatever is refused for lack of memory changes nothing, and in the end none is missing.',
    rules: numbered('MEM', 5),
    wants: ['preserve short', 'hog', 'relief', 'clean up'],
  },
  {
    name: 'kexec',
    says: 'A whole handover is taken over, a broken one is refused, and nothing is in the way.',
    rules: numbered('KEX', 9),
    wants: ['load', 'kexec', 'cold boot'],
  },
  {
    name: 'live-update',
    says: 'Sessions and their files are found by name and token, whole, and nothing is left over.',
    rules: numbered('LUO', 21).slice(1),
    wants: ['start live update', 'preserve memfd', 'retrieve memfd', 'finish session', 'kexec'],
  },
  {
    name: 'phases',
    says: 'What older kernels write down is what they hand over, and nothing changes in between.',
    rules: numbered('PHS', 10),
    wants: ['finalize', 'abort', 'preserve', 'kexec'],
  },
  {
    name: 'before-the-merge',
    says: 'The first series hand over one tree of all users, and hold what somebody still claims.',
    rules: numbered('EAR', 8),
    wants: ['finalize', 'abort', 'add subtree', 'return', 'kexec'],
  },
  {
    name: 'loading',
    says: 'Images of all sizes and kinds: the later one counts, few carry a handover.',
    rules: numbered('LOD', 8),
    wants: ['load', 'load image', 'load anywhere', 'unload', 'load crash', 'kexec'],
  },
  {
    name: 'without-kho',
    says: 'KHO that is off takes nothing over, says so, and touches nothing after a crash.',
    rules: numbered('OFF', 7),
    wants: ['load image', 'boot without KHO', 'load crash', 'crash', 'ask status', 'kexec'],
  },
];

/** The suite with this name, or undefined. */
export const suiteByName = (name: string): Suite | undefined =>
  SUITES.find((suite) => suite.name === name);
