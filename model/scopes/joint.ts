/**
 * Scopes of specification and implementation together: few steps, few objects, few kexecs.
 *
 * The machine is a real one, as small as one can be: what bounds a scope is not its memory but what
 * is done with it. Its states are those that its steps reach with so many objects at a time and so
 * many kexecs in a row; there are finitely many of them.
 */
import { ANY_NODE } from '#spec/call';
import { GENERATIONS } from '#spec/generations';
import type { Step, StepName } from '../step.ts';
import type { MachineShape } from '../machines.ts';
import type { World } from '../world.ts';

/** A step without its number, and without the object that it is about. */
export type Letter = {
  [Name in StepName]: Omit<Extract<Step, { do: Name }>, 'id' | 'of'>;
}[StepName];

export interface JointScope {
  readonly name: string;
  /** One sentence: what this scope is for. */
  readonly says: string;
  /** Kernel profile by name. */
  readonly kernel: string;
  readonly machine: MachineShape;
  /** What is tried in every state; steps about an object once for every object. */
  readonly letters: readonly Letter[];
  /** Most objects at a time, sessions and their files among them. */
  readonly objects: number;
  /** Most handovers in a row. */
  readonly kexecs: number;
  /** Exact counts without a fault. */
  readonly expected?: { readonly states: number; readonly transitions: number };
}

/** Frames in a block of the largest order: what scratch areas are aligned to. */
const BLOCK = 1024;

/** One node with one scratch area. */
const ONE_NODE: MachineShape = {
  pageShift: 12,
  nodes: [3 * BLOCK],
  scratch: { lowmem: 0, global: 0, perNode: BLOCK },
};

/** Two nodes whose border cuts a pair of frames apart. */
const TWO_NODES: MachineShape = { ...ONE_NODE, nodes: [4 * BLOCK + 1, 4 * BLOCK] };

/** Two command lines; the second one names a region of two pages. */
const REGIONS: MachineShape = {
  ...ONE_NODE,
  nodes: [4 * BLOCK],
  reserveMem: ['', '8192:4096:kept'],
};

const CRASH: MachineShape = { ...ONE_NODE, nodes: [4 * BLOCK], crash: 16 };

const page: Letter = { do: 'alloc', node: ANY_NODE, order: 0, movable: false };
const two: Letter = { do: 'alloc', node: ANY_NODE, order: 1, movable: false };
const movable: Letter = { do: 'alloc', node: ANY_NODE, order: 0, movable: true };
const load: Letter = { do: 'load' };
const jump: Letter = { do: 'kexec', damage: 0 };
const free: Letter = { do: 'free' };
const preserve: Letter = { do: 'preserve' };
const unpreserve: Letter = { do: 'unpreserve' };
const restore: Letter = { do: 'restore' };
const write: Letter = { do: 'write', page: 0 };
const road: readonly Letter[] = [load, jump];
const life: readonly Letter[] = [free, preserve, unpreserve, restore];

