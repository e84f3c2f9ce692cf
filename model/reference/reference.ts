/**
 * The reference model: a tiny law of its own, written in the algebra of spec/, on which exhaustive
 * engines race. It is not the law of KHO, and no promise rests on it.
 *
 * Frames below `scratch` take movable pages only. A page is allocated, freed, preserved and taken
 * back (not while a kernel is loaded); a jump hands over what is preserved and empties the rest; a
 * restored page is an unmovable one. `content` is the kernel that wrote a page, counted from 1;
 * `expected` is what a preserved or held page must still hold, and 0 otherwise.
 *
 * Every frame moves on its own between jumps, so the number of states has a closed form; see
 * `referenceStates`.
 */
import type { Cells, FrameLoops } from '#spec/algebra/cells';
import { frameCells, kernelCell } from '#spec/algebra/cells';
import { scopedCells } from '../scopes/scope.ts';
import type { AnyScope, Invariant, Scope, Transition } from '../scopes/scope.ts';

const FREE = 0;
const MOVABLE = 1;
const UNMOVABLE = 2;

const TABLE = {
  alloc: frameCells('who may hold the frame: nobody, a movable or an unmovable page', () => 2),
  preserved: frameCells('kept for the next kernel', () => 1),
  held: frameCells('handed over and not restored yet', () => 1),
  content: frameCells('the kernel that wrote it, counted from 1', (s) => s.stamps),
  expected: frameCells('what it must hold while it is preserved or held', (s) => s.stamps),
  generation: kernelCell('jumps so far', (s) => s.kexecs),
  loaded: kernelCell('a kernel is loaded', () => 1),
} as const;

type State = Cells<typeof TABLE> & FrameLoops;

/** How many frames lie in scratch, how many do not, and how many kernels run one after another. */
export interface ReferenceSize {
  readonly scratch: number;
  readonly other: number;
  readonly kernels: number;
}

/** Whether nobody has the frame, and nobody is about to get it back. */
const isFree = (s: State, p: number): boolean => s.alloc.get(p) === FREE && s.held.get(p) === 0;

const allocate = (s: State, p: number, kind: number): void => {
  s.alloc.set(p, kind);
  s.content.set(p, s.generation.get() + 1);
};

/** The transitions of one frame. */
const frameTransitions = (p: number, inScratch: boolean): readonly Transition<State>[] => [
  {
    name: 'allocMovable',
    shows: `alloc(${p}, movable)`,
    enabled: (s) => isFree(s, p),
    effect: (s) => allocate(s, p, MOVABLE),
  },
  {
    name: 'allocUnmovable',
    shows: `alloc(${p}, unmovable)`,
    enabled: (s) => !inScratch && isFree(s, p),
    effect: (s) => allocate(s, p, UNMOVABLE),
  },
  {
    name: 'free',
    shows: `free(${p})`,
    enabled: (s) => s.alloc.get(p) !== FREE && s.preserved.get(p) === 0,
    effect: (s) => {
      s.alloc.set(p, FREE);
      s.content.set(p, 0);
    },
  },
  {
    name: 'preserve',
    shows: `preserve(${p})`,
    enabled: (s) =>
      !inScratch &&
      s.alloc.get(p) === UNMOVABLE &&
      s.preserved.get(p) === 0 &&
      s.loaded.get() === 0,
    effect: (s) => {
      s.preserved.set(p, 1);
      s.expected.set(p, s.content.get(p));
    },
  },
  {
    name: 'unpreserve',
    shows: `unpreserve(${p})`,
    enabled: (s) => s.preserved.get(p) === 1 && s.loaded.get() === 0,
    effect: (s) => {
      s.preserved.set(p, 0);
      s.expected.set(p, 0);
    },
  },
  {
    name: 'restore',
    shows: `restore(${p})`,
    enabled: (s) => s.held.get(p) === 1,
    effect: (s) => {
      s.held.set(p, 0);
      s.alloc.set(p, UNMOVABLE);
      s.expected.set(p, 0);
    },
  },
];

/** What becomes of one frame when the next kernel takes over. */
const crossOver = (s: State, p: number): void => {
  s.alloc.set(p, FREE);
  if (s.preserved.get(p) === 1) {
    s.held.set(p, 1);
    s.preserved.set(p, 0);
  } else {
    s.held.set(p, 0);
    s.content.set(p, 0);
    s.expected.set(p, 0);
  }
};

const kernelTransitions = (kernels: number): readonly Transition<State>[] => [
  {
    name: 'load',
    shows: 'load()',
    enabled: (s) => s.loaded.get() === 0,
    effect: (s) => s.loaded.set(1),
  },
  {
    name: 'kexec',
    shows: 'kexec()',
    enabled: (s) => s.loaded.get() === 1 && s.generation.get() < kernels - 1,
    effect: (s) => {
      s.eachFrame((p) => crossOver(s, p));
      s.generation.set(s.generation.get() + 1);
      s.loaded.set(0);
    },
  },
];

