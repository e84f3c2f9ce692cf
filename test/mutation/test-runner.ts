/**
 * Stands in for `vitest` where mutants are tried: the same `expect`, and a runner that starts at
 * once, runs one test after the other in one process, and stops at the first that fails.
 */
import { JestAsymmetricMatchers, JestChaiExpect, JestExtend } from '@vitest/expect';
import * as chai from 'chai';

type Body = (...args: readonly unknown[]) => unknown;
type Declare = (name: string, body: Body) => void;
type Each = (cases: readonly unknown[]) => Declare;

chai.use(JestExtend);
chai.use(JestChaiExpect);
chai.use(JestAsymmetricMatchers);

export const expect = (value: unknown, message?: string): unknown => chai.expect(value, message);

/** A test that was declared: its name and those of what it stands in. */
interface Declared {
  readonly name: string;
  readonly body: () => unknown;
}

const path: string[] = [];
let declared: Declared[] = [];

const declare = (name: string, body: () => unknown): void => {
  declared.push({ name: [...path, name].join(' > '), body });
};

const group = (name: string, body: () => unknown): void => {
  path.push(name);
  body();
  path.pop();
};

const each =
  (one: (name: string, body: () => unknown) => void): Each =>
  (cases) =>
  (name, body) => {
    for (const given of cases) {
      const args = Array.isArray(given) ? (given as unknown[]) : [given];
      one(`${name} (${String(args[0])})`, () => body(...args));
    }
  };

export const it = Object.assign(declare, { each: each(declare) });
export const test = it;
export const describe = Object.assign(group, { each: each(group) });

/** Runs what was declared since the last time; answers the first failure, or undefined. */
export const runDeclared = async (): Promise<string | undefined> => {
  const tests = declared;
  declared = [];
  for (const { name, body } of tests) {
    try {
      await body();
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      return `${name}: ${why.split('\n')[0]}`;
    }
  }
  return undefined;
};
