/** The named scopes of the law: exact counts, and what the law would let through without a rule. */
import { describe, expect, it } from 'vitest';
import { COUNTS } from '#model/scopes/counts';
import { LAW_SCOPES, UNEXPLORED } from '#model/scopes/law-scopes';
import { lawScope } from '#model/scopes/law-scope';
import type { AnyScope } from '#model/scopes/scope';
import { appliesTo } from '#spec/generations';
import { ACTION, CHAPTERS } from '#spec/law';
import { naiveExplore } from './naive-explore.ts';
import type { Found } from './naive-explore.ts';

/** Scopes that take longer than others; `npm run test:slow` explores them. */
export const SLOW = ['kexec', 'chain', 'chain3', 'alike'];

const scopeOf = (name: string, except: readonly string[] = []): AnyScope =>
  lawScope(
    LAW_SCOPES.find((scope) => scope.name === name)!,
    except,
  );

const found = new Map<string, Found>();
const explored = (name: string): Found => {
  const known = found.get(name) ?? naiveExplore(scopeOf(name));
  found.set(name, known);
  return known;
};

const quick = LAW_SCOPES.map(({ name }) => name).filter((name) => !SLOW.includes(name));

describe('the named scopes of the law', () => {
  it.each(quick)('%s has exactly the states and transitions that it is known to have', (name) => {
    const { states, transitions, depth, ...rest } = explored(name);
    expect({ states, transitions, depth }).toEqual(COUNTS[name]);
    expect(rest).toMatchObject({ deadlocks: 0, neverEnabled: [], violation: undefined });
  });

  it('are at least one for every chapter that says what a call may do', () => {
    const seen = new Set(LAW_SCOPES.flatMap(({ chapters }) => chapters));
    const told = CHAPTERS.filter(({ rules }) =>
      rules.some(({ kind }) => kind === 'answer' || kind === 'state'),
    );
    expect(
      told.map(({ title }) => title).filter((title) => !seen.has(title) && !(title in UNEXPLORED)),
    ).toEqual([]);
    const titles = CHAPTERS.map(({ title }) => title);
    expect([...seen].filter((title) => !titles.includes(title))).toEqual([]);
  });

  it('reach every refusal of every action that they try', () => {
    const reached = new Set(quick.flatMap((name) => [...explored(name).outcomes]));
    const tried = new Set([...reached].map((outcome) => outcome.split(' ')[0]!));
    const generations = new Set(LAW_SCOPES.map(({ generation = '7.3' }) => generation));
    const missing = Object.values(ACTION)
      .filter(({ name }) => tried.has(name))
      .flatMap(({ name, refusals = [], refusalSpans = {} }) =>
        refusals
          .filter((value) => {
            const { since, until } = refusalSpans[value] ?? {};
            return [...generations].some((each) => appliesTo(each, since, until));
          })
          .map((value) => `${name} ${value}`),
      )
      .filter((outcome) => !reached.has(outcome));
    expect(tried.size).toBeGreaterThan(20);
    expect(missing).toEqual([]);
  });
});

/** A rule about answers, and a scope in which more would happen without it. */
const WITHOUT: readonly (readonly [rule: string, scope: string])[] = [
  ['SCR-03', 'scratch'],
  ['SCR-04', 'scratch'],
  ['MOV-01', 'movability'],
  ['MOV-04', 'movability'],
  ['ALC-01', 'allocation'],
  ['ALC-02', 'allocation'],
  ['ALC-04', 'allocation'],
  ['PRS-01', 'preservation'],
  ['RST-02', 'restore'],
  ['TRK-01', 'tracker'],
  ['TRK-02', 'tracker'],
  ['VML-08', 'vmalloc'],
  ['APR-02', 'alloc-preserve'],
  ['TRE-01', 'tree'],
  ['TRE-02', 'tree'],
  ['RSV-03', 'reserve-mem'],
  ['RSV-08', 'reserve-mem'],
  ['MEM-01', 'shortage'],
  ['MEM-02', 'shortage'],
  ['KEX-04', 'loading'],
  ['LOD-07', 'loading'],
  ['OFF-01', 'loading'],
  ['OFF-05', 'loading'],
];

/** States that are looked at, at most: one level may go beyond. */
const ENOUGH = 400;

describe('a law that lacks a rule', () => {
  it.each(WITHOUT)('lets more through without %s in %s', (rule, name) => {
    const whole = naiveExplore(scopeOf(name), ENOUGH);
    let more: Found | undefined;
    try {
      more = naiveExplore(scopeOf(name, [rule]), ENOUGH);
    } catch (error) {
      // What is let through leads to a value that no cell of the scope has.
      expect(error).toBeInstanceOf(RangeError);
    }
    const grew = (now: Found): boolean =>
      now.violation !== undefined ||
      now.states > whole.states ||
      now.transitions > whole.transitions;
    expect(more === undefined || grew(more)).toBe(true);
  });
});
