/**
 * Scopes of the law itself: spec/ as it is, cut down to a small machine and a list of calls.
 *
 * A transition is a call and one of the answers that are offered to the law. It is enabled where a
 * caller may make the call and no rule of the law refuses the answer; its effect is that of the
 * action; the invariants are the rules about states. Nothing of the law is written down twice.
 *
 * What a scope leaves out: a jump beyond its number of kexecs in a row, and kernels that find no
 * page for their tree (they die, and the law says nothing of them).
 */
import type { Bounds } from './cells-of.ts';
import { narrowedCells } from './cells-of.ts';
import { answerRules, brokenRule } from '#spec/acceptor';
import type { AnswerRules } from '#spec/acceptor';
import { REVIVED } from '#spec/call';
import type { Call } from '#spec/call';
import { ageOf } from '#spec/generations';
import type { Generation } from '#spec/generations';
import { ACTION, hasAction, rulesOf } from '#spec/law';
import type { Machine } from '#spec/machine';
import { hex } from '#spec/rules';
import { CELLS } from '#spec/state';
import type { State } from '#spec/state';
import { call } from '../call.ts';
import { COUNTS, SYMMETRIC_COUNTS } from './counts.ts';
import { answersTo } from './answers.ts';
import { mayCall } from './callers.ts';
import { framesOf } from './offer.ts';
import type { Offer } from './offer.ts';
import { scopedCells } from './scope.ts';
import type { Invariant, Scope, SymmetryClass, Transition } from './scope.ts';
import { plannedAreas, smallMachine } from './small-world.ts';
import type { SmallShape, SmallWorld } from './small-world.ts';

/** What is chosen for a scope of the law. */
export interface LawScope {
  readonly name: string;
  readonly says: string;
  readonly chapters: readonly string[];
  readonly shape: SmallShape;
  /** The calls that are tried in every state. */
  readonly calls: (machine: Machine) => readonly Call[];
  /** Handovers in a row; 0 when there are no jumps. */
  readonly kexecs: number;
  readonly generation?: Generation;
  readonly world?: Partial<Omit<SmallWorld, 'machine'>>;
  readonly symmetry?: readonly SymmetryClass[];
}

/** The newest generation that the chapters speak about. */
const NEWEST: Generation = '7.3';

const worldOf = (chosen: LawScope): SmallWorld => {
  const { shape, world } = chosen;
  const machine = smallMachine(shape);
  const crash = machine.crashFrames ?? 0;
  const plan = plannedAreas(machine);
  return {
    machine,
    plans: [plan],
    crash: crash === 0 ? [0, 0] : [machine.end - crash, crash],
    early: plan.filter(([, count]) => count > 0).slice(0, 1),
    ownPages: 0,
    bootPages: 'lowest',
    metadata: ageOf(chosen.generation ?? NEWEST) <= ageOf('7.1'),
    regionPlaces: framesOf(machine),
    blobBytes: [],
    ...world,
  };
};

/** The name of a blob or a region as traces of scopes show it. */
const nameOf = (index: number): string => ['kexec-metadata', 'memblock'][index] ?? `name ${index}`;

const shown = (made: Call, { answer }: Offer): string => {
  const { value, taken } = answer;
  const pages: string[] = [];
  for (let i = 0; i < taken.length; i++) pages.push(hex(taken.first(i)));
  const took = pages.length === 0 ? '' : `, takes ${pages.join(' ')}`;
  return `${ACTION[made.action].shows(made, nameOf)} = ${value}${took}`;
};

/** The transition that a call and one of its answers are. */
const transition = (
  made: Call,
  offered: Offer,
  rules: AnswerRules,
  kexecs: number,
): Transition<State> => {
  const { answer, chosen } = offered;
  const revives = made.action === 'kexec' && answer.value === REVIVED;
  const { effect } = ACTION[made.action];
  return {
    name: made.action,
    shows: shown(made, offered),
    enabled: (s) =>
      mayCall(s, made) &&
      !(revives && s.kexecs.get() >= kexecs) &&
      (chosen === undefined || chosen(s)) &&
      brokenRule(rules, s, made, answer) === undefined,
    effect: (s) => effect(s, made, answer),
  };
};

const invariantsOf = (generation: Generation): readonly Invariant<State>[] =>
  rulesOf(generation)
    .filter((rule) => rule.kind === 'state')
    .map(({ id, says, when, holds }) => ({
      id,
      says,
      frame: (s, pfn) => !when(s, pfn) || holds(s, pfn),
    }));

/** A machine of the scope was switched on, and answered in the first way that the law allows. */
const switchOn = (world: SmallWorld, rules: AnswerRules, s: State): void => {
  const made = call('coldBoot');
  const first = answersTo(world, made).find(
    ({ answer }) => brokenRule(rules, s, made, answer) === undefined,
  );
  if (first === undefined) throw new Error('the law allows no answer to switching this machine on');
  ACTION.coldBoot.effect(s, made, first.answer);
};

/**
 * The scope of the law that was chosen.
 *
 * @param except ids of answer rules that are left out: what more would happen without them?
 */
export const lawScope = (chosen: LawScope, except: readonly string[] = []): Scope<State> => {
  const { name, says, chapters, kexecs, shape, symmetry } = chosen;
  const expected = COUNTS[name];
  const expectedSymmetric = SYMMETRIC_COUNTS[name];
  const generation = chosen.generation ?? NEWEST;
  const world = worldOf(chosen);
  const { machine } = world;
  const calls = chosen.calls(machine).filter(({ action }) => hasAction(generation, action));
  const rules = answerRules(generation, except);
  const bounds: Bounds = {
    frames: machine.end,
    maxOrder: machine.maxOrder,
    nodes: machine.nodes.length,
    names: machine.nameBytes.length,
    stamps: shape.stamps,
    kexecs,
    pageBytes: 2 ** machine.pageShift,
    regions: machine.reserveMem?.names.length ?? 0,
    lines: machine.reserveMem?.lines.length ?? 1,
  };
  return {
    name,
    says,
    chapters,
    frames: framesOf(machine),
    cells: scopedCells(CELLS, bounds, narrowedCells(world, calls, bounds, ageOf(generation))),
    constants: { machine },
    initial: (s) => {
      s.installed.set(ageOf(generation));
      s.runs.set(ageOf(generation));
      switchOn(world, rules, s);
    },
    transitions: calls.flatMap((made) =>
      answersTo(world, made).map((offered) => transition(made, offered, rules, kexecs)),
    ),
    invariants: invariantsOf(generation),
    ...(symmetry === undefined ? {} : { symmetry }),
    ...(expected === undefined ? {} : { expected }),
    ...(expectedSymmetric === undefined ? {} : { expectedSymmetric }),
  };
};
