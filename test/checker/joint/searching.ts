/** Searching specification × implementation in tests. */
import { kernelByName } from '#model/kernels';
import { jointScopeByName, makersIn, makesObject, objectsIn } from '#model/scopes/joint';
import type { JointScope } from '#model/scopes/joint';
import { KINDS } from '#model/step';
import type { Step } from '#model/step';
import { JointSearch } from '#src/checker/joint/joint';
import type { JointResult } from '#src/checker/joint/joint';
import { Identities } from '#src/checker/joint/identity';
import { Pair } from '#src/checker/joint/pair';
import { systemMaker } from '#src/cli/explore-joint';
import { faultById } from '#src/kho/faults';

export const scopeNamed = (name: string): JointScope => {
  const scope = jointScopeByName(name);
  if (scope === undefined) throw new Error(`no scope ${name}`);
  return scope;
};

const kernelOf = ({ kernel }: JointScope) => kernelByName(kernel)!;

export const search = (name: string, ...faults: string[]): JointResult => {
  const scope = scopeNamed(name);
  const make = systemMaker(
    kernelOf(scope),
    faults.map((id) => faultById(id)!),
  );
  return new JointSearch(scope, kernelOf(scope), make).run();
};

/** Law and implementation of a scope, and what numbers their states. */
export const pairOf = (scope: JointScope): { pair: Pair; number: () => number } => {
  const pair = new Pair(systemMaker(kernelOf(scope), []), kernelOf(scope), scope.machine);
  const identities = new Identities(pair.slots);
  return { pair, number: () => identities.of(pair.state, pair.world, pair.system) };
};

/** Steps that apply, by what they are called wherever objects have the same places. */
export const stepsAt = (
  { letters, objects, kexecs }: JointScope,
  { world }: Pair,
  id: number,
): Map<string, Step> => {
  const steps = new Map<string, Step>();
  for (const [at, letter] of letters.entries()) {
    if (objectsIn(world) >= objects && makesObject(letter)) continue;
    if (letter.do === 'kexec' && world.state.kexecs.get() >= kexecs) continue;
    const of = 'of' in KINDS[letter.do].fields ? makersIn(world) : [-1];
    for (const [place, object] of of.entries()) {
      const step = (object < 0 ? { id, ...letter } : { id, ...letter, of: object }) as Step;
      if (world.calls(step).length > 0) steps.set(`${at} of ${place}`, step);
    }
  }
  return steps;
};
