/** The larger named scopes of the law, and the compiled engine on all of them: the same counts. */
import { describe, expect, it } from 'vitest';
import { COUNTS, SYMMETRIC_COUNTS } from '#model/scopes/counts';
import { LAW_SCOPES } from '#model/scopes/law-scopes';
import { lawScope } from '#model/scopes/law-scope';
import { explore } from '#src/checker/explore/explore';
import { naiveExplore } from './naive-explore.ts';

const OPTIONS = { symmetry: false, workers: 1, everyTransition: true } as const;

describe('the compiled engine', () => {
  it.each(LAW_SCOPES)('counts in $name what is known to be there', async (chosen) => {
    const { exploration } = await explore(lawScope(chosen), OPTIONS);
    const { states, transitions, depth, ...rest } = exploration;
    expect({ states, transitions, depth }).toEqual(COUNTS[chosen.name]);
    expect(rest).toMatchObject({ complete: true, neverEnabled: [], violation: null });
  });
});

it.each(Object.keys(SYMMETRIC_COUNTS))('counts %s with symmetry', async (name) => {
  const chosen = LAW_SCOPES.find((scope) => scope.name === name)!;
  const { exploration } = await explore(lawScope(chosen), { ...OPTIONS, symmetry: true });
  const { states, transitions, depth } = exploration;
  expect({ states, transitions, depth }).toEqual(SYMMETRIC_COUNTS[name]);
});

describe('the naive engine', () => {
  it.each(['kexec', 'chain', 'alike'])('counts in %s what is known to be there', (name) => {
    const chosen = LAW_SCOPES.find((scope) => scope.name === name)!;
    const { states, transitions, depth } = naiveExplore(lawScope(chosen));
    expect({ states, transitions, depth }).toEqual(COUNTS[name]);
  });
});

describe('chain3', () => {
  it('has at least a million states', () => {
    expect(COUNTS['chain3']!.states).toBeGreaterThanOrEqual(1_000_000);
  });
});
