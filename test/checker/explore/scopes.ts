/** Small scopes that are awkward for an engine, each in a way of its own. */
import { frameCells, kernelCell, slotCells } from '#spec/algebra/cells';
import type { Cells, FrameLoops } from '#spec/algebra/cells';
import { scopedCells } from '#model/scopes/scope';
import type { AnyScope, Scope, Transition } from '#model/scopes/scope';

const TABLE = {
  colour: frameCells('a colour', () => 4),
  link: frameCells('a frame further on', (s) => s.frames),
  total: kernelCell('something counted', () => 40),
  turn: kernelCell('whose turn it is', () => 5),
  seat: slotCells(
    'who sits there',
    () => 2,
    () => 3,
  ),
} as const;

type State = Cells<typeof TABLE> & FrameLoops & { readonly limit: number };

const BOUNDS = {
  frames: 3,
  maxOrder: 0,
  nodes: 1,
  names: 0,
  stamps: 1,
  kexecs: 1,
  pageBytes: 4096,
  regions: 0,
  lines: 0,
};

const FRAMES = [3, 5, 6];

const step = (
  name: string,
  enabled: (s: State) => boolean,
  effect: (s: State) => void,
): Transition<State> => ({ name, shows: name, enabled, effect });

/** Transitions that look at several frames, count, loop, link, and write what frames share. */
const together: readonly Transition<State>[] = [
  ...FRAMES.map((p, i) =>
    step(
      `paint ${p}`,
      (s) => s.colour.get(p) < 3 && s.turn.get() !== i,
      (s) => s.colour.set(p, s.colour.get(p) + 1),
    ),
  ),
  step(
    'link',
    (s) => s.colour.get(3) === 2 && s.colour.get(5) === 1,
    (s) => {
      s.link.set(3, 2);
      s.link.set(6, s.link.get(3) - 1);
    },
  ),
  step(
    'count',
    (s) => s.countFrames((p) => s.colour.get(p) > 1) >= 2 && s.turn.get() < s.limit,
    (s) => {
      s.turn.set(s.turn.get() + 1);
      s.seat.set(s.turn.get() % 2, s.colour.get(6));
    },
  ),
  step(
    'gather',
    (s) => s.total.get() < 20,
    (s) => {
      let sum = s.total.get();
      s.eachFrame((p) => {
        sum += s.colour.get(p);
      });
      s.total.set(Math.min(40, sum + 1));
    },
  ),
  step(
    'fade',
    (s) => s.turn.get() > 0,
    (s) => {
      s.turn.set(s.turn.get() - 1);
      s.eachFrame((p) => {
        s.colour.set(p, s.colour.get(p) >>> 1);
        s.link.set(p, 0);
      });
    },
  ),
  step(
    'never',
    (s) => s.someFrame((p) => s.colour.get(p) === 4),
    (s) => s.turn.set(0),
  ),
];

/** A scope whose transitions are of every kind that the packed engine tells apart. */
export const awkward: Scope<State> = {
  name: 'awkward',
  says: 'transitions of every kind',
  chapters: [],
  frames: FRAMES,
  cells: scopedCells(TABLE, BOUNDS, { colour: [0, 1, 2, 3], link: [0, 1, 2] }),
  constants: { limit: 3 },
  initial: (s) => s.total.set(7),
  transitions: together,
  invariants: [
    { id: 'AWK-01', says: 'A link has a colour near it.', whole: (s) => s.total.get() >= 7 },
    {
      id: 'AWK-02',
      says: 'A link leads somewhere.',
      frame: (s, p) => s.link.get(p) === 0 || s.turn.get() <= 3,
    },
  ],
};

/** The same with a rule of two states that breaks after a while. */
export const stepBroken: AnyScope = {
  ...awkward,
  name: 'step-broken',
  stepRules: [
    {
      id: 'AWK-03',
      says: 'A colour of 3 stays or goes.',
      frame: (before: State, after: State, p: number) =>
        before.colour.get(p) !== 3 || after.colour.get(p) !== 1,
    },
  ],
};

/** Two nodes of two frames each, exchangeable as wholes, as are the frames within each. */
export const twoNodes = (asymmetric = false): AnyScope => {
  const lone = [0, 1, 2, 3];
  const paint = lone.map((p) =>
    step(
      `paint ${p}`,
      (s) => s.colour.get(p) < 2 && s.colour.get(p ^ 1) < 2,
      (s) => s.colour.set(p, s.colour.get(p) + (asymmetric && p === 0 ? 2 : 1)),
    ),
  );
  const swap = [0, 2].map((first) =>
    step(
      `clear node ${first / 2}`,
      (s) => s.colour.get(first) === 2 || s.colour.get(first + 1) === 2,
      (s) => {
        for (const p of [first, first + 1]) s.colour.set(p, 0);
      },
    ),
  );
  const scope: Scope<State> = {
    name: 'two-nodes',
    says: 'nodes and frames that may be exchanged',
    chapters: [],
    frames: lone,
    cells: scopedCells(TABLE, { ...BOUNDS, frames: 4 }, { colour: 3, link: [0], total: 0 }),
    initial: () => {},
    transitions: [...paint, ...swap],
    invariants: [],
    symmetry: [
      [[0], [1]],
      [[2], [3]],
      [
        [0, 1],
        [2, 3],
      ],
    ],
  };
  return scope;
};
