/**
 * Every scope of specification × implementation, searched to its end; and in the smaller ones every
 * state is reached on every way, to see that states that are taken for one go on alike.
 */
import { describe, expect, it } from 'vitest';
import { JOINT_SCOPES } from '#model/scopes/joint';
import { expectAlike, expectRestored } from '../checker/joint/alike.ts';
import { search } from '../checker/joint/searching.ts';

/** Transitions of a scope up to which all its ways are gone. */
const ALL_WAYS_MAX = 6000;

describe('specification × implementation', () => {
  it.each(JOINT_SCOPES.map((scope) => [scope.name, scope] as const))(
    '%s holds in every state, and there are exactly so many',
    (name, scope) => {
      const { complete, states, transitions, neverEnabled } = search(name);
      expect({ states, transitions }).toEqual(scope.expected);
      expect({ complete, neverEnabled }).toEqual({ complete: true, neverEnabled: [] });
    },
  );

  it.each(JOINT_SCOPES.map((scope) => [scope.name, scope] as const))(
    'a state of %s that is made again is the same',
    (_name, scope) => expectRestored(scope, 200),
  );

  const small = JOINT_SCOPES.filter(({ expected }) => (expected?.transitions ?? 0) <= ALL_WAYS_MAX);
  it.each(small.map((scope) => [scope.name, scope] as const))(
    'a state of %s goes on alike however it came',
    (_name, scope) => expectAlike(scope),
  );
});
