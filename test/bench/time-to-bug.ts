/**
 * Time to bug: executed steps until a bug of the toy shows, drawn the way that traces are drawn.
 *
 * A kind of step is chosen among those that apply now, by weights that vary from trace to trace,
 * then a frame that it applies to: `model/swarm.ts`, the same code that draws traces of the law.
 */
import { Random } from '#model/random';
import { KINDS } from '#model/step';
import type { StepName } from '#model/step';
import { CHAIN_FACTOR, chooseWeighted, drawSilence, makesChain, swarmFactor } from '#model/swarm';
import { FRAMES, Model, Real } from './reference-commands.ts';
import type { Bug, Name } from './reference-commands.ts';
import { median, show } from './section.ts';
import type { Section } from './section.ts';

/** What the toy does, and the kind of step of the law whose weight it has, or its share of it. */
const KIND_OF: readonly (readonly [Name, StepName, number])[] = [
  ['movable', 'alloc', 1 / 2],
  ['unmovable', 'alloc', 1 / 2],
  ['free', 'free', 1],
  ['preserve', 'preserve', 1],
  ['unpreserve', 'unpreserve', 1],
  ['restore', 'restore', 1],
  ['load', 'load', 1],
  ['kexec', 'kexec', 1],
];
const NAMES = KIND_OF.map(([name]) => name);
const LOAD = NAMES.indexOf('load');
const KEXEC = NAMES.indexOf('kexec');

const SEEDS = 200;
const STEPS_PER_TRACE = 30;
const STEPS_MAX = 1_000_000;

/** The bugs, with the median that the same way of drawing had when it was first tried. */
const BUGS: readonly (readonly [Bug, number])[] = [
  ['again', 508],
  ['second', 1246],
  ['buddy', 2970],
  ['third', 695],
];

const traceWeights = (random: Random): Float64Array => {
  const silentOneIn = drawSilence(random);
  const weights = Float64Array.from(KIND_OF, ([, kind, share]) => {
    const { weight, silenceable } = KINDS[kind];
    return weight * share * swarmFactor(random, silenceable ? silentOneIn : 0);
  });
  if (makesChain(random)) {
    weights[LOAD]! *= CHAIN_FACTOR;
    weights[KEXEC]! *= CHAIN_FACTOR;
  }
  return weights;
};

/** Executed steps until the bug shows; frames that a kind applies to are drawn alike. */
const stepsToBug = (bug: Bug, seed: number): number => {
  const random = new Random(seed);
  const now = new Float64Array(NAMES.length);
  const frames = NAMES.map(() => new Uint8Array(FRAMES));
  const counts = new Uint8Array(NAMES.length);
  for (let steps = 0; steps < STEPS_MAX;) {
    const model = new Model();
    const real = new Real(bug);
    const weights = traceWeights(random);
    for (let i = 0; i < STEPS_PER_TRACE; i++) {
      const total = weigh(model, weights, now, frames, counts);
      const at = chooseWeighted(random, now, total);
      if (at < 0) break;
      const name = NAMES[at]!;
      const p = frames[at]![random.below(counts[at]!)]!;
      const want = name === 'restore' ? model.content[p]! : 0;
      model.do(name, p);
      steps++;
      if (real.do(name, p) !== want) return steps;
    }
  }
  return STEPS_MAX;
};

/** Which kinds apply to which frames now; answers the sum of their weights. */
const weigh = (
  model: Model,
  weights: Float64Array,
  now: Float64Array,
  frames: readonly Uint8Array[],
  counts: Uint8Array,
): number => {
  let total = 0;
  for (let at = 0; at < NAMES.length; at++) {
    const last = at >= LOAD ? 1 : FRAMES;
    let count = 0;
    for (let p = 0; p < last; p++) if (model.can(NAMES[at]!, p)) frames[at]![count++] = p;
    counts[at] = count;
    now[at] = count === 0 ? 0 : weights[at]!;
    total += now[at]!;
  }
  return total;
};

export const timeToBug = (): Section => ({
  title: 'Time to bug',
  figures: BUGS.map(([bug, known]) => {
    const all = Array.from({ length: SEEDS }, (_, seed) => stepsToBug(bug, seed + 1));
    const ours = median(all);
    return {
      what: `steps until \`${bug}\` shows`,
      ours: `${show(ours)} steps`,
      peer: `${show(known)} when first tried`,
      ratio: known / ours,
      bar: '≥ 0.67',
    };
  }),
  notes: [`Median of ${SEEDS} seeds, traces of ${STEPS_PER_TRACE} steps on the toy.`],
});