export const JOINT_SCOPES: readonly JointScope[] = [
  {
    name: 'page',
    says: 'One page: taken, written, kept, given up, handed over and restored.',
    kernel: '7.3',
    machine: ONE_NODE,
    letters: [page, write, ...life, ...road],
    objects: 1,
    kexecs: 2,
    expected: { states: 166, transitions: 768 },
  },
  {
    name: 'two-folios',
    says: 'Two folios of two orders, kept and given up in any order, and one handover.',
    kernel: '7.3',
    machine: ONE_NODE,
    letters: [page, two, preserve, unpreserve, restore, ...road],
    objects: 2,
    kexecs: 1,
    expected: { states: 912, transitions: 5912 },
  },
  {
    name: 'border',
    says: 'A range of three frames with the border of two nodes in it, kept and restored.',
    kernel: '7.3',
    machine: TWO_NODES,
    letters: [
      { do: 'claim', place: { at: 'node border', node: 0, back: 1 }, count: 3 },
      ...life,
      ...road,
    ],
    objects: 1,
    kexecs: 2,
    expected: { states: 34, transitions: 132 },
  },
  {
    name: 'movable',
    says: 'A movable page in scratch: pinned out of it, kept, moved, handed over.',
    kernel: '7.3',
    machine: ONE_NODE,
    letters: [
      movable,
      write,
      { do: 'pin', node: ANY_NODE, nth: 0 },
      { do: 'unpin' },
      { do: 'migrate', node: ANY_NODE, nth: 0 },
      ...life,
      ...road,
    ],
    objects: 1,
    kexecs: 1,
    expected: { states: 3782, transitions: 19_736 },
  },
  {
    name: 'chain',
    says: 'One page through four handovers in a row, with images that are unloaded again.',
    kernel: '7.3',
    machine: ONE_NODE,
    letters: [
      page,
      write,
      preserve,
      restore,
      ...road,
      { do: 'unload', crash: false, starts: false },
    ],
    objects: 1,
    kexecs: 4,
    expected: { states: 618, transitions: 3024 },
  },
  {
    name: 'tree',
    says: 'One page under two names: named, taken out, looked up by the next kernel.',
    kernel: '7.3',
    machine: ONE_NODE,
    letters: [
      page,
      preserve,
      { do: 'add subtree', name: 4, bytes: 73 },
      { do: 'add subtree', name: 5, bytes: 1 },
      { do: 'remove subtree' },
      { do: 'retrieve subtree', name: 4 },
      { do: 'retrieve subtree', name: 0 },
      restore,
      ...road,
    ],
    objects: 1,
    kexecs: 1,
    expected: { states: 578, transitions: 4454 },
  },
  {
    name: 'area',
    says: 'An area of two pages: listed, taken back, handed over, restored.',
    kernel: '7.3',
    machine: ONE_NODE,
    letters: [
      { do: 'vmalloc', blocks: 2, order: 0, huge: false, other: false, nth: 0 },
      { do: 'write', page: 1 },
      ...life,
      ...road,
    ],
    objects: 1,
    kexecs: 2,
    expected: { states: 1548, transitions: 6840 },
  },
  {
    name: 'taken-and-kept',
    says: 'Memory that is taken and kept in one call, and given back in one.',
    kernel: '7.3',
    machine: ONE_NODE,
    letters: [
      { do: 'alloc preserve', bytes: 1, nth: 0 },
      { do: 'alloc preserve', bytes: 1, nth: 2 },
      { do: 'unpreserve free' },
      { do: 'restore free' },
      restore,
      free,
      ...road,
    ],
    objects: 1,
    kexecs: 2,
    expected: { states: 56, transitions: 212 },
  },
  {
    name: 'shortage',
    says: 'One page that is kept while one request after the other for a page is refused.',
    kernel: '7.3',
    machine: ONE_NODE,
    letters: [
      page,
      { do: 'preserve short', nth: 1 },
      { do: 'preserve short', nth: 2 },
      { do: 'preserve short', nth: 4 },
      ...life,
      ...road,
    ],
    objects: 1,
    kexecs: 1,
    expected: { states: 22, transitions: 116 },
  },
  {
    name: 'regions',
    says: 'A region with a name: found, given back, revived by the next kernel or not.',
    kernel: '7.3',
    machine: REGIONS,
    letters: [
      { do: 'find region', region: 0 },
      { do: 'release region', region: 0 },
      { do: 'write region', region: 0, page: 1 },
      { do: 'load with', line: 1 },
      ...road,
    ],
    objects: 0,
    kexecs: 2,
    expected: { states: 72, transitions: 333 },
  },
  {
    name: 'images',
    says: 'Images of all kinds, a crash kernel, kernels without KHO; one page is kept.',
    kernel: '7.3',
    machine: CRASH,
    letters: [
      page,
      preserve,
      restore,
      { do: 'load image', size: 0, kernel: 1 },
      { do: 'load anywhere', at: 64, kernel: 0 },
      { do: 'unload', crash: false, starts: false },
      { do: 'load crash', size: 0 },
      { do: 'crash', loads: false },
      { do: 'ask status' },
      ...road,
    ],
    objects: 1,
    kexecs: 1,
    expected: { states: 2272, transitions: 18_960 },
  },
  {
    name: 'phases',
    says: 'One page on a kernel with phases: finalized, aborted, handed over.',
    kernel: '6.18',
    machine: ONE_NODE,
    letters: [page, preserve, restore, { do: 'finalize' }, { do: 'abort' }, ...road],
    objects: 1,
    kexecs: 2,
    expected: { states: 710, transitions: 3598 },
  },
  {
    name: 'downgrade',
    says: 'One page between kernels whose strings differ, and between those that agree.',
    kernel: '7.2',
    machine: ONE_NODE,
    letters: [
      page,
      preserve,
      restore,
      { do: 'load kernel', kernel: GENERATIONS.indexOf('7.1') },
      { do: 'load kernel', kernel: GENERATIONS.indexOf('7.3') },
      jump,
    ],
    objects: 1,
    kexecs: 2,
    expected: { states: 5097, transitions: 21_054 },
  },
  {
    name: 'sessions',
    says: 'A session with one memfd: created, handed over, retrieved, finished, or closed before.',
    kernel: '7.3',
    machine: ONE_NODE,
    letters: [
      { do: 'start live update', nth: 0 },
      { do: 'create session', count: 1, nth: 0 },
      { do: 'create same session' },
      { do: 'create nameless session' },
      { do: 'preserve memfd', count: 1, pages: 2, nth: 0 },
      { do: 'preserve same token' },
      { do: 'keep memfd' },
      { do: 'close session' },
      { do: 'retrieve session' },
      { do: 'retrieve memfd', stray: false },
      { do: 'finish session' },
      { do: 'close memfd' },
      ...road,
    ],
    objects: 2,
    kexecs: 1,
    expected: { states: 690, transitions: 4044 },
  },
];

/** Kinds of step that make an object. */
export const makesObject = ({ do: name }: Letter): boolean => MAKERS.includes(name);

const MAKERS: readonly StepName[] = [
  'alloc',
  'claim',
  'vmalloc',
  'alloc preserve',
  'claim large',
  'create session',
  'preserve memfd',
];

/** How many objects a world has, sessions and their files among them. */
export const objectsIn = ({ alive, luo }: World): number =>
  alive.length + luo.sessions.length + luo.files.length;

/** What steps may be about, by the steps that made it, each once. */
export const makersIn = ({ alive, luo }: World): readonly number[] => {
  const makers = alive.map(idOf);
  if (!luo.any) return makers;
  return [...new Set([...makers, ...luo.sessions.map(idOf), ...luo.files.map(idOf)])];
};

const idOf = ({ id }: { readonly id: number }): number => id;

/** The scope of this name, or undefined. */
export const jointScopeByName = (name: string): JointScope | undefined =>
  JOINT_SCOPES.find((scope) => scope.name === name);