const invariants = (scratch: number): readonly Invariant<State>[] => [
  {
    id: 'REF-01',
    says: 'Nothing preserved lies in scratch.',
    frame: (s, p) => s.preserved.get(p) === 0 || p >= scratch,
  },
  {
    id: 'REF-02',
    says: 'What is preserved or held still has the content that was expected.',
    frame: (s, p) =>
      (s.preserved.get(p) === 0 && s.held.get(p) === 0) || s.content.get(p) === s.expected.get(p),
  },
  {
    id: 'REF-03',
    says: 'What is preserved is an unmovable page.',
    frame: (s, p) => s.preserved.get(p) === 0 || s.alloc.get(p) === UNMOVABLE,
  },
  {
    id: 'REF-04',
    says: 'What is held is nobody’s.',
    frame: (s, p) => s.held.get(p) === 0 || s.alloc.get(p) === FREE,
  },
];

const numbers = (from: number, count: number): readonly number[] =>
  Array.from({ length: count }, (_, i) => from + i);

/** The reference model of a size, under a name. */
export const referenceScope = (name: string, size: ReferenceSize): Scope<State> => {
  const { scratch, other, kernels } = size;
  const frames = numbers(0, scratch + other);
  const bounds = { frames: frames.length, stamps: kernels, kexecs: kernels - 1 };
  const unused = { maxOrder: 0, nodes: 1, names: 0, pageBytes: 4096, regions: 0, lines: 0 };
  return {
    name,
    says:
      `the reference model that engines race on: ${frames.length} frames, ` +
      `${scratch} of them scratch, ${kernels} kernels`,
    chapters: [],
    frames,
    cells: scopedCells(TABLE, { ...unused, ...bounds }),
    initial: () => {},
    transitions: [
      ...frames.flatMap((p) => frameTransitions(p, p < scratch)),
      ...kernelTransitions(kernels),
    ],
    invariants: invariants(scratch),
    symmetry: [numbers(0, scratch), numbers(scratch, other)].map((c) => c.map((p) => [p])),
  };
};

/**
 * Its number of states, in closed form. In the kernel that runs as number g (from 0), with
 * `loaded` 0 or 1: a frame of scratch is free or movable, written by kernel g + 1 alone: 2 ways.
 * Any other frame is free, movable or unmovable and new; or unmovable and preserved; and for each
 * earlier kernel that may have written what was handed over: held, restored, restored and
 * preserved: 4 + 3·g ways.
 */
export const referenceStates = ({ scratch, other, kernels }: ReferenceSize): number => {
  let states = 0;
  for (let g = 0; g < kernels; g++) states += 2 * 2 ** scratch * (4 + 3 * g) ** other;
  return states;
};

export const REFERENCE: AnyScope = {
  ...referenceScope('reference', { scratch: 2, other: 6, kernels: 3 }),
  expected: { states: 8_973_960, transitions: 82_421_528 },
  expectedSymmetric: { states: 36_078, transitions: 333_213 },
};

export const REFERENCE_16: AnyScope = {
  ...referenceScope('reference16', { scratch: 2, other: 14, kernels: 3 }),
  expectedSymmetric: { states: 5_139_780, transitions: 92_268_486 },
};

/** Small enough to be explored in a moment. */
export const REFERENCE_SMALL: AnyScope = {
  ...referenceScope('reference-small', { scratch: 1, other: 3, kernels: 3 }),
  expected: { states: 5628, transitions: 28_120 },
  expectedSymmetric: { states: 1296, transitions: 6508 },
};

const isHeld = (s: State, p: number): boolean => s.held.get(p) === 1;

/**
 * A reference model with a mistake, to see what a counterexample looks like: a jump that hands over
 * more than one frame forgets what they held.
 */
export const REFERENCE_BROKEN: AnyScope = (() => {
  const sound = referenceScope('reference-broken', { scratch: 1, other: 4, kernels: 3 });
  const forgetful = (transition: Transition<State>): Transition<State> => ({
    ...transition,
    effect: (s) => {
      transition.effect(s);
      if (s.countFrames((p) => isHeld(s, p)) < 2) return;
      s.eachFrame((p) => s.content.set(p, 0));
    },
  });
  return {
    ...sound,
    says: 'the reference model with a mistake in kexec, to see a counterexample',
    transitions: sound.transitions.map((each) => (each.name === 'kexec' ? forgetful(each) : each)),
  };
})();

/** What engines race on; beside them every scope is one of the law of KHO. */
export const REFERENCE_SCOPES: readonly AnyScope[] = [
  REFERENCE,
  REFERENCE_16,
  REFERENCE_SMALL,
  REFERENCE_BROKEN,
];
